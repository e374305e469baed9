"""Conversations with one card, without any I/O: generators that yield a request and are sent its reply.

    reply = yield request        # a Pdu, or None when no answer came in time

Whoever drives them sends, waits, matches and counts time.  A request that is yielded again after None is the same one:
a late answer to its first sending is as good.

Weak cards are given way to.  A first silence is the network's and the request is repeated; a second one in a row, or
tooBig, is the card's and the request is halved, for all that follows; after polls that go well more is tried again
(`Manners`).  In version 1
(and on cards that speak 2c like 1) one bad name fails a whole PDU: it is left out and the others are asked for again.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from wire.snmp import (
    GET,
    GET_BULK,
    GET_NEXT,
    NO_ERROR,
    NO_SUCH_NAME,
    RESPONSE,
    TOO_BIG,
    V1,
    Absent,
    Pdu,
    Request,
    Value,
    VarBind,
    request,
)

T = TypeVar("T")
Exchange = Generator[Request, Pdu | None, T]

NAMES, REPETITIONS = 20, 10  # an agent need only accept 484 octets (RFC 3417 section 3.2)
MOST_NAMES = 64  # of a card that has proved it bears more, while its replies stay in one Ethernet frame:
MOST_OCTETS = 1_400
CLEAN_POLLS = 10  # that prove a size
SETTLED_POLLS = 360  # after which a size that was too much is tried again: an hour, at 10 s
MISSES = 2
MOST_ROWS = 10_000  # of all tables of one discovery: above the largest chassis, below harm


class NoAnswer(Exception):  # noqa: N818 - it says what happened
    """The card did not answer, its retries spent."""


@dataclass(slots=True)
class Manners:
    """How one card is spoken to, and what it was found to bear.

    `rows_left` is how many rows of tables are still read, `cut` the tables that had more than that,
    `broken` those that the card refused to go on with.
    `clean` polls in a row went well with this size, `settled` since one was last too much, `proven` is the size that
    did `CLEAN_POLLS` times, `ceiling` the largest worth trying, `missed` how often more met silence: once may be the
    network, `MISSES` times is the card.  `told`: the card said itself that it was too much.  `largest`: octets of the
    largest reply of late (0: not known).
    """

    version: int
    retries: int
    names: int = NAMES
    repetitions: int = REPETITIONS
    rows_left: int = MOST_ROWS
    cut: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    clean: int = 0
    settled: int = 0
    proven: int = NAMES
    ceiling: int = MOST_NAMES
    missed: int = 0
    told: bool = False
    largest: int = 0

    def anew(self) -> "Manners":
        """Return what is begun with when the card is discovered anew: what was learned of it, and one step of hope."""
        repetitions = min(2 * self.repetitions, REPETITIONS)
        return replace(self, repetitions=repetitions, rows_left=MOST_ROWS, cut=[], broken=[], told=False, largest=0)

    def went_well(self, size: int) -> None:
        """Note a poll begun with so many names a request: so many of these as are clean, and more are tried."""
        if self.names < size:
            self._too_much(self.names)
            return
        self.told = False
        self.clean += 1
        if self.clean < CLEAN_POLLS:
            return
        if self.names > self.proven:
            self.missed = 0
        self.proven, self.clean = max(self.names, self.proven), 0
        self.settled += CLEAN_POLLS
        if self.settled >= SETTLED_POLLS:  # what was too much may be so no longer
            self.ceiling, self.settled, self.missed = MOST_NAMES, 0, 0
        fits = MOST_OCTETS * self.names // self.largest if self.largest else self.names
        more = min(2 * self.names, self.ceiling, fits)
        if more >= 1.25 * self.names:
            self.names, self.largest = more, 0

    def went_silent(self, size: int) -> None:
        """Note a poll that ended in silence: a size not proven yet may have been too much, one proven had no part."""
        if size > self.proven:
            self._too_much(self.proven)
        self.names, self.clean = min(self.names, NAMES), 0

    def _too_much(self, borne: int) -> None:
        self.missed += 1
        if self.told or self.missed >= MISSES:
            self.ceiling, self.missed, self.settled = borne, 0, 0
        self.clean, self.told = 0, False


_TOO_MANY = Pdu(RESPONSE, 0, TOO_BIG, 0, ())


def requests_for(kind: int, oids: Iterable[str], size: int) -> list[Request]:
    """Return requests of at most `size` names each."""
    names = tuple(oids)
    return [request(kind, names[at : at + size]) for at in range(0, len(names), size)]


def get(oids: Iterable[str], manners: Manners) -> Exchange[dict[str, Value]]:
    """Ask for objects by name; a name the card left out or refused is missing in what is returned."""
    return (yield from get_all(requests_for(GET, oids, manners.names), manners))


def get_all(requests: Iterable[Request], manners: Manners) -> Exchange[dict[str, Value]]:
    """Ask what was encoded before; see `get`."""
    replies = yield from _ask_all(requests, manners)
    return {bind.oid: bind.value for _, reply in replies for bind in reply.varbinds}


def following(oids: Iterable[str], manners: Manners) -> Exchange[dict[str, VarBind]]:
    """Ask which object follows each name (GETNEXT); a name that nothing follows is missing in what is returned."""
    replies = yield from _ask_all(requests_for(GET_NEXT, oids, manners.names), manners)
    return {
        oid: bind
        for asked, reply in replies
        for oid, bind in zip(asked.oids, reply.varbinds, strict=False)
        if not isinstance(bind.value, Absent)
    }


def walk(
    root: str, manners: Manners, told: Callable[[int], None] | None = None, *, share: int = 1
) -> Exchange[dict[str, Value]]:
    """Read all below `root`, in the card's order: what follows it in the name ("2.1" of root.2.1) and the value.

    No more than a `share`-th of `manners.rows_left`; a table that has more is told in `manners.cut`, one that the card
    refused to go on with in `manners.broken`.  `told` hears how many rows there are with each reply.
    """
    rows: dict[str, Value] = {}
    name, silences = root, 0
    while name:
        if len(rows) >= manners.rows_left // share:
            manners.cut.append(root)
            break
        reply = yield _step(manners.version, name, manners.repetitions)
        if reply is None:
            silences += 1
            manners.repetitions = _after_silence(silences, manners, manners.repetitions)
            continue
        silences = 0
        if reply.error_status == TOO_BIG and manners.repetitions > 1:
            manners.repetitions //= 2
            continue
        if reply.error_status not in {NO_ERROR, NO_SUCH_NAME}:
            manners.broken.append(root)
        name = _take_rows(rows, root + ".", reply)
        if told is not None:
            told(len(rows))
    manners.rows_left -= min(len(rows), manners.rows_left)
    return rows


def _take_rows(rows: dict[str, Value], below: str, reply: Pdu) -> str:
    """Add the rows of a reply; return the name to go on from, nothing when the walk is over."""
    if reply.error_status or not reply.varbinds:
        return ""  # version 1 says noSuchName at the end of its MIB
    for bind in reply.varbinds:
        row = bind.oid.removeprefix(below)
        if row == bind.oid or row in rows or isinstance(bind.value, Absent):
            return ""  # past the root, a card that goes round in circles, or the end of the MIB
        rows[row] = bind.value
    return reply.varbinds[-1].oid


@lru_cache(1024)
def _step(version: int, name: str, repetitions: int) -> Request:
    if version == V1 or repetitions == 1:
        return request(GET_NEXT, (name,))
    return request(GET_BULK, (name,), max_repetitions=repetitions)


def _ask_all(requests: Iterable[Request], manners: Manners) -> Exchange[list[tuple[Request, Pdu]]]:
    """Ask everything, in halves where need be; return each request that succeeded, with its reply."""
    replies: list[tuple[Request, Pdu]] = []
    left = list(requests)[::-1]
    silences = 0
    while left:
        asked = left[-1]
        reply = yield asked
        if reply is None and len(asked.oids) > manners.proven:  # our own attempt at more costs no try
            manners.names = manners.proven
            names = [oid for each in left[::-1] for oid in each.oids]
            left = requests_for(asked.kind, names, manners.proven)[::-1]
            continue
        if reply is None:
            silences += 1
            smaller = _after_silence(silences, manners, len(asked.oids))
            if smaller < len(asked.oids):
                manners.names = smaller
                left[-1:] = requests_for(asked.kind, asked.oids, smaller)[::-1]
            continue
        silences = 0
        left.pop()
        if not reply.error_status and len(asked.oids) > NAMES and len(reply.varbinds) < len(asked.oids):
            reply = _TOO_MANY  # a card that leaves out what does not fit
        if not reply.error_status:
            replies.append((asked, reply))
        else:
            left += _again(asked, reply, manners)
    return replies


def _after_silence(silences: int, manners: Manners, size: int) -> int:
    """Return the size to try next; NoAnswer when the retries are spent."""
    if silences > manners.retries:
        raise NoAnswer
    return max(1, size // 2) if silences >= 2 else size


def _again(asked: Request, reply: Pdu, manners: Manners) -> list[Request]:
    """Return what is still worth asking of a request that failed."""
    if len(asked.oids) == 1:
        return []
    at = reply.error_index - 1
    if reply.error_status != TOO_BIG and 0 <= at < len(asked.oids):
        return [request(asked.kind, asked.oids[:at] + asked.oids[at + 1 :])]
    half = (len(asked.oids) + 1) // 2
    if reply.error_status == TOO_BIG:
        manners.names, manners.told = min(manners.names, half), True
    return requests_for(asked.kind, asked.oids, half)[::-1]

"""Conversations with one card, without any I/O: generators that yield a request and are sent its reply.

    reply = yield request        # a Pdu, or None when no answer came in time

Whoever drives them sends, waits, matches and counts time.  A request that is yielded again after None is the same one:
a late answer to its first sending is as good.

Weak cards are given way to.  A first silence is the network's and the request is repeated; a second one in a row, or
tooBig, is the card's and the request is halved, for all that follows; after polls that go well more is tried again
(`Manners`).  In version 1 (and on cards that speak 2c like 1) one bad name fails a whole PDU: it is left out and the
others are asked for again.  Names that a card leaves out of its reply are asked for again, until it shows whether it
leaves out what does not fit or what it does not have.

What one card makes us keep is bounded: rows, the octets of each value, and octets in all.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from wire.snmp import (
    AUTHORIZATION_ERROR,
    GEN_ERR,
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
MOST_KEPT = 2_000_000  # octets of all values of one discovery, or of one poll
LONGEST_VALUE = 256  # octets of one value: a label, a condition, a key of an alarm, a mask
_LEAST_VALUE = 16  # octets that a number counts for
MOST_REFUSALS = 20  # after so many, and not one answer in this poll, a card refuses everything
_ERRORS = {TOO_BIG: "tooBig", GEN_ERR: "genErr", AUTHORIZATION_ERROR: "authorizationError"}


class NoAnswer(Exception):  # noqa: N818 - it says what happened
    """The card did not answer, its retries spent."""


class RefusesAll(Exception):  # noqa: N818 - it says what happened
    """The card answers, and refuses whatever it is asked. The text says with what."""


@dataclass(slots=True)
class Manners:
    """How one card is spoken to, and what it was found to bear.

    `rows_left` is how many rows of tables are still read, `kept_left` how many octets of values are still kept, `cut`
    the tables that had more than that, `broken` those that the card refused to go on with.
    `clean` polls in a row went well with this size, `settled` since one was last too much, `proven` is the size that
    did `CLEAN_POLLS` times, `ceiling` the largest worth trying, `missed` how often more met silence: once may be the
    network, `MISSES` times is the card.  `told`: the card said itself that it was too much.  `largest`: octets of the
    largest reply of late (0: not known).  `omits`: it leaves names that it does not have out of its replies; False:
    what does not fit; None: not known.  `good` and `refusals` count its answers since the poll began, `refused_with` is
    the last error.
    """

    version: int
    retries: int
    names: int = NAMES
    repetitions: int = REPETITIONS
    rows_left: int = MOST_ROWS
    kept_left: int = MOST_KEPT
    cut: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    clean: int = 0
    settled: int = 0
    proven: int = NAMES
    ceiling: int = MOST_NAMES
    missed: int = 0
    told: bool = False
    largest: int = 0
    omits: bool | None = None
    good: int = 0
    refusals: int = 0
    refused_with: str = ""

    def begins(self) -> None:
        """Begin to read a poll's values: what may be kept, and what was cut of it."""
        self.rows_left, self.kept_left = MOST_ROWS, MOST_KEPT
        self.cut.clear()
        self.broken.clear()

    def heard(self, reply: Pdu) -> None:
        """Count an answer; RefusesAll when this card has refused everything so far.

        noSuchName is no refusal: that is how version 1 says that something is not there.
        """
        if reply.error_status == NO_SUCH_NAME or (reply.varbinds and not reply.error_status):
            self.good += 1
            return
        self.refusals += 1
        error = _ERRORS.get(reply.error_status, f"error {reply.error_status}")
        self.refused_with = error if reply.error_status else "nothing"
        if self.refusals >= MOST_REFUSALS:
            self.ends()

    def ends(self) -> None:
        """Raise RefusesAll where there were refusals and no answer."""
        if self.refusals and not self.good:
            raise RefusesAll(self.refused_with)

    def keeps(self, value: Value) -> Value:
        """Return as much of a value as is kept, counted."""
        if isinstance(value, bytes | str):
            value = value[:LONGEST_VALUE]
            self.kept_left -= max(len(value), _LEAST_VALUE)
        else:
            self.kept_left -= _LEAST_VALUE
        return value

    def anew(self) -> "Manners":
        """Return what is begun with when the card is discovered anew: what was learned of it, and one step of hope."""
        repetitions = min(2 * self.repetitions, REPETITIONS)
        omits = False if self.omits is False else None
        fresh = replace(self, repetitions=repetitions, cut=[], broken=[], told=False, largest=0, omits=omits)
        fresh.begins()
        return fresh

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
    return {bind.oid: bind.value for _, binds in replies for bind in binds}


def following(oids: Iterable[str], manners: Manners) -> Exchange[dict[str, VarBind]]:
    """Ask which object follows each name (GETNEXT); a name that nothing follows is missing in what is returned."""
    replies = yield from _ask_all(requests_for(GET_NEXT, oids, manners.names), manners)
    return {
        oid: bind
        for asked, binds in replies
        for oid, bind in zip(asked.oids, binds, strict=False)
        if not isinstance(bind.value, Absent)
    }


def walk(
    root: str, manners: Manners, told: Callable[[dict[str, Value]], None] | None = None, *, share: int = 1
) -> Exchange[dict[str, Value]]:
    """Read all below `root`, in the card's order: what follows it in the name ("2.1" of root.2.1) and the value.

    No more than a `share`-th of `manners.rows_left` and of `manners.kept_left`; a table that has more is told in
    `manners.cut`, one that the card refused to go on with in `manners.broken`.  `told` is shown the rows so far
    with each reply.
    """
    rows: dict[str, Value] = {}
    name, silences = root, 0
    most, least_left = manners.rows_left // share, manners.kept_left - manners.kept_left // share
    while name:
        if len(rows) >= most or manners.kept_left <= least_left:
            manners.cut.append(root)
            break
        reply = yield _step(manners.version, name, manners.repetitions)
        if reply is None:
            silences += 1
            manners.repetitions = _after_silence(silences, manners, manners.repetitions)
            continue
        silences = 0
        manners.heard(reply)
        nothing = reply.error_status == NO_ERROR and not reply.varbinds
        if (reply.error_status == TOO_BIG or nothing) and manners.repetitions > 1:
            manners.repetitions //= 2
            continue
        if reply.error_status not in {NO_ERROR, NO_SUCH_NAME} or nothing:
            manners.broken.append(root)
        name = _take_rows(rows, root + ".", reply, manners)
        if told is not None:
            told(rows)
    manners.rows_left -= min(len(rows), manners.rows_left)
    return rows


def _take_rows(rows: dict[str, Value], below: str, reply: Pdu, manners: Manners) -> str:
    """Add the rows of a reply; return the name to go on from, nothing when the walk is over."""
    if reply.error_status or not reply.varbinds:
        return ""  # version 1 says noSuchName at the end of its MIB
    for bind in reply.varbinds:
        row = bind.oid.removeprefix(below)
        if row == bind.oid or row in rows or isinstance(bind.value, Absent):
            return ""  # past the root, a card that goes round in circles, or the end of the MIB
        manners.kept_left -= len(row)
        rows[row] = manners.keeps(bind.value)
    return reply.varbinds[-1].oid


@lru_cache(1024)
def _step(version: int, name: str, repetitions: int) -> Request:
    if version == V1 or repetitions == 1:
        return request(GET_NEXT, (name,))
    return request(GET_BULK, (name,), max_repetitions=repetitions)


def _ask_all(requests: Iterable[Request], manners: Manners) -> Exchange[list[tuple[Request, Sequence[VarBind]]]]:
    """Ask everything, in halves where need be; return each request that succeeded, with what was answered."""
    replies: list[tuple[Request, Sequence[VarBind]]] = []
    doubted: dict[str, int] = {}
    left = list(requests)[::-1]
    silences = 0
    while left:
        asked = left[-1]
        if manners.kept_left <= 0:
            manners.cut.append(asked.oids[0])
            break
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
        manners.heard(reply)
        if reply.error_status:
            left += _again(asked, reply, manners)
            continue
        more, taken = _left_out(asked, reply, manners, doubted)
        left += more
        if taken:
            replies.append((asked, _kept(taken[: len(asked.oids)], manners)))
    return replies


def _kept(binds: tuple[VarBind, ...], manners: Manners) -> Sequence[VarBind]:
    """Return bindings with as much of their values as is kept."""
    numbers = sum([type(bind.value) is int for bind in binds])
    manners.kept_left -= numbers * _LEAST_VALUE
    if numbers == len(binds):  # most polls
        return binds
    kept = []
    for bind in binds:
        value = bind.value if type(bind.value) is int else manners.keeps(bind.value)
        kept.append(bind if value is bind.value else VarBind(bind.oid, bind.tag, value))
    return kept


def _left_out(
    asked: Request, reply: Pdu, manners: Manners, doubted: dict[str, int]
) -> tuple[list[Request], tuple[VarBind, ...]]:
    """Return what to ask again after a reply without an error, and what of the reply counts.

    `doubted` are the names that were left out before, and how many had come then.  One that comes now did not fit;
    where a name asked alone brings nothing, the card leaves out what it does not have, and is asked for that no more.
    """
    size, binds = len(asked.oids), reply.varbinds
    fitted = next((doubted[bind.oid] for bind in binds if bind.oid in doubted), 0) if doubted else 0
    if fitted:
        manners.omits, manners.told, manners.names = False, True, min(manners.names, fitted)
    if len(binds) >= size or (size == 1 and asked.kind != GET):
        return [], binds
    if size > NAMES:
        return _again(asked, _TOO_MANY, manners), ()
    if size == 1 and manners.omits is None:
        manners.omits = True
    if manners.omits and (asked.kind == GET or not binds):
        return [], binds
    if size == 1:
        return [], ()
    came = {bind.oid for bind in binds} if asked.kind == GET else set()  # what follows a name does not say which
    missing = tuple(oid for oid in asked.oids if oid not in came)
    half = (size + 1) // 2
    if asked.kind == GET:
        doubted.update(dict.fromkeys(missing, len(binds) or half))
    if len(missing) == size:
        return requests_for(asked.kind, asked.oids, half)[::-1], ()
    return [request(asked.kind, missing)], binds


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

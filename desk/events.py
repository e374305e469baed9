"""Events into the store: contiguous, exactly once, one bad row never in the way of the next.

A batch is one job of the writer. An event that cannot be taken is received all the same: nothing of it stays, it stands
in quarantine with its reason and the cursor goes on.
"""

import hashlib
import math
import sqlite3
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from desk.epochs import begin, comes_late
from desk.later import RECEIPTS, Later
from desk.record import CANNOT, Batch, Books, adopt, ahead, record, undo
from desk.store import Db, audit, one
from model.change import Body, Change, Snapshot
from model.protocol import EventsRequest, Refusal

_BODY: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)
_CHANGE = msgspec.json.Decoder(Change)
MOST = 2**53  # the largest seq that every JSON reader keeps exact
MOST_EVENTS = 1000  # a batch; an agent sends at most 100
LONGEST_NAME = 64  # characters of an epoch
_PLACE = (  # whether anything is held back at the site, whether any work or guard is planned, and the epoch's cursor
    "SELECT w.waits, w.planned, c.seq, c.over FROM (SELECT"
    " EXISTS (SELECT 1 FROM held WHERE released IS NULL AND site = ?) AS waits,"
    " EXISTS (SELECT 1 FROM windows WHERE ends > ?) OR EXISTS (SELECT 1 FROM guards WHERE ends > ?) AS planned) w"
    " LEFT JOIN cursors c ON c.agent = ? AND c.epoch = ?"
)


class Parcel(msgspec.Struct, frozen=True):
    """One event, checked before it is queued. `refusal` says why its body cannot be taken, "" when it can.

    A snapshot of which some Changes cannot be read has both: `unread` are their conditions and episodes.
    """

    seq: int
    age: float
    hash: bytes
    raw: bytes
    body: Change | Snapshot | None
    refusal: str = ""
    unread: frozenset[tuple[str, str]] = frozenset()


class Loose(msgspec.Struct, frozen=True, tag="snapshot"):
    """A snapshot with its Changes as they came."""

    site: str
    changes: tuple[msgspec.Raw, ...]
    wall: float
    boot: float
    boot_id: str
    reason: str = ""


class NamedAlarm(msgspec.Struct, frozen=True):
    """What must be known of an alarm to leave it alone."""

    condition: str = ""
    episode: str = ""


class Named(msgspec.Struct, frozen=True):
    """A Change of which no more than its alarm's names can be read."""

    alarm: NamedAlarm


_LOOSE = msgspec.json.Decoder(Loose)
_NAMED = msgspec.json.Decoder(Named)


class Taken(msgspec.Struct, frozen=True):
    """The result of a batch: `conflict` is the seq that came before with another hash, 0 when none did."""

    acked: int
    refused: tuple[Refusal, ...] = ()
    new: int = 0
    conflict: int = 0


def unpack(request: EventsRequest) -> tuple[Parcel, ...]:
    """Check a batch outside of the writer. Raises ValueError when the envelope itself is wrong."""
    if not 1 <= len(request.epoch) <= LONGEST_NAME:
        raise ValueError(f"an epoch has 1 to {LONGEST_NAME} characters")
    if len(request.events) > MOST_EVENTS:
        raise ValueError(f"{len(request.events)} events are too many, {MOST_EVENTS} at most")
    parcels: list[Parcel] = []
    last = 0
    for event in request.events:
        if not last < event.seq < MOST:
            raise ValueError(f"seq {event.seq} does not rise from {last}")
        if not (math.isfinite(event.age) and event.age >= 0):
            raise ValueError(f"the age of seq {event.seq} is {event.age}: it is seconds, 0 or more")
        last = event.seq
        parcels.append(_parcel(event.seq, event.age, bytes(event.body)))
    return tuple(parcels)


def take_events(books: Books, request: EventsRequest, parcels: tuple[Parcel, ...], *, whole: bool = False) -> Taken:
    """Take what follows the cursor; what is before it must be what came then. Runs inside one writer's job.

    `whole`: all of it, or one of CANNOT is raised and the caller rolls back; else each event in a savepoint of its own.
    """
    books, cursor, over = _place(books, request, parcels)
    if over and any(parcel.seq > cursor for parcel in parcels):
        late = next(parcel.seq for parcel in parcels if parcel.seq > cursor)
        _note(books, "conflict", {"epoch": request.epoch, "seq": late, "reason": "this epoch is over"})
        return Taken(cursor, conflict=late)
    for parcel in parcels:
        if parcel.seq <= cursor and _conflicts(books.db, request, parcel):
            _note(books, "conflict", {"epoch": request.epoch, "seq": parcel.seq})
            return Taken(cursor, conflict=parcel.seq)
    start = _over_the_gap(books, request, cursor)
    fresh: list[Parcel] = []
    for parcel in parcels:
        if parcel.seq == start + len(fresh) + 1:
            fresh.append(parcel)
    acked = start + len(fresh)
    refused = _take(books, request, fresh, _apply if whole else _take_one)
    if acked != cursor:
        _move_cursor(books.db, request, acked, books.told.received)
    return Taken(acked, refused, new=len(fresh))


def cursor_of(db: Db, agent: str, epoch: str) -> int:
    """Return the highest seq up to which every event of an epoch is here, 0 for a new epoch."""
    row = one(db, "SELECT seq FROM cursors WHERE agent = ? AND epoch = ?", agent, epoch)
    return int(row["seq"]) if row else 0


def forget_receipts(db: Db, before: float) -> int:
    """Drop receipts that are older than any agent keeps its events; the cursor still answers for them."""
    return db.execute("DELETE FROM receipts WHERE received < ?", (before,)).rowcount


def _parcel(seq: int, age: float, raw: bytes) -> Parcel:
    digest = hashlib.sha256(raw).digest()
    try:
        return Parcel(seq, age, digest, raw, _BODY.decode(raw))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        refusal = f"not a Change or Snapshot: {error}"
    try:
        loose = _LOOSE.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Parcel(seq, age, digest, raw, None, refusal)
    good: list[Change] = []
    unread: set[tuple[str, str]] = set()
    for each in loose.changes:
        try:
            good.append(_CHANGE.decode(each))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            unread.add(_whose(each))
    body = Snapshot(loose.site, tuple(good), loose.wall, loose.boot, loose.boot_id, loose.reason)
    return Parcel(seq, age, digest, raw, body, refusal, frozenset(unread))


def _whose(raw: msgspec.Raw) -> tuple[str, str]:
    """Return the condition and episode of a Change that cannot be read as a whole, "" for what is not there."""
    try:
        alarm = _NAMED.decode(raw).alarm
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "", ""
    return alarm.condition, alarm.episode


def _conflicts(db: Db, request: EventsRequest, parcel: Parcel) -> bool:
    row = one(
        db,
        "SELECT hash FROM receipts WHERE agent = ? AND epoch = ? AND seq = ?",
        request.agent,
        request.epoch,
        parcel.seq,
    )
    return row is not None and row["hash"] != parcel.hash


def _place(books: Books, request: EventsRequest, parcels: tuple[Parcel, ...]) -> tuple[Books, int, bool]:
    """Return the books as a batch is written into them, its epoch's cursor, 0 for a new one, and whether that is over.

    What was on its way when the agent began anew must raise nothing: the newer snapshot has told all that stands. An
    agent that does live in such an epoch (restored from an image) is told to begin anew, so that nothing is lost.
    """
    since = books.told.received - max((parcel.age for parcel in parcels), default=0.0)
    asked = (books.site.id, since, since, request.agent, request.epoch)
    waits, planned, seq, over = books.db.execute(_PLACE, asked).fetchone()
    ledger = replace(books.ledger, later=Later(), planned=bool(planned))
    books = replace(books, ledger=ledger, batch=Batch(waits=bool(waits)))
    if seq is None and parcels and isinstance(first := parcels[0].body, Snapshot):
        over = comes_late(books.db, books.told, first)
    return books, seq or 0, bool(over)


def _over_the_gap(books: Books, request: EventsRequest, cursor: int) -> int:
    """Go on after events that the agent no longer has, and write down that they are missing."""
    if request.oldest <= cursor + 1 or not request.events or request.events[0].seq < request.oldest:
        return cursor
    _note(books, "gap", {"epoch": request.epoch, "from": cursor + 1, "to": request.oldest - 1})
    return request.oldest - 1


def _move_cursor(db: Db, request: EventsRequest, seq: int, now: float) -> None:
    db.execute(
        "INSERT INTO cursors (agent, epoch, seq, begun) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (agent, epoch) DO UPDATE SET seq = excluded.seq",
        (request.agent, request.epoch, seq, now),
    )


def _take(
    books: Books, request: EventsRequest, parcels: list[Parcel], take: Callable[[Books, Parcel], str]
) -> tuple[Refusal, ...]:
    """Take events with their receipts; returns which stand in quarantine and why."""
    ahead(books, [parcel.body for parcel in parcels if isinstance(parcel.body, Change)])
    reasons = [take(books, parcel) for parcel in parcels]
    refused = tuple(
        Refusal(parcel.seq, reason[:500]) for parcel, reason in zip(parcels, reasons, strict=True) if reason
    )
    by_seq = {parcel.seq: parcel for parcel in parcels}
    for each in refused:
        _quarantine(books, request, by_seq[each.seq], each.reason)
    received = books.told.received
    for parcel in parcels:
        books.ledger.put(RECEIPTS, (request.agent, request.epoch, parcel.seq, parcel.hash, received))
    books.ledger.write_down()
    return refused


def _take_one(books: Books, parcel: Parcel) -> str:
    """Take one event; of one that cannot be taken nothing stays but the reason that it returns."""
    books.db.execute("SAVEPOINT event")
    try:
        reason = _apply(books, parcel)
        books.ledger.write_down()
    except sqlite3.OperationalError:
        raise  # the disk, not the event: the whole group fails and the agent tries again
    except CANNOT as error:
        undo(books, "event")
        reason = str(error) or type(error).__name__
    books.db.execute("RELEASE event")
    return reason


def _apply(books: Books, parcel: Parcel) -> str:
    """Apply one event; returns why it, or a part of it, stands in quarantine, "" when it was taken."""
    reason, body = parcel.refusal, parcel.body
    if body is None:
        return reason
    told = replace(books.told, age=parcel.age) if parcel.age != books.told.age else books.told
    if isinstance(body, Snapshot):
        refused = adopt(Books(books.ledger, books.site, told, books.batch), body, parcel.unread)
        begin(books.db, told, body)
        return "; ".join(each for each in (reason, *refused) if each)
    record(Books(books.ledger, books.site, told, books.batch, parcel.raw), body)
    return reason


def _quarantine(books: Books, request: EventsRequest, parcel: Parcel, reason: str) -> None:
    books.db.execute(
        "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?)",
        (request.agent, request.epoch, parcel.seq, books.site.id, books.told.received, reason, parcel.raw),
    )
    _note(books, "quarantined", {"epoch": request.epoch, "seq": parcel.seq, "reason": reason})


def _note(books: Books, what: str, detail: dict[str, object]) -> None:
    told = books.told
    audit(books.db, at=told.received, who="agent", source=told.source, what=what, site=books.site.id, detail=detail)

"""The only writer of ticket records, always inside the caller's transaction.

Theory. A ticket is what its entries add up to (`model.service.step`). `append` takes one act: the entry, what is due by
then (`model.service.look.settle`), the row made from the record, the keys of what fired, the connectors' rows and
whatever the hooks write are one transaction, or nothing of it is. An act that is refused writes nothing. Whoever
looks late finds the same as who looks in time, so `settle_due` may be away for a day.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from desk.kept import (
    decoded,
    entries_of,
    keep_entry,
    keep_row,
    keep_told,
    next_number,
    record_of,
)
from desk.later import Into, Later, Values, write
from desk.period_store import guard_at
from desk.proof import check_books
from desk.store import Db, Site, every
from model.contract import Contract
from model.limits import Calendars
from model.period import Place
from model.service.clocks import closing
from model.service.entry import Acts, AlarmSeen, Closed, Entry, MergedInto, Opened, Terms, TookIn, terms_of
from model.service.late import MOVES, said_too_late
from model.service.look import Seen, settle
from model.service.record import Record
from model.service.row import row
from model.service.step import Stepped, step
from model.service.words import Refusal, Side, Trust
from model.ticket import Reason

__all__ = [
    "Hook",
    "Ledger",
    "append",
    "append_to",
    "check_books",
    "entries_of",
    "found",
    "open_ticket",
    "record_of",
    "settle_due",
    "terms_for",
]


class OpeningError(ValueError):
    """A ticket that cannot be opened, and why."""


class Ledger(msgspec.Struct, frozen=True, eq=False):
    """What is written into, and by what rules. `now` is the desk's Unix time, `trust` what it is worth.

    `hooks` are called for each entry, in order, after entry and row are written. `memory` has the tickets that are not
    closed by site and condition, as far as they were asked for (`desk.tickets.standing_in`), and `later` the rows that
    wait to be written, in a batch; whoever rolls a savepoint back empties both. So a ledger is for one transaction.
    `apart` is its connection, for statements that read nothing of what may wait (`desk.later`). `planned` says whether
    any window or guard period is in force or to come.
    """

    apart: Db
    contracts: Callable[[str], Contract]
    calendars: Calendars
    now: float
    trust: Trust = Trust.SURE
    hooks: tuple["Hook", ...] = ()
    memory: dict[tuple[str, str], Record | None] = {}
    later: Later | None = None
    planned: bool = True

    @property
    def db(self) -> Db:
        """The connection, with all that waited written."""
        self.write_down()
        return self.apart

    def write_down(self) -> None:
        """Write all that waits."""
        if self.later is not None:
            self.later.flush(self.apart)

    def put(self, into: Into, row: Values) -> None:
        """Write a row, in a batch with the others of its table."""
        if self.later is None:
            write(self.apart, into, (row,))
        else:
            self.later.put(into, row)


Hook = Callable[[Ledger, Record | None, Record, Entry], None]  # the record before an entry (None: it opens) and after


@dataclass(frozen=True)
class _Written:
    before: Record | None
    after: Record
    entry: Entry
    did: tuple[str, ...]


def append(  # noqa: PLR0917 - who, from where, what and for which side: the words of every entry
    ledger: Ledger, number: int, who: str, source: str, act: Acts, side: Side = Side.SERVICE
) -> Stepped | None:
    """Append an act to a ticket: None when there is no such ticket, a refusal (nothing is written) or what happened.

    The record of the answer is the one after everything that fell due with it. A ticket that is merged into another is
    taken in there in the same transaction.
    """
    if isinstance(act, Opened | TookIn):
        raise OpeningError("a ticket is opened by open_ticket and taken in by a merge")
    record = record_of(ledger.db, number)
    if record is None:
        return None
    return append_to(ledger, record, Entry(ledger.now, who, act, source, side, ledger.trust))


def append_to(ledger: Ledger, record: Record, entry: Entry) -> Stepped:
    """Append an entry to a ticket whose record was read in this transaction, as `append` does."""
    if isinstance(entry.act, MergedInto):
        return _merge(ledger, record, entry, entry.act)
    return _append(ledger, record, entry)


def open_ticket(ledger: Ledger, site: Site, act: Opened, who: str, source: str, *, side: Side = Side.SYSTEM) -> int:
    """Open a ticket; number and guard period are the ledger's to say. Raises OpeningError with the refusal."""
    place = Place(site.region, site.id, act.device, act.fault)
    guard = guard_at(ledger.apart, place, ledger.now) if ledger.planned else 0
    act = replace(act, number=next_number(ledger.apart), site=site.id, guard=guard)
    entry = Entry(ledger.now, who, act, source, side, ledger.trust)
    stepped = step(None, entry)
    if stepped.record is None:
        raise OpeningError(stepped.refused)
    _write(ledger, [_Written(None, stepped.record, entry, stepped.happened)])
    return act.number


def found(ledger: Ledger, entries: tuple[Entry, ...]) -> None:
    """Write the entries of a ticket whose row is there and has none yet: of a file of an older version.

    What is due by now of one that is not closed fires. Raises OpeningError for what cannot follow.
    """
    record: Record | None = None
    for each in entries:
        entry = each
        if record is not None and isinstance(each.act, Closed):
            entry = closing(record, ledger.contracts(record.terms.contract), ledger.calendars, each)
        stepped = step(record, entry)
        if stepped.refused is not None or stepped.record is None:
            raise OpeningError(f"{type(entry.act).__name__}: {stepped.refused}")
        record = stepped.record
        keep_entry(ledger.db, record, entry, stepped.happened)
    if record is not None and record.closed:
        contract = ledger.contracts(record.terms.contract)
        keep_row(ledger.db, record, row(record, contract, ledger.calendars, ledger.now, Seen((), None)), new=False)
    elif record is not None:
        _write(ledger, [], record)


def terms_for(ledger: Ledger, site: Site) -> Terms:
    """Return what a ticket of a site keeps of its contract."""
    contract = ledger.contracts(site.contract)
    return terms_of(contract, ledger.calendars(contract.calendar).digest)


def settle_due(ledger: Ledger, most: int = 500) -> list[int]:
    """Settle the tickets whose time to look again has come, the longest waiting first; returns their numbers.

    While the clock is not sure nothing is looked at: it all falls due when it is.
    """
    if ledger.trust is not Trust.SURE:
        return []
    rows = every(
        ledger.db, "SELECT number, record FROM tickets WHERE again <= ? ORDER BY again LIMIT ?", ledger.now, most
    )
    for each in rows:
        _write(ledger, [], decoded(each["record"]))
    return [each["number"] for each in rows]


def _append(ledger: Ledger, record: Record, entry: Entry) -> Stepped:
    if isinstance(entry.act, Closed):
        entry = closing(record, ledger.contracts(record.terms.contract), ledger.calendars, entry)
    stepped = step(record, entry)
    if stepped.refused is not None or stepped.record is None:
        return stepped
    if isinstance(entry.act, AlarmSeen) and _says_nothing(record, stepped.record):
        return Stepped(record, refused=Refusal.UNCHANGED)
    if isinstance(entry.act, MOVES):
        contract = ledger.contracts(record.terms.contract)
        too_late = said_too_late(record, stepped.record, contract, ledger.calendars, entry)
        if too_late is not None:
            return Stepped(record, refused=too_late)
    did = tuple(each for each in stepped.happened if each != Reason.UNCHANGED)
    after = _write(ledger, [_Written(record, stepped.record, entry, did)])
    return Stepped(after, did)


def _says_nothing(before: Record, after: Record) -> bool:
    """Say whether an alarm changed nothing but its revision: that stays in the episode."""
    return replace(after, entries=before.entries, last=before.last, episodes=before.episodes) == before


def _merge(ledger: Ledger, record: Record, entry: Entry, act: MergedInto) -> Stepped:
    """End a ticket in another, which takes it in: both entries, or neither."""
    other = record_of(ledger.db, act.number)
    if other is None:
        return Stepped(record, refused=Refusal.NO_TICKET)
    ended = step(record, entry)
    if ended.refused is not None or ended.record is None:
        return ended
    taken = replace(entry, act=TookIn(record.ticket.number, record.start, record.onset, record.ticket.level))
    into = step(other, taken)
    if into.refused is not None or into.record is None:
        return Stepped(record, refused=into.refused)
    _write(ledger, [_Written(other, into.record, taken, into.happened)])
    _write(ledger, [_Written(record, ended.record, entry, ended.happened)])
    return ended


def _remember(ledger: Ledger, record: Record) -> None:
    key = (record.ticket.site, record.ticket.condition)
    if not record.closed:
        ledger.memory[key] = record
    elif ledger.memory.get(key) is not None:
        del ledger.memory[key]


def _write(ledger: Ledger, written: list[_Written], record: Record | None = None) -> Record:
    """Write entries, what falls due by then, and the row; returns the record after all of it."""
    record = written[-1].after if written else record
    assert record is not None  # noqa: S101 - who settles names the record
    contract = ledger.contracts(record.terms.contract)
    last, fired, seen = settle(record, contract, ledger.calendars, ledger.now, ledger.trust)
    for entry in fired:
        stepped = step(record, entry)
        assert stepped.record is not None  # noqa: S101 - settle has taken the same step
        written.append(_Written(record, stepped.record, entry, stepped.happened))
        record = stepped.record
    if seen.held and ledger.trust is not Trust.SURE:
        seen = replace(seen, again=ledger.now)  # as soon as the clock is sure
    new = bool(written) and written[0].before is None
    _remember(ledger, last)
    keep_row(ledger.apart, last, row(last, contract, ledger.calendars, ledger.now, seen), new=new)
    for each in written:
        keep_entry(ledger.apart, each.after, each.entry, each.did)
        if each.did:
            keep_told(ledger.apart, each.after.ticket, each.did, ledger.now)
    for each in written:
        for hook in ledger.hooks:
            hook(ledger, each.before, each.after, each.entry)
    return last

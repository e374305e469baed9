"""What people say of an open ticket besides milestones: its level, how it is handled, repairs, other tickets."""

from msgspec.structs import replace

from model.contract import Start
from model.service.entry import (
    ConditionSaid,
    Dated,
    Entitled,
    Entry,
    Handled,
    LevelSet,
    Linked,
    MergedInto,
    Repaired,
    RepairFailed,
    Started,
    TookIn,
)
from model.service.marks import bounded
from model.service.record import Answer, Bond, LevelStep, Record, Repair
from model.service.waits import ended
from model.service.words import Event, Refusal, Trust
from model.ticket import TicketState

_BEFORE_OPENING = frozenset({Start.FOUND, Start.REPORT})  # may come before the ticket that follows from them


def started(record: Record, entry: Entry, act: Started) -> Answer:
    """Keep a time from which a limit counts; opening and onset are the ticket's own."""
    if entry.trust is not Trust.SURE:
        return Refusal.NOT_SURE
    if act.start in {Start.OPEN, Start.ONSET} or act.start in record.starts:
        return Refusal.ALREADY
    early = act.start in _BEFORE_OPENING and act.said is not None and act.said <= entry.at
    when = act.said if early else bounded(record, entry, act.said)
    if when is None or isinstance(when, Refusal):
        return when or Refusal.BEFORE_OPENING
    return replace(record, starts={**record.starts, act.start: when}), (Event.STARTED,)


def handled(record: Record, _entry: Entry, act: Handled) -> Answer:
    """Say how the fault is handled: other limits may rule."""
    if record.handling is act.handling:
        return Refusal.UNCHANGED
    return replace(record, handling=act.handling), (Event.HANDLING_SAID,)


def condition_said(record: Record, _entry: Entry, act: ConditionSaid) -> Answer:
    """Say whether a condition of the contract holds."""
    if act.condition not in record.terms.conditions:
        return Refusal.NO_SUCH_CONDITION
    if (act.condition in record.conditions) == act.holds:
        return Refusal.UNCHANGED
    rest = tuple(each for each in record.conditions if each != act.condition)
    return replace(record, conditions=(*rest, act.condition) if act.holds else rest), (Event.CONDITION_SAID,)


def level_set(record: Record, entry: Entry, act: LevelSet) -> Answer:
    """Raise or lower the level by a person's word."""
    if not act.reason:
        return Refusal.NO_REASON
    if record.terms.levels and act.level not in record.terms.levels:
        return Refusal.NO_SUCH_LEVEL
    if act.level == record.ticket.level:
        return Refusal.UNCHANGED
    judged = record.assigned if act.level > record.ticket.level else record.judged
    return replace(at_level(record, entry, act.level, "person"), judged=judged), (Event.LEVEL_SET,)


def at_level(
    record: Record, entry: Entry, level: int, why: str, *, clock: str = "", due: float | None = None
) -> Record:
    """Return the record at another level, with why."""
    step = LevelStep(entry.at, level, why, entry.who, clock, due)
    return replace(record, ticket=replace(record.ticket, level=level), levels=(*record.levels, step))


def repaired(record: Record, entry: Entry, act: Repaired) -> Answer:
    """Keep the last repair; it holds until the fault comes back."""
    when = bounded(record, entry, act.said)
    if isinstance(when, Refusal):
        return when
    repair = Repair(when, act.part, act.consumable)
    if repair == record.repair:
        return Refusal.ALREADY
    return replace(record, repair=repair), (Event.REPAIRED,)


def repair_failed(record: Record, _entry: Entry, act: RepairFailed) -> Answer:
    """Count the last repair as failed; what is worn by use does not count."""
    if record.repair is None:
        return Refusal.NO_REPAIR
    if not act.reason:
        return Refusal.NO_REASON
    failed = record.failed_repairs + (not record.repair.consumable)
    return replace(record, repair=None, failed_repairs=failed), (Event.REPAIR_FAILED,)


def entitled(record: Record, _entry: Entry, act: Entitled) -> Answer:
    """Say what the device is entitled to."""
    if not act.reason:
        return Refusal.NO_REASON
    if record.cover is act.cover:
        return Refusal.UNCHANGED
    return replace(record, cover=act.cover), (Event.ENTITLED,)


def linked(record: Record, _entry: Entry, act: Linked) -> Answer:
    """Tie the ticket to another."""
    if act.number == record.ticket.number:
        return Refusal.ITSELF
    if any((bond.tie, bond.number) == (act.tie, act.number) for bond in record.bonds):
        return Refusal.ALREADY
    return replace(record, bonds=(*record.bonds, Bond(act.tie, act.number, act.reason))), (Event.LINKED,)


def dated(record: Record, entry: Entry, act: Dated) -> Answer:
    """Put an opening whose time is not sure, or was moved with the clock, at its time; other times move no earlier."""
    if not (record.unsure or record.moved):
        return Refusal.SURE
    if entry.trust is not Trust.SURE:
        return Refusal.NOT_SURE
    if max(act.opened, act.onset) > entry.at:
        return Refusal.IN_THE_FUTURE
    if any(mark.sure and mark.when < act.opened for mark in record.marks.values()):
        return Refusal.OUT_OF_ORDER
    marks = {each: replace(mark, when=max(mark.when, act.opened)) for each, mark in record.marks.items()}
    ticket = replace(record.ticket, opened=act.opened)
    after = replace(record, ticket=ticket, marks=marks, start=act.opened, onset=act.onset, unsure=False, moved=False)
    return after, (Event.DATED,)


def merged_into(record: Record, entry: Entry, act: MergedInto) -> Answer:
    """End the ticket in another, which takes over start and level; one that opened nobody knows when has no start."""
    if act.number == record.ticket.number:
        return Refusal.ITSELF
    if not act.reason:
        return Refusal.NO_REASON
    if record.unsure:
        return Refusal.NOT_SURE
    ticket = replace(record.ticket, state=TicketState.CLOSED, closed=entry.at)
    return replace(ended(record, entry.at), ticket=ticket, merged_into=act.number), (Event.MERGED,)


def took_in(record: Record, entry: Entry, act: TookIn) -> Answer:
    """Take over another ticket: the earlier start and onset, and the worse level."""
    if act.number == record.ticket.number:
        return Refusal.ITSELF
    if act.number in record.took_in:
        return Refusal.ALREADY
    if act.level < record.ticket.level:
        record = at_level(record, entry, act.level, "merged")
    start, onset = min(record.start, act.opened), min(record.onset, act.onset)
    return replace(record, took_in=(*record.took_in, act.number), start=start, onset=onset), (Event.TOOK_IN,)

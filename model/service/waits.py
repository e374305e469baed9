"""What stops or replaces a clock: waiting for somebody else, and a solution that is only temporary."""

from msgspec.structs import replace

from model.contract import Milestone
from model.service.entry import Entry, Paused, Resumed, WorkaroundOnly
from model.service.marks import bounded, without
from model.service.record import Answer, Halt, Record, Workaround
from model.service.words import Event, Refusal, Side, Trust


def paused(record: Record, entry: Entry, act: Paused) -> Answer:
    """Stop the clocks from a moment on, for a reason."""
    if not act.reason:
        return Refusal.NO_REASON
    if any(halt.end is None for halt in record.halts):
        return Refusal.PAUSED
    begin = bounded(record, entry, act.said)
    if isinstance(begin, Refusal):
        return begin
    free = (record.halts[-1].end or 0.0) if record.halts else 0.0
    if act.said is not None and begin < free:
        return Refusal.OVERLAPS
    begin = max(begin, free)  # a clock that was set back
    halt = Halt(begin, None, act.waiting, act.reason, entry.who)
    return replace(record, halts=(*record.halts, halt)), (Event.PAUSED,)


def resumed(record: Record, entry: Entry, act: Resumed) -> Answer:
    """Let the clocks run again from a moment on."""
    if not any(halt.end is None for halt in record.halts):
        return Refusal.NOT_PAUSED
    end = bounded(record, entry, act.said)
    if isinstance(end, Refusal):
        return end
    if act.said is not None and end < record.halts[-1].begin:
        return Refusal.OUT_OF_ORDER
    return replace(record, halts=_over(record.halts, end)), (Event.RESUMED,)


def ended(record: Record, at: float) -> Record:
    """Return the record with every pause that still runs ended, a parent's too."""
    spans = tuple((begin, max(begin, at) if end is None else end) for begin, end in record.explained)
    return replace(record, halts=_over(record.halts, at), explained=spans)


def _over(halts: tuple[Halt, ...], at: float) -> tuple[Halt, ...]:
    return tuple(halt if halt.end is not None else replace(halt, end=max(halt.begin, at)) for halt in halts)


def workaround_only(record: Record, entry: Entry, act: WorkaroundOnly) -> Answer:
    """Move the ticket to the difficult faults: its limit to resolve is what both sides agreed on, if anything."""
    if not act.reason:
        return Refusal.NO_REASON
    resolved = record.marks.get(Milestone.RESOLVE)
    if resolved is not None and resolved.counts and resolved.sides != (Side.SYSTEM,):
        return Refusal.ALREADY
    if act.due is not None and entry.trust is not Trust.SURE:
        return Refusal.NOT_SURE
    if act.due is not None and act.due <= entry.at:
        return Refusal.IN_THE_PAST
    if act.due is not None and not act.accepted_by:
        return Refusal.NO_ACCEPTER
    first = record.workaround.at if record.workaround else entry.at
    found = Workaround(first, entry.at, act.reason, act.due, act.accepted_by)
    marks = without(record.marks, (Milestone.RESOLVE,))
    return replace(record, workaround=found, marks=marks), (Event.WORKAROUND,)

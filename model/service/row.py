"""A ticket as one flat row, for a store that searches and sorts: made from the record, never read back into it."""

import msgspec

from model.contract import Contract, Milestone
from model.limits import Calendars
from model.service.clocks import outcomes
from model.service.look import Seen
from model.service.outcome import Stand
from model.service.record import Record

_NEXT = frozenset({Stand.RUNNING, Stand.LATE})


class Row(msgspec.Struct, frozen=True):
    """The columns of a ticket beside those of `model.ticket.Ticket`. Times are the desk's Unix seconds.

    `due` is the soonest limit that runs, else the last that is over, and `due_clock` its clock; None while every clock
    is paused or ended. `again` is when to look again (None: nothing falls due by itself). `late` counts the limits not
    kept. `waits_for_word` says that a proposal waits for somebody. `record` is the record as JSON, `entries` its count.
    """

    number: int
    device: str
    fault: str
    start: float
    onset: float
    paused: bool
    workaround: bool
    cover: str
    handling: str
    merged_into: int
    responded: float | None
    departed: float | None
    arrived: float | None
    restored: float | None
    milestone_resolved: float | None
    waits_for_word: bool
    late: int
    due: float | None
    due_clock: str
    again: float | None
    entries: int
    record: bytes


def row(record: Record, contract: Contract, calendars: Calendars, now: float, seen: Seen) -> Row:
    """Return a ticket's row at a moment; `seen` is the last look at it."""
    found = seen.outcomes or outcomes(record, contract, calendars, now)
    clocks = [] if record.closed else [each for each in found if each.stand in _NEXT and each.end is None]
    soonest = min(clocks, key=lambda each: (each.stand is Stand.LATE, _nearest(each.stand, each.due)), default=None)
    when = {milestone: mark.when for milestone, mark in record.marks.items() if mark.counts}
    return Row(
        number=record.ticket.number,
        device=record.device,
        fault=record.fault,
        start=record.start,
        onset=record.onset,
        paused=record.paused,
        workaround=record.workaround is not None,
        cover=record.cover,
        handling=record.handling or "",
        merged_into=record.merged_into,
        responded=when.get(Milestone.RESPOND),
        departed=when.get(Milestone.DEPART),
        arrived=when.get(Milestone.ARRIVE),
        restored=when.get(Milestone.RESTORE),
        milestone_resolved=when.get(Milestone.RESOLVE),
        waits_for_word=not record.closed and any(not mark.counts for mark in record.marks.values()),
        late=sum(each.stand is Stand.LATE for each in found),
        due=soonest.due if soonest else None,
        due_clock=soonest.clock if soonest else "",
        again=seen.again,
        entries=record.entries,
        record=msgspec.json.encode(record),
    )


def _nearest(stand: Stand, due: float | None) -> float:
    """Return the sort key of a clock: the soonest of those that run, the last of those that are over."""
    if due is None:
        return float("inf")
    return -due if stand is Stand.LATE else due

"""The clocks of a ticket: when each limit of its contract began, is due and ended, and where it stands.

Theory. A clock is a limit at a level. It ends at its milestone, or at a later one that makes it pointless: who has
arrived has departed, and what is restored needs nobody to arrive. A limit that counts from a milestone which nobody has
reached yet is taken at its latest to be shown, and is no breach: the limit before it is. A proposal that waits for its
word holds the clock; it is late only if the proposal came late. A temporary solution replaces the limits to resolve by
the one that both sides agreed on. The level's clocks count from the original start, or from the breach where the
contract says so; clocks of a level that a breach has ended stay with the ticket, late. Times are compared in whole
seconds: exactly at its time a limit is kept.
"""

from collections.abc import Iterable
from math import floor, isinf

from msgspec.structs import replace

from model.calendar import Calendar
from model.contract import Contract, Limit, Milestone, Start
from model.due import Span, due
from model.limits import Calendars, Due, dues
from model.service.entry import Closed, Entry
from model.service.outcome import Outcome, Stand
from model.service.record import LevelStep, Mark, Record
from model.service.step import step
from model.service.words import Cover

DIFFICULT = "difficult"
M = Milestone
_ENDS = (M.RESTORE, M.RESOLVE)
_THERE = (M.REMOTE, M.DEPART, M.ARRIVE)
OVERTAKEN_BY: dict[Milestone, tuple[Milestone, ...]] = {
    M.ACCEPT: (M.RESPOND, M.CONTACT, *_THERE, *_ENDS),
    M.RESPOND: (M.CONTACT, *_THERE, *_ENDS),
    M.CONTACT: (M.DEPART, M.ARRIVE, *_ENDS),
    M.REMOTE: (M.ARRIVE, *_ENDS),
    M.DEPART: (M.ARRIVE, *_ENDS),
    M.ARRIVE: _ENDS,
    M.RESTORE: (M.RESOLVE,),
    M.SUBSTITUTE: _ENDS,
    M.RESOLVE: (),
}


def outcomes(
    record: Record, contract: Contract, calendars: Calendars, now: float, limits: tuple[Due, ...] | None = None
) -> tuple[Outcome, ...]:
    """Return every clock of a ticket; a closed one's are those that it closed with.

    `limits` are those of `running`, where they are known. Raises LookupError when there is no such calendar.
    """
    if record.closed:
        return record.outcomes
    if record.cover is Cover.NOT_COVERED:
        return ()
    limits = running(record, contract, calendars) if limits is None else limits
    found = [_outcome(record, each, now) for each in limits]
    missed = [
        outcome
        for past in _breached_levels(record)
        for outcome in _past(record, past, contract, calendars, now)
        if outcome.clock == past.clock
    ]
    return (*missed, *(_difficult(record, found, calendars(contract.calendar), now) if record.workaround else found))


def closing(record: Record, contract: Contract, calendars: Calendars, entry: Entry) -> Entry:
    """Return an entry that closes a ticket, with the clocks as they end by it."""
    draft = step(record, entry).record
    if draft is None or not draft.closed or not isinstance(entry.act, Closed):
        return entry
    standing = replace(draft, ticket=replace(draft.ticket, state=record.ticket.state))
    ended = tuple(_at_the_end(each) for each in outcomes(standing, contract, calendars, entry.at))
    return replace(entry, act=replace(entry.act, outcomes=ended))


def times(record: Record) -> dict[str, float]:
    """Return the starts and milestones of a ticket by name."""
    marks = {milestone.value: mark.when for milestone, mark in record.marks.items()}
    starts = {start.value: when for start, when in record.starts.items()}
    if record.counts(Milestone.ACCEPT):  # confirmed by whom the contract asks for
        starts = {Start.ACCEPTED.value: record.marks[Milestone.ACCEPT].when, **starts}
    return {**starts, **marks, Start.OPEN.value: record.start, Start.ONSET.value: record.onset}


def running(record: Record, contract: Contract, calendars: Calendars) -> tuple[Due, ...]:
    """Return the limits of a ticket at its level, and when each is due."""
    found = dues(contract, record.situation, times(record), calendars, record.pauses)
    upgraded = record.levels[-1] if record.levels and record.levels[-1].clock else None
    if contract.upgrade is None or contract.upgrade.counts_from != "breach" or upgraded is None:
        return found
    anew = {**times(record), **{start.value: upgraded.due or upgraded.at for start in Start}}
    from_breach = dues(contract, record.situation, anew, calendars, record.pauses)
    return tuple(
        late if late.limit.milestone in contract.upgrade.on else each
        for each, late in zip(found, from_breach, strict=True)
    )


def _outcome(record: Record, each: Due, now: float) -> Outcome:
    limit = each.limit
    shown = None if each.due is None or isinf(each.due) else float(each.due)
    own, first = _ended(record, limit)
    end = None if first is None else first.when
    if each.start is None or (each.assumed and own is None):
        stand = Stand.WAITING if end is None else Stand.MOOT
    elif _begun_unsure(record, limit):
        stand = Stand.UNSURE
    elif first is None or end is None:
        late = shown is not None and floor(now) > shown
        stand = Stand.LATE if late else Stand.PAUSED if record.paused else Stand.RUNNING
    elif not first.sure:
        stand = Stand.UNSURE
    elif shown is not None and floor(end) > shown:
        stand = Stand.LATE
    elif not first.counts:
        stand = Stand.PROPOSED
    else:
        stand = Stand.KEPT if own is not None else Stand.MOOT
    start = None if each.start is None or isinf(each.start) else float(each.start)
    return Outcome(limit.name, record.ticket.level, limit.milestone, stand, start, shown, end, each.assumed)


def _ended(record: Record, limit: Limit) -> tuple[Mark | None, Mark | None]:
    """Return a limit's own mark, and the first of all that end it; one whose time is sure before one that is not."""
    own = record.marks.get(limit.milestone)
    ends = (limit.milestone, *limit.stopped_by, *OVERTAKEN_BY[limit.milestone])
    marks = [record.marks[milestone] for milestone in ends if milestone in record.marks]
    return own, min(marks, key=lambda mark: (not mark.sure, mark.when), default=None)


def _begun_unsure(record: Record, limit: Limit) -> bool:
    """Say whether a limit counts from a milestone that was reached at a time which nobody knows."""
    return any(milestone == limit.after and not mark.sure for milestone, mark in record.marks.items())


def _difficult(record: Record, found: Iterable[Outcome], calendar: Calendar, now: float) -> list[Outcome]:
    """Replace the limits to resolve by the one agreed on, which later pauses move; one that was over stays late."""
    agreed = record.workaround
    if agreed is None:
        return list(found)
    kept = [
        each
        for each in found
        if each.milestone is not M.RESOLVE or (each.due is not None and floor(agreed.at) > each.due)
    ]
    mark = record.marks.get(M.RESOLVE)
    end = None if mark is None else mark.when
    limit = None if agreed.due is None else _moved(agreed.agreed, agreed.due, record, calendar)
    if agreed.due is None:
        stand = Stand.WAITING if mark is None else Stand.MOOT
    elif mark is not None and not mark.sure:
        stand = Stand.UNSURE
    elif limit is not None and floor(now if end is None else end) > limit:
        stand = Stand.LATE
    elif mark is None:
        stand = Stand.PAUSED if limit is None else Stand.RUNNING
    else:
        stand = Stand.KEPT if mark.counts else Stand.PROPOSED
    return [*kept, Outcome(DIFFICULT, record.ticket.level, M.RESOLVE, stand, agreed.at, limit, end)]


def _moved(begin: float, limit: float, record: Record, calendar: Calendar) -> float | None:
    """Return a limit that was agreed on as a moment, moved by the pauses since; None while one stops it."""
    at = due(begin, Span(floor(limit) - floor(begin)), calendar, record.pauses)
    return None if isinf(at) else float(at)


def _breached_levels(record: Record) -> list[LevelStep]:
    """Return the steps of the level by which a breach raised it, each with the level before."""
    pairs = zip(record.levels, record.levels[1:], strict=False)
    return [replace(after, level=before.level) for before, after in pairs if after.clock]


def _past(record: Record, past: LevelStep, contract: Contract, calendars: Calendars, now: float) -> list[Outcome]:
    """Return the clocks of a level that the ticket had."""
    before = [each for each in record.levels if each.at <= past.at and each.clock != past.clock]
    then = replace(record, ticket=replace(record.ticket, level=past.level), levels=tuple(before), workaround=None)
    return [_outcome(then, each, now) for each in running(then, contract, calendars)]


def _at_the_end(each: Outcome) -> Outcome:
    """A clock of a ticket that closes runs no more."""
    if each.stand in {Stand.WAITING, Stand.RUNNING, Stand.PAUSED}:
        return replace(each, stand=Stand.MOOT)
    return replace(each, stand=Stand.KEPT) if each.stand is Stand.PROPOSED else each

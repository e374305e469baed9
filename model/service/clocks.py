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

from model.contract import Contract, Limit, Milestone, Start
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


def outcomes(record: Record, contract: Contract, calendars: Calendars, now: float) -> tuple[Outcome, ...]:
    """Return every clock of a ticket; a closed one's are those that it closed with.

    Raises LookupError when there is no such calendar.
    """
    if record.closed:
        return record.outcomes
    if record.cover is Cover.NOT_COVERED:
        return ()
    found = [_outcome(record, each, now) for each in _dues(record, contract, calendars)]
    missed = [
        outcome
        for past in _breached_levels(record)
        for outcome in _past(record, past, contract, calendars, now)
        if outcome.clock == past.clock
    ]
    return (*missed, *(_difficult(record, found, now) if record.workaround else found))


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


def _dues(record: Record, contract: Contract, calendars: Calendars) -> tuple[Due, ...]:
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
    limit, due = each.limit, each.due
    shown = None if due is None or isinf(due) else due
    own, end, counts = _ended(record, limit)
    if each.start is None or (each.assumed and own is None):
        stand = Stand.WAITING if end is None else Stand.MOOT
    elif end is None:
        late = shown is not None and floor(now) > shown
        stand = Stand.LATE if late else Stand.PAUSED if record.paused else Stand.RUNNING
    elif shown is not None and floor(end) > shown:
        stand = Stand.LATE
    elif not counts:
        stand = Stand.PROPOSED
    else:
        stand = Stand.KEPT if own is not None else Stand.MOOT
    return Outcome(limit.name, record.ticket.level, limit.milestone, stand, each.start, shown, end, each.assumed)


def _ended(record: Record, limit: Limit) -> tuple[Mark | None, float | None, bool]:
    """Return a limit's own mark, when it ended by that or by what overtook it, and whether that counts."""
    own = record.marks.get(limit.milestone)
    ends = (limit.milestone, *limit.stopped_by, *OVERTAKEN_BY[limit.milestone])
    marks = [record.marks[milestone] for milestone in ends if milestone in record.marks]
    if not marks:
        return None, None, False
    first = min(marks, key=lambda mark: mark.when)
    return own, first.when, first.counts


def _difficult(record: Record, found: Iterable[Outcome], now: float) -> list[Outcome]:
    """Replace the limits to resolve by the one agreed on; one that was over before that stays late."""
    agreed = record.workaround
    if agreed is None:
        return list(found)
    kept = [
        each
        for each in found
        if each.milestone is not M.RESOLVE or (each.due is not None and floor(agreed.at) > each.due)
    ]
    mark = record.marks.get(M.RESOLVE)
    end = mark.when if mark else None
    if agreed.due is None:
        stand = Stand.WAITING if mark is None else Stand.MOOT
    elif floor(now if end is None else end) > agreed.due:
        stand = Stand.LATE
    elif mark is None:
        stand = Stand.RUNNING
    else:
        stand = Stand.KEPT if mark.counts else Stand.PROPOSED
    return [*kept, Outcome(DIFFICULT, record.ticket.level, M.RESOLVE, stand, agreed.at, agreed.due, end)]


def _breached_levels(record: Record) -> list[LevelStep]:
    """Return the steps of the level by which a breach raised it, each with the level before."""
    pairs = zip(record.levels, record.levels[1:], strict=False)
    return [replace(after, level=before.level) for before, after in pairs if after.clock]


def _past(record: Record, past: LevelStep, contract: Contract, calendars: Calendars, now: float) -> list[Outcome]:
    """Return the clocks of a level that the ticket had."""
    before = [each for each in record.levels if each.at <= past.at and each.clock != past.clock]
    then = replace(record, ticket=replace(record.ticket, level=past.level), levels=tuple(before), workaround=None)
    return [_outcome(then, each, now) for each in _dues(then, contract, calendars)]


def _at_the_end(each: Outcome) -> Outcome:
    """A clock of a ticket that closes runs no more."""
    if each.stand in {Stand.WAITING, Stand.RUNNING, Stand.PAUSED}:
        return replace(each, stand=Stand.MOOT)
    return replace(each, stand=Stand.KEPT) if each.stand is Stand.PROPOSED else each

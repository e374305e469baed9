"""Which of a contract's limits run for a ticket, and when each is due.

A limit fits when everything it names is so: level, region, grade, fault, handling, conditions. Of the limits of one
name that fit, the narrowest rules: the one that names most; a fault's case is narrower than the fault. A limit that
counts from a milestone nobody has reached yet counts from the moment that milestone is due: the latest that keeps the
promise (`Due.assumed`). Where a contract says so, the limits of a ticket that opened in a guard period are a share.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, inf, isfinite

import msgspec
from msgspec.structs import replace

from model.calendar import ALWAYS, Calendar
from model.contract import Blank, Contract, Duty, Handling, Limit, Start
from model.due import Deadline, Pause, Span, deadline
from model.zone import date_of

_FOUND: dict[int, tuple[Contract, dict["Situation", tuple[Limit, ...]]]] = {}  # by the contract's id, which it keeps
_MOST = 1000
Calendars = Callable[[str], Calendar]  # a calendar by its name; raises LookupError when there is none


class Situation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a ticket that decides its limits. `fault` is the fault, or its case: `fault/case`.

    No handling said: the contract's default. `conditions` are the contract's words that hold ("supplier_needed").
    `guarded`: it opened in a guard period.
    """

    level: int
    region: str = ""
    grade: str = ""
    fault: str = ""
    handling: Handling | None = None
    conditions: frozenset[str] = frozenset()
    guarded: bool = False


class Due(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit, from when it counts and when it is due, in Unix seconds.

    `assumed`: it counts from a milestone that is not reached yet, taken at its latest. Both are None where that
    milestone has no limit of its own: the clock does not run yet. `due` is infinite while a pause is open.
    `unpublished` are the years on the way whose holidays are not official yet.
    """

    limit: Limit
    start: float | None
    due: float | None
    assumed: bool = False
    unpublished: tuple[int, ...] = ()


class DutyDue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document or service and when it is due, in Unix seconds; `assumed` as in `Due`."""

    duty: Duty
    start: float
    due: float
    assumed: bool = False
    unpublished: tuple[int, ...] = ()


def limits_for(contract: Contract, situation: Situation) -> tuple[Limit, ...]:
    """Return the limits that run, in the contract's order. A desk asks the same of one contract all day long."""
    known, found = _FOUND.get(id(contract), (None, {}))
    if known is not contract:  # another one may have the id of one that is gone
        found = {}
        if len(_FOUND) >= _MOST:
            _FOUND.clear()
        _FOUND[id(contract)] = (contract, found)
    if situation not in found:
        if len(found) >= _MOST:
            found.clear()
        found[situation] = _limits_for(contract, situation)
    return found[situation]


def _limits_for(contract: Contract, situation: Situation) -> tuple[Limit, ...]:
    fitting: dict[str, Limit] = {}
    for limit in contract.limits:
        if not fits(limit, situation, contract.default_handling):
            continue
        if limit.name not in fitting or narrowness(limit) > narrowness(fitting[limit.name]):
            fitting[limit.name] = limit
    running = tuple(limit for limit in contract.limits if fitting.get(limit.name) is limit)
    if contract.guard is None or not situation.guarded:
        return running
    share, rests_on = contract.guard.share, contract.guard.open
    return tuple(
        replace(limit, span=shortened(limit.span, share), open=tuple(dict.fromkeys((*limit.open, *rests_on))))
        for limit in running
    )


def shortened(span: Span, share: float) -> Span:
    """Return a share of a span in its own unit, rounded up to a whole one: of three days a half is two."""
    return replace(span, amount=ceil(round(span.amount * share, 6)))


def blanks_for(contract: Contract, situation: Situation) -> tuple[Blank, ...]:
    """Return the limits that the contract has no number for and nobody has filled in."""
    running = {limit.milestone for limit in limits_for(contract, situation)}
    handling = situation.handling or contract.default_handling
    return tuple(
        blank
        for blank in contract.blanks
        if blank.milestone not in running
        and blank.handling in {None, handling}
        and (not blank.levels or situation.level in blank.levels)
        and (not blank.grades or situation.grade in blank.grades)
        and (not blank.regions or situation.region in blank.regions)
    )


def fits(limit: Limit, situation: Situation, default_handling: Handling = Handling.ON_SITE) -> bool:
    """Say whether everything that a limit names is so."""
    fault = situation.fault.partition("/")[0]
    handling = situation.handling or default_handling
    return (
        (not limit.levels or situation.level in limit.levels)
        and limit.region in {"", situation.region}
        and limit.grade in {"", situation.grade}
        and limit.fault in {"", fault, situation.fault}
        and limit.handling in {None, handling}
        and situation.conditions.issuperset(limit.when)
        and situation.conditions.isdisjoint(limit.unless)
    )


def unsaid(contract: Contract, situation: Situation) -> tuple[str, ...]:
    """Return which of `region` and `grade` a situation leaves out, or has and the contract does not know.

    Only where limits, or blanks, depend on them.
    """
    return tuple(
        key
        for key in ("region", "grade")
        if getattr(situation, key) not in getattr(contract, f"{key}s") and _depends(contract, situation, key)
    )


def regional(contract: Contract) -> bool:
    """Say whether any limit, or blank for one, depends on the region."""
    return any(limit.region for limit in contract.limits) or any(blank.regions for blank in contract.blanks)


def _depends(contract: Contract, situation: Situation, key: str) -> bool:
    if any(getattr(blank, f"{key}s") for blank in contract.blanks):
        return True
    each = [msgspec.structs.replace(situation, **{key: value}) for value in getattr(contract, f"{key}s")]
    return any(
        getattr(limit, key) and fits(limit, other, contract.default_handling)
        for limit in contract.limits
        for other in each
    )


def narrowness(limit: Limit) -> int:
    """Return how much a limit names: of two that fit, the greater rules."""
    named = (limit.levels, limit.region, limit.grade, limit.handling, limit.fault, "/" in limit.fault)
    return sum(map(bool, named)) + len(limit.when) + len(limit.unless)


def rivals(first: Limit, second: Limit) -> bool:
    """Say whether both limits can fit one ticket while neither is the narrower."""
    return (
        narrowness(first) == narrowness(second)
        and (not first.levels or not second.levels or bool(set(first.levels) & set(second.levels)))
        and _meet(first.region, second.region)
        and _meet(first.grade, second.grade)
        and _meet(first.handling, second.handling)
        and _meet_faults(first.fault, second.fault)
        and not set(first.when) & set(second.unless)
        and not set(second.when) & set(first.unless)
    )


def _meet_faults(first: str, second: str) -> bool:
    if "/" in first and "/" in second:
        return first == second
    return _meet(first.partition("/")[0], second.partition("/")[0])


def _meet(first: str | None, second: str | None) -> bool:
    return not first or not second or first == second


def dues(
    contract: Contract,
    situation: Situation,
    times: Mapping[str, float],
    calendars: Calendars,
    pauses: Sequence[Pause] = (),
) -> tuple[Due, ...]:
    """Return when each running limit is due, in the contract's order.

    `times` are the Unix seconds of starts and of milestones reached, by their names; `open` is always there.
    """
    running = limits_for(contract, situation)
    found: dict[str, Due] = {}

    def counted(limit: Limit) -> Due:
        if limit.name not in found:
            start, assumed = starting(limit)
            found[limit.name] = Due(limit, None, None, assumed)
            if start is not None:
                calendar = _calendar(limit.calendar or contract.calendar, calendars)
                end = deadline(start, limit.span, calendar, pauses) if isfinite(start) else Deadline(inf, ())
                found[limit.name] = Due(limit, start, end.at, assumed, end.unpublished)
        return found[limit.name]

    def starting(limit: Limit) -> tuple[float | None, bool]:
        if limit.after in times:
            return times[limit.after], False
        if isinstance(limit.after, Start):
            return times["open"], False
        before = [counted(each).due for each in running if each.milestone is limit.after]
        return min((each for each in before if each is not None), default=None), True

    return tuple(counted(limit) for limit in running)


def duty_dues(
    contract: Contract, level: int, times: Mapping[str, float], counted: Sequence[Due], calendars: Calendars
) -> tuple[DutyDue, ...]:
    """Return when each document and service is due whose event is known; `counted` are the ticket's limits.

    An event is known when it is in `times`, or when it is a milestone that a limit leads to: then at its latest.
    """
    calendar = _calendar(contract.calendar, calendars)
    found: list[DutyDue] = []
    for duty in (*contract.documents, *contract.services):
        latest = [each.due for each in counted if each.limit.milestone == duty.after and each.due is not None]
        start = times.get(duty.after, min(latest, default=inf))
        if (duty.levels and level not in duty.levels) or not isfinite(start):
            continue
        if duty.span is not None:
            end = deadline(start, duty.span, calendar)
            found.append(DutyDue(duty, start, end.at, duty.after not in times, end.unpublished))
        elif duty.month_day is not None:
            found.append(
                DutyDue(duty, start, end_of_month_day(start, duty.month_day, calendar), duty.after not in times)
            )
    return tuple(found)


def end_of_month_day(start: float, month_day: int, calendar: Calendar) -> float:
    """Return the end of the first such day of a month that begins at or after a moment: that day is still in time."""
    day = calendar.day_at(floor(start))
    if calendar.midnight(day) < start:
        day += 1
    while date_of(day).day != month_day:
        day += 1
    return float(calendar.midnight(day + 1))


def _calendar(name: str, calendars: Calendars) -> Calendar:
    return calendars(name) if name else ALWAYS

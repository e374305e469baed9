"""What a ticket has to do with those before it: recurrences, repairs that failed, momentary alarms, entitlement."""

from collections.abc import Iterable
from math import floor

import msgspec

from model.calendar import Calendar
from model.contract import Entitlement, Milestone, Momentary
from model.month import years_later
from model.service.record import Record
from model.service.words import Cover


class Past(msgspec.Struct, frozen=True, omit_defaults=True):
    """A closed ticket as later ones see it: when its fault was cleared, and how many repairs failed in a row.

    `held` says that a repair which counts stood when it closed: if the fault comes again, that one has failed too.
    """

    number: int
    device: str
    fault: str
    cleared: float
    failed_repairs: int = 0
    held: bool = False


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """The momentary alarms of a condition, (episode, Unix time): those that count, and those that made a fault."""

    counted: tuple[tuple[str, float], ...] = ()
    spent: tuple[tuple[str, float], ...] = ()


class Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device on the contract's list: its serial number, under contract [begin, end), in warranty from a day on."""

    serial: str = ""
    begin: float | None = None
    end: float | None = None
    warranty_begin: float | None = None


def past(record: Record) -> Past | None:
    """Return a closed ticket for later ones; None for one that was merged, or whose fault was never cleared."""
    cleared = record.marks.get(Milestone.RESOLVE) or record.marks.get(Milestone.RESTORE)
    if not record.closed or record.merged_into or cleared is None:
        return None
    held = record.repair is not None and not record.repair.consumable
    return Past(record.ticket.number, record.device, record.fault, cleared.when, record.failed_repairs, held)


def recurrence(
    before: Iterable[Past], device: str, fault: str, onset: float, *, years: int, calendar: Calendar
) -> Past | None:
    """Return the last ticket that a new one is a recurrence of: same device and fault, within the contract's years.

    The years count from the day of clearing, and their last day is within them.
    """
    near = [
        each
        for each in before
        if (each.device, each.fault) == (device, fault)
        and each.cleared <= onset < years_later(each.cleared, years, calendar)
    ]
    return max(near, key=lambda each: (each.cleared, each.number), default=None)


def failed_before(earlier: Past | None) -> int:
    """Return how many repairs have failed in a row when a ticket opens as a recurrence of an earlier one."""
    return 0 if earlier is None else earlier.failed_repairs + earlier.held


def momentary(tally: Tally, episode: str, at: float, rule: Momentary | None) -> tuple[Tally, bool]:
    """Count an alarm that ended before its delay; says whether it makes the contract's momentary fault.

    An alarm counts for `rule.seconds`, exactly so long after no more, and for one fault only; twice the same is once.
    """
    if rule is None or any(episode == each for each, _ in (*tally.counted, *tally.spent)):
        return tally, False
    counted = (*_still(tally.counted, at, rule.seconds), (episode, at))
    spent = _still(tally.spent, at, rule.seconds)
    if len(counted) < rule.count:
        return Tally(counted, spent), False
    return Tally((), (*spent, *counted)), True


def _still(alarms: Iterable[tuple[str, float]], at: float, seconds: float) -> tuple[tuple[str, float], ...]:
    return tuple((episode, when) for episode, when in alarms if at - seconds < when)


def cover(listed: Listed | None, entitlement: Entitlement, calendar: Calendar, at: float) -> Cover:
    """Return what a device is entitled to at a moment.

    One that is not on the list is only then not served when the contract serves none but listed ones.
    """
    if listed is None:
        return Cover.NOT_COVERED if entitlement.listed_only else Cover.UNKNOWN
    begun = listed.begin is None or listed.begin <= at
    if not begun or (listed.end is not None and at >= listed.end):
        return Cover.NOT_COVERED
    if listed.warranty_begin is None or entitlement.warranty_years is None:
        return Cover.UNDER_CONTRACT
    over = years_later(listed.warranty_begin, entitlement.warranty_years, calendar)
    return Cover.IN_WARRANTY if floor(listed.warranty_begin) <= at < over else Cover.AFTER_WARRANTY

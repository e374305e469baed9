"""What people say of the past and may not: a limit that ends before it began, a breach that is talked away.

A start or a pause that is said late moves limits that ran meanwhile. What was not kept stays in the books, whether
somebody looked in time or not: an excuse, with who accepted it, is the way. The time of a milestone is no such word:
when something was done decides whether it was in time.
"""

from math import floor

from model.contract import Contract
from model.limits import Calendars
from model.service.clocks import outcomes, running
from model.service.entry import Entry, Paused, Started
from model.service.outcome import Stand
from model.service.record import Record
from model.service.words import Refusal

MOVES = Started | Paused  # what moves limits by a time that is said


def said_too_late(
    before: Record, after: Record, contract: Contract, calendars: Calendars, entry: Entry
) -> Refusal | None:
    """Return why an entry between two records is refused for what it would do to the limits, None when it does nothing.

    Raises LookupError when the contract's calendar is not there.
    """
    act = entry.act
    if not isinstance(act, MOVES) or before.unsure:  # of one that is not dated nobody knows what is over
        return None
    if isinstance(act, Started) and _ends_first(after, act, contract, calendars):
        return Refusal.OUT_OF_ORDER
    lost = _late(before, contract, calendars, entry.at) - _late(after, contract, calendars, entry.at)
    return Refusal.BREACHED if lost else None


def _ends_first(record: Record, act: Started, contract: Contract, calendars: Calendars) -> bool:
    """Say whether a milestone was reached before the limit to it would begin."""
    marks = [
        (record.marks.get(each.limit.milestone), each.start)
        for each in running(record, contract, calendars)
        if each.limit.after is act.start
    ]
    return any(mark and mark.sure and start is not None and floor(mark.when) < floor(start) for mark, start in marks)


def _late(record: Record, contract: Contract, calendars: Calendars, now: float) -> set[str]:
    return {each.clock for each in outcomes(record, contract, calendars, now) if each.stand is Stand.LATE}

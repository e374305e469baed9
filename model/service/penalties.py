"""What a ticket costs or earns under its contract, and what excuses it.

A penalty's event happens when one of its limits was not kept or one of its documents came late, when a person says so,
or when a complaint of it is proven; a complaint that was only made counts nothing. An excuse that the contract knows
and that somebody accepted takes one off, and stays beside it. An event that counts once a ticket counts once.
"""

from collections.abc import Iterator
from math import floor

import msgspec

from model.contract import Contract, Penalty
from model.limits import Calendars
from model.service.clocks import DIFFICULT, outcomes
from model.service.documents import documents, handed_over
from model.service.outcome import Outcome, Stand
from model.service.record import Pardon, Record

RESOLVE = "resolve"


class Deduction(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a contract's list. `points` below 0 are taken off; `share` is of the fee; None: no number.

    `what_for` is the clock, document, complaint or person's word behind it, at a Unix time. It counts unless excused,
    or unless the event counts once a ticket and another of it does.
    """

    event: str
    what_for: str
    at: float
    points: float | None
    share: float | None = None
    excused: Pardon | None = None
    counts: bool = True


def deductions(record: Record, contract: Contract, calendars: Calendars, now: float) -> tuple[Deduction, ...]:
    """Return every event of a ticket that its contract lists, in the contract's order, excused ones too."""
    if record.merged_into:
        return ()
    late = [each for each in outcomes(record, contract, calendars, now) if each.stand is Stand.LATE]
    papers = dict(_late_documents(record, contract, calendars, now))
    excuses = {each.what_for: each for each in record.excuses}
    found: list[Deduction] = []
    for penalty in contract.penalties:
        if penalty.levels and record.ticket.level not in penalty.levels:
            continue
        counted = False
        for what_for, at in sorted(_happened(record, penalty, late, papers), key=lambda each: (each[1], each[0])):
            excused = excuses.get(what_for) or excuses.get(penalty.event)
            counts = excused is None and not (counted and penalty.per == "ticket")
            counted = counted or counts
            found.append(Deduction(penalty.event, what_for, at, penalty.points, penalty.share, excused, counts))
    return tuple(found)


def points(found: tuple[Deduction, ...]) -> float:
    """Return the sum of the points that count."""
    return sum(each.points or 0.0 for each in found if each.counts)


def _happened(
    record: Record, penalty: Penalty, late: list[Outcome], papers: dict[str, float]
) -> Iterator[tuple[str, float]]:
    for each in late:
        name = RESOLVE if each.limit == DIFFICULT else each.limit
        if name in penalty.automatic:
            yield each.clock, each.due or 0.0
    for document, at in papers.items():
        if document in penalty.automatic:
            yield f"document {document}", at
    for number, charge in enumerate(record.charges):
        if charge.event == penalty.event:
            yield f"charge {number}", charge.at
    for complaint in record.complaints:
        if complaint.event == penalty.event and complaint.proven:
            yield f"complaint {complaint.id}", complaint.at


def _late_documents(
    record: Record, contract: Contract, calendars: Calendars, now: float
) -> Iterator[tuple[str, float]]:
    for duty, _, end in documents(record, contract, calendars):
        handed = handed_over(record, duty)
        if end is not None and floor(now if handed is None else handed) > end:
            yield duty.name, end

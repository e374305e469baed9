"""The documents that a ticket owes: since when, until when, and whether they were handed over as they count.

Their clocks are no clocks of the ticket: they run after its closing, and no pause of the ticket stops them. What is due
by the month, or follows an inspection or another service, is not a ticket's.
"""

from collections.abc import Iterator
from math import floor

from model.contract import Contract, Duty, Milestone, Start
from model.due import due
from model.limits import Calendars
from model.service.effect import Effect, Kind
from model.service.record import Record

Later = tuple[float, Effect]  # from which moment on, and what
_MILESTONES = frozenset(each.value for each in Milestone)


def owed(record: Record, contract: Contract, calendars: Calendars) -> Iterator[Later]:
    """Documents are owed from their event on and late after their limit; also after the ticket has closed."""
    for duty, begin, end in documents(record, contract, calendars):
        number, clock = record.ticket.number, f"document {duty.name}"
        yield begin, Effect(number, clock, "owed", Kind.DOCUMENT_OWED, begin, end)
        handed = handed_over(record, duty)
        if end is not None and (handed is None or floor(handed) > end):
            yield end + 1, Effect(number, clock, "late", Kind.DOCUMENT_LATE, end, end)


def documents(record: Record, contract: Contract, calendars: Calendars) -> tuple[tuple[Duty, float, float | None], ...]:
    """Return the documents that a ticket owes: since when, and until when (None: no limit of its own)."""
    found: list[tuple[Duty, float, float | None]] = []
    for duty in contract.documents:
        begin = _begins(record, duty)
        if begin is None or (duty.levels and record.ticket.level not in duty.levels):
            continue
        end = float(due(begin, duty.span, calendars(contract.calendar))) if duty.span else None
        found.append((duty, begin, end))
    return tuple(found)


def handed_over(record: Record, duty: Duty) -> float | None:
    """Return when a document was delivered as it counts: with the signature where the contract asks for it."""
    delivered = [each.when for each in record.deliveries if each.document == duty.name]
    signed = [each.when for each in record.deliveries if each.document == duty.name and each.signed_by]
    return min(signed if duty.needs else delivered, default=None)


def _begins(record: Record, duty: Duty) -> float | None:
    if duty.name in record.asked:
        return record.asked[duty.name]
    if duty.after in _MILESTONES:
        mark = record.marks.get(Milestone(duty.after))
        return mark.when if mark is not None and mark.counts and mark.sure else None
    if duty.after == "confirmed":  # a form on a difficult fault, once the customer confirmed that it is done
        return record.verdicts[0].at if record.verdicts and record.workaround else None
    return record.start if duty.after == Start.OPEN else None

"""What is appended to a ticket, after its closing too: confirmations, complaints, excuses, documents, events.

None of it moves a milestone or a clock. A level that both sides agree on is the level of a ticket that is not closed;
of a closed one it is written beside the level that its clocks ran by.
"""

from msgspec.structs import replace

from model.service.changes import at_level
from model.service.entry import (
    AskedFor,
    Charged,
    Complained,
    CustomerSaid,
    Delivered,
    Entry,
    Excused,
    Judged,
    LevelAgreed,
)
from model.service.marks import bounded
from model.service.record import Answer, Charge, Complaint, Delivery, Pardon, Record, Verdict
from model.service.words import Event, Refusal, Side


def level_agreed(record: Record, entry: Entry, act: LevelAgreed) -> Answer:
    """Keep one side's word on the final class; when both say the same, the level is provisional no more."""
    if not record.ticket.provisional:
        return Refusal.NOT_PROVISIONAL
    if record.terms.levels and act.level not in record.terms.levels:
        return Refusal.NO_SUCH_LEVEL
    if record.agreed.get(entry.side) == act.level:
        return Refusal.ALREADY
    record = replace(record, agreed={**record.agreed, entry.side: act.level})
    if not record.agreed.get(Side.SERVICE) == record.agreed.get(Side.CUSTOMER) == act.level:
        return record, (Event.CONFIRMED,)
    if not record.closed and act.level != record.ticket.level:
        judged = record.assigned if act.level > record.ticket.level else record.judged
        record = replace(at_level(record, entry, act.level, "agreed"), judged=judged)
    ticket = replace(record.ticket, provisional=False)
    return replace(record, ticket=ticket, final_level=act.level), (Event.LEVEL_AGREED,)


def customer_said(record: Record, entry: Entry, act: CustomerSaid) -> Answer:
    """Keep the customer's word on the whole ticket."""
    verdict = Verdict(entry.at, entry.who, act.satisfied, act.signed_by, act.note)
    last = record.verdicts[-1] if record.verdicts else None
    if last is not None and replace(last, at=entry.at) == verdict:
        return Refusal.ALREADY
    return replace(record, verdicts=(*record.verdicts, verdict)), (Event.CUSTOMER_SAID,)


def complained(record: Record, entry: Entry, act: Complained) -> Answer:
    """Keep a complaint; it counts once it is proven."""
    if not act.id or not act.text:
        return Refusal.NO_TEXT if act.id else Refusal.NO_ID
    if any(each.id == act.id for each in record.complaints):
        return Refusal.ALREADY
    if act.event not in record.terms.events:
        return Refusal.NO_SUCH_EVENT
    complaint = Complaint(act.id, act.event, act.text, entry.at, entry.who)
    return replace(record, complaints=(*record.complaints, complaint)), (Event.COMPLAINED,)


def judged(record: Record, entry: Entry, act: Judged) -> Answer:
    """Keep whether a complaint was proven (一经核实)."""
    complaint = next((each for each in record.complaints if each.id == act.id), None)
    if complaint is None:
        return Refusal.NO_SUCH_COMPLAINT
    if complaint.proven is not None:
        return Refusal.ALREADY
    if not act.reason:
        return Refusal.NO_REASON
    after = replace(complaint, proven=act.proven, judged_by=entry.who)
    complaints = tuple(after if each.id == act.id else each for each in record.complaints)
    return replace(record, complaints=complaints), (Event.JUDGED,)


def excused(record: Record, entry: Entry, act: Excused) -> Answer:
    """Keep an excuse that the contract knows and that somebody accepted."""
    if act.excuse not in record.terms.excuses:
        return Refusal.NO_SUCH_EXCUSE
    if not act.accepted_by:
        return Refusal.NO_ACCEPTER
    if any(each.what_for == act.what_for for each in record.excuses):
        return Refusal.ALREADY
    pardon = Pardon(act.what_for, act.excuse, act.accepted_by, entry.at, entry.who, act.note)
    return replace(record, excuses=(*record.excuses, pardon)), (Event.EXCUSED,)


def asked_for(record: Record, entry: Entry, act: AskedFor) -> Answer:
    """Keep when the customer asked for a document: its clock begins."""
    if act.document in record.asked:
        return Refusal.ALREADY
    when = bounded(record, entry, act.said)
    if isinstance(when, Refusal):
        return when
    return replace(record, asked={**record.asked, act.document: when}), (Event.ASKED_FOR,)


def delivered(record: Record, entry: Entry, act: Delivered) -> Answer:
    """Keep a document's delivery; once more only to add the signature."""
    when = bounded(record, entry, act.said)
    if isinstance(when, Refusal):
        return when
    before = [each for each in record.deliveries if each.document == act.document]
    if any(each.signed_by or not act.signed_by for each in before):
        return Refusal.ALREADY
    delivery = Delivery(act.document, when, entry.at, entry.who, act.signed_by)
    return replace(record, deliveries=(*record.deliveries, delivery)), (Event.DELIVERED,)


def charged(record: Record, entry: Entry, act: Charged) -> Answer:
    """Keep an event that the contract has a penalty or a bonus for."""
    if not act.note:
        return Refusal.NO_TEXT
    if act.event not in record.terms.events:
        return Refusal.NO_SUCH_EVENT
    charge = Charge(act.event, entry.at, entry.who, act.note)
    if any(each == charge for each in record.charges):
        return Refusal.ALREADY
    return replace(record, charges=(*record.charges, charge)), (Event.CHARGED,)

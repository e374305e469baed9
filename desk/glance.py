"""How a ticket stands, in a few sentences: who has it, what waits for whose word, what is out of the ordinary."""

from collections.abc import Iterator

from desk.sheet import Sheet
from desk.shown import Shown
from model.contract import Milestone
from model.contract_words import MILESTONES
from model.service.record import Record
from model.service.words import Side, Tie
from model.ticket import TicketState

Line = tuple[str, str]  # what kind of sentence it is (hot, has, word, paused, warn, quiet, soft), and the sentence


def glance(shown: Shown, of: Sheet) -> list[Line]:
    """Return the sentences in the order in which they matter."""
    return [*_state(shown, of.record), *_waiting(shown, of.record), *_unusual(shown, of)]


def _state(shown: Shown, record: Record) -> Iterator[Line]:
    ticket = record.ticket
    waits = [(milestone, mark) for milestone, mark in record.marks.items() if not mark.counts]
    if record.merged_into:
        yield "soft", shown.say("stand.merged", n=record.merged_into)
    elif record.closed:
        yield "quiet", shown.say("stand.closed", time=shown.time(ticket.closed or record.last))
    elif ticket.state is TicketState.RESOLVED:
        if not waits:
            yield "quiet", shown.say("stand.resolved", time=shown.time(ticket.resolved or record.last))
    elif ticket.acknowledged is None:
        yield "hot", shown.say("stand.nobody")
    else:
        yield "has", shown.say("stand.has", who=ticket.acknowledged_by, time=shown.time(ticket.acknowledged))
    if ticket.state is TicketState.OPEN and record.standing and _counts(record, Milestone.RESOLVE):
        yield "warn", shown.say("stand.stands")
    if record.closed:
        return
    for milestone, mark in waits:
        if mark.sides == (Side.SYSTEM,):
            yield "word", shown.say("stand.proposed", time=shown.time(mark.when))
            return
        said = shown.title(MILESTONES[milestone])
        yield "word", shown.say("stand.word", milestone=said, time=shown.time(mark.when))


def _counts(record: Record, milestone: Milestone) -> bool:
    mark = record.marks.get(milestone)
    return mark is not None and mark.counts


def _waiting(shown: Shown, record: Record) -> Iterator[Line]:
    for halt in record.halts:
        if halt.end is None:
            whom = shown.say(f"waiting.{halt.waiting}")
            yield "paused", shown.say("stand.waits", whom=whom, time=shown.time(halt.begin), reason=halt.reason)
    if any(end is None for _, end in record.explained):
        yield "soft", shown.say("stand.explained")
    agreed = record.workaround
    if agreed is not None:
        parts = [shown.say("stand.workaround")]
        if agreed.due is not None:
            parts.append(shown.say("stand.agreed", who=agreed.accepted_by, time=shown.time(agreed.due)))
        yield "warn", " · ".join([*parts, agreed.reason])


def _unusual(shown: Shown, of: Sheet) -> Iterator[Line]:
    record = of.record
    if record.unsure:
        yield "warn", shown.say("stand.unsure")
    if record.moved and not record.closed:
        yield "soft", shown.say("stand.moved")
    for each in of.unsaid:
        yield "warn", shown.say(f"unsaid.{each}")
    for bond in record.bonds:
        if bond.tie is Tie.RECURRENCE:
            yield "warn", shown.say("recurrence_note", n=bond.number)
    if of.replace:
        yield "warn", shown.say("stand.replace", n=record.failed_repairs)
    if not of.covered:
        yield "soft", shown.say("stand.not_covered")

"""Of what people are told, and in which order whom: the ladder of an occasion. Pure.

Theory. An occasion is something that happened to a ticket, or to one of its clocks, that somebody must hear of. Its
ladder are names (a role, a team, a person), told one after another: the next when nobody of those before could be
reached and, of what somebody must take, when nobody took the ticket in time. What nobody need hear any more is not
told: a ticket that is resolved, a warning of a clock that has ended, a document that was delivered. That a ticket is
open no more has no ladder: it is for those who were told of the ticket.
"""

from collections.abc import Iterable
from enum import StrEnum

from model.roster import Roster
from model.service.effect import Effect, Kind
from model.service.entry import Entry, Fired, Opened
from model.service.outcome import Outcome, Stand
from model.service.record import Record
from model.ticket import TicketState


class What(StrEnum):
    """What people are told."""

    OPENED = "opened"
    REOPENED = "reopened"
    RAISED = "raised"  # the level: by the alarm or by a person
    UPGRADED = "upgraded"  # the level: by the contract, for a breach
    LASTED = "lasted"  # the level: an interruption has lasted too long
    WARN = "warn"
    BREACH = "breach"
    ESCALATED = "escalated"  # the contract wants a role to be told
    DOCUMENT_OWED = "document_owed"
    DOCUMENT_LATE = "document_late"
    REPLACE = "replace"
    OVER = "over"  # open no more: the fault is gone or explained, or the ticket is merged


_OF_EFFECT = {
    Kind.WARN: What.WARN,
    Kind.BREACH: What.BREACH,
    Kind.UPGRADE: What.UPGRADED,
    Kind.LASTING: What.LASTED,
    Kind.ESCALATE: What.ESCALATED,
    Kind.DOCUMENT_OWED: What.DOCUMENT_OWED,
    Kind.DOCUMENT_LATE: What.DOCUMENT_LATE,
    Kind.REPLACE: What.REPLACE,
}
DOCUMENTS = frozenset({What.DOCUMENT_OWED, What.DOCUMENT_LATE})
TO_BE_TAKEN = frozenset({What.OPENED, What.REOPENED, What.RAISED, What.UPGRADED, What.LASTED, What.ESCALATED})
OF_THE_TICKET = frozenset({What.OPENED, What.REOPENED})  # who has taken the ticket knows it
_LATE = frozenset({What.BREACH, What.UPGRADED, What.LASTED, What.DOCUMENT_LATE})


def occasion(before: Record | None, after: Record, entry: Entry) -> tuple[What, Effect] | None:
    """Return of what people are told by an entry, with its key as an effect's; None for nothing."""
    act, ticket = entry.act, after.ticket
    if isinstance(act, Opened):
        return _own(What.OPENED, after, entry, "opened")
    if isinstance(act, Fired):
        return _OF_EFFECT[act.effect.kind], act.effect
    if before is None:
        return None
    if ticket.state is not TicketState.OPEN:
        was_open = before.ticket.state is TicketState.OPEN
        return _own(What.OVER, after, entry, f"over {after.entries}") if was_open else None
    if before.ticket.state is not TicketState.OPEN:
        return _own(What.REOPENED, after, entry, f"reopened {after.entries}")
    if ticket.level < before.ticket.level:
        return _own(What.RAISED, after, entry, f"level {ticket.level} {after.entries}")
    return None


def ladder(roster: Roster, what: What, level: int, role: str) -> tuple[str, ...]:
    """Return whom to tell, in order: the contract's role first, then those of the roster's rule for the level."""
    rule = roster.rule(level)
    if rule is None:
        return (role,) if role else ()
    names = (rule.breach if what in _LATE else rule.warn if what is What.WARN else ()) or rule.tell
    return tuple(dict.fromkeys((role, *names) if role else names))


def waits_for_taker(roster: Roster, what: What, level: int) -> float | None:
    """Return after how many seconds the next is told when nobody took the ticket; None: never for that."""
    rule = roster.rule(level)
    return rule.next_after if rule is not None and what in TO_BE_TAKEN else None


def taken(record: Record, since: float) -> bool:
    """Say whether somebody knows: acknowledged, put aside, paused, or a milestone was said since a moment.

    A milestone from before says nothing of what came after it: whoever arrived may have left when the fault came back.
    """
    ticket = record.ticket
    said = any(mark.at >= since for mark in record.marks.values())
    return ticket.acknowledged is not None or ticket.shelved or said or record.paused


def stands(what: What, clock: str, record: Record, outcomes: Iterable[Outcome]) -> bool:
    """Say whether people still need to hear of it; `outcomes` are the ticket's clocks now."""
    if what is What.OVER:
        return record.ticket.state is not TicketState.OPEN
    if record.merged_into:
        return False
    if what in DOCUMENTS:
        return all(f"document {delivery.document}" != clock for delivery in record.deliveries)
    if record.ticket.state is not TicketState.OPEN:
        return False
    if what is What.WARN:
        return any(each.clock == clock and each.stand is Stand.RUNNING for each in outcomes)
    return True


def _own(what: What, record: Record, entry: Entry, step: str) -> tuple[What, Effect]:
    """An occasion that no clock made, with a key of its own."""
    return what, Effect(record.ticket.number, "ticket", step, Kind.ESCALATE, entry.at, level=record.ticket.level)

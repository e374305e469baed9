"""A first ticket: what the desk keeps of a condition that people must see to.

Theory. One ticket that is not closed for each condition; it holds the condition's episodes, one after another. It is
level-triggered like the alarm: from the alarm after a Change follows whether the ticket should be open, and each step
returns a named reason for the audit. It keeps its worst level until a person lowers it. An acknowledgement never
reopens a resolved ticket. A fault that its parent explains has no open ticket of its own: the parent's shows it.

    state      left by
    open       the alarm returned, or a parent explains it -> resolved
    resolved   a new episode, or the parent gone -> open; the window for that is over, or a person -> closed
    closed     never

An alarm that is pending (out of its shelf, its delay running) says nothing yet: the ticket stays as it is. The end of
another episode than the ticket's says nothing of the ticket's own. An acknowledgement given at the site counts while
the alarm is not unacknowledged: a worse case takes it back.
"""

from enum import StrEnum

import msgspec

from model.alarm import Alarm, AlarmState


class TicketState(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a step did what it did: the word in the audit."""

    OPENED = "opened"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    LEVEL_RAISED = "level_raised"
    CASE_CHANGED = "case_changed"
    RESOLVED = "resolved"
    EXPLAINED = "explained"
    SHELVED = "shelved"
    UNCHANGED = "unchanged"


class Ticket(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ticket; times are the desk's Unix seconds. `number` is 0 until the store gives one."""

    condition: str
    site: str
    state: TicketState
    level: int
    provisional: bool
    case: str
    opened: float
    number: int = 0
    episode: str = ""
    acknowledged: float | None = None
    acknowledged_by: str = ""
    resolved: float | None = None
    closed: float | None = None
    explained_by: str = ""
    shelved: bool = False


class Step(msgspec.Struct, frozen=True):
    """A ticket after a step and why."""

    ticket: Ticket | None
    reasons: tuple[Reason, ...]


def announced(alarm: Alarm) -> bool:
    """Say whether people must see to this alarm now."""
    return alarm.active and alarm.opened and alarm.state in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}


def on_alarm(ticket: Ticket | None, alarm: Alarm, site: str, level: int, *, provisional: bool, now: float) -> Step:
    """Return the condition's ticket after its alarm changed; `level` is the desk's, from its record of the site.

    `ticket` is the condition's ticket that is not closed, or None. `now` is the desk's Unix time.
    """
    if ticket is None:
        if not announced(alarm):
            return Step(None, (Reason.UNCHANGED,))
        ticket = Ticket(
            alarm.condition, site, TicketState.OPEN, level, provisional, alarm.case, now, episode=alarm.episode
        )
        return Step(_acknowledged(ticket, alarm, now), (Reason.OPENED,))
    if announced(alarm):
        return _standing(ticket, alarm, level, provisional=provisional, now=now)
    if alarm.active and alarm.opened and alarm.state in {AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE}:
        reasons = (Reason.UNCHANGED,) if ticket.shelved else (Reason.SHELVED,)
        return Step(msgspec.structs.replace(ticket, shelved=True), reasons)
    if ticket.state is TicketState.RESOLVED:
        return Step(ticket, (Reason.UNCHANGED,))
    if alarm.active and alarm.state is AlarmState.PENDING:
        return Step(ticket, (Reason.UNCHANGED,))
    if not alarm.active and alarm.episode != ticket.episode:
        return Step(ticket, (Reason.UNCHANGED,))
    explained = alarm.active and alarm.state is AlarmState.SUPPRESSED
    after = msgspec.structs.replace(
        _acknowledged(ticket, alarm, now),
        state=TicketState.RESOLVED,
        resolved=now,
        shelved=False,
        explained_by=alarm.explained_by if explained else "",
    )
    return Step(after, (Reason.EXPLAINED if explained else Reason.RESOLVED,))


def acknowledge(ticket: Ticket, by: str, now: float) -> Step:
    """Return the ticket taken by somebody; the first to take it is kept, and only an open ticket can be taken."""
    if ticket.state is not TicketState.OPEN or ticket.acknowledged is not None:
        return Step(ticket, (Reason.UNCHANGED,))
    return Step(msgspec.structs.replace(ticket, acknowledged=now, acknowledged_by=by), (Reason.ACKNOWLEDGED,))


def _standing(ticket: Ticket, alarm: Alarm, level: int, *, provisional: bool, now: float) -> Step:
    reasons: list[Reason] = []
    after = ticket
    if ticket.state is not TicketState.OPEN:
        reasons.append(Reason.REOPENED)
        after = msgspec.structs.replace(
            after, state=TicketState.OPEN, resolved=None, explained_by="", acknowledged=None, acknowledged_by=""
        )
    if level < ticket.level:
        reasons.append(Reason.LEVEL_RAISED)
        after = msgspec.structs.replace(
            after, level=level, provisional=provisional, acknowledged=None, acknowledged_by=""
        )
    elif alarm.case != ticket.case:
        reasons.append(Reason.CASE_CHANGED)
    after = msgspec.structs.replace(after, case=alarm.case, episode=alarm.episode, shelved=False)
    taken = _acknowledged(after, alarm, now)
    if taken.acknowledged is not None and after.acknowledged is None:
        reasons.append(Reason.ACKNOWLEDGED)
    return Step(taken, tuple(reasons) or (Reason.UNCHANGED,))


def _acknowledged(ticket: Ticket, alarm: Alarm, now: float) -> Ticket:
    """Carry an acknowledgement given at the site over to the ticket."""
    given = bool(alarm.acknowledged_by) and alarm.state not in {AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED}
    if ticket.acknowledged is None and given and alarm.episode == ticket.episode:
        return msgspec.structs.replace(ticket, acknowledged=now, acknowledged_by=alarm.acknowledged_by)
    return ticket

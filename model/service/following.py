"""How a ticket follows its alarm: the opening, each change, and who takes it. The states are `model.ticket`'s own."""

from msgspec.structs import replace

from model.alarm import Alarm, AlarmState
from model.service.entry import Acknowledged, AlarmSeen, Entry, Opened
from model.service.marks import acknowledged as mark_acknowledged
from model.service.marks import came_back, proposed
from model.service.record import Answer, Bond, LevelStep, Record
from model.service.words import Refusal, Tie, Trust
from model.ticket import Reason, Ticket, TicketState, acknowledge, announced, on_alarm


def opened(entry: Entry, act: Opened) -> Answer:
    """Make the record: from an alarm that people must see to, or from a person's report."""
    if act.terms.levels and act.level not in act.terms.levels:
        return Refusal.NO_SUCH_LEVEL
    ticket = _first_ticket(entry, act)
    if ticket is None:
        return Refusal.NOT_ANNOUNCED
    record = Record(
        replace(ticket, number=act.number),
        device=act.device,
        fault=act.fault,
        terms=act.terms,
        onset=min(act.onset, entry.at),
        start=entry.at,
        last=entry.at,
        unsure=entry.trust is not Trust.SURE,
        standing=act.alarm is not None,
        meaning=act.meaning,
        region=act.region,
        grade=act.grade,
        assigned=act.level,
        episodes={act.alarm.episode: act.alarm.revision} if act.alarm else {},
        starts=act.starts,
        levels=(LevelStep(entry.at, act.level, "opened", entry.who),),
        cover=act.cover,
        bonds=(Bond(Tie.RECURRENCE, act.recurrence_of),) if act.recurrence_of else (),
        failed_repairs=act.failed_repairs,
        guard=act.guard,
    )
    if ticket.acknowledged is not None:
        record = mark_acknowledged(record, entry, ticket.acknowledged_by, entry.at)
    return record, (Reason.OPENED,)


def alarm_seen(record: Record, entry: Entry, act: AlarmSeen) -> Answer:
    """Follow the alarm. An update that changes nothing of the ticket is refused: the episode keeps its evidence."""
    alarm, ticket = act.alarm, record.ticket
    if alarm.condition != ticket.condition:
        return Refusal.OTHER_CONDITION
    if alarm.revision <= record.episodes.get(alarm.episode, 0):
        return Refusal.KNOWN
    step = on_alarm(ticket, alarm, ticket.site, _level(record, act.level), provisional=act.provisional, now=entry.at)
    assert step.ticket is not None  # noqa: S101 - a ticket that is there stays
    same = step.reasons == (Reason.UNCHANGED,) and step.ticket == ticket and act.level == record.assigned
    if same and announced(alarm) and record.standing:
        return Refusal.UNCHANGED
    latest = max(entry.at, record.start)
    when, taken = (min(max(each or entry.at, record.start), latest) for each in (act.when, act.taken))
    given = step.ticket.acknowledged not in {None, ticket.acknowledged}
    after = replace(
        record,
        ticket=replace(step.ticket, acknowledged=taken) if given else step.ticket,
        standing=alarm.active and alarm.opened and alarm.state is not AlarmState.PENDING,
        assigned=act.level,
        judged=record.judged if act.level >= record.judged else 0,
        episodes={**record.episodes, alarm.episode: alarm.revision},
    )
    after = _consequences(after, entry, act, step.reasons, when)
    if given and ticket.acknowledged is None:
        after = mark_acknowledged(after, entry, step.ticket.acknowledged_by, taken)
    return after, step.reasons


def acknowledged(record: Record, entry: Entry, act: Acknowledged) -> Answer:
    """Give the ticket to somebody: the first to take it keeps it, and nothing is ever reopened by that."""
    ticket = record.ticket
    step = acknowledge(ticket, entry.who, entry.at)
    if step.ticket is None or Reason.ACKNOWLEDGED not in step.reasons:
        return Refusal.UNCHANGED
    if act.seen and ticket.level < act.seen:
        return Refusal.WORSE
    return mark_acknowledged(replace(record, ticket=step.ticket), entry, entry.who, entry.at), step.reasons


def _first_ticket(entry: Entry, act: Opened) -> Ticket | None:
    if act.alarm is not None:
        return on_alarm(None, act.alarm, act.site, act.level, provisional=act.provisional, now=entry.at).ticket
    state = TicketState.OPEN
    return Ticket(act.condition, act.site, state, act.level, act.provisional, act.case, entry.at)


def _level(record: Record, level: int) -> int:
    """Return the level that the alarm may raise the ticket to: none, while a person has judged one as bad as this."""
    judged = record.judged and level >= record.judged
    return record.ticket.level if judged else level


def _consequences(record: Record, entry: Entry, act: AlarmSeen, reasons: tuple[Reason, ...], when: float) -> Record:
    alarm = act.alarm
    if Reason.LEVEL_RAISED in reasons:
        raised = LevelStep(entry.at, record.ticket.level, "alarm", entry.who)
        record = replace(record, levels=(*record.levels, raised))
    if Reason.REOPENED in reasons:
        return _returned(record, act, when)
    if Reason.EXPLAINED in reasons:
        return replace(record, explained=(*record.explained, (when, None)))
    ended = _explained_and_over(record, alarm)
    if Reason.RESOLVED in reasons or ended:
        return proposed(_no_longer_explained(record, when), entry, when)
    return record


def _returned(record: Record, act: AlarmSeen, when: float) -> Record:
    """The fault is back: a new episode, or its parent gone and the fault still there."""
    was_explained = any(end is None for _, end in record.explained)
    record = _no_longer_explained(record, when)
    if was_explained:
        return record
    onset = min(act.onset or when, when)
    return replace(came_back(record), onset=onset)


def _explained_and_over(record: Record, alarm: Alarm) -> bool:
    """Say whether a fault that a parent explained has ended by itself."""
    explained = any(end is None for _, end in record.explained)
    return explained and not alarm.active and alarm.episode == record.ticket.episode


def _no_longer_explained(record: Record, when: float) -> Record:
    spans = tuple((begin, max(begin, when) if end is None else end) for begin, end in record.explained)
    return replace(record, explained=spans)

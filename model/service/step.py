"""One step of a ticket's record: an entry and what becomes of the record, or why it changes nothing.

Theory. The record is a fold over its entries; `replay` of all of them gives the same record, byte for byte. Whatever
comes twice is refused by what is there already, never by a list of what was seen. Level and state follow the alarm as
`model.ticket` says, with one thing added: a person who lowered the level is right until the alarm gets worse than what
was judged. A closed ticket takes confirmations, complaints, excuses, documents and events; its milestones, its level
and its clocks stay as they are.

    act                    changes                                   refused when
    opened                 makes the record                          there is one; the alarm is not announced
    alarm                  state, level, proposals                   known revision; another condition
    acknowledged           who has it; the contract's milestone      not open, taken, or worse than seen
    reached, confirmed     a milestone                               already; out of bounds or of order
    taken_back             a milestone, gone                         not reached; no reason
    level, level_agreed    the level                                 no reason; no such level; not provisional
    paused, resumed        the clocks                                already so; overlapping
    workaround             a limit that both sides agree on          resolved; nobody accepted it
    merged, closed         closed                                    the fault stands; the word is missing
    fired                  the key of an effect, perhaps the level   fired; the clock is not sure
    papers (`papers`)      appended, after closing too               twice; not in the contract
"""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from model.contract import Milestone
from model.service import changes, following, papers, waits
from model.service import entry as acts
from model.service.effect import Kind
from model.service.entry import Entry
from model.service.marks import closing, confirmed, reached, taken_back
from model.service.record import Answer, Record
from model.service.retiming import retimed
from model.service.words import Event, Refusal, Side, Trust
from model.ticket import TicketState


class Stepped(msgspec.Struct, frozen=True):
    """A record after an entry: what happened, in the words of the audit, or why nothing did."""

    record: Record | None
    happened: tuple[str, ...] = ()
    refused: Refusal | None = None


class BrokenAuditError(ValueError):
    """An audit with an entry that cannot have been taken."""


def step(record: Record | None, entry: Entry) -> Stepped:
    """Return the record after an entry. Only an entry that was not refused belongs in the audit."""
    act = entry.act
    if isinstance(act, acts.Opened):
        answer = Refusal.OPEN_ALREADY if record is not None else following.opened(entry, act)
    elif record is None:
        answer = Refusal.NO_TICKET
    elif record.closed and not (type(act) in PAPERS or _document(act)):
        answer = Refusal.CLOSED
    elif entry.side is Side.SYSTEM and type(act) in BY_PEOPLE:
        answer = Refusal.NOT_BY_A_PERSON
    else:
        answer = (PAPERS.get(type(act)) or STEPS[type(act)])(record, entry, act)
    if isinstance(answer, Refusal):
        return Stepped(record, refused=answer)
    after, happened = answer
    entries = 1 if record is None else record.entries + 1
    return Stepped(replace(after, entries=entries, last=max(after.last, entry.at)), happened)


def replay(entries: Iterable[Entry]) -> Record | None:
    """Return the record that an audit adds up to. Raises BrokenAuditError where an entry would be refused."""
    record: Record | None = None
    for number, entry in enumerate(entries, 1):
        after = step(record, entry)
        if after.refused is not None:
            raise BrokenAuditError(f"entry {number} ({type(entry.act).__name__}): {after.refused}")
        record = after.record
    return record


def _document(act: acts.Act) -> bool:
    """Say whether an effect is one of documents, whose clocks go on after closing."""
    return isinstance(act, acts.Fired) and act.effect.kind in {Kind.DOCUMENT_OWED, Kind.DOCUMENT_LATE}


def _reached(record: Record, entry: Entry, act: acts.Reached) -> Answer:
    return _marked(reached(record, entry, act.milestone, act.said), act.milestone, Event.REACHED)


def _confirmed(record: Record, entry: Entry, act: acts.Confirmed) -> Answer:
    return _marked(confirmed(record, entry, act.milestone), act.milestone, Event.CONFIRMED)


def _marked(after: Record | Refusal, milestone: Milestone, event: Event) -> Answer:
    if isinstance(after, Refusal):
        return after
    return after, (event if after.counts(milestone) else Event.PROPOSED,)


def _taken_back(record: Record, _entry: Entry, act: acts.TakenBack) -> Answer:
    if act.milestone not in record.marks:
        return Refusal.NOT_REACHED
    if not act.reason:
        return Refusal.NO_REASON
    return taken_back(record, act.milestone), (Event.TAKEN_BACK,)


def _closed(record: Record, entry: Entry, act: acts.Closed) -> Answer:
    """Close: the fault gone and, where no parent explains it, restored and resolved with the word that is asked for."""
    if record.ticket.state is TicketState.OPEN:
        return Refusal.STANDING if record.standing else Refusal.NOT_CONFIRMED
    if record.workaround is not None and not record.counts(Milestone.RESOLVE):
        return Refusal.WORKAROUND_ONLY
    explained = any(end is None for _, end in record.explained)
    after = record if explained else closing(record, entry)
    if not explained and not (after.counts(Milestone.RESTORE) and after.counts(Milestone.RESOLVE)):
        return Refusal.NOT_CONFIRMED
    ticket = replace(after.ticket, state=TicketState.CLOSED, closed=entry.at)
    after = replace(waits.ended(after, entry.at), ticket=ticket, outcomes=act.outcomes)
    return after, (Event.CLOSED,)


def _fired(record: Record, entry: Entry, act: acts.Fired) -> Answer:
    """Keep that an effect took place; one that raises the level does."""
    effect = act.effect
    key = f"{effect.clock} {effect.step}"
    if entry.trust is not Trust.SURE:
        return Refusal.NOT_SURE
    if effect.ticket != record.ticket.number:
        return Refusal.OTHER_TICKET
    if key in record.fired:
        return Refusal.FIRED
    after = replace(record, fired=(*record.fired, key))
    if effect.kind not in {Kind.UPGRADE, Kind.LASTING}:
        return after, (Event.FIRED,)
    if effect.level >= record.ticket.level:
        return Refusal.UNCHANGED
    after = changes.at_level(after, entry, effect.level, effect.kind, clock=effect.clock, due=effect.due)
    return after, (Event.FIRED, Event.LEVEL_UPGRADED)


Handler = Callable[[Record, Entry, Any], Answer]

STEPS: dict[type[acts.Act], Handler] = {
    acts.AlarmSeen: following.alarm_seen,
    acts.Acknowledged: following.acknowledged,
    acts.Reached: _reached,
    acts.Confirmed: _confirmed,
    acts.TakenBack: _taken_back,
    acts.Started: changes.started,
    acts.Handled: changes.handled,
    acts.ConditionSaid: changes.condition_said,
    acts.LevelSet: changes.level_set,
    acts.Paused: waits.paused,
    acts.Resumed: waits.resumed,
    acts.WorkaroundOnly: waits.workaround_only,
    acts.Repaired: changes.repaired,
    acts.RepairFailed: changes.repair_failed,
    acts.Entitled: changes.entitled,
    acts.Linked: changes.linked,
    acts.Dated: changes.dated,
    acts.Retimed: retimed,
    acts.MergedInto: changes.merged_into,
    acts.TookIn: changes.took_in,
    acts.Closed: _closed,
    acts.Fired: _fired,
}

PAPERS: dict[type[acts.Act], Handler] = {  # taken after closing too
    acts.LevelAgreed: papers.level_agreed,
    acts.CustomerSaid: papers.customer_said,
    acts.Complained: papers.complained,
    acts.Judged: papers.judged,
    acts.Excused: papers.excused,
    acts.AskedFor: papers.asked_for,
    acts.Delivered: papers.delivered,
    acts.Charged: papers.charged,
}

BY_PEOPLE: frozenset[type[acts.Act]] = frozenset(  # neither agent nor desk may say these
    {
        acts.Reached,
        acts.Confirmed,
        acts.TakenBack,
        acts.LevelSet,
        acts.LevelAgreed,
        acts.WorkaroundOnly,
        acts.RepairFailed,
        acts.CustomerSaid,
        acts.Complained,
        acts.Judged,
        acts.Excused,
        acts.Charged,
    }
)

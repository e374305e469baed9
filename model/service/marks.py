"""Milestones: reached by a person, proposed by good readings, confirmed, taken back.

Theory. A mark counts once the side has spoken whose word the contract asks for. Good readings propose that the fault
is restored and resolved; a person confirms where the contract says so, and the time is that of the proposal unless the
person says another. When the fault comes back before the ticket is closed, restored and resolved are taken back and
their clocks run on as if they had never been: what does not hold was not restored. A person's word stays over later
good readings.
"""

from math import floor

from msgspec.structs import replace

from model.contract import Handling, Milestone
from model.service.entry import Entry
from model.service.record import Mark, Record, suffices
from model.service.words import Refusal, Side, Trust
from model.ticket import TicketState

ENDS = (Milestone.RESTORE, Milestone.RESOLVE)
_AFTER = {Milestone.ARRIVE: Milestone.DEPART, Milestone.RESOLVE: Milestone.RESTORE}


def bounded(record: Record, entry: Entry, said: float | None) -> float | Refusal:
    """Return when something happened: as said, or the entry's own time; or why that cannot be."""
    if said is None:
        return max(entry.at, record.start)  # a clock that was set back must not make news impossible
    if said < record.start:
        return Refusal.BEFORE_OPENING
    return Refusal.IN_THE_FUTURE if said > entry.at else said


def marked(record: Record, entry: Entry, milestone: Milestone, when: float, sides: tuple[Side, ...]) -> Record:
    """Return the record with a milestone's mark; it counts when the contract's word is given."""
    mark = Mark(
        when,
        entry.at,
        entry.who,
        entry.source,
        sides,
        suffices(record.terms.word(milestone), sides),
        entry.trust is Trust.SURE,
    )
    return replace(record, marks={**record.marks, milestone: mark})


def reached(record: Record, entry: Entry, milestone: Milestone, said: float | None) -> Record | Refusal:
    """Return the record after a person said that a milestone is reached."""
    before = record.marks.get(milestone)
    if before is not None and not before.sure and entry.trust is Trust.SURE:
        before = None  # its time is not known: this one is better
    if before is not None and (before.counts or before.sides != (Side.SYSTEM,)):
        return Refusal.ALREADY
    when = before.when if before is not None and said is None else bounded(record, entry, said)
    if isinstance(when, Refusal):
        return when
    if _out_of_order(record, milestone, when):
        return Refusal.OUT_OF_ORDER
    sides = (*before.sides, entry.side) if before is not None else (entry.side,)
    record = marked(record, entry, milestone, when, sides)
    if milestone is Milestone.RESOLVE:
        record = _restored_too(record, entry, when)
    if milestone is Milestone.RESTORE:
        record = _resolved_no_sooner(record, entry, when)
    if milestone in {Milestone.DEPART, Milestone.ARRIVE}:
        record = replace(record, handling=Handling.ON_SITE)
    return settled(record, entry.at)


def confirmed(record: Record, entry: Entry, milestone: Milestone) -> Record | Refusal:
    """Return the record after another side confirmed a milestone."""
    mark = record.marks.get(milestone)
    if mark is None:
        return Refusal.NOT_REACHED
    if entry.side in mark.sides:
        return Refusal.ALREADY
    sides = (*mark.sides, entry.side)
    mark = replace(mark, sides=sides, counts=suffices(record.terms.word(milestone), sides))
    return settled(replace(record, marks={**record.marks, milestone: mark}), entry.at)


def proposed(record: Record, entry: Entry, when: float) -> Record:
    """Return the record after the readings turned good: restored, and resolved unless the solution is temporary."""
    for milestone in ENDS:
        temporary = milestone is Milestone.RESOLVE and record.workaround is not None
        if milestone not in record.marks and not temporary:
            record = marked(record, entry, milestone, _not_before(record, milestone, when), (Side.SYSTEM,))
    return record


def came_back(record: Record) -> Record:
    """Return the record after the fault came back: restored and resolved are gone, and the last repair did not hold."""
    marks = without(record.marks, ENDS)
    failed = record.repair is not None and not record.repair.consumable
    return replace(
        record,
        marks=marks,
        taken_back=record.taken_back + (len(marks) < len(record.marks)),
        repair=None,
        failed_repairs=record.failed_repairs + failed,
    )


def taken_back(record: Record, milestone: Milestone) -> Record:
    """Return the record after a person took a milestone back: who is not restored is not resolved, and is open."""
    gone = ENDS if milestone is Milestone.RESTORE else (milestone,)
    after = replace(record, marks=without(record.marks, gone), taken_back=record.taken_back + 1)
    if milestone is Milestone.RESTORE and record.ticket.state is TicketState.RESOLVED:
        return replace(after, ticket=replace(record.ticket, state=TicketState.OPEN, resolved=None))
    return after


def without(marks: dict[Milestone, Mark], gone: tuple[Milestone, ...]) -> dict[Milestone, Mark]:
    """Return the marks but for some."""
    return {milestone: mark for milestone, mark in marks.items() if milestone not in gone}


def acknowledged(record: Record, entry: Entry, who: str, when: float) -> Record:
    """Return the record after somebody took the ticket: reaches the milestone that the contract names, if any."""
    milestone = record.terms.acknowledgement_stops
    if milestone is None or milestone in record.marks:
        return record
    return marked(record, replace(entry, who=who), milestone, max(when, record.start), (Side.SERVICE,))


def closing(record: Record, entry: Entry) -> Record:
    """Return the record with what a person who closes it says by that: restored and resolved, unless said before."""
    if entry.side is Side.SYSTEM:
        return record
    for milestone in ENDS:
        mark = record.marks.get(milestone)
        if mark is None:
            record = marked(record, entry, milestone, max(entry.at, record.start), (entry.side,))
        elif not mark.counts and entry.side not in mark.sides:
            sides = (*mark.sides, entry.side)
            mark = replace(mark, sides=sides, counts=suffices(record.terms.word(milestone), sides))
            record = replace(record, marks={**record.marks, milestone: mark})
    return record


def settled(record: Record, at: float) -> Record:
    """Return the record with its ticket resolved where it is restored and no alarm of its own stands."""
    if record.standing or record.ticket.state is not TicketState.OPEN or not record.counts(Milestone.RESTORE):
        return record
    return replace(record, ticket=replace(record.ticket, state=TicketState.RESOLVED, resolved=at, shelved=False))


def _restored_too(record: Record, entry: Entry, when: float) -> Record:
    """What is resolved is restored: with the same word, and no later."""
    restored = record.marks.get(Milestone.RESTORE)
    if restored is None or (not restored.sure and entry.trust is Trust.SURE):
        return marked(record, entry, Milestone.RESTORE, when, (entry.side,))
    if entry.side in restored.sides:
        return record
    sides = (*restored.sides, entry.side)
    counts = suffices(record.terms.word(Milestone.RESTORE), sides)
    mark = replace(restored, sides=sides, counts=counts, when=min(restored.when, when))
    return replace(record, marks={**record.marks, Milestone.RESTORE: mark})


def _resolved_no_sooner(record: Record, entry: Entry, when: float) -> Record:
    """A person's time for restored moves a proposal of good readings that would come before it."""
    resolved = record.marks.get(Milestone.RESOLVE)
    if resolved is None or resolved.when >= when or not record.marks[Milestone.RESTORE].sure:
        return record
    moved = replace(resolved, when=when, at=entry.at, who=entry.who, source=entry.source)
    return replace(record, marks={**record.marks, Milestone.RESOLVE: moved})


def _not_before(record: Record, milestone: Milestone, when: float) -> float:
    earlier = record.marks.get(_AFTER.get(milestone, milestone))
    return when if earlier is None or not earlier.sure else max(when, earlier.when)


def _out_of_order(record: Record, milestone: Milestone, when: float) -> bool:
    """Say whether departing would come after arriving, or restoring after resolving, by people's words."""
    said = {each: mark.when for each, mark in record.marks.items() if mark.sides != (Side.SYSTEM,) and mark.sure}
    return any(
        (milestone is later and earlier in said and floor(when) < floor(said[earlier]))
        or (milestone is earlier and later in said and floor(when) > floor(said[later]))
        for later, earlier in _AFTER.items()
    )

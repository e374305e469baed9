"""What becomes of a ticket's times when the desk's clock is put right (`model.clock` says by how much).

Theory. Within a boot CLOCK_BOOTTIME counts: whatever was written in it keeps its distance to now, so it moves with the
clock, all of it alike. What was written while the clock was not sure is exact by that. What was written while it was
thought sure moves too, so that no fault gets older by it than was counted: nothing is breached by a clock that was
wrong. If the clocks stood still instead (a paused machine), only a person knows; `moved` lets one date the opening.
"""

from math import floor

from msgspec.structs import replace

from model.service.entry import Entry, Retimed
from model.service.record import Answer, Halt, LevelStep, Mark, Record, Workaround
from model.service.words import Event, Refusal, Trust


def retimed(record: Record, entry: Entry, act: Retimed) -> Answer:
    """Move the times of a ticket with the clock, and call those sure that are exact now."""
    if entry.trust is not Trust.SURE:
        return Refusal.NOT_SURE
    move = _Move(record, entry, act)
    ticket = record.ticket
    here = ticket.opened >= act.since
    shift = act.by if here else act.before
    after = replace(
        record,
        ticket=replace(
            ticket,
            opened=move.opened,
            acknowledged=move.later_if(ticket.acknowledged),
            resolved=move.later_if(ticket.resolved),
        ),
        onset=move.early(record.onset),
        start=move.early(record.start),
        last=move.at(record.last),
        unsure=record.unsure and not here,
        moved=record.moved or (shift != 0 and not (record.unsure and here)),
        starts={start: move.early(when) for start, when in record.starts.items()},
        marks={milestone: move.mark(mark) for milestone, mark in record.marks.items()},
        levels=tuple(move.level(each) for each in record.levels),
        halts=tuple(move.halt(each) for each in record.halts),
        explained=tuple((move.later(begin), move.later_if(end)) for begin, end in record.explained),
        workaround=move.workaround(record.workaround),
        repair=record.repair and replace(record.repair, when=move.later(record.repair.when)),
        asked={document: move.later(when) for document, when in record.asked.items()},
        deliveries=tuple(replace(each, when=move.later(each.when), at=move.at(each.at)) for each in record.deliveries),
    )
    return Refusal.UNCHANGED if after == record else (after, (Event.RETIMED,))


class _Move:
    """Where each time of a ticket goes."""

    def __init__(self, record: Record, entry: Entry, act: Retimed) -> None:
        self.act = act
        self.now = entry.at
        self.opened = self.at(record.ticket.opened)
        self._with_opening = self.opened - record.ticket.opened

    def at(self, when: float) -> float:
        return when + (self.act.by if when >= self.act.since else self.act.before)

    def later(self, when: float) -> float:
        """A time that cannot be before the opening."""
        return max(self.at(when), self.opened)

    def later_if(self, when: float | None) -> float | None:
        return None if when is None else self.later(when)

    def early(self, when: float) -> float:
        """A time that may be before the opening, and was counted back from it."""
        return self.at(when) if when >= self.act.since else when + self._with_opening

    def mark(self, mark: Mark) -> Mark:
        return replace(
            mark, when=self.later(mark.when), at=self.at(mark.at), sure=mark.sure or mark.at >= self.act.since
        )

    def halt(self, halt: Halt) -> Halt:
        return replace(halt, begin=self.later(halt.begin), end=self.later_if(halt.end))

    def level(self, level: LevelStep) -> LevelStep:
        return replace(level, at=self.later(level.at), due=None if level.due is None else self.at(level.due))

    def workaround(self, agreed: Workaround | None) -> Workaround | None:
        """What people agreed on is a date: it stays, unless it is over by the new clock and was not by the old."""
        if agreed is None:
            return None
        due = agreed.due if agreed.due is None or agreed.due > self.now else self.at(agreed.due)
        known_as = agreed.known_as or float(floor(agreed.agreed))
        return replace(agreed, at=self.later(agreed.at), agreed=self.later(agreed.agreed), due=due, known_as=known_as)

"""The record of a ticket: what its entries add up to. The first ticket (`model.ticket`) is part of it, unchanged.

All of it follows from the entries (`model.service.step`), so it may be thrown away and made again. Times are the
desk's Unix seconds.
"""

import msgspec

from model.contract import Handling, Milestone, Start, Word
from model.due import Pause
from model.limits import Situation
from model.rule import Meaning
from model.service.entry import Terms
from model.service.outcome import Outcome
from model.service.words import Cover, Refusal, Side, Tie, Waiting
from model.ticket import Ticket, TicketState


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """A milestone: `when` it was reached, who wrote it down `at` which time and from where, and whose word it has.

    It `counts` when the side that the contract asks for has spoken; until then it is a proposal. `sure` is false when
    the desk's clock was not to be trusted.
    """

    when: float
    at: float
    who: str
    source: str
    sides: tuple[Side, ...]
    counts: bool
    sure: bool = True


class Halt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pause of the clocks, [begin, end); None while it lasts."""

    begin: float
    end: float | None
    waiting: Waiting
    reason: str
    who: str


class LevelStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """The level from `at` on and why; `clock` is the breached one that raised it."""

    at: float
    level: int
    why: str
    who: str
    clock: str = ""
    due: float | None = None


class Workaround(msgspec.Struct, frozen=True, omit_defaults=True):
    """A temporary solution since `at`; `due` is the limit that both sides agreed on at `agreed`.

    `known_as` is what its effects are known by since the clock was put right: `agreed` in whole seconds, as it was.
    """

    at: float
    agreed: float
    reason: str
    due: float | None = None
    accepted_by: str = ""
    known_as: float = 0.0


class Repair(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last repair, which has not failed."""

    when: float
    part: str = ""
    consumable: bool = False


class Bond(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tie to another ticket."""

    tie: Tie
    number: int
    reason: str = ""


class Complaint(msgspec.Struct, frozen=True, omit_defaults=True):
    """A complaint; `proven` is None until somebody looked into it."""

    id: str
    event: str
    text: str
    at: float
    who: str
    proven: bool | None = None
    judged_by: str = ""


class Pardon(msgspec.Struct, frozen=True, omit_defaults=True):
    """An excuse for a limit or an event, accepted by somebody."""

    what_for: str
    excuse: str
    accepted_by: str
    at: float
    who: str
    note: str = ""


class Delivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document as it was delivered."""

    document: str
    when: float
    at: float
    who: str
    signed_by: str = ""


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """The customer's word on the whole ticket."""

    at: float
    who: str
    satisfied: bool
    signed_by: str = ""
    note: str = ""


class Charge(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event that a person says happened."""

    event: str
    at: float
    who: str
    note: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ticket and all that was said of it; `entries` counts what it was made from.

    `ticket.opened` is when it opened, `start` from when its clocks count (earlier once it took another in). `unsure`:
    it opened while the clock was not sure, and nobody has dated it since. `moved`: the opening was put elsewhere with
    a clock that was thought sure, so that its age stayed; a person may know better. `standing`: its alarm stands.
    `assigned` is the level that the contract gives the alarm now, `judged` that level when a person last lowered it:
    until the alarm gets worse than that, the person's word holds. `explained` are times in which a parent explained the
    fault. `guard` is the guard period that it opened in. `fired` are keys of effects, `clock step`. `outcomes` are the
    clocks as they ended, kept at closing.
    """

    ticket: Ticket
    device: str
    fault: str
    terms: Terms
    onset: float
    start: float
    entries: int = 1
    last: float = 0.0
    unsure: bool = False
    moved: bool = False
    standing: bool = False
    meaning: Meaning | None = None
    region: str = ""
    grade: str = ""
    assigned: int = 0
    judged: int = 0
    episodes: dict[str, int] = {}
    starts: dict[Start, float] = {}
    marks: dict[Milestone, Mark] = {}
    taken_back: int = 0
    handling: Handling | None = None
    conditions: tuple[str, ...] = ()
    levels: tuple[LevelStep, ...] = ()
    agreed: dict[Side, int] = {}
    final_level: int = 0
    halts: tuple[Halt, ...] = ()
    explained: tuple[tuple[float, float | None], ...] = ()
    workaround: Workaround | None = None
    repair: Repair | None = None
    failed_repairs: int = 0
    guard: int = 0
    cover: Cover = Cover.UNKNOWN
    bonds: tuple[Bond, ...] = ()
    took_in: tuple[int, ...] = ()
    merged_into: int = 0
    fired: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    excuses: tuple[Pardon, ...] = ()
    asked: dict[str, float] = {}
    deliveries: tuple[Delivery, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    charges: tuple[Charge, ...] = ()

    @property
    def closed(self) -> bool:
        """Say whether the ticket is closed."""
        return self.ticket.state is TicketState.CLOSED

    @property
    def paused(self) -> bool:
        """Say whether the clocks are stopped now: somebody is waited for, or a parent explains the fault."""
        return any(halt.end is None for halt in self.halts) or any(end is None for _, end in self.explained)

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """Every pause as (begin, end or None, reason), overlaps and all, as `model.due` takes them."""
        waits = [(halt.begin, halt.end, halt.waiting.value) for halt in self.halts]
        return tuple(waits + [(begin, end, "explained") for begin, end in self.explained])

    @property
    def situation(self) -> Situation:
        """What decides the contract's limits."""
        fault = f"{self.fault}/{self.ticket.case}" if self.ticket.case else self.fault
        words = frozenset(self.conditions)
        return Situation(self.ticket.level, self.region, self.grade, fault, self.handling, words, self.guard != 0)

    def counts(self, milestone: Milestone) -> bool:
        """Say whether a milestone is reached and has the word that the contract asks for."""
        mark = self.marks.get(milestone)
        return mark is not None and mark.counts


Answer = tuple[Record, tuple[str, ...]] | Refusal  # the record after a step with what happened, or why nothing did


def suffices(word: Word, sides: tuple[Side, ...]) -> bool:
    """Say whether the word that a contract asks for was given."""
    match word:
        case Word.AGENT:
            return bool(sides)
        case Word.PERSON:
            return Side.SERVICE in sides or Side.CUSTOMER in sides
        case Word.CUSTOMER:
            return Side.CUSTOMER in sides
        case Word.BOTH:
            return Side.SERVICE in sides and Side.CUSTOMER in sides

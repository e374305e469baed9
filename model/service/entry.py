"""What is written down of a ticket: entries, each an act with who, when and from where. They are only ever appended.

An entry carries everything that its step needs, so that the same entries give the same record whatever became of the
contract's file since. `at` is the desk's Unix time; `said` is when the person says that it happened: never before the
ticket's opening nor after `at`. `sure` is false while the desk's wall clock is not to be trusted.
"""

import msgspec

from model.alarm import Alarm
from model.contract import Contract, Handling, Milestone, Start, Word
from model.rule import Meaning
from model.service.effect import Effect
from model.service.outcome import Outcome
from model.service.words import Cover, Side, Tie, Trust, Waiting


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a contract decides a ticket's steps, kept with its opening; `words`: whose word each milestone needs."""

    contract: str
    digest: str = ""
    calendar_digest: str = ""
    levels: tuple[int, ...] = ()
    words: dict[Milestone, Word] = {}
    acknowledgement_stops: Milestone | None = None
    conditions: tuple[str, ...] = ()
    excuses: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    def word(self, milestone: Milestone) -> Word:
        """Return whose word a milestone needs."""
        return self.words.get(milestone, Word.AGENT)


def terms_of(contract: Contract, calendar_digest: str = "") -> Terms:
    """Return what of a contract a ticket keeps from its opening on."""
    return Terms(
        contract.name,
        contract.digest,
        calendar_digest,
        tuple(sorted(contract.levels)),
        contract.words,
        contract.acknowledgement_stops,
        tuple(contract.conditions),
        tuple(excuse.key for excuse in contract.excuses),
        tuple(dict.fromkeys(penalty.event for penalty in contract.penalties)),
    )


class Act(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="what"):
    """What an entry says was done; its kind is written as `what`."""


class Opened(Act, frozen=True, kw_only=True, tag="opened"):
    """The ticket opens: by an alarm that people must see to, or by a person (no alarm, a condition of its own).

    `onset` is the fault's in the desk's Unix time. `guard` is the guard period that it opens in, 0 for none.
    `failed_repairs` come from the ticket that this is a recurrence of.
    """

    number: int
    site: str
    condition: str
    device: str
    fault: str
    level: int
    terms: Terms
    onset: float
    alarm: Alarm | None = None
    provisional: bool = False
    case: str = ""
    meaning: Meaning | None = None
    region: str = ""
    grade: str = ""
    starts: dict[Start, float] = {}
    cover: Cover = Cover.UNKNOWN
    recurrence_of: int = 0
    failed_repairs: int = 0
    guard: int = 0


class AlarmSeen(Act, frozen=True, tag="alarm"):
    """The condition's alarm changed; `level` is the desk's, `when` and `onset` its Unix times, 0 for `at`.

    `taken` is when somebody acknowledged it at the site, by the same clock, 0 for `at`.
    """

    alarm: Alarm
    level: int
    provisional: bool = False
    when: float = 0.0
    onset: float = 0.0
    taken: float = 0.0


class Acknowledged(Act, frozen=True, tag="acknowledged"):
    """Somebody takes the ticket; `seen` is the level that was seen, 0 for any."""

    seen: int = 0


class Reached(Act, frozen=True, tag="reached"):
    """A person says that a milestone is reached."""

    milestone: Milestone
    said: float | None = None
    note: str = ""


class Confirmed(Act, frozen=True, tag="confirmed"):
    """A side confirms a milestone that was proposed."""

    milestone: Milestone
    note: str = ""


class TakenBack(Act, frozen=True, tag="taken_back"):
    """A person says that the fault is not restored, or not resolved, after all."""

    milestone: Milestone
    reason: str


class Started(Act, frozen=True, tag="started"):
    """A time from which a limit counts: accepted by both, remote support asked for ..."""

    start: Start
    said: float | None = None


class Handled(Act, frozen=True, tag="handled"):
    """The fault is handled remotely or on site."""

    handling: Handling
    reason: str = ""


class ConditionSaid(Act, frozen=True, tag="condition"):
    """A condition of the contract holds or does not: a supplier is needed, the system is affected ..."""

    condition: str
    holds: bool = True


class LevelSet(Act, frozen=True, tag="level"):
    """A person raises or lowers the level."""

    level: int
    reason: str


class LevelAgreed(Act, frozen=True, tag="level_agreed"):
    """A side confirms the final class of a ticket whose level is provisional; may come after closing."""

    level: int


class Paused(Act, frozen=True, tag="paused"):
    """The clocks stop while somebody else is waited for."""

    waiting: Waiting
    reason: str
    said: float | None = None


class Resumed(Act, frozen=True, tag="resumed"):
    """The clocks run again."""

    said: float | None = None


class WorkaroundOnly(Act, frozen=True, tag="workaround"):
    """The solution is only a temporary one (疑难故障); both sides may agree on a limit, in Unix seconds."""

    reason: str
    due: float | None = None
    accepted_by: str = ""


class Repaired(Act, frozen=True, tag="repaired"):
    """A repair was made; what is worn by use (易损件) counts for no replacement."""

    part: str = ""
    consumable: bool = False
    said: float | None = None


class RepairFailed(Act, frozen=True, tag="repair_failed"):
    """The last repair did not hold."""

    reason: str


class Entitled(Act, frozen=True, tag="entitled"):
    """What the device is entitled to, as far as is known now."""

    cover: Cover
    reason: str


class Linked(Act, frozen=True, tag="linked"):
    """The ticket belongs to another."""

    tie: Tie
    number: int
    reason: str = ""


class Dated(Act, frozen=True, tag="dated"):
    """The time of an opening that came while the clock was not sure, now that it is: by the desk, or by a person."""

    opened: float
    onset: float


class Retimed(Act, frozen=True, tag="retimed"):
    """The desk's clock was put right, and the ticket's times move with it.

    What was written from `since` on (the desk's Unix time of then) moves by `by` seconds and is exact by that; what was
    written before it moves by `before`.
    """

    since: float
    by: float = 0.0
    before: float = 0.0


class MergedInto(Act, frozen=True, tag="merged"):
    """The ticket is the same fault as another, which goes on alone."""

    number: int
    reason: str


class TookIn(Act, frozen=True, tag="took_in"):
    """Another ticket was merged into this one, which takes its earlier start and its worse level."""

    number: int
    opened: float
    onset: float
    level: int


class Closed(Act, frozen=True, tag="closed"):
    """The ticket closes; `outcomes` are its clocks as they ended, by `model.service.clocks.outcomes`."""

    outcomes: tuple[Outcome, ...] = ()
    note: str = ""


class Fired(Act, frozen=True, tag="fired"):
    """An effect of time took place, once."""

    effect: Effect


class CustomerSaid(Act, frozen=True, tag="customer"):
    """The customer's word on the whole ticket."""

    satisfied: bool
    signed_by: str = ""
    note: str = ""


class Complained(Act, frozen=True, tag="complained"):
    """A complaint with its id and the contract's event that it would be."""

    id: str
    event: str
    text: str


class Judged(Act, frozen=True, tag="judged"):
    """A complaint was looked into."""

    id: str
    proven: bool
    reason: str


class Excused(Act, frozen=True, tag="excused"):
    """A limit or a penalty's event that was not kept is excused, for a reason that the contract knows."""

    what_for: str
    excuse: str
    accepted_by: str
    note: str = ""


class AskedFor(Act, frozen=True, tag="asked_for"):
    """The customer asks for a document."""

    document: str
    said: float | None = None


class Delivered(Act, frozen=True, tag="delivered"):
    """A document was delivered; `signed_by` is empty without the signature."""

    document: str
    said: float | None = None
    signed_by: str = ""


class Charged(Act, frozen=True, tag="charged"):
    """A person says that an event happened for which the contract has a penalty or a bonus."""

    event: str
    note: str


Acts = (
    Opened
    | AlarmSeen
    | Acknowledged
    | Reached
    | Confirmed
    | TakenBack
    | Started
    | Handled
    | ConditionSaid
    | LevelSet
    | LevelAgreed
    | Paused
    | Resumed
    | WorkaroundOnly
    | Repaired
    | RepairFailed
    | Entitled
    | Linked
    | Dated
    | Retimed
    | MergedInto
    | TookIn
    | Closed
    | Fired
    | CustomerSaid
    | Complained
    | Judged
    | Excused
    | AskedFor
    | Delivered
    | Charged
)


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An act, when (the desk's Unix seconds), by whom, for which side, and from where: an address, an agent, a page."""

    at: float
    who: str
    act: Acts
    source: str = ""
    side: Side = Side.SERVICE
    trust: Trust = Trust.SURE


def bare(alarm: Alarm) -> Alarm:
    """Return an alarm as an entry keeps it: without the evidence, which is the episode's."""
    return msgspec.structs.replace(alarm, evidence=(), missing=())

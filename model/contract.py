"""What a maintenance contract promises, as frozen values: `config.contract` reads them from config/contracts/*.yaml.

Theory. A contract is words and numbers. Levels have an order (1 is the worst) and a code that people say (1 to 4, A to
D). A fault gets its level from the contract's list, else from the general definitions, and then it is provisional. A
`Limit` says: this milestone, this long after that start, for these levels, this region, grade, fault, way of handling
and these conditions. Where two limits of one name fit, the narrower one rules (`model.limits`). What the text leaves
open is an `OpenPoint` with our choice; what rests on one names its key.

Two texts by language ({"en": ..., "zh": ...}) are `Text`. Nothing here knows a clock: times are Unix seconds elsewhere.
"""

from enum import StrEnum

import msgspec

from model.due import DayEnd, Span
from model.rule import Meaning

Setting = float | str | bool
Text = dict[str, str]


class Start(StrEnum):
    """From what a limit counts. A ticket without a time of its own for one uses its opening."""

    OPEN = "open"  # the ticket opens
    ONSET = "onset"  # the fault itself
    FOUND = "found"  # somebody or something notices it
    REPORT = "report"  # the customer's report, call or notice
    ACCEPTED = "accepted"  # both sides confirm that the fault is accepted
    REQUESTED = "requested"  # the customer's representative confirms the request for service
    REMOTE_REQUESTED = "remote_requested"  # telephone cannot solve it: remote support is asked for
    SITE_REQUESTED = "site_requested"  # support on site is asked for


class Milestone(StrEnum):
    """What a ticket reaches, in the order that it is usually reached in."""

    ACCEPT = "accept"  # somebody takes it
    RESPOND = "respond"  # called back, or work on it begins after contact, as the contract says
    CONTACT = "contact"  # symptom confirmed, visit agreed
    REMOTE = "remote"  # logged in to the device from afar
    DEPART = "depart"
    ARRIVE = "arrive"
    RESTORE = "restore"  # the service is back
    SUBSTITUTE = "substitute"  # another device of the same grade stands in
    RESOLVE = "resolve"  # the fault is thoroughly removed


class Handling(StrEnum):
    """Where a fault is worked on."""

    REMOTE = "remote"
    ON_SITE = "on_site"


class Word(StrEnum):
    """Whose word a milestone needs before it counts."""

    AGENT = "agent"  # good readings are enough
    PERSON = "person"
    CUSTOMER = "customer"
    BOTH = "both"


class DayRule(StrEnum):
    """What "N days" are: N x 24 h to the second, or days by their date, the first left out (`model.due`)."""

    EXACT = "exact"
    CIVIL = "civil"


class Clock(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit in seconds from the opening of a ticket to a milestone; "" stands for every region or fault."""

    level: int
    milestone: str
    limit: float
    region: str = ""
    fault: str = ""


class Limit(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One promise in time: `span` from `after` to `milestone`, for tickets that everything here fits.

    `after` is a Start or the Milestone before. Empty levels, region, grade, fault, handling stand for all of them.
    `when` are conditions that must be said of the ticket, `unless` such that must not. `stopped_by` are the milestones
    that end it. `said` is the span as the contract says it ("7d"). `calendar` counts it, "" the contract's. `open` are
    the keys of the open points it rests on, none where the text is plain.
    """

    name: str
    milestone: Milestone
    span: Span
    said: str
    after: Start | Milestone
    levels: tuple[int, ...] = ()
    region: str = ""
    grade: str = ""
    fault: str = ""
    handling: Handling | None = None
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    stopped_by: tuple[Milestone, ...] = ()
    calendar: str = ""
    open: tuple[str, ...] = ()


class Blank(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit that the contract has and whose number is missing in the text: a site fills it in by a limit.

    Empty levels or grades stand for every one; `negotiated` says that both sides agree on it case by case.
    """

    milestone: Milestone
    after: Start | Milestone
    levels: tuple[int, ...] = ()
    grades: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    handling: Handling | None = None
    negotiated: bool = False
    open: tuple[str, ...] = ()


class Upgrade(msgspec.Struct, frozen=True):
    """A breach of one of these milestones' limits raises the level by one; the new limit counts from `counts_from`."""

    on: tuple[Milestone, ...]
    counts_from: str = "original_start"  # or "breach"
    open: tuple[str, ...] = ()


class Lasting(msgspec.Struct, frozen=True):
    """An interruption that has lasted `seconds` from `after` is of this level; exactly that long counts."""

    level: int
    seconds: float
    after: Start = Start.ONSET
    meaning: Meaning = Meaning.INTERRUPTION


class EscalationStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tell `to` (a role) once: when `share` of the named limit is over, or `seconds` after the ticket's opening."""

    to: str
    title: Text
    levels: tuple[int, ...] = ()
    limit: str = ""
    share: float | None = None
    seconds: float | None = None


class Duty(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document or another service with a limit: `span` after `after`, or due on a day of the next month.

    `after` names an event: restore, resolve, request, inspection_end, month_end ... `month_day` is that day
    of each month, inclusive. `needs` says what makes it count, such as the customer's signature.
    """

    name: str
    title: Text
    after: str
    span: Span | None = None
    said: str = ""
    month_day: int | None = None
    levels: tuple[int, ...] = ()
    needs: Text = {}
    open: tuple[str, ...] = ()


class Penalty(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an event costs: points (below 0 are taken off), or `share` of the fee. Neither: the number is missing.

    `automatic` names the limits, documents and services whose breach is this event; without any a person says so.
    """

    event: str
    title: Text
    points: float | None = None
    share: float | None = None
    per: str = "time"  # or "ticket"
    levels: tuple[int, ...] = ()
    automatic: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


class Excuse(msgspec.Struct, frozen=True):
    """A reason that this contract accepts for a limit that was not kept."""

    key: str
    title: Text


class Recurrence(msgspec.Struct, frozen=True):
    """The same device and fault again within this many calendar years of clearing; `stated` by the text, or ours."""

    years: int = 1
    stated: bool = False


class Replacement(msgspec.Struct, frozen=True):
    """After this many failed repairs of one device and fault, one after another, it should be replaced."""

    repairs: int = 2
    stated: bool = False


class Momentary(msgspec.Struct, frozen=True):
    """This many alarms within `seconds` that ended before their delay are the fault `fault`."""

    fault: str
    count: int
    seconds: float
    open: tuple[str, ...] = ()


class Entitlement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is served: devices on the list alone or all, and the years of warranty where the text has them."""

    title: Text = {}
    listed_only: bool = False
    warranty_years: int | None = None


class ServicePromise(msgspec.Struct, frozen=True, omit_defaults=True):
    """A promise that is shown and measured elsewhere, not clocked on a ticket: an intact rate, answered calls."""

    key: str
    title: Text
    at_least: float | None = None
    within: float | None = None  # seconds


class Guarding(msgspec.Struct, frozen=True):
    """In a guard period (重要通讯保障) the limits of a ticket that opens in it are this share of what is written."""

    share: float
    open: tuple[str, ...] = ()


class OpenPoint(msgspec.Struct, frozen=True):
    """What the contract's text leaves open and what was chosen, in the reader's language."""

    key: str
    text: Text


class Contract(msgspec.Struct, frozen=True):
    """A maintenance contract; `digest` names its exact content (SHA-256, first 16 hexadecimal digits).

    `levels` are titles by order, 1 the worst; `codes` what people say for each ("A"), where it is not the number.
    `definitions` are the levels in words. `cities` are the places of each region. `default_handling` rules until a
    person says how a fault is handled. `words` is whose word a milestone needs where the text says it.
    `acknowledgement_stops` is the milestone that an acknowledgement reaches, None for no milestone at all. `guard` is
    None where limits stay what they are in a guard period.
    """

    name: str
    title: Text
    levels: dict[int, Text]
    general: dict[Meaning, int]
    on_delays: dict[int, float]
    off_delay: float
    faults: dict[str, int] = {}
    settings: dict[str, dict[str, Setting]] = {}
    regions: dict[str, Text] = {}
    clocks: tuple[Clock, ...] = ()
    open: tuple[OpenPoint, ...] = ()
    digest: str = ""
    codes: dict[int, str] = {}
    definitions: dict[int, Text] = {}
    cities: dict[str, tuple[Text, ...]] = {}
    grades: dict[str, Text] = {}
    conditions: dict[str, Text] = {}
    milestones: dict[Milestone, Text] = {}
    starts: dict[Start, Text] = {}
    limits: tuple[Limit, ...] = ()
    blanks: tuple[Blank, ...] = ()
    calendar: str = ""
    day_rule: DayRule = DayRule.EXACT
    day_ends: DayEnd = DayEnd.MIDNIGHT
    default_handling: Handling = Handling.ON_SITE
    words: dict[Milestone, Word] = {}
    acknowledgement_stops: Milestone | None = None
    upgrade: Upgrade | None = None
    lasting: tuple[Lasting, ...] = ()
    escalation: tuple[EscalationStep, ...] = ()
    provisional: Text = {}
    difficult: Text = {}
    momentary: Momentary | None = None
    guard: Guarding | None = None
    recurrence: Recurrence = Recurrence()
    replacement: Replacement = Replacement()
    documents: tuple[Duty, ...] = ()
    services: tuple[Duty, ...] = ()
    penalties: tuple[Penalty, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    entitlement: Entitlement = Entitlement()
    promises: tuple[ServicePromise, ...] = ()

    def code(self, level: int) -> str:
        """Return what people say for a level: "1", or "A"."""
        return self.codes.get(level, str(level))

    def word(self, milestone: Milestone) -> Word:
        """Return whose word a milestone needs: the contract's, else a person's, and the agent's for `restore`."""
        return self.words.get(milestone, Word.AGENT if milestone is Milestone.RESTORE else Word.PERSON)

    def point(self, key: str) -> OpenPoint | None:
        """Return the open point of that key."""
        return next((point for point in self.open if point.key == key), None)

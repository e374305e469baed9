"""A contract as it is written in YAML: the keys of config/contracts/*.yaml, with what each may hold.

    levels: {1: {en: Level 1, zh: 一级故障, means: {en: ..., zh: ...}}, ...}      # the worst first; or A, B, C ...
    general: {interruption: 1, danger: 2, degraded: 3, indirect: 4}
    faults: {network.management_down: 2, subrack.cooling/over_temperature: 2}
    regions: {west_east: {en: ..., zh: ..., cities: [{en: Zhanjiang, zh: 湛江}]}}
    limits:
      - {milestone: depart, within: 1h, after: report, level: 1, region: west_east, handling: on_site}
      - {name: total, milestone: restore, within: 10h, after: report, level: 1, region: west_east, handling: on_site}
      - {milestone: resolve, within: 7wd, after: report, when: [supplier_needed], unless: [system_affected]}
    open: [{key: limits.start, en: "...", zh: "..."}]

A span is written 30s, 30min, 2h, 7d (days as `day_rule` reads them), 5wd (working days) or 8wh (working hours).
"""

import re
from typing import Annotated, Literal

import msgspec

from config.advice import show
from config.fault_rules import Title
from config.node import Node
from config.scalars import Form, Seconds
from config.schema import Delays
from model.contract import DayRule, Handling, Milestone, Start, Word
from model.due import DayEnd, Span, Unit
from model.rule import Meaning

_SPAN = re.compile(r"([1-9][0-9]{0,5})(s|min|h|d|wd|wh)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "wh": 3600}


class Written(msgspec.Struct, frozen=True):
    """A span as it is written: its text, a whole number and a unit."""

    text: str
    amount: int
    unit: str

    def span(self, day_rule: DayRule, day_ends: DayEnd) -> Span:
        """Return the span; days are read by the contract's rule."""
        if self.unit == "wd":
            return Span(self.amount, "working_day", ends=day_ends)
        if self.unit == "d" and day_rule is DayRule.CIVIL:
            return Span(self.amount, "calendar_day", ends=day_ends)
        unit: Unit = "working_second" if self.unit == "wh" else "second"
        return Span(self.amount * _SECONDS[self.unit], unit)


def written(text: str) -> Written:
    """Read a limit: seconds, minutes, hours, days, working days or working hours."""
    match = _SPAN.fullmatch(text)
    if not match:
        raise ValueError(f"{show(text)} is no limit; write for example 30min, 2h, 7d, 5wd or 8wh")
    return Written(text, int(match[1]), match[2])


Within = Annotated[Written, Form(written, "2h")]
Name = Annotated[
    str, msgspec.Meta(pattern=r"[a-z][a-z0-9_]*", description="a word of small letters", examples=["west_east"])
]
Level = Annotated[
    str, msgspec.Meta(pattern=r"[1-9]|[A-Z]", description="a number from 1 to 9 or a capital letter", examples=["1"])
]
After = Literal[
    "open", "onset", "found", "report", "accepted", "requested", "remote_requested", "site_requested",
    "accept", "respond", "contact", "remote", "depart", "arrive", "restore", "substitute", "resolve",
]  # fmt: skip
Event = Literal[
    "arrive",
    "restore",
    "resolve",
    "request",
    "confirmed",
    "inspection_end",
    "month_end",
    "upgrade",
    "receipt",
    "remote",
]
Names = str | tuple[str, ...]
Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


class LevelText(msgspec.Struct, frozen=True):
    """One level: its title, and its definition in words."""

    en: str
    zh: str
    means: Title | None = None


class RegionText(msgspec.Struct, frozen=True):
    """One region and the cities it lists."""

    en: str
    zh: str
    cities: tuple[Title, ...] = ()


class LimitText(msgspec.Struct, frozen=True):
    """One limit; it holds for what it names and for all of what it does not. No `after`: the contract's `start`."""

    milestone: Milestone
    within: Within
    after: After | None = None
    name: Name = ""
    level: Level | tuple[Level, ...] = ()
    region: str = ""
    grade: str = ""
    fault: str = ""
    handling: Handling | None = None
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    stopped_by: tuple[Milestone, ...] = ()
    calendar: str = ""
    open: Names = ()


class BlankText(msgspec.Struct, frozen=True):
    """A limit without a number in the text: lost, or agreed case by case."""

    milestone: Milestone
    after: After | None = None
    level: Level | tuple[Level, ...] = ()
    grade: Names = ()
    region: Names = ()
    handling: Handling | None = None
    negotiated: bool = False
    open: Names = ()


class UpgradeText(msgspec.Struct, frozen=True):
    """A breach of these milestones raises the level."""

    on: Annotated[tuple[Milestone, ...], msgspec.Meta(min_length=1)]
    counts_from: Literal["original_start", "breach"] = "original_start"
    open: Names = ()


class LastingText(msgspec.Struct, frozen=True):
    """What has this meaning and has lasted so long is of this level."""

    level: Level
    lasts: Annotated[Seconds, msgspec.Meta(gt=0, description="more than 0s", examples=["1h"])]
    after: Start = Start.ONSET
    meaning: Meaning = Meaning.INTERRUPTION


class StepText(msgspec.Struct, frozen=True):
    """One step of escalation: by a share of a limit, or by a time from the opening."""

    to: Name
    en: str
    zh: str
    level: Level | tuple[Level, ...] = ()
    limit: str = ""
    share: Share | None = None
    at: Seconds | None = None


class DutyText(msgspec.Struct, frozen=True):
    """One document or service with its limit."""

    name: Name
    en: str
    zh: str
    after: Event
    within: Within | None = None
    month_day: Annotated[int, msgspec.Meta(ge=1, le=28)] | None = None
    level: Level | tuple[Level, ...] = ()
    needs: Title | None = None
    open: Names = ()


class PenaltyText(msgspec.Struct, frozen=True):
    """What one event costs. Neither points nor share: the number is missing in the text."""

    event: Name
    en: str
    zh: str
    points: Annotated[float, msgspec.Meta(ge=-100, le=100)] | None = None
    share: Share | None = None
    per: Literal["time", "ticket"] = "time"
    level: Level | tuple[Level, ...] = ()
    automatic: tuple[str, ...] = ()
    open: Names = ()


class ExcuseText(msgspec.Struct, frozen=True):
    """One reason that the contract accepts."""

    key: Name
    en: str
    zh: str


class RecurrenceText(msgspec.Struct, frozen=True):
    """The calendar years within which the same fault of the same device is a recurrence, as the text says."""

    years: Annotated[int, msgspec.Meta(ge=1, le=10)]


class ReplacementText(msgspec.Struct, frozen=True):
    """The failed repairs after which a device should be replaced, as the text says."""

    repairs: Annotated[int, msgspec.Meta(ge=1, le=10)]


class MomentaryText(msgspec.Struct, frozen=True):
    """How many alarms that ended before their delay are a fault."""

    fault: str
    count: Count
    within: Seconds
    open: Names = ()


class GuardText(msgspec.Struct, frozen=True):
    """What is left of each limit for a ticket that opens in a guard period."""

    share: Share
    open: Names = ()


class EntitlementText(msgspec.Struct, frozen=True):
    """What is served."""

    en: str
    zh: str
    listed_only: bool = False
    warranty_years: Annotated[int, msgspec.Meta(ge=1, le=30)] | None = None


class PromiseText(msgspec.Struct, frozen=True):
    """A promise that is shown and not clocked."""

    key: Name
    en: str
    zh: str
    at_least: Share | None = None
    within: Seconds | None = None


class OpenText(msgspec.Struct, frozen=True):
    """What the contract's text leaves open, and our choice."""

    key: str
    en: str
    zh: str


class ContractText(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as it is written."""

    title: Title
    levels: dict[Level, LevelText]
    general: dict[Meaning, Level]
    delays: Delays
    faults: dict[str, Level] = {}
    settings: dict[str, Node] = {}
    regions: dict[str, RegionText] = {}
    grades: dict[str, Title] = {}
    conditions: dict[Name, Title] = {}
    milestones: dict[Milestone, Title] = {}
    starts: dict[Start, Title] = {}
    calendar: str = ""
    day_rule: DayRule = DayRule.EXACT
    day_ends: DayEnd = DayEnd.MIDNIGHT
    handling: Handling = Handling.ON_SITE
    start: Start = Start.OPEN
    limits: tuple[LimitText, ...] = ()
    blanks: tuple[BlankText, ...] = ()
    words: dict[Milestone, Word] = {}
    acknowledgement_stops: Milestone | None = None
    upgrade: UpgradeText | None = None
    lasting: tuple[LastingText, ...] = ()
    escalation: tuple[StepText, ...] = ()
    provisional: Title | None = None
    difficult: Title | None = None
    momentary: MomentaryText | None = None
    guard: GuardText | None = None
    recurrence: RecurrenceText | None = None
    replacement: ReplacementText | None = None
    documents: tuple[DutyText, ...] = ()
    services: tuple[DutyText, ...] = ()
    penalties: tuple[PenaltyText, ...] = ()
    excuses: tuple[ExcuseText, ...] = ()
    entitlement: EntitlementText | None = None
    promises: tuple[PromiseText, ...] = ()
    open: tuple[OpenText, ...] = ()

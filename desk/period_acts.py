"""What a person asks for of a window or a guard period, by program or by form: words in, what became of it out."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from desk.core import Desk
from desk.ledger import Ledger
from desk.notices import swaps_after
from desk.period_store import guard_numbered, window_numbered
from desk.periods import (
    Author,
    approve_window,
    declare_guard,
    end_guard,
    end_window,
    extend_window,
    plan_window,
    set_roster,
)
from desk.store import Db, every, site_of
from desk.web import ProblemError, good_name
from model.contract import Text
from model.period import LONGEST_GUARD, GuardDuty, GuardPeriod, No, Scope, Window, over
from model.period_protocol import DeclareGuard, EndPeriod, ExtendWindow, PlanWindow, SetRoster, When
from model.period_text import TextError, duty_of, known_zone, scope_of, until
from model.period_words import Refused
from model.roster import Roster, duties

T = TypeVar("T")
LONGEST_TEXT = 500  # characters of what is said
LONGEST_DUTY = 20_000
_NO_ZONE = {
    "en": "Say which time zone is meant: these sites have no common one.",
    "zh": "请写明时区：这些站点的时区不同。",
}
Turns = Callable[[str], tuple[GuardDuty, ...]]
Became = Window | GuardPeriod | Refused
WHOSE_WORDS_ARE_WRONG = frozenset(  # 422; everything else is a conflict with what stands: 409
    {No.NO_WORK, No.NO_REASON, No.NO_ROSTER, No.ROSTER_GAP, No.ENDS_FIRST, No.PAST, No.TOO_LONG, No.NOT_LATER,
     No.NOT_URGENT, No.SELF_APPROVED, No.UNKNOWN_PLACE, No.BAD_TIME}
)  # fmt: skip


class WordsError(ProblemError):
    """Words that cannot be read, and what would be right, in both languages."""

    def __init__(self, error: str, said: Text) -> None:
        super().__init__(400, error, said["en"])
        self.said = said


@dataclass(frozen=True)
class Home:
    """What the desk adds to people's words: its own time zone, and its roster, if there is one."""

    zone: str
    roster: Roster | None = None


def home_of(desk: Desk) -> Home:
    """Return what a desk adds to people's words."""
    return Home(desk.settings.timezone, desk.people.file.roster if desk.people.file else None)


def plan(ledger: Ledger, asked: PlanWindow, source: str, home: Home) -> Became:
    """Plan work as somebody asks. Raises ProblemError for words that cannot be read."""
    scope = _read(lambda: scope_of(asked.where))
    zone = _zone(ledger.db, scope, asked.zone, home.zone)
    start = _time(asked.start, zone, ledger.now) if asked.start != "" else ledger.now
    window = Window(
        id=0,
        start=start,
        end=_time(asked.end, zone, start),
        scope=scope,
        work=_text(asked.work),
        by="",
        kind=asked.kind,
        zone=zone,
        urgent=asked.urgent,
        approved_by=good_name(asked.approved_by) if asked.approved_by.strip() else "",
    )
    return _in_zone(plan_window(ledger, window, Author(good_name(asked.by), source)), zone)


def extend(ledger: Ledger, number: int, asked: ExtendWindow, source: str, home: Home) -> Became:
    """Let a window end later."""
    window = window_numbered(ledger.db, number)
    zone = _zone(ledger.db, window.scope, window.zone, home.zone) if window else ""
    author = Author(good_name(asked.by), source)
    end = _time(asked.end, zone, ledger.now) if window else 0.0
    return _in_zone(extend_window(ledger, number, end, _text(asked.reason), author), zone)


def end(ledger: Ledger, number: int, asked: EndPeriod, source: str) -> Became:
    """End a window now."""
    return end_window(ledger, number, _text(asked.reason), Author(good_name(asked.by), source))


def approve(ledger: Ledger, number: int, asked: EndPeriod, source: str) -> Became:
    """Approve a window's urgent work."""
    return approve_window(ledger, number, _text(asked.reason), Author(good_name(asked.by), source))


def declare(ledger: Ledger, asked: DeclareGuard, source: str, home: Home) -> Became:
    """Declare a guard period as somebody asks."""
    scope = _read(lambda: scope_of(asked.where))
    zone = _zone(ledger.db, scope, asked.zone, home.zone)
    start = _time(asked.start, zone, ledger.now) if asked.start != "" else ledger.now
    ends = _time(asked.end, zone, start)
    team = _team(ledger, home, start, ends)
    duty = _read(lambda: duty_of(_text(asked.duty, LONGEST_DUTY), start, ends, zone, team))
    guard = GuardPeriod(0, start, ends, scope, _text(asked.name), "", duty, zone)
    return _in_zone(declare_guard(ledger, guard, Author(good_name(asked.by), source)), zone)


def roster(ledger: Ledger, number: int, asked: SetRoster, source: str, home: Home) -> Became:
    """Give a guard period another roster from now on."""
    author = Author(good_name(asked.by), source)
    guard = guard_numbered(ledger.db, number)
    if guard is None:
        return Refused(No.NO_SUCH)
    if over(guard, ledger.now):
        return Refused(No.OVER)
    zone = _zone(ledger.db, guard.scope, guard.zone, home.zone)
    team = _team(ledger, home, guard.start, guard.end)
    duty = _read(lambda: duty_of(_text(asked.duty, LONGEST_DUTY), guard.start, guard.end, zone, team))
    return _in_zone(set_roster(ledger, number, duty, _text(asked.reason), author), zone)


def end_early(ledger: Ledger, number: int, asked: EndPeriod, source: str) -> Became:
    """End a guard period now."""
    return end_guard(ledger, number, _text(asked.reason), Author(good_name(asked.by), source))


def status_of(refused: Refused) -> int:
    """Return the HTTP status of a refusal."""
    if refused.no is No.NO_SUCH:
        return 404
    return 422 if refused.no in WHOSE_WORDS_ARE_WRONG else 409


def _team(ledger: Ledger, home: Home, start: float, end: float) -> Turns | None:
    """Return how to find a team's turns in the roster, substitutes included, as they are said by now."""
    roster = home.roster
    if roster is None:
        return None

    def turns(name: str) -> tuple[GuardDuty, ...]:
        if name not in roster.teams:
            known = ", ".join(sorted(roster.teams))
            raise TextError(
                f"the roster has no team {name[:60]!r}; it has {known}", f"值班表没有班组“{name[:60]}”，现有：{known}"
            )
        if not (math.isfinite(start) and start < end <= start + LONGEST_GUARD):
            return ()  # refused for its times in a moment
        found = duties(roster, name, start, end, swaps_after(ledger.db, ledger.now))
        people = roster.people
        return tuple(
            GuardDuty(
                people[duty.person].name if duty.person in people else duty.person,
                duty.start,
                duty.end,
                ", ".join(channel.to for channel in people[duty.person].channels) if duty.person in people else "",
            )
            for duty in found
        )

    return turns


def _in_zone(became: Became, zone: str) -> Became:
    """Have a refusal tell its times in the zone that they were said in."""
    return replace(became, zone=zone) if isinstance(became, Refused) else became


def _zone(db: Db, scope: Scope, asked: str, home: str) -> str:
    """Return the time zone that times are said in: as asked, the one that all named sites have, or the desk's."""
    if asked.strip():
        return _read(lambda: known_zone(asked.strip()))
    named = {*scope.sites, *(device.partition("/")[0] for device in scope.devices)}
    zones = {site.timezone for site in (site_of(db, name) for name in named) if site}
    if not zones:
        sql = "SELECT DISTINCT region, timezone FROM sites"
        zones = {row["timezone"] for row in every(db, sql) if not scope.regions or row["region"] in scope.regions}
    known = next(iter(zones)) if len(zones) == 1 else ""
    return known or home


def _time(said: When, zone: str, since: float) -> float:
    """Return a time in Unix seconds; text may say how long after `since`."""
    if isinstance(said, int | float):
        return float(said)
    if not zone and not _without_zone(said):
        raise WordsError("time", _NO_ZONE)
    return _read(lambda: until(said, since, zone))


def _without_zone(said: str) -> bool:
    """Say whether a text needs no zone: it says how long, or has its own offset."""
    try:
        return until(said, 0.0, "UTC") == until(said, 0.0, "Asia/Shanghai")
    except TextError:
        return True  # whatever it is, `until` says what is wrong


def _read(reading: Callable[[], T]) -> T:
    try:
        return reading()
    except TextError as error:
        raise WordsError("words", error.said) from error


def _text(said: str, most: int = LONGEST_TEXT) -> str:
    text = said.strip()
    if len(text) > most:
        raise WordsError("words", {"en": f"A text has at most {most} characters.", "zh": f"文字最多 {most} 字。"})
    return text

"""Maintenance windows and guard periods (重要通讯保障): what they cover, when they hold, and why one is refused.

Theory. Both are half-open times [start, end) in Unix seconds over a scope. Whether one holds is worked out from the
time alone, so nothing has to run for it to end and nothing can make it last. A window (planned work) holds tickets
back; it hides no alarm. A guard period freezes routine work in its places: a routine window is refused there, and one
that was planned before the guard was declared holds nothing back while guarded, unless it is urgent and somebody
other than who asked approved it. No source says that a guard shortens limits, so it does not.

    window planned   start in the future: shown, holds nothing
    window in force  start <= now < end, and not frozen by a guard period
    window over      now >= end: by time, or ended by a person, also before it began; never extended again

Danger to life and house is not what planned work means when it names no fault: smoke, fire, gas and water are held
back only by a window that names them, and by a walk-test, which exercises them.
"""

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

LONGEST_WINDOW = 24 * 3600.0  # seconds from now on to the end of planned work; ours: no contract says how long
LONGEST_GUARD = 90 * 86_400.0  # a flood season (汛期); ours too
LATE = 300.0  # seconds that a start may lie back: a form takes its time
LATEST = 253_000_000_000.0  # of the year 9987: a time that a calendar has
DANGERS = ("smoke.*", "fire.*", "gas.*", "leak.*")  # ours: to life and house; a window that means them names them


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Places and faults. No place named: everywhere; no fault named: every fault.

    A device is `SITE/DEVICE`; a fault is a name such as `mains.lost`, or `mains.*` for all of one subject.
    """

    regions: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Say whether no place is named."""
        return not (self.regions or self.sites or self.devices)


class Place(msgspec.Struct, frozen=True):
    """Where a fault is: the desk's region of the site, the site, the device, and the fault's name."""

    region: str
    site: str
    device: str
    fault: str


class Work(StrEnum):
    """What planned work is. Only routine work is frozen by a guard period."""

    ROUTINE = "routine"  # 例行维护: inspection, cleaning, an upgrade that can wait
    CUTOVER = "cutover"  # 割接, 搬迁: agreed beforehand by both sides
    REPAIR = "repair"  # the repair of a fault that stands
    WALKTEST = "walktest"  # 验收测试: every fault is exercised (`model.walktest`); never planned as a window


class No(StrEnum):
    """Why something is refused."""

    NO_SUCH = "no_such"
    NO_WORK = "no_work"  # nobody said what is done
    NO_REASON = "no_reason"
    NO_ROSTER = "no_roster"
    ROSTER_GAP = "roster_gap"  # there is a time without anybody on duty
    ENDS_FIRST = "ends_first"  # the end is not after the start
    PAST = "past"  # it begins, or ends, before now
    TOO_LONG = "too_long"
    NOT_LATER = "not_later"  # an extension must end later
    OVER = "over"
    GUARDED = "guarded"  # a guard period freezes routine work there
    NOT_URGENT = "not_urgent"  # an approval is for urgent work
    SELF_APPROVED = "self_approved"  # who asks does not approve
    UNKNOWN_PLACE = "unknown_place"
    BAD_TIME = "bad_time"
    WALKTEST = "walktest"  # 验收测试: every fault is exercised (`model.walktest`); never planned as a window


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person did to a period, when, and why; `end` is its end since then."""

    at: float
    who: str
    what: str
    end: float = 0.0
    reason: str = ""


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """Planned work: `work` in words, by whom it was asked for. `zone` is the time zone that it was said in."""

    id: int
    start: float
    end: float
    scope: Scope
    work: str
    by: str
    kind: Work = Work.ROUTINE
    zone: str = ""
    urgent: bool = False
    approved_by: str = ""
    steps: tuple[Step, ...] = ()


class GuardDuty(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody's duty, [start, end), and where to reach them."""

    who: str
    start: float
    end: float
    contact: str = ""


class GuardPeriod(msgspec.Struct, frozen=True, omit_defaults=True):
    """A guard period: `name` in words, who is on duty in it. Its scope names places, no faults."""

    id: int
    start: float
    end: float
    scope: Scope
    name: str
    by: str
    duty: tuple[GuardDuty, ...]
    zone: str = ""
    steps: tuple[Step, ...] = ()


Regions = Callable[[str], str]  # the region of a site


def within(start: float, end: float, at: float) -> bool:
    """Say whether a moment lies in [start, end)."""
    return start <= at < end


def over(period: Window | GuardPeriod, at: float) -> bool:
    """Say whether a period is over at a moment: its end has come, or it was called off before it began."""
    return at >= period.end or period.end <= period.start


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Say whether two half-open times share a moment: one that begins when the other ends does not."""
    return max(one[0], other[0]) < min(one[1], other[1])


def _fault_named(faults: Iterable[str], fault: str) -> bool:
    return any(fault == each or (each.endswith(".*") and fault.startswith(each[:-1])) for each in faults)


def reaches(scope: Scope, place: Place) -> bool:
    """Say whether a place is among those of a scope, whatever the fault."""
    return (
        scope.everywhere
        or place.site in scope.sites
        or f"{place.site}/{place.device}" in scope.devices
        or bool(place.region and place.region in scope.regions)
    )


def covers(scope: Scope, place: Place) -> bool:
    """Say whether a fault at a place is in a scope: one that it names, or where it names none, all but `DANGERS`."""
    if not reaches(scope, place):
        return False
    return _fault_named(scope.faults, place.fault) if scope.faults else not _fault_named(DANGERS, place.fault)


def holds_there(window: Window, place: Place) -> bool:
    """Say whether a window is about a fault at a place; a walk-test is about every one, `DANGERS` too."""
    return reaches(window.scope, place) if window.kind is Work.WALKTEST else covers(window.scope, place)


def meet(one: Scope, other: Scope, region_of: Regions) -> bool:
    """Say whether two scopes have a place in common, faults apart."""
    if one.everywhere or other.everywhere:
        return True
    if set(one.devices) & set(other.devices) or _sites_in(one, other, region_of) or _sites_in(other, one, region_of):
        return True
    return bool(set(one.regions) & set(other.regions))


def _sites_in(one: Scope, other: Scope, region_of: Regions) -> bool:
    """Say whether a site of one, or of its devices, lies in a site or region of the other."""
    named = {*one.sites, *(device.partition("/")[0] for device in one.devices)}
    return any(site in other.sites or region_of(site) in other.regions for site in named)


def frozen_by(
    window: Window, guards: Iterable[GuardPeriod], at: float, reached: Callable[[Scope], bool]
) -> GuardPeriod | None:
    """Return the guard period that freezes a window at a moment; `reached` says which scopes concern the asker."""
    if window.kind is not Work.ROUTINE or (window.urgent and window.approved_by):
        return None
    return next((guard for guard in guards if within(guard.start, guard.end, at) and reached(guard.scope)), None)


def holding(windows: Iterable[Window], guards: Sequence[GuardPeriod], place: Place, at: float) -> Window | None:
    """Return the window that holds a fault's ticket back at a moment: of several the one that ends last."""
    there = [window for window in windows if within(window.start, window.end, at) and holds_there(window, place)]
    return _holding(there, [guard for guard in guards if reaches(guard.scope, place)], at)


def _holding(windows: Iterable[Window], guards: Sequence[GuardPeriod], at: float) -> Window | None:
    """Return the window that holds at a moment, of windows and guard periods that all reach a place."""
    found = [
        window
        for window in windows
        if within(window.start, window.end, at) and frozen_by(window, guards, at, lambda _: True) is None
    ]
    return max(found, key=lambda window: (window.end, -window.id), default=None)


def held_until(windows: Sequence[Window], guards: Sequence[GuardPeriod], place: Place, since: float) -> float:
    """Return the first moment from `since` on at which nothing holds a fault's ticket back.

    Windows that follow or overlap each other hold on together; a guard period that begins ends what it freezes. So a
    window holds from where it does until its end, or until the next guard period begins there: who holds then?
    """
    windows = [window for window in windows if holds_there(window, place)]
    guards = [guard for guard in guards if reaches(guard.scope, place)]
    at = since
    while (window := _holding(windows, guards, at)) is not None:
        at = min((guard.start for guard in guards if at < guard.start < window.end), default=window.end)
    return at


def guarding(window: Window, guards: Iterable[GuardPeriod], region_of: Regions) -> GuardPeriod | None:
    """Return the first guard period that a window would fall into: any shared moment and place is enough."""
    if window.kind is not Work.ROUTINE or (window.urgent and window.approved_by):
        return None
    return next(
        (
            guard
            for guard in guards
            if overlap((window.start, window.end), (guard.start, guard.end))
            and meet(window.scope, guard.scope, region_of)
        ),
        None,
    )


def window_refused(window: Window, now: float, longest: float = LONGEST_WINDOW) -> No | None:
    """Return why planned work is refused whatever is guarded; None when it may be. `longest` in seconds."""
    if not window.work.strip():
        return No.NO_WORK
    if window.kind is Work.WALKTEST:
        return No.WALKTEST
    if (no := _times_refused(window.start, window.end, now, longest)) is not None:
        return no
    return approval_refused(window) if window.approved_by else None


def approval_refused(window: Window) -> No | None:
    """Return why an approval does not count: the work can wait, or who asks approves."""
    if not window.urgent:
        return No.NOT_URGENT
    return No.SELF_APPROVED if same_person(window.approved_by, window.by) else None


def same_person(one: str, other: str) -> bool:
    """Say whether two names are one person's, however they are typed: width, case and blanks aside."""
    return _typed(one) == _typed(other)


def _typed(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def guard_refused(guard: GuardPeriod, now: float, longest: float = LONGEST_GUARD) -> No | None:
    """Return why a guard period is refused: it must have a name and somebody on duty in every moment."""
    if not guard.name.strip():
        return No.NO_WORK
    if (no := _times_refused(guard.start, guard.end, now, longest)) is not None:
        return no
    if not guard.duty:
        return No.NO_ROSTER
    return No.ROSTER_GAP if gap(guard.duty, guard.start, guard.end) else None


def _times_refused(start: float, end: float, now: float, longest: float) -> No | None:
    if not (math.isfinite(start) and math.isfinite(end)) or max(start, end) > LATEST:
        return No.BAD_TIME
    if end <= start:
        return No.ENDS_FIRST
    if start < now - LATE or end <= now:
        return No.PAST
    return No.TOO_LONG if end - max(start, now) > longest else None


def extended(window: Window, end: float, step: Step, longest: float = LONGEST_WINDOW) -> Window | No:
    """Return a window with a later end, by a person and with a reason; what is over stays over.

    However often it is extended, it never reaches further than `longest` seconds from the moment of the extension.
    """
    if over(window, step.at):
        return No.OVER
    if not step.reason.strip():
        return No.NO_REASON
    if not math.isfinite(end) or end <= window.end:
        return No.NOT_LATER
    if end - max(window.start, step.at) > longest:
        return No.TOO_LONG
    return replace(window, end=end, steps=(*window.steps, replace(step, what="extended", end=end)))


def ended(window: Window, step: Step) -> Window | No:
    """Return a window that ends now, by a person; one that has not begun never does."""
    if over(window, step.at):
        return No.OVER
    end = max(step.at, window.start)
    return replace(window, end=end, steps=(*window.steps, replace(step, what="ended", end=end)))


def approved(window: Window, step: Step) -> Window | No:
    """Return urgent work with the name of who approved it."""
    if over(window, step.at):
        return No.OVER
    after = replace(window, approved_by=step.who)
    return approval_refused(after) or replace(after, steps=(*window.steps, replace(step, what="approved")))


def with_duty(guard: GuardPeriod, duty: tuple[GuardDuty, ...], step: Step) -> GuardPeriod | No:
    """Return a guard period with another roster from now on; who was on duty until now stays written down."""
    if over(guard, step.at):
        return No.OVER
    begin = max(step.at, guard.start)
    past = tuple(replace(turn, end=min(turn.end, begin)) for turn in guard.duty if turn.start < begin)
    coming = tuple(replace(turn, start=max(turn.start, begin)) for turn in duty if turn.end > begin)
    if gap(coming, begin, guard.end):
        return No.ROSTER_GAP
    return replace(guard, duty=past + coming, steps=(*guard.steps, replace(step, what="roster")))


def guard_ended(guard: GuardPeriod, step: Step) -> GuardPeriod | No:
    """Return a guard period that ends now, by a person with a reason."""
    if over(guard, step.at):
        return No.OVER
    if not step.reason.strip():
        return No.NO_REASON
    end = max(step.at, guard.start)
    return replace(guard, end=end, steps=(*guard.steps, replace(step, what="ended", end=end)))


def gap(duty: Iterable[GuardDuty], start: float, end: float) -> tuple[float, float] | None:
    """Return the first time in [start, end) without anybody on duty, None when there is none."""
    covered = start
    for turn in sorted(duty, key=lambda turn: turn.start):
        if covered >= end:
            break
        if turn.end <= covered or turn.end <= turn.start:
            continue
        if turn.start > covered:
            return covered, min(turn.start, end)
        covered = turn.end
    return None if covered >= end else (covered, end)


def on_duty(duty: Iterable[GuardDuty], at: float) -> tuple[str, ...]:
    """Return who is on duty at a moment."""
    return tuple(dict.fromkeys(turn.who for turn in duty if within(turn.start, turn.end, at)))

"""Windows and guard periods, pure: half-open times, zones, scopes, what holds, and why something is refused."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.fault_rules import load_faults
from model.period import (
    LONGEST_WINDOW,
    GuardDuty,
    GuardPeriod,
    No,
    Place,
    Scope,
    Step,
    Window,
    Work,
    approved,
    covers,
    ended,
    extended,
    gap,
    guard_ended,
    guard_refused,
    guarding,
    held_until,
    holding,
    meet,
    on_duty,
    overlap,
    window_refused,
    with_duty,
)

HOUR = 3600.0
UPS = Place("east", "S1", "ups", "mains.lost")


def window(start: float = 0.0, end: float = HOUR, scope: Scope = Scope(sites=("S1",)), **more: object) -> Window:  # noqa: B008 - a constant
    return Window(1, start, end, scope, "change the rectifier", "Li Na", **more)  # type: ignore[arg-type]


def guard(start: float = 0.0, end: float = HOUR, scope: Scope = Scope(), **more: object) -> GuardPeriod:  # noqa: B008 - a constant
    given: dict[str, object] = {"duty": (GuardDuty("Wang", start, end),)} | more
    return GuardPeriod(1, start, end, scope, "Flood season", "Li Na", **given)  # type: ignore[arg-type]


def did(at: float, reason: str = "it takes longer", who: str = "Chen") -> Step:
    return Step(at, who, "", reason=reason)


# times are half-open


@pytest.mark.parametrize(("at", "held"), [(-0.001, False), (0.0, True), (HOUR - 0.001, True), (HOUR, False)])
def test_a_window_holds_from_its_start_and_no_longer_at_its_end(at: float, held: bool) -> None:
    assert (holding([window()], [], UPS, at) is not None) is held


def test_two_periods_of_which_one_begins_when_the_other_ends_share_nothing() -> None:
    assert not overlap((0, 10), (10, 20))
    assert overlap((0, 10), (9, 20))
    assert not overlap((5, 5), (0, 10))


def test_a_window_is_over_by_time_alone_however_late_somebody_looks() -> None:
    assert holding([window()], [], UPS, HOUR + 40 * 365 * 86_400) is None


# scopes


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        (Scope(), True),
        (Scope(regions=("east",)), True),
        (Scope(regions=("west",)), False),
        (Scope(sites=("S1",)), True),
        (Scope(sites=("S2",)), False),
        (Scope(devices=("S1/ups",)), True),
        (Scope(devices=("S2/ups",)), False),
        (Scope(devices=("S1/pdu",)), False),
        (Scope(regions=("west",), sites=("S1",)), True),
        (Scope(faults=("mains.lost",)), True),
        (Scope(faults=("mains.*",)), True),
        (Scope(faults=("mains.los",)), False),
        (Scope(faults=("main.*",)), False),
        (Scope(sites=("S2",), faults=("mains.lost",)), False),
        (Scope(sites=("S1",), faults=("smoke",)), False),
    ],
)
def test_a_scope_covers_what_it_names(scope: Scope, inside: bool) -> None:
    assert covers(scope, UPS) is inside


def test_a_site_without_a_region_is_in_no_region() -> None:
    assert not covers(Scope(regions=("",)), replace(UPS, region=""))


def test_a_window_that_names_faults_holds_no_other_fault_back_of_whatever_level() -> None:
    named = window(scope=Scope(sites=("S1",), faults=("mains.lost", "rectifier.*")))
    assert holding([named], [], UPS, 1.0) == named
    assert holding([named], [], replace(UPS, fault="rectifier.failed"), 1.0) == named
    assert holding([named], [], replace(UPS, fault="smoke.detected"), 1.0) is None


@pytest.mark.parametrize("fault", ["smoke.detected", "leak.detected", "gas.detected", "fire.alarm"])
def test_what_endangers_life_and_house_is_held_only_by_a_window_that_names_it(fault: str) -> None:
    place = replace(UPS, fault=fault)
    assert holding([window()], [], place, 1.0) is None
    assert holding([window(scope=Scope())], [], place, 1.0) is None
    named = window(scope=Scope(sites=("S1",), faults=(fault,)))
    assert holding([window(), named], [], place, 1.0) == named
    assert holding([window(), named], [], UPS, 1.0) == window()


def test_every_shipped_fault_of_fire_and_water_is_among_the_dangers() -> None:
    causes = {name: rule.text.cause for name, rule in load_faults().items()}
    found = {name for name, cause in causes.items() if cause in {"smoke", "flood", "fire"}}
    assert found == {"smoke.detected", "leak.detected"}
    assert all(not covers(Scope(), replace(UPS, fault=name)) for name in found)


def regions(site: str) -> str:
    return {"S1": "east", "S2": "west"}.get(site, "")


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (Scope(), Scope(devices=("S9/x",)), True),
        (Scope(regions=("east",)), Scope(sites=("S1",)), True),
        (Scope(regions=("east",)), Scope(sites=("S2",)), False),
        (Scope(regions=("east",)), Scope(regions=("east", "west")), True),
        (Scope(regions=("east",)), Scope(regions=("west",)), False),
        (Scope(devices=("S1/ups",)), Scope(regions=("east",)), True),
        (Scope(devices=("S1/ups",)), Scope(sites=("S1",)), True),
        (Scope(devices=("S1/ups",)), Scope(devices=("S1/pdu",)), False),
        (Scope(devices=("S1/ups",)), Scope(devices=("S1/ups",)), True),
    ],
)
def test_two_scopes_meet_where_they_have_a_place_in_common(one: Scope, other: Scope, common: bool) -> None:
    assert meet(one, other, regions) is common
    assert meet(other, one, regions) is common


# a chain of windows


def test_a_fault_is_held_until_the_end_of_its_window() -> None:
    assert held_until([window()], [], UPS, 1800.0) == HOUR


def test_windows_that_follow_each_other_without_a_gap_hold_on_together() -> None:
    two = [window(), replace(window(HOUR, 2 * HOUR), id=2)]
    assert held_until(two, [], UPS, 10.0) == 2 * HOUR


def test_a_gap_of_a_second_between_two_windows_ends_the_holding() -> None:
    two = [window(), replace(window(HOUR + 1, 2 * HOUR), id=2)]
    assert held_until(two, [], UPS, 10.0) == HOUR


def test_a_window_of_another_place_holds_nothing_on() -> None:
    two = [window(), replace(window(0, 5 * HOUR, Scope(sites=("S2",))), id=2)]
    assert held_until(two, [], UPS, 10.0) == HOUR


TIMES = st.integers(0, 12)
PLANS = st.tuples(TIMES, TIMES, st.sampled_from(["S1", "S2"]), st.booleans())


@given(st.lists(PLANS, max_size=6), st.lists(st.tuples(TIMES, TIMES), max_size=3), TIMES)
def test_a_fault_is_held_until_the_first_moment_at_which_nothing_holds_it(
    plans: list[tuple[int, int, str, bool]], guarded: list[tuple[int, int]], since: int
) -> None:
    windows = [
        replace(
            window(start, end, Scope(sites=(site,)), urgent=urgent, approved_by="Chen" if urgent else ""), id=number
        )
        for number, (start, end, site, urgent) in enumerate(plans)
    ]
    guards = [guard(start, end) for start, end in guarded]
    first = next(at for at in range(since, 14) if holding(windows, guards, UPS, at) is None)
    assert held_until(windows, guards, UPS, since) == first


def test_what_nothing_holds_is_held_until_the_moment_itself() -> None:
    assert held_until([window()], [], UPS, HOUR) == HOUR


# guard periods freeze routine work


def test_routine_work_that_was_planned_before_holds_nothing_while_guarded() -> None:
    declared = guard(600.0, 1200.0)
    assert holding([window()], [declared], UPS, 599.0) is not None
    assert holding([window()], [declared], UPS, 600.0) is None
    assert holding([window()], [declared], UPS, 1200.0) is not None
    assert held_until([window()], [declared], UPS, 10.0) == 600.0


@pytest.mark.parametrize("kind", [Work.CUTOVER, Work.REPAIR])
def test_work_that_is_not_routine_is_not_frozen(kind: Work) -> None:
    assert holding([window(kind=kind)], [guard()], UPS, 1.0) is not None
    assert guarding(window(kind=kind), [guard()], regions) is None


def test_urgent_work_is_frozen_until_somebody_approved_it() -> None:
    urgent = window(urgent=True)
    assert guarding(urgent, [guard()], regions) == guard()
    allowed = approved(urgent, did(1.0))
    assert isinstance(allowed, Window)
    assert guarding(allowed, [guard()], regions) is None
    assert holding([allowed], [guard()], UPS, 1.0) == allowed


@pytest.mark.parametrize("name", ["li na", "Li  Na", "ＬＩ　ＮＡ", "LiNa"])
def test_a_name_typed_otherwise_approves_nothing_of_its_own(name: str) -> None:
    assert approved(window(urgent=True), did(1.0, who=name)) is No.SELF_APPROVED


def test_a_guard_elsewhere_or_at_another_time_freezes_nothing() -> None:
    assert guarding(window(), [guard(scope=Scope(sites=("S2",)))], regions) is None
    assert guarding(window(), [guard(HOUR, 2 * HOUR)], regions) is None
    assert guarding(window(), [guard(HOUR - 1, 2 * HOUR)], regions) is not None
    assert guarding(window(), [guard(scope=Scope(regions=("east",)))], regions) is not None


@pytest.mark.parametrize(
    ("change", "no"),
    [
        ({"urgent": False}, No.NOT_URGENT),
        ({"urgent": True, "by": "CHEN"}, No.SELF_APPROVED),
        ({"urgent": True, "end": 1.0}, No.OVER),
    ],
)
def test_an_approval_needs_urgent_work_and_somebody_else(change: dict[str, object], no: No) -> None:
    assert approved(replace(window(), **change), did(1.0)) is no


# what is refused


@pytest.mark.parametrize(
    ("change", "no"),
    [
        ({}, None),
        ({"work": " "}, No.NO_WORK),
        ({"end": 0.0}, No.ENDS_FIRST),
        ({"start": -301.0}, No.PAST),
        ({"start": -300.0}, None),
        ({"start": -10.0, "end": 0.0}, No.PAST),
        ({"end": LONGEST_WINDOW}, None),
        ({"end": LONGEST_WINDOW + 1}, No.TOO_LONG),
        ({"start": 9 * HOUR, "end": 9 * HOUR + LONGEST_WINDOW}, None),
        ({"end": float("inf")}, No.BAD_TIME),
        ({"start": float("nan")}, No.BAD_TIME),
        ({"approved_by": "Chen"}, No.NOT_URGENT),
    ],
)
def test_a_window_is_refused_by_name(change: dict[str, object], no: No | None) -> None:
    assert window_refused(replace(window(), **change), now=0.0) is no


def test_a_window_reaches_at_most_so_far_from_each_extension() -> None:
    first = window(end=20 * HOUR)
    longer = extended(first, 30 * HOUR, did(10 * HOUR))
    assert isinstance(longer, Window)
    assert (longer.end, longer.steps[-1].who, longer.steps[-1].end) == (30 * HOUR, "Chen", 30 * HOUR)
    assert extended(longer, 10 * HOUR + LONGEST_WINDOW + 1, did(10 * HOUR)) is No.TOO_LONG
    assert extended(longer, 30 * HOUR, did(10 * HOUR)) is No.NOT_LATER
    assert extended(longer, float("inf"), did(10 * HOUR)) is No.NOT_LATER
    assert extended(longer, 31 * HOUR, did(10 * HOUR, reason=" ")) is No.NO_REASON
    assert extended(longer, 31 * HOUR, did(30 * HOUR)) is No.OVER


def test_a_person_ends_a_window_and_one_that_has_not_begun_never_begins() -> None:
    early = ended(window(), did(600.0))
    assert isinstance(early, Window)
    assert early.end == 600.0
    assert ended(early, did(600.0)) is No.OVER
    never = ended(window(HOUR, 2 * HOUR), did(600.0))
    assert isinstance(never, Window)
    assert holding([never], [], UPS, HOUR) is None


# duty


@pytest.mark.parametrize(
    ("duty", "missing"),
    [
        ([], (0, 10)),
        ([(0, 10)], None),
        ([(-5, 20)], None),
        ([(0, 5), (5, 10)], None),
        ([(0, 5), (6, 10)], (5, 6)),
        ([(5, 10), (0, 5)], None),
        ([(0, 5), (2, 3), (4, 9)], (9, 10)),
        ([(3, 10)], (0, 3)),
        ([(20, 30)], (0, 10)),
    ],
)
def test_the_first_time_without_anybody_on_duty(
    duty: list[tuple[float, float]], missing: tuple[float, float] | None
) -> None:
    assert gap([GuardDuty("a", *turn) for turn in duty], 0, 10) == missing


@given(st.lists(st.tuples(st.integers(-3, 12), st.integers(-3, 12)), max_size=6))
def test_a_gap_is_found_exactly_where_nobody_is_on_duty(turns: list[tuple[int, int]]) -> None:
    duty = [GuardDuty("a", *turn) for turn in turns]
    empty = [at for at in range(10) if not on_duty(duty, at)]
    missing = gap(duty, 0, 10)
    assert (missing is None) is (not empty)
    if missing:
        assert missing[0] == empty[0]
        assert all(at in empty for at in range(int(missing[0]), int(missing[1])))


def test_a_guard_period_needs_a_name_and_somebody_in_every_moment() -> None:
    assert guard_refused(guard(), 0.0) is None
    assert guard_refused(guard(duty=()), 0.0) is No.NO_ROSTER
    assert guard_refused(guard(duty=(GuardDuty("Wang", 0, 1800),)), 0.0) is No.ROSTER_GAP
    assert guard_refused(replace(guard(), name=""), 0.0) is No.NO_WORK
    assert guard_refused(guard(end=91 * 86_400.0), 0.0) is No.TOO_LONG


def test_another_roster_counts_from_now_and_leaves_who_was_there() -> None:
    after = with_duty(guard(), (GuardDuty("Zhao", 0, 2 * HOUR),), did(600.0))
    assert isinstance(after, GuardPeriod)
    assert on_duty(after.duty, 599.0) == ("Wang",)
    assert on_duty(after.duty, 600.0) == ("Zhao",)
    assert with_duty(guard(), (GuardDuty("Zhao", 0, 1800.0),), did(600.0)) is No.ROSTER_GAP
    assert with_duty(guard(), (GuardDuty("Zhao", 0, HOUR),), did(HOUR)) is No.OVER


def test_a_guard_period_ends_early_only_with_a_reason() -> None:
    assert guard_ended(guard(), did(60.0, reason="")) is No.NO_REASON
    after = guard_ended(guard(), did(60.0))
    assert isinstance(after, GuardPeriod)
    assert after.end == 60.0


# properties

moments = st.integers(0, 40).map(float)
spans = st.tuples(moments, st.integers(1, 15)).map(lambda pair: (pair[0], pair[0] + pair[1]))
scopes = st.sampled_from([Scope(), Scope(sites=("S1",)), Scope(regions=("east",)), Scope(sites=("S2",)),
                          Scope(devices=("S1/ups",)), Scope(faults=("smoke.detected",))])  # fmt: skip
windows = st.lists(st.tuples(spans, scopes, st.sampled_from(Work)), max_size=5).map(
    lambda found: [window(*span, scope, kind=kind) for span, scope, kind in found]
)
guards = st.lists(st.tuples(spans, scopes), max_size=3).map(
    lambda found: [guard(*span, scope) for span, scope in found]
)


@given(windows, guards, moments)
def test_held_until_is_the_first_moment_at_which_nothing_holds(
    planned: list[Window], declared: list[GuardPeriod], since: float
) -> None:
    end = held_until(planned, declared, UPS, since)
    assert holding(planned, declared, UPS, end) is None
    halves = [since + n / 2 for n in range(int((end - since) * 2))]
    assert all(holding(planned, declared, UPS, at) is not None for at in halves)


@given(windows, guards, moments)
def test_nothing_holds_outside_every_window(planned: list[Window], declared: list[GuardPeriod], at: float) -> None:
    found = holding(planned, declared, UPS, at)
    assert found is None or found.start <= at < found.end


# a period in local time


@pytest.mark.parametrize(
    ("zone", "hours"), [("Asia/Shanghai", 24), ("Europe/Berlin", 25), ("America/New_York", 24), ("UTC", 24)]
)
def test_a_local_day_is_as_long_as_its_zone_makes_it(zone: str, hours: int) -> None:
    where = ZoneInfo(zone)
    start = datetime(2026, 10, 25, tzinfo=where).timestamp()
    end = datetime(2026, 10, 26, tzinfo=where).timestamp()
    assert end - start == hours * HOUR
    assert holding([window(start, end)], [], UPS, end - 1) is not None
    assert holding([window(start, end)], [], UPS, end) is None

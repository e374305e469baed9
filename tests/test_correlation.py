"""Within a site: a parent is looked at again before it explains, what flaps is held open, what passes is counted."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.service import Agent
from agent.watch import Watch
from config.convert import Conversion
from config.fault_rules import load_faults
from config.site import load_site
from model.alarm import Alarm, AlarmState, Kind, Look, Now
from model.quantity import Quantity
from model.rule import Case, Compare, Op, Rule
from model.step import FLAPS, STEADY, observe, rebase
from runtime.clock import now
from tests.test_alarm_step import run
from tests.test_watch import (
    BATTERY,
    HOT,
    MAINS,
    RECTIFIER,
    at,
    batch,
    device,
    kinds,
    mains,
    number,
    plant,
    state,
    watch,
)

S = AlarmState
PLANT = "s/plant/rectifier.status[rectifier=1]/rectifier.failed"
BRIEF = Rule(
    "mains.lost",
    {"en": "Mains lost"},
    "device",
    (Case("lost", Compare(Quantity.MAINS_VOLTAGE, Op.BELOW, 50, every=True), on_delay=60.0, off_delay=20.0),),
)


def test_mains_that_came_back_since_they_were_last_read_explain_no_new_fault() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    w.take(mains(0, 0.0), at(0))
    first = w.take(plant(5), at(5))
    assert kinds(first) == [(PLANT, Kind.PENDING)]
    assert first[0].alarm.explained_by == "s/meter/-/mains.lost"
    read = w.take(mains(10, 230.0), at(10))
    assert kinds(read) == [("s/meter/-/mains.lost", Kind.CLEARED), (PLANT, Kind.UPDATED)]
    assert w.alarms[PLANT].explained_by == ""
    assert kinds(w.tick(at(17))) == [(PLANT, Kind.RAISED)]


def test_mains_that_are_seen_lost_again_after_the_child_explain_it() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    w.take(mains(0, 0.0), at(0))
    w.take(plant(5), at(5))
    w.take(mains(10, 0.0), at(10))
    assert kinds(w.tick(at(10))) == [(PLANT, Kind.SUPPRESSED)]


def test_a_parent_that_can_no_longer_be_looked_at_explains_what_began_a_poll_after_its_last_look() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    w.take(mains(0, 0.0), at(0))
    w.take(plant(5), at(5))
    w.take(batch("meter", 10, reachable=False), at(10))
    assert w.tick(at(16)) == []
    assert kinds(w.tick(at(17))) == [(PLANT, Kind.SUPPRESSED)]


def test_a_fault_with_a_parent_elsewhere_asks_for_a_look_at_the_devices_that_may_have_it_once() -> None:
    w = watch(device("meter", MAINS, every=60), device("room", HOT), device("plant", RECTIFIER))
    w.take(mains(0, 230.0), at(0))
    w.take(plant(5), at(5))
    assert w.wanted() == ["meter"]
    assert w.wanted() == []
    w.take(plant(6), at(6))
    assert w.wanted() == []
    w.take(mains(6.2, 0.0), at(6.2))
    assert w.alarms[PLANT].state is S.SUPPRESSED
    assert w.wanted() == []


def test_faults_by_the_dozen_ask_for_one_look_at_what_may_explain_them() -> None:
    plants = [device(f"plant{n}", RECTIFIER) for n in range(12)]
    w = watch(device("meter", MAINS, every=60), *plants)
    w.take(mains(0, 230.0), at(0))
    asked = []
    for n, each in enumerate(plants):
        status = state(each.id, Quantity.RECTIFIER_STATUS, "fault", rectifier="1")
        w.take(batch(each.id, 5 + n / 2, status), at(5 + n / 2))
        asked.append(w.wanted())
    assert asked == [["meter"] if n in {0, 10} else [] for n in range(12)]


def test_only_the_devices_that_the_site_names_as_parents_are_asked_for_a_look() -> None:
    w = watch(device("meter", MAINS), device("other", MAINS), device("plant", RECTIFIER, parents=("other",)))
    w.take(mains(0, 230.0), at(0))
    w.take(batch("other", 0, number("other", Quantity.MAINS_VOLTAGE, 230.0)), at(0))
    w.take(plant(5), at(5))
    assert w.wanted() == ["other"]


async def test_the_agent_has_the_device_read_that_may_explain_a_new_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "public").write_text("public")
    (tmp_path / "site.yaml").write_text(
        "site: {id: s, name: S, contract: demo, region: west_east}\n"
        "agent: {state: agent, control: agent/control.sock}\n"
        "credentials: {public: {version: 2c, community_file: public}}\n"
        "snmp:\n  every: 60s\n  devices:\n"
        "  - {id: meter, address: 127.0.0.1, credential: public}\n"
        "  - {id: plant, address: 127.0.0.1, credential: public}\n"
    )
    agent, read, moment = Agent(load_site(tmp_path / "site.yaml")), list[str](), now().boot
    monkeypatch.setattr(agent.rounds, "hint", read.append)
    agent.take(mains(moment, 230.0))
    agent.take(plant(moment + 1))
    assert read == []
    await asyncio.sleep(0)
    assert read == ["meter"]
    agent.journal.close()


def test_a_child_that_goes_while_its_parent_is_looked_at_is_no_momentary_alarm() -> None:
    w = watch(device("meter", MAINS), device("ups", BATTERY))
    w.take(mains(0, 0.0), at(0))
    w.take(batch("ups", 1, state("ups", Quantity.OUTPUT_STATUS, "battery")), at(1))
    gone = w.take(batch("ups", 4, state("ups", Quantity.OUTPUT_STATUS, "normal")), at(4))
    assert kinds(gone) == [("s/ups/-/battery.on_battery", Kind.CLEARED)]
    assert gone[0].alarm.momentary == 0


def test_a_child_released_by_the_end_of_its_parent_is_explained_by_none_that_ended() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    w.take(mains(0, 0.0), at(0))
    w.take(plant(5), at(5))
    w.take(mains(10, 0.0), at(10))
    w.tick(at(10))
    assert (PLANT, Kind.RELEASED) in kinds(w.take(mains(20, 230.0), at(20)))
    assert kinds(w.tick(at(32))) == [(PLANT, Kind.RAISED)]
    assert w.alarms[PLANT].explained_by == ""


FAULT = Look("lost", level=2, off_delay=20)
QUIET = Look("", off_delay=20)


def flaps(times: int, every: float = 60.0) -> tuple[Alarm, list[Kind]]:
    """A fault that comes and goes so many times, each gone for longer than its off-delay."""
    steps = [
        (n * every + part, look) for n in range(times) for part, look in ((0.0, FAULT), (10.0, QUIET), (31.0, QUIET))
    ]
    return run(*steps)


def test_the_third_time_that_a_fault_goes_within_a_quarter_of_an_hour_it_is_held_open() -> None:
    alarm, seen = flaps(20)
    assert seen.count(Kind.RAISED) == FLAPS
    assert seen.count(Kind.CLEARED) == FLAPS - 1
    assert seen[-1] is Kind.UPDATED
    assert (alarm.state, alarm.flapping, alarm.active) == (S.UNACKNOWLEDGED, True, True)


def test_what_flapped_ends_when_it_was_steady_for_a_quarter_of_an_hour_and_says_when_it_went() -> None:
    alarm, _ = flaps(20)
    went = 19 * 60.0 + 10
    still, seen = run((went + STEADY - 0.1, QUIET), alarm=alarm)
    assert (still.active, seen) == (True, [])
    over, seen = run((went + STEADY, QUIET), alarm=still)
    assert (over.active, over.flapping, over.turns, over.gone, seen) == (False, False, (), went, [Kind.CLEARED])


def test_a_fault_that_goes_three_times_in_an_hour_does_not_flap() -> None:
    alarm, seen = flaps(4, every=STEADY / 2 + 1)
    assert (seen.count(Kind.CLEARED), alarm.flapping) == (4, False)


def test_a_fault_that_its_deadband_calms_is_held_open_too_when_it_comes_and_goes() -> None:
    warm, cool = replace(FAULT, off_delay=0), replace(QUIET, off_delay=0)
    alarm, seen = run(*[(n * 60.0, cool if n % 2 else warm) for n in range(40)])
    assert (seen.count(Kind.RAISED), seen.count(Kind.CLEARED), alarm.flapping) == (FLAPS, FLAPS - 1, True)
    still, _ = run((39 * 60 + STEADY - 1, cool), alarm=alarm)
    over, told = run((39 * 60 + STEADY, cool), alarm=still)
    assert (over.gone, told) == (39 * 60.0, [Kind.CLEARED])


def test_the_rules_that_have_no_delay_are_those_that_are_never_held_open() -> None:
    at_once = {
        rule.fault
        for rule in (fault.fill({n: s.text for n, s in fault.defaults.items()}, Conversion())
                     for fault in load_faults().values())
        if rule is not None and not all(case.flaps for case in rule.cases)
    }  # fmt: skip
    assert {"door.open", "smoke.detected", "leak.detected", "motion.detected"} <= at_once
    assert not at_once & {"dc_bus.low", "temperature.high", "battery.low", "mains.lost"}


def test_no_shipped_faults_explain_each_other_in_a_circle() -> None:
    above = {name: set(rule.text.explained_by) - {name} for name, rule in load_faults().items()}
    while above:
        roots = {name for name, parents in above.items() if not parents & above.keys()}
        assert roots, f"these would hide each other: {sorted(above)}"
        above = {name: parents for name, parents in above.items() if name not in roots}


def test_what_must_be_told_at_once_is_told_as_it_is() -> None:
    open_, shut = replace(FAULT, off_delay=0, flaps=False), replace(QUIET, off_delay=0, flaps=False)
    alarm, seen = run(*[(n * 5.0, shut if n % 2 else open_) for n in range(40)])
    assert (seen.count(Kind.RAISED), alarm.flapping, alarm.turns) == (20, False, ())


def test_turns_go_on_across_a_reboot() -> None:
    alarm, _ = flaps(2)
    moved = rebase(alarm, Now(100.0, 1000.0), Now(30.0, 1040.0))
    assert moved.turns == tuple(turn - 110 for turn in alarm.turns)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.5, 300)), min_size=1, max_size=80))
def test_however_a_fault_comes_and_goes_no_quarter_of_an_hour_ends_more_than_three_episodes(
    moves: list[tuple[bool, float]],
) -> None:
    alarm, when, ends = Alarm("c"), 0.0, list[float]()
    for number_, (there, wait) in enumerate(moves):
        when += wait
        alarm, kind = observe(alarm, FAULT if there else QUIET, Now(when, when), f"e{number_}")
        if kind is Kind.CLEARED:
            ends.append(when)
    assert all(len([end for end in ends if begin <= end < begin + STEADY]) <= FLAPS for begin in ends)


def test_a_look_at_the_meter_counts_what_passed_before_its_delay() -> None:
    w = watch(device("meter", BRIEF))
    for minute in range(3):
        w.take(batch("meter", minute * 60, number("meter", Quantity.MAINS_VOLTAGE, 0.0)), at(minute * 60))
        gone = w.take(
            batch("meter", minute * 60 + 10, number("meter", Quantity.MAINS_VOLTAGE, 230.0)), at(minute * 60 + 10)
        )
        assert kinds(gone) == [("s/meter/-/mains.lost", Kind.MOMENTARY)]
    assert w.alarms["s/meter/-/mains.lost"].momentary == 3


def test_after_a_restart_the_end_of_a_parent_releases_its_children_in_the_same_moment() -> None:
    before = watch(device("meter", MAINS), device("plant", RECTIFIER))
    before.take(mains(0, 0.0), at(0))
    before.take(plant(5), at(5))
    before.take(mains(10, 0.0), at(10))
    before.tick(at(10))
    w = watch(device("meter", MAINS), device("plant", RECTIFIER), alarms=before.alarms.values())
    w.start(at(12))
    assert w.alarms[PLANT].state is S.SUPPRESSED
    assert (PLANT, Kind.RELEASED) in kinds(w.take(mains(20, 230.0), at(20)))


def flapping_mains(w: Watch, losses: int, *, fails_in: int = -1) -> list[tuple[str, Kind]]:
    """Have the mains lost for 60 s so many times, 60 s apart; the rectifier fails within one loss and stays so."""
    seen: list[tuple[str, Kind]] = []
    for second in range(0, losses * 120, 10):
        loss, lost = second // 120, second % 120 < 60
        status = "fault" if lost or 0 <= fails_in <= loss else "on"
        seen += kinds(w.take(mains(second, 0.0 if lost else 230.0), at(second)))
        rectifier = state("plant", Quantity.RECTIFIER_STATUS, status, rectifier="1")
        seen += kinds(w.take(batch("plant", second + 5, rectifier), at(second + 5)))
        seen += [row for tick in range(10) for row in kinds(w.tick(at(second + tick)))]
    return [each for each in seen if each[0] == PLANT]


def test_what_stays_when_mains_that_flap_are_back_is_told_once_although_they_are_held_open() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    seen = flapping_mains(w, 12, fails_in=5)
    assert w.alarms["s/meter/-/mains.lost"].flapping
    assert [kind for _, kind in seen].count(Kind.RAISED) == 1
    assert w.alarms[PLANT].state is S.UNACKNOWLEDGED


def test_what_goes_with_mains_that_flap_is_never_told() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    assert Kind.RAISED not in [kind for _, kind in flapping_mains(w, 12)]
    assert w.alarms["s/meter/-/mains.lost"].flapping

"""The watch: from batches to alarms and Changes."""

from collections.abc import Iterable

import pytest

from agent.journal import Standing
from agent.watch import Watch
from agent.watched import Plan, Watched
from model.alarm import Alarm, AlarmState, Kind, Now
from model.level import Contract
from model.point import Batch, Point, Quality, Reading, State, point_id, unavailable
from model.quantity import Quantity
from model.rule import Case, Compare, Is, Meaning, Op, QualityIs, Reach, Rule, Share

S = AlarmState
CONTRACT = Contract(
    name="test",
    title={"en": "Test"},
    levels={n: {"en": f"Level {n}"} for n in (1, 2, 3, 4)},
    general={Meaning.INTERRUPTION: 1, Meaning.DANGER: 2, Meaning.DEGRADED: 3, Meaning.INDIRECT: 4},
    on_delays=dict.fromkeys((1, 2, 3, 4), 0.0),
    off_delay=0.0,
    faults={"fans/many": 3, "fans/any": 4},
)
MAINS = Rule(
    "mains.lost",
    {"en": "Mains lost"},
    "device",
    (Case("lost", Compare(Quantity.MAINS_VOLTAGE, Op.BELOW, 50, every=True)),),
    meaning=Meaning.DANGER,
    explained_by=(("mains.lost", Reach.SITE),),
)
BATTERY = Rule(
    "battery.on_battery",
    {"en": "On battery"},
    "device",
    (Case("on", Is(Quantity.OUTPUT_STATUS, ("battery",))),),
    explained_by=(("mains.lost", Reach.SITE),),
)
SILENT = Rule(
    "device.unreachable", {"en": "Silent"}, "device", (Case("silent", Is(Quantity.DEVICE_REACHABLE, ("no",))),)
)
STALE = Rule(
    "reading.stale",
    {"en": "Stale"},
    "device",
    (Case("stale", QualityIs((Quality.STALE, Quality.UNAVAILABLE))),),
    explained_by=(("device.unreachable", Reach.DEVICE),),
)
FANS = Rule(
    "fans",
    {"en": "Fans"},
    "subrack",
    (
        Case("many", Share(Quantity.FAN_RUNNING, ("stopped",), Op.AT_LEAST, 0.3)),
        Case("any", Share(Quantity.FAN_RUNNING, ("stopped",), Op.ABOVE, 0)),
    ),
)
HOT = Rule("hot", {"en": "Hot"}, "point", (Case("hot", Compare(Quantity.AMBIENT_TEMPERATURE, Op.ABOVE, 30, 2)),))


def at(seconds: float) -> Now:
    return Now(boot=1000 + seconds, wall=1_700_000_000 + seconds)


def watch(*devices: Watched, alarms: Iterable[Alarm] = ()) -> Watch:
    plan = Plan("s", CONTRACT, {d.id: d for d in devices})
    return Watch(plan, {a.condition: a for a in alarms}, "boot-1", at(0))


def device(name: str, *rules: Rule, every: float = 10, **more: object) -> Watched:
    return Watched(name, name.upper(), rules, every, **more)  # type: ignore[arg-type]


def number(device: str, quantity: Quantity, value: float | None, **index: str) -> tuple[Point, float | None]:
    pairs = tuple(index.items())
    return Point(device, point_id(quantity, pairs), quantity, f"{quantity} {index}", pairs), value


def batch(name: str, when: float, *values: tuple[Point, float | str | None], reachable: bool = True) -> Batch:
    time = at(when).boot
    readings = tuple(unavailable(p, time) if v is None else Reading(p, v, time) for p, v in values)
    return Batch(name, time, readings, reachable, "" if reachable else "no answer")


def state(name: str, quantity: Quantity, value: str, **index: str) -> tuple[Point, str]:
    pairs = tuple(index.items())
    states = tuple(State(word) for word in quantity.states)
    return Point(name, point_id(quantity, pairs), quantity, f"{quantity} {index}", pairs, states=states), value


def kinds(standing: list[Standing]) -> list[tuple[str, Kind]]:
    return [(row.alarm.condition, row.change.kind) for row in standing if row.change]


def test_one_alarm_for_each_subrack_whose_case_moves() -> None:
    w = watch(device("rack", FANS))

    def fans(*words: str) -> list[tuple[Point, str]]:
        return [
            state("rack", Quantity.FAN_RUNNING, {"r": "running", "s": "stopped"}[letter], subrack=str(s), fan=str(f))
            for s, word in enumerate(words, 1)
            for f, letter in enumerate(word, 1)
        ]

    first = w.take(batch("rack", 0, *fans("rrrr", "rrrs")), at(0))
    assert kinds(first) == [("s/rack/subrack=2/fans", Kind.RAISED)]
    assert first[0].alarm.level == 4
    second = w.take(batch("rack", 10, *fans("rrrr", "rrss")), at(10))
    assert kinds(second) == [("s/rack/subrack=2/fans", Kind.CASE_CHANGED)]
    assert (second[0].alarm.level, second[0].alarm.episode) == (3, first[0].alarm.episode)


def test_the_installed_number_of_the_site_file_is_the_denominator() -> None:
    w = watch(device("rack", FANS, installed={("subrack", "1"): {"fan.running": 8}}))
    standing = w.take(batch("rack", 0, state("rack", Quantity.FAN_RUNNING, "stopped", subrack="1", fan="1")), at(0))
    assert standing[0].alarm.case == "any"
    assert standing[0].alarm.evidence[0].installed == 8


def test_mains_lost_seen_by_two_devices_is_one_alarm_that_explains_the_other() -> None:
    w = watch(device("meter", MAINS), device("ups", MAINS))
    w.take(batch("meter", 0, number("meter", Quantity.MAINS_VOLTAGE, 0.0)), at(0))
    second = w.take(batch("ups", 1, number("ups", Quantity.MAINS_VOLTAGE, 0.0)), at(1))
    assert kinds(second) == [("s/ups/-/mains.lost", Kind.SUPPRESSED)]
    assert second[0].alarm.explained_by == "s/meter/-/mains.lost"


def test_a_child_seen_before_its_parent_waits_for_it() -> None:
    w = watch(device("meter", MAINS, every=10), device("ups", BATTERY, every=10))
    w.take(batch("meter", 0, number("meter", Quantity.MAINS_VOLTAGE, 230.0)), at(0))
    early = w.take(batch("ups", 5, state("ups", Quantity.OUTPUT_STATUS, "battery")), at(5))
    assert kinds(early) == [("s/ups/-/battery.on_battery", Kind.PENDING)]
    late = w.take(batch("meter", 10, number("meter", Quantity.MAINS_VOLTAGE, 0.0)), at(10))
    assert kinds(late) == [("s/meter/-/mains.lost", Kind.RAISED), ("s/ups/-/battery.on_battery", Kind.SUPPRESSED)]


def test_a_child_that_outlives_its_parent_is_raised_after_a_look_of_its_own() -> None:
    w = watch(device("meter", MAINS, every=10), device("ups", BATTERY, every=10))
    w.take(batch("meter", 0, number("meter", Quantity.MAINS_VOLTAGE, 0.0)), at(0))
    w.take(batch("ups", 1, state("ups", Quantity.OUTPUT_STATUS, "battery")), at(1))
    w.take(batch("ups", 99, state("ups", Quantity.OUTPUT_STATUS, "battery")), at(99))
    back = w.take(batch("meter", 100, number("meter", Quantity.MAINS_VOLTAGE, 230.0)), at(100))
    assert ("s/ups/-/battery.on_battery", Kind.RELEASED) in kinds(back)
    assert w.tick(at(111)) == []
    assert kinds(w.tick(at(112))) == [("s/ups/-/battery.on_battery", Kind.RAISED)]


def test_a_device_that_does_not_answer_holds_its_alarms_and_explains_its_missing_readings() -> None:
    w = watch(device("room", HOT, SILENT, STALE))
    w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 35.0, sensor="1")), at(0))
    gone = w.take(batch("room", 10, reachable=False), at(10))
    assert ("s/room/-/device.unreachable", Kind.RAISED) in kinds(gone)
    assert ("s/room/-/reading.stale", Kind.SUPPRESSED) in kinds(gone)
    hot = w.alarms["s/room/ambient.temperature[sensor=1]/hot"]
    assert (hot.state, hot.missing) == (S.UNACKNOWLEDGED, ("ambient.temperature {'sensor': '1'}",))


def test_readings_that_nobody_renews_grow_stale_and_say_so() -> None:
    w = watch(device("room", STALE, every=10))
    w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 20.0)), at(0))
    assert w.tick(at(30)) == []
    assert kinds(w.tick(at(31))) == [("s/room/-/reading.stale", Kind.RAISED)]
    assert {r.quality for r in w.readings("room") if r.point.quantity is Quantity.AMBIENT_TEMPERATURE} == {
        Quality.STALE
    }


def test_a_device_on_a_line_that_is_full_is_stale_by_how_often_it_was_really_read() -> None:
    w = watch(device("room", STALE, every=5))
    for second in (0, 20, 40):
        w.take(batch("room", second, number("room", Quantity.AMBIENT_TEMPERATURE, 20.0)), at(second))
        assert w.tick(at(second + 15)) == []
    assert w.tick(at(100)) == []
    assert kinds(w.tick(at(101))) == [("s/room/-/reading.stale", Kind.RAISED)]


def test_a_device_that_was_away_for_hours_is_stale_again_in_time() -> None:
    w = watch(device("room", STALE, every=5))
    for second in (0, 36_000):
        w.take(batch("room", second, number("room", Quantity.AMBIENT_TEMPERATURE, 20.0)), at(second))
    assert kinds(w.tick(at(36_000 + 301))) == [("s/room/-/reading.stale", Kind.RAISED)]


def test_a_value_that_a_device_never_had_is_not_missing() -> None:
    w = watch(device("ups", STALE))
    never = number("ups", Quantity.BATTERY_TEMPERATURE, None)
    once = number("ups", Quantity.BATTERY_VOLTAGE, 54.0)
    assert w.take(batch("ups", 0, never, once), at(0)) == []
    gone = w.take(batch("ups", 10, never, (once[0], None)), at(10))
    assert [row.alarm.evidence[0].label for row in gone] == [once[0].label]


def test_a_point_that_a_whole_poll_leaves_out_is_unavailable_not_forgotten() -> None:
    w = watch(device("room", HOT))
    one = number("room", Quantity.AMBIENT_TEMPERATURE, 20.0, sensor="1")
    two = number("room", Quantity.AMBIENT_TEMPERATURE, 21.0, sensor="2")
    w.take(batch("room", 0, one, two), at(0))
    w.take(batch("room", 10, one), at(10))
    values = {r.point.id: (r.value, r.quality) for r in w.readings("room")}
    assert values["ambient.temperature[sensor=2]"] == (None, Quality.UNAVAILABLE)


def test_a_reload_ends_the_alarms_of_what_is_no_longer_configured() -> None:
    w = watch(device("room", HOT), device("meter", MAINS))
    w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 35.0)), at(0))
    ended = w.reload(Plan("s", CONTRACT, {"meter": device("meter", MAINS)}), at(5))
    assert kinds(ended) == [("s/room/ambient.temperature/hot", Kind.REMOVED)]
    assert ended[0].change is not None
    assert ended[0].change.reason == "no longer configured"
    assert w.alarms == {}


def test_a_pending_alarm_from_the_journal_is_raised_in_time_before_the_device_answers_again() -> None:
    slow = Rule(
        "hot", {"en": "Hot"}, "device", (Case("hot", Compare(Quantity.AMBIENT_TEMPERATURE, Op.ABOVE, 30), on_delay=60),)
    )
    kept = Alarm("s/room/-/hot", S.PENDING, "hot", 3, True, "e1", 1, True, onset=at(0).boot, onset_wall=at(0).wall)
    w = watch(device("room", slow), alarms=[kept])
    assert kinds(w.start(at(10))) == []
    assert w.tick(at(59)) == []
    raised = w.tick(at(60))
    assert kinds(raised) == [("s/room/-/hot", Kind.RAISED)]
    assert raised[0].alarm.episode == "e1"


def test_a_shelf_from_the_journal_ends_in_time_before_the_device_answers_again() -> None:
    kept = Alarm("s/room/-/hot", S.SHELVED, "hot", 3, True, "e1", 2, True, True, at(0).boot, shelved_until=at(100).boot)
    rule = Rule("hot", {"en": "Hot"}, "device", (Case("hot", Compare(Quantity.AMBIENT_TEMPERATURE, Op.ABOVE, 30)),))
    w = watch(device("room", rule), alarms=[kept])
    w.start(at(10))
    assert w.tick(at(99)) == []
    assert kinds(w.tick(at(100))) == [("s/room/-/hot", Kind.RAISED)]


def test_a_relabelled_point_keeps_its_condition() -> None:
    w = watch(device("room", HOT))
    point, _ = number("room", Quantity.AMBIENT_TEMPERATURE, None)
    w.take(batch("room", 0, (point, 35.0)), at(0))
    renamed = Point(point.device, point.id, point.quantity, "Another name")
    assert w.take(batch("room", 10, (renamed, 35.0)), at(10)) == []


def test_a_snapshot_holds_the_running_episodes_with_their_revisions() -> None:
    w = watch(device("room", HOT))
    raised = w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 35.0)), at(0))
    snapshot = w.snapshot(at(5), "why")
    assert [change.alarm for change in snapshot.changes] == [raised[0].alarm]
    w.take(batch("room", 10, number("room", Quantity.AMBIENT_TEMPERATURE, 20.0)), at(10))
    assert w.snapshot(at(15), "why").changes == ()


def test_a_batch_of_an_unknown_device_is_none_of_its_business() -> None:
    assert watch(device("room", HOT)).take(batch("stranger", 0), at(0)) == []


RECTIFIER = Rule(
    "rectifier.failed",
    {"en": "Rectifier"},
    "point",
    (Case("failed", Is(Quantity.RECTIFIER_STATUS, ("fault",))),),
    meaning=Meaning.DANGER,
    explained_by=(("mains.lost", Reach.SITE),),
)


def plant(when: float) -> Batch:
    return batch("plant", when, state("plant", Quantity.RECTIFIER_STATUS, "fault", rectifier="1"))


def mains(when: float, volts: float | None) -> Batch:
    return batch("meter", when, number("meter", Quantity.MAINS_VOLTAGE, volts))


def test_a_parent_does_not_explain_what_stood_before_it() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    w.take(mains(0, 230.0), at(0))
    w.take(plant(1), at(1))
    raised = w.tick(at(13))
    assert kinds(raised) == [("s/plant/rectifier.status[rectifier=1]/rectifier.failed", Kind.RAISED)]
    blip = w.take(mains(300, 0.0), at(300))
    assert kinds(blip) == [("s/meter/-/mains.lost", Kind.RAISED)]
    assert w.take(plant(301), at(301)) == []


def test_flapping_mains_hide_no_other_fault() -> None:
    w = watch(device("meter", MAINS), device("plant", RECTIFIER))
    seen: list[tuple[str, Kind]] = []
    for minute in range(30):
        seen += kinds(w.take(mains(minute * 20, 0.0 if minute % 2 else 230.0), at(minute * 20)))
        seen += kinds(w.take(plant(minute * 20 + 5), at(minute * 20 + 5)))
        for second in range(6, 20):
            seen += kinds(w.tick(at(minute * 20 + second)))
    assert [kind for condition, kind in seen if condition.endswith("rectifier.failed")] == [Kind.PENDING, Kind.RAISED]


def test_a_parent_that_is_only_held_explains_nothing_new() -> None:
    w = watch(device("meter", MAINS, SILENT), device("plant", RECTIFIER))
    w.take(mains(0, 0.0), at(0))
    w.take(batch("meter", 10, reachable=False), at(10))
    assert w.alarms["s/meter/-/mains.lost"].active
    w.take(plant(1000), at(1000))
    later = w.tick(at(1013))
    assert ("s/plant/rectifier.status[rectifier=1]/rectifier.failed", Kind.RAISED) in kinds(later)


def test_at_the_start_a_fault_waits_for_devices_that_were_not_asked_yet() -> None:
    w = watch(device("meter", MAINS, every=10), device("ups", BATTERY, every=2))
    first = w.take(batch("ups", 0, state("ups", Quantity.OUTPUT_STATUS, "battery")), at(0))
    assert kinds(first) == [("s/ups/-/battery.on_battery", Kind.PENDING)]
    second = w.take(mains(5, 0.0), at(5))
    assert kinds(second) == [("s/meter/-/mains.lost", Kind.RAISED), ("s/ups/-/battery.on_battery", Kind.SUPPRESSED)]


def test_a_device_that_is_never_read_is_told_as_silent() -> None:
    w = watch(device("plant", SILENT, every=10))
    assert w.tick(at(30)) == []
    assert kinds(w.tick(at(31))) == [("s/plant/-/device.unreachable", Kind.RAISED)]
    assert w.tick(at(32)) == []


def test_after_a_restart_a_case_whose_points_are_not_there_is_held_and_named() -> None:
    hot = Case("hot", Compare(Quantity.EQUIPMENT_TEMPERATURE, Op.ABOVE, 45))
    rule = Rule("cooling", {"en": "Cooling"}, "device", (hot, *FANS.cases))
    kept = Alarm("s/rack/-/cooling", S.ACKNOWLEDGED, "hot", 2, True, "e1", 2, True, True, at(-100).boot)
    w = watch(device("rack", rule), alarms=[kept])
    w.start(at(0))
    w.take(batch("rack", 1, state("rack", Quantity.FAN_RUNNING, "running", fan="1")), at(1))
    assert (w.alarms["s/rack/-/cooling"].case, w.alarms["s/rack/-/cooling"].missing) == (
        "hot",
        ("equipment.temperature",),
    )


def test_a_device_of_another_definition_ends_what_it_no_longer_has() -> None:
    w = watch(device("room", HOT, STALE))
    w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 35.0, sensor="1")), at(0))
    assert w.reload(w.plan, at(5), renewed=frozenset({"room"})) == []
    ended = w.take(batch("room", 6, number("room", Quantity.BATTERY_VOLTAGE, 54.0)), at(6))
    assert kinds(ended) == [("s/room/ambient.temperature[sensor=1]/hot", Kind.REMOVED)]
    assert [row.gone for row in ended] == [True]
    assert w.tick(at(7)) == []


def test_an_alarm_seen_to_clear_is_not_held_when_its_device_then_falls_silent() -> None:
    slow = Rule(
        "hot", {"en": "Hot"}, "point", (Case("hot", Compare(Quantity.AMBIENT_TEMPERATURE, Op.ABOVE, 30), off_delay=20),)
    )
    w = watch(device("room", slow))
    w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 35.0)), at(0))
    w.take(batch("room", 10, number("room", Quantity.AMBIENT_TEMPERATURE, 20.0)), at(10))
    w.take(batch("room", 20, number("room", Quantity.AMBIENT_TEMPERATURE, None)), at(20))
    assert kinds(w.tick(at(30))) == [("s/room/ambient.temperature/hot", Kind.CLEARED)]


def test_a_number_that_is_none_is_missing_and_clears_nothing() -> None:
    w = watch(device("room", HOT))
    w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 35.0)), at(0))
    w.take(batch("room", 10, number("room", Quantity.AMBIENT_TEMPERATURE, float("nan"))), at(10))
    assert w.alarms["s/room/ambient.temperature/hot"].state is S.UNACKNOWLEDGED


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, 31 * 86400.0])
def test_a_shelf_has_a_sensible_length(seconds: float) -> None:
    w = watch(device("room", HOT))
    w.take(batch("room", 0, number("room", Quantity.AMBIENT_TEMPERATURE, 35.0)), at(0))
    with pytest.raises(ValueError, match="a shelf lasts from 0 s to 30 days"):
        w.shelve("s/room/ambient.temperature/hot", seconds, "li", at(1))

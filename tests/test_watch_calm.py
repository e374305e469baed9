"""Rules are not asked where nothing that they see has changed: a watch that always asks is the judge."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.journal import Standing
from agent.watch import Watch
from agent.watched import Watched
from model.calm import only_quiet, quiet_ranges
from model.point import Batch, Point, Quality, Reading, unavailable
from model.quantity import Quantity
from model.rule import AllOf, AnyOf, Case, Compare, Op, Rule
from tests.test_watch import BATTERY, FANS, HOT, MAINS, SILENT, STALE, at, batch, device, number, state, watch

RISE = Rule(
    "rise",
    {"en": "Rise"},
    "device",
    (Case("rise", Compare(Quantity.EQUIPMENT_TEMPERATURE, Op.ABOVE, 20, minus=Quantity.AMBIENT_TEMPERATURE)),),
)
BOTH = Rule(
    "both",
    {"en": "Both"},
    "device",
    (
        Case(
            "worse",
            AllOf(
                (
                    Compare(Quantity.AMBIENT_TEMPERATURE, Op.AT_LEAST, 35, 2),
                    AnyOf((Compare(Quantity.MAINS_VOLTAGE, Op.AT_MOST, 180, 5),)),
                )
            ),
        ),
        Case("bad", Compare(Quantity.MAINS_VOLTAGE, Op.AT_MOST, 180, 5)),
    ),
)
RULES = (MAINS, BATTERY, SILENT, STALE, FANS, HOT, RISE, BOTH)
VALUES: dict[Point, st.SearchStrategy[float | str | None]] = {
    number("d", Quantity.MAINS_VOLTAGE, 0, phase="1")[0]: st.sampled_from(
        [49.9, 50.0, 180.0, 180.1, 183.0, 230.0, None]
    ),
    number("d", Quantity.AMBIENT_TEMPERATURE, 0)[0]: st.sampled_from(
        [29.0, 30.0, 30.1, 28.0, 35.0, 34.0, math.nan, None]
    ),
    number("d", Quantity.EQUIPMENT_TEMPERATURE, 0)[0]: st.sampled_from([30.0, 49.0, 50.0, 51.0]),
    number("d", Quantity.OUTPUT_FREQUENCY, 0)[0]: st.floats(45, 55),
    state("d", Quantity.OUTPUT_STATUS, "normal")[0]: st.sampled_from(["normal", "battery", "bypass"]),
    state("d", Quantity.FAN_RUNNING, "running", subrack="1", fan="1")[0]: st.sampled_from(["running", "stopped", None]),
}


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[float, Batch]]:
    """Draw polls in which now one value changes and now another, some partial, some unanswered, with time between."""
    values = {point: draw(strategy) for point, strategy in VALUES.items()}
    found, time = [], 0.0
    for _ in range(draw(st.integers(2, 12))):
        for point in draw(st.lists(st.sampled_from(list(VALUES)), max_size=2)):
            values[point] = draw(VALUES[point])
        time += draw(st.sampled_from([10.0, 10.0, 10.0, 45.0]))
        kind = draw(st.sampled_from(["whole", "whole", "whole", "whole", "part", "silent", "fewer"]))
        points = list(VALUES)[:3] if kind in {"part", "fewer"} else list(VALUES)
        readings = tuple(_reading(p, None if kind == "silent" else values[p], at(time).boot) for p in points)
        found.append((time, Batch("d", at(time).boot, readings, kind != "silent", complete=kind != "part")))
    return found


def _reading(point: Point, value: float | str | None, time: float) -> Reading:
    return unavailable(point, time) if value is None else Reading(point, value, time)


def said(standing: list[Standing]) -> list[tuple[object, ...]]:
    return [
        (a.condition, a.state, a.case, a.level, repr(a.evidence), a.missing, row.change.kind if row.change else None)
        for row in standing
        for a in (row.alarm,)
    ]


@settings(max_examples=150, deadline=None)
@given(batches())
def test_a_watch_that_asks_only_where_something_changed_says_what_one_says_that_always_asks(
    polls: list[tuple[float, Batch]],
) -> None:
    lazy, eager = watch(device("d", *RULES)), watch(device("d", *RULES))
    for time, found in polls:
        assert said(lazy.tick(at(time - 0.5))) == said(eager.tick(at(time - 0.5)))
        if "d" in eager._seen:
            eager._seen["d"].calm = None
        assert said(lazy.take(found, at(time))) == said(eager.take(found, at(time)))
        assert repr(sorted(lazy.readings(), key=_id)) == repr(sorted(eager.readings(), key=_id))


def _id(reading: Reading) -> str:
    return reading.point.id


def calm(w: Watch) -> bool:
    return w._seen["d"].calm is not None


def test_a_device_without_a_fault_is_calm_and_one_with_a_fault_is_not() -> None:
    w = watch(device("d", *RULES))
    w.take(batch("d", 0, number("d", Quantity.MAINS_VOLTAGE, 230)), at(0))
    assert calm(w)
    w.take(batch("d", 10, number("d", Quantity.MAINS_VOLTAGE, 40)), at(10))
    assert not calm(w)
    w.take(batch("d", 20, number("d", Quantity.MAINS_VOLTAGE, 230)), at(20))
    assert calm(w)


def test_a_reload_asks_again() -> None:
    w = watch(device("d"))
    w.take(batch("d", 0, number("d", Quantity.AMBIENT_TEMPERATURE, 31.0)), at(0))
    plan = watch(Watched("d", "D", (HOT,), 10)).plan
    assert [row.alarm.case for row in w.reload(plan, at(1))] == ["hot"]


@pytest.mark.parametrize(
    ("op", "quiet", "loud"),
    [(Op.ABOVE, 30.0, 30.1), (Op.AT_LEAST, 29.9, 30.0), (Op.BELOW, 30.0, 29.9), (Op.AT_MOST, 30.1, 30.0)],
)
def test_a_number_at_its_limit_is_quiet_only_where_the_limit_is_no_fault(op: Op, quiet: float, loud: float) -> None:
    ranges = quiet_ranges([Rule("r", {}, "point", (Case("c", Compare(Quantity.AMBIENT_TEMPERATURE, op, 30, 2)),))])
    point, _ = number("d", Quantity.AMBIENT_TEMPERATURE, 0)

    def moves(before: float, after: float) -> bool:
        return only_quiet({point.id: Reading(point, before, 0)}, [Reading(point, after, 1)], ranges)

    assert moves(quiet, math.nextafter(quiet, 30 if op in {Op.AT_LEAST, Op.AT_MOST} else quiet))
    assert not moves(quiet, loud)
    assert not moves(loud, quiet)


def test_another_quality_is_never_quiet() -> None:
    point, _ = number("d", Quantity.AMBIENT_TEMPERATURE, 0)
    before = {point.id: Reading(point, 20.0, 0)}
    assert only_quiet(before, [Reading(point, 20.0, 1)], {})
    assert only_quiet(before, [Reading(point, 21.0, 1)], {})
    assert not only_quiet(before, [Reading(point, 20.0, 1, Quality.UNCERTAIN)], {})
    assert not only_quiet(before, [unavailable(point, 1)], {})
    assert not only_quiet({}, [Reading(point, 20.0, 1)], {})

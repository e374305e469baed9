"""The fan and temperature rule, every boundary: one row a truth."""

import pytest

from model.decide import Scene, decide
from model.point import Point, Quality, Reading, point_id
from model.quantity import Quantity
from model.rule import AllOf, AnyOf, Case, Compare, Condition, Is, Op, Rule, Share

X = None  # a fan that cannot be read


def cooling(*, fraction: Op = Op.AT_LEAST, needs_fan: bool = False, rise: bool = False) -> Rule:
    hot: Condition = Compare(
        Quantity.EQUIPMENT_TEMPERATURE,
        Op.ABOVE,
        45,
        deadband=2,
        minus=Quantity.AMBIENT_TEMPERATURE if rise else None,
    )
    stopped = Share(Quantity.FAN_RUNNING, ("stopped",), Op.ABOVE, 0)
    return Rule(
        fault="subrack.cooling",
        title={"en": "Subrack cooling"},
        scope="subrack",
        cases=(
            Case("over_temperature", AllOf((hot, stopped)) if needs_fan else hot),
            Case("many_stopped", Share(Quantity.FAN_RUNNING, ("stopped",), fraction, 0.30)),
            Case("any_stopped", stopped),
        ),
    )


def scene(temperature: float | str | None, fans: str, installed: int = 0, ambient: float | None = None) -> Scene:
    """`fans` is one letter a fan: r running, s stopped, ? cannot be read; temperature "gone" is unavailable."""
    readings = []
    if temperature is not None:
        point = Point("rack", "t", Quantity.EQUIPMENT_TEMPERATURE, "Temperature", (("subrack", "1"),))
        gone = temperature == "gone"
        readings.append(Reading(point, None if gone else temperature, 0, Quality.UNAVAILABLE if gone else Quality.GOOD))
    for number, letter in enumerate(fans, start=1):
        index = (("subrack", "1"), ("fan", str(number)))
        point = Point("rack", point_id(Quantity.FAN_RUNNING, index), Quantity.FAN_RUNNING, f"Fan {number}", index)
        value = {"r": "running", "s": "stopped", "?": None}[letter]
        readings.append(Reading(point, value, 0, Quality.UNAVAILABLE if value is None else Quality.GOOD))
    room = ()
    if ambient is not None:
        room = (Reading(Point("rack", "a", Quantity.AMBIENT_TEMPERATURE, "Room"), ambient, 0),)
    return Scene(tuple(readings), around=room, installed={"fan.running": installed})


TABLE = [
    # temperature, fans, reached -> case
    (20.0, "rrrr", "", ""),
    (45.0, "rrrr", "", ""),  # exactly 45 °C is not above
    (45.1, "rrrr", "", "over_temperature"),  # also with every fan running
    (45.1, "rrrs", "", "over_temperature"),
    (45.1, "ssss", "", "over_temperature"),
    (45.0, "rrrs", "", "any_stopped"),
    (20.0, "rrrs", "", "any_stopped"),  # 25 %
    (20.0, "rrss", "", "many_stopped"),
    (20.0, "ssssssssss", "", "many_stopped"),
    (20.0, "rrrrrrrsss", "", "many_stopped"),  # exactly 30 %
    (20.0, "rrrrrrrrss", "", "any_stopped"),  # 20 %
    (20.0, "rrrrrrrrrrrrrrssssss", "", "many_stopped"),  # 6 of 20
    (20.0, "rrrrrrrrrrrrrrrsssss", "", "any_stopped"),  # 5 of 20
    # an unreadable fan is neither running nor stopped, and stays in the denominator
    (20.0, "???r", "", ""),
    (20.0, "rrr?", "", ""),
    (20.0, "rrrrrrrr?s", "", "any_stopped"),  # 1 of 10, not 1 of 9
    (20.0, "rrrrrrr?ss", "", "any_stopped"),  # 2 of 10, not 2 of 9
    (20.0, "rrrrrr?sss", "", "many_stopped"),  # 3 of 10
    # deadband 2 °C: what was reached is left only at or below 43 °C
    (44.0, "rrrr", "over_temperature", "over_temperature"),
    (43.1, "rrrr", "over_temperature", "over_temperature"),
    (43.0, "rrrr", "over_temperature", ""),
    (43.0, "rrrs", "over_temperature", "any_stopped"),
    (44.0, "rrss", "many_stopped", "many_stopped"),  # never reached: no deadband
    # a missing temperature: the fans decide, and a level already reached is never lowered
    ("gone", "rrrr", "", ""),
    ("gone", "rrrs", "", "any_stopped"),
    ("gone", "rrss", "", "many_stopped"),
    ("gone", "rrrr", "over_temperature", "over_temperature"),
    ("gone", "rrrs", "over_temperature", "over_temperature"),
    ("gone", "rrss", "over_temperature", "over_temperature"),
    ("gone", "rrrs", "many_stopped", "any_stopped"),  # the fans lower it, not the temperature
    # fans that can no longer be read hold what was reached
    (20.0, "rr??", "many_stopped", "many_stopped"),
    (20.0, "rrr?", "any_stopped", "any_stopped"),
    (20.0, "rrrr", "any_stopped", ""),
    ("gone", "????", "over_temperature", "over_temperature"),
    (45.1, "rr??", "many_stopped", "over_temperature"),
]


@pytest.mark.parametrize(("temperature", "fans", "reached", "case"), TABLE)
def test_the_case_of_a_subrack(temperature: float | str, fans: str, reached: str, case: str) -> None:
    decision = decide(cooling(), scene(temperature, fans), reached)
    assert decision is not None
    assert decision.case == case


@pytest.mark.parametrize(("fans", "case"), [("rrrrrrrsss", "any_stopped"), ("rrrrrrssss", "many_stopped")])
def test_the_stricter_wording_wants_more_than_thirty_percent(fans: str, case: str) -> None:
    decision = decide(cooling(fraction=Op.ABOVE), scene(20.0, fans))
    assert decision is not None
    assert decision.case == case


@pytest.mark.parametrize(
    ("temperature", "fans", "case"),
    [(50.0, "rrrr", ""), (50.0, "rrrs", "over_temperature"), (50.0, "rrr?", ""), (45.0, "rrrs", "any_stopped")],
)
def test_the_stricter_wording_wants_a_stopped_fan_for_over_temperature(
    temperature: float, fans: str, case: str
) -> None:
    decision = decide(cooling(needs_fan=True), scene(temperature, fans))
    assert decision is not None
    assert decision.case == case


@pytest.mark.parametrize(
    ("temperature", "ambient", "case"),
    [(70.0, 25.0, ""), (70.1, 25.0, "over_temperature"), (50.0, 25.0, ""), (71.0, None, "")],
)
def test_the_rise_over_ambient_decides_where_the_site_says_so(
    temperature: float, ambient: float | None, case: str
) -> None:
    decision = decide(cooling(rise=True), scene(temperature, "rrrr", ambient=ambient))
    assert decision is not None
    assert decision.case == case


def test_a_missing_temperature_is_named() -> None:
    decision = decide(cooling(), scene("gone", "rrss"))
    assert decision is not None
    assert decision.missing == ("Temperature",)


def test_an_unreadable_fan_is_named() -> None:
    decision = decide(cooling(), scene(20.0, "rs?r"))
    assert decision is not None
    assert decision.missing == ("Fan 3",)


def test_fans_installed_but_never_seen_count_in_the_denominator() -> None:
    seen_alone = decide(cooling(), scene(20.0, "ssr"))
    with_the_installed = decide(cooling(), scene(20.0, "ssr", installed=8))
    assert seen_alone is not None
    assert with_the_installed is not None
    assert (seen_alone.case, with_the_installed.case) == ("many_stopped", "any_stopped")


def test_a_subrack_without_a_thermometer_is_judged_by_its_fans() -> None:
    decision = decide(cooling(), scene(None, "rrss"))
    assert decision is not None
    assert (decision.case, decision.missing) == ("many_stopped", ())


def test_a_scope_with_neither_fans_nor_temperature_is_none_of_the_rules_business() -> None:
    assert decide(cooling(), Scene(())) is None


def test_the_evidence_counts_what_is_stopped_of_what_is_installed() -> None:
    decision = decide(cooling(), scene(20.0, "rrss"))
    assert decision is not None
    assert (decision.evidence[0].count, decision.evidence[0].installed) == (2, 4)


def test_any_of_several_readings_is_enough_unless_the_rule_says_every() -> None:
    def phase(number: int, volts: float | None) -> Reading:
        point = Point("m", f"v{number}", Quantity.MAINS_VOLTAGE, f"L{number}", (("phase", str(number)),))
        return Reading(point, volts, 0, Quality.GOOD if volts is not None else Quality.UNAVAILABLE)

    def lost(*, every: bool) -> Rule:
        low = Compare(Quantity.MAINS_VOLTAGE, Op.BELOW, 50, every=every)
        return Rule("mains.lost", {}, "device", (Case("lost", AnyOf((low, Is(Quantity.MAINS_STATUS, ("failed",))))),))

    one_low = Scene((phase(1, 0.0), phase(2, 230.0), phase(3, 230.0)))
    all_low = Scene((phase(1, 0.0), phase(2, 1.0), phase(3, 0.5)))
    two_low = Scene((phase(1, 0.0), phase(2, 1.0), phase(3, None)))
    answers = [
        decide(lost(every=every), view).case  # type: ignore[union-attr]
        for every in (False, True)
        for view in (one_low, all_low, two_low)
    ]
    assert answers == ["lost", "lost", "lost", "", "lost", ""]

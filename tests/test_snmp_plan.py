"""What a plan makes of the objects of one poll, and of the same objects again."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.snmp.definition import When
from collectors.snmp.meaning import Meaning, Transform
from collectors.snmp.plan import Item, Plan, Recognition
from model.point import Point, Quality
from model.quantity import Quantity
from wire.snmp import Absent, Value

VALUE, GATE = "1.3.6.1.4.1.99999.1.0", "1.3.6.1.4.1.99999.2.0"
POINT = Point("card", "ambient.temperature", Quantity.AMBIENT_TEMPERATURE, "Temperature", source=VALUE)


def plan(meaning: Meaning, *, gated: bool = False) -> Plan:
    gate = {"gate": GATE, "open": When(oid=GATE, is_=("1",))} if gated else {}
    return Plan(Recognition("card", "", "", (), {}), [Item(POINT, VALUE, meaning, **gate)], [])  # type: ignore[arg-type]


def read(of: Plan, values: dict[str, Value], time: float) -> float | str | None:
    (reading,) = of.readings(values, time)
    assert reading.time == time
    assert reading.point is POINT
    assert (reading.quality is Quality.UNAVAILABLE) == (reading.value is None)
    return reading.value


def test_what_is_sent_again_means_the_same_at_another_time() -> None:
    it = plan(Meaning(scale=0.1))
    assert [read(it, {VALUE: 235}, time) for time in (1.0, 2.0)] == [23.5, 23.5]
    assert read(it, {VALUE: 236}, 3.0) == 23.6
    assert read(it, {}, 4.0) is None
    assert read(it, {VALUE: Absent.NO_SUCH_INSTANCE}, 5.0) is None
    assert read(it, {VALUE: 236}, 6.0) == 23.6


def test_a_gate_that_closes_hides_a_value_that_has_not_changed() -> None:
    it = plan(Meaning(), gated=True)
    assert [read(it, {VALUE: 20, GATE: gate}, gate) for gate in (1, 2, 1, 3)] == [20.0, None, 20.0, None]


@pytest.mark.parametrize("sent", [(1, 1.0), (1, b"1"), (1.0, 1)])
def test_a_number_of_another_type_is_looked_at_anew(sent: tuple[Value, Value]) -> None:
    states = Meaning(states={"1": "on"})
    it = plan(states)
    assert [read(it, {VALUE: each}, 1.0) for each in sent] == [states.of(each) for each in sent]


def test_an_age_grows_though_the_date_is_sent_again() -> None:
    it, yesterday = plan(Meaning(transform=Transform.AGE)), datetime.now(UTC) - timedelta(days=30)
    values: dict[str, Value] = {VALUE: f"{yesterday:%Y-%m-%d}".encode()}
    first = read(it, values, 1.0)
    assert isinstance(first, float)
    while (again := read(it, values, 2.0)) == first:
        assert datetime.now(UTC) - yesterday < timedelta(days=31)
    assert isinstance(again, float)
    assert again > first

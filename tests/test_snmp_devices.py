"""Device definitions: what they say, and what they make of real devices, recorded and simulated."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from collectors.snmp.checked import read_definition
from collectors.snmp.definition import ROOM, Match
from collectors.snmp.engine import read_once
from collectors.snmp.library import candidates, choose, shipped
from collectors.snmp.meaning import Meaning, as_text
from collectors.snmp.target import Target
from config.node import ConfigError
from config.reader import read_text
from config.shipped import names
from model.maker_unit import conversion
from model.point import Batch, Quality, Reading
from model.quantity import Quantity
from tests.peers.snmp import Agent, snmpd
from wire.snmp import Absent, Value

# -- the definitions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(names(ROOM)))
def test_every_shipped_definition_reads_and_names_its_document(name: str) -> None:
    definition = shipped()[name]
    assert re.search(r"RFC \d{4}|manual|MIB", definition.source)
    assert all(each.name and each.label for each in definition.values)


def test_the_head_of_each_shipped_definition_says_which_devices_it_is_for() -> None:
    whole = {name: each.match for name, each in shipped().items()}
    assert shipped().matches == {name: match for name, match in whole.items() if match}


HEAD = "protocol: snmp\nname: X\nmaker: any\nsource: none\nmatch: {has: [1.3.6.1.4.1.9]}\n"
BAD = [
    ("objects:\n  - {oid: 1.3.x, quantity: battery.charge}", "x.yaml:7: objects[0].oid: '1.3.x' is not a dotted OID"),
    ("objects:\n  - {oid: 1.3.6, quantity: battery.charge, unit: min}", 'unit "min" does not become "%"'),
    ("objects:\n  - {oid: 1.3.6, quantity: battery.charge, unit: furlong}", 'unit "furlong" is not known'),
    ("objects:\n  - {oid: 1.3.6, quantity: battery.status}", "write states"),
    ("objects:\n  - {oid: 1.3.6, quantity: battery.charge, states: {1: {name: normal}}}", "for a state alone"),
    ("objects:\n  - {oid: 1.3.6, quantity: battery.status, states: {1: {name: empty}}}", '"empty" is no state of'),
    ("objects:\n  - {oid: 1.3.6, quantity: fan.running, zero: stopped}", "write states (or zero and nonzero)"),
    ("objects:\n  - {oid: 1.3.6, quantity: battery.volts}", 'did you mean "battery.voltage"?'),
    ("objects:\n  - {oid: 1.3.6, quantity: battery.charge, factor: 2}", "unknown key"),
]


@pytest.mark.parametrize(("text", "says"), BAD, ids=[says for _, says in BAD])
def test_a_bad_definition_is_refused_with_its_line_and_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_definition(read_text(HEAD + text + "\n", "x.yaml"))
    assert str(refused.value).startswith("x.yaml:7: ")
    assert says in str(refused.value)


def test_a_definition_that_would_match_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing would ever match"):
        read_definition(read_text("protocol: snmp\nname: X\nmaker: any\nsource: none\nmatch: {standard: true}\n", "x"))


def defined(match: str) -> Match:
    definition = read_definition(read_text(f"protocol: snmp\nname: X\nmaker: any\nsource: none\nmatch: {match}\n", "x"))
    assert definition.match is not None
    return definition.match


KNOWN = {
    "maker": defined("{sys_object_id: [1.3.6.1.4.1.9]}"),
    "model": defined("{sys_object_id: [1.3.6.1.4.1.9.1.5], has: [1.3.6.1.4.1.9.77]}"),
    "linux": defined("{sys_object_id: [1.3.6.1.4.1.8072.3.2.10], has: [1.3.6.1.4.1.2011]}"),
    "standard": defined("{sys_object_id: [1.3.6.1.2.1.33], has: [1.3.6.1.2.1.33.1], standard: true}"),
    "other standard": defined("{has: [1.3.6.1.2.1.99.1], standard: true}"),
}
ALL = frozenset(oid for each in KNOWN.values() for oid in each.has)


@pytest.mark.parametrize(
    ("sys_object_id", "answering", "chosen"),
    [
        ("1.3.6.1.4.1.9.1.5", ALL, ("model", "standard", "other standard")),  # the longest wins
        ("1.3.6.1.4.1.9.1.5", frozenset(), ("maker",)),  # unless its objects are not there
        ("1.3.6.1.4.1.9.1.50", ALL, ("maker", "standard", "other standard")),  # 50 does not begin with 5
        (
            "1.3.6.1.4.1.8072.3.2.10",
            ALL,
            ("linux", "standard", "other standard"),
        ),  # net-snmp's own number and a maker's objects
        ("1.3.6.1.4.1.8072.3.2.10", ALL - {"1.3.6.1.4.1.2011"}, ("standard", "other standard")),
        ("1.3.6.1.2.1.33", ALL, ("standard", "other standard")),
        ("0.0", frozenset({"1.3.6.1.2.1.99.1"}), ("other standard",)),
        ("", frozenset(), ()),
    ],
)
def test_a_definition_is_chosen_by_the_longest_sys_object_id_and_by_what_answers(
    sys_object_id: str, answering: frozenset[str], chosen: tuple[str, ...]
) -> None:
    assert choose(candidates(KNOWN, sys_object_id), sys_object_id, answering) == chosen


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meaning", "value", "read"),
    [
        (Meaning(), 0, 0.0),
        (Meaning(scale=0.1), 3, 0.3),
        (Meaning(), None, None),
        (Meaning(), Absent.NO_SUCH_INSTANCE, None),
        (Meaning(absent=frozenset({-1, 65535})), -1, None),
        (Meaning(absent=frozenset({-1, 65535})), 65535, None),
        (Meaning(), b" 23.5 C", 23.5),
        (Meaning(), b"-4", -4.0),
        (Meaning(), b"n/a", None),
        (Meaning(), b"", None),
        (Meaning(), "1.3.6.1", None),
        (Meaning(), float("nan"), None),
        (Meaning(), float("inf"), None),
        (Meaning(states={"2": "normal"}), 2, "normal"),
        (Meaning(states={"2": "normal"}), b"2", "normal"),
        (Meaning(states={"2": "normal"}), 3, None),
        (Meaning(zero="stopped", nonzero="running"), 0, "stopped"),
        (Meaning(zero="stopped", nonzero="running"), 900, "running"),
        (Meaning().times_ten_to(-1), 321, 32.1),
        (Meaning().times_ten_to(3), 2, 2000.0),
    ],
)
def test_a_value_means(meaning: Meaning, value: Value, read: float | str | None) -> None:
    assert meaning.of(value) == read


@pytest.mark.parametrize(
    ("quantity", "unit", "number", "ours"),
    [
        (Quantity.BATTERY_RUNTIME, "min", 40, 2400.0),
        (Quantity.DEVICE_UPTIME, "ticks", 150, 1.5),
        (Quantity.AMBIENT_TEMPERATURE, "°F", 212, 100.0),
        (Quantity.AMBIENT_TEMPERATURE, "K", 300, 26.85),
        (Quantity.INPUT_VOLTAGE, "mV", 230_100, 230.1),
        (Quantity.INPUT_ENERGY, "kWh", 1.5, 1500.0),
        (Quantity.AMBIENT_AIRFLOW, "m³/min", 60, 1.0),
    ],
)
def test_a_makers_unit_becomes_ours(quantity: Quantity, unit: str, number: float, ours: float) -> None:
    factor, added = conversion(quantity, unit)
    assert Meaning(scale=factor, offset=added).of(number) == pytest.approx(ours)


def test_text_of_a_card_is_cut_and_cannot_steer_a_terminal() -> None:
    assert as_text(b"a\x1b[2Jb\r\n\tc\xff" + b"x" * 500, 20) == "a [2Jb c\N{REPLACEMENT CHARACTER}xxxxxxxxxxx"
    assert as_text(None) == as_text(Absent.NO_SUCH_OBJECT) == ""


# -- subracks, served by net-snmp -------------------------------------------------------------------------------------

ENTITY, SENSOR = "1.3.6.1.2.1.47.1.1.1.1", "1.3.6.1.2.1.99.1.1.1"
CHASSIS, CONTAINER, FAN, SENSOR_CLASS = 3, 5, 7, 8
CELSIUS, RPM = 8, 10
OK, UNAVAILABLE, NONOPERATIONAL = 1, 2, 3


class Rows:
    """Rows of entPhysicalTable and entPhySensorTable, as snmpd's configuration takes them."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[str, str]] = {}

    def entity(self, index: int, inside: int, kind: int, name: str, position: int = -1) -> None:
        for column, value in ((4, inside), (5, kind), (6, position)):
            self.objects[f"{ENTITY}.{column}.{index}"] = ("integer", str(value))
        self.objects[f"{ENTITY}.7.{index}"] = ("octet_str", f'"{name}"')

    def sensor(
        self, index: int, kind: int, value: int, *, precision: int = 0, scale: int = 9, status: int = OK
    ) -> None:
        for column, number in enumerate((kind, scale, precision, value, status), 1):
            self.objects[f"{SENSOR}.{column}.{index}"] = ("integer", str(number))


def two_subracks() -> Rows:
    """Subrack 2 stands before subrack 1 in the tables; each has three fans in a tray of its own, and a temperature."""
    rows = Rows()
    rows.entity(1, 0, CHASSIS, "Rack")
    rows.entity(2, 1, SENSOR_CLASS, "Room temperature")
    rows.sensor(2, CELSIUS, 24)
    for shelf, number in ((100, 2), (200, 1)):
        rows.entity(shelf, 1, CONTAINER, f"Subrack {number}")
        rows.entity(shelf + 1, shelf, SENSOR_CLASS, "Temperature")
        rows.sensor(shelf + 1, CELSIUS, 321, precision=1)
        for fan in (1, 2, 3):
            tray = shelf + 10 * fan
            rows.entity(tray, shelf, CONTAINER, "Tray")
            rows.entity(tray + 1, tray, FAN, f"Fan {fan}")
            rows.entity(tray + 2, tray + 1, SENSOR_CLASS, "Speed")
            rows.entity(tray + 3, tray + 1, SENSOR_CLASS, "Motor temperature")
            rows.sensor(tray + 2, RPM, 42, scale=9)
            rows.sensor(tray + 3, CELSIUS, 70)
    rows.sensor(112, RPM, 0)  # subrack 2 fan 1 stands still
    rows.sensor(222, RPM, 0, status=NONOPERATIONAL)  # subrack 1 fan 2 cannot be read
    rows.sensor(232, RPM, 4, scale=10)  # subrack 1 fan 3 counts in thousands
    return rows


def read(agent: Agent, community: str | None = None) -> Batch:
    target = Target(
        device="card", address=agent.host, port=agent.port, community=(community or agent.community).encode(), timeout=5
    )
    return asyncio.run(read_once(target))


@pytest.fixture(scope="module")
def subracks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Reading]]:
    with snmpd(tmp_path_factory.mktemp("snmpd"), objects=two_subracks().objects) as agent:
        yield {reading.point.id: reading for reading in read(agent).readings}


def test_fans_of_one_shelf_are_a_subrack_by_the_number_in_its_name(subracks: dict[str, Reading]) -> None:
    fans = {name for name in subracks if name.startswith("fan.running")}
    assert fans == {f"fan.running[subrack={shelf},fan={fan}]" for shelf in (1, 2) for fan in (1, 2, 3)}


def test_a_fan_that_does_not_turn_is_stopped_and_one_that_cannot_be_read_is_neither(
    subracks: dict[str, Reading],
) -> None:
    assert subracks["fan.running[subrack=2,fan=1]"].value == "stopped"
    assert subracks["fan.speed[subrack=2,fan=1]"].value == 0.0
    assert subracks["fan.running[subrack=2,fan=2]"].value == "running"
    assert subracks["fan.running[subrack=1,fan=2]"].quality is Quality.UNAVAILABLE
    assert subracks["fan.speed[subrack=1,fan=2]"].quality is Quality.UNAVAILABLE


def test_scale_and_precision_of_a_sensor_count(subracks: dict[str, Reading]) -> None:
    assert subracks["fan.speed[subrack=1,fan=3]"].value == 4000.0
    assert subracks["equipment.temperature[subrack=1]"].value == 32.1


def test_the_temperature_in_a_shelf_is_the_subracks_and_that_of_a_motor_is_not(subracks: dict[str, Reading]) -> None:
    temperatures = {name for name in subracks if name.startswith("equipment.temperature")}
    alone = {2, *(shelf + 10 * fan + 3 for shelf in (100, 200) for fan in (1, 2, 3))}
    assert temperatures == {
        "equipment.temperature[subrack=1]",
        "equipment.temperature[subrack=2]",
        *(f"equipment.temperature[sensor={index}]" for index in alone),
    }

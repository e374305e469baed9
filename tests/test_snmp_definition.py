"""What the language of device definitions can say."""

from pathlib import Path

import pytest

from collectors.snmp.definition import read_definition
from collectors.snmp.library import Library, shipped
from collectors.snmp.plan import AlarmPoint, AlarmTable
from collectors.snmp.poll import Card, poll
from collectors.snmp.recording import Recording, read_from, read_recording
from collectors.snmp.rows import row_index
from collectors.snmp.target import Target
from config.node import ConfigError
from config.reader import read_text
from model.point import Point, Reading, State
from model.quantity import Quantity
from wire.snmp import Value

HEAD = """\
protocol: snmp
name: X
maker: any
source: none
enumerations:
  monitor: {0: {name: error, severity: critical}, 1: {name: normal}}
objects:
"""


def test_objects_that_name_an_enumeration_have_its_states() -> None:
    text = HEAD + "  - {oid: 1.3.6, name: a, label: A, quantity: device.status, enumeration: monitor}\n"
    (first,) = read_definition(read_text(text, "x.yaml")).objects
    assert {number: state.name for number, state in first.states.items()} == {"0": "error", "1": "normal"}


BAD = [
    ("quantity: device.status, enumeration: other", 'no enumeration "other"'),
    ("quantity: battery.status, enumeration: monitor", '"error" is no state of battery.status'),
    ("quantity: battery.charge, enumeration: monitor", "stands for the states of a state"),
    ("quantity: device.status, enumeration: monitor, states: {1: {name: on}}", "stands for the states of a state"),
]


@pytest.mark.parametrize(("value", "says"), BAD, ids=[value for value, _ in BAD])
def test_an_enumeration_that_does_not_fit_is_refused(value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_definition(read_text(HEAD + f"  - {{oid: 1.3.6, name: a, label: A, {value}}}\n", "x.yaml"))


def test_an_entry_below_a_known_alarm_is_that_alarm_and_one_below_an_ignored_one_is_none() -> None:
    text = HEAD + (
        "  - {oid: 1.3.6, name: a, label: A, quantity: battery.charge}\n"
        "alarms:\n  column: 1.3.6.1.4.1.9.2\n  ignored: [1.3.6.1.4.1.9.1.8]\n"
        "  known: {1.3.6.1.4.1.9.1.7: {name: fan, label: Fan, severity: warning}}\n"
    )
    alarms = read_definition(read_text(text, "x.yaml")).alarms
    assert alarms is not None
    points = tuple(
        AlarmPoint(Point("ups", key, Quantity.ALARM_STATUS, key, states=(State("clear"), State("active"))), key)
        for key in ("1.3.6.1.4.1.9.1.7", "")
    )
    table = AlarmTable(alarms, points)
    for entry, said in (
        ("9.1.7.2.1", ["active", "clear"]),
        ("9.1.8.1", ["clear", "clear"]),
        ("9.1.77", ["clear", "active"]),
    ):
        readings = table.readings({"1": f"1.3.6.1.4.1.{entry}"}, {}, 0.0)
        assert [reading.value for reading in readings] == said


SYSTEM = "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10\n1.3.6.1.2.1.1.3.0|67|100\n"


def played(tmp_path: Path, objects: str) -> dict[str, Reading]:
    """Read a card of these objects (snmprec) with what ships."""
    path = tmp_path / "card.snmprec"
    path.write_text(SYSTEM + objects)
    batch, _ = read_from(read_recording(path), shipped())
    return {reading.point.id: reading for reading in batch.readings}


def test_what_is_left_of_a_size_and_the_share_in_use_come_of_two_columns(tmp_path: Path) -> None:
    storage = "1.3.6.1.2.1.25.2.3.1"
    read = played(
        tmp_path,
        f"{storage}.2.1|6|1.3.6.1.2.1.25.2.1.2\n{storage}.2.31|6|1.3.6.1.2.1.25.2.1.4\n"
        f"{storage}.3.1|4|Physical memory\n{storage}.3.31|4|/var\n{storage}.4.1|2|1024\n{storage}.4.31|2|4096\n"
        f"{storage}.5.1|2|1000\n{storage}.5.31|2|2000000000\n{storage}.6.1|2|250\n{storage}.6.31|2|500000000\n",
    )
    assert read["disk.size[storage=31]"].value == 2_000_000_000 * 4096
    assert read["disk.available[storage=31]"].value == 1_500_000_000 * 4096
    assert read["disk.utilisation[storage=31]"].value == read["memory.utilisation[storage=1]"].value == 25.0
    assert read["memory.available[storage=1]"].value == 750 * 1024


def test_of_a_router_with_hundreds_of_interfaces_no_more_than_the_most_are_read(tmp_path: Path) -> None:
    entry, wide = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
    lines = []
    for port in range(1, 501):
        lines += [f"{entry}.3.{port}|2|{24 if port == 1 else 6}", f"{entry}.7.{port}|2|{1 + port % 2}"]
        lines += [f"{entry}.8.{port}|2|1", f"{wide}.1.{port}|4|port{port}", f"{wide}.6.{port}|70|{port}000"]
    lines.sort(key=lambda line: [int(part) for part in line.partition("|")[0].split(".")])
    read = played(tmp_path, "\n".join(lines))
    links = [name for name in read if name.startswith("network.link")]
    assert links == [f"network.link[interface={port}]" for port in range(2, 194, 2)]
    assert read["network.received[interface=192]"].value == 192_000.0
    assert read["network.link[interface=2]"].point.label == "Link, port2"


def test_a_table_of_alarms_that_is_empty_at_first_has_its_points_after_its_first_alarm() -> None:
    text = HEAD.replace("enumerations:", "match: {has: [1.3.6.1.4.1.9.1]}\nenumerations:") + (
        "  - {oid: 1.3.6.1.4.1.9.1.1.0, name: a, label: A, quantity: battery.charge}\n"
        "alarms:\n  column: 1.3.6.1.4.1.9.2.1.2\n  known: {7: {name: fan, label: Fan, severity: warning}}\n"
    )
    library = Library({"x": lambda: text})
    card = Card(Target(device="ups", address=""))
    empty: dict[str, tuple[int, Value]] = {"1.3.6.1.4.1.9.1.1.0": (2, 90)}
    alarmed = empty | {"1.3.6.1.4.1.9.2.1.2.1": (2, 7)}
    states = []
    for objects in (empty, alarmed, alarmed, empty):
        batch = Recording(objects).play(poll(card, library, lambda: 0.0))
        states.append([reading.value for reading in batch.readings if reading.point.quantity is Quantity.ALARM_STATUS])
    assert states == [[], [], ["active", "clear"], ["clear", "clear"]]


@pytest.mark.parametrize(
    ("names", "row", "index"),
    [
        (("outlet",), "1.2", (("outlet", "1.2"),)),
        (("pdu", "outlet"), "1.2", (("pdu", "1"), ("outlet", "2"))),
        (("pdu", "outlet"), "7", (("pdu", "7"),)),
        (("unit", "channel:text"), "3.2.65.49", (("unit", "3"), ("channel", "A1"))),  # with its length before it
        (("channel:text",), "65.49", (("channel", "A1"),)),  # IMPLIED
        (("channel:text",), "1.200", (("channel", "1.200"),)),  # no text
        (("channel:text",), "3", (("channel", "3"),)),
        (("channel:text",), "2.32.32", (("channel", "2.32.32"),)),
    ],
)
def test_a_rows_index_gives_each_part_its_name(
    names: tuple[str, ...], row: str, index: tuple[tuple[str, str], ...]
) -> None:
    assert row_index(names, row) == index

"""What the language of device definitions can say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.snmp.checked import read_definition
from collectors.snmp.library import Library, shipped, with_files
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


TABLE = "tables:\n  - name: t\n    entry: 1.3.6.1.4.1.9.2.1\n    index: [unit, 'channel:text']\n"
COLUMN = TABLE + "    columns:\n      - {{column: 1, {}}}\n"
OBJECT = "objects:\n  - {{oid: 1.3.6.1.4.1.9.1.0, {}}}\n"
NEVER = [
    (COLUMN, "quantity: battery.charge, while: {part: unit, is: [1]}", 10, "write when in place of while"),
    (
        COLUMN,
        "quantity: battery.charge, when: [{part: units, is: [1]}]",
        10,
        "no part of the index; write unit or channel",
    ),
    (COLUMN, "quantity: battery.charge, when: [{part: unit, first: 1, is: [1]}]", 10, "write it beside column alone"),
    (OBJECT, "quantity: battery.charge, while: {column: 2, is: [1]}", 6, "so it has no column; write oid"),
    (OBJECT, "quantity: battery.charge, when: [{column: 2, is: [1]}]", 6, "so it has no column; write oid"),
    (OBJECT, "quantity: battery.charge, left_of: {part: unit}", 6, "so it has no part; write oid"),
    (OBJECT, "quantity: battery.charge, scale: 0", 6, "makes every number the same; write"),
    (OBJECT, "quantity: battery.charge, range: [10, 1]", 6, "write the least first: [1, 10]"),
    (OBJECT, "quantity: battery.charge, mask: 3", 6, "write states, or leave it out"),
    (
        OBJECT,
        "quantity: device.status, transform: signed8, states: {1: {name: a}}",
        6,
        "transform does nothing where states are",
    ),
    (
        OBJECT,
        "quantity: alarm.status, transform: signed8, bits: {1: {name: a}}",
        6,
        "transform does nothing where bits are",
    ),
    (OBJECT, "quantity: alarm.status, bits: {-1: {name: a}}", 6, "bit 0 is worth 1"),
    (OBJECT, "quantity: alarm.status, bits: {1: {name: a}, 2: {name: a}}", 6, '1, 2 are all called "a"'),
    (
        OBJECT,
        "quantity: device.status, absent: [1], states: {1: {name: a}}",
        6,
        "1 stands in absent and is a state as well",
    ),
    (OBJECT, "quantity: fan.running, absent: [0], zero: stopped, nonzero: running", 6, "0 stands in absent"),
    (
        OBJECT,
        "quantity: device.status, states: {1: {name: a}, 2: {name: a, severity: warning}}",
        6,
        '"a" is ok and warning; give what is meant differently another name',
    ),
    (
        "alarms:\n  column: 1.3.6.1.4.1.9.3\n  known:\n    {}\n",
        "1: {name: a, label: A, severity: warning}\n    2: {name: a, label: B, severity: warning}",
        9,
        '1, 2 are all called "a"; give each a name of its own',
    ),
    ("sensors:\n  8:\n    - {{{}}}\n", "quantity: fan.speed, scale_from: {column: 1, as: power}", 7, "leave it out"),
    (
        "tables:\n  - {{name: t, entry: 1.3.6.1.4, index: [a], columns: [], {}}}\n",
        "most: 5",
        6,
        "write a when with a column",
    ),
]


@pytest.mark.parametrize(("shape", "keys", "line", "says"), NEVER, ids=[keys for _, keys, _, _ in NEVER])
def test_what_could_never_work_is_refused_with_its_line(shape: str, keys: str, line: int, says: str) -> None:
    text = "protocol: snmp\nname: X\nmaker: any\nsource: none\n" + shape.format(keys)
    with pytest.raises(ConfigError) as refused:
        read_definition(read_text(text, "x.yaml"))
    assert str(refused.value).startswith(f"x.yaml:{line}: ")
    assert says in str(refused.value)


def test_a_name_with_two_severities_in_an_enumeration_is_refused_where_it_stands() -> None:
    text = HEAD.replace("1: {name: normal}", "1: {name: error}")
    text += "  - {oid: 1.3.6, name: a, label: A, quantity: device.status, enumeration: monitor}\n"
    with pytest.raises(ConfigError, match=r'x\.yaml:6: .*"error" is critical and ok'):
        read_definition(read_text(text, "x.yaml"))


# -- definitions of one's own -----------------------------------------------------------------------------------------

BASE = "protocol: snmp\nname: {}\nmaker: any\nsource: none\n"
CHARGE = "objects:\n  - {{oid: 1.3.6.1.4.1.9.{}.0, name: {}, label: A, quantity: battery.charge}}\n"


def library(**texts: str) -> dict[str, Callable[[], str]]:
    return {name: (lambda text=text: text) for name, text in texts.items()}  # type: ignore[misc]


def shipping() -> Library:
    """Return a card of a family: `card` extends `family`, which extends `root`."""
    return Library(
        library(
            root=BASE.format("Root") + CHARGE.format(1, "root"),
            family=BASE.format("Family")
            + "extends: root\nmatch: {has: [1.3.6.1.4.1.9]}\n"
            + CHARGE.format(2, "family"),
            card=BASE.format("Card") + "extends: family\nmatch: {has: [1.3.6.1.4.1.9.3]}\n" + CHARGE.format(3, "card"),
        )
    )


def test_a_definition_of_ones_own_counts_for_those_that_extend_it_too() -> None:
    own = Library(library(root=BASE.format("Mine") + CHARGE.format(7, "mine")), shipping())
    assert [each.name for each in own["card"].objects] == ["card", "family", "mine"]
    assert [each.name for each in shipping()["card"].objects] == ["card", "family", "root"]


def test_a_definition_of_ones_own_may_extend_the_one_whose_place_it_takes_and_serves_the_same_devices() -> None:
    base = shipping()
    own = Library(library(family=BASE.format("Mine") + "extends: family\n" + CHARGE.format(7, "mine")), base)
    assert [each.name for each in own["family"].objects] == ["mine", "family", "root"]
    assert [each.name for each in own["card"].objects] == ["card", "mine", "family", "root"]
    assert own["root"] is base["root"]
    assert own.matches == base.matches
    assert own["family"].match == base["family"].match


def test_definitions_that_extend_each_other_are_refused() -> None:
    own = Library(library(root=BASE.format("Mine") + "extends: card\n"), shipping())
    with pytest.raises(ConfigError, match="extends itself, by way of card and family and root"):
        own["card"]
    with pytest.raises(ConfigError, match=r'devices/snmp/x\.yaml:5: extends: extends "rot", .*did you mean "root"'):
        Library(library(x=BASE.format("X") + "extends: rot\n"), shipping())["x"]


@pytest.mark.parametrize("below", ["match: {has: [1.3.6.1.4.1.9]}", '"match": {has: [1.3.6.1.4.1.9]}'])
def test_a_match_below_the_objects_is_seen(below: str) -> None:
    head, source = BASE.format("X").split("source")
    own = Library(library(x=head + CHARGE.format(1, "x") + f"source{source}{below}\n"))
    assert own.matches["x"].has == ("1.3.6.1.4.1.9",)


def test_a_preferred_name_that_no_object_has_is_refused_with_the_nearest() -> None:
    text = BASE.format("X") + "extends: root\nprefer:\n  - [rot, mine]\n" + CHARGE.format(7, "mine")
    with pytest.raises(ConfigError, match='"rot" is the name of no object here; did you mean "root"') as refused:
        Library(library(x=text), shipping())["x"]
    assert str(refused.value).startswith("devices/snmp/x.yaml:7: prefer: ")


def test_what_ships_and_prefers_a_name_that_ones_own_definition_no_longer_has_is_read() -> None:
    texts = library(
        root=BASE.format("Root") + CHARGE.format(1, "root"),
        card=BASE.format("Card") + "extends: root\nprefer:\n  - [root, card]\n" + CHARGE.format(3, "card"),
    )
    own = Library(library(root=BASE.format("Mine") + CHARGE.format(7, "mine")), Library(texts))
    assert [each.name for each in own["card"].objects] == ["card", "mine"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"x\.yml: has the name of x\.yaml; give it another"):
        with_files([tmp_path / "x.yaml", tmp_path / "x.yml"])


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

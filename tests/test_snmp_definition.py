"""What the language of device definitions can say."""

import pytest

from collectors.snmp.definition import read_definition
from collectors.snmp.plan import AlarmPoint, AlarmTable
from config.node import ConfigError
from config.reader import read_text
from model.point import Point, State
from model.quantity import Quantity

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

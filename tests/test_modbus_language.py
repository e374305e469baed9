"""The language of Modbus definitions: forms and orders of numbers, conditions, facts, repeats, and what is refused."""

import re

import pytest
from pymodbus.client.mixin import ModbusClientMixin

from collectors.line.definition import ModbusDefinition, definition
from collectors.line.modbus_slave import ModbusSlave
from collectors.line.question import Answer, Question
from collectors.line.recording import answer, play, read_image
from collectors.line.registers import Order, Type, number
from config.node import ConfigError
from config.reader import read_text

HEAD = "protocol: modbus\nname: x\nsource: y\n"


def made(text: str) -> ModbusDefinition:
    found = definition(read_text(HEAD + text, "t.yaml"))
    assert isinstance(found, ModbusDefinition)
    return found


def values(text: str, image: str) -> dict[str, float | str | None]:
    return play(made(text), read_image(image.splitlines())).by_id()


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
@pytest.mark.parametrize(
    ("kind", "theirs", "value"),
    [
        ("u16", "UINT16", 0xF00D),
        ("s16", "INT16", -2),
        ("u32", "UINT32", 0xDEADBEEF),
        ("s32", "INT32", -123456),
        ("u64", "UINT64", 0x3132333435363738),
        ("s64", "INT64", -5_000_000_000),
        ("float32", "FLOAT32", 230.25),
        ("float64", "FLOAT64", 1234567.125),
    ],
)
def test_numbers_in_every_order_are_those_that_pymodbus_put_there(
    kind: Type, theirs: str, value: float, order: Order
) -> None:
    words = ModbusClientMixin.convert_to_registers(value, ModbusClientMixin.DATATYPE[theirs])
    if order in {"CDAB", "DCBA"}:
        words = words[::-1]
    if order in {"BADC", "DCBA"}:
        words = [int.from_bytes(word.to_bytes(2, "big"), "little") for word in words]
    assert number(tuple(words), kind, order) == value


@pytest.mark.parametrize(
    ("words", "kind", "mask", "value"),
    [
        ((0x8005,), "m16", 0, -5),
        ((0x0005,), "m16", 0, 5),
        ((0x8000, 0x0001), "m32", 0, -1),
        ((0x1234,), "bcd16", 0, 1234),
        ((0x0012, 0x3456), "bcd32", 0, 123456),
        ((0x12A4,), "bcd16", 0, None),
        ((0x7FC0, 0x0000), "float32", 0, None),
        ((0x7F80, 0x0000), "float32", 0, None),
        ((0x7F00, 0x0000), "float32", 0, None),
        ((0x7FF8, 0, 0, 0), "float64", 0, None),
        ((0xA5C3,), "u16", 0x0F00, 5),
        ((0xA5C3,), "u16", 0x00FF, 0xC3),
        ((0xA5C3,), "s16", 0x00FF, 0xC3 - 256),
        ((0xA5C3,), "s16", 0x0F00, 5),
        ((0xFD05,), "m16", 0xFF00, -0x7D),
    ],
)
def test_signs_decimal_digits_and_parts_of_registers(
    words: tuple[int, ...], kind: Type, mask: int, value: float | None
) -> None:
    assert number(words, kind, "ABCD", mask) == value


def test_a_number_is_scaled_and_put_into_our_unit() -> None:
    text = """
registers:
  - {register: 0, quantity: mains.energy, unit: kWh, scale: 0.1}
  - {register: 1, quantity: battery.temperature, unit: K, scale: 0.1}
  - {register: 2, type: s16, quantity: ambient.temperature, unit: "°F"}
  - {register: 3, quantity: ambient.humidity, offset: -40}
"""
    assert values(text, "3:0 123 2981 50 90") == {
        "mains.energy": 12300.0,
        "battery.temperature": 24.95,
        "ambient.temperature": 10.0,
        "ambient.humidity": 50.0,
    }


def test_sentinels_of_a_register_of_the_definition_and_of_a_type() -> None:
    text = """
absent: [0x8000]
sentinels: {s16: {absent: [-1], unfitted: [-2]}}
registers:
  - {register: 0, quantity: mains.voltage}
  - {register: 1, quantity: mains.current, absent: [7, 8]}
  - {register: 2, type: s16, quantity: mains.power}
  - {register: 3, type: s16, quantity: mains.reactive_power}
  - {register: 4, quantity: mains.frequency, range: [450, 550], scale: 0.1}
  - {register: 5, quantity: device.status, states: {0x8000: {name: odd}}}
"""
    assert values(text, "3:0 8000h 8000h 0xFFFF 0xFFFE 449 8000h") == {
        "mains.voltage": None,
        "mains.current": 32768.0,
        "mains.power": None,
        "mains.frequency": None,
        "device.status": "odd",
    }


def test_what_a_device_does_not_have_becomes_a_point_once_it_has_a_value_and_stays_one() -> None:
    slave = ModbusSlave("d", made("registers: [{register: 0, quantity: ambient.humidity, unfitted: [0xFFFF]}]"), 1, 0)

    def poll(word: int) -> dict[str, float | str | None]:
        question = slave.plan()[0]
        found = slave.take(question, answer({3: {0: word}}, question))
        return {point.id: value for point, value in found.items()}

    assert poll(0xFFFF) == {}
    assert slave.points() == []
    assert poll(55) == {"ambient.humidity": 55.0}
    assert poll(0xFFFF) == {"ambient.humidity": None}
    assert [point.id for point in slave.points()] == ["ambient.humidity"]


# -- facts ------------------------------------------------------------------------------------------------------------

FACTS = """
registers:
  - {register: 0, type: s16, quantity: mains.power, scale_from: {register: 9, type: s16}}
  - {register: 1, quantity: mains.current, scale_from: {register: 8, as: divisor}}
  - {register: 2, quantity: solar.power, when: [{register: 7, is: [1, 2]}]}
  - {register: 3, quantity: battery.charge, while: {register: 6, above: 0}}
  - {register: 20, quantity: battery.voltage, scale: 0.001, repeat: {count: 5, index: cell, step: 2}}
  - {register: 40, quantity: battery.temperature, repeat: {times: 2, index: sensor, first: 0}}
"""
WORDS = "3:0 0xFFF4 500 77 88 0\n3:5 2 {counts} {fitted} 100 {power}\n3:20 3300 0 3400 0 3500\n3:40 21 22"


def test_facts_decide_what_is_there_what_counts_and_how_it_is_scaled() -> None:
    found = values(FACTS, WORDS.format(counts=1, fitted=2, power=3))
    assert found == {
        "mains.power": -12000.0,
        "mains.current": 5.0,
        "solar.power": 77.0,
        "battery.charge": 88.0,
        "battery.voltage[cell=1]": 3.3,
        "battery.voltage[cell=2]": 3.4,
        "battery.temperature[sensor=0]": 21.0,
        "battery.temperature[sensor=1]": 22.0,
    }


def test_what_is_not_fitted_is_no_point_and_what_does_not_count_has_no_value() -> None:
    found = values(FACTS, WORDS.format(counts=0, fitted=3, power="0x8000"))
    assert "solar.power" not in found
    assert found["battery.charge"] is None
    assert found["mains.power"] is None  # a power of ten that cannot be meant


def test_facts_are_asked_for_first_and_what_hangs_on_them_follows_in_the_same_poll() -> None:
    slave = ModbusSlave("d", made(FACTS), 1, largest_hole=0)
    assert [each.key for each in slave.plan()] == [
        "function 3, 1 from 3",
        "function 3, 5 from 5",
        "function 3, 2 from 40",
    ]
    question = slave.plan()[1]
    slave.take(question, reply(question, 2, 1, 1, 100, 3))
    assert [each.key for each in slave.plan()] == [
        "function 3, 4 from 0",
        "function 3, 5 from 5",
        "function 3, 1 from 20",
        "function 3, 1 from 22",
        "function 3, 2 from 40",
    ]


def reply(question: Question, *words: int) -> Answer:
    start = int.from_bytes(question.frame[2:4], "big")
    return answer({question.frame[1]: dict(enumerate(words, start))}, question)


def test_bits_and_parts_of_registers_are_states_of_their_own() -> None:
    text = """
enumerations:
  alarm: {0: {name: quiet}, 2: {name: warning, severity: warning}}
registers:
  - register: 0
    type: u32
    order: CDAB
    bits:
      0: {name: first}
      17: {name: second, severity: critical, inverted: true}
      3: {quantity: door.status, clear: closed, active: open, index: {door: 1}}
  - {register: 2, quantity: device.status, enumeration: alarm, parts: {bits: 4, names: [a, b, c, d, e]}}
  - {register: 7, function: 2, quantity: smoke.status, zero: clear, nonzero: smoke}
"""
    assert values(text, "3:0 9 2\n3:2 0x0200 0x2000\n2:7 1") == {
        "alarm.status[alarm=first]": "active",
        "alarm.status[alarm=second]": "clear",
        "door.status[door=1]": "open",
        "device.status[alarm=a]": "quiet",
        "device.status[alarm=b]": "warning",
        "device.status[alarm=c]": "quiet",
        "device.status[alarm=d]": "quiet",
        "device.status[alarm=e]": "warning",
        "smoke.status": "smoke",
    }


def test_function_type_and_order_of_the_definition_count_for_all_that_says_nothing_else() -> None:
    text = """
function: 4
type: float32
order: CDAB
identify: [{register: 2, above: 45, below: 65}]
registers: [{register: 0, quantity: mains.voltage}, {register: 4, function: 3, type: u16, quantity: mains.current}]
"""
    assert values(text, "4:0 3333h 4366h\n3:4 5") == {"mains.voltage": 230.2, "mains.current": 5.0}
    (probe,) = made(text).identify
    assert (probe.function, probe.type, probe.order) == (4, "float32", "CDAB")
    assert probe.holds((0x0000, 0x4248))
    assert not probe.holds((0x0000, 0x4288))


# -- what is refused --------------------------------------------------------------------------------------------------

BAD = [
    ("registers: [{register: 0, quantity: mains.voltage, type: u8}]", '"u8" is not one of its values'),
    ("registers: [{register: 0, quantity: mains.voltage, order: AB}]", '"AB" is not one of its values'),
    ("registers: [{register: 0, quantity: mains.voltage, unit: A}]", 'unit "A" does not become "V"'),
    ("registers: [{register: 0, quantity: mains.voltage, scale: 0}]", "scale: 0 makes every number the same"),
    ("registers: [{register: 0, quantity: mains.voltage, range: [5, 1]}]", "write the least first: [1, 5]"),
    ("registers: [{register: 0, quantity: mains.voltage, bits: {0: {name: a}}}]", "bits have quantities and states"),
    ("registers: [{register: 0, bits: {64: {name: a}}}]", "a bit has a number from 0 to 63"),
    ("registers: [{register: 0, bits: {0: {label: a}}}]", 'the key "name" is missing; an alarm is known by it'),
    ("registers: [{register: 0, bits: {0: {quantity: door.status}}}]", '"clear" is no state of door.status'),
    ("registers: [{register: 0, quantity: door.status, zero: closed}]", "write both, and no states"),
    (
        "registers: [{register: 0, quantity: door.status, states: {0: {name: shut}}}]",
        '"shut" is no state of door.status',
    ),
    (
        "registers: [{register: 0, quantity: device.status, states: {0: {name: a}, 1: {name: a, severity: critical}}}]",
        '"a" is ok and critical; give what is meant differently another name',
    ),
    ("registers: [{register: 0, quantity: device.status, enumeration: e}]", 'there is no enumeration "e" here'),
    (
        "registers: [{register: 0, quantity: mains.power, enumeration: e}]",
        "an enumeration stands for the states of a state",
    ),
    (
        "registers: [{register: 0, quantity: mains.power, when: [{register: 1}]}]",
        "write what the number must be: is, is_not",
    ),
    (
        "registers: [{register: 0, quantity: mains.power, repeat: {index: a}}]",
        "write either times, how often, or count",
    ),
    ("identify: [{above: 1}]\nregisters: [{register: 0, quantity: mains.power}]", "write either register or device_id"),
    (
        "identify: [{register: 1}]\nregisters: [{register: 0, quantity: mains.power}]",
        "write what the number must be: equals",
    ),
    ("identify: [{device_id: {vendor: '('}}]\nregisters: []", '"(" is no regular expression'),
    ("function: 3\n", 'the key "registers" is missing'),
    ("registers: [{register: 0, quantity: mains.power}, {register: 1, quantity: mains.power}]", "are both mains.power"),
    ("longest: 3\nregisters: [{register: 0, type: u64, quantity: mains.energy}]", "4 registers are more than longest"),
    ("inputs: {register: 0, count: 17}", "a register has 16 bits; count is 17"),
    ("reserved: [[5, 4]]\nregisters: [{register: 0, quantity: mains.power}]", "no register lies in this span"),
    ("reserved: [[0, 4]]\nregisters: [{register: 4, quantity: mains.power}]", "register 4 lies in a reserved span"),
]


@pytest.mark.parametrize(("text", "said_of_it"), BAD)
def test_a_definition_that_could_never_work_is_refused_with_its_line(text: str, said_of_it: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(text)
    assert said_of_it in str(caught.value)
    assert re.match(r"t\.yaml:\d+: ", str(caught.value))


def test_registers_that_are_wrong_are_not_called_missing() -> None:
    with pytest.raises(ConfigError) as caught:
        made("registers:\n  - {register: 0, quantity: mains.volt, label: V}\n")
    assert "mains.voltage" in str(caught.value)
    assert '"registers" is missing' not in str(caught.value)

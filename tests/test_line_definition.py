"""Device definitions of the line: what is shipped loads and means what the maker's words say; what is wrong is told."""

import json
import re

import pytest

from collectors.line.definition import ModbusDefinition, definition, shipped
from collectors.line.meaning import Value
from collectors.line.modbus_slave import ModbusSlave
from collectors.line.ydt_definition import YdtDefinition
from collectors.line.ydt_slave import YdtSlave
from config.node import ConfigError
from config.reader import read_text
from model.quantity import Quantity
from tests.recordings import recordings
from wire.modbus import Reply
from wire.ydt1363 import decode

MODBUS = ["eastron-sdm630", "block-battery-monitor"]
YDT = ["ac-distribution", "rectifier", "dc-distribution", "power-plant", "battery-pylontech"]


@pytest.mark.parametrize("name", MODBUS)
def test_a_shipped_modbus_definition_loads_and_plans_only_reads(name: str) -> None:
    found = shipped(name)
    assert isinstance(found, ModbusDefinition)
    assert found.source
    slave = ModbusSlave("m", found, 3, largest_hole=10)
    assert all(question.frame[1] in {1, 2, 3, 4} for question in slave.plan())
    assert len({point.id for point in slave.points()}) == len([each for each in found.registers if not each.repeat])


@pytest.mark.parametrize("name", YDT)
def test_a_shipped_ydt1363_definition_loads_and_plans_only_reads(name: str) -> None:
    found = shipped(name)
    assert isinstance(found, YdtDefinition)
    assert found.source
    for question in YdtSlave("y", found, 1).plan():
        assert decode(question.frame).code in {0x41, 0x42, 0x43, 0x44}


def test_the_plant_is_asked_for_alarms_before_values() -> None:
    slave = YdtSlave("y", shipped("power-plant"), 1)  # type: ignore[arg-type]
    slave.begin(0.0, whole=True)
    commands = [decode(question.frame).code for question in slave.plan()]
    assert commands == [0x44, 0x44, 0x44, 0x43, 0x43, 0x41, 0x41, 0x41]


def test_every_state_of_a_definition_is_a_word_that_rules_know_or_a_code_of_the_alarm_byte() -> None:
    ours = {"normal", "below_limit", "above_limit", "phase_missing", "fuse_blown", "switch_open", "fault"}
    for name in [*MODBUS, *YDT]:
        found = shipped(name)
        slave = ModbusSlave("d", found, 1, 0) if isinstance(found, ModbusDefinition) else YdtSlave("d", found, 1)
        for point in slave.points():
            assert {state.name for state in point.states} <= ours | set(point.quantity.states), (name, point.id)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        shipped("no-such-device")


def test_the_sdm630_reads_the_recorded_voltage() -> None:
    vectors = json.loads((recordings() / "serial" / "modbus.json").read_text())["vectors"]
    frames = [v for v in vectors if "float32_be" in v["decoded"] and "request" in v and v["decoded"]["address"] == 0]
    assert frames
    found = shipped("eastron-sdm630")
    assert isinstance(found, ModbusDefinition)
    first = found.registers[0]
    assert (first.quantity, first.register, first.type) == (Quantity.MAINS_VOLTAGE, 0, "float32")
    for vector in frames:
        reply = Reply(1, 4, bytes.fromhex(vector["response"])[3:-2])
        assert first.of(first.raw(reply.registers)) == pytest.approx(vector["decoded"]["float32_be"])


def test_the_pylontech_definition_decodes_every_recorded_pack_to_its_documented_values() -> None:
    vectors = json.loads((recordings() / "serial" / "ydt1363.json").read_text())["vectors"]
    found, seen = shipped("battery-pylontech"), 0
    assert isinstance(found, YdtDefinition)
    for vector in vectors:
        meant = vector.get("response_fields", {}).get("semantic", {})
        if not meant.get("layout", "").startswith("pylontech"):
            continue
        slave = YdtSlave("pack", found, vector["response_fields"]["adr"])
        values = slave.take(slave.plan()[0], decode(vector["response"].encode()))
        by_id = {point.id: value for point, value in values.items()}
        cells = [by_id[f"battery.voltage[cell={n}]"] for n in range(1, len(meant["cells_mV"]) + 1)]
        assert cells == [each / 1000 for each in meant["cells_mV"]]
        sensors = [by_id[f"battery.temperature[sensor={n}]"] for n in range(1, len(meant["temps_C"]) + 1)]
        assert sensors == pytest.approx(meant["temps_C"])
        assert by_id["battery.current"] == pytest.approx(meant["current_A"])
        assert by_id["battery.voltage"] == pytest.approx(meant["voltage_V"])
        if meant["p"] == 2:
            assert by_id["battery.capacity[of=remaining]"] == meant["remaining_raw"] / 1000
            assert by_id["battery.capacity[of=total]"] == meant["total_raw"] / 1000
        else:
            assert 0 < by_id["battery.capacity[of=remaining]"] <= by_id["battery.capacity[of=total]"]  # type: ignore[operator]
        seen += 1
    assert seen >= 4


def test_a_value_is_scaled_shifted_or_absent() -> None:
    value = Value(quantity=Quantity.BATTERY_TEMPERATURE, scale=0.1, offset=-273.1, absent=(0,))
    assert value.of(2941) == 21.0
    assert value.of(0) is None
    assert value.of(None) is None


def test_an_alarm_byte_of_the_makers_own_is_a_fault_and_an_undefined_one_is_nothing() -> None:
    step = shipped("rectifier").reads[0].layouts[0].walk[1].walk[0]  # type: ignore[union-attr]
    assert step.of(0x00) == "normal"
    assert step.of(0xF0) == step.of(0x85) == "fault"
    assert step.of(0x37) is None


HEAD = "protocol: modbus\nname: x\nsource: y\nregisters:\n"
YHEAD = """\
protocol: ydt1363
name: x
source: y
reads:
  - name: r
    cid1: 0x41
    command: 0x41
    layouts:
      - name: l
        walk:
"""
BAD = [
    ("name: x\n", '"protocol" is missing; it is modbus or ydt1363'),
    (HEAD + "  - {register: 0, quantity: mains.volts}\n", "did you mean"),
    (HEAD + "  - {register: 0}\n", '"quantity" is missing'),
    (HEAD + "  - {register: 70000, quantity: mains.voltage}\n", "70000 is out of range; write from 0 to 65535"),
    (HEAD + "  - {register: 0, quantity: door.status}\n", "door.status is a state; states: says what each code means"),
    (
        HEAD + "  - {register: 0, quantity: mains.voltage, states: {0: {name: x}}}\n",
        "mains.voltage is a number; it has no states",
    ),
    (
        HEAD.replace("registers", "longest: 200\nregisters") + "  - {register: 0, quantity: mains.voltage}\n",
        "reads at most 125",
    ),
    (HEAD + "  - {register: 0, quantity: mains.voltage, typ: u16}\n", 'unknown key; did you mean "type"?'),
    (
        YHEAD.replace("command: 0x41", "command: 0x45") + "          - {take: flag}\n",
        "command 0x45 is not a read; write one of",
    ),
    (YHEAD + "          - {take: group, walk: [{take: byte}]}\n", "a group needs each:"),
    (
        YHEAD + "          - {take: float, walk: [{take: byte}]}\n",
        "a float has no walk; only group, items and rest have",
    ),
    (YHEAD + "          - {take: alarm}\n", '"quantity" is missing'),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_bad_definition_is_refused_with_its_line_and_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        definition(read_text(text, "bad.yaml"))
    assert said in str(caught.value)
    assert re.match(r"bad\.yaml:\d+: ", str(caught.value))

"""Definitions of Modbus devices as files: tried on recordings, shown, read by editors, used by a site, documented."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from agent.rounds import check_lines
from collectors.line.definition import ModbusDefinition, definition
from collectors.line.editor import schema
from collectors.line.inputs import definition_of
from collectors.line.recording import RecordingError, play, read_image
from config.node import ConfigError
from config.reader import read_text
from config.schema import Input, LineDevice
from config.shipped import names, shipped_text
from config.site import load_site
from tests.said import said

HEAD = "protocol: modbus\nname: x\nsource: y\n"
SCHEMA = Path(__file__).resolve().parents[1] / "config" / "devices" / "modbus.schema.json"


# -- recordings -------------------------------------------------------------------------------------------------------


def test_a_recording_is_registers_and_frames() -> None:
    lines = [
        "# a meter",
        "4:0x10 1 0xFFFF 10h   # three registers",
        "2:7 1 0",
        "> 01 04 00 00 00 02 71 CB",
        "< 01 04 04 43 66 33 34 1B 38",
        "> 01 03 00 17 00 01 34 0E",
        "< 01 83 02 C0 F1",
    ]
    assert read_image(lines) == {4: {0x10: 1, 0x11: 0xFFFF, 0x12: 16, 0: 0x4366, 1: 0x3334}, 2: {7: 1, 8: 0}}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("4:0 65536", "65536 is no register"),
        ("< 01 04 04 43 66 33 34 1B 38", 'write "4:0 17254"'),
        ("> 01 04 00 00 00 02 71 CC", "CRC"),
        ("meter", 'write "4:0 17254"'),
    ],
)
def test_a_line_that_is_no_recording_is_named(line: str, why: str) -> None:
    with pytest.raises(RecordingError, match=r"^line 2: ") as caught:
        read_image(["", line])
    assert why in str(caught.value)


def test_what_a_recording_lacks_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "rec.txt").write_text("4:0 2302\n4:1 108 0\n")
    status, out, _ = said("devices", "test", "pzem-004t", str(tmp_path / "rec.txt"))
    assert status == 0
    assert re.search(r"Voltage +230\.2 V +mains\.voltage +4:0", out)
    assert "Not in the recording: function 4, 1 from 9: illegal address" in out


def test_a_definition_of_ones_own_is_shown_and_tried(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(HEAD + "registers: [{register: 2, quantity: mains.voltage, label: Mains, scale: 0.1}]\n")
    (tmp_path / "rec.txt").write_text("3:2 2302\n")
    status, out, _ = said("devices", "test", str(file), str(tmp_path / "rec.txt"), "--json")
    row = json.loads(out)
    assert (status, row["value"], row["label"], row["source"]) == (0, 230.2, "Mains", "3:2")
    _, out, _ = said("devices", "show", str(file))
    assert re.search(r"mains\.voltage +Mains +V", out)


def test_definitions_of_lines_are_listed_and_shown() -> None:
    _, out, _ = said("devices")
    assert re.search(r"^pzem-004t +modbus +Peacefair", out, re.MULTILINE)
    _, out, _ = said("devices", "show", "waveshare-io-8ch")
    assert re.search(r"device\.status +Input 8 +open closed +input=8 +2:7", out)


# -- for an editor ----------------------------------------------------------------------------------------------------


def test_the_shipped_schema_is_what_the_command_prints() -> None:
    _, out, _ = said("devices", "schema", "--protocol", "modbus")
    assert SCHEMA.read_text() == out, (
        "run: roundsman devices schema --protocol modbus > config/devices/modbus.schema.json"
    )


def test_every_shipped_definition_is_good_by_the_schema() -> None:
    check = jsonschema.Draft202012Validator(schema())
    for name in sorted(names("devices/modbus")):
        written = json.loads(json.dumps(yaml.load(shipped_text("devices", name), yaml.CSafeLoader), default=str))
        problems = [f"{name}: {error.json_path}: {error.message}" for error in check.iter_errors(written)]
        assert problems == []


def test_the_schema_marks_a_key_that_does_not_exist() -> None:
    check = jsonschema.Draft202012Validator(schema())
    bad = yaml.safe_load(HEAD + "registers: [{register: 0, quantity: mains.voltage, factor: 0.1}]")
    assert any("'factor' was unexpected" in error.message for error in check.iter_errors(bad))


# -- the site ---------------------------------------------------------------------------------------------------------

SITE = """\
site: {{id: a, name: A, contract: telecom-transmission}}
lines:
  - id: l
    port: /dev/ttyUSB0
    devices:
      - {{id: m, protocol: modbus, address: 1, definition: {definition}{more}}}
"""


def checked(folder: Path, definition: str, more: str = "") -> str:
    """Return what is wrong with a site whose device has that definition."""
    file = folder / "site.yaml"
    file.write_text(SITE.format(definition=definition, more=more))
    try:
        check_lines(load_site(file))
    except ConfigError as error:
        return str(error)
    return ""


def test_a_definition_of_the_site_s_own_is_found_beside_the_site_file(tmp_path: Path) -> None:
    (tmp_path / "meters").mkdir()
    (tmp_path / "meters" / "acme.yaml").write_text(HEAD + "registers: [{register: 0, quantity: mains.voltage}]\n")
    assert checked(tmp_path, "meters/acme.yaml") == ""
    assert "meters/none.yaml" in checked(tmp_path, "meters/none.yaml")
    (tmp_path / "meters" / "acme.yaml").write_text(HEAD + "registers: [{register: 0, quantity: mains.volts}]\n")
    assert "acme.yaml:4: " in checked(tmp_path, "meters/acme.yaml")
    (tmp_path / "meters" / "acme.yaml").write_text("protocol: snmp\nname: x\nsource: y\n")
    assert "write modbus or ydt1363" in checked(tmp_path, "meters/acme.yaml")


def test_inputs_are_for_modules_that_have_them(tmp_path: Path) -> None:
    assert checked(tmp_path, "inputs-4", ", inputs: {1: {is: door, normally: closed}}") == ""
    assert "has no contact inputs; leave inputs out" in checked(
        tmp_path, "pzem-004t", ", inputs: {1: {is: door, normally: closed}}"
    )
    assert "there is no input 5; inputs-4 has 4" in checked(
        tmp_path, "inputs-4", ", inputs: {5: {is: door, normally: closed}}"
    )
    assert "write normally: open or closed" in checked(tmp_path, "inputs-4", ", inputs: {1: {is: door}}")
    assert "did you mean" in checked(tmp_path, "inputs-4", ", inputs: {1: {is: dor, normally: open}}")


def test_a_device_whose_protocol_is_not_its_definition_s_is_refused() -> None:
    with pytest.raises(ConfigError, match="speaks modbus, not ydt1363"):
        definition_of(LineDevice(id="d", protocol="ydt1363", address=1, definition="pzem-004t"))
    with pytest.raises(ConfigError, match="there is no definition"):
        definition_of(LineDevice(id="d", protocol="modbus", address=1, definition="no-such"))


def test_inputs_may_be_the_bits_of_a_register_and_a_closed_contact_a_0(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(HEAD + "inputs: {register: 4, count: 3, closed: 0}\n")
    meant = {1: Input(is_="door", normally="closed"), 2: Input(is_="leak", normally="open"), 3: Input(is_="switch")}
    found = definition_of(LineDevice(id="d", protocol="modbus", address=1, definition=str(file), inputs=meant))
    assert isinstance(found, ModbusDefinition)
    assert play(found, {3: {4: 0b100}}).by_id() == {
        "door.status[input=1]": "closed",
        "leak.status[input=2]": "wet",
        "device.status[input=3]": "open",
    }


def test_an_input_that_is_a_switch_needs_no_normal_state() -> None:
    assert Input(is_="switch").normally is None


# -- documents --------------------------------------------------------------------------------------------------------

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "devices.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    found = re.search(rf"^```{kind} modbus\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_documents_example_reads_what_the_documents_say() -> None:
    found = definition(read_text(block("yaml"), "devices.md"))
    assert isinstance(found, ModbusDefinition)
    assert play(found, read_image(block("text").splitlines())).by_id() == {
        "mains.voltage": 230.2,
        "mains.energy": 12345600.0,
        "mains.frequency": 50.0,
        "equipment.temperature": None,
        "breaker.status": "open",
        "alarm.status[alarm=over_voltage]": "clear",
        "alarm.status[alarm=internal_fault]": "active",
    }


def test_every_key_of_a_modbus_definition_stands_in_the_documents() -> None:
    section = PAGE[PAGE.index("### Every key of a Modbus definition") : PAGE.index("## A YD/T 1363 device")]
    structs = schema()["$defs"]
    keys = {key for name in ("ModbusDefinition", "Register", "Repeat") for key in structs[name]["properties"]}
    told = {key for key in keys if f"`{key}`" in section}
    assert keys - told == {"name", "maker", "source", "notes", "protocol"}

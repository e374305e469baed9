"""`roundsman devices`: what ships, what each reads, trying a definition on a recording, drafting one from a device."""

import asyncio
import json
import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import jsonschema
import pytest
import yaml

from collectors.snmp.checked import read_definition
from collectors.snmp.definition import ROOM
from collectors.snmp.editor import schema
from collectors.snmp.library import shipped
from collectors.snmp.meaning import as_number
from collectors.snmp.recording import RecordingError, read_from, read_recording, written
from collectors.snmp.target import Target
from collectors.snmp.whole import walk_card
from config.reader import read_text
from config.shipped import names, shipped_text
from roundsman.devices.mib import read_mibs
from roundsman.output import CommandError
from tests.peers.snmp import Agent, snmpd
from tests.said import said

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "config" / "devices" / "snmp.schema.json"
ACME = "1.3.6.1.4.1.99999"
WALK = f"""\
.1.3.6.1.2.1.1.1.0 = STRING: "Acme UPS
second line of the text"
.1.3.6.1.2.1.1.2.0 = OID: .{ACME}.1
.1.3.6.1.2.1.1.3.0 = Timeticks: (4242) 0:00:42.42
.{ACME}.1.1.0 = INTEGER: 2318
.{ACME}.1.2.0 = INTEGER: onBattery(3)
.{ACME}.1.3.0 = Gauge32: 65535
.{ACME}.1.4.0 = Hex-STRING: 80 01
.{ACME}.1.9.0 = INTEGER: 7
.{ACME}.2.1.2.1 = STRING: "north"
.{ACME}.2.1.2.2 = STRING: "south"
.{ACME}.2.1.3.1 = INTEGER: 210
.{ACME}.2.1.3.2 = INTEGER: -40
.{ACME}.2.1.4.1 = Opaque: Float: 21.500000
.{ACME}.2.1.5.1 = No Such Instance currently exists at this OID
"""
DEFINITION = f"""\
protocol: snmp
name: Acme UPS
maker: Acme
source: typed for this test
match: {{sys_object_id: [{ACME}], has: [{ACME}.1]}}
absent: [65535]
objects:
  - {{oid: {ACME}.1.1.0, name: acmeInput, label: Input voltage, quantity: input.voltage, scale: 0.1}}
  - oid: {ACME}.1.2.0
    name: acmeOutput
    label: Output
    quantity: output.status
    states: {{2: {{name: normal}}, 3: {{name: battery, severity: warning}}}}
  - {{oid: {ACME}.1.3.0, name: acmeLoad, label: Load, quantity: output.load}}
  - {{oid: {ACME}.1.7.0, name: acmeMissing, label: Missing, quantity: battery.charge}}
tables:
  - name: acmeProbeTable
    entry: {ACME}.2.1
    index: [sensor]
    label: {{column: 2}}
    columns:
      - {{column: 3, name: acmeTemp, label: Temperature, quantity: ambient.temperature, scale: 0.1}}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "acme.yaml").write_text(DEFINITION)
    (tmp_path / "ups.walk").write_text(WALK)
    return str(tmp_path / "acme.yaml"), str(tmp_path / "ups.walk")


# -- what ships -------------------------------------------------------------------------------------------------------


def test_what_ships_is_listed_with_its_maker() -> None:
    _, out, _ = said("devices", "--json")
    rows = {row["name"]: row for row in map(json.loads, out.splitlines())}
    assert rows["rfc1628-ups"]["protocol"] == "snmp"
    assert rows["rfc1628-ups"]["source"].startswith("RFC 1628")
    assert {name for name in shipped() if shipped()[name].match} <= set(rows)


def test_what_a_definition_reads_is_shown_with_unit_states_and_source(files: tuple[str, str]) -> None:
    status, out, _ = said("devices", "show", files[0], "--json")
    assert status == 0
    also = Path(files[0]).with_suffix(".yml")
    also.write_text(DEFINITION)
    assert said("devices", "show", str(also), "--json")[:2] == (0, out)
    rows = {row["name"]: row for row in map(json.loads, out.splitlines())}
    assert rows["acmeInput"] == {
        "quantity": "input.voltage",
        "label": "Input voltage",
        "unit": "V",
        "states": [],
        "name": "acmeInput",
        "source": f"{ACME}.1.1.0",
    }
    assert rows["acmeOutput"]["states"] == ["normal", "battery:warning"]


def test_a_definition_that_does_not_ship_is_refused_with_what_to_do() -> None:
    status, _, err = said("devices", "show", "no-such")
    assert status == 1
    assert err == "No definition 'no-such'; `roundsman devices` lists those that ship.\n"


# -- the schema for editors -------------------------------------------------------------------------------------------


def test_the_shipped_schema_is_what_the_command_prints() -> None:
    _, out, _ = said("devices", "schema")
    assert SCHEMA.read_text() == out, "run: roundsman devices schema > config/devices/snmp.schema.json"


def test_every_shipped_definition_is_good_by_the_schema() -> None:
    check = jsonschema.Draft202012Validator(schema())
    for name in sorted(names(ROOM)):
        written_as = json.loads(json.dumps(yaml.load(shipped_text(ROOM, name), yaml.CSafeLoader), default=str))
        problems = [f"{name}: {error.json_path}: {error.message}" for error in check.iter_errors(written_as)]
        assert problems == []


def test_the_schema_marks_a_key_that_does_not_exist_and_an_oid_that_is_none() -> None:
    check = jsonschema.Draft202012Validator(schema())
    bad = yaml.safe_load(DEFINITION.replace("scale: 0.1", "factor: 0.1").replace(f"{ACME}.1.3.0", "acmeLoad.0"))
    found = sorted(error.message for error in check.iter_errors(bad))
    assert any("'factor' was unexpected" in message for message in found)
    assert any("'acmeLoad.0' does not match" in message for message in found)


# -- recordings -------------------------------------------------------------------------------------------------------


def test_a_recorded_device_is_read_as_a_live_one(files: tuple[str, str]) -> None:
    status, out, _ = said("devices", "test", *files, "--json")
    assert status == 0
    rows = {row["point"]: row for row in map(json.loads, out.splitlines())}
    assert rows["input.voltage"]["value"] == 231.8
    assert (rows["output.status"]["value"], rows["output.status"]["severity"]) == ("battery", "warning")
    assert rows["output.load"]["quality"] == "unavailable"
    assert rows["ambient.temperature[sensor=2]"]["value"] == -4.0
    assert rows["ambient.temperature[sensor=2]"]["label"] == "Temperature, south"
    assert rows["device.uptime"]["value"] == 42.42


def test_what_a_definition_names_in_vain_and_what_it_leaves_is_said(files: tuple[str, str]) -> None:
    _, out, _ = said("devices", "test", *files)
    assert "Named, but not there: acmeMissing" in out
    assert "There, but said nothing that counts (absent, out of range, a state not listed): Load" in out
    assert f"{ACME}.1.9  1" in out


def test_a_definition_that_fits_nothing_ends_with_1(files: tuple[str, str]) -> None:
    status, out, _ = said("devices", "test", "rfc1628-ups", files[1])
    assert status == 1
    assert "nothing; the definition finds none of its objects" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no object; make it with snmpwalk -On"),
        ("UPS-MIB::upsLoad.0 = 3\n", ":1: no object; a line is .1.3.6.1.2.1.1.5.0 = STRING: ups (snmpwalk -On)"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_what_a_line_is(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(RecordingError) as refused:
        read_recording(tmp_path / "x")
    assert says in str(refused.value)
    status, _, err = said("devices", "test", "auto", str(tmp_path / "x"))
    assert (status, says in err) == (1, True)


def test_both_forms_of_recording_hold_the_same_objects(tmp_path: Path) -> None:
    (tmp_path / "walk").write_text(WALK)
    walked = read_recording(tmp_path / "walk")
    (tmp_path / "rec").write_text(written({oid: value for oid, (_, value) in walked.objects.items()}))
    recorded = read_recording(tmp_path / "rec")
    assert list(recorded.objects) == list(walked.objects)
    assert recorded.objects[f"{ACME}.1.4.0"][1] == bytes.fromhex("8001")
    assert walked.objects["1.3.6.1.2.1.1.1.0"][1] == b"Acme UPS\nsecond line of the text"
    assert as_number(recorded.objects[f"{ACME}.2.1.4.1"][1]) == 21.5
    assert f"{ACME}.2.1.5.1" not in walked.objects


def test_a_saved_walk_keeps_every_number_exactly(tmp_path: Path) -> None:
    numbers = {f"{ACME}.1.{number}.0": number / 3e7 + number for number in range(1, 4)}
    (tmp_path / "rec").write_text(written(numbers))
    read = read_recording(tmp_path / "rec").objects
    assert {oid: as_number(value) for oid, (_, value) in read.items()} == numbers


def test_an_address_that_is_none_keeps_no_recording_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "rec").write_text(
        f".{ACME}.1.1.0 = IpAddress: 999.1.1.1\n.{ACME}.1.2.0 = IpAddress: 192.0.2.1\n{ACME}.1.3.0|64x|c0000201\n"
    )
    read = read_recording(tmp_path / "rec").objects
    assert [value for _, value in read.values()] == [b"999.1.1.1", IPv4Address("192.0.2.1"), IPv4Address("192.0.2.1")]
    assert said("devices", "test", "auto", str(tmp_path / "rec"))[0] == 1  # of no definition, but read


@pytest.mark.parametrize("line", [f".{ACME}.1.1.0 = INTEGER: 23.0", f"{ACME}.1.1.0|2|23.0"])
def test_a_whole_number_with_a_point_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "rec").write_text(f".{ACME}.1.0.0 = INTEGER: 1\n{line}\n")
    with pytest.raises(RecordingError, match=r"rec:2: no whole number; .*walk again with snmpwalk -m '' -On"):
        read_recording(tmp_path / "rec")


# -- drafts, from net-snmp's agent ------------------------------------------------------------------------------------

MIB = """\
ACME-MIB DEFINITIONS ::= BEGIN
IMPORTS enterprises FROM SNMPv2-SMI;
acme OBJECT IDENTIFIER ::= { enterprises 99999 }
ups OBJECT IDENTIFIER ::= { acme 1 }
acmeInputVoltage OBJECT-TYPE SYNTAX INTEGER UNITS "0.1 V" ACCESS read-only STATUS mandatory
  DESCRIPTION "Input voltage in tenths of a volt." ::= { ups 1 }
acmeUpsState OBJECT-TYPE SYNTAX INTEGER { normal(2), batteryFailed(3), unknown(9) } ACCESS read-only STATUS mandatory
  DESCRIPTION "What it does." ::= { ups 2 }
acmeSerial OBJECT-TYPE SYNTAX OCTET STRING ACCESS read-only STATUS mandatory DESCRIPTION "Serial number." ::= { ups 3 }
acmeProbeTable OBJECT-TYPE SYNTAX SEQUENCE OF AcmeProbeEntry ACCESS not-accessible STATUS mandatory
  DESCRIPTION "Probes." ::= { acme 2 }
acmeProbeEntry OBJECT-TYPE SYNTAX AcmeProbeEntry ACCESS not-accessible STATUS mandatory
  DESCRIPTION "A probe." INDEX { acmeProbeIndex } ::= { acmeProbeTable 1 }
AcmeProbeEntry ::= SEQUENCE { acmeProbeIndex INTEGER, acmeProbeTemp INTEGER }
acmeProbeIndex OBJECT-TYPE SYNTAX INTEGER ACCESS read-only STATUS mandatory
  DESCRIPTION "Index." ::= { acmeProbeEntry 1 }
acmeProbeTemp OBJECT-TYPE SYNTAX INTEGER ACCESS read-only STATUS mandatory
  DESCRIPTION "Room temperature in degrees Celsius." ::= { acmeProbeEntry 2 }
END
"""
OBJECTS = {
    "1.3.6.1.2.1.1.2.0": ("object_id", f"{ACME}.1"),
    f"{ACME}.1.1.0": ("integer", "2301"),
    f"{ACME}.1.2.0": ("integer", "3"),
    f"{ACME}.1.3.0": ("octet_str", '"S-1: {odd} [text]"'),
    f"{ACME}.2.1.2.1": ("integer", "23"),
    f"{ACME}.2.1.2.2": ("integer", "24"),
}


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("acme"), objects=OBJECTS) as agent:
        yield agent


def test_a_draft_with_the_makers_mib_reads_the_device_it_was_drafted_from(acme: Agent, tmp_path: Path) -> None:
    (tmp_path / "ACME-MIB.txt").write_text(MIB)
    place = f"{acme.host}:{acme.port}"
    walk = str(tmp_path / "acme.rec")
    status, out, err = said(
        "devices", "draft", "--snmp", place, "--mib", str(tmp_path / "ACME-MIB.txt"), "--save", walk
    )
    assert status == 0
    assert "Check each line against the maker's manual, then: roundsman devices test FILE.yaml" in err
    (tmp_path / "draft.yaml").write_text(out)
    definition = read_definition(read_text(out, "draft.yaml"))
    assert {each.name: (str(each.quantity), each.scale) for each in definition.values} == {
        "acmeInputVoltage": ("input.voltage", 0.1),
        "acmeUpsState": ("device.status", 1.0),
        "acmeProbeTemp": ("ambient.temperature", 1.0),
    }
    status, out, _ = said("devices", "test", str(tmp_path / "draft.yaml"), walk, "--json")
    rows = {row["source"]: row for row in map(json.loads, out.splitlines())}
    assert rows[f"{ACME}.1.1.0"]["value"] == 230.1
    assert (rows[f"{ACME}.1.2.0"]["value"], rows[f"{ACME}.1.2.0"]["severity"]) == ("battery_failed", "critical")
    assert rows[f"{ACME}.2.1.2.2"]["value"] == 24.0


def test_a_draft_without_a_mib_keeps_everything_as_comments_and_can_be_read(acme: Agent) -> None:
    status, out, _ = said("devices", "draft", "--snmp", f"{acme.host}:{acme.port}")
    assert status == 0
    assert read_definition(read_text(out, "draft.yaml")).values == ()
    assert f"#  - {{oid: {ACME}.1.1.0, name: object1, label: Object 1, quantity: TODO}}   # '2301'" in out
    assert f"entry: {ACME}.2.1" in out


def test_a_draft_of_a_silent_device_says_so(tmp_path: Path) -> None:
    status, _, err = said("devices", "draft", "--snmp", "127.0.0.1:9")
    assert status == 1
    assert "no answer from 127.0.0.1:9" in err


@pytest.mark.parametrize("root", ["acme", "1.3.x", "9.9.9", ".."])
def test_a_root_that_is_no_oid_is_refused(root: str) -> None:
    status, out, err = said("devices", "draft", "--snmp", "127.0.0.1:9", "--root", root)
    assert (status, out) == (1, "")
    assert f"--root {root} is no OID" in err
    assert "no answer" not in err


def test_a_root_without_anything_below_it_is_refused(acme: Agent) -> None:
    status, out, err = said("devices", "draft", "--snmp", f"{acme.host}:{acme.port}", "--root", f".{ACME}.77")
    assert (status, out) == (1, "")
    assert f"has nothing below {ACME}.77; name another subtree with --root" in err


def test_a_walk_that_is_cut_says_so(acme: Agent) -> None:
    card = Target(device="", address=acme.host, port=acme.port, community=acme.community.encode())
    objects, error = asyncio.run(walk_card(card, (), lambda _: ("1.3.6.1.2.1",), lambda _: None, most=2))
    assert error == "it has more than 2 objects, and the rest was not read"
    assert len(objects) >= 2
    _, error = asyncio.run(walk_card(card, (), lambda _: (ACME,), lambda _: None))
    assert error == ""


def test_a_mib_that_builds_on_one_not_given_says_which(tmp_path: Path) -> None:
    (tmp_path / "m").write_text(MIB.replace("{ enterprises 99999 }", "{ acmeRoot 1 }"))
    with pytest.raises(CommandError, match="The MIB builds on acmeRoot; name the file that defines it"):
        read_mibs([tmp_path / "m"])


def test_a_file_that_is_no_mib_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("This is no MIB.")
    with pytest.raises(CommandError, match="is no MIB that can be read"):
        read_mibs([tmp_path / "m"])


def test_a_recording_is_read_beside_the_standards(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("1.3.6.1.2.1.33.1.2.4.0|2|97\n1.3.6.1.2.1.1.3.0|67|100\n")
    batch, seen = read_from(read_recording(tmp_path / "r"), shipped())
    assert seen is not None
    assert seen.definitions == ("rfc1628-ups",)
    assert {reading.point.id: reading.value for reading in batch.readings}["battery.charge"] == 97.0


def test_the_example_of_the_documents_reads_what_they_say(tmp_path: Path) -> None:
    blocks = re.findall(r"```(yaml)?\n(.*?)```", (ROOT / "docs" / "devices.md").read_text(), re.DOTALL)
    (tmp_path / "acme-ups.yaml").write_text(blocks[0][1])
    (tmp_path / "acme.walk").write_text(blocks[1][1])
    status, out, _ = said("devices", "test", str(tmp_path / "acme-ups.yaml"), str(tmp_path / "acme.walk"), "--json")
    assert status == 0
    rows = {row["point"]: (row["value"], row["label"]) for row in map(json.loads, out.splitlines())}
    assert rows == {
        "device.uptime": (42.42, "Uptime of the card"),
        "input.voltage": (231.8, "Input voltage"),
        "battery.runtime": (2400.0, "Battery runtime"),
        "output.status": ("battery", "Output"),
        "ambient.temperature[sensor=1]": (25.0, "Temperature, North wall"),
    }


def test_every_key_of_a_definition_stands_in_the_documents() -> None:
    page = (ROOT / "docs" / "devices.md").read_text()
    structs = schema()["$defs"]
    keys = {
        key
        for name in ("Definition", "Match", "Table", "Object", "Column", "Alarms")
        for key in structs[name]["properties"]
    }
    assert {key for key in keys if key not in page} == {"notes"}

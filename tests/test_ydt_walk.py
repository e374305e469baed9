"""The walk over INFO: forms of a layout, plausibility, what a definition may say, and what a slave does with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.line.definition import definition, shipped
from collectors.line.question import RefusedError
from collectors.line.walk import Walks, walked
from collectors.line.ydt_decode import decoded
from collectors.line.ydt_definition import YdtDefinition, meanings
from collectors.line.ydt_slave import YdtSlave
from collectors.line.ydt_step import SANE
from config.node import ConfigError
from config.reader import read_text
from tests.peers.line import ydt_frame
from tests.peers.ydt_info import f32, pylontech, u16
from tests.recordings import recordings
from wire.ydt1363 import YdtError, decode

HEAD = """\
protocol: ydt1363
name: x
source: made for this test
reads:
  - name: r
    cid1: 0x80
    command: 0x42
    layouts:
      - name: l
        walk:
"""


def made(walk: str, layout: str = "", more: str = "") -> YdtDefinition:
    head = HEAD.replace("        walk:", f"{layout}        walk:").replace("reads:", f"{more}reads:")
    found = definition(read_text(head + "\n".join(f"          {line}" for line in walk.splitlines()) + "\n", "t.yaml"))
    assert isinstance(found, YdtDefinition)
    return found


def read(found: YdtDefinition, info: bytes, ver: int | None = None) -> list[tuple[str, Any]]:
    """Return the labels and values of a walk's readings and texts."""
    fields = walked(found.reads[0], info, ver).fields
    return [(each.meaning.label, each.value) for each in fields if each.meaning.quantity or each.kind == "text"]


def test_dataflag_is_given_back_where_there_is_one() -> None:
    found = made("- {take: flag, optional: true}\n- {take: fixed, quantity: ambient.temperature, scale: 0.1, label: T}")
    with_flag, without = (walked(found.reads[0], info) for info in (b"\x11" + u16(215), u16(215)))
    assert (with_flag.flag, without.flag) == (0x11, None)
    assert with_flag.readings != without.readings
    assert [each.value for each in with_flag.readings] == [each.value for each in without.readings] == [21.5]


@pytest.mark.parametrize("big", [False, True])
def test_the_order_of_bytes_is_found_by_what_the_numbers_can_be(big: bool) -> None:
    found = made("- {take: float, quantity: mains.voltage, label: U}", "        order: either\n")
    assert read(found, f32(230.0, big=big)) == [("U", 230.0)]


def test_a_number_that_is_none_is_doubtful_and_no_value() -> None:
    found = made("- {take: float, quantity: mains.voltage, label: U}\n" * 4)
    fields = walked(found.reads[0], f32(230.0, 231.0, 232.0) + b"\xff\xff\xff\xff").fields
    assert [each.value for each in fields] == [230.0, 231.0, 232.0, None]
    assert fields[3].doubtful
    with pytest.raises(YdtError, match="2 of 4 values cannot be, as U of FFFFFFFFH"):
        walked(found.reads[0], f32(230.0, 231.0) + b"\xff" * 8)


def test_what_is_not_monitored_is_absent_and_never_doubtful() -> None:
    found = made(
        "- {take: float, quantity: mains.voltage, label: U}\n- {take: fixed, quantity: mains.current, label: I}"
    )
    assert read(found, b" " * 6) == [("U", None), ("I", None)]


def test_places_are_bytes_of_info_and_the_rest_may_be_skipped() -> None:
    found = made("- {take: fixed, at: 3, quantity: ambient.humidity, label: H}\n- {take: rest}")
    assert read(found, b"\x00\x01\x02\x00\x37\xaa\xbb\xcc") == [("H", 55.0)]
    with pytest.raises(YdtError, match="INFO ends at byte 2"):
        read(found, b"\x00\x01")


def test_a_place_behind_the_walk_is_refused() -> None:
    found = made("- {take: flag}\n- {take: fixed, at: 0, quantity: ambient.humidity, label: H}")
    with pytest.raises(YdtError, match="byte 0 is behind byte 1"):
        read(found, b"\x00\x01\x02")


def test_text_is_read_without_what_fills_it_up() -> None:
    assert read(made("- {take: text, length: 6, label: Name}"), b"AB1  \x00") == [("Name", "AB1")]


def test_bits_and_masks_of_a_byte_are_states_of_their_own() -> None:
    found = made(
        "- take: bits\n  label: S\n  bits:\n    0: {name: a}\n"
        "    7: {quantity: breaker.status, clear: open, active: closed, label: B}\n  masks:\n"
        "    - {mask: 6, quantity: battery.status, label: M, states: {0: {name: normal}, 4: {name: charging}}}"
    )
    assert read(found, b"\x84") == [("a", "clear"), ("B", "closed"), ("M", "charging")]
    assert read(found, b"\x03") == [("a", "active"), ("B", "open"), ("M", None)]


def test_every_instance_of_a_group_may_have_a_walk_of_its_own() -> None:
    found = made(
        "- take: group\n  each: sensor\n  walk: [{take: byte, quantity: battery.temperature, label: T}]\n"
        "  others:\n    2: [{take: byte, quantity: equipment.temperature, label: E}]"
    )
    assert read(found, b"\x03\x15\x16\x17") == [("T", 21.0), ("E", 22.0), ("T", 23.0)]


def test_parts_are_written_once_and_used_in_several_places() -> None:
    found = made(
        "- {take: group, each: pack, indexed_from: 2, walk: [{take: part, part: p}]}",
        more="parts:\n  p:\n    - {take: byte, quantity: battery.charge, label: C}\n",
    )
    assert read(found, b"\x02\x32\x33") == [("C", 50.0), ("C", 51.0)]


def test_a_sum_that_is_not_near_refuses_a_layout_and_its_reason_says_both() -> None:
    info = bytearray(b"\x00\x02" + pylontech([3300] * 15, [20.0], 0.0, (1000, 50000)))
    info[38:40] = u16(4950)
    values = next(each for each in shipped("battery-pylontech").reads if each.command == 0x42)  # type: ignore[union-attr]
    with pytest.raises(YdtError, match=r"the cells add up to 49\.5, not to 4\.95"):
        walked(values, bytes(info))


def test_the_version_decides_where_nothing_else_does() -> None:
    more = (
        "      - name: other\n        vers: [0x26]\n        walk: [{take: byte, quantity: battery.health, label: O}]\n"
    )
    text = HEAD + "          - {take: byte, quantity: battery.charge, label: L}\n" + more
    found = definition(read_text(text, "t.yaml"))
    assert isinstance(found, YdtDefinition)
    assert read(found, b"\x32", 0x26) == [("O", 50.0)]
    assert read(found, b"\x32", 0x20) == read(found, b"\x32") == [("L", 50.0)]


def test_what_fitted_last_comes_first_until_it_fits_no_more() -> None:
    walks = Walks(next(each for each in shipped("battery").reads if each.command == 0x42))  # type: ignore[union-attr]
    one = b"\x00\x02" + pylontech([3300] * 15, [20.0], 0.0, (1000, 50000))
    two = b"\x00\x02" + one[2:] + one[2:]
    names = [walks.walked(info).name for info in (one, one, two, one)]
    assert names == ["Pylontech", "Pylontech", "Pylontech, all packs", "Pylontech"]


BAD = [
    ("- {take: flag, quantity: mains.voltage}", "a flag has no quantity of its own"),
    ("- {take: group, walk: [{take: byte}]}", "a group needs each:"),
    ("- {take: part, part: p}", 'there is no part "p"'),
    ("- {take: part}", "a step that takes a part names it"),
    ("- {take: float, optional: true}", "a float is always there; only flag and items can be optional"),
    ("- {take: rest, walk: [{take: byte}]}", "a rest that is walked needs each:"),
    ("- {take: fixed, quantity: mains.voltage, unit: min}", "unit"),
    ("- {take: byte, quantity: battery.status, states: {0: {name: happy}}}", '"happy" is no state of battery.status'),
    ("- {take: bits, bits: {0: {label: x}}}", "a bit that is an alarm needs a name:"),
    ("- {take: bits, bits: {8: {name: x}}}", "write from 0 to 7"),
]


@pytest.mark.parametrize(("walk", "said"), BAD)
def test_what_does_not_fit_together_is_refused_with_its_line(walk: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(walk)
    assert said in str(caught.value)


def test_a_part_that_takes_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="a part takes itself"):
        made("- {take: part, part: p}", more="parts:\n  p: [{take: part, part: p}]\n")


@pytest.mark.parametrize("name", ["no-such", "eastron-sdm630"])
def test_what_is_extended_must_be_there_and_of_this_protocol(name: str) -> None:
    text = f"protocol: ydt1363\nname: x\nsource: y\nextends: [{name}]\n"
    with pytest.raises(ConfigError, match=f'extends "{name}"; there is no such definition of this protocol'):
        definition(read_text(text, "t.yaml"))


def test_a_check_is_a_sum_or_a_range() -> None:
    with pytest.raises(ConfigError, match=r"a check is \{sum:"):
        made("- {take: byte}", "        plausible: [{of: battery.voltage}]\n")


def test_identify_matches_the_texts_of_51h_whatever_the_case() -> None:
    found = made("- {take: byte}", more="identify: [{cid1: 0x46, maker: 'pyl.*', name: 'us[0-9]+'}]\n")
    assert found.identify[0].matches(0x46, "US2000", "PYLON")
    assert not found.identify[0].matches(0x46, "US2000", "SEPLOS")
    assert not found.identify[0].matches(0x4A, "US2000", "PYLON")


def ask(slave: YdtSlave, code: int, info: bytes = b"") -> dict[str, Any]:
    question = slave.plan()[0]
    cid1 = decode(question.frame).cid1
    return {
        point.id: value for point, value in slave.take(question, decode(ydt_frame(0x20, 1, cid1, code, info))).items()
    }


def test_a_refused_form_of_info_is_followed_by_the_next_until_all_were_refused() -> None:
    text = HEAD.replace("command: 0x42", "command: 0x42\n    info: ['01', '', ADR]")
    found = definition(read_text(text + "          - {take: byte, quantity: battery.charge}\n", "t"))  # type: ignore[assignment]
    slave, asked = YdtSlave("d", found, 9), []
    slave.begin(0.0, whole=True)
    for code in (0x05, 0x06, 0x05):
        asked.append(decode(slave.plan()[0].frame).info)
        with pytest.raises(RefusedError) as caught:
            ask(slave, code)
    assert asked == [b"\x01", b"", b"\x09"]
    assert caught.value.permanent
    assert decode(slave.plan()[0].frame).info == b"\x01"


def test_a_refused_version_is_followed_by_the_others_until_all_were_refused() -> None:
    slave, asked = YdtSlave("d", shipped("battery"), 1), []  # type: ignore[arg-type]
    slave.begin(0.0, whole=True)
    for _ in range(3):
        asked.append(decode(slave.plan()[0].frame).ver)
        with pytest.raises(RefusedError) as caught:
            ask(slave, 0x01)
    assert asked == [0x20, 0x25, 0x26]
    assert caught.value.permanent


def test_a_read_that_a_device_need_not_serve_is_not_missed_and_not_asked_again() -> None:
    text = HEAD.replace("command: 0x42", "command: 0x42\n    optional: true")
    found = definition(read_text(text + "          - {take: byte, quantity: battery.charge}\n", "t"))
    assert isinstance(found, YdtDefinition)
    slave = YdtSlave("d", found, 1)
    slave.begin(0.0, whole=True)
    assert slave.points() == []
    assert ask(slave, 0x04) == {}
    assert slave.plan() == []


def test_a_definition_may_ask_what_it_extends_with_another_info() -> None:
    infos = [decode(each.frame).info for each in YdtSlave("d", shipped("battery-packs"), 2).plan()]  # type: ignore[arg-type]
    assert infos == [b"\xff", b"\xff"]
    infos = [decode(each.frame).info for each in YdtSlave("d", shipped("battery"), 2).plan()]  # type: ignore[arg-type]
    assert infos == [b"\x02", b"\x02"]


def test_every_reading_of_a_read_is_told_once_those_of_bits_and_cases_too() -> None:
    alarms, values = shipped("battery-pylontech").reads[:2]  # type: ignore[union-attr]
    told = [(str(each.quantity), each.label) for each in meanings(alarms)]
    assert ("battery.status", "Battery") in told
    assert ("alarm.status", "Pack undervoltage") in told
    assert [each.label for each in meanings(values)].count("Total capacity") == 1


def test_a_value_that_cannot_be_is_a_missing_point_and_one_not_monitored_is_none() -> None:
    slave = YdtSlave("d", shipped("battery"), 1)  # type: ignore[arg-type]
    slave.begin(0.0, whole=True)
    question = next(each for each in slave.plan() if decode(each.frame).code == 0x42)
    info = (
        b"\x00\x01\x02"
        + u16(3300, 3301)
        + b"\x03"
        + u16(2940, 9000, 0x2020, 100, 6601, 500)
        + b"\x03"
        + u16(900, 5, 1000)
    )
    values = slave.take(question, decode(ydt_frame(0x25, 1, 0x46, 0, info)))
    sensors = {point.id: value for point, value in values.items() if point.quantity.measure == "temperature"}
    assert sensors == {"battery.temperature[sensor=1]": 21.0, "battery.temperature[sensor=2]": None}


def test_what_was_foreseen_and_does_not_come_is_no_point() -> None:
    slave = YdtSlave("d", shipped("battery"), 1)  # type: ignore[arg-type]
    slave.begin(0.0, whole=True)
    question = next(each for each in slave.plan() if decode(each.frame).code == 0x42)
    pace = b"\x00\x01\x02" + u16(3300, 3301) + b"\x01" + u16(2940, 100, 6601, 500) + b"\x03" + u16(1000, 5, 1000)
    slave.take(question, decode(ydt_frame(0x25, 1, 0x46, 0, pace)))
    assert "battery.capacity[of=rated]" in {point.id for point in slave.points()}
    assert all(
        "status" in point.id or point.quantity.measure in {"voltage", "current", "temperature", "capacity", "cycles"}
        for point in slave.points()
    )


def test_every_recorded_frame_with_a_meaning_reads_to_it() -> None:
    """The meaning is the recording's own: cells in mV, temperatures, current, voltage, and raw capacities."""
    seen = 0
    for vector in json.loads((recordings() / "serial" / "ydt1363.json").read_text())["vectors"]:
        meant = vector.get("response_fields", {}).get("semantic", {})
        if "cells_mV" not in meant:
            continue
        frame = decode(vector["response"].encode())
        fields = decoded(frame.cid1, None, frame.ver, frame.info)[0].fields
        cells = [each.raw for each in fields if each.meaning.label == "Cell voltage"]
        assert cells == meant["cells_mV"]
        temperatures = [
            each.value for each in fields if each.meaning.quantity and each.meaning.quantity.measure == "temperature"
        ]
        assert temperatures == pytest.approx(meant["temps_C"])
        named = {each.meaning.label: each for each in reversed(fields)}
        assert named["Pack current"].value == pytest.approx(meant["current_A"])
        assert named["Pack voltage"].value == pytest.approx(meant["voltage_V"])
        assert named["Remaining capacity"].raw == meant["remaining_raw"]
        assert named["Number of items of the maker"].raw == meant["p"]
        assert named["Total capacity"].raw == meant["total_raw"]
        place = named["Total capacity"].at + 2
        assert next(each.raw for each in fields if each.at == place) == meant["next_raw"]
        seen += 1
    assert seen >= 11


def test_a_frame_that_no_definition_knows_is_taken_apart_by_none() -> None:
    assert decoded(0xD2, 0x41, 0x20, b"\x00\x01") == []


def test_an_answer_that_fits_and_can_hardly_be_right_is_given_with_its_doubts() -> None:
    garbage = b"\x00\x01" + bytes.fromhex("F7481055DEFFCFF7") + b"\x01" + bytes.fromhex("B435C33F") + b"\x00"
    found = decoded(0x42, 0x41, 0x20, garbage)
    assert found[0].wrong
    assert found[0].read == "DC values"


def test_the_example_of_the_documents_reads_what_they_say() -> None:
    text = (Path(__file__).parents[1] / "docs" / "devices.md").read_text(encoding="utf-8")
    section = text.partition("## A YD/T 1363 device")[2].partition("\n## ")[0]
    example, frames = section.split("```yaml\n")[1].partition("```")[0], section.split("```\n")[2].partition("```")[0]
    found = definition(read_text(example, "devices.md"))
    assert isinstance(found, YdtDefinition)
    reads = {f"{each.command:02X}": each for each in found.reads}
    told = [
        [each.value for each in walked(reads[command], bytes.fromhex(octets)).readings]
        for command, _, octets in (line.partition(":") for line in frames.splitlines())
    ]
    assert told == [["smoke", "active", "open"], [3.3, 3.301, -1.0, 6.6, 42.0], [3.3, 3.301, -1.0, 6.6]]


@given(cid1=st.sampled_from([0x2A, 0x40, 0x41, 0x42, 0x46, 0x4A, 0x60, 0x66, 0x80, 0xD0]), info=st.binary(max_size=120))
@settings(max_examples=200, deadline=None)
def test_whatever_bytes_come_no_definition_raises_and_no_value_is_beyond_all_measure(cid1: int, info: bytes) -> None:
    for found in decoded(cid1, None, 0x20, info):
        for each in found.fields:
            if each.meaning.quantity is not None and isinstance(each.value, float):
                least, most = SANE.get(each.meaning.quantity.measure, (-1e30, 1e30))
                assert least <= each.value <= most

"""The two protocols of a line without a line: what is asked for together, and what answers mean."""

import pytest

from collectors.line.backoff import Backoff
from collectors.line.definition import definition, shipped
from collectors.line.modbus_slave import ModbusSlave, Span, coalesce
from collectors.line.question import PartedError, RefusedError
from collectors.line.timing import Timing
from collectors.line.ydt_definition import YdtDefinition
from collectors.line.ydt_slave import YdtSlave
from config.line_port import line_port
from config.reader import read_text
from config.schema import Line
from tests.peers.line import float_le, ydt_frame
from wire.modbus import Refusal, Reply
from wire.ydt1363 import decode


def line(baud: int, turnaround: float = 0.005, parity: str = "none") -> Line:
    return Line(id="l", port="/dev/null", baud=baud, turnaround=turnaround, parity=parity, devices=())  # type: ignore[arg-type]


def test_a_character_has_its_start_data_parity_and_stop_bits() -> None:
    assert Timing.of(line(9600)).char == pytest.approx(10 / 9600)
    assert Timing.of(line(9600, parity="even")).char == pytest.approx(11 / 9600)


def test_the_gap_is_three_and_a_half_characters_and_fixed_above_19200() -> None:
    assert Timing.of(line(9600)).gap == pytest.approx(3.5 * 10 / 9600)
    assert Timing.of(line(19200)).gap == pytest.approx(3.5 * 10 / 19200)
    assert Timing.of(line(38400)).gap == Timing.of(line(115200)).gap == 0.00175


@pytest.mark.parametrize(("baud", "turnaround", "hole"), [(9600, 0.005, 10), (9600, 0.020, 17), (115200, 0.005, 45)])
def test_the_largest_hole_follows_from_speed_and_turnaround(baud: int, turnaround: float, hole: int) -> None:
    assert Timing.of(line(baud, turnaround)).largest_hole == hole


def test_of_a_gateway_no_least_time_is_known_and_a_read_more_costs_more_than_any_hole() -> None:
    here = Line(id="l", port=line_port("modbus-tcp://192.0.2.1:502"), devices=())
    assert not Timing.of(here).wired
    assert Timing.of(here).exchange(100) == 0.0
    far = spans((0, 2), (123, 2))
    assert coalesce(far, largest_hole=Timing.of(here).largest_hole, longest=125) == spans((0, 125))
    assert Timing.of(Line(id="l", port=line_port("rfc2217://192.0.2.1:7000"), devices=())).wired


def spans(*pairs: tuple[int, int]) -> list[Span]:
    return [Span(3, start, count) for start, count in pairs]


def test_registers_in_a_row_are_one_read() -> None:
    assert coalesce(spans((2, 2), (0, 2), (4, 1)), largest_hole=0, longest=125) == spans((0, 5))


def test_a_hole_is_read_through_up_to_the_largest_that_pays() -> None:
    assert coalesce(spans((0, 2), (12, 2)), largest_hole=10, longest=125) == spans((0, 14))
    assert coalesce(spans((0, 2), (13, 2)), largest_hole=10, longest=125) == spans((0, 2), (13, 2))


def test_a_read_is_never_longer_than_the_device_allows_and_no_value_is_cut() -> None:
    assert coalesce(spans((0, 2), (2, 2), (4, 2)), largest_hole=0, longest=5) == spans((0, 4), (4, 2))


def test_reserved_registers_are_never_read_through() -> None:
    assert coalesce(spans((0, 2), (5, 1)), largest_hole=10, longest=125, reserved=((3, 3),)) == spans((0, 2), (5, 1))
    assert coalesce(spans((0, 2), (5, 1)), largest_hole=10, longest=125, reserved=((6, 9),)) == spans((0, 6))


def test_functions_are_never_mixed_in_one_read() -> None:
    assert coalesce([Span(3, 0, 1), Span(4, 1, 1)], largest_hole=10, longest=125) == [Span(3, 0, 1), Span(4, 1, 1)]


def monitor() -> ModbusSlave:
    return ModbusSlave("battery-1", shipped("block-battery-monitor"), 2, largest_hole=10)  # type: ignore[arg-type]


def words(*values: int) -> Reply:
    return Reply(2, 3, b"".join(value.to_bytes(2, "big") for value in values))


def test_repeated_values_are_asked_for_once_their_count_is_known() -> None:
    slave = monitor()
    first = slave.plan()
    assert [question.key for question in first] == ["function 3, 5 from 0"]
    slave.take(first[0], words(540, 0xFFF6, 251, 995, 3))
    assert [question.key for question in slave.plan()] == ["function 3, 5 from 0", "function 3, 3 from 16"]
    values = slave.take(slave.plan()[1], words(13500, 0x8000, 13502))
    assert {point.id: value for point, value in values.items()} == {
        "battery.voltage[block=1]": 13.5,
        "battery.voltage[block=2]": None,
        "battery.voltage[block=3]": 13.502,
    }


def test_words_become_values_with_scale_sign_and_absence() -> None:
    slave = monitor()
    values = {p.id: v for p, v in slave.take(slave.plan()[0], words(540, 0xFFF6, 0x8000, 995, 0)).items()}
    assert values == {
        "battery.voltage": 54.0,
        "battery.current": -1.0,
        "battery.temperature": None,
        "battery.charge": 99.5,
    }


def test_a_count_beyond_the_most_there_can_be_is_cut() -> None:
    slave = monitor()
    slave.take(slave.plan()[0], words(540, 0, 0, 0, 60000))
    assert slave.plan()[1].key == "function 3, 24 from 16"


def test_a_block_that_is_taken_away_stays_a_point_without_a_value() -> None:
    slave = monitor()
    slave.take(slave.plan()[0], words(540, 0, 0, 0, 2))
    slave.take(slave.plan()[1], words(13500, 13501))
    slave.take(slave.plan()[0], words(540, 0, 0, 0, 1))
    assert "battery.voltage[block=2]" in {point.id for point in slave.points()}
    assert slave.plan()[1].key == "function 3, 1 from 16"


def test_an_exception_is_a_refusal_that_says_whether_it_will_last() -> None:
    slave = monitor()
    with pytest.raises(RefusedError, match="illegal function") as caught:
        slave.take(slave.plan()[0], Refusal(2, 3, 1))
    assert caught.value.permanent
    with pytest.raises(RefusedError, match="device busy") as caught:
        slave.take(slave.plan()[0], Refusal(2, 3, 6))
    assert not caught.value.permanent


def test_a_read_that_is_refused_is_cut_behind_its_largest_hole_and_stays_cut() -> None:
    slave = ModbusSlave("battery-1", shipped("block-battery-monitor"), 2, largest_hole=45)  # type: ignore[arg-type]
    slave.take(slave.plan()[0], words(540, 0, 0, 0, 2))
    whole = slave.plan()
    assert [question.key for question in whole] == ["function 3, 18 from 0"]
    with pytest.raises(PartedError, match="illegal address; asked in parts from now on") as caught:
        slave.take(whole[0], Refusal(2, 3, 2))
    assert not caught.value.permanent
    assert [question.key for question in slave.plan()] == ["function 3, 5 from 0", "function 3, 2 from 16"]


def test_a_read_without_holes_that_is_refused_is_halved_until_the_one_bad_value_stands_alone() -> None:
    slave, bad = monitor(), 3
    for _ in range(10):
        for question in slave.plan():
            first, count = int.from_bytes(question.frame[2:4], "big"), int.from_bytes(question.frame[4:6], "big")
            if first <= bad < first + count:
                with pytest.raises(RefusedError) as caught:
                    slave.take(question, Refusal(2, 3, 2))
        if caught.value.permanent:
            break
    assert caught.value.permanent
    assert "function 3, 1 from 3" in [question.key for question in slave.plan()]
    assert len(slave.plan()) <= 4


def test_bits_of_a_register_and_discrete_inputs_become_states() -> None:
    text = """
protocol: modbus
name: Door contact
source: made for this test
function: 2
registers:
  - {register: 7, quantity: door.status, states: {0: {name: closed}, 1: {name: open, severity: warning}}}
  - register: 20
    function: 3
    mask: 0x0200
    quantity: smoke.status
    states: {0: {name: clear}, 1: {name: smoke, severity: critical}}
"""
    slave = ModbusSlave("d", definition(read_text(text, "t")), 1, 10)  # type: ignore[arg-type]
    inputs, register = slave.plan()
    assert [*slave.take(inputs, Reply(1, 2, b"\x01")).values()] == ["open"]
    assert [*slave.take(register, Reply(1, 3, b"\x02\x00")).values()] == ["smoke"]


def plant() -> YdtSlave:
    return YdtSlave("plant-1", shipped("power-plant"), 1)  # type: ignore[arg-type]


def answered(slave: YdtSlave, name: str, info: bytes, code: int = 0) -> dict[str, float | str | None]:
    question = next(each for each in slave.plan() if each.key == name)
    cid1 = decode(question.frame).cid1
    values = slave.take(question, decode(ydt_frame(0x21, 1, cid1, code, info)))
    return {point.id: value for point, value in values.items()}


def test_the_short_and_the_nested_form_of_ac_values_are_told_apart_by_their_length() -> None:
    phases = float_le(230.0, 231.5, 229.0, 50.0)
    short = b"\x00\x01" + phases + b"\x00" + float_le(1.0, 2.0, 3.0)
    nested = b"\x00\x01\x01" + phases + b"\x00" + float_le(1.0, 2.0, 3.0)
    assert answered(plant(), "AC values", short) == answered(plant(), "AC values", nested)
    assert answered(plant(), "AC values", short)["mains.voltage[phase=2]"] == 231.5


def test_a_second_input_is_indexed_and_the_first_stays_as_it_was() -> None:
    phases = float_le(230.0, 231.5, 229.0, 50.0) + b"\x00"
    found = answered(plant(), "AC values", b"\x00\x02" + phases + phases + float_le(1.0, 2.0, 3.0))
    assert found["mains.frequency"] == found["mains.frequency[input=2]"] == 50.0


def test_user_defined_items_are_walked_by_their_count_and_never_shift_what_follows() -> None:
    module = float_le(10.0) + b"\x03" + float_le(41.5, 100.0, 58.0)
    found = answered(
        plant(), "rectifier values", b"\x00" + float_le(53.5) + b"\x02" + module + float_le(11.0) + b"\x00"
    )
    assert found == {
        "rectifier.voltage": 53.5,
        "rectifier.current[rectifier=1]": 10.0,
        "rectifier.temperature[rectifier=1]": 41.5,
        "rectifier.current[rectifier=2]": 11.0,
    }


def test_what_was_never_monitored_is_no_point_and_never_a_number() -> None:
    slave = plant()
    found = answered(slave, "AC values", b"\x00\x01" + b"    " * 4 + b"\x00" + float_le(0.0, 2.0, 3.0))
    assert found == {"mains.current[phase=1]": 0.0, "mains.current[phase=2]": 2.0, "mains.current[phase=3]": 3.0}
    assert "mains.voltage[phase=1]" not in {point.id for point in slave.points()}


def test_what_was_monitored_once_and_is_no_more_is_missing() -> None:
    slave = plant()
    rest = b"\x00" + float_le(0.0, 2.0, 3.0)
    answered(slave, "AC values", b"\x00\x01" + float_le(230.0, 231.5, 229.0, 50.0) + rest)
    found = answered(slave, "AC values", b"\x00\x01" + b"    " * 4 + rest)
    assert found["mains.voltage[phase=1]"] is None
    assert "mains.voltage[phase=1]" in {point.id for point in slave.points()}


def test_dc_values_are_read_with_and_without_the_makers_items_at_the_end() -> None:
    body = b"\x00\x01" + float_le(53.4, 42.0) + b"\x01" + float_le(-3.0) + b"\x02" + float_le(20.0, 22.0)
    assert answered(plant(), "DC values", body) == answered(plant(), "DC values", body + b"\x00")
    assert answered(plant(), "DC values", body)["battery.current[battery=1]"] == -3.0


def test_alarm_bytes_are_codes() -> None:
    alarms = bytes((0x00, 0x01, 0x01, 0x00, 0x02, 0x03, 0xF0, 0x01, 0x04, 0x00, 0x00, 0x20, 0x85))
    assert answered(plant(), "AC alarms", alarms) == {
        "mains.status[phase=1]": "normal",
        "mains.status[phase=2]": "above_limit",
        "mains.status[phase=3]": "phase_missing",
        "device.status[of=frequency]": "fault",
        "fuse.status[fuse=1]": "blown",
        "device.status[of=current,phase=1]": "normal",
        "device.status[of=current,phase=3]": "fault",
    }


def test_a_return_code_is_a_refusal_with_its_name() -> None:
    with pytest.raises(RefusedError, match="DC values: CID2 not served") as caught:
        answered(plant(), "DC values", b"", code=4)
    assert caught.value.permanent


def test_an_answer_that_no_layout_fits_says_why_and_brings_no_points() -> None:
    slave = plant()
    before = len(slave.points())
    with pytest.raises(RefusedError, match=r"no layout fits the answer .*bytes are left over"):
        answered(slave, "rectifier values", b"\x00" + float_le(53.5) + b"\x00" + b"\x01\x02")
    with pytest.raises(RefusedError, match="65 rectifiers are more than the 64 that can be"):
        answered(slave, "rectifier values", b"\x00" + float_le(53.5) + b"\x41")
    assert len(slave.points()) == before


def test_a_definition_that_repeats_the_address_in_info_sends_it() -> None:
    found = shipped("battery-pylontech")
    assert isinstance(found, YdtDefinition)
    assert YdtSlave("pack", found, 2).plan()[0].frame == b"~20024642E00202FD33\r"


def test_what_fails_is_tried_after_five_seconds_then_twice_as_long_up_to_a_minute() -> None:
    backoff, now, waits = Backoff(), 100.0, []
    for _ in range(6):
        backoff.failed(now)
        assert not backoff.due(backoff.next - 0.001)
        assert backoff.due(backoff.next)
        waits.append(backoff.next - now)
        now = backoff.next
    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
    backoff.succeeded()
    assert backoff.due(now)

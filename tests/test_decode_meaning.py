"""`roundsman decode`: what it says a frame means, where more than one reading of it is near."""

import io
import struct
import time
from typing import Any

import pytest

from roundsman.commands import decode
from roundsman.lines.decoding import decoder
from tests.peers.line import ydt_frame
from tests.peers.ydt_info import alarms, class_4a, f32, pylontech, seplos, u16

FIFTEEN = [3397, 3396, 3397, 3396, 3397, 3396, 3390, 3397, 3402, 3402, 3403, 3402, 3402, 3402, 3402]
EIGHT = [3330, 3330, 3330, 3331, 3328, 3329, 3329, 3331]
WARM = [21.0, 19.0, 19.5, 20.0]


def decoded(protocol: str, *lines: str, tcp: bool = False) -> list[dict[str, Any]]:
    take = decoder(protocol, tcp=tcp)
    return [fields for line in lines for fields in take(line)]


def answer(cid1: int, command: int, info: bytes, ver: int = 0x20) -> dict[str, Any]:
    """Decode the answer to a command, asked for on the line before."""
    lines = [ydt_frame(ver, 1, cid1, code, said).decode() for code, said in ((command, b""), (0, info))]
    return decoded("ydt1363", *lines)[1]


@pytest.mark.parametrize("head", [b"\x00\x02", b"\x00\xff\x02"])
def test_two_packs_in_one_answer_are_not_mixed(head: bytes) -> None:
    info = head + pylontech(FIFTEEN, WARM, -0.6, (49000, 50000)) + pylontech(EIGHT, WARM[:2], 12.0, (94948, 110_000))
    semantic = answer(0x46, 0x42, info)["semantic"]
    assert [pack["cells_mV"] for pack in semantic["packs"]] == [FIFTEEN, EIGHT]
    assert [pack["temps_C"] for pack in semantic["packs"]] == [WARM, WARM[:2]]
    assert [pack["current_A"] for pack in semantic["packs"]] == [-0.6, 12.0]
    assert [pack["voltage_V"] for pack in semantic["packs"]] == [sum(FIFTEEN) / 1000, sum(EIGHT) / 1000]
    assert {key: semantic[key] for key in semantic["packs"][0]} == semantic["packs"][0]


def test_every_one_of_three_packs_is_told() -> None:
    info = b"\x00\x03" + b"".join(seplos(EIGHT, [*WARM, 20.0, 20.0], amps) for amps in (1.0, 2.0, 3.0))
    assert [pack["current_A"] for pack in answer(0x46, 0x42, info)["semantic"]["packs"]] == [1.0, 2.0, 3.0]


def test_alarms_of_several_packs_have_nothing_to_tell_at_a_glance() -> None:
    info = b"\x00\x02" + 2 * alarms(15, 5, 0, 0, 0, 0, 0x06, 0x40, 0, 0)
    assert "packs" not in answer(0x46, 0x44, info)["semantic"]


def test_a_charge_is_not_called_a_capacity_where_the_capacities_stand_before_the_count() -> None:
    semantic = answer(0x4A, 0x42, b"\x10\x01" + class_4a(FIFTEEN, [*WARM, 20.0, 20.0], 6.69))["semantic"]
    assert (semantic["soc_pct"], semantic["remaining_raw"]) == (87.0, 8617)
    assert "total_raw" not in semantic


def test_items_of_the_maker_are_numbers_of_the_form_that_their_section_has() -> None:
    not_monitored, no_number = b"\x20" * 4, b"\x00\x00\xc0\x7f"
    phases, items = f32(228.3, 229.1, 227.0, 50.0), b"\x03" + f32(100.5) + not_monitored + no_number
    values = answer(0x40, 0x41, b"\x00\x01" + phases + items + f32(1.5, 2.5, 3.5), 0x21)["semantic"]["values"]
    told = {each["label"]: (each["value"], each.get("note")) for each in values}
    assert told["Item 1 of the maker"] == (100.5, None)
    assert told["Item 2 of the maker"] == (None, "not monitored")
    assert told["Item 3 of the maker"] == (None, "cannot be")


def test_a_number_that_is_none_is_not_called_not_monitored() -> None:
    phases = f32(228.3, 229.1, 227.0) + b"\x00\x00\xc0\x7f"
    values = answer(0x40, 0x41, b"\x00\x01" + phases + b"\x00" + f32(1.5, 2.5, 3.5), 0x21)["semantic"]["values"]
    assert [each["note"] for each in values if each["label"] == "Frequency"] == ["cannot be"]


def test_a_pack_voltage_of_all_ones_is_not_there() -> None:
    cells, sensors = b"\x04" + b"\xff" * 8, b"\x04" + b"\xff" * 8
    info = b"\x00\x01" + cells + sensors + b"\x00\x00" + b"\xff" * 4 + b"\x0a" + b"\xff" * 20
    assert answer(0x46, 0x42, info)["semantic"]["voltage_V"] is None


def test_maker_information_is_known_without_its_request() -> None:
    info = b"US2KBPL".ljust(10, b"\x00") + b"\x01\x04" + b"Pylon".ljust(20, b"\x00")
    alone = decoded("ydt1363", ydt_frame(0x20, 2, 0x46, 0, info).decode())[0]
    assert alone["semantic"] == {"layout": "maker information", "name": "US2KBPL", "version": "1.4", "maker": "Pylon"}
    assert "semantic" not in decoded("ydt1363", ydt_frame(0x20, 2, 0x46, 0, bytes(32)).decode())[0]


def test_an_answer_from_3eh_on_with_the_command_for_its_class_is_the_answer_of_the_class_asked() -> None:
    info = b"\x11\x02" + pylontech(EIGHT, WARM, -0.6, (49000, 50000))
    ask = ydt_frame(0x20, 2, 0x46, 0x42, b"\x02").decode()
    say = ydt_frame(0x20, 2, 0x42, 0, info).decode().replace("~", ">")
    found = decoded("ydt1363", ask, say)[1]
    assert (found["asked"], found["class_name"], found["semantic"]["cells_mV"]) == ("42", "battery", EIGHT)
    assert "asked" not in decoded("ydt1363", ask, say.replace(">", "~"))[1]


def test_the_end_of_a_frame_may_be_written_as_a_word() -> None:
    found = decoded("ydt1363", "~ 20 01 46 42 E002 01 FD35 CR")
    assert [(each["cid2_or_rtn"], each["info"]) for each in found] == [("42", "01")]


def test_a_response_in_tcp_is_that_of_its_transaction_and_of_no_other() -> None:
    def frame(transaction: int, *body: int) -> str:
        return (struct.pack(">HHH", transaction, 0, len(body)) + bytes(body)).hex()

    asks = [frame(number, 1, 3, *u16(100 * number, 1)) for number in (1, 2)]
    says = [frame(number, 1, 3, 2, *u16(number)) for number in (1, 2)]
    for order in ((0, 1), (1, 0)):
        found = decoded("modbus", *asks, *(says[each] for each in order), tcp=True)[2:]
        assert [(each["address"], each["registers"]) for each in found] == [(100 * (n + 1), [n + 1]) for n in order]
    assert "address" not in decoded("modbus", asks[0], says[1])[1]


def test_no_frame_of_a_long_capture_without_line_ends_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [ydt_frame(0x20, number % 250, 0x46, 0x42, b"\x01") for number in range(40)]
    raw = b"\x00".join(frames)
    for longest in (50, 64, len(raw) - 1):
        monkeypatch.setattr(decode, "LONGEST_LINE", longest)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
        assert [found["adr"] for line in decode.lines() for found in decoded("ydt1363", line)] == list(range(40))


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("0111", {"function_name": "report server identification", "octets": ""}),
        ("0141aabb", {"function_name": "function 65", "octets": "aabb"}),
        ("019101", {"function": 17, "exception": 1, "side": "response"}),
    ],
)
def test_a_function_that_is_known_by_name_alone_is_shown_in_tcp_too(body: str, fields: dict[str, Any]) -> None:
    found = decoded("modbus", f"00070000{len(body) // 2:04x}{body}", tcp=True)[0]
    assert (found["transaction"], found["unit"], found | fields) == (7, 1, found)
    assert list(decoded("modbus", f"0007000000ff{body}", tcp=True)[0]) == ["error"]


def test_a_long_run_of_digits_before_an_end_costs_no_more_than_its_bytes() -> None:
    begun = time.process_time()
    assert list(decoded("ydt1363", "~" + "A" * 100_000 + "\r")[0]) == ["error"]
    assert time.process_time() - begun < 10  # tried from each digit on it would be minutes

"""`roundsman decode`: every recorded frame in every dress, whole and broken, and what it says of what is no frame."""

import io
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from roundsman.lines.decoding import decoder
from tests.peers.line import ydt_frame
from tests.peers.modbus_frames import Talk, talks, tcp_talks
from tests.recordings import recordings
from tests.test_cli import said
from wire.modbus import crc16

MODBUS, YDT = "modbus", "ydt1363"
Frame = tuple[str, str, dict[str, Any]]
SKIPPED = {"layout"}
"""Keys of what a recorded frame means that are the recorder's own words."""


def vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((recordings() / "serial" / f"{name}.json").read_text())["vectors"]


def decoded(protocol: str, *lines: str, tcp: bool = False) -> list[dict[str, Any]]:
    decode = decoder(protocol, tcp=tcp)
    return [fields for line in lines for fields in decode(line)]


def holds(found: dict[str, Any], expected: dict[str, Any], name: str) -> None:
    """Assert that what was found has every value that is expected, by the same name."""
    for key, value in expected.items():
        if key == "semantic":
            holds(found["semantic"], {each: one for each, one in value.items() if each not in SKIPPED}, name)
        elif isinstance(value, float) or (isinstance(value, list) and value and isinstance(value[0], float)):
            assert found[key] == pytest.approx(value, abs=1e-9), (name, key)
        else:
            assert found[key] == value, (name, key)


def modbus_conversations() -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    """Each recorded conversation: its name, its frames, and the values given with it."""
    for vector in vectors(MODBUS):
        yield vector["id"], [vector[side] for side in ("request", "response") if side in vector], vector["decoded"]


def ydt_frames() -> Iterator[tuple[str, list[str], list[dict[str, Any]]]]:
    for vector in vectors(YDT):
        sides = [side for side in ("request", "response") if side in vector]
        yield vector["id"], [vector[side] for side in sides], [vector[f"{side}_fields"] for side in sides]


def dressed(frame: str) -> list[str]:
    """A frame's hexadecimal text as people write it."""
    pairs = [frame[at : at + 2] for at in range(0, len(frame), 2)]
    return [frame, frame.upper(), " ".join(pairs), ":".join(pairs), ", ".join(f"0x{pair}" for pair in pairs)]


def test_every_recorded_modbus_conversation_decodes_to_the_values_given_with_it_in_every_dress() -> None:
    for name, frames, expected in modbus_conversations():
        for dress in range(5):
            found = decoded(MODBUS, *(dressed(frame)[dress] for frame in frames))
            assert len(found) == len(frames), name
            holds(found[-1], expected, name)


def test_a_request_and_its_response_on_one_line_are_two_objects_and_so_are_they_with_noise_around() -> None:
    for name, frames, expected in modbus_conversations():
        for noise in ("", "00", "ff00"):
            found = decoded(MODBUS, noise + noise.join(frames) + noise)
            assert len(found) == len(frames), (name, noise)
            holds(found[-1], expected, name)
            assert found[0].get("noise_before", "") == noise
            assert found[-1].get("noise_after", "") == noise


def test_every_recorded_ydt_frame_decodes_to_the_values_given_with_it_in_every_dress() -> None:
    for name, frames, expected in ydt_frames():
        whole, bare = [decoded(YDT, *lines) for lines in (frames, [frame.strip() for frame in frames])]
        literal = decoded(YDT, "".join(frame.replace("\r", "\\r") for frame in frames))
        octets = decoded(YDT, *(frame.encode().hex(" ") for frame in frames))
        noisy = decoded(YDT, *(f"\xff\x00~20{frame}\n\x00" for frame in frames))
        assert whole == bare == literal == octets == noisy, name
        assert len(whole) == len(frames), name
        for found, values in zip(whole, expected, strict=True):
            holds(found, values, name)


def test_a_side_is_left_open_only_where_a_frame_alone_can_be_both() -> None:
    """Frames of makers' own (E0H to E3H) recorded as responses without a request look like commands."""
    for name, frames, expected in ydt_frames():
        for found, values in zip(decoded(YDT, *frames), expected, strict=True):
            side = "request" if values is expected[0] and 0x40 <= int(values["cid2_or_rtn"], 16) < 0x80 else "response"
            assert found["side"] == ("either" if int(values["cid2_or_rtn"], 16) >= 0x80 else side), name
    for name, frames, expected in modbus_conversations():
        sides = [found["side"] for found in decoded(MODBUS, *frames)]
        first = "either" if expected["function"] in {5, 6} else "request"
        assert sides == [first, "response"][-len(frames) :], name


def test_every_recorded_frame_goes_through_the_command_itself() -> None:
    for protocol, conversations in ((MODBUS, modbus_conversations()), (YDT, ydt_frames())):
        given = list(conversations)
        text = "".join(f"{frame}\n" for _, frames, _ in given for frame in frames)
        words = [sys.executable, "-m", "roundsman", "decode", protocol]
        done = subprocess.run(words, input=text.encode("latin-1"), capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        found = [json.loads(line) for line in done.stdout.splitlines()]
        for name, frames, expected in given:
            mine, found = found[: len(frames)], found[len(frames) :]
            if isinstance(expected, list):
                for each, values in zip(mine, expected, strict=True):
                    holds(each, {key: value for key, value in values.items() if key != "semantic"}, name)
            else:
                holds(mine[-1], expected, name)


@pytest.mark.parametrize("talk", talks(), ids=lambda talk: talk.name)
def test_every_function_is_named_field_by_field(talk: Talk) -> None:
    found = decoded(MODBUS, talk.request.hex(), talk.response.hex())
    assert [each["side"] for each in found] == ["either" if talk.request[1] in {5, 6} else "request", "response"]
    for each, expected in zip(found, (talk.asks, talk.says), strict=True):
        values = {"first_object" if key == "first" else key: value for key, value in expected.items()}
        if octets := values.pop("octets", None):
            words = [int(octets[at : at + 4], 16) for at in range(0, len(octets), 4)]
            values |= {"bits_hex": octets} if talk.request[1] in {1, 2, 15} else {"registers": words}
        holds(each, {"unit": 9, "function": talk.request[1], **values}, talk.name)
        assert not each["function_name"].startswith("function")


@pytest.mark.parametrize("tcp", [False, True])
def test_a_tcp_frame_is_told_by_itself_or_by_the_option_and_says_the_same_as_on_a_serial_line(tcp: bool) -> None:
    for serial, stream in zip(talks(), tcp_talks(), strict=True):
        expected = decoded(MODBUS, serial.request.hex(), serial.response.hex())
        for lines in ((stream.request.hex(), stream.response.hex()), ((stream.request + stream.response).hex(),)):
            found = decoded(MODBUS, *lines, tcp=tcp)
            assert [each.pop("transaction") for each in found] == [77, 77]
            assert [each.pop("framing") for each in found] == ["tcp", "tcp"]
            assert found == [{key: value for key, value in each.items() if key != "crc"} for each in expected]


def test_noise_around_a_tcp_frame_is_passed_over_where_it_is_said_to_be_one() -> None:
    frame = tcp_talks()[2].response
    found = decoded(MODBUS, (b"\xff" + frame + b"\x00").hex(), tcp=True)
    assert (found[0]["registers"], found[0]["noise_before"], found[0]["noise_after"]) == ([0x1234, 0xFFFF], "ff", "00")


def broken(octets: bytes) -> Iterator[bytes]:
    """These bytes with each bit flipped and with each byte lost."""
    for at in range(len(octets)):
        yield octets[:at] + octets[at + 1 :]
        for bit in range(8):
            yield octets[:at] + bytes((octets[at] ^ 1 << bit,)) + octets[at + 1 :]


def test_every_flipped_bit_and_every_lost_byte_of_a_recorded_modbus_frame_is_refused() -> None:
    count = 0
    for name, frames, _ in modbus_conversations():
        for frame in frames:
            for octets in broken(bytes.fromhex(frame)):
                found = decoded(MODBUS, octets.hex())
                assert [list(each) for each in found] == [["error"]], (name, octets.hex(), found)
                count += 1
    assert count > 8_000


def test_every_flipped_bit_and_every_lost_byte_of_a_recorded_ydt_frame_is_refused_or_says_the_very_same() -> None:
    count = 0
    for name, frames, _ in ydt_frames():
        for frame in frames:
            said_whole = {key: value for key, value in decoded(YDT, frame)[0].items() if key != "chksum"}
            for octets in broken(frame.encode()):
                for found in decoded(YDT, octets.decode("latin-1")):
                    same = {key: value for key, value in found.items() if key not in {"chksum", "quirks"}}
                    assert list(found) == ["error"] or same == said_whole, (name, octets, found)
                count += 1
    assert count > 40_000


@pytest.mark.parametrize(
    ("protocol", "line", "error"),
    [
        (MODBUS, "1103006b00037688", "the CRC is 7688, expected 7687"),
        (MODBUS, "1103006b000376", "7 bytes, where a frame that begins so has 8; the CRC is 0376"),
        (
            MODBUS,
            "1103006b0003768600ff",
            "10 bytes, where a frame that begins so has 8; the CRC of the first 8 is 7686",
        ),
        (MODBUS, "11", "1 byte are too few for a frame; the shortest has 5"),
        (MODBUS, "11030", "5 hexadecimal digits are not whole bytes"),
        (MODBUS, "11 03 hello", '"h" is no hexadecimal digit'),
        (MODBUS, "1163006b00037687", "function 99 is none that is known, and the CRC is 7687, expected"),
        (
            MODBUS,
            "~210141410000FDB2",
            '"~" is no hexadecimal digit; this looks like YD/T 1363: roundsman decode ydt1363',
        ),
        (YDT, "~210141410000FDB3", "CHKSUM is FDB3, expected FDB2"),
        (YDT, "~21014141E000FD9D", "LCHKSUM is E, expected 0"),
        (YDT, "~2101414100", "no frame: 10 characters after ~, and a frame has 16 at least"),
        (YDT, "~21014x410000FDB2", "no frame: character 6 after ~ is no hexadecimal digit (78H)"),
        (YDT, "hello", "no frame: no start mark ~, and no 16 hexadecimal digits in a row"),
        (YDT, "~", "no frame: 0 characters after ~, and a frame has 16 at least"),
    ],
)
def test_what_is_no_frame_is_told_in_plain_words(protocol: str, line: str, error: str) -> None:
    found = decoded(protocol, line)
    assert [list(each) for each in found] == [["error"]]
    assert found[0]["error"].startswith(error)


def test_a_broken_response_behind_its_request_is_an_error_and_the_request_is_read() -> None:
    talk = talks()[2]
    found = decoded(MODBUS, (talk.request + talk.response[:-1] + b"\x00").hex())
    assert found[0]["count"] == 2
    assert found[1]["error"].startswith("the CRC is ")
    found = decoded(YDT, ydt(0x20, 5, 0x46, 0x42, b"\x01")[:-1] + ydt(0x20, 5, 0x46, 0, b"\x11\x01")[:-2])
    assert found[0]["command_name"] == "analog values, fixed point"
    assert "error" in found[1]


def test_a_scrap_with_a_right_check_sum_within_a_broken_frame_is_not_read() -> None:
    scrap = bytes.fromhex("098302")
    scrap += crc16(scrap)
    frame = b"\x09\x03\x0e" + bytes(4) + scrap + bytes(5)
    assert "registers" in decoded(MODBUS, (frame + crc16(frame)).hex())[0]
    assert list(decoded(MODBUS, (frame + b"\x12\x34").hex())[0]) == ["error"]


def test_a_function_that_is_known_by_name_alone_is_shown_whole() -> None:
    for body, name in (("0111", "report server identification"), ("0141aabb", "function 65")):
        octets = bytes.fromhex(body)
        found = decoded(MODBUS, (octets + crc16(octets)).hex())
        assert (found[0]["function_name"], found[0]["octets"]) == (name, body[4:])
    refused = bytes.fromhex("019101")
    assert decoded(MODBUS, (refused + crc16(refused)).hex())[0]["exception"] == 1


def ydt(*frame: Any) -> str:
    """A frame of VER, ADR, CID1, code and INFO as text, written by the peer."""
    return str(ydt_frame(*frame).decode())


def test_a_frame_that_lost_its_start_mark_or_has_blanks_is_read() -> None:
    text = ydt(0x20, 5, 0x46, 0x42, b"\x01")[1:-1]
    for before in ("", "?", "\xff "):
        assert decoded(YDT, before + text)[0]["quirks"] == ["SOI is missing or another character"]
    assert decoded(YDT, f">{text}")[0]["quirks"] == ["SOI is 3EH"]
    blanks = decoded(YDT, "~" + " ".join(text[at : at + 2] for at in range(0, len(text), 2)))
    assert (blanks[0]["info"], blanks[0]["group"], "quirks" in blanks[0]) == ("01", 1, False)


def test_times_versions_addresses_and_refusals_are_told_by_the_question_before() -> None:
    def answer(command: int, code: int, info: bytes) -> dict[str, Any]:
        return decoded(YDT, ydt(0x21, 7, 0x41, command, b""), ydt(0x22, 7, 0x41, code, info))[1]

    time = answer(0x4D, 0, bytes.fromhex("07D7080915202B"))
    assert (time["time"], time["asked_name"], time["rtn_name"]) == ("2007-08-09 21:32:43", "time", "ok")
    assert answer(0x4D, 0, b"\x07")["note"] == "a time has 7 bytes, not 1"
    assert answer(0x4F, 0, b"")["semantic"]["version"] == "2.2"
    assert answer(0x50, 0, b"")["semantic"]["address"] == 7
    refused = answer(0x42, 4, b"")
    assert (refused["rtn_name"], refused["class_name"]) == ("CID2 not served", "rectifiers")
    maker = answer(0x51, 0, b"Thing     \x01\x02Maker Ltd           ")["semantic"]
    assert (maker["name"], maker["version"], maker["maker"]) == ("Thing", "1.2", "Maker Ltd")


def test_the_meaning_of_an_answer_is_that_of_the_shipped_definitions() -> None:
    cells, sensors = b"\x02\x0c\xe4\x0c\xe5", b"\x01\x0b\xb8"
    info = b"\x11\x02" + cells + sensors + b"\xff\xf6\x19\xc9\x13\x88\x02\x27\x10\x00\x05"
    found = decoded(YDT, ydt(0x20, 2, 0x46, 0x42, b"\x02"), ydt(0x20, 2, 0x46, 0, info))[1]
    assert found["flags"] == {"alarms_changed": True, "states_changed": True}
    semantic = found["semantic"]
    assert (semantic["cells_mV"], semantic["temps_C"]) == ([3300, 3301], [26.9])
    assert (semantic["current_A"], semantic["voltage_V"]) == (-1.0, 6.601)
    assert [semantic[key] for key in ("remaining_raw", "p", "total_raw", "next_raw")] == [5000, 2, 10000, 5]
    assert semantic["definition"] in {"battery", "battery-pylontech"}
    first = semantic["values"][1]
    assert (first["quantity"], first["value"], first["unit"], first["raw"]) == ("battery.voltage", 3.3, "V", 3300)


def test_an_answer_that_no_definition_fits_is_read_by_the_form_of_its_command() -> None:
    def answer(command: int, info: str) -> dict[str, Any]:
        ask, say = ydt(0x21, 1, 0x8F, command, b""), ydt(0x21, 1, 0x8F, 0, bytes.fromhex(info))
        return decoded(YDT, ask, say)[1]["semantic"]

    assert answer(0x41, "11" + "00005642" + "20202020") == {
        "layout": "no definition fits; numbers by the form of the command alone",
        "before": "11",
        "floats": [53.5, None],
    }
    assert answer(0x42, "fffe0102")["words"] == [-2, 258]
    assert answer(0x44, "00f020")["codes"] == [0, 0xF0, None]


def test_frames_may_be_arguments_and_a_wrong_one_ends_with_one() -> None:
    status, out, _ = said("decode", MODBUS, "1103006b00037687", "1103006b00037688")
    assert status == 1
    first, second = map(json.loads, out.splitlines())
    assert (first["address"], first["count"], first["side"]) == (107, 3, "request")
    assert list(second) == ["error"]
    assert said("decode", MODBUS, "1103006b00037687")[0] == 0
    status, out, _ = said("decode", MODBUS, "--tcp", "00010000000611 03006b0003", "000100000003118302")
    assert (status, [json.loads(line)["transaction"] for line in out.splitlines()]) == (0, [1, 1])


def test_raw_text_as_it_was_captured_comes_through_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    ask, other = ydt_frame(0x20, 1, 0x46, 0x42, b"\x01"), ydt_frame(0x20, 2, 0x46, 0x4F, b"")
    raw = b"\xff" + ask + b"\x00" + ask + b"\n\n" + other[:-1] + b"\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    status, out, _ = said("decode", YDT)
    assert (status, [json.loads(line)["adr"] for line in out.splitlines()]) == (0, [1, 1, 2])


def test_no_line_at_all_ends_in_a_traceback() -> None:
    pieces = ["~", "0", "0d", "\\r", "zz", "é", " ", "1103", "ffff", "~210141410000FDB2", "\x00", "7e", "-", "b'"]
    for parts in itertools.product(pieces, repeat=3):
        for protocol in (MODBUS, YDT):
            for found in decoded(protocol, "".join(parts)):
                assert found

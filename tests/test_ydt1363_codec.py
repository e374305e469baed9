"""The YD/T 1363 codec: whole, byte by byte, with noise, against published and captured frames."""

import contextlib
import itertools
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import recordings
from wire.ydt1363 import (
    LONGEST,
    AnswerReader,
    Frame,
    FrameReader,
    Quirk,
    Request,
    YdtError,
    chksum,
    decode,
    length_field,
    rtn_name,
)
from wire.ydt1363_info import DataFlag, Walk, clock
from wire.ydt1363_names import class_name, command_name

# The example of CHKSUM printed in the standard. Translations print it as ABCEFE, for which FC72 is wrong by one:
# the sum that they give beside it, 038EH, is that of ABCDFE.
STANDARD = b"~1203400456ABCDFEFC72\r"
MISPRINT = b"~1203400456ABCEFEFC72\r"
ASKED = Request(0x20, 1, 0x41, 0x41)
ANSWER = Frame(0x21, 1, 0x41, 0x00, bytes.fromhex("0001"))


def vectors() -> list[dict[str, Any]]:
    return json.loads((recordings() / "serial" / "ydt1363.json").read_text())["vectors"]


def recorded() -> list[tuple[str, bytes, dict[str, Any]]]:
    """Every recorded frame: its name, its characters, its documented fields."""
    return [
        (f"{vector['id']} {side}", vector[side].encode(), vector[f"{side}_fields"])
        for vector in vectors()
        for side in ("request", "response")
        if side in vector
    ]


def feed_singly(reader: FrameReader, octets: bytes) -> list[Frame]:
    return [frame for octet in octets for frame in reader.feed(bytes((octet,)))]


def test_the_check_sums_of_the_standards_own_example_are_right() -> None:
    assert chksum(STANDARD[1:-5]) == int(STANDARD[-5:-1], 16) == 0xFC72
    assert length_field(0x6AB) == int(STANDARD[9:13], 16) == 0x56AB


def test_the_misprinted_example_of_the_translations_has_a_wrong_check_sum() -> None:
    assert chksum(MISPRINT[1:-5]) == 0xFC71


def test_the_standards_own_example_is_refused_as_a_frame_because_its_info_is_cut_short_in_print() -> None:
    with pytest.raises(YdtError, match="INFO has 4 characters, expected 1707 by LENID"):
        decode(STANDARD)


def test_a_request_is_encoded_as_published() -> None:
    assert Request(0x21, 1, 0x41, 0x41).encode() == b"~210141410000FDB2\r"
    assert Request(0x20, 2, 0x46, 0x42, b"\xff").encode() == b"~20024642E002FFFD09\r"


@pytest.mark.parametrize("command", [0x45, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4E, 0x80, 0xA1])
def test_a_command_that_is_not_a_plain_read_is_refused(command: int) -> None:
    with pytest.raises(YdtError, match="is not a read"):
        Request(0x20, 1, 0x41, command)


def test_the_length_of_eighteen_characters_has_the_check_digit_of_the_standard() -> None:
    assert Frame(0x20, 1, 0x41, 0, bytes(9)).encode()[9:13] == b"D012"


def test_a_frame_comes_whole_or_byte_by_byte() -> None:
    assert FrameReader().feed(ANSWER.encode()) == [ANSWER]
    reader = FrameReader()
    for octet in ANSWER.encode()[:-1]:
        assert reader.feed(bytes((octet,))) == []
    assert reader.feed(b"\r") == [ANSWER]


@pytest.mark.parametrize(
    "noise", [b"\x00", b"?", b"~", b"~20", b"\r", b"~2001\r", b"\x0a\xff~~\r\r", b"A" * 9000, b"~" + b"0" * 9000]
)
def test_noise_before_and_after_a_frame_is_skipped(noise: bytes) -> None:
    line = ANSWER.encode()
    assert FrameReader().feed(noise + line + noise + line) == [ANSWER, ANSWER]
    assert feed_singly(FrameReader(), noise + line + noise + line) == [ANSWER, ANSWER]


def test_noise_within_a_frame_drops_it() -> None:
    line = ANSWER.encode()
    for at in range(2, len(line)):
        for noise in (b"\x00", b"0", b" ", b"\r", b"~")[: 5 if at < len(line) - 1 else 3]:  # a doubled EOI is no harm
            assert FrameReader().feed(line[:at] + noise + line[at:]) == []


def test_a_second_carriage_return_after_the_frame_is_nothing() -> None:
    reader = FrameReader()
    assert reader.feed(ANSWER.encode() + b"\r") == [ANSWER]
    assert (reader.errors, reader.skipped) == (0, 1)


def test_a_lower_case_check_sum_is_the_same_check_sum() -> None:
    line = ANSWER.encode()
    assert FrameReader().feed(line[:-5] + line[-5:].lower()) == [ANSWER]


def test_a_reader_never_holds_more_than_one_longest_frame() -> None:
    reader = FrameReader()
    reader.feed(b"~" + b"0" * 100_000)
    assert reader.held <= LONGEST
    assert reader.errors == 1


def test_every_recorded_frame_decodes_to_its_documented_fields() -> None:
    for name, line, said in recorded():
        frame = decode(line)
        assert (f"{frame.ver:02X}", frame.adr, f"{frame.cid1:02X}", f"{frame.code:02X}", frame.info.hex().upper()) == (
            said["ver"],
            said["adr"],
            said["cid1"],
            said["cid2_or_rtn"],
            said["info"].upper(),
        ), name
        assert frame.encode() == line.upper(), name


def test_every_recorded_frame_is_found_byte_by_byte_and_in_noise() -> None:
    for name, line, _ in recorded():
        frame = decode(line)
        assert feed_singly(FrameReader(), line) == [frame], name
        assert feed_singly(FrameReader(), b"\xff~20" + line + b"\r\x00") == [frame], name


def test_every_flipped_bit_and_every_lost_byte_of_a_recorded_frame_is_refused_or_says_the_same() -> None:
    for name, line, _ in recorded():
        frame = decode(line)
        for at in range(len(line)):
            lost = FrameReader().feed(line[:at] + line[at + 1 :])
            assert lost == ([frame] if at == 0 else []), (name, at)  # without SOI the rest is whole
            for bit in range(8):
                broken = bytearray(line)
                broken[at] ^= 1 << bit
                assert FrameReader().feed(bytes(broken)) in ([], [frame]), (name, at, bit)


def test_a_frame_that_lost_its_start_mark_is_read_and_says_so() -> None:
    for before in (b"", b"?", b"\xff\x00"):
        found = FrameReader().feed(before + ANSWER.encode()[1:])
        assert found == [ANSWER]
        assert found[0].quirks == (Quirk.NO_SOI,)
    assert FrameReader().feed(b"0" + ANSWER.encode()[1:]) == []


def test_a_battery_that_begins_with_another_mark_and_names_the_command_as_its_class_is_read() -> None:
    request = Request(0x22, 1, 0x4A, 0x42)
    answer = b">" + Frame(0x22, 1, 0x42, 0x00, b"\x01\x02").encode()[1:]
    found = AnswerReader(request).feed(answer)
    assert found == Frame(0x22, 1, 0x42, 0x00, b"\x01\x02")
    assert found.quirks == (Quirk.SOI_3EH,)
    assert AnswerReader(request).feed(b"~" + answer[1:]) is None  # that is class 42H


def relengthed(frame: Frame, length: str) -> bytes:
    """The frame with another LENGTH, and the CHKSUM of that."""
    text = frame.encode()[1:-5]
    text = text[:8] + length.encode() + text[12:]
    return b"~" + text + f"{chksum(text):04X}".encode() + b"\r"


def test_a_length_that_counts_bytes_or_is_checked_modulo_15_is_read_and_named() -> None:
    frame = Frame(0x21, 1, 0x60, 0, bytes(9))
    assert decode(relengthed(frame, "D012")) == frame
    assert decode(relengthed(frame, "7009")).quirks == (Quirk.LENID_IN_BYTES,)
    assert decode(relengthed(frame, "C012")).quirks == (Quirk.LCHKSUM_MODULO_15,)
    assert decode(relengthed(frame, "C012")) == frame


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ("E012", "LCHKSUM is E, expected D"),
        ("C013", "INFO has 18 characters, expected 19 by LENID"),
        ("E002", "INFO has 18 characters, expected 2 by LENID"),
    ],
)
def test_any_other_wrong_length_is_refused_with_what_was_expected(length: str, said: str) -> None:
    with pytest.raises(YdtError, match=said):
        decode(relengthed(Frame(0x21, 1, 0x60, 0, bytes(9)), length))


def test_a_wrong_check_sum_is_told_with_the_right_one() -> None:
    with pytest.raises(YdtError, match="CHKSUM is FDB3, expected FDB2"):
        decode(b"~210141410000FDB3\r")


@pytest.mark.parametrize(
    ("layout", "zero", "ampere", "volt"),
    [("pylontech", 2731, 0.1, 0.001), ("pace v25", 2730, 0.01, 0.001), ("pace/seplos", 2731, 0.01, 0.01)],
)
def test_every_recorded_battery_is_walked_to_its_documented_values(
    layout: str, zero: int, ampere: float, volt: float
) -> None:
    seen = 0
    for name, line, said in recorded():
        meant = said.get("semantic", {})
        if not meant.get("layout", "").startswith(layout):
            continue
        walk = Walk(decode(line).info[2:])
        assert [walk.fixed() for _ in range(walk.count())] == meant["cells_mV"], name
        assert [((walk.fixed() or 0) - zero) / 10 for _ in range(walk.count())] == pytest.approx(meant["temps_C"]), name
        assert (walk.fixed() or 0) * ampere == pytest.approx(meant["current_A"]), name
        assert (walk.fixed(signed=False) or 0) * volt == pytest.approx(meant["voltage_V"]), name
        assert walk.fixed(signed=False) == meant["remaining_raw"], name
        assert (walk.count(), walk.fixed(signed=False)) == (meant["p"], meant["total_raw"]), name
        assert walk.fixed(signed=False) == meant["next_raw"], name
        seen += 1
    assert seen > 0


def test_the_recorded_maker_answer_is_read_as_text() -> None:
    seen = 0
    for name, line, said in recorded():
        meant = said.get("semantic", {})
        if "maker" not in meant:
            continue
        walk = Walk(decode(line).info)
        assert walk.text(10) == meant["name"], name
        assert ".".join(str(octet) for octet in walk.take(2)) == meant["version"], name
        assert walk.text(20) == meant["maker"], name
        seen += 1
    assert seen == 1


def test_only_the_answer_of_the_asked_address_and_class_is_taken() -> None:
    reader = AnswerReader(ASKED)
    assert reader.feed(Frame(0x20, 2, 0x41, 0).encode()) is None
    assert reader.feed(Frame(0x20, 1, 0x42, 0).encode()) is None
    assert reader.feed(ANSWER.encode()) == ANSWER
    assert reader.foreign == 2


def test_our_own_request_heard_back_is_not_an_answer() -> None:
    reader = AnswerReader(ASKED)
    assert reader.feed(ASKED.encode()) is None
    assert reader.feed(ANSWER.encode()) == ANSWER


def test_return_codes_have_names() -> None:
    assert rtn_name(0x04) == "CID2 not served"
    assert rtn_name(0x90) == "maker's code 90H"
    assert rtn_name(0x09) == "code 09H"


def test_commands_and_classes_have_names() -> None:
    assert (command_name(0x42), command_name(0x4E)) == ("analog values, fixed point", "set time")
    assert (command_name(0xA1), command_name(0x40)) == ("maker's command A1H", "command 40H")
    assert (class_name(0x46), class_name(0xD0)) == ("battery", "class D0H")


def test_a_value_that_is_not_monitored_is_absent_in_every_form() -> None:
    walk = Walk(b"\x20" * 7)
    assert (walk.float32(), walk.fixed(), walk.code()) == (None, None, None)
    assert walk.left == 0


def test_a_float_is_low_byte_first_unless_told() -> None:
    assert Walk(struct.pack("<f", 53.5)).float32() == 53.5
    assert Walk(struct.pack(">f", 53.5)).float32("big") == 53.5
    assert Walk(struct.pack("<f", float("nan"))).float32() is None


def test_a_fixed_number_is_high_byte_first_and_signed_where_told() -> None:
    assert Walk(b"\xff\xfe").fixed() == -2
    assert Walk(b"\xff\xfe").fixed(signed=False) == 65534


def test_the_data_flag_says_what_has_changed() -> None:
    assert Walk(b"\x11").flag() == DataFlag(alarms_changed=True, states_changed=True)
    assert Walk(b"\x10").flag() == DataFlag(alarms_changed=False, states_changed=True)
    assert Walk(b"\x00").flag() == DataFlag(alarms_changed=False, states_changed=False)


def test_user_defined_items_are_walked_by_their_count() -> None:
    walk = Walk(b"\x02\x00\x01\x00\x02\x07")
    assert walk.items(2) == [b"\x00\x01", b"\x00\x02"]
    assert walk.count() == 7


def test_a_time_is_seven_plain_bytes() -> None:
    assert clock(bytes.fromhex("07D7080915202B")) == "2007-08-09 21:32:43"
    for wrong in ("07D70809152", "07D70D0915202B", "07D7080918202B"):
        with pytest.raises(YdtError):
            clock(bytes.fromhex(wrong.ljust(12, "0")))


def test_a_walk_past_the_end_says_where() -> None:
    walk = Walk(b"\x01\x02\x03")
    walk.count()
    with pytest.raises(YdtError, match="INFO ends at byte 3, but 4 bytes are due from byte 1"):
        walk.float32()


fields = st.integers(0, 255)
frames = st.builds(Frame, fields, fields, fields, fields, st.binary(max_size=60))
noise = st.binary(max_size=30).map(lambda octets: octets.replace(b"\r", b"").replace(b"~", b""))


@given(st.lists(st.tuples(noise, frames), max_size=4), noise, st.lists(st.integers(0, 700), max_size=8))
def test_frames_come_out_as_they_went_in_whatever_stands_between_them_and_however_they_are_cut(
    sent: list[tuple[bytes, Frame]], after: bytes, cuts: list[int]
) -> None:
    """The invariant: the frames that stand in the bytes are the frames that come out, each once, in order."""
    stream = b"".join(before + frame.encode() for before, frame in sent) + after
    reader, found = FrameReader(), []
    for start, end in itertools.pairwise(sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})):
        found += reader.feed(stream[start:end])
    assert found == [frame for _, frame in sent]


@given(
    st.binary(max_size=300),
    st.lists(st.sampled_from(["float32", "fixed", "code", "count", "flag", "items", "text"]), max_size=9),
)
def test_no_bytes_at_all_raise_anything_but_the_one_exception(octets: bytes, steps: list[str]) -> None:
    FrameReader().feed(octets)
    walk = Walk(octets)
    lengths: dict[str, tuple[int, ...]] = {"items": (4,), "text": (10,)}
    with contextlib.suppress(YdtError):
        decode(octets)
    with contextlib.suppress(YdtError):
        for step in steps:
            getattr(walk, step)(*lengths.get(step, ()))
    assert 0 <= walk.left <= len(octets)

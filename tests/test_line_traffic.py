"""Overhearing a line: both directions, both protocols, in any pieces and with noise, and what answers what."""

import itertools
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.peers.line import ydt_frame
from tests.peers.modbus_frames import Talk, talks
from tests.recordings import recordings
from wire import traffic
from wire.modbus import crc16
from wire.modbus_frames import Message
from wire.traffic import Heard, TrafficReader
from wire.ydt1363 import Frame

TALKS = talks()
ASK = ydt_frame(0x20, 2, 0x46, 0x42, b"\x02")
ANSWER = ydt_frame(0x20, 2, 0x46, 0x00, bytes(range(40)))


def framed(body: str) -> bytes:
    octets = bytes.fromhex(body)
    return octets + crc16(octets)


def heard(*pieces: bytes, step: float = 0.005, reader: TrafficReader | None = None) -> list[Heard]:
    """Everything heard of pieces that come one after the other, `step` seconds apart, and of the silence after."""
    reader = reader or TrafficReader()
    found = [frame for place, piece in enumerate(pieces) for frame in reader.feed(piece, 10 + place * step)]
    return found + reader.feed(b"", 10 + len(pieces) * step + 1)


def sides(found: list[Heard]) -> list[str]:
    return [frame.side for frame in found]


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.name)
def test_a_request_and_its_response_are_told_apart_and_belong_together(talk: Talk) -> None:
    found = heard(TALKS[2].request, TALKS[2].response, talk.request, talk.response)
    assert [frame.octets for frame in found[2:]] == [talk.request, talk.response]
    assert sides(found[2:]) == ["request", "response"]
    assert found[3].request is found[2]
    assert (found[3].protocol, found[3].unit, found[3].function) == ("modbus", 9, talk.request[1])


def test_a_write_of_one_value_that_is_the_first_frame_of_all_may_be_either() -> None:
    write = TALKS[5].request
    assert sides(heard(write, write)) == ["either", "response"]
    assert sides(heard(TALKS[2].request, TALKS[2].response, write, write)) == ["request", "response"] * 2


def test_eight_bytes_that_could_be_a_request_are_a_response_where_one_of_that_size_is_due() -> None:
    ask, answer = framed("0901006400 14".replace(" ", "")), framed("090103aa0014")
    assert sides(heard(ask, answer)) == ["request", "response"]
    assert sides(heard(answer)) == ["request"]
    late = TrafficReader(patience=2.0)
    late.feed(ask, 1.0)
    assert [frame.side for frame in late.feed(answer, 4.0)] == ["request"]


def test_three_bytes_of_bits_that_ask_for_too_many_as_a_request_are_a_response() -> None:
    # Modbus Application Protocol V1.1b3, 6.1 and 6.2: the examples' responses; framed for unit 17.
    assert sides(heard(framed("110103cd6b05"))) == ["response"]
    assert sides(heard(framed("110203acdb35"))) == ["response"]


def test_both_protocols_are_heard_on_one_pair_in_whatever_pieces() -> None:
    spoken = [ASK, ANSWER, *itertools.chain.from_iterable((talk.request, talk.response) for talk in TALKS), ASK, ANSWER]
    for size in (1, 3, 7, 10_000):
        stream = b"".join(spoken)
        found = heard(*(stream[at : at + size] for at in range(0, len(stream), size)), step=0.001)
        assert [frame.octets for frame in found] == spoken
        assert sides(found)[:2] == ["request", "response"]
        assert isinstance(found[1].message, Frame)
        assert found[1].request is found[0]
        assert (found[0].protocol, found[0].unit, found[0].function) == ("ydt1363", 2, 0x46)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00",
        b"\xff\xff",
        b"~",
        b"~20",
        b"\r",
        b"~2002\r",
        b"\x09\x03",
        b"\x09\x10\x00",
        b"\x09\x17\xfa",
        b"\x09\x2b\x0e",
    ],
)
def test_noise_between_the_frames_costs_no_frame(noise: bytes) -> None:
    spoken = [TALKS[2].request, TALKS[2].response, ASK, ANSWER]
    reader = TrafficReader()
    pieces = [bytes((octet,)) for frame in spoken for octet in noise + frame] + [noise]
    found = heard(*pieces, step=0.001, reader=reader)
    assert [frame.octets for frame in found] == spoken
    assert reader.skipped == 5 * len(noise)


def test_what_looks_like_a_frame_within_another_is_not_heard() -> None:
    inner = framed("0906000100ff")
    ask, answer = framed("090300000008"), framed("090310" + inner.hex() + inner.hex())
    assert [frame.octets for frame in heard(ask, answer)] == [ask, answer]
    assert [frame.octets for frame in heard(answer)] == [answer]


def test_a_pause_ends_what_never_became_a_frame_and_what_comes_after_is_heard_at_once() -> None:
    reader = TrafficReader(pause=0.1)
    assert reader.feed(b"\x09\x03\xfa\x00", 1.0) == []
    found = reader.feed(TALKS[2].request, 1.2)
    assert [frame.octets for frame in found] == [TALKS[2].request]
    assert (found[0].at, reader.skipped, reader.held) == (1.2, 4, 0)


def test_frames_behind_a_false_start_come_out_when_the_pause_ends_it() -> None:
    reader = TrafficReader(pause=0.1)
    assert reader.feed(b"\x09\x03\xfa" + TALKS[2].request, 1.0) == []
    assert [frame.octets for frame in reader.feed(b"", 1.2)] == [TALKS[2].request]


def test_a_response_with_a_wrong_check_sum_is_counted_and_the_next_is_heard() -> None:
    reader = TrafficReader()
    broken = bytes((*TALKS[2].response[:-1], TALKS[2].response[-1] ^ 1))
    found = heard(TALKS[2].request, broken, TALKS[2].request, TALKS[2].response, reader=reader)
    assert sides(found) == ["request", "request", "response"]
    assert (reader.mismatches, reader.skipped) == (1, len(broken))
    reader = TrafficReader()
    assert sides(heard(ASK, ANSWER.replace(b"00", b"01", 1), ASK, reader=reader)) == ["request", "request"]
    assert reader.mismatches == 1


def test_the_response_of_another_unit_answers_no_request() -> None:
    found = heard(TALKS[2].request, framed("0a03041234ffff"))
    assert sides(found) == ["request", "response"]
    assert found[1].request is None


def test_a_makers_own_code_is_a_refusal_only_where_an_answer_is_due() -> None:
    refusal, command = ydt_frame(0x20, 2, 0x46, 0xE1, b""), ydt_frame(0x20, 2, 0x46, 0xA1, b"\x01")
    assert sides(heard(ASK, refusal)) == ["request", "response"]
    assert sides(heard(refusal)) == ["either"]
    found = heard(command, ANSWER)
    assert sides(found) == ["either", "response"]
    assert found[1].request is found[0]


def test_every_recorded_frame_is_heard_among_all_the_others_and_byte_by_byte() -> None:
    spoken = []
    for name in ("modbus", "ydt1363"):
        for vector in json.loads((recordings() / "serial" / f"{name}.json").read_text())["vectors"]:
            for side in ("request", "response"):
                if side in vector:
                    text = vector[side]
                    spoken.append((vector["id"], side, bytes.fromhex(text) if name == "modbus" else text.encode()))
    random.Random(1).shuffle(spoken)
    stream = b"\x00".join(octets for _, _, octets in spoken)
    reader = TrafficReader()
    found = [frame for octet in stream for frame in reader.feed(bytes((octet,)), 1.0)]
    found += reader.feed(b"", 9.0)
    assert [frame.octets for frame in found] == [octets for _, _, octets in spoken]
    assert len(found) > 190


def test_in_each_recorded_conversation_the_response_is_known_to_answer_the_request() -> None:
    seen = 0
    for name in ("modbus", "ydt1363"):
        for vector in json.loads((recordings() / "serial" / f"{name}.json").read_text())["vectors"]:
            if "request" not in vector or "response" not in vector:
                continue
            pair = [vector[side] for side in ("request", "response")]
            frames = [bytes.fromhex(text) if name == "modbus" else text.encode() for text in pair]
            found = heard(*frames)
            assert found[1].side == "response", vector["id"]
            assert found[1].request is found[0], vector["id"]
            seen += 1
    assert seen > 60


def longest_tries(octets: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes that go through the check sum while these are read one by one."""
    count = 0

    def counted(body: bytes) -> bytes:
        nonlocal count
        count += len(body)
        return crc16(body)

    with monkeypatch.context() as patched:
        patched.setattr(traffic, "crc16", counted)
        reader = TrafficReader()
        for octet in octets:
            reader.feed(bytes((octet,)), 1.0)
            assert reader.held <= 4113
    return count


@pytest.mark.parametrize(
    "pattern",
    [b"\x03\xfa", b"\x03", b"\x17", b"\x10", b"~", b"~0", b"0", b"\x09\x2b\x0e\x01", b"\t\x10\0\0\0{\xf6"],
)
def test_the_work_grows_as_the_bytes_whatever_they_are(pattern: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    once = longest_tries(pattern * (6_000 // len(pattern)), monkeypatch)
    twice = longest_tries(pattern * (12_000 // len(pattern)), monkeypatch)
    assert once <= 6_000 * 3 * 256
    assert twice <= 2 * once + 3 * 256 * 256


noise = st.binary(max_size=12)
choices = st.sampled_from([ASK, ANSWER, *(talk.request for talk in TALKS), *(talk.response for talk in TALKS)])


@given(st.lists(st.tuples(noise, choices), max_size=6), st.integers(1, 40), st.binary(max_size=10))
def test_frames_come_out_as_they_went_in_whatever_stands_between_them_and_however_they_are_cut(
    sent: list[tuple[bytes, bytes]], size: int, after: bytes
) -> None:
    """The invariant: what was said is heard, each frame once and in order, and every byte is in a frame or skipped."""
    stream = b"".join(before + frame for before, frame in sent) + after
    reader = TrafficReader()
    found = heard(*(stream[at : at + size] for at in range(0, len(stream), size)), step=0.001, reader=reader)
    assert [frame.octets for frame in found] == [frame for _, frame in sent]
    assert reader.skipped + sum(len(frame.octets) for frame in found) == len(stream)
    for frame in found:
        assert isinstance(frame.message, Message) == (frame.protocol == "modbus")

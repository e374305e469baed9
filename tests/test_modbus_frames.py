"""Modbus frames of both directions: each function as pymodbus writes it, RTU and TCP, and device identification."""

import minimalmodbus
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu import mei_message as mei
from pymodbus.pdu import register_message as registers

from tests.peers.modbus_frames import Talk, talks, tcp_talks
from wire.modbus import LONGEST, ModbusError, Refusal, Reply, Request, crc16
from wire.modbus_frames import Message, decode_request, decode_response, request_of, response_of, sizes
from wire.modbus_identity import EXTENDED, IdentityReader, IdentityRequest
from wire.modbus_tcp import Adu, MbapReader, TcpReader, encode, wrap

TALKS, NAMES = talks(), [talk.name for talk in talks()]
IDENTITY = next(talk for talk in TALKS if talk.name == "device identification")


def fields(message: Message, names: dict[str, object]) -> dict[str, object]:
    """What a message says under these names, as the peers write it down."""
    own = {
        "octets": message.octets.hex() if message.octets is not None else None,
        "objects": message.identity.named() if message.identity else None,
    }
    return {name: own.get(name, getattr(message, name, None)) for name in names}


@pytest.mark.parametrize("talk", TALKS, ids=NAMES)
def test_every_function_says_what_pymodbus_wrote(talk: Talk) -> None:
    asks, says = decode_request(talk.request), decode_response(talk.response)
    assert fields(asks, talk.asks) == talk.asks
    assert fields(says, talk.says) == talk.says
    assert (asks.unit, asks.function, says.unit, says.function) == (9, talk.request[1], 9, talk.request[1])
    assert (asks.side, says.side) == ("request", "response")
    assert asks.answered_by(says)
    assert not asks.answered_by(asks)


@pytest.mark.parametrize("talk", tcp_talks(), ids=NAMES)
def test_every_function_over_tcp_says_the_same_in_whatever_pieces(talk: Talk) -> None:
    for size in (1, 5, 1000):
        reader, stream = MbapReader(), talk.request + talk.response
        found = [adu for at in range(0, len(stream), size) for adu in reader.feed(stream[at : at + size])]
        assert [adu.transaction for adu in found] == [77, 77]
        assert fields(request_of(found[0].body), talk.asks) == talk.asks
        assert fields(response_of(found[1].body), talk.says) == talk.says
        assert b"".join(wrap(adu.body, adu.transaction) for adu in found) == stream


@pytest.mark.parametrize("talk", TALKS, ids=NAMES)
def test_every_flipped_bit_and_every_lost_byte_is_refused(talk: Talk) -> None:
    for frame in (talk.request, talk.response):
        for at in range(len(frame)):
            broken = [frame[:at] + frame[at + 1 :]]
            broken += [frame[:at] + bytes((frame[at] ^ 1 << bit,)) + frame[at + 1 :] for bit in range(8)]
            for octets in broken:
                for decode in (decode_request, decode_response):
                    with pytest.raises(ModbusError):
                        decode(octets)


@pytest.mark.parametrize("talk", TALKS, ids=NAMES)
def test_the_sizes_that_a_frame_can_have_hold_its_own_from_its_head_on(talk: Talk) -> None:
    for frame in (talk.request, talk.response):
        assert len(frame) in sizes(frame, 0)[0]
        assert len(frame) in sizes(b"\xff" + frame + b"\x00" * 300, 1)[0]
        for cut in range(len(frame)):
            found, more = sizes(frame[:cut], 0)
            assert len(frame) in found or more


def test_bytes_that_begin_no_frame_have_no_size() -> None:
    for octets in (b"\x01\x00\x00", b"\x01\x63\x00", b"\x01\x2b\x0d", b"\x01\xe3\x01", b"~2001"):
        assert sizes(octets, 0) == ([], False)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("0903", "too short for unit"),
        ("090300640", "not a response of function 3: 3 bytes after it"),
        ("090303010203", "3 bytes are not whole registers"),
        ("098300", "not a response of function 131"),
        ("092b0e0101000001", "ends within object 1 of 1"),
        ("092b0e010100000000", "1 bytes after the device identification's objects"),
    ],
)
def test_a_response_that_is_none_says_why(body: str, said: str) -> None:
    with pytest.raises(ModbusError, match=said):
        response_of(bytes.fromhex(body.ljust(len(body) + len(body) % 2, "0")))


@pytest.mark.parametrize(
    "body",
    ["091000640002020001", "090f006400090105", "091700640002000a0002020001", "092b0d0100", "09030064000200", "0907"],
)
def test_a_request_whose_counts_disagree_is_none(body: str) -> None:
    with pytest.raises(ModbusError):
        request_of(bytes.fromhex(body))


def test_a_wrong_check_sum_is_told_with_the_right_one() -> None:
    with pytest.raises(ModbusError, match="CRC is 7688, expected 7687"):
        decode_request(bytes.fromhex("1103006b00037688"))


@given(st.binary(max_size=300))
def test_the_check_sum_is_that_of_minimalmodbus(octets: bytes) -> None:
    assert crc16(octets) == minimalmodbus._calculate_crc(octets)


word = st.integers(0, 0xFFFF)


def legal(function: int, first: int, second: int) -> bool:
    """What a slave may be asked; pymodbus reads nothing else, and we read what masters say wrong, too."""
    if function <= 4:
        return 1 <= second <= LONGEST[function] and first + second <= 0x10000
    return function == 6 or second in {0, 0xFF00}


@given(st.integers(1, 247), st.sampled_from([1, 2, 3, 4, 5, 6]), word, st.integers(1, 130) | word)
def test_pymodbus_and_we_read_the_same_out_of_every_short_request(
    unit: int, function: int, first: int, second: int
) -> None:
    body = bytes((unit, function)) + first.to_bytes(2, "big") + second.to_bytes(2, "big")
    ours = decode_request(body + crc16(body))
    try:
        _, theirs = FramerRTU(DecodePDU(True)).handleFrame(body + crc16(body), 0, 0)
    except ModbusIOException:
        assert not legal(function, first, second)
        return
    assert theirs is not None
    assert (theirs.dev_id, theirs.function_code, theirs.address) == (ours.unit, ours.function, ours.address)
    if function <= 4:
        assert theirs.count == ours.count == second
    elif function == 6:
        assert theirs.registers == [ours.value]
    else:
        assert theirs.bits[0] == bool(ours.value)


@given(st.integers(1, 247), st.lists(word, min_size=1, max_size=120), word, st.lists(word, min_size=1, max_size=100))
def test_pymodbus_and_we_read_the_same_out_of_requests_that_write(
    unit: int, written: list[int], first: int, others: list[int]
) -> None:
    writer = FramerRTU(DecodePDU(False))
    octets = b"".join(each.to_bytes(2, "big") for each in written)
    ours = decode_request(
        writer.buildFrame(registers.WriteMultipleRegistersRequest(registers=written, address=first, dev_id=unit))
    )
    assert (ours.unit, ours.address, ours.count, ours.octets) == (unit, first, len(written), octets)
    both = registers.ReadWriteMultipleRegistersRequest(first, 9, 7, others, dev_id=unit)
    ours = decode_request(writer.buildFrame(both))
    assert (ours.address, ours.count, ours.write_address, ours.write_count) == (first, 9, 7, len(others))
    assert ours.octets == b"".join(each.to_bytes(2, "big") for each in others)


texts = st.dictionaries(st.integers(0, 6), st.text("abcXYZ 0123", min_size=1, max_size=20), min_size=1, max_size=5)


@given(texts, st.binary(max_size=20), st.integers(1, 30))
def test_an_identification_is_found_in_whatever_stands_before_it_and_however_it_is_cut(
    said: dict[int, str], noise: bytes, size: int
) -> None:
    answer = mei.ReadDeviceInformationResponse(3, {key: text.encode() for key, text in said.items()}, dev_id=9)
    frame = FramerRTU(DecodePDU(True)).buildFrame(answer)
    reader, stream, found = IdentityReader(IdentityRequest(9, EXTENDED)), noise + frame, None
    for at in range(0, len(stream), size):
        assert found is None
        found = reader.feed(stream[at : at + size])
    assert found is not None
    assert not isinstance(found, Refusal)
    assert {number: octets.decode() for number, octets in found.objects} == said
    assert reader.skipped == len(noise)


def test_the_question_of_an_identification_is_the_one_pymodbus_reads_and_its_echo_is_no_answer() -> None:
    request = IdentityRequest(9)
    assert request.rtu() == IDENTITY.request
    reader = IdentityReader(request)
    assert reader.feed(request.rtu()) is None
    found = reader.feed(IDENTITY.response)
    assert found is not None
    assert not isinstance(found, Refusal)
    assert found.named() == {"vendor": "Maker", "product": "Thing 7", "revision": "1.02"}


def test_an_identification_that_is_refused_or_broken_is_told() -> None:
    reader = IdentityReader(IdentityRequest(9))
    refused = bytes.fromhex("09ab01")
    assert reader.feed(b"\x09\x2b" + refused + crc16(refused)) == Refusal(9, 43, 1)
    broken = IDENTITY.response[:-1] + bytes((IDENTITY.response[-1] ^ 1,))
    assert reader.feed(broken) is None
    assert reader.mismatches == 1
    assert reader.feed(IDENTITY.response) is not None


@pytest.mark.parametrize(("unit", "code", "first"), [(0, 1, 0), (256, 1, 0), (1, 0, 0), (1, 5, 0), (1, 1, 256)])
def test_a_question_that_no_device_has_is_not_asked(unit: int, code: int, first: int) -> None:
    with pytest.raises(ModbusError):
        IdentityRequest(unit, code, first)


def test_an_object_of_the_makers_own_and_text_that_is_none_are_shown_all_the_same() -> None:
    body = bytes.fromhex("092b0e03830000028002ff4100023132")
    identity = response_of(body).identity
    assert identity is not None
    assert identity.named() == {"object_80": "?A", "vendor": "12"}
    assert (identity.code, identity.conformity, identity.more, identity.following) == (3, 0x83, False, 0)


def test_over_tcp_an_identification_is_asked_and_a_frame_that_answers_nothing_is_passed_over() -> None:
    talk = next(each for each in tcp_talks() if each.name == "device identification")
    request = IdentityRequest(9)
    assert encode(request, 77) == talk.request
    reader = TcpReader(request, 77)
    assert reader.feed(wrap(b"\x09\x63\x01", 77) + wrap(b"\x08\x03\x02\x00\x01", 77)) is None
    assert reader.mismatches == 2
    found = reader.feed(talk.response)
    assert found == decode_response(IDENTITY.response).identity
    assert reader.skipped == 9 + 11


def test_a_tcp_reply_of_another_size_or_unit_is_passed_over_and_the_right_one_found() -> None:
    reader = TcpReader(Request(9, 3, 0, 2), 5)
    stray = [b"\x09\x03\x02\x00\x01", b"\x08\x03\x04\x00\x01\x00\x02", b"\x09\x04\x04\x00\x01\x00\x02"]
    assert reader.feed(b"".join(wrap(body, 5) for body in stray)) is None
    assert reader.feed(wrap(b"\x09\x03\x04\x00\x01\x00\x02", 5)) == Reply(9, 3, b"\x00\x01\x00\x02")
    assert (reader.mismatches, reader.late) == (3, 0)


def test_what_follows_a_whole_tcp_frame_is_kept_for_the_next() -> None:
    reader = MbapReader()
    assert reader.feed(wrap(b"\x01\x83\x02", 1) + b"\x00\x02\x00") == [Adu(1, b"\x01\x83\x02")]
    assert reader.feed(b"\x00\x00\x03\x01\x83\x04") == [Adu(2, b"\x01\x83\x04")]

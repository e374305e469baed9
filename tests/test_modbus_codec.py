"""The Modbus codec: whole, byte by byte, with noise, against recordings of real devices, pymodbus and libmodbus."""

import contextlib
import ctypes
import ctypes.util
import itertools
import json
import os
import select
import struct
import threading
import tty
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

from tests.recordings import recordings
from wire.modbus import (
    ModbusError,
    Refusal,
    Reply,
    ReplyReader,
    Request,
    crc16,
    float32,
    whole_number,
)
from wire.modbus_frames import Message, decode_request, decode_response
from wire.modbus_tcp import MbapReader, TcpReader, encode

# Modbus Application Protocol V1.1b3, 6.3: read holding registers 108 to 110; framed for unit 17.
ASKED = Request(17, 3, 0x006B, 3)
ANSWER = bytes.fromhex("110306022b00000064")
ANSWER += crc16(ANSWER)
REGISTERS = (0x022B, 0x0000, 0x0064)


def vectors() -> list[dict[str, Any]]:
    return json.loads((recordings() / "serial" / "modbus.json").read_text())["vectors"]


def asked(vector: dict[str, Any]) -> Request | None:
    """The request that the vector's reply answers, made from its documented fields; None for writes."""
    said = vector["decoded"]
    if said["function"] > 4:
        return None
    count = said.get("count") or (len(said["registers"]) if "registers" in said else len(said["bits_hex"]) * 4)
    if "exception" in said:
        count = min(count, 125)
    return Request(said["unit"], said["function"], said.get("address", 0), count)


def feed_singly(reader: ReplyReader, octets: bytes) -> Reply | Refusal | None:
    for at in range(len(octets)):
        if found := reader.feed(octets[at : at + 1]):
            return found
    return None


def test_the_request_of_the_standard_is_encoded_as_printed_there() -> None:
    assert ASKED.pdu == bytes.fromhex("03006b0003")
    assert ASKED.rtu() == bytes.fromhex("1103006b00037687")


def test_a_request_over_tcp_carries_transaction_protocol_length_and_unit() -> None:
    assert encode(ASKED, 0x1501) == bytes.fromhex("150100000006") + bytes.fromhex("1103006b0003")


@pytest.mark.parametrize(
    ("unit", "function", "address", "count", "said"),
    [
        (1, 5, 0, 1, "function 5 is not a read"),
        (1, 6, 0, 1, "function 6 is not a read"),
        (1, 16, 0, 1, "function 16 is not a read"),
        (0, 3, 0, 1, "unit 0 is not within 1 to 255"),
        (1, 3, 0, 126, "count 126 is not within 1 to 125"),
        (1, 3, 0, 0, "count 0 is not within 1 to 125"),
        (1, 1, 0, 2001, "count 2001 is not within 1 to 2000"),
        (1, 3, 65535, 2, "address 65535 with count 2"),
    ],
)
def test_a_request_that_must_not_be_sent_is_refused(
    unit: int, function: int, address: int, count: int, said: str
) -> None:
    with pytest.raises(ModbusError, match=said.replace("(", r"\(")):
        Request(unit, function, address, count)


def test_a_whole_reply_is_read() -> None:
    found = ReplyReader(ASKED).feed(ANSWER)
    assert isinstance(found, Reply)
    assert found.registers == REGISTERS


def test_a_reply_byte_by_byte_is_complete_with_its_last_byte_and_not_before() -> None:
    reader = ReplyReader(ASKED)
    for octet in ANSWER[:-1]:
        assert reader.feed(bytes((octet,))) is None
    found = reader.feed(ANSWER[-1:])
    assert isinstance(found, Reply)
    assert found.registers == REGISTERS


def test_noise_before_a_reply_is_skipped_even_when_it_looks_like_a_start() -> None:
    for noise in (b"\x00", b"\x11\x03\x06", b"\x11\x03\x06\x02", b"\xff" * 300, b"\x11\x83\x02\x00\x00"):
        reader = ReplyReader(ASKED)
        found = feed_singly(reader, noise + ANSWER)
        assert isinstance(found, Reply)
        assert found.registers == REGISTERS
        assert reader.skipped == len(noise)


def test_noise_after_a_reply_does_not_change_it() -> None:
    found = ReplyReader(ASKED).feed(ANSWER + b"\x00\x11\x03\xff")
    assert isinstance(found, Reply)
    assert found.registers == REGISTERS


def test_a_reply_wrapped_in_zeros_as_a_real_meter_sent_it_is_read() -> None:
    found = ReplyReader(ASKED).feed(b"\x00" + ANSWER + b"\x00")
    assert isinstance(found, Reply)


def test_a_byte_of_noise_within_a_reply_drops_it() -> None:
    for at in range(1, len(ANSWER)):
        assert ReplyReader(ASKED).feed(ANSWER[:at] + b"\x5a" + ANSWER[at:]) is None


def test_a_reply_with_a_wrong_check_sum_is_dropped_and_counted_and_the_next_is_found() -> None:
    reader = ReplyReader(ASKED)
    assert reader.feed(ANSWER[:-1] + b"\x00") is None
    assert reader.mismatches == 1
    assert isinstance(reader.feed(ANSWER), Reply)


def test_the_reply_of_another_unit_or_function_or_length_is_not_taken() -> None:
    for request in (Request(18, 3, 0, 3), Request(17, 4, 0, 3), Request(17, 3, 0, 4), Request(17, 3, 0, 2)):
        assert ReplyReader(request).feed(ANSWER) is None


def test_an_exception_reply_is_a_refusal_with_its_reason() -> None:
    frame = bytes.fromhex("118302")
    found = feed_singly(ReplyReader(ASKED), b"\x00" + frame + crc16(frame))
    assert found == Refusal(17, 3, 2)
    assert isinstance(found, Refusal)
    assert found.reason == "illegal address"


def test_every_recorded_frame_decodes_to_its_documented_fields() -> None:
    for vector in vectors():
        said, name = vector["decoded"], vector["id"]
        if "request" in vector:
            asks = decode_request(bytes.fromhex(vector["request"]))
            assert (asks.unit, asks.function) == (said["unit"], said["function"]), name
            for field in ("address", "count", "value"):
                assert field not in said or getattr(asks, field) == said[field], name
        says = decode_response(bytes.fromhex(vector["response"]))
        assert (says.unit, says.function, says.exception) == (said["unit"], said["function"], said.get("exception"))
        assert "value" not in said or says.value == said["value"], name
        octets = (says.octets or b"").hex()
        assert "registers" not in said or octets == "".join(f"{word:04x}" for word in said["registers"]), name
        assert "bits_hex" not in said or octets == said["bits_hex"], name
        if "float32_be" in said:
            words = Reply(says.unit, says.function, bytes.fromhex(octets)).registers
            assert float32(words) == pytest.approx(said["float32_be"], abs=1e-3), name


def test_every_recorded_request_that_reads_is_encoded_to_the_same_bytes() -> None:
    seen = 0
    for vector in vectors():
        request = asked(vector)
        if "request" not in vector or request is None or request.count != vector["decoded"]["count"]:
            continue
        assert request.rtu().hex() == vector["request"], vector["id"]
        seen += 1
    assert seen > 15


def test_every_recorded_reply_is_found_whole_and_byte_by_byte_and_in_noise() -> None:
    for vector in vectors():
        request, frame = asked(vector), bytes.fromhex(vector["response"])
        if request is None:
            continue
        said = decode_response(frame)
        plain = Reply(said.unit, said.function, said.octets or b"")
        if said.exception:
            plain = Refusal(said.unit, said.function, said.exception)
        assert ReplyReader(request).feed(frame) == plain, vector["id"]
        assert feed_singly(ReplyReader(request), frame) == plain, vector["id"]
        assert feed_singly(ReplyReader(request), frame[:3] + b"\x00\xff" + frame + b"\x00") == plain, vector["id"]


def test_every_flipped_bit_and_every_lost_byte_of_a_recorded_reply_is_refused() -> None:
    for vector in vectors():
        request, frame = asked(vector), bytes.fromhex(vector["response"])
        if request is None:
            continue
        for at in range(len(frame)):
            assert ReplyReader(request).feed(frame[:at] + frame[at + 1 :]) is None, (vector["id"], at)
            for bit in range(8):
                broken = bytearray(frame)
                broken[at] ^= 1 << bit
                assert ReplyReader(request).feed(bytes(broken)) is None, (vector["id"], at, bit)


@given(
    st.binary(max_size=40), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=12), st.binary(max_size=20), st.data()
)
def test_a_reply_is_found_in_whatever_stands_around_it_and_however_it_is_cut(
    before: bytes, registers: list[int], after: bytes, data: st.DataObject
) -> None:
    """The invariant: the reply that stands in the bytes is the reply that comes out, exactly once."""
    request = Request(3, 4, 0, len(registers))
    frame = struct.pack(f">BBB{len(registers)}H", 3, 4, 2 * len(registers), *registers)
    stream = before + frame + crc16(frame) + after
    cuts = sorted({0, len(stream), *data.draw(st.lists(st.integers(0, len(stream)), max_size=8))})
    reader, found = ReplyReader(request), []
    for start, end in itertools.pairwise(cuts):
        if reply := reader.feed(stream[start:end]):
            found.append(reply)
            break
    assert found == [Reply(3, 4, frame[3:])]


@given(st.binary(max_size=300))
def test_no_bytes_at_all_raise_anything_but_the_one_exception_or_come_out_as_a_reply_unchecked(octets: bytes) -> None:
    request = Request(1, 3, 0, 2)
    found = ReplyReader(request).feed(octets)
    assert found is None or octets.find(b"\x01\x03\x04") >= 0 or octets.find(b"\x01\x83") >= 0
    for decode in (decode_request, decode_response, MbapReader().feed, TcpReader(request, 7).feed):
        with contextlib.suppress(ModbusError):
            said = decode(octets)
            assert not isinstance(said, Message) or crc16(octets[:-2]) == octets[-2:]


def test_registers_become_numbers_in_either_word_order() -> None:
    assert whole_number((0xFFFE,), signed=True) == -2
    assert whole_number((0x0001, 0x0002), signed=False) == 0x10002
    assert whole_number((0x0001, 0x0002), signed=False, order="little") == 0x20001
    assert float32((0x4366, 0x3334)) == pytest.approx(230.2)
    assert float32((0x3334, 0x4366), order="little") == pytest.approx(230.2)


def test_a_float_that_is_no_number_is_absent() -> None:
    assert float32((0x7FC0, 0x0000)) is None
    assert float32((0x7F80, 0x0000)) is None


def test_pymodbus_reads_our_request_and_we_read_its_reply() -> None:
    for function, response in ((3, ReadHoldingRegistersResponse), (4, ReadInputRegistersResponse)):
        request = Request(9, function, 100, 5)
        server = FramerRTU(DecodePDU(True))
        _, understood = server.handleFrame(request.rtu(), 0, 0)
        assert understood is not None
        assert (understood.dev_id, understood.function_code, understood.address, understood.count) == (
            9,
            function,
            100,
            5,
        )
        frame = server.buildFrame(response(registers=[1, 2, 3, 4, 65535], dev_id=9))
        found = feed_singly(ReplyReader(request), frame)
        assert isinstance(found, Reply)
        assert found.registers == (1, 2, 3, 4, 65535)


def test_pymodbus_and_we_agree_over_tcp_and_a_late_reply_is_dropped() -> None:
    request = Request(9, 3, 100, 2)
    server = FramerSocket(DecodePDU(True))
    _, understood = server.handleFrame(encode(request, 77), 0, 0)
    assert understood is not None
    assert (understood.dev_id, understood.transaction_id, understood.count) == (9, 77, 2)
    late = server.buildFrame(ReadHoldingRegistersResponse(registers=[7, 7], dev_id=9, transaction_id=76))
    wanted = server.buildFrame(ReadHoldingRegistersResponse(registers=[1, 2], dev_id=9, transaction_id=77))
    reader = TcpReader(request, 77)
    stream = late + wanted
    assert reader.feed(stream[:5]) is None
    assert reader.feed(stream[5:-1]) is None
    assert reader.feed(stream[-1:]) == Reply(9, 3, bytes.fromhex("00010002"))
    assert reader.late == 1


def test_a_tcp_stream_that_is_not_modbus_says_so() -> None:
    with pytest.raises(ModbusError, match="not a Modbus TCP stream"):
        TcpReader(ASKED, 1).feed(b"HTTP/1.1 400 Bad Request")


class Mapping(ctypes.Structure):
    """modbus_mapping_t of libmodbus 3.1 (modbus.h)."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("nb_bits", "start_bits", "nb_input_bits", "start_input_bits")),
        *(
            (name, ctypes.c_int)
            for name in ("nb_input_registers", "start_input_registers", "nb_registers", "start_registers")
        ),
        *((name, ctypes.POINTER(ctypes.c_uint8)) for name in ("tab_bits", "tab_input_bits")),
        *((name, ctypes.POINTER(ctypes.c_uint16)) for name in ("tab_input_registers", "tab_registers")),
    ]


def libmodbus() -> Any:
    name = ctypes.util.find_library("modbus")
    if name is None:
        pytest.skip("libmodbus is not installed")
    library = ctypes.CDLL(name, use_errno=True)
    library.modbus_new_rtu.restype = ctypes.c_void_p
    library.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    return library


def test_libmodbus_answers_our_requests_on_a_pseudo_terminal_and_we_read_its_replies() -> None:
    library = libmodbus()
    ours, theirs = os.openpty()
    tty.setraw(ours)
    context = ctypes.c_void_p(library.modbus_new_rtu(os.ttyname(theirs).encode(), 19200, ctypes.c_char(b"N"), 8, 1))
    assert library.modbus_set_slave(context, 5) == 0
    assert library.modbus_connect(context) == 0
    mapping = library.modbus_mapping_new(20, 20, 20, 20)
    mapping.contents.tab_registers[3] = 0xBEEF
    mapping.contents.tab_input_registers[4] = 4711
    mapping.contents.tab_bits[9] = 1
    questions = [Request(5, 3, 3, 1), Request(5, 4, 4, 2), Request(5, 1, 8, 10), Request(5, 3, 19, 2)]

    def serve() -> None:
        query = (ctypes.c_uint8 * 260)()
        for _ in questions:
            length = library.modbus_receive(context, query)
            library.modbus_reply(context, query, length, mapping)

    slave = threading.Thread(target=serve, daemon=True)
    slave.start()
    found = []
    for request in questions:
        os.write(ours, request.rtu())
        reader, answer = ReplyReader(request), None
        while answer is None and select.select([ours], [], [], 5.0)[0]:
            answer = reader.feed(os.read(ours, 3))
        found.append(answer)
    slave.join(5.0)
    library.modbus_close(context)
    assert found == [
        Reply(5, 3, b"\xbe\xef"),
        Reply(5, 4, b"\x12\x67\x00\x00"),
        Reply(5, 1, b"\x02\x00"),
        Refusal(5, 3, 2),
    ]

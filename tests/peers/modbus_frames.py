"""One conversation of each Modbus function, written by pymodbus: (request, response) as frames, and what they say."""

from dataclasses import dataclass
from typing import Any

from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import mei_message as mei
from pymodbus.pdu import register_message as registers

UNIT = 9
COILS = [True, False, True, True, False, False, False, False, True, False, False, False, False, False, False, False]


@dataclass(frozen=True)
class Talk:
    """A request and its response, and the fields that a decoder must find in each (`bytes` as hexadecimal text)."""

    name: str
    request: bytes
    response: bytes
    asks: dict[str, Any]
    says: dict[str, Any]


def talks(framer: type[FramerBase] = FramerRTU, unit: int = UNIT) -> list[Talk]:
    """Return a conversation of each function, in frames for a serial line, or for TCP with FramerSocket."""
    writer, one, many = framer(DecodePDU(True)), {"dev_id": unit}, {"address": 100, "dev_id": unit}
    found = []

    def talk(name: str, ask: ModbusPDU, asks: dict[str, Any], say: ModbusPDU, says: dict[str, Any]) -> None:
        ask.transaction_id = say.transaction_id = 77
        found.append(Talk(name, writer.buildFrame(ask), writer.buildFrame(say), asks, says))

    place, read = {"address": 100, "count": 10}, {"octets": "0d01"}
    talk("coils", bits.ReadCoilsRequest(count=10, **many), place, bits.ReadCoilsResponse(bits=COILS, **one), read)
    talk(
        "inputs",
        bits.ReadDiscreteInputsRequest(count=10, **many),
        place,
        bits.ReadDiscreteInputsResponse(bits=COILS, **one),
        read,
    )
    place, read = {"address": 100, "count": 2}, {"octets": "1234ffff"}
    words = [0x1234, 0xFFFF]
    talk(
        "holding registers",
        registers.ReadHoldingRegistersRequest(count=2, **many),
        place,
        registers.ReadHoldingRegistersResponse(registers=words, **one),
        read,
    )
    talk(
        "input registers",
        registers.ReadInputRegistersRequest(count=2, **many),
        place,
        registers.ReadInputRegistersResponse(registers=words, **one),
        read,
    )
    said = {"address": 100, "value": 0xFF00}
    talk(
        "one coil",
        bits.WriteSingleCoilRequest(bits=[True], **many),
        said,
        bits.WriteSingleCoilResponse(bits=[True], **many),
        said,
    )
    said = {"address": 100, "value": 4711}
    talk(
        "one register",
        registers.WriteSingleRegisterRequest(registers=[4711], **many),
        said,
        registers.WriteSingleRegisterResponse(registers=[4711], **many),
        said,
    )
    talk(
        "many coils",
        bits.WriteMultipleCoilsRequest(bits=COILS[:10], **many),
        {"address": 100, "count": 10, "octets": "0d01"},
        bits.WriteMultipleCoilsResponse(count=10, **many),
        {"address": 100, "count": 10},
    )
    talk(
        "many registers",
        registers.WriteMultipleRegistersRequest(registers=words, **many),
        {"address": 100, "count": 2, "octets": "1234ffff"},
        registers.WriteMultipleRegistersResponse(count=2, **many),
        {"address": 100, "count": 2},
    )
    talk(
        "read and write",
        registers.ReadWriteMultipleRegistersRequest(100, 2, 200, [7], **one),
        {"address": 100, "count": 2, "write_address": 200, "write_count": 1, "octets": "0007"},
        registers.ReadWriteMultipleRegistersResponse(registers=words, **one),
        read,
    )
    talk(
        "device identification",
        mei.ReadDeviceInformationRequest(1, 0, **one),
        {"code": 1, "first": 0},
        mei.ReadDeviceInformationResponse(1, {0: b"Maker", 1: b"Thing 7", 2: b"1.02"}, **one),
        {"objects": {"vendor": "Maker", "product": "Thing 7", "revision": "1.02"}},
    )
    place = {"address": 100, "count": 2}
    refused = ExceptionResponse(3, 2, device_id=unit)
    talk("refused", registers.ReadHoldingRegistersRequest(count=2, **many), place, refused, {"exception": 2})
    return found


def tcp_talks() -> list[Talk]:
    """Return the same in frames for TCP, under transaction 77."""
    return talks(FramerSocket)

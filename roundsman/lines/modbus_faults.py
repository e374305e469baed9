"""What is wrong with bytes that should have been a Modbus frame, in plain words; and frames known by name alone."""

from typing import Any, Final

from wire.modbus import ModbusError, crc16
from wire.modbus_frames import FUNCTIONS, request_of, response_of, sizes
from wire.modbus_tcp import HEADER, LONGEST_BODY, Adu
from wire.traffic import readings

OTHERS: Final = {
    7: "read exception status",
    8: "diagnostics",
    11: "read event counter",
    12: "read event log",
    17: "report server identification",
    20: "read file record",
    21: "write file record",
    22: "mask one register",
    24: "read queue",
}
"""Functions of the standard that are known by name alone."""


def unknown_function(octets: bytes) -> dict[str, Any] | None:
    """Return the fields of a frame with a right CRC whose function is not taken apart here; None for anything else."""
    if len(octets) < 4 or crc16(octets[:-2]) != octets[-2:] or octets[1] & 0x7F in FUNCTIONS:
        return None
    return {"protocol": "modbus", **_other(octets[:-2]), "crc": octets[-2:].hex()}


def unknown_function_in_tcp(octets: bytes) -> dict[str, Any] | None:
    """Return the same of a Modbus TCP frame whose header is right."""
    transaction, header, body = int.from_bytes(octets[:2], "big"), octets[2:HEADER], octets[HEADER:]
    if not 2 <= len(body) <= LONGEST_BODY or header != len(body).to_bytes(4, "big") or body[1] & 0x7F in FUNCTIONS:
        return None
    return {"protocol": "modbus", "framing": "tcp", "transaction": transaction, **_other(body)}


def _other(body: bytes) -> dict[str, Any]:
    """Return unit and function by name, and the rest as it is."""
    function = body[1] & 0x7F
    found = {"side": "either", "unit": body[0], "function": function}
    found["function_name"] = OTHERS.get(function, f"function {function}")
    if body[1] & 0x80 and len(body) == 3:
        return found | {"side": "response", "exception": body[2]}
    return found | {"octets": body[2:].hex()}


def rtu_fault(octets: bytes) -> str:
    """Say why these bytes are no RTU frame."""
    if len(octets) < 5:
        return f"{_bytes(len(octets))} are too few for a frame; the shortest has 5"
    expected = crc16(octets[:-2])
    if octets[1] & 0x7F not in FUNCTIONS:
        wrong = f"the CRC is {octets[-2:].hex()}, expected {expected.hex()}"
        return f"function {octets[1]} is none that is known, and {wrong}"
    found, _ = sizes(octets, 0)
    if expected == octets[-2:]:
        return _counts(octets[:-2])
    if len(octets) in found:
        return f"the CRC is {octets[-2:].hex()}, expected {expected.hex()}"
    has = " or ".join(map(str, found))
    if found and len(octets) > found[-1]:
        size = found[-1]
        right = crc16(octets[: size - 2])
        wrong = f"the CRC of the first {size} is {octets[size - 2 : size].hex()}, expected {right.hex()}"
        return f"{_bytes(len(octets))}, where a frame that begins so has {has}; {wrong}"
    missing = f", where a frame that begins so has {has}" if found else ""
    return f"{_bytes(len(octets))}{missing}; the CRC is {octets[-2:].hex()}, expected {expected.hex()}"


def tcp_fault(octets: bytes) -> str:
    """Say why these bytes are no Modbus TCP frame."""
    if len(octets) < HEADER + 2:
        return f"{_bytes(len(octets))} are too few for a Modbus TCP frame; the shortest has {HEADER + 2}"
    protocol, length = int.from_bytes(octets[2:4], "big"), int.from_bytes(octets[4:6], "big")
    if protocol:
        return f"the protocol in bytes 3 and 4 is {protocol}, expected 0"
    if length != len(octets) - HEADER:
        return f"the length in bytes 5 and 6 is {length}, expected {len(octets) - HEADER}, the bytes that follow"
    return _counts(octets[HEADER:])


def adus(octets: bytes) -> list[tuple[int, Adu]]:
    """Return the Modbus TCP frames in these bytes, and where each begins; there is no check sum to tell them by."""
    found, at = list[tuple[int, Adu]](), 0
    while at + HEADER + 3 <= len(octets):
        length = int.from_bytes(octets[at + 4 : at + 6], "big")
        body = octets[at + HEADER : at + HEADER + length]
        if not any(octets[at + 2 : at + 4]) and len(body) == length <= LONGEST_BODY and readings(body):
            found.append((at, Adu(int.from_bytes(octets[at : at + 2], "big"), body)))
            at += HEADER + length
        else:
            at += 1
    return found


def _counts(body: bytes) -> str:
    """Say why unit, function and what follows are neither a request nor a response."""
    why = []
    for read in (request_of, response_of):
        try:
            read(body)
        except ModbusError as error:
            why.append(str(error))
    return "; ".join(why)


def _bytes(count: int) -> str:
    return f"{count} byte{'' if count == 1 else 's'}"

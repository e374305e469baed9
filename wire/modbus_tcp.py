"""Modbus TCP: the MBAP header around requests and replies (Modbus Messaging on TCP/IP V1.0b).

transaction:2  protocol:2 (0)  length:2 (of what follows)  unit:1  function:1  ...
"""

import struct

from wire.modbus import Heard, ModbusError, Refusal, Reply, Request, decode_body


def encode(request: Request, transaction: int) -> bytes:
    """Encode a request under this transaction number (0..65535): 12 bytes."""
    return struct.pack(">HHHB", transaction & 0xFFFF, 0, 6, request.unit) + request.pdu


class TcpReader:
    """Finds the reply to one request on a Modbus TCP stream; replies to earlier transactions are dropped.

    A stream that breaks the MBAP header (protocol not 0, length not 2 to 254) raises ModbusError: connect anew.
    """

    def __init__(self, request: Request, transaction: int) -> None:
        self._request = request
        self._transaction = transaction & 0xFFFF
        self._held = bytearray()
        self.late = 0

    def feed(self, octets: bytes) -> Reply | Refusal | None:
        """Take bytes; return the reply once it is whole, or None."""
        self._held += octets
        while len(self._held) >= 6:
            transaction, protocol, length = struct.unpack_from(">HHH", self._held)
            if protocol or not 2 <= length <= 254:
                raise ModbusError(f"not a Modbus TCP stream: protocol {protocol}, length {length}")
            if len(self._held) < 6 + length:
                return None
            body = bytes(self._held[6 : 6 + length])
            del self._held[: 6 + length]
            found = decode_body(body)
            if transaction == self._transaction and _answers(self._request, found):
                return found if not isinstance(found, Heard) else None
            self.late += 1
        return None


def _answers(request: Request, found: Reply | Refusal | Heard) -> bool:
    if (found.unit, found.function) != (request.unit, request.function):
        return False
    return isinstance(found, Refusal) or (isinstance(found, Reply) and len(found.octets) == request.reply_bytes)

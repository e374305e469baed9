"""Modbus TCP: the MBAP header around requests and responses (Modbus Messaging on TCP/IP V1.0b).

transaction:2  protocol:2 (0)  length:2 (of what follows)  unit:1  function:1  ...

There is no check sum: TCP has one. One exception leaves this module: ModbusError.
"""

import struct
from dataclasses import dataclass
from typing import Final

from wire.modbus import ModbusError, Refusal, Reply, Request
from wire.modbus_frames import ENCAPSULATED, Identity, response_of
from wire.modbus_identity import IdentityRequest

HEADER: Final = 6
LONGEST_BODY: Final = 254
"""Most bytes from the unit on: a unit, and 253 of function and what follows."""


@dataclass(frozen=True, slots=True)
class Adu:
    """One frame of either direction: its transaction, and what follows the header (unit, function, ...)."""

    transaction: int
    body: bytes


def wrap(body: bytes, transaction: int) -> bytes:
    """Put the header around unit, function and what follows."""
    return struct.pack(">HHH", transaction & 0xFFFF, 0, len(body)) + body


def encode(request: Request | IdentityRequest, transaction: int) -> bytes:
    """Encode a request under this transaction number (0..65535)."""
    return wrap(bytes((request.unit,)) + request.pdu, transaction)


class MbapReader:
    """Finds the frames of a Modbus TCP stream, of either direction, in bytes that come in any pieces.

    A stream that breaks the header (protocol not 0, length not 2 to 254) raises ModbusError: connect anew. Never holds
    more than one frame beyond what it is given at once.
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, octets: bytes) -> list[Adu]:
        """Take bytes; return the frames that are whole now."""
        self._held += octets
        found, start = list[Adu](), 0
        while len(self._held) - start >= HEADER:
            transaction, protocol, length = struct.unpack_from(">HHH", self._held, start)
            if protocol or not 2 <= length <= LONGEST_BODY:
                raise ModbusError(f"not a Modbus TCP stream: protocol {protocol}, length {length}")
            end = start + HEADER + length
            if len(self._held) < end:
                break
            found.append(Adu(transaction, bytes(self._held[start + HEADER : end])))
            start = end
        del self._held[:start]
        return found


class TcpReader:
    """Finds the reply to one request on a Modbus TCP stream; replies to earlier transactions are dropped.

    `late` counts replies of other transactions, `mismatches` frames of this one that are not what was asked for;
    `skipped` is the number of all their bytes.
    """

    def __init__(self, request: Request | IdentityRequest, transaction: int) -> None:
        self._request = request
        self._transaction = transaction & 0xFFFF
        self._frames = MbapReader()
        self.late = 0
        self.mismatches = 0
        self.skipped = 0

    def feed(self, octets: bytes) -> Reply | Refusal | Identity | None:
        """Take bytes; return the reply once it is whole, or None. Raises ModbusError where the stream is broken."""
        for adu in self._frames.feed(octets):
            if adu.transaction != self._transaction:
                self.late += 1
            elif found := self._answer(adu.body):
                return found
            else:
                self.mismatches += 1
            self.skipped += HEADER + len(adu.body)
        return None

    def _answer(self, body: bytes) -> Reply | Refusal | Identity | None:
        try:
            said = response_of(body)
        except ModbusError:
            return None
        asked = self._request
        function = asked.function if isinstance(asked, Request) else ENCAPSULATED
        if (said.unit, said.function) != (asked.unit, function):
            return None
        if said.exception is not None:
            return Refusal(said.unit, said.function, said.exception)
        if isinstance(asked, IdentityRequest):
            return said.identity
        if said.octets is not None and len(said.octets) == asked.reply_bytes:
            return Reply(said.unit, said.function, said.octets)
        return None

"""Questions through a Modbus TCP gateway, or to a device that speaks Modbus TCP itself.

Source: Modbus Messaging on TCP/IP Implementation Guide V1.0b. The gateway has the line behind it to itself: it keeps
the gaps, and its check sums. What is different here from a line of our own:

- An answer bears the number of its question, so a late one is told and dropped; no silence is due.
- A gateway asks its line one thing at a time. While it may still be waiting for a slave that we gave up on, the next
  slave is given that much more time, or one dead slave would have the next ones called dead.
- Exceptions 0AH and 0BH come from the gateway: the slave did not answer, or has no line to it. That is silence of this
  slave; the gateway is well.
"""

import struct
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from collectors.line.exchange import SETTLE, Exchange, Outcome
from collectors.line.port import PortError
from collectors.line.ports.tcp import TcpPort
from collectors.line.question import Answer, Question
from collectors.line.timing import Timing
from wire.modbus import Refusal, crc16

GATEWAY_SECONDS = 3.0
"""How long a gateway may wait for one of its slaves before it takes up the next question."""
STUCK_SECONDS = 3.0
"""How long the rest of an answer may take, once begun."""
SILENT = frozenset({10, 11})
"""Exceptions that say that the slave did not answer."""
HEADER = struct.Struct(">HHH")


class Owed(NamedTuple):
    """A question that was given up, and until when the gateway may be busy with it."""

    frame: bytes
    until: float


class ModbusTcpExchange(Exchange):
    """Asks questions on one connection, one at a time, each under a number of its own."""

    def __init__(self, port: TcpPort, timing: Timing, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(port, timing, clock)
        self._tcp = port
        self._connection = port.connections
        self._proven = False
        self._number = 0
        self._held = bytearray()
        self._latest = 0.0
        self._owed: dict[int, Owed] = {}

    def ask(self, question: Question, first: float | None = None) -> Outcome:
        """Ask and wait for the answer; `first` is the longest wait for it. Raises PortError."""
        started, dropped = self._clock(), sum(len(body) for _, body, _ in self._came(0.0))
        wait = (first or self._timing.first) + self._tcp.latency
        proven, connection = self._proven, self._connection
        answer, characters, more = self._asked(question, wait)
        if answer is None and proven and connection != self._connection:
            # A gateway that closes after each answer may do so just as the next question leaves: that one is asked
            # again, once, for it may be the question that ends the connection.
            answer, characters, more = self._asked(question, wait)
        dropped += more
        if isinstance(answer, Refusal) and answer.code in SILENT:
            answer, characters = None, 0
        seconds = self._clock() - started
        return Outcome(answer, seconds, 0, dropped, characters > 0, False, characters, seconds)

    def settle(self, seconds: float = SETTLE) -> None:
        """Expect an answer that is not wanted any more: its number tells it, so there is nothing to wait for."""

    def _asked(self, question: Question, wait: float) -> tuple[Answer | None, int, int]:
        """Ask once; return the answer, its length in the characters of a serial line, and the bytes dropped."""
        started = self._clock()
        self._owed = {number: owed for number, owed in self._owed.items() if owed.until > started}
        self._number = self._number % 0xFFFF + 1
        body = question.frame[:-2]  # without the check sum
        self._tcp.write(HEADER.pack(self._number, 0, len(body)) + body, wait)
        self._note_connection()
        connection = self._connection
        answer, characters, dropped = self._answer(question, started, wait)
        if answer is None and connection == self._connection:
            self._owed[self._number] = Owed(question.frame, started + GATEWAY_SECONDS)
        return answer, characters, dropped

    def _answer(self, question: Question, started: float, wait: float) -> tuple[Answer | None, int, int]:
        """Wait for the answer; return what `_asked` does."""
        deadline = max((owed.until for owed in self._owed.values()), default=started) + wait
        reader, dropped, connection = question.reader(), 0, self._connection
        while (now := self._clock()) < deadline:
            for number, body, owed in self._came(deadline - now):
                if number == self._number or (owed and owed.frame == question.frame):
                    if number == self._number:
                        self._owed.clear()  # the gateway has come to this question: it is done with those before
                    if answer := reader.feed(body + crc16(body)):
                        return answer, len(body) + 2, dropped
                dropped += len(body)
                if owed and not self._owed:  # only now does the gateway come to this question
                    deadline = self._clock() + wait
            if self._connection != connection:
                break
        return None, 0, dropped

    def _note_connection(self) -> None:
        """Forget what was begun or owed on a connection that is gone: nothing of it can come on another one."""
        if self._connection != self._tcp.connections:
            self._connection = self._tcp.connections
            self._proven = False
            self._held.clear()
            self._owed.clear()

    def _came(self, seconds: float) -> Iterator[tuple[int, bytes, Owed | None]]:
        """Wait for bytes; give each whole answer with its number, and what was owed by that. Raises PortError."""
        octets = self._tcp.read(seconds)
        self._note_connection()
        now = self._clock()
        if self._held and not octets and now - self._latest > STUCK_SECONDS:
            raise PortError(f"{self._tcp.name} stopped in the middle of an answer")
        if octets:
            self._latest, self._proven = now, True
        self._held += octets
        while len(self._held) >= HEADER.size:
            number, protocol, length = HEADER.unpack_from(self._held)
            if protocol or not 3 <= length <= 254:
                what = "sends what is no Modbus TCP; if it passes bytes on as they are, write tcp://"
                raise PortError(f"{self._tcp.name} {what}")
            if len(self._held) < HEADER.size + length:
                break
            body = bytes(self._held[HEADER.size : HEADER.size + length])
            del self._held[: HEADER.size + length]
            yield number, body, self._owed.pop(number, None)

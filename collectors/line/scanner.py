"""A line's port in the hands of an engineer: set to one setting after the other, listened to, asked a search's steps.

All I/O of `roundsman scan line` and `roundsman listen` is here; what is asked and what it means is decided elsewhere
(`search`, `recognise`, `listening`).
"""

import time
from collections.abc import Iterator
from pathlib import Path

from collectors.line.exchange import SETTLE, Exchange
from collectors.line.port import Port
from collectors.line.ports import exchange_on, open_port
from collectors.line.question import Answer, Question, Reader
from collectors.line.search import Heard, Setting, Step
from config.line_port import MODBUS_TCP, RFC2217, DeviceServer
from config.schema import Line

LOOK = 0.1
"""Seconds after which a silent line gives a turn to whoever listens."""


class Scanner:
    """One port. Every method may raise PortError; `close` at the end."""

    def __init__(self, port: Path | DeviceServer) -> None:
        self.port = port
        self.echo = False
        self._setting: Setting | None = None
        self._open: Port | None = None
        self._exchange: Exchange | None = None

    @property
    def settable(self) -> bool:
        """Whether speed and parity can be set from here; a raw TCP server or a gateway has its own."""
        return isinstance(self.port, Path) or self.port.kind == RFC2217

    @property
    def gateway(self) -> bool:
        """Whether it speaks Modbus TCP: nothing passes but answers."""
        return isinstance(self.port, DeviceServer) and self.port.kind == MODBUS_TCP

    def ask(self, step: Step) -> Heard:
        """Ask one step's question at its setting."""
        exchange = self._at(step.setting)
        if step.settle:
            exchange.settle(step.settle)
        counted: list[_Counting] = []

        def reader() -> Reader:
            counted.append(_Counting(step.question.reader()))
            return counted[-1]

        outcome = exchange.ask(
            Question(step.question.key, step.question.frame, reader, step.question.longest), step.wait
        )
        self.echo = self.echo or outcome.echo
        octets = max(outcome.noise, sum(each.octets for each in counted))
        if outcome.answer is None:
            exchange.settle(SETTLE)
        return Heard(outcome.answer, octets)

    def listen(self, setting: Setting) -> Iterator[tuple[bytes, float]]:
        """Yield what is on the line, and when; nothing about ten times a second while it is silent. Sends no byte."""
        self._at(setting)
        while self._open is not None:
            octets = self._open.read(LOOK)
            yield octets, time.monotonic()

    def close(self) -> None:
        """Close the port, if it is open."""
        if self._open is not None:
            self._open.close()
        self._open = self._exchange = self._setting = None

    def _at(self, setting: Setting) -> Exchange:
        """Have the port open at this setting."""
        if self._exchange is None or (setting != self._setting and self.settable):
            self.close()
            line = Line(
                id="scan",
                port=self.port,
                baud=setting.baud,
                parity=setting.parity,
                stop_bits=setting.stop_bits,
                devices=(),
            )
            self._open = open_port(line)
            self._exchange = exchange_on(self._open, line)
        self._setting = setting
        return self._exchange


class _Counting:
    """A reader that counts the bytes it is given."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.octets = 0

    @property
    def mismatches(self) -> int:
        return self._reader.mismatches

    @property
    def skipped(self) -> int:
        return self._reader.skipped

    def feed(self, octets: bytes) -> Answer | None:
        self.octets += len(octets)
        return self._reader.feed(octets)

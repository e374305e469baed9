"""A device server that is told the line's settings (RFC 2217). docs/decisions/0011-ports.md: why our own client."""

import logging
import select
import time

from collectors.line.port import PortError
from collectors.line.ports.connecting import plainly, wait_for
from collectors.line.ports.tcp import TcpPort
from wire.rfc2217 import ComPort, Settings, TelnetError, escaped

logger = logging.getLogger(__name__)

SET_UP_SECONDS = 5.0
"""Longest that a server may take to agree to the line's settings."""


class Rfc2217Port(TcpPort):
    """A connection to a device server that sets baud, parity and stop bits as it is told (see `Port`)."""

    def _opened(self) -> None:
        """Agree on the settings; only then is anything asked."""
        line = self._line
        self._telnet = ComPort(Settings(line.baud, line.parity, line.stop_bits))
        until = time.monotonic() + SET_UP_SECONDS
        while not self._telnet.ready:
            self._say()
            left = until - time.monotonic()
            if left <= 0 or not wait_for(select.POLLIN, self._socket.fileno(), self._wake, left):
                raise PortError(self._unready())
            self._hear()
        self._say()
        if self._telnet.signature:
            logger.debug("line %s: %s says it is %s", line.id, self.name, self._telnet.signature)

    def _hear(self) -> None:
        try:
            octets = self._socket.recv(4096)
        except OSError as error:
            raise PortError(plainly(self.name, error)) from error
        if not octets:
            raise PortError(f"{self.name} closed the connection; another program may be connected to it")
        self._taken(octets)

    def _unready(self) -> str:
        if missing := self._telnet.missing:
            return f"{self.name} does not agree to {missing} within {SET_UP_SECONDS:.0f} s; try tcp://"
        return f"{self.name} does not speak RFC 2217; if it passes bytes on as they are, write tcp://"

    def _taken(self, octets: bytes) -> bytes:
        try:
            taken = self._telnet.feed(octets)
        except TelnetError as error:
            raise PortError(f"{self.name} {error}; set the line in the server and write tcp://") from error
        self._say()
        return taken

    def _given(self, octets: bytes) -> bytes:
        if self._telnet.suspended:
            raise PortError(f"{self.name} asks to send nothing (flow control); check its settings")
        return escaped(octets)

    def _say(self) -> None:
        if octets := self._telnet.pending:
            try:
                self._send(octets, SET_UP_SECONDS)
            except OSError as error:
                raise PortError(plainly(self.name, error)) from error

"""A device server that passes bytes on as they are (raw TCP), and what all ports in the network have in common.

A network drops connections in more ways than a cable, and each is met here:

- Closed or reset, idle or in the middle of a question: connected anew at once, and the question counts as silence of
  the device that was asked, so that a device whose questions end the connection spoils nothing for the others. After
  five such losses without a byte in between, or when connecting fails, it is a PortError, as with an adapter that was
  pulled out.
- Unacknowledged for 20 s: the same.
- Open, and silent whatever is asked: a server that forgot the connection, or lost its line. After a minute of it the
  connection is made anew, then ever more seldom, up to once in a quarter of an hour.
"""

import contextlib
import logging
import math
import select
import socket
import struct
import time

from collectors.line.port import PortError
from collectors.line.ports.connecting import connect, plainly, wait_for
from config.line_port import DeviceServer
from config.schema import Line

logger = logging.getLogger(__name__)

SILENT_SECONDS = 60.0
LONGEST_SILENT_SECONDS = 900.0
SILENT_QUESTIONS = 10
"""Silence means something only after so many questions: devices that are down are asked seldom."""
MOST_LOSSES = 5
"""Connections lost one after the other, without a byte in between, after which the port counts as dead."""
TOLD_SECONDS = 600.0
"""A connection that is lost again and again is told once in so long."""
LONGEST_LATENCY = 2.0
_RTO = 8
"""Where struct tcp_info has tcpi_rto, in microseconds."""


class TcpPort:
    """A connection to a device server (see `Port`)."""

    def __init__(self, line: Line, wake: int | None = None, silent: float | None = None) -> None:
        """Connect. Raises PortError, StoppedError. `silent`: seconds without a byte until the connection is doubted."""
        if not isinstance(line.port, DeviceServer):
            raise TypeError(f"{line.port} is no device server")
        self._line = line
        self._server = line.port
        self._wake = wake
        self._shortest_silence = self._patience = SILENT_SECONDS if silent is None else silent
        self._losses = 0
        self._of_use = False
        self._told = -math.inf
        self.connections = 0
        self._connect()
        self._see_it_lasts()

    @property
    def name(self) -> str:
        """The port as the site file writes it."""
        return str(self._server)

    @property
    def latency(self) -> float:
        """Seconds that the network may add: what the kernel waits before it sends a lost packet again."""
        with contextlib.suppress(OSError):
            told = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RTO + 4)
            return float(min(LONGEST_LATENCY, struct.unpack_from("=I", told, _RTO)[0] / 1e6))
        return LONGEST_LATENCY

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def read(self, seconds: float) -> bytes:
        """Wait so long for bytes and return what is there, or b"" when nothing came. Raises StoppedError, PortError."""
        if not wait_for(select.POLLIN, self._socket.fileno(), self._wake, seconds):
            return b""
        try:
            octets = self._socket.recv(4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._lost(plainly(self.name, error))
            return b""
        if not octets:
            self._lost(f"{self.name} closed the connection; another program may be connected to it")
            return b""
        taken = self._taken(octets)
        if taken:
            self._asked, self._losses, self._since = 0, 0, time.monotonic()
            self._of_use = True
            self._patience = self._shortest_silence
        return taken

    def write(self, octets: bytes, seconds: float) -> None:
        """Hand all bytes to the network within so many seconds. Raises PortError, StoppedError."""
        silent = time.monotonic() - self._since
        if self._asked >= SILENT_QUESTIONS and silent >= self._patience:
            self._connect_anew()
            self._tell(f"{self.name} is connected and silent for {silent:.0f} s")
            self._patience = min(2 * self._patience, max(LONGEST_SILENT_SECONDS, self._shortest_silence))
        try:
            self._send(self._given(octets), seconds)
        except OSError as error:
            self._lost(plainly(self.name, error))
            self._send_anew(octets, seconds)
        self._asked += 1

    def _opened(self) -> None:
        """Do what a new connection needs before anything is asked. Raises PortError, StoppedError."""

    def _taken(self, octets: bytes) -> bytes:
        """Return the line's bytes in what came."""
        return octets

    def _given(self, octets: bytes) -> bytes:
        """Return what is sent for the line's bytes."""
        return octets

    def _send(self, octets: bytes, seconds: float) -> None:
        """Send all. Raises OSError, PortError when the server takes nothing, StoppedError."""
        left, until = memoryview(octets), time.monotonic() + seconds
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                if not wait_for(select.POLLOUT, self._socket.fileno(), self._wake, until - time.monotonic()):
                    raise PortError(f"{self.name} takes no bytes; check the network and the server") from None

    def _send_anew(self, octets: bytes, seconds: float) -> None:
        try:
            self._send(self._given(octets), seconds)
        except OSError as error:
            raise PortError(plainly(self.name, error)) from error

    def _connect(self) -> None:
        self._socket = connect(self._server, self._wake)
        self._asked, self._since = 0, time.monotonic()
        self.connections += 1
        try:
            self._opened()
        except BaseException:
            self._socket.close()
            raise

    def _see_it_lasts(self) -> None:
        """Wait for as long as a server needs to close what it has taken: most refuse a second connection that way."""
        if wait_for(select.POLLIN, self._socket.fileno(), self._wake, self.latency):
            try:
                closed = not self._socket.recv(1, socket.MSG_PEEK)
            except OSError:
                closed = True
            if closed:
                self._socket.close()
                raise PortError(f"{self.name} closed the connection at once; another program may be connected to it")

    def _lost(self, why: str) -> None:
        """Connect anew, unless that has been of no use; then raise PortError."""
        self._losses += 1
        if self._losses > MOST_LOSSES:
            raise PortError(why)
        self._connect_anew()
        if self._of_use:  # else it is about to be told why it is dead
            self._tell(why)

    def _connect_anew(self) -> None:
        self._socket.close()
        self._connect()

    def _tell(self, why: str) -> None:
        now = time.monotonic()
        if now - self._told >= TOLD_SECONDS:
            logger.warning("line %s: %s; connected anew", self._line.id, why)
            self._told = now

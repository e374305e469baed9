"""Connections: room for many of them, and none is held by who does not say what they want.

uvicorn closes a connection that rests after an answer; one on which no request, or half of one, ever comes it would
keep for as long as the other side likes, and a few hundred of these are all that a process may have open.
"""

import asyncio
import contextlib
import resource

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS = 30.0  # seconds in which a request's line and headers come
OPEN = 65_536  # files and connections: each agent that waits and each board that is open is one


class Connection(H11Protocol):
    """A connection that is closed when its next request, once it may be begun, is not there in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADERS, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Take what comes; half a request has its time from its first byte on."""
        super().data_received(data)
        half = self.conn.their_state is h11.IDLE
        if not half and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif half and self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._deadline = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


def make_room() -> None:
    """Let this process have as many connections as it may have; where that is not its to say it stays as it is."""
    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        room = OPEN if most == resource.RLIM_INFINITY else min(OPEN, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (room, most))

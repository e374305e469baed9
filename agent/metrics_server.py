"""The metrics page over HTTP: one thread, so that no scraper can hold the loop, that holds many connections at once.

Only as much of HTTP as a scraper asks for: a library's server costs more than the page. One thread and not one for each
connection: a thread costs a tenth of a page, and each keeps memory of the pages that it has written.
"""

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from prometheus_client import CollectorRegistry

from agent.exposition import OwnText

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LONGEST_HEAD = 65_536  # octets of a request
MOST_CONNECTIONS = 32
MOST_PARTS = 64  # of a page in one call
PATIENCE = 10.0  # seconds that a scraper may say or take nothing
CLOSING = 2.0  # seconds that a page being written has to be finished
_NOT_FOUND = b"Only GET /metrics is answered here.\n"
_log = logging.getLogger("roundsman.metrics")


class MetricsServer:
    """Answers GET /metrics (and /). Raises OSError when the address cannot be listened on."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, text: Callable[[], Iterable[str]]) -> None:
        self._own = OwnText(registry)
        self._text = text
        self._closing = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=MOST_CONNECTIONS)
        self._listening.setblocking(False)
        self.port = int(self._listening.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._open: dict[socket.socket, _Connection] = {}
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._closing = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join(CLOSING)

    def _serve(self) -> None:
        while not self._closing:
            try:
                self._step()
            except Exception:  # descriptors run out, say: the page is worth another try
                _log.exception("The server of the metrics page failed; going on")
                time.sleep(1.0)
        for each in list(self._open.values()):
            self._drop(each)
        self._selector.close()
        self._listening.close()

    def _step(self) -> None:
        """Wait for what comes next and do it."""
        first = min((each.until for each in self._open.values()), default=None)
        for key, _ in self._selector.select(None if first is None else max(0.0, first - time.monotonic())):
            if key.data is not None:
                if key.data.socket in self._open:  # it may have made room for another meanwhile
                    self._go_on(key.data)
            elif not self._closing:
                self._accept()
        now = time.monotonic()
        for each in [each for each in self._open.values() if each.until <= now]:
            self._drop(each)

    def _accept(self) -> None:
        try:
            with_whom, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # it went away meanwhile
        with_whom.setblocking(False)
        if len(self._open) >= MOST_CONNECTIONS:
            self._drop(min(self._open.values(), key=lambda each: each.until))
        connection = self._open[with_whom] = _Connection(with_whom)
        self._selector.register(with_whom, selectors.EVENT_READ, connection)
        self._go_on(connection)  # what it asks has often come with it

    def _go_on(self, connection: "_Connection") -> None:
        """Read what a scraper asks, or write what it is owed; drop it when it is served, or is no scraper."""
        try:
            if connection.owed is None:
                asked = connection.read()
                if asked is None:
                    return
                connection.owed = self._answer(asked)
            if connection.write():
                self._drop(connection)
            else:
                self._selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)

    def _drop(self, connection: "_Connection") -> None:
        del self._open[connection.socket]
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _answer(self, asked: list[bytes]) -> list[bytes]:
        """Return the answer to the words of a request's first line, in parts; nothing to what is no request."""
        if len(asked) != 3:
            return []
        status, kind, parts = "404 Not Found", "text/plain; charset=utf-8", [_NOT_FOUND]
        if asked[1].partition(b"?")[0] in {b"/", b"/metrics"} and asked[0] in {b"GET", b"HEAD"}:
            try:
                status, kind, parts = "200 OK", CONTENT_TYPE, self._page()
            except Exception:
                _log.exception("The page of metrics failed")
                status, parts = "500 Internal Server Error", [b"The agent's log says why.\n"]
        size = sum(map(len, parts))
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        return [head.encode(), *(parts if asked[0] != b"HEAD" else [])]

    def _page(self) -> list[bytes]:
        # The devices first: it also brings gauges of the registry up to date.
        devices = [part.encode(errors="replace") for part in self._text()]
        return [self._own.text().encode(), *devices]


class _Connection:
    """One scraper: what it has asked so far, and what it is owed."""

    def __init__(self, with_whom: socket.socket) -> None:
        self.socket = with_whom
        self.until = time.monotonic() + PATIENCE
        self.owed: list[bytes] | None = None  # in parts: a page joined is held twice
        self._head = bytearray()

    def read(self) -> list[bytes] | None:
        """Return the words of the request's first line once its head is whole. Raises OSError for what is none."""
        octets = self.socket.recv(LONGEST_HEAD)
        self._head += octets
        if b"\n\r\n" in self._head or b"\n\n" in self._head:
            return bytes(self._head).partition(b"\n")[0].split()
        if not octets or len(self._head) > LONGEST_HEAD:
            raise ConnectionAbortedError
        return None

    def write(self) -> bool:
        """Write what it takes now; say whether that was all."""
        with suppress(BlockingIOError):
            while self.owed:
                sent = self.socket.sendmsg(self.owed[:MOST_PARTS])
                self.until = time.monotonic() + PATIENCE
                while self.owed and sent >= len(self.owed[0]):
                    sent -= len(self.owed.pop(0))
                if sent:
                    self.owed[0] = self.owed[0][sent:]
        return not self.owed

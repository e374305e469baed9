"""The metrics page over HTTP: a thread or two that wait in accept, so that no scraper can hold the loop.

Only as much of HTTP as a scraper asks for: a library's server costs more than the page. A thread that takes a
connection sees to it that another one waits for the next; one that is done waits again, unless three do. So a scraper
that comes every few seconds starts no thread, and one that is slow holds up no other until `MOST_THREADS` are.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from prometheus_client import CollectorRegistry

from agent.exposition import OwnText

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LONGEST_LINE, MOST_LINES = 8_192, 100  # of a request's head
MOST_THREADS = 16
MOST_WAITING = 3
PATIENCE = 10.0  # seconds: a scraper that says nothing does not keep a thread
CLOSING = 1.0  # seconds that a page under way has to be finished
_NOT_FOUND = b"Only GET /metrics is answered here.\n"
_log = logging.getLogger("roundsman.metrics")


class MetricsServer:
    """Answers GET /metrics (and /). Raises OSError when the address cannot be listened on."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, text: Callable[[], Iterable[str]]) -> None:
        self._own = OwnText(registry)
        self._text = text
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._waiting = 0
        self._closing = False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=MOST_THREADS)
        self.port = int(self._listening.getsockname()[1])
        self._hold_ready()

    def close(self) -> None:
        """Stop answering."""
        self._closing = True
        until = time.monotonic() + CLOSING
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # wakes those who wait in accept
        for thread in list(self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        self._listening.close()

    def _hold_ready(self) -> None:
        """See to it that somebody waits for the next connection."""
        with self._lock:
            if self._waiting or self._closing or len(self._threads) >= MOST_THREADS:
                return
            self._waiting += 1
            thread = threading.Thread(target=self._serve, name="metrics", daemon=True)
            self._threads.add(thread)
        thread.start()

    def _serve(self) -> None:
        try:
            while True:
                try:
                    connection, _ = self._listening.accept()
                except OSError as error:
                    if self._closing:
                        return
                    _log.error("A connection for the metrics page was not taken: %s", error)
                    time.sleep(1.0)  # out of descriptors, say
                    continue
                self._taken(connection)
                with self._lock:
                    if self._waiting >= MOST_WAITING:
                        return
                    self._waiting += 1
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _taken(self, connection: socket.socket) -> None:
        with self._lock:
            self._waiting -= 1
        self._hold_ready()
        try:
            with connection, suppress(OSError):  # a scraper that goes away or is no scraper gets nothing
                connection.settimeout(PATIENCE)
                self._answer(connection)
        except Exception:
            _log.exception("A connection for the metrics page failed")

    def _answer(self, connection: socket.socket) -> None:
        asked = _asked(connection)
        if len(asked) != 3:
            return
        status, kind, parts = "404 Not Found", "text/plain; charset=utf-8", [_NOT_FOUND]
        if asked[1].partition(b"?")[0] in {b"/", b"/metrics"} and asked[0] in {b"GET", b"HEAD"}:
            try:
                status, kind, parts = "200 OK", CONTENT_TYPE, self._page()
            except Exception:
                _log.exception("The page of metrics failed")
                status, parts = "500 Internal Server Error", [b"The agent's log says why.\n"]
        size = sum(map(len, parts))
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        connection.sendall(b"".join([head.encode(), *(parts if asked[0] != b"HEAD" else [])]))

    def _page(self) -> list[bytes]:
        # The devices first: it also brings gauges of the registry up to date.
        devices = [part.encode(errors="replace") for part in self._text()]
        return [self._own.text().encode(), *devices]


def _asked(connection: socket.socket) -> list[bytes]:
    """Read the head of a request; return the words of its first line, or nothing for what is no request."""
    with connection.makefile("rb") as reader:
        asked: list[bytes] = reader.readline(LONGEST_LINE).split()
        for _ in range(MOST_LINES):
            if not reader.readline(LONGEST_LINE).strip():
                return asked
    return []

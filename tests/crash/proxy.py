"""A bad line between agent and desk, by the request: it loses, cuts, slows, refuses, doubles and spoils as told.

    python -m tests.crash.proxy ORDERS PORT DESK_PORT

ORDERS is a file of three bytes: the `Mode`, how many requests were harmed in it (modulo 256), how many requests with
events have been passed on (modulo 256).
"""

import asyncio
import json
import mmap
import os
import re
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

from tests.crash.processes import die_with_parent, until

MODE, HARMED, PASSED, LISTENING = range(4)
SLOW_SECONDS = 2.0
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Mode(IntEnum):
    """What becomes of a request."""

    PASS = 0
    AWAY = 1  # the connection is closed at once
    BUSY = 2  # 503, Retry-After: 1
    SLOW = 3  # passed on after two seconds
    CUT = 4  # events are passed on and committed, their answer is lost
    TWICE = 5  # events are passed on twice, the second answer is given
    HANG = 6  # accepted, never answered
    SPOIL = 7  # one event, always the same, comes as something that the desk cannot take
    REPLAY = 8  # before new events, the first ones that were ever passed on come again


class Proxy:
    """The harness's end of it: a process of its own."""

    def __init__(self, folder: Path, port: int, desk_port: int) -> None:
        self.port = port
        self._orders = folder / "orders"
        self._orders.write_bytes(bytes(4))
        command = [sys.executable, "-m", "tests.crash.proxy", str(self._orders), str(port), str(desk_port)]
        self._child = subprocess.Popen(command)
        until("the proxy listens", lambda: self._orders.read_bytes()[LISTENING])

    def be(self, mode: Mode) -> None:
        """Treat requests so from now on."""
        with self._orders.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), bytes((mode, 0)), MODE)

    @property
    def harmed(self) -> int:
        """How many requests were harmed since the last `be`."""
        return self._orders.read_bytes()[HARMED]

    @property
    def passed(self) -> int:
        """How many requests with events have been passed on, modulo 256."""
        return self._orders.read_bytes()[PASSED]

    def end(self) -> None:
        """End it."""
        self._child.kill()
        self._child.wait()


class _Line:
    def __init__(self, orders: mmap.mmap, desk_port: int) -> None:
        self.orders = orders
        self.desk_port = desk_port
        self.spoilt = 0
        self.first = b""
        self.tasks: set[asyncio.Task[None] | None] = set()  # the loop itself holds them weakly

    def harm(self) -> None:
        self.orders[HARMED] = (self.orders[HARMED] + 1) % 256

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(task := asyncio.current_task())
        try:
            await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            self.harm()
        finally:
            writer.close()
            self.tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        mode = Mode(self.orders[MODE])
        if mode in {Mode.AWAY, Mode.BUSY, Mode.HANG}:
            self.harm()
            if mode is Mode.HANG:
                await asyncio.sleep(3600)
            writer.write(_BUSY if mode is Mode.BUSY else b"")
            return
        if mode is Mode.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
            self.harm()
        is_events = head.startswith(b"POST /api/v1/events ")
        answer = await (self._events(mode, head, body) if is_events else self._ask(head, body))
        writer.write(answer)

    async def _events(self, mode: Mode, head: bytes, body: bytes) -> bytes:
        if mode is Mode.SPOIL or self.spoilt:
            body = self._spoil(body)
        if mode is Mode.REPLAY and self.first:
            await self._ask(head, self.first)
            self.harm()
        self.orders[PASSED] = (self.orders[PASSED] + 1) % 256
        answer = await self._ask(head, body)
        self.first = self.first or body
        if mode is Mode.TWICE:
            answer = await self._ask(head, body)
            self.harm()
        if mode is Mode.CUT:
            self.harm()
            return b""
        return answer

    def _spoil(self, body: bytes) -> bytes:
        """Spoil the first event that comes, and that one again whenever it comes."""
        asked = json.loads(body)
        self.spoilt = self.spoilt or asked["events"][0]["seq"]
        for event in asked["events"]:
            if event["seq"] == self.spoilt:
                event["body"] = {"type": "change", "kind": "never heard of"}
                self.harm()
        return json.dumps(asked).encode()

    async def _ask(self, head: bytes, body: bytes) -> bytes:
        lines = [line for line in head.split(b"\r\n") if line]
        kept = [line for line in lines if not re.match(rb"(?i)(connection|content-length):", line)]
        kept += [b"Connection: close"] + ([b"Content-Length: %d" % len(body)] if body else [])
        reader, writer = await asyncio.open_connection("127.0.0.1", self.desk_port)
        try:
            writer.write(b"\r\n".join(kept) + b"\r\n\r\n" + body)
            return await reader.read(-1)
        finally:
            writer.close()


async def _serve(orders: Path, port: int, desk_port: int) -> None:
    with orders.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        line = _Line(mapped, desk_port)
        server = await asyncio.start_server(line.serve, "127.0.0.1", port)
        mapped[LISTENING] = 1
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    die_with_parent()
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

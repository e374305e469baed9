"""Many boards open at once: from the commit of a new ticket until the last of them shows it, and the desk's memory.

A board here does what a browser does: it holds an event stream, asks for the page at each word, takes it compressed,
and is there when the new ticket's line is in it.
"""

import asyncio
import gzip
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import storm_peers
from bench.figures import Budget, Figure, Spread
from bench.processes import MIB, BenchError
from bench.sizes import Sizes
from bench.storm_client import Parcel, Way, acked, post, storm
from bench.storm_sites import Member, enrolled
from model.protocol import PREFIX

BEFORE = 30  # open tickets that the boards show already
LONGEST = 30.0  # seconds until a board is given up
_NUMBER = re.compile(rb'href="/tickets/([0-9]+)"')


@dataclass
class Board:
    """One open board: the tickets that it shows, and when it first showed each (monotonic seconds)."""

    port: int
    seen: dict[bytes, float] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, opened: Callable[[], None]) -> None:
        """Load the page, hold the stream, ask again at each word, until cancelled."""
        reading, writing = await asyncio.open_connection("127.0.0.1", self.port)
        stream, asking = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            asking.write(f"GET /live?topic=board HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
            await stream.readuntil(b"retry: ")
            await self._ask(reading, writing)
            opened()
            while True:
                while b"event: changed" not in await stream.readline():
                    pass
                await self._ask(reading, writing)
        finally:
            asking.close()
            writing.close()

    async def _ask(self, reading: asyncio.StreamReader, writing: asyncio.StreamWriter) -> None:
        writing.write(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept-Encoding: gzip\r\nHX-Request: true\r\n"
            "HX-Trigger: refresh\r\n\r\n".encode()
        )
        head = (await reading.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reading.readexactly(length)
        page = gzip.decompress(body) if b"content-encoding: gzip" in head else body
        now = time.monotonic()
        for number in _NUMBER.findall(page):
            self.seen.setdefault(number, now)
        self.news.set()

    async def shows(self, count: int) -> float:
        """Return when so many tickets were there."""
        while len(self.seen) < count:
            self.news.clear()
            await self.news.wait()
        return sorted(self.seen.values())[count - 1]


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Open the boards, then tell of one new fault after another."""
    boards, what = sizes.boards, f"{sizes.boards} boards open"
    with TemporaryDirectory(prefix="roundsman-boards-") as name:
        members = enrolled(Path(name) / "desk", BEFORE + sizes.runs)
        with storm_peers.desk(Path(name) / "desk", Path(name)) as desk:
            storm(_parcels(members[:BEFORE], desk.port), Way(desk.port))
            cpu = desk.child.cpu()
            late = asyncio.run(_watched(desk.port, boards, members[BEFORE:], tell))
            cpu, rss = desk.child.cpu() - cpu, desk.child.memory()[0]
    return [
        Figure(f"{what}: a new ticket on 99 of 100 of them", "s", Spread.of(late), budget=Budget(1.0)),
        Figure(f"{what}: RSS of the desk", "MB", Spread.of([rss * MIB / 1e6]), budget=Budget(150.0)),
        Figure(f"{what}: CPU of the desk for a board and a change", "ms", Spread.of([cpu * 1e3 / boards / len(late)])),
    ]


async def _watched(port: int, count: int, members: list[Member], tell: Callable[[str], None]) -> list[float]:
    boards = [Board(port) for _ in range(count)]
    opened = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.follow(opened.release)) for each in boards]
        for _ in boards:
            async with asyncio.timeout(LONGEST):
                await opened.acquire()
        found = []
        for turn, member in enumerate(members, 1):
            tell(f"{count} boards: change {turn} of {len(members)}")
            await asyncio.to_thread(storm, _parcels([member], port), Way(port))
            committed = time.monotonic()
            async with asyncio.timeout(LONGEST):
                times = await asyncio.gather(*(each.shows(BEFORE + turn) for each in boards))
            late = sorted(max(0.0, at - committed) for at in times)
            found.append(late[min(len(late) - 1, int(0.99 * len(late)))])
            await asyncio.sleep(1.0)  # the boards' own pause is over, and what was asked twice is answered
        for task in tasks:
            task.cancel()
    if not found:
        raise BenchError("no change was told")
    return found


def _parcels(members: list[Member], port: int) -> list[Parcel]:
    path = f"{PREFIX}/events"
    return [Parcel(m.site, post(path, port, m.body, m.token), acked(m.events)) for m in members]

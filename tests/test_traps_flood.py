"""A source floods the trap port: 10,000 traps in 10 s, and nobody else notices."""

import asyncio
import contextlib
import os
import socket
import statistics
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from collectors.snmp.engine import Engine
from collectors.snmp.target import Target
from collectors.snmp.traps import receiver
from collectors.snmp.traps.gate import SOURCE_BURST, SOURCE_SECONDS, Sender
from collectors.snmp.traps.notification import shared
from collectors.snmp.traps.receiver import TrapCounts
from model.point import Batch
from runtime import listen
from tests.peers import traps
from tests.peers.snmp import snmpd

FLOOD, SECONDS = 10_000, 10.0
STEADY = [f"steady-{at}" for at in range(8)]
EVERY = 1.0
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Return this process's resident octets."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


class Site:
    """Eight devices read each second, one that floods and one that has something to say, both read once an hour."""

    def __init__(self, card: int) -> None:
        self.at: dict[str, list[float]] = {name: [] for name in (*STEADY, "flooding", "other")}
        self.polled = {name: asyncio.Event() for name in self.at}
        self.loop = asyncio.get_running_loop()
        self.engine = Engine(self.take)
        self.targets = [
            Target(
                device=name,
                address="127.0.0.1",
                port=card,
                community=b"public",
                every=EVERY if name in STEADY else 3600.0,
            )
            for name in self.at
        ]
        self.counts = TrapCounts()
        self.senders = [
            Sender(device="flooding", address="127.0.0.2", secrets=(b"public",)),
            Sender(device="other", address="127.0.0.3", secrets=(b"public",)),
        ]

    def take(self, batch: Batch) -> None:
        assert batch.reachable
        self.at[batch.device].append(self.loop.time())
        self.polled[batch.device].set()

    async def poll_of(self, device: str, *, seconds: float = 20) -> float:
        """Wait for the device's next poll; returns when it came."""
        self.polled[device].clear()
        await asyncio.wait_for(self.polled[device].wait(), seconds)
        return self.at[device][-1]

    async def answered(self, datagram: bytes, port: int) -> float:
        """Send the other's trap; returns the seconds until it has been polled."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.bind(("127.0.0.3", 0))
            began = self.loop.time()
            sending.sendto(datagram, ("127.0.0.1", port))
            return await self.poll_of("other") - began


@contextlib.asynccontextmanager
async def watched(card: int) -> AsyncIterator[tuple[Site, int]]:
    """Poll the site and receive its traps; gives the site and the trap port."""
    site = Site(card)
    with listen.udp("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    opened, engine = partial(listen.udp, "127.0.0.1", port), partial(shared, b"\x80\0\x4f\xb8\5flood", None)
    tasks = [
        asyncio.create_task(site.engine.run(site.targets)),
        asyncio.create_task(receiver.run(opened, site.senders, site.engine.hint, site.counts, engine)),
    ]
    try:
        await asyncio.gather(*(site.poll_of(device) for device in site.at))
        yield site, port
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_ten_thousand_traps_of_one_source_in_ten_seconds_are_noticed_by_nobody_else(tmp_path: Path) -> None:
    trap = await asyncio.to_thread(traps.recorded, tmp_path, "-v", "2c", "-c", "public")
    with snmpd(tmp_path) as card:
        async with watched(card.port) as (site, port):
            await site.answered(trap, port)  # pysnmp is there
            for device in STEADY:
                site.at[device].clear()
            before, began, waits = resident(), site.loop.time(), []
            with traps.flood("127.0.0.2", port, FLOOD, SECONDS, trap) as flooding:
                while flooding.poll() is None:
                    await site.poll_of("steady-0")  # once a second
                    waits.append(await site.answered(trap, port))
            took, grown = site.loop.time() - began, resident() - before
    counts = site.counts
    print(
        f"{took:.1f} s; the other polled after {[f'{wait * 1000:.0f}' for wait in waits]} ms; {grown / 1e6:.1f} MB more"
    )
    print(counts)
    assert counts.received + counts.lost == FLOOD + 1 + len(waits)
    assert counts.accepted - 1 - len(waits) <= SOURCE_BURST + took / SOURCE_SECONDS
    assert counts.over_budget == counts.received - counts.accepted
    assert len(waits) >= 8
    assert statistics.median(waits) < 0.2
    assert sum(wait < 0.2 for wait in waits) >= 0.8 * len(waits)
    for device in STEADY:
        gaps = [later - earlier for earlier, later in pairwise(site.at[device])]
        assert len(gaps) >= took / EVERY - 2
        assert statistics.median(gaps) == pytest.approx(EVERY, abs=0.05)
        assert max(gaps) < EVERY + 0.5
    assert grown < 8_000_000

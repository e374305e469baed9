"""Traps: a hint polls a device at once, and whoever floods gets no more than a budget."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from collectors.snmp.engine import Engine
from collectors.snmp.target import Target
from model.point import Batch
from tests.peers.snmp import Agent, free_port, snmpd

UPS = "1.3.6.1.2.1.33.1"
OBJECTS = {f"{UPS}.2.1.0": ("integer", "2"), f"{UPS}.2.4.0": ("integer", "97")}


def target(device: str, port: int, *, address: str = "127.0.0.1", every: float = 60.0, timeout: float = 2.0) -> Target:
    return Target(
        device=device, address=address, port=port, community=b"public", every=every, timeout=timeout, retries=0
    )


class Polling:
    """An engine under way, and its batches as they come."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self.engine = Engine(self.batches.put_nowait)

    async def until(self, fits: Callable[[Batch], bool], *, seconds: float = 20) -> Batch:
        async with asyncio.timeout(seconds):
            while True:
                batch = await self.batches.get()
                if fits(batch):
                    return batch

    async def of(self, device: str, *, reachable: bool = True, seconds: float = 20) -> Batch:
        return await self.until(lambda b: b.device == device and b.reachable is reachable, seconds=seconds)


@contextlib.asynccontextmanager
async def polling(*targets: Target) -> AsyncIterator[Polling]:
    it = Polling()
    task = asyncio.create_task(it.engine.run(list(targets)))
    try:
        yield it
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("snmpd"), objects=OBJECTS) as running:
        yield running


# -- the hint ---------------------------------------------------------------------------------------------------------


async def test_a_hint_polls_a_device_at_once(card: Agent) -> None:
    async with polling(target("ups-1", card.port), target("ups-2", card.port)) as it:
        first = await it.of("ups-1")
        await it.of("ups-2")
        assert it.engine.hint("ups-1")
        again = await it.of("ups-1", seconds=5)
    assert again.time - first.time < 5  # its interval is 60 s


async def test_a_hint_leaves_the_regular_polls_of_a_device_when_they_were(card: Agent) -> None:
    async with polling(target("ups-1", card.port, every=1.0)) as it:
        await it.of("ups-1")
        second = await it.of("ups-1")
        it.engine.hint("ups-1")
        hinted, third = await it.of("ups-1"), await it.of("ups-1")
    assert hinted.time - second.time < 0.5
    assert third.time - second.time == pytest.approx(1.0, abs=0.4)


async def test_hints_during_a_poll_are_one_poll_right_after_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setblocking(False)
        loop = asyncio.get_running_loop()
        async with polling(target("ups-1", silent.getsockname()[1], timeout=0.3)) as it:
            await asyncio.wait_for(loop.sock_recv(silent, 4096), 5)
            for _ in range(5):
                assert it.engine.hint("ups-1")
            assert it.batches.empty()
            for _ in range(2):
                await it.of("ups-1", reachable=False, seconds=5)
            with pytest.raises(TimeoutError):
                await it.of("ups-1", reachable=False, seconds=1)


async def test_a_hint_tries_a_silent_device_at_once_and_ends_its_wait(tmp_path: Path) -> None:
    port = free_port()
    async with polling(target("ups-1", port, every=2.0, timeout=0.1)) as it:
        for _ in range(4):  # the wait is 16 s by now
            it.engine.hint("ups-1")
            await it.of("ups-1", reachable=False)
        with snmpd(tmp_path, objects=OBJECTS, port=port):
            it.engine.hint("ups-1")
            back = await it.of("ups-1", seconds=5)
            regular = await it.of("ups-1", seconds=10)
    assert regular.time - back.time < 4


async def test_a_hint_for_a_device_that_is_not_there_says_so(card: Agent) -> None:
    async with polling(target("ups-1", card.port)) as it:
        await it.of("ups-1")
        assert not it.engine.hint("ups-9")
    assert not it.engine.hint("ups-1")

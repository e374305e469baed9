"""A hint: it polls a device at once, and never more often than the device can bear."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from collectors.snmp.engine import Engine
from collectors.snmp.target import Target
from collectors.snmp.traps.hints import BURST, MOST_SECONDS, Hints
from model.point import Batch
from tests.peers.snmp import Agent, free_port, snmpd
from tests.trap_port import sender
from tests.under_way import under_way

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
    async with under_way(it.engine.run(list(targets))):
        yield it


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
    """The other device's polls lie half an interval after those of the first, which is hinted at then."""
    async with polling(target("ups-1", card.port, every=2.0), target("half", card.port, every=2.0)) as it:
        await it.of("ups-1")
        before = await it.of("ups-1")
        await it.of("half")
        it.engine.hint("ups-1")
        hinted, regular = await it.of("ups-1"), await it.of("ups-1")
    assert 0.5 < hinted.time - before.time < 1.5
    assert regular.time - before.time == pytest.approx(2.0, abs=0.5)


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


# -- the budget of a device -------------------------------------------------------------------------------------------


class Time:
    """A loop's clock and timers, which go when they are told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, Callable[[str], None], str]] = []

    def call_later(self, seconds: float, call: Callable[[str], None], device: str) -> "Time":
        self.timers.append((self.now + seconds, call, device))
        return self

    def cancel(self) -> None:
        self.timers.clear()

    def passes(self, seconds: float) -> None:
        self.now += seconds
        due = [each for each in self.timers if each[0] <= self.now]
        self.timers = [each for each in self.timers if each[0] > self.now]
        for _, call, device in due:
            call(device)


class Given(Hints):
    """Hints of two devices, one of them read each second, and which were passed on."""

    def __init__(self) -> None:
        self.time, self.devices = Time(), list[str]()
        senders = [sender(device="ups-1", every=3600.0), sender(device="ups-2", every=1.0)]
        super().__init__(self.pass_on, senders, lambda: self.time.now, self.time.call_later)

    def pass_on(self, device: str) -> bool:
        self.devices.append(device)
        return True


@pytest.mark.parametrize(("device", "seconds"), [("ups-1", MOST_SECONDS), ("ups-2", 1.0)], ids=["rarely", "often"])
def test_a_trap_played_again_and_again_is_a_burst_and_then_a_poll_an_interval(device: str, seconds: float) -> None:
    it = Given()
    for _ in range(1000):
        it.give(device)
        it.time.passes(seconds / 100)
    assert BURST + 9 <= len(it.devices) <= BURST + 10


def test_the_last_of_many_traps_is_never_lost() -> None:
    it = Given()
    assert [it.give("ups-1") for _ in range(BURST + 2)] == [True] * BURST + [False] * 2
    it.time.passes(MOST_SECONDS)
    assert len(it.devices) == BURST + 1
    it.time.passes(3600.0)
    assert len(it.devices) == BURST + 1


def test_a_device_whose_trap_is_played_again_takes_nothing_of_anothers_budget() -> None:
    it = Given()
    for _ in range(100):
        it.give("ups-1")
    assert it.give("ups-2")


def test_hints_that_wait_end_with_the_receiver() -> None:
    it = Given()
    for _ in range(BURST + 1):
        it.give("ups-1")
    it.end()
    it.time.passes(3600.0)
    assert len(it.devices) == BURST

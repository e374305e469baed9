"""A device on a line that is asked for is read ahead of its turn, and costs the line nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.own_metrics import OwnMetrics
from agent.rounds import Cards, start_rounds
from agent.schedule import Schedule
from collectors.line.engine import Engine
from config.schema import Line, LineDevice
from config.site import load_site
from tests.line_world import FAST, METER, MONITOR, PLANT, Rounds, line, meter, monitor, plant
from tests.peers.line import ModbusPeer, PacedBus, Slave, YdtPeer

SELDOM = 600.0  # seconds: longer than any test


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    slaves: list[Slave] = [YdtPeer(1, dict(PLANT)), ModbusPeer(2, MONITOR), ModbusPeer(3, METER)]
    with PacedBus(tmp_path, slaves, baud=FAST) as paced:
        yield paced


@contextlib.asynccontextmanager
async def polled(*lines: Line) -> AsyncIterator[tuple[Engine, Rounds]]:
    rounds = Rounds()
    engine = Engine(lines, rounds.take, rounds.report)
    task = asyncio.create_task(engine.run())
    try:
        yield engine, rounds
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def asked(bus: PacedBus, device: LineDevice) -> int:
    return sum(heard.frame[0] == device.address for heard in bus.heard)


async def test_a_device_is_read_at_once_and_no_other(bus: PacedBus) -> None:
    async with polled(line(bus, monitor(every=SELDOM), meter(every=SELDOM))) as (engine, rounds):
        await rounds.until(lambda batch: batch.device == "meter-1")
        before = asked(bus, monitor()), asked(bus, meter())
        assert engine.hint("meter-1")
        batch = await rounds.until(lambda batch: batch.device == "meter-1")
        assert batch.reachable
        assert (asked(bus, monitor()), asked(bus, meter())) == (before[0], 2 * before[1])


async def test_within_a_round_it_is_read_before_the_devices_that_wait_and_then_not_again(bus: PacedBus) -> None:
    engines: list[Engine] = []

    def hears(_: bytes) -> None:
        engines[0].hint("meter-1")

    bus.slaves.insert(0, hears)
    devices = plant(every=SELDOM), monitor(every=SELDOM), meter(every=SELDOM)
    async with polled(line(bus, *devices)) as (engine, rounds):
        engines.append(engine)
        await rounds.until(lambda batch: batch.device == "plant-1")
        bus.slaves.pop(0)
        await rounds.until(lambda batch: batch.device == "battery-1")
    order = [batch.device for batch in rounds.seen]
    assert order.index("meter-1") < order.index("battery-1")
    assert order.count("battery-1") == 1


async def test_one_that_is_down_keeps_to_its_probes(bus: PacedBus) -> None:
    dead = meter("dead-1", 9, every=SELDOM)
    async with polled(line(bus, dead, meter(every=SELDOM))) as (engine, rounds):
        await rounds.until(lambda batch: batch.device == "meter-1")
        assert engine.hint("dead-1")
        assert engine.hint("meter-1")
        await rounds.until(lambda batch: batch.device == "meter-1")
        assert asked(bus, dead) == 1


async def test_what_is_asked_for_a_hundred_times_is_not_read_as_often(bus: PacedBus) -> None:
    bus.turnaround = 0.02
    async with polled(line(bus, monitor(every=SELDOM), meter(every=SELDOM))) as (engine, rounds):
        await rounds.until(lambda batch: batch.device == "meter-1")
        once = asked(bus, meter())
        assert engine.hint("battery-1")
        assert all(engine.hint("meter-1") for _ in range(100))
        await rounds.until(lambda batch: batch.device == "meter-1")
        assert engine.hint("battery-1")
        await rounds.until(lambda batch: batch.device == "battery-1")
        assert asked(bus, meter()) <= 3 * once  # once more, and again when asked for in the midst of it


async def test_a_device_of_no_line_is_not_read(bus: PacedBus) -> None:
    here = line(bus, meter(every=SELDOM))
    assert not Engine([here], lambda _: None).hint("meter-1")
    async with polled(here) as (engine, rounds):
        await rounds.until(lambda batch: batch.device == "meter-1")
        assert not engine.hint("ups-9")


async def test_what_is_asked_for_on_a_lost_line_says_why_it_cannot_be_read(bus: PacedBus) -> None:
    async with polled(line(bus, meter(every=SELDOM))) as (engine, rounds):
        await rounds.until(lambda batch: batch.device == "meter-1")
        await asyncio.to_thread(bus.unplug)
        engine.hint("meter-1")
        lost = await rounds.until(lambda batch: batch.device == "meter-1" and not batch.reachable)
        assert str(bus.path) in lost.error


async def test_the_agent_s_rounds_bring_a_hint_to_the_device_on_its_line(bus: PacedBus, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: {id: s, name: S, contract: demo, region: west_east}\n"
        "agent: {state: agent, control: agent/control.sock}\n"
        f"lines:\n  - id: line-1\n    port: {bus.path}\n    baud: {bus.baud}\n    every: 600s\n    devices:\n"
        "      - {id: meter-1, protocol: modbus, address: 3, definition: eastron-sdm630}\n"
    )
    schedule, seen = Schedule(OwnMetrics("test")), Rounds()
    rounds = start_rounds(load_site(tmp_path / "site.yaml"), Cards([], [], None), schedule, seen.take)
    try:
        await seen.until(lambda batch: batch.device == "meter-1")
        assert rounds.hint("meter-1")
        assert (await seen.until(lambda batch: batch.device == "meter-1")).reachable
        assert not rounds.hint("ups-9")
    finally:
        await schedule.end_engines()

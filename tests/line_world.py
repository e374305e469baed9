"""A line with a plant, a battery monitor and a meter on it, and whoever waits for what a running line gives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from collectors.line import LineStats, run
from config.schema import Line, LineDevice
from model.point import Batch
from model.quantity import Quantity
from tests.peers.line import PacedBus, float_le, float_registers

METER = {4: dict.fromkeys(range(80), 0) | float_registers(0, 230.5, 231.5, 229.5)}
MONITOR = {3: {0: 540, 1: 0xFFF6, 2: 251, 3: 995, 4: 2, 5: 0, 16: 13500, 17: 13502}}
PLANT = {
    (0x40, 0x44): b"\x00\x01\x01" + bytes(6) + bytes(3),
    (0x40, 0x41): b"\x00\x01" + float_le(230.0, 231.0, 232.0, 50.0) + b"\x00" + float_le(5.0, 6.0, 7.0),
    (0x41, 0x44): b"\x00\x02" + bytes((0, 0, 0xF0, 0)),
    (0x41, 0x43): b"\x00\x02" + bytes((0, 1, 0, 0, 1, 1, 0, 0)),
    (0x41, 0x41): b"\x00" + float_le(53.5) + b"\x02" + (float_le(10.0) + b"\x01" + float_le(41.5)) * 2,
    (0x42, 0x44): b"\x00\x01\x00\x00\x00",
    (0x42, 0x41): b"\x00\x01" + float_le(53.4, 42.0) + b"\x01" + float_le(-3.0) + b"\x00\x00",
}
FAST = 115200


def plant(name: str = "plant-1", address: int = 1, every: float = 0.2) -> LineDevice:
    return LineDevice(id=name, protocol="ydt1363", address=address, definition="power-plant", every=every)


def monitor(name: str = "battery-1", address: int = 2, every: float = 0.2) -> LineDevice:
    return LineDevice(id=name, protocol="modbus", address=address, definition="block-battery-monitor", every=every)


def meter(name: str = "meter-1", address: int = 3, every: float = 0.2) -> LineDevice:
    return LineDevice(id=name, protocol="modbus", address=address, definition="eastron-sdm630", every=every)


def line(bus: PacedBus, *devices: LineDevice, timeout: float = 0.2) -> Line:
    return Line(id="line-1", port=bus.path, baud=bus.baud, timeout=timeout, devices=devices)


def values(batch: Batch) -> dict[str, float | str | None]:
    return {reading.point.id: reading.value for reading in batch.readings}


class Rounds:
    """The batches that a running line gives, and its latest counters."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self.seen: list[Batch] = []
        self.states: list[tuple[str, float | str | None]] = []
        self.stats = LineStats("none")

    def take(self, batch: Batch) -> None:
        """Keep a device's batch for whoever waits; what is told of the line itself stands apart."""
        if [reading.point.quantity for reading in batch.readings] == [Quantity.LINE_STATUS]:
            self.states.append((batch.device, batch.readings[0].value))
        else:
            self.batches.put_nowait(batch)

    def report(self, stats: LineStats) -> None:
        self.stats = stats

    async def until(self, wanted: Callable[[Batch], bool], seconds: float = 20.0) -> Batch:
        async with asyncio.timeout(seconds):
            while True:
                batch = await self.batches.get()
                self.seen.append(batch)
                if wanted(batch):
                    return batch

    async def polls(self, device: str, count: int) -> None:
        for _ in range(count):
            await self.until(lambda batch: batch.device == device)


@contextlib.asynccontextmanager
async def running(*lines: Line) -> AsyncIterator[Rounds]:
    rounds = Rounds()
    task = asyncio.create_task(run(lines, rounds.take, rounds.report))
    try:
        yield rounds
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

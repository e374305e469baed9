"""Devices of a line read once: opened once for all of them, each with what was wrong with it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import collectors.line.once as reading
from collectors.line import read_all_once
from config.line_port import line_port
from config.schema import Line, LineDevice
from tests.peers.gateways import Server, asked_of, gateway, mbap
from tests.peers.line import ModbusPeer, PacedBus

MONITOR = {3: {0: 540, 1: 0xFFF6, 2: 251, 3: 995, 4: 2, 5: 0, 16: 13500, 17: 13502}}


def monitor(address: int) -> LineDevice:
    return LineDevice(id=f"battery-{address}", protocol="modbus", address=address, definition="block-battery-monitor")


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, [ModbusPeer(2, MONITOR), ModbusPeer(3, MONITOR)]) as paced:
        yield paced


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_the_devices_of_a_line_are_read_behind_one_opening(
    bus: PacedBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Line] = []
    listened = reading.listen
    monkeypatch.setattr(reading, "listen", lambda port, line: (opened.append(line), listened(port, line))[1])
    devices = tuple(map(monitor, (2, 9, 3)))
    line, told = Line(id="l", port=bus.path, timeout=0.1, devices=devices), list[str]()
    batches = await read_all_once(line, devices, lambda device: told.append(device.id))
    assert [(batch.device, batch.reachable) for batch in batches] == [
        ("battery-2", True),
        ("battery-9", False),
        ("battery-3", True),
    ]
    assert told == ["battery-2", "battery-9", "battery-3"]
    assert opened == [line]


async def test_a_port_that_cannot_be_opened_is_tried_once_and_said_of_each_device(tmp_path: Path) -> None:
    devices = (monitor(2), monitor(3))
    batches = await read_all_once(Line(id="l", port=tmp_path / "none", devices=devices), devices)
    assert [batch.error for batch in batches] == [f"{tmp_path / 'none'} is not there"] * 2


async def test_a_device_whose_answer_ends_the_port_leaves_the_others_to_be_read() -> None:
    peer = ModbusPeer(3, MONITOR)

    def answered(number: int, body: bytes) -> bytes:
        return b"\0" * 5 + b"\x01" * 20 if body[0] == 2 else mbap(number, asked_of(peer, body) or b"")

    with Server(gateway(answered)) as server:
        devices = (monitor(2), monitor(3))
        line = Line(id="l", port=line_port(f"modbus-tcp://127.0.0.1:{server.port}"), devices=devices)
        first, second = await read_all_once(line, devices)
    assert (first.reachable, second.reachable) == (False, True)
    assert "sends what is no Modbus TCP" in first.error


async def test_who_gives_up_does_not_wait_for_the_silent_devices_that_are_left(bus: PacedBus) -> None:
    devices = tuple(monitor(address) for address in range(20, 60))
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    line = Line(id="l", port=bus.path, timeout=5.0, devices=devices)
    before = open_descriptors()
    task = asyncio.create_task(read_all_once(line, devices, lambda _: loop.call_soon_threadsafe(begun.set)))
    await begun.wait()
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 2.0
    assert open_descriptors() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("line ")]

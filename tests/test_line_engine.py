"""Lines as the agent runs them: several devices, some dead, ports that come and go, peers that we did not write."""

import asyncio
import contextlib
import itertools
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from collectors.line import LineStats, engine, read_once, run
from collectors.line.device import PolledDevice
from collectors.line.engine import Owner
from collectors.line.exchange import Exchange
from collectors.line.port import PortError
from collectors.line.ports import open_port
from collectors.line.timing import Timing
from config.schema import Line, LineDevice
from model.point import Batch, Quality
from model.quantity import Quantity
from simulator.bus import PacedLine
from simulator.line_devices import devices
from simulator.plant import Plant
from tests.peers.line import ModbusPeer, PacedBus, YdtPeer, float_le, float_registers, joined_ttys

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


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    slaves = [YdtPeer(1, dict(PLANT)), ModbusPeer(2, MONITOR), ModbusPeer(3, METER)]
    with PacedBus(tmp_path, slaves, baud=FAST) as paced:
        yield paced


async def test_one_line_carries_both_protocols(bus: PacedBus) -> None:
    async with running(line(bus, plant(), monitor(), meter())) as rounds:
        found = values(await rounds.until(lambda batch: batch.device == "plant-1"))
        assert (found["dc_bus.voltage"], found["rectifier.status[rectifier=2]"]) == (53.4, "off")
        assert found["rectifier.status[rectifier=2,of=alarm]"] == "fault"
        found = values(await rounds.until(lambda batch: batch.device == "battery-1"))
        assert (found["battery.voltage"], found["battery.voltage[block=2]"]) == (54.0, 13.502)
        batch = await rounds.until(lambda batch: batch.device == "meter-1")
        assert values(batch)["mains.voltage[phase=1]"] == 230.5
        assert batch.reachable
        assert batch.complete
        assert {reading.quality for reading in batch.readings} == {Quality.GOOD}
        assert batch.readings[0].point.source == "4:0"


async def test_the_demo_s_plant_is_read_at_9600_too(tmp_path: Path) -> None:
    with PacedBus(tmp_path, [YdtPeer(1, dict(PLANT)), ModbusPeer(2, MONITOR), ModbusPeer(3, METER)]) as slow:
        async with running(line(slow, plant(), monitor(), meter())) as rounds:
            await rounds.until(lambda batch: batch.device == "meter-1" and batch.reachable)
        assert all(batch.reachable for batch in rounds.seen)


async def test_one_device_is_read_once_without_an_engine(bus: PacedBus) -> None:
    batch = await read_once(line(bus, monitor()), monitor())
    assert batch.reachable
    assert values(batch)["battery.voltage[block=1]"] == 13.5


async def test_reading_once_says_why_it_cannot(bus: PacedBus, tmp_path: Path) -> None:
    batch = await read_once(line(bus), meter(address=9))
    assert (batch.reachable, batch.error) == (False, f"does not answer (address 9 on {bus.path})")
    assert {reading.quality for reading in batch.readings} == {Quality.UNAVAILABLE}
    gone = Line(id="l", port=tmp_path / "none", devices=())
    assert (await read_once(gone, meter())).error == f"{tmp_path / 'none'} is not there"


async def test_a_dead_device_is_unavailable_and_the_living_are_read_every_cycle(bus: PacedBus) -> None:
    async with running(line(bus, meter("dead-1", 8), meter("dead-2", 9), monitor(), meter())) as rounds:
        await rounds.polls("meter-1", 8)
    dead = [batch for batch in rounds.seen if batch.device == "dead-1"]
    assert len(dead) >= 7
    assert not any(batch.reachable for batch in dead)
    assert all(batch.reachable for batch in rounds.seen if batch.device in {"meter-1", "battery-1"})
    # Asked once at first, with no second try; then spared for 5 seconds, about as long as this test runs at worst.
    asked = [heard.frame[0] for heard in bus.heard]
    assert 1 <= asked.count(8) <= 2
    assert 1 <= asked.count(9) <= 2
    assert rounds.stats.slaves["dead-1"].timeouts <= 2
    assert rounds.stats.reopens == 0


def test_a_cycle_probes_at_most_one_device_that_is_down_the_longest_waiting_first(bus: PacedBus) -> None:
    stats = LineStats("l")
    one, two, well = (PolledDevice(line(bus), meter(name), stats) for name in ("one", "two", "well"))
    one.down.failed(100.0)
    two.down.failed(99.0)
    assert Owner._probe([one, two, well], 100.0) is None
    assert Owner._probe([one, two, well], 104.0) is two
    assert Owner._probe([one, two, well], 200.0) is two
    two.down.failed(200.0)
    assert Owner._probe([one, two, well], 201.0) is one


def test_a_device_that_is_down_is_probed_with_one_question_and_read_whole_once_it_answers(bus: PacedBus) -> None:
    here = line(bus, timeout=0.05)
    port = open_port(here)
    device, exchange = PolledDevice(here, plant(), LineStats("l")), Exchange(port, Timing.of(here))
    silent = bus.slaves.pop(0)
    assert not device.poll(exchange).reachable
    before = len(bus.heard)
    assert not device.poll(exchange).reachable
    assert len(bus.heard) == before + 1
    bus.slaves.insert(0, silent)
    batch = device.poll(exchange)
    port.close()
    assert batch.reachable
    assert {reading.quality for reading in batch.readings} == {Quality.GOOD}


def test_a_class_that_a_living_device_never_answers_is_spared_and_the_rest_goes_on(bus: PacedBus) -> None:
    here = line(bus, timeout=0.05)
    port = open_port(here)
    device, exchange = PolledDevice(here, plant(), LineStats("l")), Exchange(port, Timing.of(here))
    answers = bus.slaves[0]
    bus.slaves[0] = lambda frame: None if frame[5:7] == b"40" else answers(frame)
    first, second, counts = device.poll(exchange), device.poll(exchange), []
    for _ in range(3):
        before = len(bus.heard)
        batch = device.poll(exchange)
        counts.append(len(bus.heard) - before)
        assert batch.reachable
    port.close()
    assert (first.reachable, second.reachable) == (False, True)  # what was asked first is what it does not serve
    found = values(batch)
    assert found["mains.voltage[phase=1]"] is None
    assert found["dc_bus.voltage"] == 53.4
    assert counts[-1] == 2  # the values of two classes; what their flags say of their alarms needs no question


def test_a_refused_read_leaves_its_values_unavailable_and_is_not_asked_again_at_once(bus: PacedBus) -> None:
    here, infos = line(bus), dict(PLANT)
    del infos[0x42, 0x41]
    peer = bus.slaves[0] = YdtPeer(1, infos)
    port = open_port(here)
    device, exchange = PolledDevice(here, plant(), LineStats("l")), Exchange(port, Timing.of(here))
    batches = [device.poll(exchange) for _ in range(3)]
    port.close()
    assert all(batch.reachable for batch in batches)
    assert values(batches[-1])["dc_bus.voltage"] is None
    assert peer.asked.count((0x42, 0x41)) == 1


def test_a_device_that_refuses_everything_says_so(bus: PacedBus) -> None:
    here = line(bus)
    bus.slaves[0] = YdtPeer(1, {})
    port = open_port(here)
    device, exchange = PolledDevice(here, plant(), LineStats("l")), Exchange(port, Timing.of(here))
    refused = device.poll(exchange)
    assert refused.reachable
    assert {reading.quality for reading in refused.readings} == {Quality.UNAVAILABLE}
    assert refused.error.startswith("AC alarms: ")
    assert len(refused.error) <= 300
    assert device.poll(exchange).error == refused.error
    bus.slaves[0] = YdtPeer(1, PLANT | {(0x40, 0x44): b"\x00\x01"})
    port.close()
    port = open_port(here)
    device, exchange = PolledDevice(here, plant(), LineStats("l")), Exchange(port, Timing.of(here))
    assert "AC alarms: no layout fits the answer" in device.poll(exchange).error
    bus.slaves[0] = YdtPeer(1, dict(PLANT))
    assert device.poll(exchange).error == ""
    port.close()


def test_a_spoilt_answer_is_asked_for_once_more(bus: PacedBus) -> None:
    here, stats = line(bus, timeout=0.1), LineStats("l")
    port = open_port(here)
    device, exchange = PolledDevice(here, monitor(), stats), Exchange(port, Timing.of(here))
    assert device.poll(exchange).reachable
    spoilt: list[bytes] = []

    def once(reply: bytes) -> bytes:
        spoilt.append(reply)
        return reply if len(spoilt) > 1 else reply[:-1] + b"\x00"

    bus.spoil = once
    batch = device.poll(exchange)
    port.close()
    assert {reading.quality for reading in batch.readings} == {Quality.GOOD}
    assert stats.slaves["battery-1"].checksum_errors == 1


async def test_an_unplugged_adapter_makes_its_devices_unavailable_and_comes_back_by_its_link(bus: PacedBus) -> None:
    async with running(line(bus, monitor(), meter())) as rounds:
        await rounds.until(lambda batch: batch.device == "meter-1" and batch.reachable)
        await asyncio.to_thread(bus.unplug)
        lost = await rounds.until(lambda batch: batch.device == "meter-1" and not batch.reachable)
        assert str(bus.path) in lost.error
        assert {reading.quality for reading in lost.readings} == {Quality.UNAVAILABLE}
        await rounds.until(lambda batch: batch.error == f"{bus.path} is not there")
        bus.plug()
        await rounds.until(lambda batch: batch.device == "meter-1" and batch.reachable)
        await rounds.until(lambda batch: batch.device == "battery-1" and batch.reachable)
        await rounds.polls("meter-1", 1)
        assert rounds.stats.reopens == 1
        assert rounds.stats.open


async def test_a_port_taken_by_another_program_is_told_and_read_once_it_is_free(bus: PacedBus) -> None:
    other = open_port(line(bus))
    async with running(line(bus, meter())) as rounds:
        taken = await rounds.until(lambda batch: not batch.reachable)
        assert taken.error.startswith(f"{bus.path} is in use by another program")
        other.close()
        await rounds.until(lambda batch: batch.reachable)
    assert [state for state, _ in itertools.groupby(rounds.states)] == [("line-1", "taken"), ("line-1", "open")]


async def test_a_cycle_that_takes_longer_than_its_interval_is_counted_and_not_made_up_for(bus: PacedBus) -> None:
    bus.turnaround = 0.05
    async with running(line(bus, monitor(every=0.03))) as rounds:
        await rounds.polls("battery-1", 4)
        assert rounds.stats.overruns >= 2
        bus.turnaround = 0.0
        bus.heard.clear()
        before = time.monotonic()
        await rounds.polls("battery-1", 6)
        assert time.monotonic() - before >= 4 * 0.03  # had they been queued, they would come all at once


async def test_counters_tell_cycles_use_of_the_line_and_each_device(bus: PacedBus) -> None:
    async with running(line(bus, monitor(), meter(), meter("dead-1", 9))) as rounds:
        await rounds.polls("meter-1", 3)
        stats = rounds.stats
    assert stats.cycles >= 2
    assert 0.0 < stats.utilisation <= 1.0
    assert stats.busy_seconds > stats.wire_seconds > 0.0
    assert (stats.slaves["meter-1"].up, stats.slaves["dead-1"].up) == (True, False)
    assert stats.slaves["meter-1"].answers >= 2
    assert stats.slaves["battery-1"].timeouts == 0


async def test_an_echo_is_said_once_and_counted(bus: PacedBus, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "collectors.line")
    bus.echo = True
    async with running(line(bus, monitor(), meter())) as rounds:
        await rounds.polls("meter-1", 3)
        assert all(batch.reachable for batch in rounds.seen)
        assert rounds.stats.echoes >= 4
    assert [record.getMessage() for record in caplog.records if "(echo)" in record.getMessage()] == [
        "line line-1: our own requests come back (echo); they are taken out"
    ]


async def test_an_error_in_the_program_is_logged_and_the_line_goes_on(
    bus: PacedBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    polls, ask = [], PolledDevice.ask

    def fail_once(device: PolledDevice, exchange: Exchange) -> Callable[[], Batch]:
        polls.append(device.id)
        return ask(device, exchange) if len(polls) > 1 else values(None)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(PolledDevice, "ask", fail_once)
    monkeypatch.setattr(engine, "FIRST", 0.01)
    async with running(line(bus, meter())) as rounds:
        await rounds.until(lambda batch: batch.reachable)
    assert "error in the program" in caplog.text


async def test_a_stopped_line_lets_go_of_its_port(bus: PacedBus) -> None:
    async with running(line(bus, meter())) as rounds:
        await rounds.polls("meter-1", 1)
        with pytest.raises(PortError, match="in use"):
            open_port(line(bus))
    open_port(line(bus)).close()
    assert "line line-1" not in [each.name for each in threading.enumerate()]


async def test_stopping_does_not_wait_for_an_answer_that_will_not_come(bus: PacedBus) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(_: bytes) -> None:
        loop.call_soon_threadsafe(asked.set)

    bus.slaves.append(hear)
    async with running(line(bus, meter("dead", 9), timeout=30.0)):
        await asyncio.wait_for(asked.wait(), 5.0)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 5.0


async def test_two_lines_do_not_wait_for_each_other(bus: PacedBus, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with PacedBus(tmp_path / "second", [], baud=FAST) as empty:
        dead = Line(id="line-2", port=empty.path, timeout=2.0, devices=(meter("dead", 7),))
        async with running(dead, line(bus, monitor())) as rounds:
            await rounds.polls("battery-1", 5)
        assert not any(batch.device == "dead" for batch in rounds.seen)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    with joined_ttys(tmp_path) as ends:
        yield ends


async def test_pymodbus_s_own_serial_server_is_read(pair: tuple[Path, Path]) -> None:
    ours, theirs = pair
    words = [word for _, word in sorted(METER[4].items())]
    block = SimData(0, values=words, datatype=DataType.REGISTERS)
    server = ModbusSerialServer([SimDevice(3, [block])], port=os.fspath(theirs), baudrate=19200)
    await server.serve_forever(background=True)
    try:
        here = Line(id="l", port=ours, baud=19200, devices=(meter(),))
        async with running(here) as rounds:
            batch = await rounds.until(lambda batch: batch.reachable)
        assert values(batch)["mains.voltage[phase=2]"] == 231.5
    finally:
        await server.shutdown()


async def test_the_demo_s_power_room_is_read_in_full_by_an_engine_that_shares_no_code_with_it() -> None:
    room = Plant()
    paced = PacedLine(devices(lambda: room.snapshot(10.0)))
    port = paced.open()
    paced.start()
    try:
        here = Line(id="l", port=Path(port), devices=(plant(every=1.0), monitor(every=1.0), meter(every=1.0)))
        async with running(here) as rounds:
            await rounds.polls("meter-1", 2)
            assert all(batch.reachable for batch in rounds.seen)
            assert all(reading.quality == Quality.GOOD for batch in rounds.seen for reading in batch.readings)
            room.set_mains(10.0, on=False)
            batch = await rounds.until(lambda batch: values(batch).get("mains.status[phase=1]") == "below_limit")
        meant = room.snapshot(10.0)
        assert values(batch)["mains.voltage[phase=1]"] == 0.0
        assert values(batch)["rectifier.status[rectifier=3]"] == "off"
        assert values(batch)["dc_bus.voltage"] == pytest.approx(meant.bus_volts, abs=0.01)
        assert values(batch)["rectifier.temperature[rectifier=2]"] == pytest.approx(meant.modules[1].celsius, abs=0.01)
    finally:
        paced.stop()

"""Lines as the agent runs them: several devices, some dead, ports that come and go, peers that we did not write."""

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from collectors.line import engine, read_once
from collectors.line.device import PolledDevice
from collectors.line.engine import Owner
from collectors.line.exchange import Exchange
from collectors.line.port import PortError
from collectors.line.ports import open_port
from config.schema import Line
from model.point import Batch, Quality
from simulator.bus import PacedLine
from simulator.line_devices import devices
from simulator.plant import Plant
from tests.line_world import FAST, METER, MONITOR, PLANT, line, meter, monitor, plant, running, values
from tests.peers.line import ModbusPeer, PacedBus, YdtPeer, joined_ttys


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


async def test_an_error_in_the_program_at_one_device_is_that_device_s_alone(
    bus: PacedBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ask = PolledDevice.ask

    def fail(device: PolledDevice, exchange: Exchange) -> Callable[[], Batch]:
        return ask(device, exchange) if device.id != "meter-1" else partial(values, None)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(PolledDevice, "ask", fail)
    async with running(line(bus, meter(), monitor())) as rounds:
        spoilt = await rounds.until(lambda batch: batch.device == "meter-1")
        await rounds.polls("battery-1", 5)
        assert all(batch.reachable for batch in rounds.seen if batch.device == "battery-1")
    assert (spoilt.reachable, spoilt.error) == (False, "error in the program; the log has it")
    assert set(rounds.states) == {("line-1", "open")}
    assert caplog.text.count("error in the program at device meter-1") == 1


async def test_an_error_in_the_program_elsewhere_is_logged_and_the_line_goes_on(
    bus: PacedBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cycles, notice = [], Owner._notice

    def fail_once(owner: Owner) -> None:
        cycles.append(owner)
        if len(cycles) == 1:
            values(None)  # type: ignore[arg-type]
        notice(owner)

    monkeypatch.setattr(Owner, "_notice", fail_once)
    monkeypatch.setattr(engine, "FIRST", 0.01)
    async with running(line(bus, meter())) as rounds:
        await rounds.until(lambda batch: batch.error == "error in the program; the log has it")
        await rounds.until(lambda batch: batch.reachable)
    assert "line line-1: error in the program" in caplog.text


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

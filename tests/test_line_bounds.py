"""What bad devices and noise may cost a line: a bounded share of it, and never a wrong value."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.line.backoff import Allowance
from collectors.line.definition import definition
from collectors.line.device import SPOILT_PROBES, SPOILT_TRIES, PolledDevice
from collectors.line.engine import DEAD_SHARE
from collectors.line.exchange import Exchange
from collectors.line.ports import open_port
from collectors.line.question import Question
from collectors.line.stats import LineStats
from collectors.line.timing import Timing
from config.reader import read_text
from config.schema import Line, LineDevice
from model.point import Quality
from tests.line_world import MONITOR, line, monitor, running
from tests.peers.line import LateLine, ModbusPeer, PacedBus
from wire.modbus import Reply, ReplyReader, Request

TWO = definition(
    read_text(
        "protocol: modbus\nname: x\nsource: y\nregisters:\n"
        "  - {register: 0, quantity: battery.voltage, label: A}\n"
        "  - {register: 1, quantity: battery.voltage, index: {block: '1'}, label: B}\n",
        "x.yaml",
    )
)


def question(unit: int) -> Question:
    request = Request(unit, 3, 0, 2)
    return Question("q", request.rtu(), lambda: ReplyReader(request), 9, unit)


def test_what_probes_may_take_is_a_part_of_the_time_with_a_little_saved_up() -> None:
    allowance = Allowance(0.04, 3.0, 0.0)
    spent, now = 0.0, 0.0
    while now < 3600.0:
        if allowance.any_left(now):
            allowance.spend(2.0)
            spent += 2.0
        now += 0.5
    assert 0.9 * 0.04 * 3600 <= spent <= 0.04 * 3600 + 3.0 + 2.0
    assert DEAD_SHARE <= 0.05


def test_an_allowance_that_was_not_used_is_saved_up_only_so_far() -> None:
    allowance = Allowance(0.04, 3.0, 0.0)
    allowance.any_left(1e6)
    allowance.spend(3.0)
    assert not allowance.any_left(1e6)
    assert allowance.any_left(1e6 + 0.1)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    slaves = [ModbusPeer(unit, {3: dict.fromkeys(range(40), 0) | MONITOR[3]}) for unit in range(1, 8)]
    with PacedBus(tmp_path, list(slaves), baud=115200) as paced:
        yield paced


def test_a_pause_is_kept_before_each_request_and_a_longer_one_before_another_unit(bus: PacedBus) -> None:
    here = Line(id="l", port=bus.path, baud=bus.baud, pause=0.02, unit_pause=0.06, devices=())
    port = open_port(here)
    exchange = Exchange(port, Timing.of(here))
    for unit in (1, 1, 2, 2, 1):
        assert exchange.ask(question(unit)).answer
    port.close()
    silences = [heard.silence for heard in bus.heard[1:]]
    assert min(silences) >= 0.02
    assert [silence >= 0.06 for silence in silences] == [False, True, False, True]


def test_a_babbler_ends_no_wait_and_is_read_past(bus: PacedBus) -> None:
    here = line(bus, timeout=0.1)
    port = open_port(here)
    exchange, noise = Exchange(port, Timing.of(here)), random.Random(1)
    bus.spoil = lambda _: noise.randbytes(400)
    began = time.monotonic()
    assert exchange.ask(question(1)).answer is None
    assert time.monotonic() - began < 1.0
    bus.spoil = lambda reply: noise.randbytes(20) + reply
    assert isinstance(exchange.ask(question(1)).answer, Reply)
    port.close()


async def test_two_dead_devices_and_a_babbler_leave_every_other_one_read_in_each_cycle(bus: PacedBus) -> None:
    babble = random.Random(3)
    del bus.slaves[5:]
    bus.slaves.append(lambda frame: babble.randbytes(30) if frame[0] == 6 else None)
    devices = [monitor(f"m{unit}", unit, every=0.1) for unit in range(1, 9)]
    async with running(line(bus, *devices, timeout=0.1)) as rounds:
        await rounds.polls("m5", 25)
    well = {f"m{unit}" for unit in range(1, 6)}
    assert all(batch.reachable for batch in rounds.seen if batch.device in well)
    assert {batch.device for batch in rounds.seen if batch.reachable} == well
    assert rounds.stats.slaves["m6"].timeouts <= SPOILT_TRIES + SPOILT_PROBES
    asked = [heard.frame[0] for heard in bus.heard]
    assert asked.count(7) + asked.count(8) <= 8


async def test_a_dead_device_makes_the_others_wait_a_twentieth_longer_at_most_once_it_is_known(bus: PacedBus) -> None:
    devices = [monitor(f"m{unit}", unit, every=0.01) for unit in range(1, 8)]
    async with running(line(bus, *devices, timeout=0.1)) as rounds:
        await rounds.polls("m7", 30)
        del bus.slaves[2]
        await rounds.until(lambda batch: batch.device == "m3" and not batch.reachable)
        busy, began = rounds.stats.slaves["m3"].timeouts, time.monotonic()
        await asyncio.wait_for(rounds.polls("m7", 100), 30.0)
        probes = rounds.stats.slaves["m3"].timeouts - busy
    # A probe of what is known to answer in milliseconds takes 0.05 s and as much silence, but for the first one.
    assert probes * 0.1 <= 0.05 * max(20.0, time.monotonic() - began)


def corrupted(chance: random.Random, octets: bytes) -> bytes:
    return bytes(byte ^ (1 << chance.randrange(8)) if chance.random() < 0.01 else byte for byte in octets)


def test_one_byte_in_a_hundred_corrupted_gives_no_value_of_another_slave_and_no_wrong_one() -> None:
    chance = random.Random(7)
    slaves = {unit: ModbusPeer(unit, {3: {0: 1000 * unit, 1: 1000 * unit + 1}}) for unit in (1, 2, 3)}

    def answer(frame: bytes) -> bytes | None:
        heard = corrupted(chance, frame)
        reply = next((said for slave in slaves.values() if (said := slave(heard))), None)
        return corrupted(chance, reply) if reply else None

    with LateLine(answer, 0.0) as late:
        listed = tuple(LineDevice(id=f"m{unit}", protocol="modbus", address=unit, definition="x") for unit in slaves)
        here = Line(id="l", port=late.path, baud=115200, timeout=0.05, devices=listed)
        port, stats = open_port(here), LineStats("l")
        exchange = Exchange(port, Timing.of(here))
        polled = [PolledDevice(here, device, stats, TWO) for device in listed]
        wrong, good = [], 0
        for _ in range(100):
            for unit, device in zip(slaves, polled, strict=True):
                values = [each.value for each in device.poll(exchange).readings if each.quality is Quality.GOOD]
                good += bool(values)
                wrong += [value for value in values if value not in {1000.0 * unit, 1000.0 * unit + 1}]
        port.close()
    assert wrong == []
    assert good >= 295

"""One device through its polls: whom to probe, what to spare, what to ask again; and what its batches say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.line import LineStats
from collectors.line.device import PolledDevice
from collectors.line.engine import Owner
from collectors.line.exchange import Exchange
from collectors.line.ports import open_port
from collectors.line.timing import Timing
from model.point import Quality
from tests.line_world import FAST, METER, MONITOR, PLANT, line, meter, monitor, plant, values
from tests.peers.line import ModbusPeer, PacedBus, YdtPeer


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    slaves = [YdtPeer(1, dict(PLANT)), ModbusPeer(2, MONITOR), ModbusPeer(3, METER)]
    with PacedBus(tmp_path, slaves, baud=FAST) as paced:
        yield paced


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
    first = device.poll(exchange)
    second = batch = device.poll(exchange)
    counts = []
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

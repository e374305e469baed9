"""A slave slower than its line's time-out: its late answers are never taken for answers to something else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from collectors.line.definition import Definition, definition
from collectors.line.device import PATIENT_PROBE, PolledDevice
from collectors.line.exchange import Exchange
from collectors.line.patience import KNOWN, LONGEST_KNOWN, REMEMBERED, Patience
from collectors.line.ports import open_port
from collectors.line.stats import LineStats
from collectors.line.timing import Timing
from config.reader import read_text
from config.schema import Line, LineDevice
from model.point import Batch, Quality
from tests.peers.line import LateLine, ModbusPeer, Slave, YdtPeer, float_le

MODBUS = """\
protocol: modbus
name: x
source: y
registers:
  - {register: 0, quantity: battery.voltage, label: A}
  - {register: 100, quantity: dc_bus.voltage, label: B}
  - {register: 200, quantity: mains.voltage, label: C}
"""
READ = """\
  - {{name: {name}, cid1: {cid1}, command: 0x41, layouts: [{{name: l, walk: [{{take: float, quantity: {quantity}}}]}}]}}
"""
YDT = "protocol: ydt1363\nname: x\nsource: y\nver: 0x21\nreads:\n" + "".join(
    READ.format(name=name, cid1=cid1, quantity=quantity)
    for name, cid1, quantity in (
        ("A", "0x40", "mains.voltage"),
        ("B", "0x41", "dc_bus.voltage"),
        ("C", "0x42", "battery.voltage"),
    )
)
RIGHT = {"battery.voltage": 1.0, "dc_bus.voltage": 2.0, "mains.voltage": 3.0}
PEERS: dict[str, tuple[str, Slave]] = {
    "modbus": (MODBUS, ModbusPeer(1, {3: {0: 1, 100: 2, 200: 3}})),
    "ydt1363": (
        YDT,
        YdtPeer(1, {(0x40, 0x41): float_le(3.0), (0x41, 0x41): float_le(2.0), (0x42, 0x41): float_le(1.0)}),
    ),
}


def meaning(protocol: str) -> Definition:
    return definition(read_text(PEERS[protocol][0], "x.yaml"))


@contextmanager
def polled(late: LateLine, protocol: str, timeout: float) -> Iterator[tuple[PolledDevice, Exchange]]:
    device = LineDevice(id="d", protocol=protocol, address=1, definition="x")  # type: ignore[arg-type]
    line = Line(id="l", port=late.path, timeout=timeout, devices=(device,))
    port = open_port(line)
    yield PolledDevice(line, device, LineStats("l"), meaning(protocol)), Exchange(port, Timing.of(line))
    port.close()


def wrong(batch: Batch) -> list[str]:
    good = (each for each in batch.readings if each.quality == Quality.GOOD)
    return [f"{each.point.id} is {each.value}" for each in good if each.value != RIGHT[each.point.id]]


def is_read(batch: Batch) -> bool:
    return batch.reachable and {each.quality for each in batch.readings} == {Quality.GOOD}


@pytest.mark.parametrize("protocol", ["modbus", "ydt1363"])
@pytest.mark.parametrize("in_turn", [False, True])
def test_a_slave_that_was_always_late_is_read_with_right_values(protocol: str, in_turn: bool) -> None:
    with LateLine(PEERS[protocol][1], 0.7, in_turn) as late, polled(late, protocol, 0.5) as (device, exchange):
        batches = [device.poll(exchange) for _ in range(2)]
    assert [wrong(batch) for batch in batches] == [[], []]
    assert is_read(batches[-1])


@pytest.mark.parametrize("protocol", ["modbus", "ydt1363"])
@pytest.mark.parametrize("in_turn", [False, True])
def test_a_slave_that_becomes_late_is_read_with_right_values(protocol: str, in_turn: bool) -> None:
    with LateLine(PEERS[protocol][1], 0.01, in_turn) as late, polled(late, protocol, 0.2) as (device, exchange):
        assert is_read(device.poll(exchange))
        late.delay = 0.35
        batches = [device.poll(exchange) for _ in range(3)]
    assert [wrong(batch) for batch in batches] == [[], [], []]
    assert is_read(batches[-1])


def test_a_slave_whose_lateness_comes_and_goes_never_gives_a_wrong_value() -> None:
    with LateLine(PEERS["modbus"][1], 0.01) as late, polled(late, "modbus", 0.05) as (device, exchange):
        batches = []
        for turn in range(40):
            late.delay = (0.01, 0.07, 0.02, 0.12, 0.09)[turn % 5]
            batches.append(device.poll(exchange))
    assert [wrong(batch) for batch in batches] == [[]] * 40
    assert sum(is_read(batch) for batch in batches) >= 38


def test_a_late_slave_that_is_down_is_found_by_a_patient_probe() -> None:
    with LateLine(PEERS["modbus"][1], 0.6, deaf_to=1) as late, polled(late, "modbus", 0.1) as (device, exchange):
        batches = [device.poll(exchange) for _ in range(PATIENT_PROBE + 1)]
    assert [batch.reachable for batch in batches] == [False] + [True] * (PATIENT_PROBE)
    assert [wrong(batch) for batch in batches] == [[]] * (PATIENT_PROBE + 1)
    assert is_read(batches[-1])


def test_a_slave_slower_than_the_longest_wait_is_found_again_once_it_was_known() -> None:
    with LateLine(PEERS["modbus"][1], 2.2) as late, polled(late, "modbus", 2.0) as (device, exchange):
        device._patience.took(2.2)  # as it was while it answered
        batches = [device.poll(exchange)]
        late.deaf_to = 3
        while batches[-1].reachable and len(batches) < 5:
            batches.append(device.poll(exchange))
        assert not batches[-1].reachable
        late.deaf_to = 0
        found = device.poll(exchange)
    assert found.reachable
    assert wrong(found) == []


def test_the_first_poll_of_a_device_that_is_not_there_costs_its_line_one_usual_wait() -> None:
    with LateLine(lambda _: None, 0.0) as late, polled(late, "modbus", 0.2) as (device, exchange):
        before = time.monotonic()
        assert not device.poll(exchange).reachable
        assert time.monotonic() - before < 0.45


def test_a_device_that_is_down_costs_its_timeout_and_now_and_then_the_longest_wait() -> None:
    with LateLine(lambda _: None, 0.0) as late, polled(late, "modbus", 0.05) as (device, exchange):
        for _ in range(2):  # the first poll, and the first probe, which is patient
            device.poll(exchange)
        costs = []
        for _ in range(PATIENT_PROBE):
            before = time.monotonic()
            device.poll(exchange)
            costs.append(time.monotonic() - before)
    # In the end a probe a minute: less than 5 % of the line, whatever the timeout up to the longest wait.
    *others, patient = sorted(costs)
    assert max(others) < 0.5
    assert 2.0 <= patient < 4.5  # it asks something else: here, with no time between, that waits for what is owed
    assert sum(costs) < 0.05 * 60 * PATIENT_PROBE


def test_patience_grows_with_late_answers_and_wanes_with_those_in_time() -> None:
    patience = Patience(0.5)
    assert patience.first == 0.5
    patience.took(0.7)
    assert patience.first == 1.4
    patience.took(5.0)
    assert patience.first == 2.0
    for _ in range(REMEMBERED):
        patience.took(0.01)
    assert patience.first == 0.05
    assert Patience(0.001).first == 0.05


def test_a_slave_that_has_answered_often_is_waited_for_by_its_own_times_and_not_by_the_configured_one() -> None:
    patience = Patience(0.5)
    for _ in range(KNOWN - 1):
        patience.took(0.06)
    assert patience.first == 0.5
    patience.took(0.04)
    assert patience.first == 0.12
    assert Patience(3.0).longest == 3.0


def test_a_lost_request_does_not_make_a_slave_look_slow_and_a_late_answer_does() -> None:
    patience = Patience(0.5)
    for _ in range(KNOWN):
        patience.took(0.03)
    patience.took_again(0.03, 0.2)
    assert patience.slowest == 0.03
    patience.took_again(0.1, 0.35)
    assert patience.slowest == 0.35


def test_a_slave_that_was_slower_than_the_longest_wait_is_waited_for_longer_when_it_is_down() -> None:
    patience = Patience(0.5)
    assert patience.longest == 2.0
    patience.took(3.0)
    assert (patience.first, patience.longest) == (2.0, 4.5)
    patience.took(60.0)
    assert patience.longest == LONGEST_KNOWN


def test_only_another_question_waits_for_what_is_owed() -> None:
    patience = Patience(0.5)
    patience.silent("A", asked=10.0)
    assert patience.quiet_before("A", 10.5) == 0.0
    assert patience.quiet_before("B", 10.5) == 1.5
    assert patience.quiet_before("B", 12.1) == 0.0

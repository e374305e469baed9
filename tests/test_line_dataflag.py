"""DATAFLAG of YD/T 1363: alarms are read when it says so, and stand by its word until then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.line.dataflag import REFRESH, Steering
from collectors.line.definition import definition
from collectors.line.device import PolledDevice
from collectors.line.exchange import Exchange
from collectors.line.ports import open_port
from collectors.line.stats import LineStats
from collectors.line.timing import Timing
from collectors.line.ydt_definition import YdtDefinition
from config.reader import read_text
from config.schema import Line, LineDevice
from model.point import Batch, Quality
from tests.peers.line import PacedBus, YdtPeer, float_le

READ = "  - {{name: {}, cid1: {:#x}, command: {:#x}, layouts: [{{name: l, walk: [{{take: flag{}}}, {}]}}]}}\n"
VALUE = "{{take: float, quantity: {}}}"
ALARM = "{{take: alarm, quantity: {}, index: {{of: c{:x}}}}}"
PLANT = "protocol: ydt1363\nname: x\nsource: y\nver: 0x21\nreads:\n" + "".join(
    READ.format(name, cid1, command, optional, kind.format(quantity, command))
    for name, cid1, command, optional, kind, quantity in (
        ("mains alarms", 0x40, 0x44, "", ALARM, "mains.status"),
        ("bus alarms", 0x42, 0x44, "", ALARM, "device.status"),
        ("bus states", 0x42, 0x43, "", ALARM, "device.status"),
        ("mains values", 0x40, 0x41, ", optional: true", VALUE, "mains.voltage"),
        ("bus values", 0x42, 0x41, "", VALUE, "dc_bus.voltage"),
    )
)
ALARMS = [(0x40, 0x44), (0x42, 0x44), (0x42, 0x43)]
VALUES = [(0x40, 0x41), (0x42, 0x41)]


def meaning() -> YdtDefinition:
    found = definition(read_text(PLANT, "x.yaml"))
    assert isinstance(found, YdtDefinition)
    return found


def steering(*, steered: bool = True) -> Steering:
    return Steering(meaning().reads, steered=steered)


def polled(steering: Steering, now: float, *, whole: bool = False, **flags: int | None) -> list[str]:
    """Go through one poll; every answer has flag 0 unless `flags` say otherwise, None for no answer."""
    asked: list[str] = []
    steering.begin(now, whole=whole)
    while left := [name for name in steering.plan() if name not in asked]:
        asked.append(left[0])
        flag = flags.get(left[0].replace(" ", "_"), 0)
        if flag is not None:
            steering.answered(left[0], flag)
    return asked


WHOLE = ["mains alarms", "bus alarms", "bus states", "mains values", "bus values"]
QUIET = ["mains values", "bus values"]


def test_alarms_come_before_values_in_the_first_poll_and_are_left_out_while_no_flag_is_set() -> None:
    plant = steering()
    assert polled(plant, 0.0) == WHOLE
    assert polled(plant, 5.0) == QUIET
    assert plant.unchanged() == {
        "mains alarms": "mains values",
        "bus alarms": "bus values",
        "bus states": "bus values",
    }


def test_a_flag_has_its_alarms_read_before_the_values_that_are_left() -> None:
    plant = steering()
    polled(plant, 0.0)
    assert polled(plant, 5.0, mains_values=0x01) == ["mains values", "mains alarms", "bus alarms", "bus values"]
    assert polled(plant, 10.0, bus_values=0x10) == ["mains values", "bus values", "bus states"]
    assert polled(plant, 15.0) == QUIET


def test_alarms_are_read_again_a_minute_after_they_were() -> None:
    plant = steering()
    polled(plant, 0.0)
    assert polled(plant, REFRESH - 0.1) == QUIET
    assert polled(plant, REFRESH) == WHOLE


def test_a_device_that_was_away_is_read_whole() -> None:
    plant = steering()
    polled(plant, 0.0)
    assert polled(plant, 5.0, whole=True) == WHOLE


def test_alarms_whose_values_do_not_vouch_for_them_are_read_after_these() -> None:
    plant = steering()
    polled(plant, 0.0)
    assert polled(plant, 5.0, bus_values=None) == ["mains values", "bus values", "bus alarms", "bus states"]
    assert set(plant.unchanged()) == {"mains alarms"}


def test_a_flagged_alarm_that_stays_unread_is_asked_first_in_the_next_poll_and_vouched_for_by_nobody() -> None:
    plant = steering()
    polled(plant, 0.0)
    polled(plant, 5.0, mains_values=0x01, mains_alarms=None)
    assert "mains alarms" not in plant.unchanged()
    assert polled(plant, 10.0)[0] == "mains alarms"


def test_a_flag_that_never_clears_has_each_read_asked_once_a_poll() -> None:
    plant = steering()
    for now in range(0, 50, 5):
        assert sorted(polled(plant, float(now), bus_values=0x11, mains_values=0x11)) == sorted(WHOLE)


def test_where_flags_are_another_master_s_every_read_is_asked_in_every_poll() -> None:
    plant = steering(steered=False)
    assert polled(plant, 0.0) == polled(plant, 5.0) == WHOLE
    assert plant.unchanged() == {}


# --- on a line -----------------------------------------------------------------------------------------------------


def test_no_flag_vouches_for_an_alarm_that_is_not_answered_any_more() -> None:
    plant = steering()
    polled(plant, 0.0)
    plant.begin(REFRESH, whole=False)
    plant.answered("mains values", 0)
    assert "mains alarms" in plant.plan()
    assert "mains alarms" not in plant.unchanged()


def test_an_alarm_that_is_refused_is_vouched_for_by_nobody_and_asked_again_in_the_next_poll() -> None:
    plant = steering()
    polled(plant, 0.0)
    plant.refused("mains alarms")
    plant.answered("mains values", 0)
    assert "mains alarms" not in plant.unchanged()
    assert polled(plant, 5.0)[0] == "mains alarms"


class FlaggedPeer(YdtPeer):
    """A plant whose flag can be set, and which clears it when alarms are read; class 40H leaves its flag out."""

    flag = 0
    has_flag = True

    def __call__(self, frame: bytes) -> bytes | None:
        flag = bytes((self.flag,))
        self.infos = {
            (0x40, 0x44): b"\x00" + self.alarm,
            (0x42, 0x44): b"\x00" + self.alarm,
            (0x42, 0x43): b"\x00\x00",
            (0x40, 0x41): (flag if self.has_flag else b"") + float_le(230.0),
            (0x42, 0x41): flag + float_le(53.5),
        }
        reply = super().__call__(frame)
        if self.asked and self.asked[-1][1] == 0x44 and frame[3:5] == b"01":
            self.flag = 0
        return reply

    alarm = b"\x00"


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, [FlaggedPeer(1, {})], baud=115200, turnaround=0.001) as paced:
        yield paced


@pytest.fixture
def peer(bus: PacedBus) -> FlaggedPeer:
    found = bus.slaves[0]
    assert isinstance(found, FlaggedPeer)
    return found


def polls(bus: PacedBus, count: int, *, shared: bool = False, read_flags: bool = False) -> Iterator[Batch]:
    device = LineDevice(id="plant", protocol="ydt1363", address=1, definition="x")
    line = Line(id="l", port=bus.path, baud=bus.baud, shared=shared, read_flags=read_flags, devices=(device,))
    port = open_port(line)
    try:
        plant, exchange = PolledDevice(line, device, LineStats("l"), meaning()), Exchange(port, Timing.of(line))
        for _ in range(count):
            yield plant.poll(exchange)
    finally:
        port.close()


def test_an_alarm_that_is_not_read_keeps_its_value_as_of_the_flag_that_vouches_for_it(
    bus: PacedBus, peer: FlaggedPeer
) -> None:
    first, second = polls(bus, 2)
    assert peer.asked == ALARMS + VALUES + VALUES
    was = {reading.point.id: reading for reading in first.readings}
    for reading in second.readings:
        assert (reading.value, reading.quality) == (was[reading.point.id].value, Quality.GOOD)
        assert reading.time > was[reading.point.id].time
    told = {reading.point.id: reading.time for reading in second.readings}
    assert told["mains.status[of=c44]"] == told["mains.voltage"] < told["dc_bus.voltage"]
    assert told["device.status[of=c44]"] == told["dc_bus.voltage"]


def test_a_flag_brings_the_alarm_in_the_same_poll(bus: PacedBus, peer: FlaggedPeer) -> None:
    batches = polls(bus, 3)
    next(batches)
    next(batches)
    peer.flag, peer.alarm = 0x01, b"\x01"
    found = {reading.point.id: reading.value for reading in next(batches).readings}
    assert found["mains.status[of=c44]"] == "below_limit"
    batches.close()  # type: ignore[attr-defined]


def test_a_class_that_leaves_its_flag_out_has_its_alarms_read_in_every_poll(bus: PacedBus, peer: FlaggedPeer) -> None:
    peer.has_flag = False
    list(polls(bus, 3))
    assert peer.asked.count((0x40, 0x44)) == 3
    assert peer.asked.count((0x42, 0x44)) == 1


def test_on_a_shared_pair_nothing_is_read_that_clears_flags_and_no_point_waits_for_it(
    bus: PacedBus, peer: FlaggedPeer
) -> None:
    batch = list(polls(bus, 2, shared=True))[-1]
    assert set(peer.asked) == set(VALUES)
    assert [reading.point.id for reading in batch.readings] == ["mains.voltage", "dc_bus.voltage"]


def test_on_a_shared_pair_alarms_are_read_in_every_poll_where_that_is_allowed(bus: PacedBus, peer: FlaggedPeer) -> None:
    list(polls(bus, 3, shared=True, read_flags=True))
    assert peer.asked.count((0x40, 0x44)) == 3


def test_a_device_with_nothing_but_alarms_on_a_shared_pair_says_why_it_is_not_read(bus: PacedBus) -> None:
    only = read_text(PLANT[: PLANT.index("  - {name: mains values")], "x.yaml")
    device = LineDevice(id="plant", protocol="ydt1363", address=1, definition="x")
    line = Line(id="l", port=bus.path, baud=bus.baud, shared=True, devices=(device,))
    port = open_port(line)
    batch = PolledDevice(line, device, LineStats("l"), definition(only)).poll(Exchange(port, Timing.of(line)))
    port.close()
    assert "read_flags: true" in batch.error
    assert bus.heard == []


def test_an_alarm_that_a_device_refuses_after_it_gave_it_is_missing_until_it_gives_it_again(
    bus: PacedBus, peer: FlaggedPeer
) -> None:
    here = polls(bus, 3)
    assert {each.quality for each in next(here).readings} == {Quality.GOOD}
    peer.flag, peer.alarm = 0x01, bytes(7)  # no layout fits that
    refused = next(here)
    assert refused.reachable
    assert Quality.UNAVAILABLE in {each.quality for each in refused.readings}
    peer.alarm = b"\x00"
    assert {each.quality for each in next(here).readings} == {Quality.GOOD}

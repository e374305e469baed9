"""Devices that fall silent after mains were lost: consequences of it, unless a setting says otherwise."""

from pathlib import Path

import pytest

from agent.plan import make_plan
from agent.watch import Watch
from collectors.line.state import line_batch
from config.line_port import line_port
from config.schema import Line
from config.site import load_site
from model.alarm import Alarm, AlarmState, Now
from model.point import Batch
from model.quantity import Quantity
from tests.test_watch import at, batch, number

S = AlarmState
SITE = """
site: {id: s, name: Site, contract: telecom-transmission}
agent: {state: agent, control: agent/control.sock}
delays: {on: [0s, 0s, 0s, 0s], off: 0s}
credentials: {public: {version: 2c, community_file: public}}
rules: RULES
snmp:
  every: 10s
  devices:
    - {id: meter, address: 127.0.0.1, credential: public}
    - {id: camera, address: 127.0.0.1, credential: public}
    - {id: radio, address: 127.0.0.1, credential: public, every: 15s}
lines:
  - id: line-1
    port: tcp://127.0.0.1:4001
    devices:
      - {id: battery, protocol: modbus, address: 1, definition: block-battery-monitor}
"""
MAINS = "s/meter/-/mains.lost"


class Room:
    """A site whose meter sees the mains; a camera and a radio hang on the mains alone."""

    def __init__(self, folder: Path, rules: str) -> None:
        file = folder / "site.yaml"
        file.write_text(SITE.replace("RULES", rules))
        self.watch = Watch(make_plan(load_site(file)), {}, "boot", at(0))
        self.now = 0.0
        self.volts = 230.0
        self.silent: set[str] = set()

    def live(self, seconds: float) -> None:
        """Poll everything as often as it should be, each device a second after the one before."""
        until = self.now + seconds
        while self.now < until:
            self.now += 1
            turn = self.now % 30
            for place, (name, every) in enumerate((("meter", 10), ("camera", 10), ("radio", 15), ("battery", 10))):
                if turn % every == place:
                    self._poll(name)
            self.watch.tick(self._at())

    def alarm(self, device: str, fault: str = "device.unreachable") -> Alarm:
        condition = f"s/{device}/-/{fault}"
        return self.watch.alarms.get(condition, Alarm(condition))

    def lose_line(self) -> None:
        line = Line(id="line-1", port=line_port("tcp://127.0.0.1:4001"), devices=())
        batch_ = line_batch(line, "tcp://127.0.0.1:4001 does not answer")
        self.watch.take(Batch("line-1", self._at().boot, batch_.readings, error=batch_.error), self._at())

    def _at(self) -> Now:
        return at(self.now)

    def _poll(self, name: str) -> None:
        quantity = Quantity.MAINS_VOLTAGE if name == "meter" else Quantity.AMBIENT_TEMPERATURE
        value = self.volts if name == "meter" else 20.0
        there = name not in self.silent
        point = number(name, quantity, value if there else None)
        self.watch.take(batch(name, self.now, point, reachable=there), self._at())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path, "{}")
    made.live(60)
    return made


def test_what_falls_silent_with_the_mains_is_explained_by_them(room: Room) -> None:
    room.volts, room.silent = 0.0, {"camera", "radio"}
    room.live(120)
    assert room.alarm("meter", "mains.lost").state is S.UNACKNOWLEDGED
    for name in ("camera", "radio"):
        alarm = room.alarm(name)
        assert (alarm.state, alarm.explained_by, alarm.opened) == (S.SUPPRESSED, MAINS, False)
        assert room.alarm(name, "reading.stale").state is S.SUPPRESSED


def test_what_falls_silent_hours_later_when_the_batteries_are_empty_is_explained_too(room: Room) -> None:
    room.volts = 0.0
    room.live(2 * 3600)
    room.silent = {"radio"}
    room.live(120)
    assert (room.alarm("radio").state, room.alarm("radio").explained_by) == (S.SUPPRESSED, MAINS)


@pytest.mark.parametrize("moment", range(0, 30, 3))
def test_when_everything_falls_silent_at_once_the_mains_that_were_lost_before_explain_it_all(
    room: Room, moment: int
) -> None:
    room.volts = 0.0
    room.live(600 + moment)
    room.silent = {"meter", "camera", "radio", "battery"}
    room.live(300)
    assert room.alarm("meter", "mains.lost").active
    assert {name: room.alarm(name).explained_by for name in sorted(room.silent)} == dict.fromkeys(room.silent, MAINS)


def test_what_was_silent_before_is_a_fault_of_its_own(room: Room) -> None:
    room.silent = {"camera"}
    room.live(60)
    room.volts = 0.0
    room.live(120)
    assert room.alarm("camera").state is S.UNACKNOWLEDGED


def test_what_stays_silent_when_the_mains_are_back_is_raised_after_a_look_of_its_own(room: Room) -> None:
    room.volts, room.silent = 0.0, {"camera", "radio"}
    room.live(120)
    room.volts, room.silent = 230.0, {"camera"}
    room.live(60)
    assert room.alarm("camera").state is S.UNACKNOWLEDGED
    assert not room.alarm("radio").active
    assert not room.alarm("radio").opened


def test_a_gateway_without_mains_loses_its_line_because_of_them(room: Room) -> None:
    room.volts, room.silent = 0.0, {"battery"}
    room.lose_line()
    room.live(120)
    lost = room.alarm("line-1", "line.lost")
    assert (lost.state, lost.explained_by) == (S.SUPPRESSED, MAINS)
    assert room.alarm("battery").state is S.SUPPRESSED


def test_a_contract_or_a_site_may_count_it_as_a_fault_of_its_own(tmp_path: Path) -> None:
    room = Room(tmp_path, "{device.unreachable: {explained: false}}")
    room.live(60)
    room.volts, room.silent = 0.0, {"camera"}
    room.live(120)
    assert (room.alarm("camera").state, room.alarm("camera").explained_by) == (S.UNACKNOWLEDGED, "")
    assert room.alarm("camera", "reading.stale").explained_by == "s/camera/-/device.unreachable"

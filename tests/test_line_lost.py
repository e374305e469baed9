"""A line that is lost: one alarm that says why, and no other for each device that is silent because of it."""

from pathlib import Path

import pytest

from agent.plan import make_plan
from agent.watch import Watch
from collectors.line.others import FOREIGN
from collectors.line.state import line_batch, state_of
from config.line_port import line_port
from config.schema import Line
from config.site import load_site
from model.alarm import AlarmState, Now
from model.point import Batch

SITE = """
site: {id: s, name: Site, contract: telecom-transmission, region: REGION}
delays: {on: [0s, 0s, 0s, 0s], off: 0s}
lines:
  - id: line-1
    port: /dev/ttyUSB0
    devices:
      - {id: meter-1, protocol: modbus, address: 1, definition: eastron-sdm630}
      - {id: meter-2, protocol: modbus, address: 2, definition: eastron-sdm630}
  - id: line-2
    port: /dev/ttyUSB1
    devices:
      - {id: meter-3, protocol: modbus, address: 3, definition: eastron-sdm630}
"""
WHY = {
    "/dev/ttyUSB0 is in use by another program (process 12)": "taken",
    "/dev/ttyUSB0 is not there": "gone",
    "/dev/ttyUSB0 hung up": "gone",
    "/dev/ttyUSB0 may not be opened by this user": "failed",
    FOREIGN: "foreign",
    "": "open",
}


def watch(tmp_path: Path) -> Watch:
    file = tmp_path / "site.yaml"
    file.write_text(SITE.replace(", region: REGION", ""))
    return Watch(make_plan(load_site(file)), {}, "boot", at(0.0))


def at(seconds: float) -> Now:
    return Now(boot=seconds, wall=1e9 + seconds)


def silent(device: str, seconds: float) -> Batch:
    return Batch(device, seconds, (), reachable=False, error="x")


def line(port: str = "/dev/ttyUSB0") -> Line:
    return Line(id="line-1", port=line_port(port), devices=())


@pytest.mark.parametrize(("error", "state"), WHY.items())
def test_what_the_port_said_is_a_state_of_the_line(error: str, state: str) -> None:
    assert state_of(line(), error) == state


def test_a_gateway_that_fails_in_any_way_is_disconnected() -> None:
    moxa = line("tcp://moxa-1:4001")
    assert state_of(moxa, "tcp://moxa-1:4001 closed the connection; another program may be connected") == "disconnected"


def test_a_lost_line_is_one_alarm_with_its_reason_that_explains_its_devices_and_no_others(tmp_path: Path) -> None:
    site = watch(tmp_path)
    site.take(line_batch(line(), "/dev/ttyUSB0 is in use by another program"), at(1.0))
    for device in ("meter-1", "meter-2", "meter-3"):
        site.take(silent(device, 1.1), at(1.1))
    site.tick(at(400.0))
    alarms = {condition.split("/", 1)[1]: alarm for condition, alarm in site.alarms.items() if alarm.active}
    lost = alarms["line-1/-/line.lost"]
    assert lost.case == "taken"
    assert [(each.label, each.value) for each in lost.evidence] == [("Port /dev/ttyUSB0", "taken")]
    for device in ("meter-1", "meter-2"):
        child = alarms[f"{device}/-/device.unreachable"]
        assert (child.state, child.explained_by) == (AlarmState.SUPPRESSED, "s/line-1/-/line.lost")
    assert alarms["meter-3/-/device.unreachable"].explained_by == ""


def test_a_line_that_is_open_again_ends_its_alarm(tmp_path: Path) -> None:
    site = watch(tmp_path)
    site.take(line_batch(line(), FOREIGN), at(1.0))
    site.tick(at(300.0))
    assert site.alarms["s/line-1/-/line.lost"].active
    site.take(line_batch(line(), ""), at(301.0))
    site.tick(at(600.0))
    assert not site.alarms["s/line-1/-/line.lost"].active

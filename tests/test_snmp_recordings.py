"""Recorded real devices: what the shipped definitions make of them, against what another monitoring system expects."""

import asyncio
import json
from pathlib import Path

import pytest

from bench.recordings import Score, exceptions, fast
from bench.truth import Expected, expected
from collectors.snmp.engine import recognise_once
from collectors.snmp.library import shipped
from collectors.snmp.recording import read_from, read_recording
from collectors.snmp.target import Target
from tests.peers.snmp import snmpsim
from tests.recordings import recordings

LIVE = [
    "apc_ats",
    "cyberpower",
    "deltaups",
    "enexus",
    "generex-ups_cs141",
    "huawei-smu",
    "raritan-pdu_px2",
    "wut_57606",
]
"""Served by snmpsim too: it answers as an agent does, so what is read offline is held against it."""


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    """Every recording's score; the file's name is the recording's."""
    folder: Path = recordings() / "snmp" / "snmpsim"
    return {path.stem: fast(path.stem, shipped(), "auto") for path in sorted(folder.glob("*.snmprec"))}


def test_what_is_expected_of_136_devices_is_read(scores: dict[str, Score]) -> None:
    total = Score()
    for score in scores.values():
        total.add(score)
    assert (len(scores), total.judged + total.unjudged) == (136, 4045)
    assert total.unjudged <= 20
    assert total.right / (total.numbers + total.states) >= 0.97
    assert total.states_right / total.states >= 0.95
    assert total.right / total.judged >= 0.95  # exceptions are exceptions


def test_a_value_is_right_to_a_thousandth_and_nought_is_nought() -> None:
    def fits(kind: str, expected: float, value: float) -> bool:
        return Expected(kind, "1", "", expected, None).fits({"value": value})

    litre_a_minute = 0.001 / 60
    assert fits("waterflow", litre_a_minute, litre_a_minute * 1.0009)
    assert not fits("waterflow", litre_a_minute, 0.0)
    assert not fits("voltage", 0.0, 1e-7)
    assert fits("voltage", 0.0, 0.0)


def test_a_power_factor_in_percent_is_a_hundredth_and_no_other_factor_is_allowed(tmp_path: Path) -> None:
    sensor = {"sensor_class": "power_factor", "sensor_descr": "PF", "sensor_type": "x", "sensor_deleted": 0}
    rows = [sensor | {"sensor_oid": f".1.{place}", "sensor_current": each} for place, each in enumerate((98, 0.98, 1))]
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected" / "pdu.json").write_text(json.dumps({"sensors": {"discovery": {"sensors": rows}}}))
    percent, ratio, one = expected(tmp_path, "pdu")
    assert percent.fits({"value": 0.98})
    assert ratio.fits({"value": 0.98})
    assert one.fits({"value": 1.0})
    assert not any(
        each.fits({"value": value}) for each in (percent, ratio, one) for value in (98.0, 0.0098, 100.0, 0.01)
    )


def test_a_state_of_which_no_severity_is_expected_is_not_right() -> None:
    state = Expected("state", "1", "", 4.0, None)
    assert not state.is_judged
    assert not state.fits({"value": "on", "severity": None})


def test_no_reading_is_invented_and_no_sentinel_is_a_value(scores: dict[str, Score]) -> None:
    wrong = {
        name: [line for line in score.differing if line.startswith(("invented", "sentinel"))]
        for name, score in scores.items()
        if score.invented or score.sentinels
    }
    assert wrong == {}


def test_every_recorded_device_is_recognised(scores: dict[str, Score]) -> None:
    unrecognised = [name for name, score in scores.items() if any("not recognised" in line for line in score.differing)]
    assert unrecognised == []


def test_each_exception_names_a_recording_and_an_object_of_it() -> None:
    folder = recordings() / "snmp"
    known = {name for name, _, _ in exceptions()}
    rows = {name: {row.oid for row in expected(folder, name)} for name in known}
    assert all(rows.values())
    assert all(len(reason) > 10 for _, _, reason in exceptions())


def test_what_is_read_offline_is_what_is_read_from_an_agent(tmp_path: Path) -> None:
    source = recordings() / "snmp" / "snmpsim"
    with snmpsim(tmp_path, LIVE) as agent:
        for name in LIVE:
            target = Target(
                device="recording", address=agent.host, port=agent.port, community=name.encode(), timeout=5, aside=True
            )
            live, seen = asyncio.run(recognise_once(target))
            offline, also = read_from(read_recording(source / f"{name}.snmprec"), shipped())
            assert seen == also
            at_once = {(r.point.id, r.point.source): r.value for r in live.readings if r.point.id != "device.uptime"}
            later = {(r.point.id, r.point.source): r.value for r in offline.readings if r.point.id != "device.uptime"}
            assert at_once == later

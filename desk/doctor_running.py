"""Checks of the desk as it runs: that it does, what it says of itself, and what systemd says of it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx

from desk.local import Local, LocalError
from desk.patient import Finding, Patient, finding

UNIT = "roundsman-desk.service"
_WAITING = 1000  # writes
_OFF = 5.0  # seconds between the machine's clock and the desk's time
_LATE = 60.0  # seconds since the last sweep, which comes each second
_NUMBER = re.compile(r"^roundsman_desk_(\w+) ([0-9.eE+-]+)$", re.MULTILINE)
_SYSTEMD = Path("/run/systemd/system")


def runs(patient: Patient) -> Iterator[Finding]:
    """A desk holds the folder."""
    if patient.db is not None and not patient.running:
        yield finding("not_running", state=patient.state)


def answers(patient: Patient) -> Iterator[Finding]:
    """The desk answers, can write, is sure of its time, sweeps, and nothing piles up."""
    if not patient.running or patient.local is None:
        return
    url = patient.local.url
    try:
        health, metrics = _asked(patient.local)
    except (httpx.HTTPError, LocalError) as error:
        yield finding("no_answer", url=url, why=str(error) or type(error).__name__)
        return
    if health.status_code != httpx.codes.OK:
        yield finding("cannot_write", why=_message(health))
        return
    said = health.json()
    if said.get("clock") != "sure":
        yield finding("clock", note=said.get("clock_note") or said.get("clock"))
    yield from of_numbers({name: float(value) for name, value in _NUMBER.findall(metrics.text)}, patient.now)


def unit(patient: Patient) -> Iterator[Finding]:
    """Where systemd runs the desk of this folder: its unit has not failed and starts with the machine."""
    control = shutil.which("systemctl")
    if control is None or not _SYSTEMD.is_dir() or patient.state.name != "roundsman-desk":
        return
    names = "LoadState,ActiveState,Result,UnitFileState,NRestarts"
    done = subprocess.run(
        [control, "show", UNIT, f"--property={names}"], capture_output=True, text=True, check=False, timeout=10
    )
    yield from of_unit(UNIT, dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line))


def of_unit(name: str, told: dict[str, str]) -> Iterator[Finding]:
    """Find what is wrong with a unit by what `systemctl show` tells of it."""
    if told.get("LoadState") != "loaded":
        return
    if told.get("ActiveState") == "failed":
        yield finding("unit_failed", unit=name, active=told["ActiveState"], result=told.get("Result", ""))
    if told.get("UnitFileState") == "disabled":
        yield finding("unit_off", unit=name)
    if told.get("NRestarts", "0") not in {"", "0"}:
        yield finding("unit_restarts", unit=name, count=told["NRestarts"])


def _asked(local: Local) -> tuple[httpx.Response, httpx.Response]:
    headers = {"Authorization": f"Bearer {local.secret}"}
    with httpx.Client(base_url=local.url, timeout=10.0, trust_env=False, verify=local.verify()) as client:
        return client.get("/healthz", headers=headers), client.get("/metrics", headers=headers)


def of_numbers(said: dict[str, float], now: float) -> Iterator[Finding]:
    """Find what is wrong by the desk's own metrics, without their prefix."""
    if abs(said.get("clock_ahead_seconds", 0.0)) > _OFF:
        yield finding("clock_off", off=f"{abs(said['clock_ahead_seconds']):.0f}")
    if said.get("clock_synchronised") == 0.0:
        yield finding("unsynchronised")
    swept = said.get("last_sweep_timestamp_seconds", 0.0)
    if swept and now - swept > _LATE:
        yield finding("not_swept", age=f"{now - swept:.0f}")
    if said.get("writes_waiting", 0.0) > _WAITING:
        yield finding("writes_wait", count=f"{said['writes_waiting']:.0f}")


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"it answered {answer.status_code}"

"""The units: systemd finds nothing wrong with them, and their exposure stays where it was put."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parent.parent / "systemd"
PROGRAM = "/opt/roundsman/bin/roundsman"
EXPOSURE = {"roundsman-agent.service": 13, "roundsman-desk.service": 13, "roundsman-desk-backup.service": 10}  # tenths


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    return subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_every_unit_has_a_bound_on_its_exposure() -> None:
    assert {path.name for path in UNITS.glob("*.service")} == EXPOSURE.keys()


@pytest.mark.parametrize("unit", EXPOSURE)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: str, tmp_path: Path) -> None:
    """The program is not installed where the tests run, so the copy that is checked names another one."""
    text = (UNITS / unit).read_text(encoding="utf-8")
    assert f"ExecStart={PROGRAM} " in text
    copy = tmp_path / unit
    copy.write_text(text.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    checked = systemd_analyze("verify", "--man=no", str(copy))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_systemd_finds_nothing_wrong_with_the_trap_port_and_the_service_that_gets_it(tmp_path: Path) -> None:
    for unit in ("roundsman-traps.socket", "roundsman-agent.service"):
        text = (UNITS / unit).read_text(encoding="utf-8").replace(PROGRAM, "/bin/true")
        (tmp_path / unit).write_text(text, encoding="utf-8")
    checked = systemd_analyze("verify", "--man=no", str(tmp_path / "roundsman-traps.socket"))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_systemd_finds_nothing_wrong_with_the_timer_of_backups(tmp_path: Path) -> None:
    for unit in ("roundsman-desk-backup.timer", "roundsman-desk-backup.service"):
        text = (UNITS / unit).read_text(encoding="utf-8").replace(PROGRAM, "/bin/true")
        (tmp_path / unit).write_text(text, encoding="utf-8")
    checked = systemd_analyze("verify", "--man=no", str(tmp_path / "roundsman-desk-backup.timer"))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_systemd_finds_nothing_wrong_with_the_desk_for_other_machines(tmp_path: Path) -> None:
    (tmp_path / "roundsman-desk.service.d").mkdir()
    for unit, copy in (("roundsman-desk.service", "."), ("beyond-loopback.conf", "roundsman-desk.service.d")):
        text = (UNITS / unit).read_text(encoding="utf-8").replace(PROGRAM, "/bin/true")
        (tmp_path / copy / unit).write_text(text, encoding="utf-8")
    checked = systemd_analyze("verify", "--man=no", str(tmp_path / "roundsman-desk.service"))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_key_that_systemd_does_not_know_would_be_seen(tmp_path: Path) -> None:
    copy = tmp_path / "wrong.service"
    copy.write_text("[Service]\nExecStart=/bin/true\nProtectHoem=yes\n", encoding="utf-8")
    assert "ProtectHoem" in systemd_analyze("verify", "--man=no", str(copy)).stderr


@pytest.mark.parametrize("unit", EXPOSURE)
def test_the_exposure_of_a_unit_stays_within_its_bound(unit: str) -> None:
    path = str(UNITS / unit)
    checked = systemd_analyze("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE[unit]}", path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr == ""


def test_the_agents_unit_leaves_it_what_it_needs() -> None:
    """What hardening must not take away: serial ports, the host's /proc and its mounts, its folders, its watchdog."""
    lines = set((UNITS / "roundsman-agent.service").read_text(encoding="utf-8").splitlines())
    needed = {
        "Type=notify",
        "WatchdogSec=30",
        "Group=dialout",
        "PrivateDevices=no",
        "DeviceAllow=char-ttyUSB rw",
        "DeviceAllow=char-ttyACM rw",
        "DeviceAllow=char-ttyS rw",
        "ProcSubset=all",
        "ProtectHome=read-only",
        "StateDirectory=roundsman",
        "RuntimeDirectory=roundsman",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    }
    assert needed <= lines

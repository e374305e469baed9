"""The agent's disk full, failing, or read-only: what cannot be kept waits, is kept later, and is told once."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.books import check, sound
from tests.crash.processes import until
from tests.crash.syscalls import Tracer
from tests.crash.world import World

MIB = 1024 * 1024


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world whose agent keeps its state on a disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "agent"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing may be mounted here: {mounted.stderr.strip()}")
    try:
        with World(tmp_path, cold=True) as made:
            made.start()
            made.switch(0, stopped=True)
            until("the first fault has its ticket", made.settled)
            yield made
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(world: World) -> Path:
    """Leave no room on the agent's disk."""
    filler = world.agent_state / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (65_536, 4096, 512, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def failures(world: World) -> float:
    return world.series()["roundsman_journal_failures_total"]


def test_a_full_disk_keeps_what_happens_by_its_reserve(world: World) -> None:
    assert (world.agent_state / "reserve").stat().st_size == MIB // 4
    fill(world)
    for shelf in range(1, 8):
        world.switch(shelf, stopped=True)
    until("everything is kept and told", world.settled)
    assert check(world) == []


def test_a_disk_without_any_room_makes_changes_wait_and_stops_nothing_else(world: World) -> None:
    fillers = []
    shelf = 0
    while not (fillers and failures(world) > 3):
        fillers.append(fill(world))
        shelf = shelf % 7 + 1
        world.switch(shelf, stopped=not world.stopped()[shelf])
        before = world.polled()
        until("polls go on", lambda seen=before: world.polled() != seen)  # type: ignore[misc]
    page = world.series()
    assert page["roundsman_journal_waiting"] >= 1
    assert page['roundsman_device_up{device="shelves"}'] == 1
    assert page['roundsman_device_age_seconds{device="shelves"}'] < 3
    fillers[0].unlink()
    until("everything is kept and told", world.settled)
    assert check(world) == []
    assert (world.agent_state / "reserve").stat().st_size == MIB // 4


@pytest.mark.parametrize(("call", "error"), [("pwrite64", "EROFS"), ("pwrite64", "EIO"), ("fdatasync", "EIO")])
def test_a_disk_that_fails_for_a_while_makes_changes_wait(world: World, call: str, error: str) -> None:
    assert world.agent is not None
    with Tracer(world.agent, call, f"error={error}", world.folder / "strace.log"):
        for shelf in range(1, 5):
            world.switch(shelf, stopped=True)
        world.switch(0, stopped=False)
        until("commits fail", lambda: failures(world) >= 2)
        assert world.series()['roundsman_device_up{device="shelves"}'] == 1
        assert world.series()["roundsman_journal_waiting"] >= 5
    until("everything is kept and told", world.settled)
    assert check(world) == []


def test_an_agent_on_a_read_only_disk_says_so_and_starts_once_it_can_write(world: World) -> None:
    world.kill_agent()
    remount = ["mount", "-o", "remount,ro", str(world.agent_state)]
    subprocess.run(remount, check=True)
    world.switch(1, stopped=True)
    world.start()
    agent = world.agent
    assert agent is not None
    until("the agent has given up", lambda: not agent.alive())
    said = (world.folder / "agent.log").read_text()
    assert "Traceback" not in said
    assert str(world.agent_state) in said.splitlines()[-1]
    subprocess.run([part.replace("ro", "rw") if part == "remount,ro" else part for part in remount], check=True)
    world.start()
    until("everything is kept and told", world.settled)
    assert check(world) == []


@pytest.mark.parametrize(("call", "error"), [("pwrite64", "ENOSPC"), ("fdatasync", "EIO")])
def test_a_desk_whose_disk_fails_takes_nothing_and_then_everything(world: World, call: str, error: str) -> None:
    assert world.desk is not None
    with Tracer(world.desk, call, f"error={error}", world.folder / "strace.log"):
        world.switch(0, stopped=False)
        world.switch(1, stopped=True)
        until("the agent knows", lambda: world.standing() == world.stopped())
        until("the desk refuses", lambda: world.series()["roundsman_outbox_failures_total"] >= 2)
        assert sound(world) == []
        until("it has counted both at its next try", lambda: world.series()["roundsman_outbox_depth"] >= 2)
    until("everything is told", world.settled)
    assert check(world) == []

"""The trends on a real disk of 4 MiB that fills up: history gives way, says it once, and is kept again with room."""

import logging
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import trend_store
from agent.trends import Trends
from model.alarm import Now
from model.point import Point, Reading
from model.quantity import Quantity
from model.trend import SendHistory

T0 = 20_000 * 86_400.0
DISK = 4 << 20
SPARE = DISK // 20
CHANCE = random.Random(5)
POINTS = [Point("ups", f"p{n}", Quantity.MAINS_VOLTAGE, "p") for n in range(20)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"nothing may be mounted here: {mounted.stderr.strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def put(kept: Trends, at: float) -> None:
    noise = [Reading(point, CHANCE.random(), at) for point in POINTS]
    kept.take(tuple(noise), Now(at, T0 + at), certain=True)


def free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def test_history_gives_way_before_the_disk_is_full_and_comes_back(
    disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(trend_store, "LONG", 200_000)
    kept = Trends(disk / "trends", "boot", Now(0.0, T0))
    at = 0.0

    def live(rows: int) -> None:
        nonlocal at
        for _ in range(rows):
            at += 10.0
            put(kept, at)
        kept.write()
        kept.tend()

    for _ in range(10):
        live(1000)
    had = kept.store().used
    assert had > 300_000
    other = disk / "core"
    other.write_bytes(b"x" * (free(disk) - SPARE // 4))  # somebody else fills the disk
    with caplog.at_level(logging.WARNING):
        live(100)
        assert free(disk) >= SPARE
        assert kept.store().used < had
        while kept.store().size(trend_store.DETAIL) and free(disk) > 4096:  # and goes on, to the last byte
            with other.open("ab") as file:
                file.write(b"x" * min(SPARE, free(disk) - 4096))
            kept.write()
            live(10)
        with other.open("ab") as file:
            file.write(b"x" * max(0, free(disk) - 4096))
        for _ in range(3):
            put(kept, at + 1.0)
            kept.write()
        assert [r.levelname for r in caplog.records] == ["ERROR"]
        other.unlink()
        live(50)
    assert caplog.records[-1].getMessage() == "the history is kept again"
    last = kept.report(SendHistory(0, "ups", "p3", T0 + at - 400.0, T0 + at + 1.0))
    assert last.times[-1] == T0 + at

"""A real desk under a wall clock that the test sets, and in a boot that the test names.

libfaketime moves the wall clock and leaves CLOCK_BOOTTIME alone; a mount namespace shows another boot id. The desk's
own HTTP and its file say what it did.
"""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from desk.enrol import enrol
from desk.kept import record_of
from desk.proof import check_books
from model.change import Change
from model.service.record import Record
from tests.desk_world import change
from tests.peers.house import PATIENCE, until

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class FakeClock:
    """The wall clock that a program under `environment` sees: set by `days`."""

    def __init__(self, folder: Path) -> None:
        found = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        if found is None:
            pytest.skip("libfaketime is not installed (Debian package faketime)")
        self._file = folder / "faketime"
        self.environment = {
            "LD_PRELOAD": str(found),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.set(0)

    def set(self, days: float) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{days:+g}d\n", encoding="ascii")
        fresh.replace(self._file)


def in_boot(boot: Path | None) -> list[str]:
    """Return what stands before a command so that it finds another boot id."""
    if boot is None:
        return []
    return ["unshare", "--mount", "sh", "-c", f'mount --bind "{boot}" {BOOT_ID} && exec "$@"', "sh"]


class Program:
    """A `roundsman` command, or another module's, in a process of its own, under a fake clock."""

    def __init__(
        self, clock: FakeClock, log: Path, *words: str, boot: Path | None = None, module: str = "roundsman"
    ) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*in_boot(boot), sys.executable, "-m", module, *words],
                env={**os.environ, **clock.environment},
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


class RealDesk:
    """A desk of one state folder, started and stopped; one agent that speaks to it over HTTP."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.folder = folder
        self.clock = clock
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=20)
        self.program: Program | None = None
        self.headers: dict[str, str] = {}
        self.seq = 0

    def start(self, boot: Path | None = None) -> None:
        words, module = (str(self.folder), str(self.port)), "tests.clock_desk_quick"
        log = self.folder.parent / "desk.log"
        program = self.program = Program(self.clock, log, *words, boot=boot, module=module)

        def answers() -> bool:
            assert program.process.poll() is None, program.said()
            with contextlib.suppress(httpx.TransportError):
                return self.client.get("/healthz").status_code == 200
            return False

        until(answers, "the desk's first answer")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self.program is not None
        self.program.stop(how)

    def join(self) -> None:
        code = enrol(self.folder, "S1", name="Hall 1", contract="telecom-transmission", region="prd").partition("#")[2]
        answer = self.client.post("/api/v1/enrol", json={"code": code, "agent": "agent-0001", "version": "1"})
        self.headers = {"Authorization": f"Bearer {answer.json()['token']}"}

    def send(self, *changes: Change) -> None:
        events = [{"seq": self.seq + n, "age": 0.0, "body": body} for n, body in enumerate(changes, start=1)]
        self.seq += len(changes)
        request = {"agent": "agent-0001", "epoch": "one", "oldest": 1, "wall": 0.0, "events": events}
        body = msgspec.json.encode(request)
        answer = self.client.post("/api/v1/events", content=body, headers=self.headers)
        assert answer.json()["acked"] == self.seq, answer.text

    def fault(self, device: str) -> None:
        """A fault that opens a ticket now."""
        self.send(change(device=device, episode=str(uuid.uuid4())))

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get("/healthz").json()
        return found

    def trusts(self, trust: str) -> None:
        until(lambda: self.health()["clock"] == trust, f"the trust {trust}; {self.health()}")

    def metric(self, name: str) -> float:
        text = self.client.get("/metrics").text
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")))

    def looked_around(self) -> None:
        """Wait until the desk has done everything that is due, a few times."""
        done = self.metric("roundsman_desk_writes_total")
        until(lambda: self.metric("roundsman_desk_writes_total") > done + 2, "the desk's own looks")

    def record(self, number: int) -> Record:
        """A ticket as the desk keeps it; its books are right."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/desk.sqlite?mode=ro", uri=True)) as db:
            assert check_books(db) == []
            found = record_of(db, number)
        assert found is not None
        return found

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/desk.sqlite?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()

    def fired(self) -> list[tuple[Any, ...]]:
        """Every step of a clock that took place: ticket, clock, step."""
        return self.rows("SELECT ticket, clock, step FROM fired ORDER BY 1, 2, 3")

    def heard(self) -> list[str]:
        """What the audit says of the clock."""
        return [row[0] for row in self.rows("SELECT what FROM audit WHERE what LIKE 'clock%' ORDER BY id")]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `roundsman desk WORDS` beside it, under the same clock."""
        return subprocess.run(
            [sys.executable, "-m", "roundsman", "desk", *words, "--state", str(self.folder)],
            env={**os.environ, **self.clock.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@contextlib.contextmanager
def a_real_desk(tmp_path: Path) -> Iterator[RealDesk]:
    """A desk under a fake clock, with a site whose agent has two tickets open; stopped at the end."""
    desk = RealDesk(tmp_path / "desk", FakeClock(tmp_path))
    desk.folder.mkdir()
    try:
        desk.start()
        desk.join()
        desk.fault("ups")
        desk.fault("rectifier")
        yield desk
    finally:
        if desk.program is not None and desk.program.process.poll() is None:
            desk.program.stop(signal.SIGKILL)
        desk.client.close()

"""A real desk and a real agent, each a process of its own as its users start it, in a folder of the test's."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds anything may take on a busy machine


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], T | None], what: str = "it", *, patience: float = PATIENCE) -> T:
    """Return the first true answer of `look`; fails with `what` and the last answer when none comes."""
    end = time.monotonic() + patience
    pause = socket.socketpair()  # a pause between looks without a sleep that could be mistaken for a wait
    pause[0].settimeout(0.05)
    try:
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not seen within {patience:g} s; last seen: {found!r}")
            with contextlib.suppress(TimeoutError):
                pause[0].recv(1)
    finally:
        for end_of_pair in pause:
            end_of_pair.close()


class House:
    """Desk and agent of one site. `site` is the site file's text after its first three sections."""

    def __init__(self, folder: Path, site: str, *, contract: str = "demo") -> None:
        self.folder = folder
        self.port = free_port()
        self.metrics_port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.site_file = folder / "site.yaml"
        self.site_file.write_text(
            f"site: {{id: house, name: House, contract: {contract}, region: west_east}}\n"
            f"agent: {{state: agent, metrics: 127.0.0.1:{self.metrics_port}, control: agent/control.sock}}\n"
            f'desk: {{url: "http://127.0.0.1:{self.port}", token_file: desk.token}}\n' + site
        )

    def run(self, *words: str, ok: bool = True) -> str:
        """Run a roundsman command to its end; returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "roundsman", *words], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert not ok or done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a roundsman command that goes on; its log is NAME.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "roundsman", *words],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self.processes[name] = process
        return process

    def start_desk(self) -> None:
        """Start the desk and wait until it answers."""
        state = self.folder / "desk"
        (state / "local.json").unlink(missing_ok=True)
        self.start("desk", "desk", "--state", str(state), "--listen", f"127.0.0.1:{self.port}")
        until((state / "local.json").exists)

    def join(self) -> None:
        """Enrol the site and redeem the line."""
        line = self.run(
            "desk", "enrol", "house", "--state", str(self.folder / "desk"), "--contract", "demo", "--region", "rest"
        ).strip()
        self.run("join", line, "--site", str(self.site_file))

    def start_agent(self) -> None:
        """Start the agent and wait until it answers on its control socket."""
        (self.folder / "agent" / "control.sock").unlink(missing_ok=True)
        self.start("agent", "agent", "--site", str(self.site_file))
        until((self.folder / "agent" / "control.sock").exists)

    def stop(self, name: str, *, kill: bool = False) -> int:
        """End a process and return its status."""
        process = self.processes.pop(name)
        process.kill() if kill else process.terminate()
        return process.wait(PATIENCE)

    def tickets(self) -> list[dict[str, Any]]:
        """Return every ticket of the desk."""
        printed = self.run("tickets", "--all", "--json", "--state", str(self.folder / "desk"))
        return [json.loads(line) for line in printed.splitlines()]

    def alarms(self) -> list[dict[str, Any]]:
        """Return the agent's alarms."""
        printed = self.run("alarms", "--all", "--json", "--site", str(self.site_file))
        return [json.loads(line) for line in printed.splitlines()]

    def readings(self, device: str) -> dict[str, dict[str, Any]]:
        """Return a device's readings by point, as `read --json` prints them."""
        printed = self.run("read", device, "--json", "--site", str(self.site_file), ok=False)
        return {row["point"]: row for row in map(json.loads, printed.splitlines())}

    def metrics(self) -> str:
        """Return the agent's /metrics page."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as reply:
            return str(reply.read().decode())

    def log(self, name: str) -> str:
        """Return what a process has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")


@contextlib.contextmanager
def house(folder: Path, site: str) -> Iterator[House]:
    """Run desk and agent, joined, and end them."""
    folder.mkdir(exist_ok=True)
    here = House(folder, site)
    try:
        here.start_desk()
        here.join()
        here.start_agent()
        yield here
    finally:
        for process in here.processes.values():
            process.kill()
            process.wait()

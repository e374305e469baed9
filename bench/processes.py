"""Processes that are measured: started, ended, and what they have cost so far."""

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

START_LIMIT = 30.0  # seconds a process may take to be there
MIB = 1024 * 1024


class BenchError(Exception):
    """What is measured did not come up; the text has its own last words."""


class Child:
    """A context: the process lives within it. What it says is kept in a file."""

    def __init__(self, name: str, words: Sequence[str], folder: Path, *, talk: bool = False) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        pipe = subprocess.PIPE if talk else subprocess.DEVNULL
        self.began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe if talk else log, stderr=log, cwd=ROOT)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Ask the process to end; kill it when it does not."""
        self.stop(signal.SIGTERM)

    def stop(self, sign: signal.Signals) -> None:
        """Give the process a signal that ends it, and wait until it has ended; kill it when it does not."""
        self._process.send_signal(sign)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def said(self, words: bytes) -> bool:
        """Say whether the process has logged these words."""
        return words in self.log.read_bytes()[self._said_before :]

    def until(self, there: Callable[[], bool], *, every: float = 0.02) -> float:
        """Wait until it is there; returns the seconds since the process was started."""
        while not there():
            if self._process.poll() is not None or time.monotonic() - self.began > START_LIMIT:
                said = self.log.read_text(errors="replace").strip()[-1000:]
                raise BenchError(f"{self.name} did not come up: {said}")
            time.sleep(every)
        return time.monotonic() - self.began

    @property
    def words(self) -> IO[bytes]:
        """Return what a child that talks prints."""
        if self._process.stdout is None:
            raise BenchError(f"{self.name} does not talk")
        return self._process.stdout

    def say(self, line: str) -> str:
        """Give a child that talks a line, and return its answer."""
        if self._process.stdin is None:
            raise BenchError(f"{self.name} does not listen")
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        return self.words.readline().decode().strip()

    def cpu(self) -> float:
        """Return the CPU seconds that all its threads, ended ones too, have used: the kernel's clock of a process."""
        return time.clock_gettime((~self.pid << 3) | 2)  # clock_getcpuclockid(3) of another process

    def memory(self) -> tuple[float, float]:
        """Return resident and unique memory in MiB."""
        found = psutil.Process(self.pid).memory_full_info()
        return found.rss / MIB, found.uss / MIB


def python(*words: str) -> list[str]:
    """Return the command line of a module in this environment."""
    return [sys.executable, "-m", *words]


def scrape(port: int, path: str = "/metrics") -> str:
    """Return a page of 127.0.0.1. Raises OSError or HTTPException."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        asking.request("GET", path)
        answer = asking.getresponse()
        page = answer.read().decode()
    finally:
        asking.close()
    if answer.status != 200:
        raise OSError(f"{path} answered {answer.status}: {page[:200]}")
    return page


def answers(port: int, path: str = "/metrics") -> bool:
    """Say whether a page is there."""
    try:
        scrape(port, path)
    except (OSError, http.client.HTTPException):
        return False
    return True


def series(page: str) -> int:
    """Return how many series a page has."""
    return sum(1 for line in page.splitlines() if line and not line.startswith("#"))


ROOT = Path(__file__).parent.parent

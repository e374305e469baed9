"""The parts of a run as processes of their own, a few side by side, each saying how far it is."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

Running = subprocess.Popen[str]
AT_ONCE = 1 + (os.cpu_count() or 1)  # they wait more than they work


@dataclass
class Job:
    """A part: its name and the words of its command line."""

    name: str
    words: Sequence[str]
    said: list[str] = field(default_factory=list)
    status: int | None = None
    began: float = 0.0


def run(jobs: Sequence[Job], *, at_once: int = AT_ONCE) -> list[Job]:
    """Run every job and print what each says; return those that failed."""
    waiting = list(jobs)
    running: dict[Running, Job] = {}
    chosen = selectors.DefaultSelector()
    began = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                job = waiting.pop(0)
                child = _started(job)
                running[child] = job
                chosen.register(child.stdout, selectors.EVENT_READ, child)  # type: ignore[arg-type]
            for key, _ in chosen.select(1.0):
                child = key.data
                line = child.stdout.readline()
                if line:
                    _say(running[child], line.rstrip(), began)
                    continue
                chosen.unregister(child.stdout)
                job = running.pop(child)
                job.status = child.wait()
                child.stdout.close()
                _say(job, f"{'good' if not job.status else 'FAILED'} ({time.monotonic() - job.began:.0f} s)", began)
    finally:
        for child in running:
            child.terminate()  # it ends what it started and takes its folder away
            child.wait()
        chosen.close()
    return [job for job in jobs if job.status]


def _started(job: Job) -> Running:
    job.began = time.monotonic()
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.crash", *job.words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _say(job: Job, line: str, began: float) -> None:
    job.said.append(line)
    print(f"{time.monotonic() - began:5.0f} s  {job.name:<30}  {line}", flush=True)

"""Jobs that may hang for ever, such as asking a dead NFS mount, in a thread that may be abandoned.

One thread runs the jobs of a round, one after the other. When a job gives no answer for `patience` seconds its thread
is left behind and a new one takes the rest of the round. A job left behind is not run again until it has come back, so
one dead mount costs one thread, however often it is asked. The threads are daemons: they never hold up the end of the
program.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class HangingError(Exception):
    """A job that has not come back."""


class Round(Generic[T]):
    """The jobs of one thread and what came of them; `current` is the job that runs, since `started`."""

    def __init__(self, jobs: Mapping[str, Callable[[], T]]) -> None:
        self.jobs = jobs
        self.outcomes: dict[str, T | Exception] = {}
        self.current = ""
        self.started = time.monotonic()
        self.abandoned = False
        self.done: Future[None] = Future()


class Worker(Generic[T]):
    """Runs rounds of named jobs and remembers which of them still hang."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._lock = threading.RLock()
        self._hanging: set[str] = set()

    @property
    def hanging(self) -> frozenset[str]:
        """The names of the jobs that have not come back."""
        with self._lock:
            return frozenset(self._hanging)

    async def run(self, jobs: Mapping[str, Callable[[], T]]) -> dict[str, T | Exception]:
        """Run the jobs; return each one's result, what it raised, or HangingError. It never raises for a job."""
        outcomes: dict[str, T | Exception] = {}
        waiting = dict(jobs)
        while waiting := {name: job for name, job in waiting.items() if name not in outcomes}:
            out = self.hanging & waiting.keys()
            outcomes |= {name: HangingError("gives no answer; it is asked again when it has come back") for name in out}
            fresh = {name: job for name, job in waiting.items() if name not in out}
            if fresh:
                outcomes |= await self._round(Round(fresh))
        return outcomes

    async def _round(self, work: Round[T]) -> dict[str, T | Exception]:
        """Run one thread until it is done or hangs; return what came of it till then."""
        threading.Thread(target=self._thread, args=(work,), name="host collector", daemon=True).start()
        done = asyncio.wrap_future(work.done)
        try:
            while (left := self._left(work)) > 0:
                await asyncio.wait({done}, timeout=left)
        finally:  # also when our caller gives up: the job that runs must not be run twice at a time
            self._abandon(work)
        return work.outcomes

    def _left(self, work: Round[T]) -> float:
        """Return for how long a round is worth waiting: 0 when it is done; a job out of patience leaves it behind."""
        with self._lock:
            left = work.started + self.patience - time.monotonic()
            if left <= 0:
                self._abandon(work)
            return 0.0 if work.done.done() else left

    def _abandon(self, work: Round[T]) -> None:
        """Leave the thread of a round that is not done to itself."""
        with self._lock:
            if not work.done.done() and not work.abandoned:
                work.abandoned = True
                self._hanging.add(work.current)

    def _thread(self, work: Round[T]) -> None:
        for name, job in work.jobs.items():
            with self._lock:
                if work.abandoned:
                    self._hanging.discard(work.current)
                    return
                work.current, work.started = name, time.monotonic()
            try:
                outcome: T | Exception = job()
            except Exception as error:  # whatever a job raises is its outcome, and the next one runs
                outcome = error
            with self._lock:
                if work.abandoned:
                    self._hanging.discard(name)
                    return
                work.outcomes[name] = outcome
        with self._lock:
            work.done.set_result(None)

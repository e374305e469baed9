"""When things run: APScheduler for what is periodic and slow, and a watchman beside every engine.

Timing, counting and catching happen here, once, around every collector: a collection that takes longer than it may is
reported as hung and never waited for by another; an engine that ends by an error is started again after a pause.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from agent.own_metrics import OwnMetrics
from model.point import Batch
from runtime.clock import now

PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before an engine that failed is started again, doubling
SHORTEST_LIMIT = 10.0  # seconds: no collection is called hung sooner
log = logging.getLogger("roundsman.schedule")
Collect = Callable[[], Awaitable[Batch]]
Emit = Callable[[Batch], None]


class Schedule:
    """Owns the scheduler and the engines' tasks."""

    def __init__(self, metrics: OwnMetrics) -> None:
        self._metrics = metrics
        self._scheduler = AsyncIOScheduler(
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}, timezone="UTC"
        )
        self._engines: dict[str, asyncio.Task[None]] = {}
        self._hung: dict[str, asyncio.Future[Batch]] = {}

    def start(self) -> None:
        """Begin to run what is due."""
        self._scheduler.start()

    async def stop(self) -> None:
        """End the engines and the scheduler; a collection that hangs is left behind."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await self.end_engines()

    def every(self, seconds: float, name: str, do: Callable[[], Awaitable[None]], *, soon: bool = False) -> None:
        """Run `do` every so many seconds, the first time after a random part of it (spread starts), or at once."""
        first = 0.0 if soon else random.uniform(0.0, min(seconds, 10.0))  # noqa: S311 - a spread, not a secret
        self._scheduler.add_job(
            do,
            "interval",
            seconds=seconds,
            id=name,
            replace_existing=True,
            next_run_time=datetime.now(UTC) + timedelta(seconds=first),
        )

    def collector(self, name: str, device: str, every: float, collect: Collect, emit: Emit) -> None:
        """Run a collector periodically, the first time at once."""

        async def once() -> None:
            await self._collect(name, device, max(every, SHORTEST_LIMIT), collect, emit)

        self.every(every, f"collector {name}", once, soon=True)

    def forget(self, name: str) -> None:
        """Take a collector off the schedule."""
        if self._scheduler.get_job(f"collector {name}") is not None:
            self._scheduler.remove_job(f"collector {name}")

    def clock_jumped(self) -> None:
        """Plan everything anew from the wall clock as it is: a clock set back must not make jobs wait for it."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    def engine(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Keep an engine running until `end_engines`; there is one of each name."""
        if name in self._engines:
            raise ValueError(f"engine {name} runs already")
        self._engines[name] = asyncio.create_task(self._kept_running(name, run), name=name)

    async def end_engines(self) -> None:
        """End every engine and wait for their ends."""
        tasks = list(self._engines.values())
        self._engines.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _collect(self, name: str, device: str, limit: float, collect: Collect, emit: Emit) -> None:
        """Collect once, within the limit; what hangs is reported and asked for its answer the next time."""
        began = time.perf_counter()
        asked = self._hung.pop(name, None) or asyncio.ensure_future(collect())
        done, _ = await asyncio.wait({asked}, timeout=limit)
        if not done:
            self._hung[name] = asked
            self._metrics.hung.labels(name).set(1)
            emit(Batch(device, now().boot, (), reachable=False, error=f"no result for {limit:g} s; it may be stuck"))
            return
        self._metrics.hung.labels(name).set(0)
        self._metrics.collect.labels(name).observe(time.perf_counter() - began)
        problem = asked.exception()
        if problem is None:
            emit(asked.result())
            return
        log.error("collector %s failed", name, exc_info=problem)
        emit(Batch(device, now().boot, (), reachable=False, error=f"{type(problem).__name__}: {problem}"))

    async def _kept_running(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        pause = PAUSE
        while True:
            began = time.monotonic()
            try:
                await run()
                log.error("engine %s ended by itself; starting it again", name)
            except Exception:
                log.exception("engine %s failed; starting it again", name)
            pause = PAUSE if time.monotonic() - began > LONGEST_PAUSE else min(LONGEST_PAUSE, pause * 2)
            self._metrics.restarts.labels(name).inc()
            await asyncio.sleep(pause)

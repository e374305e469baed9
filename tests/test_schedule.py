"""A collection that hangs or fails never stops another; an engine that fails is started again."""

import asyncio

import pytest

import agent.schedule
from agent.own_metrics import OwnMetrics
from agent.schedule import Schedule
from model.point import Batch


async def test_a_hung_collector_is_reported_and_never_waited_for_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.schedule, "SHORTEST_LIMIT", 0.05)
    metrics = OwnMetrics("1")
    schedule = Schedule(metrics)
    released = asyncio.Event()
    seen: dict[str, list[Batch]] = {"stuck": [], "well": []}
    enough = {"stuck": asyncio.Event(), "well": asyncio.Event()}

    answered = asyncio.Event()

    def emit(batch: Batch) -> None:
        seen[batch.device].append(batch)
        if batch.device == "stuck" and batch.reachable:
            answered.set()
        if len(seen[batch.device]) >= 3:
            enough[batch.device].set()

    async def stuck() -> Batch:
        await released.wait()
        return Batch("stuck", 1.0, ())

    async def well() -> Batch:
        return Batch("well", 1.0, ())

    schedule.collector("stuck", "stuck", 0.05, stuck, emit)
    schedule.collector("well", "well", 0.05, well, emit)
    schedule.start()
    async with asyncio.timeout(20):
        await enough["well"].wait()
        await enough["stuck"].wait()
    assert all(batch.reachable for batch in seen["well"])
    assert not any(batch.reachable for batch in seen["stuck"])
    assert "it may be stuck" in seen["stuck"][0].error
    assert metrics.registry.get_sample_value("roundsman_collector_hung", {"collector": "stuck"}) == 1
    released.set()
    async with asyncio.timeout(20):
        await answered.wait()
    assert metrics.registry.get_sample_value("roundsman_collector_hung", {"collector": "stuck"}) == 0
    await schedule.stop()


async def test_a_collector_that_fails_gives_an_unreachable_batch_with_the_reason() -> None:
    schedule = Schedule(OwnMetrics("1"))
    first: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()

    async def broken() -> Batch:
        raise RuntimeError("no such sensor")

    schedule.collector("broken", "d", 60, broken, lambda batch: None if first.done() else first.set_result(batch))
    schedule.start()
    async with asyncio.timeout(20):
        batch = await first
    assert (batch.reachable, batch.error) == (False, "RuntimeError: no such sensor")
    await schedule.stop()


async def test_an_engine_that_fails_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.schedule, "PAUSE", 0.001)
    metrics = OwnMetrics("1")
    schedule = Schedule(metrics)
    third = asyncio.Event()
    starts = 0

    async def engine() -> None:
        nonlocal starts
        starts += 1
        if starts == 3:
            third.set()
            await asyncio.Event().wait()
        raise RuntimeError("broken")

    schedule.engine("e", engine)
    async with asyncio.timeout(20):
        await third.wait()
    assert metrics.registry.get_sample_value("roundsman_collector_restarts_total", {"collector": "e"}) == 2
    await schedule.stop()

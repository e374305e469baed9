"""A collector that hangs stops no other: it is reported, waited for by nobody, and taken up again when it ends."""

import asyncio
from pathlib import Path

from agent.own_metrics import OwnMetrics
from agent.schedule import Schedule
from model.point import Batch
from tests.crash.processes import until
from tests.crash.world import World


async def test_a_collection_that_hangs_is_reported_and_another_goes_on() -> None:
    metrics = OwnMetrics("0")
    schedule = Schedule(metrics)
    taken: asyncio.Queue[Batch] = asyncio.Queue()
    stuck = asyncio.Event()
    begun = 0

    async def hangs() -> Batch:
        nonlocal begun
        begun += 1
        await stuck.wait()
        return Batch("dead-mount", 2.0, ())

    async def lives() -> Batch:
        return Batch("alive", 1.0, ())

    hanging = asyncio.create_task(schedule._collect("a", "dead-mount", 0.05, hangs, taken.put_nowait))
    await schedule._collect("b", "alive", 10.0, lives, taken.put_nowait)
    assert (await taken.get()).device == "alive"
    await hanging
    reported = await taken.get()
    assert (reported.device, reported.reachable) == ("dead-mount", False)
    assert "stuck" in reported.error
    assert metrics.registry.get_sample_value("roundsman_collector_hung", {"collector": "a"}) == 1
    await schedule._collect("a", "dead-mount", 0.05, hangs, taken.put_nowait)
    assert not (await taken.get()).reachable
    stuck.set()
    await schedule._collect("a", "dead-mount", 10.0, hangs, taken.put_nowait)
    assert (await taken.get()).reachable
    assert begun == 1
    assert metrics.registry.get_sample_value("roundsman_collector_hung", {"collector": "a"}) == 0


def test_a_silent_card_stops_neither_the_host_nor_the_desk_nor_metrics(tmp_path: Path) -> None:
    with World(tmp_path, cold=True, extra="host: {every: 1s}\n") as world:
        world.start()
        until("the card is read", lambda: world.polled() >= 1)
        world.silence(silent=True)
        up = 'roundsman_device_up{device="shelves"}'
        until("the card counts as silent", lambda: world.series().get(up) == 0)
        before = world.series()['roundsman_batches_total{collector="host"}']
        until("the host is read on", lambda: world.series()['roundsman_batches_total{collector="host"}'] >= before + 2)
        assert world.series()['roundsman_device_age_seconds{device="host"}'] < 3
        unreachable = "SELECT state FROM tickets WHERE condition = 'crash-1/shelves/-/device.unreachable'"
        until("its ticket is open", lambda: world.books(unreachable) == [("open",)])
        world.silence(silent=False)
        until("its ticket is resolved", lambda: world.books(unreachable) == [("resolved",)], 60)

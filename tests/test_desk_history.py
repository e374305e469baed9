"""The desk asks a site for a point's history: whatever its clock does, and no more than it can keep."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from desk.history import AGAIN, LARGEST, Which, ask, last
from model.alarm import Now
from model.trend import MOST, HistoryReport
from tests.desk_world import Speaker, World, a_desk

WHICH = Which("S1", "ups", "a", "6h")
ANSWER = HistoryReport(0, "ups", "a", 0.0, 21_600.0, "V", times=(1.0, 2.0), means=(5.0, None))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


async def asked(world: World, agent: Speaker) -> int:
    """Have somebody look at the page; returns the last request that the site is given."""
    await ask(world.desk, WHICH)
    found = await agent.commands()
    return int(found[-1]["id"]) if found else 0


async def shown(world: World) -> float | None:
    """Return how old the page says that its history is."""
    found = await world.desk.store.read(lambda db: last(db, WHICH, world.desk.timekeeper.now()))
    return found.old if found else None


async def test_what_was_asked_a_moment_ago_is_not_asked_again_and_what_did_not_come_is(world: World) -> None:
    agent = await world.agent()
    first = await asked(world, agent)
    world.clock.on(AGAIN - 1)
    assert await asked(world, agent) == first
    world.clock.on(2)
    assert await asked(world, agent) > first > 0


@pytest.mark.parametrize("days", [-30, 30])
async def test_a_wall_clock_that_is_set_under_the_running_desk_stops_no_history(world: World, days: int) -> None:
    agent = await world.agent()
    first = await asked(world, agent)
    assert (await agent.post("history", replace(ANSWER, command=first))).status_code == 204
    world.clock.now = Now(world.clock.now.boot, world.clock.now.wall + days * 86_400.0)
    world.clock.on(60)
    assert await shown(world) == 60
    assert await asked(world, agent) > first


async def test_a_history_that_was_kept_under_a_clock_that_is_put_right_since_is_asked_for_anew(world: World) -> None:
    agent = await world.agent()
    first = await asked(world, agent)
    assert (await agent.post("history", replace(ANSWER, command=first))).status_code == 204
    await world.desk.store.write(
        lambda db: db.execute("UPDATE histories SET asked = asked + 2592000, received = received + 2592000")
    )
    assert await asked(world, agent) > first


async def test_an_answer_is_bounded_in_samples_and_in_bytes(world: World) -> None:
    agent = await world.agent()
    given = replace(ANSWER, command=await asked(world, agent))
    many = tuple(float(n) for n in range(2 * MOST + 1))
    assert (await agent.post("history", replace(given, times=many, means=many))).status_code == 413
    words = (("x" * LARGEST,), ("y",))
    assert (await agent.post("history", replace(given, means=(), words=words))).status_code == 413
    assert await shown(world) is None
    assert (await agent.post("history", replace(given, times=many[1:], means=many[1:]))).status_code == 204
    assert await shown(world) == 0

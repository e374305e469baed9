"""What the desk does by itself: it forgets what grew old, and no fault of one look or one site stops it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.past import HISTORY
from desk.rounds import ask_for_readings
from desk.sweep import Sweep
from desk.tickets import command
from model.protocol import SendReadings
from tests.desk_world import World, a_desk, change
from tests.stores import of_a_file


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


@of_a_file
async def test_a_tickets_history_does_not_read_the_whole_audit(world: World) -> None:
    plan = [row["detail"] for row in await world.rows(f"EXPLAIN QUERY PLAN {HISTORY}", 1)]
    assert any("audit_of_episode" in step for step in plan), plan
    assert not any(step.startswith("SCAN audit") for step in plan), plan


async def test_commands_that_expired_go_and_ids_still_rise(world: World) -> None:
    agent = await world.agent()
    await ask_for_readings(world.desk, "S1")
    world.clock.on(60)
    await ask_for_readings(world.desk, "S1")
    first, last = await world.rows("SELECT id FROM commands ORDER BY id")
    assert len(await agent.commands()) == 2
    world.clock.on(4000)
    await Sweep(world.desk).look()
    assert await world.rows("SELECT id FROM commands") == [last]
    back = world.clock().wall - 5000  # a wall clock that was set back
    fresh = await world.desk.store.write(lambda db: command(db, "S1", SendReadings(0), back, 120.0))
    assert fresh > last["id"] > first["id"]


async def test_an_acknowledgement_that_waits_for_its_agent_does_not_go(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    await ask_for_readings(world.desk, "S1")
    world.clock.on(2 * 86_400)
    await Sweep(world.desk).look()
    assert [told["type"] for told in await agent.commands()] == ["acknowledge"]


async def test_what_was_put_out_for_connectors_goes_after_a_month(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    world.clock.on(31 * 86_400)
    await agent.send(change(device="b", episode="e2"))
    await Sweep(world.desk).look()
    told = await world.rows("SELECT ticket FROM connector_outbox WHERE reason = 'opened' ORDER BY id")
    assert 1 not in [row["ticket"] for row in told]
    assert told


async def test_a_look_that_fails_is_not_the_last_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.desk, "settings", type(world.desk.settings)(state=world.desk.settings.state, sweep=0.001))
    sweep, stop, looks = Sweep(world.desk), asyncio.Event(), 0
    look = sweep.look

    async def failing() -> None:
        nonlocal looks
        looks += 1
        if looks == 1:
            raise KeyError("an agent that was retired meanwhile")
        await look()
        stop.set()

    monkeypatch.setattr(sweep, "look", failing)
    async with asyncio.timeout(10):
        await sweep.run(stop)
    assert looks == 2

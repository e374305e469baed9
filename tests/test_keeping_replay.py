"""After a restore nobody is called and nothing escalates before the agents have told what the desk forgot."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from desk.keeping_replay import LONGEST
from desk.sweep import Sweep
from model.alarm import AlarmState, Kind
from tests.desk_world import Speaker, World, a_desk, change, cleared, later

BREACH = "restore/2 breach"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


async def overdue_in_a_restored_desk(world: World) -> tuple[Speaker, Sweep]:
    """Open a ticket, let its limits go by, and be a desk that was put back then."""
    agent = await world.agent()
    await agent.send(change())
    world.clock.on(3 * 3600.0)
    sql = "INSERT INTO restores (at, made, source, before) VALUES (1, 1, 'b', 'one')"
    await world.desk.store.write(lambda db: db.execute(sql))
    world.desk.started = world.clock().boot
    return agent, Sweep(world.desk)


async def fired(world: World) -> set[str]:
    return {f"{row['clock']} {row['step']}" for row in await world.rows("SELECT clock, step FROM fired")}


async def test_what_is_due_waits_until_every_agent_was_heard_and_has_told_all(world: World) -> None:
    agent, sweep = await overdue_in_a_restored_desk(world)
    await sweep.look()
    assert BREACH not in await fired(world)
    world.clock.on(10)
    agent.seq = 5  # it has more than the desk
    await agent.beat()
    await sweep.look()
    assert BREACH not in await fired(world)
    assert (await world.rows("SELECT replayed FROM restores")) == [{"replayed": None}]
    agent.seq = 1
    await agent.beat()
    await sweep.look()
    assert BREACH in await fired(world)
    assert (await world.rows("SELECT replayed FROM restores"))[0]["replayed"] == world.clock().wall
    assert "replayed" in await world.audit()


async def test_a_fault_that_was_over_before_its_limit_breaches_nothing_once_its_agent_told_so(world: World) -> None:
    agent, sweep = await overdue_in_a_restored_desk(world)
    await sweep.look()
    await agent.send(cleared(change()), age=2 * 3600.0)
    await agent.beat()
    await sweep.look()
    (ticket,) = await world.tickets()
    assert ticket["state"] == "resolved"
    assert BREACH not in await fired(world)


async def test_a_site_that_is_away_holds_up_nobody_for_long(world: World) -> None:
    _, sweep = await overdue_in_a_restored_desk(world)
    world.clock.on(LONGEST - 1)
    await sweep.look()
    assert BREACH not in await fired(world)
    world.clock.on(1)
    await sweep.look()
    assert BREACH in await fired(world)


async def test_a_desk_that_was_not_restored_waits_for_nobody(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    world.clock.on(3 * 3600.0)
    await Sweep(world.desk).look()
    assert BREACH in await fired(world)


async def test_an_acknowledgement_that_a_site_tells_anew_counts_when_it_was_given_there(world: World) -> None:
    agent, _ = await overdue_in_a_restored_desk(world)
    taken = later(
        change(), Kind.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED, acknowledged_by="Chen", acknowledged_wall=1200.0
    )
    await agent.send(replace(taken, wall=1200.0), age=2 * 3600.0)
    (ticket,) = await world.tickets()
    assert (ticket["acknowledged_by"], ticket["acknowledged"]) == ("Chen", world.clock().wall - 2 * 3600.0)


async def test_a_snapshot_tells_by_the_sites_clock_when_an_alarm_was_acknowledged(world: World) -> None:
    agent, _ = await overdue_in_a_restored_desk(world)
    taken = later(change(), Kind.UPDATED, AlarmState.ACKNOWLEDGED, acknowledged_by="Chen", acknowledged_wall=1200.0)
    await agent.send(replace(taken, wall=4800.0), age=60.0)
    (ticket,) = await world.tickets()
    assert ticket["acknowledged"] == world.clock().wall - 60.0 - 3600.0

"""Many faults are held when a person changes a window: until when is worked out a part at a time, and never wrong."""

from pathlib import Path
from typing import Any

import pytest

from desk.period_store import holding_now, reckon_some
from desk.periods import end_window, extend_window
from desk.release import release_due
from tests.desk_world import World, a_desk, change
from tests.test_desk_periods import CHEN, HOUR, do, pass_by, planned

MANY = 7


async def held(world: World) -> Any:
    agent = await world.agent()
    window = await planned(world)
    await agent.send(*(change(device=f"ups-{n}", episode=f"e{n}") for n in range(MANY)))
    assert len(await world.rows("SELECT 1 FROM held WHERE released IS NULL AND until = ?", window.end)) == MANY
    return agent, window


async def untils(world: World) -> set[float]:
    shown = (await world.client.get("/api/v1/windows/1")).json()["held"]
    return {each["until"] for each in shown}


async def test_what_is_held_longer_is_shown_at_once_and_opens_nothing_meanwhile(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent, window = await held(world)
        world.clock.on(HOUR - 1.0)
        longer = await do(world, extend_window, 1, window.end + HOUR, "a part is missing", CHEN)
        assert await untils(world) == {longer.end}
        assert await world.desk.store.write(lambda db: reckon_some(db, 3)) == 3
        world.clock.on(2.0)  # the window would be over, and most of it is not worked out yet
        assert await do(world, release_due) == []
        await agent.send(change(device="ups-6", episode="e6", revision=2))
        assert await world.tickets() == []
        assert await untils(world) == {longer.end}
        held_now = await world.desk.store.read(lambda db: holding_now(db, "S1", "ups-5", "mains.lost"))
        assert held_now == (1, longer.end)
        await pass_by(world, 1.0, agent)
        assert await world.rows("SELECT 1 FROM held WHERE stale IS NOT NULL") == []
        await pass_by(world, HOUR, agent)
        assert {ticket["opened"] for ticket in await world.tickets()} == {longer.end}


async def test_a_window_that_is_ended_early_brings_its_tickets_as_of_its_end(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent, _ = await held(world)
        world.clock.on(600.0)
        ended = await do(world, end_window, 1, "done", CHEN)
        assert await untils(world) == {ended.end}
        world.clock.on(1.0)
        await agent.send(change(device="ups-6", episode="e6", revision=2))
        (ticket,) = await world.tickets()  # who tells of it before it is worked out
        assert ticket["opened"] == ended.end
        await pass_by(world, 5.0, agent)
        tickets = await world.tickets()
        assert (len(tickets), {each["opened"] for each in tickets}) == (MANY, {ended.end})


async def test_what_was_not_worked_out_when_the_desk_died_is_when_it_lives_again(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent, window = await held(world)
        longer = await do(world, extend_window, 1, window.end + HOUR, "a part is missing", CHEN)
        assert await world.desk.store.write(lambda db: reckon_some(db, 3)) == 3
        clock = world.clock
    async with a_desk(tmp_path, clock) as world:
        agent.world = world
        clock.on(HOUR + 1.0)
        assert await do(world, release_due) == []
        await pass_by(world, 1.0, agent)
        assert await world.tickets() == []
        rows = await world.rows("SELECT until, stale FROM held")
        assert [(row["until"], row["stale"]) for row in rows] == [(longer.end, None)] * MANY


async def test_two_changes_before_it_is_worked_out_are_as_if_each_had_been(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent, _ = await held(world)
        world.clock.on(600.0)
        ended = await do(world, end_window, 1, "done", CHEN)
        world.clock.on(60.0)
        await planned(world)  # what had ended by then is not held on by it
        await pass_by(world, 1.0, agent)
        assert {each["opened"] for each in await world.tickets()} == {ended.end}
        assert len(await world.tickets()) == MANY


@pytest.mark.parametrize("part", [1, 3, 500])
async def test_it_is_worked_out_in_parts_of_a_transaction_each(tmp_path: Path, part: int) -> None:
    async with a_desk(tmp_path) as world:
        _, window = await held(world)
        longer = await do(world, extend_window, 1, window.end + HOUR, "a part is missing", CHEN)
        for left in range(MANY, 0, -part):
            assert await world.desk.store.write(lambda db: reckon_some(db, part)) == min(part, left)
            rest = await world.rows("SELECT 1 FROM held WHERE stale IS NOT NULL")
            assert len(rest) == max(0, left - part)
        assert await world.rows("SELECT DISTINCT until FROM held") == [{"until": longer.end}]

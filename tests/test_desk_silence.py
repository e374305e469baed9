"""A site that falls silent is one ticket, named by its last words, and ends with the next heartbeat."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from desk.sweep import Sweep
from model.alarm import AlarmState, Kind
from tests.desk_world import Hands, World, a_desk, change, cleared


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, grace=60.0) as made:
        made.clock.on(1000)
        yield made


async def test_three_missed_heartbeats_open_one_ticket_and_the_next_heartbeat_resolves_it(world: World) -> None:
    agent = await world.agent()
    sweep = Sweep(world.desk)
    await agent.beat(interval=30)
    world.clock.on(90)
    await sweep.look()
    assert await world.tickets() == []
    world.clock.on(1)
    for _ in range(3):
        await sweep.look()
    (ticket,) = await world.tickets()
    assert (ticket["condition"], ticket["state"], ticket["level"]) == ("S1/-/-/site.silent", "open", 2)
    (episode,) = await world.rows("SELECT * FROM episodes")
    assert episode["onset"] == world.clock().wall - 91
    await agent.beat()
    (ticket,) = await world.tickets()
    assert ticket["state"] == "resolved"
    await sweep.look()
    assert len(await world.tickets()) == 1


async def test_a_site_that_falls_silent_again_opens_its_ticket_again(world: World) -> None:
    agent = await world.agent()
    sweep = Sweep(world.desk)
    for _ in range(2):
        world.clock.on(100)
        await sweep.look()
        assert [row["state"] for row in await world.tickets()] == ["open"]
        await agent.beat()
    assert [row["state"] for row in await world.tickets()] == ["resolved"]
    assert len(await world.rows("SELECT * FROM ticket_episodes")) == 2


async def test_a_pending_mains_failure_is_the_last_words(world: World) -> None:
    agent = await world.agent()
    other = change(
        fault="door.open", title="Door open", episode="e0", state=AlarmState.PENDING, opened=False, onset=1.0
    )
    mains = change(state=AlarmState.PENDING, kind=Kind.PENDING, opened=False)
    await agent.send(other, mains)
    world.clock.on(100)
    await Sweep(world.desk).look()
    (ticket,) = (await world.client.get("/api/v1/tickets")).json()["tickets"]
    assert (ticket["fault"], ticket["last_words"]["en"]) == ("site.silent", "Mains lost")
    page = await world.client.get("/")
    assert "last words: Mains lost" in page.text
    (row,) = await world.rows("SELECT detail FROM audit WHERE what = 'alarm_raised' AND who = 'desk'")
    assert msgspec.json.decode(row["detail"])["reason"] == "3 heartbeats missed; last words: Mains lost"


async def test_an_old_alarm_is_not_the_last_word(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    world.clock.on(3600)
    await agent.beat()
    world.clock.on(100)
    await Sweep(world.desk).look()
    silent = [each for each in await world.tickets() if each["condition"].endswith("site.silent")]
    assert len(silent) == 1
    page = await world.client.get(f"/tickets/{silent[0]['number']}")
    assert "last words" not in page.text


async def test_after_a_restart_of_the_desk_nobody_is_silent_until_heartbeats_could_have_come(tmp_path: Path) -> None:
    clock = Hands()
    async with a_desk(tmp_path, clock) as world:
        agent = await world.agent()
        await agent.beat(interval=10)
    clock.on(86_400)
    async with a_desk(tmp_path, clock, grace=60.0) as world:
        sweep = Sweep(world.desk)
        for seconds, states in ((0, []), (59, []), (2, ["open"])):
            clock.on(seconds)
            await sweep.look()
            assert [row["state"] for row in await world.tickets()] == states


async def test_a_silence_that_stands_when_the_desk_starts_again_stays_one_ticket(tmp_path: Path) -> None:
    clock = Hands()
    async with a_desk(tmp_path, clock, grace=0.0) as world:
        await world.agent()
        clock.on(100)
        await Sweep(world.desk).look()
    async with a_desk(tmp_path, clock, grace=0.0) as world:
        clock.on(100)
        await Sweep(world.desk).look()
        assert [row["state"] for row in await world.tickets()] == ["open"]


async def test_a_snapshot_of_the_agent_does_not_end_the_desks_own_alarm(world: World) -> None:
    agent = await world.agent()
    world.clock.on(100)
    await Sweep(world.desk).look()
    await agent.send({"type": "snapshot", "site": "S1", "changes": [], "wall": 0.0, "boot": 0.0, "boot_id": "b"})
    assert [row["state"] for row in await world.tickets()] == ["open"]


async def test_a_silent_sites_ticket_is_acknowledged_without_a_command(world: World) -> None:
    agent = await world.agent()
    world.clock.on(100)
    await Sweep(world.desk).look()
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    assert answer.json()["acknowledged_by"] == "Li"
    assert await agent.commands() == []


async def test_a_wall_clock_that_jumps_makes_nobody_silent(world: World) -> None:
    await world.agent()
    world.clock.now = msgspec.structs.replace(world.clock.now, wall=world.clock.now.wall + 86_400)
    await Sweep(world.desk).look()
    assert await world.tickets() == []


async def test_a_ticket_is_closed_when_it_was_resolved_for_half_an_hour(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised, cleared(raised))
    sweep = Sweep(world.desk)
    world.clock.on(1799)
    await agent.beat()
    await sweep.look()
    assert (await world.tickets())[0]["state"] == "resolved"
    world.clock.on(1)
    await sweep.look()
    (ticket,) = await world.tickets()
    assert (ticket["state"], ticket["closed"]) == ("closed", world.clock().wall)
    await agent.send(change(episode="e2"))
    assert [row["state"] for row in await world.tickets()] == ["closed", "open"]
    reasons = [row["reason"] for row in await world.rows("SELECT reason FROM connector_outbox ORDER BY id")]
    assert reasons == ["opened", "resolved", "closed", "opened"]


async def test_old_receipts_are_forgotten_and_the_cursor_still_answers(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    world.clock.on(31 * 86_400)
    await Sweep(world.desk).look()
    assert await world.rows("SELECT * FROM receipts") == []
    assert (await agent.send(change(), first=1)).json()["acked"] == 1
    assert len([row for row in await world.tickets() if row["condition"].endswith("mains.lost")]) == 1


@pytest.mark.parametrize(
    "wrong", [{"interval": 0}, {"interval": 1e9}, {"last_seq": -1}], ids=["no interval", "endless", "negative"]
)
async def test_a_heartbeat_that_makes_no_sense_is_refused(world: World, wrong: dict[str, float]) -> None:
    agent = await world.agent()
    answer = await agent.beat(**wrong)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


async def test_a_heartbeat_tells_how_far_the_desk_has_received_and_the_desks_time(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(), cleared(change()))
    answer = await agent.beat()
    assert answer.json() == {
        "incarnation": world.desk.store.incarnation, "wall": world.clock().wall, "acked": 2
    }  # fmt: skip
    (row,) = await world.rows("SELECT skew, version FROM agents")
    assert (row["skew"], row["version"]) == (-7.0, "0.1.0")

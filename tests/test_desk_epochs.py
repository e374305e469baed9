"""What an agent that begins anew leaves behind, and what of a snapshot can be taken."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from desk.core import FILE
from desk.schema import MIGRATIONS
from model.alarm import AlarmState, Kind
from model.change import Change, Snapshot
from runtime.writer import Writer
from tests.desk_world import Speaker, World, a_desk, change, later, snapshot
from tests.stores import of_a_file


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


async def test_an_unknown_raise_of_an_epoch_that_is_over_opens_nothing(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(episode="e0"))
    old = agent.epoch
    agent.epoch, agent.seq = "second-epoch", 0
    await agent.send(snapshot())
    agent.epoch, agent.seq = old, 1
    answer = await agent.send(change(device="late", episode="e-late"))
    assert [row["state"] for row in await world.tickets()] == ["resolved"]
    assert (answer.status_code, answer.json()["error"], answer.json()["seq"]) == (409, "conflict", 2)


async def test_a_snapshot_of_an_epoch_that_is_over_ends_nothing(world: World) -> None:
    agent = await world.agent()
    await agent.send(snapshot())
    old = agent.epoch
    agent.epoch, agent.seq = "second-epoch", 0
    await agent.send(snapshot(change()))
    agent.epoch, agent.seq = old, 1
    assert (await agent.send(snapshot())).status_code == 409
    assert [row["state"] for row in await world.tickets()] == ["open"]


async def test_what_came_before_its_epoch_was_over_may_come_again(world: World) -> None:
    agent = await world.agent()
    first = await agent.send(change())
    old = agent.epoch
    agent.epoch, agent.seq = "second-epoch", 0
    await agent.send(snapshot(change()))
    await agent.send(later(change(), Kind.UPDATED, AlarmState.UNACKNOWLEDGED))
    agent.epoch = old
    assert (await agent.send(change(), first=1)).json() == first.json()


async def test_an_agent_that_lives_in_an_epoch_that_is_over_is_heard_again_by_a_new_one(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    image = agent.epoch
    agent.epoch, agent.seq = "second-epoch", 0
    await agent.send(snapshot())
    agent.epoch, agent.seq = image, 1
    fresh = change(device="b", episode="e2")
    assert (await agent.send(fresh)).status_code == 409
    agent.epoch, agent.seq = "third-epoch", 0
    assert (await agent.send(snapshot(fresh))).json()["acked"] == 1
    assert [row["state"] for row in await world.tickets()] == ["resolved", "open"]


async def test_one_bad_change_of_a_snapshot_stops_none_of_the_others(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(device="gone", episode="e-gone"), change(device="odd", episode="e-odd"))
    agent.epoch, agent.seq = "second-epoch", 0
    answer = await agent.send(
        snapshot(
            change(site="S2", episode="e-other"),
            change(device="new", episode="e-new"),
            change(device="odd", episode="e-odd", revision=2**63),
        )
    )
    states = {row["condition"].split("/")[1]: row["state"] for row in await world.tickets()}
    assert states == {"gone": "resolved", "odd": "open", "new": "open"}
    (refused,) = answer.json()["refused"]
    assert "S2/ups/-/mains.lost: a condition of another site" in refused["reason"]
    assert "S1/odd/-/mains.lost: " in refused["reason"]
    (held,) = await world.rows("SELECT * FROM quarantine")
    assert (held["seq"], held["reason"]) == (1, refused["reason"])


async def test_a_change_of_a_snapshot_that_cannot_be_read_leaves_its_own_ticket_as_it_was(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(), change(device="gone", episode="e-gone"))
    agent.epoch, agent.seq = "second-epoch", 0
    told = msgspec.to_builtins(snapshot(change(), change(device="new", episode="e-new")))
    told["changes"][0]["kind"] = "a word of tomorrow"
    answer = await agent.send(told)
    assert "a word of tomorrow" in answer.json()["refused"][0]["reason"]
    states = {row["condition"].split("/")[1]: row["state"] for row in await world.tickets()}
    assert states == {"ups": "open", "gone": "resolved", "new": "open"}


@of_a_file
async def test_a_file_of_the_first_version_is_brought_up_to_this_one(tmp_path: Path) -> None:
    old = Writer(tmp_path / FILE, MIGRATIONS[:1])
    old.put(lambda db: db.execute("INSERT INTO cursors VALUES ('a', 'e', 7, 1.0)").rowcount).result()
    old.close()
    async with a_desk(tmp_path) as world:
        assert await world.rows("SELECT seq, over FROM cursors") == [{"seq": 7, "over": 0}]


def made(boot: float, boot_id: str, *changes: Change) -> Snapshot:
    return msgspec.structs.replace(snapshot(*changes), boot=boot, boot_id=boot_id)


async def begins(agent: Speaker, epoch: str, told: Snapshot) -> int:
    """Send the first request of an epoch that the desk never heard of."""
    agent.epoch, agent.seq = epoch, 0
    return (await agent.send(told)).status_code


async def test_a_first_snapshot_that_was_made_before_the_newest_and_comes_after_it_ends_nothing(world: World) -> None:
    agent = await world.agent()
    assert await begins(agent, "newest", made(200.0, "b", change())) == 200
    assert await begins(agent, "late", made(100.0, "b")) == 409
    assert [row["state"] for row in await world.tickets()] == ["open"]
    agent.epoch, agent.seq = "newest", 1
    assert (await agent.send(later(change(), Kind.UPDATED, AlarmState.UNACKNOWLEDGED))).status_code == 200


async def test_a_first_snapshot_of_a_boot_that_another_has_followed_ends_nothing(world: World) -> None:
    agent = await world.agent()
    assert await begins(agent, "before", made(5000.0, "old boot", change())) == 200
    assert await begins(agent, "newest", made(20.0, "new boot", change())) == 200
    assert await begins(agent, "late", made(6000.0, "old boot")) == 409
    assert [row["state"] for row in await world.tickets()] == ["open"]


async def test_a_late_request_that_comes_twice_is_refused_twice(world: World) -> None:
    agent = await world.agent()
    await begins(agent, "newest", made(200.0, "b", change()))
    assert [await begins(agent, "late", made(100.0, "b")) for _ in range(3)] == [409, 409, 409]
    assert [row["state"] for row in await world.tickets()] == ["open"]


async def test_an_agent_whose_machine_was_put_back_is_heard_after_one_refusal(world: World) -> None:
    agent = await world.agent()
    await begins(agent, "newest", made(9000.0, "b", change()))
    assert await begins(agent, "put back", made(100.0, "b")) == 409
    assert await begins(agent, "its answer", made(101.0, "b")) == 200
    assert [row["state"] for row in await world.tickets()] == ["resolved"]
    agent.epoch, agent.seq = "newest", 1
    assert (await agent.send(change(device="b", episode="e2"))).status_code == 409


async def test_epochs_in_their_order_are_taken_through_reboots(world: World) -> None:
    agent = await world.agent()
    order = [(100.0, "b1"), (200.0, "b1"), (10.0, "b2"), (30.0, "b2"), (5.0, "b3"), (5.0, "b3")]
    for number, (boot, boot_id) in enumerate(order):
        assert await begins(agent, f"e{number}", made(boot, boot_id, change())) == 200
    assert [row["state"] for row in await world.tickets()] == ["open"]


async def test_a_late_snapshot_is_written_down_as_a_conflict(world: World) -> None:
    agent = await world.agent()
    await begins(agent, "newest", made(200.0, "b", change()))
    await begins(agent, "late", made(100.0, "b"))
    assert (await world.audit()).count("conflict") == 1

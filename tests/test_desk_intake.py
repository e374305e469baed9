"""Events into tickets: exactly once, in order, whatever comes twice, late, wrong or not at all."""

import asyncio
import hashlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from model.alarm import AlarmState, Kind
from model.rule import Meaning
from tests.desk_world import World, a_desk, change, cleared, later, snapshot
from tests.stores import of_a_file


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


async def test_a_raised_alarm_opens_one_ticket_with_the_desks_own_level(world: World) -> None:
    agent = await world.agent()
    answer = await agent.send(change(level=4))
    assert answer.json() == {"incarnation": world.desk.store.incarnation, "acked": 1, "refused": []}
    (ticket,) = await world.tickets()
    assert (ticket["state"], ticket["level"], ticket["provisional"]) == ("open", 2, 0)
    assert ticket["condition"] == "S1/ups/-/mains.lost"


async def test_a_fault_that_the_contract_does_not_list_is_provisional_by_its_meaning(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(fault="door.open", meaning=Meaning.INDIRECT))
    (ticket,) = await world.tickets()
    assert (ticket["level"], ticket["provisional"]) == (4, 1)


async def test_the_same_batch_again_changes_nothing_and_gets_the_same_answer(world: World) -> None:
    agent = await world.agent()
    first = await agent.send(change())
    again = await agent.send(change(), first=1, age=12.5)
    assert first.json() == again.json()
    assert len(await world.tickets()) == 1
    assert (await world.audit()).count("opened") == 1
    assert len(await world.rows("SELECT * FROM connector_outbox")) == 1


async def test_the_hash_is_of_the_bytes_as_they_came(world: World) -> None:
    agent = await world.agent()
    raw = msgspec.json.encode(change())
    await agent.send(msgspec.Raw(raw))
    (receipt,) = await world.rows("SELECT * FROM receipts")
    assert receipt["hash"] == hashlib.sha256(raw).digest()


async def test_the_same_seq_with_another_content_is_a_conflict_and_takes_nothing(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await agent.send(cleared(change()), change(episode="e2", fault="door.open"), first=1)
    assert answer.status_code == 409
    assert (answer.json()["error"], answer.json()["seq"]) == ("conflict", 1)
    assert len(await world.tickets()) == 1
    assert "conflict" in await world.audit()


async def test_a_seq_of_another_epoch_is_another_event(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised)
    agent.epoch, agent.seq = "second-epoch", 0
    answer = await agent.send(snapshot(raised), cleared(raised))
    assert answer.json()["acked"] == 2
    (ticket,) = await world.tickets()
    assert ticket["state"] == "resolved"


async def test_a_batch_after_a_gap_is_not_taken(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await agent.send(cleared(change()), first=3)
    assert answer.json()["acked"] == 1
    assert (await world.tickets())[0]["state"] == "open"


async def test_a_gap_inside_a_batch_stops_there(world: World) -> None:
    agent = await world.agent()
    events = [{"seq": seq, "age": 0.0, "body": change(episode=f"e{seq}", device=f"d{seq}")} for seq in (1, 2, 4)]
    request = {"agent": agent.agent, "epoch": agent.epoch, "oldest": 1, "wall": 0.0, "events": events}
    assert (await agent.post("events", request)).json()["acked"] == 2
    assert len(await world.tickets()) == 2


async def test_events_that_the_agent_no_longer_has_are_passed_over_and_written_down(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await agent.send(cleared(change()), first=5, oldest=5)
    assert answer.json()["acked"] == 5
    assert (await world.tickets())[0]["state"] == "resolved"
    (row,) = await world.rows("SELECT detail FROM audit WHERE what = 'gap'")
    assert msgspec.json.decode(row["detail"]) == {"epoch": agent.epoch, "from": 2, "to": 4}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"type": "change", "kind": "no such kind"}, "not a Change or Snapshot"),
        (["no", "object"], "not a Change or Snapshot"),
        (change(site="S2"), "a condition of another site: this agent's is S1"),
        (snapshot(site="S2"), "a snapshot of another site: this agent's is S1"),
        (change(episode=""), "a Change needs its episode's id and a revision from 1 on"),
        (change(revision=2**63), "too large"),
        (change(fault="site.silent"), "only the desk says that a site is silent"),
        (change(explained_by="S2/ups/-/mains.lost"), "explained by a condition of another site"),
        (change(explained_by="S10/ups/-/mains.lost"), "explained by a condition of another site"),
    ],
    ids=[
        "wrong word",
        "no object",
        "other site",
        "snapshot of other site",
        "no episode",
        "over 63 bits",
        "the desk's own fault",
        "explained by another site",
        "explained by a site of like name",
    ],
)
async def test_an_event_that_cannot_be_taken_stands_in_quarantine_and_the_next_is_taken(
    world: World, body: Any, why: str
) -> None:
    agent = await world.agent()
    answer = await agent.send(body, change(episode="good"))
    assert answer.json()["acked"] == 2
    (refused,) = answer.json()["refused"]
    assert refused["seq"] == 1
    assert why in refused["reason"]
    (kept,) = await world.rows("SELECT * FROM quarantine")
    assert (kept["seq"], kept["reason"]) == (1, refused["reason"])
    assert len(await world.tickets()) == 1
    again = await agent.send(body, change(episode="good"), first=1)
    assert again.json()["acked"] == 2


async def test_a_late_raise_cannot_undo_a_clear(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised, cleared(raised), raised)
    (ticket,) = await world.tickets()
    assert ticket["state"] == "resolved"


async def test_an_episode_cannot_change_its_condition(world: World) -> None:
    agent = await world.agent()
    answer = await agent.send(change(), change(device="other", revision=2))
    assert answer.json()["refused"][0]["reason"] == "this episode belongs to another condition"


async def test_a_new_episode_while_the_ticket_is_resolved_opens_the_same_ticket_again(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised, cleared(raised), change(episode="e2"))
    (ticket,) = await world.tickets()
    assert (ticket["state"], ticket["episode"]) == ("open", "e2")
    assert [row["episode"] for row in await world.rows("SELECT * FROM ticket_episodes")] == ["e1", "e2"]
    assert (await world.audit())[-3:] == ["opened", "resolved", "reopened"]


async def test_a_pending_alarm_opens_no_ticket_but_is_kept(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(state=AlarmState.PENDING, kind=Kind.PENDING, opened=False))
    assert await world.tickets() == []
    (episode,) = await world.rows("SELECT * FROM episodes")
    assert (episode["state"], episode["active"]) == ("pending", 1)


async def test_an_alarm_that_its_parent_explains_has_no_open_ticket(world: World) -> None:
    agent = await world.agent()
    raised = change(fault="rectifier.input_failed")
    explained = later(raised, Kind.SUPPRESSED, AlarmState.SUPPRESSED, explained_by="S1/ups/-/mains.lost")
    await agent.send(raised, explained)
    (ticket,) = await world.tickets()
    assert (ticket["state"], ticket["explained_by"]) == ("resolved", "S1/ups/-/mains.lost")


async def test_a_shelved_alarm_leaves_its_ticket_open_and_marks_it(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised, later(raised, Kind.SHELVED, AlarmState.SHELVED, shelved_by="Li"))
    (ticket,) = await world.tickets()
    assert (ticket["state"], ticket["shelved"]) == ("open", 1)


async def test_a_case_that_raises_the_level_takes_the_acknowledgement_back(world: World) -> None:
    agent = await world.agent()
    raised = change(fault="subrack.cooling", case="any_stopped")
    taken = later(raised, Kind.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED, acknowledged_by="Li")
    await agent.send(raised, taken)
    assert (await world.tickets())[0]["acknowledged_by"] == "Li"
    await agent.send(later(taken, Kind.CASE_CHANGED, AlarmState.UNACKNOWLEDGED, case="over_temperature"))
    (ticket,) = await world.tickets()
    assert (ticket["level"], ticket["acknowledged"], ticket["case"]) == (2, None, "over_temperature")


async def test_a_snapshot_adopts_what_stands_and_ends_what_is_gone(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(), change(episode="e2", device="b"), change(episode="e3", device="c", opened=False))
    agent.epoch, agent.seq = "second-epoch", 0
    answer = await agent.send(snapshot(change(), change(episode="e4", device="d")))
    assert answer.json()["acked"] == 1
    states = {row["condition"].split("/")[1]: row["state"] for row in await world.tickets()}
    assert states == {"ups": "open", "b": "resolved", "d": "open"}
    active = await world.rows("SELECT id FROM episodes WHERE active = 1 ORDER BY id")
    assert [row["id"] for row in active] == ["e1", "e4"]
    (row,) = await world.rows("SELECT detail FROM audit WHERE what = 'alarm_cleared' AND episode = 'e2'")
    assert msgspec.json.decode(row["detail"])["reason"] == "not in the agent's new snapshot"


async def test_a_change_from_an_epoch_that_is_over_cannot_raise_the_dead(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised)
    old = agent.epoch
    agent.epoch, agent.seq = "second-epoch", 0
    await agent.send(snapshot())
    agent.epoch, agent.seq = old, 1
    await agent.send(later(raised, Kind.UPDATED, AlarmState.UNACKNOWLEDGED))
    assert [row["state"] for row in await world.tickets()] == ["resolved"]
    agent.epoch, agent.seq = "third-epoch", 0
    await agent.send(snapshot(raised))
    assert [row["state"] for row in await world.tickets()] == ["open"]


async def test_a_snapshot_of_one_site_leaves_the_others_alone(world: World) -> None:
    one, two = await world.agent("S1"), await world.agent("S2")
    await one.send(change())
    await two.send(change(site="S2", episode="e2"))
    await two.send(snapshot(site="S2"))
    assert {row["site"]: row["state"] for row in await world.tickets()} == {"S1": "open", "S2": "resolved"}


async def test_the_onset_is_the_desks_time_less_the_age_less_how_long_it_stood(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(), age=30.0)
    (episode,) = await world.rows("SELECT * FROM episodes")
    assert episode["onset"] == world.clock().wall - 30.0 - 90.0
    after_reboot = replace(change(episode="e2", device="b", onset=5000.0), wall=1_700_000_040.0)
    await agent.send(after_reboot)
    (episode,) = await world.rows("SELECT * FROM episodes WHERE id = 'e2'")
    assert episode["onset"] == world.clock().wall - 40.0


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic abc"])
async def test_who_has_no_token_of_this_desk_is_refused(world: World, token: str) -> None:
    answer = await world.client.post("/api/v1/events", content=b"{}", headers={"Authorization": token})
    assert (answer.status_code, answer.json()["error"]) == (401, "unknown_token")


async def test_an_agent_cannot_speak_for_another(world: World) -> None:
    one, two = await world.agent("S1"), await world.agent("S2")
    one.agent = two.agent
    assert (await one.send(change())).status_code == 403
    assert await world.tickets() == []


@pytest.mark.parametrize(
    "events",
    [
        [{"seq": 0, "age": 0, "body": 1}],
        [{"seq": 2, "age": 0, "body": 1}, {"seq": 2, "age": 0, "body": 1}],
        [{"seq": 1, "age": -1, "body": 1}],
        [{"seq": 2**53, "age": 0, "body": 1}],
        "none",
    ],
    ids=["zero", "not rising", "negative age", "huge seq", "no list"],
)
async def test_an_envelope_that_is_wrong_is_refused_whole(world: World, events: Any) -> None:
    agent = await world.agent()
    request = {"agent": agent.agent, "epoch": "e", "oldest": 1, "wall": 0.0, "events": events}
    answer = await agent.post("events", request)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


async def test_a_body_over_the_limit_is_refused(tmp_path: Path) -> None:
    async with a_desk(tmp_path, body_limit=2000) as world:
        agent = await world.agent()
        answer = await agent.send(change(missing=("x" * 3000,)))
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


async def test_a_full_queue_answers_503_with_retry_after_and_takes_nothing(tmp_path: Path) -> None:
    async with a_desk(tmp_path, waiting=1) as world:
        agent = await world.agent()
        held, go = threading.Event(), threading.Event()

        def hold(db: sqlite3.Connection) -> None:
            held.set()
            assert go.wait(10)

        writer = world.desk.store.writer
        first = writer.put(hold)
        assert await asyncio.to_thread(held.wait, 10)
        second = writer.put(lambda db: None)
        answer = await agent.send(change())
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        go.set()
        await asyncio.wrap_future(first)
        await asyncio.wrap_future(second)
        assert (await agent.send(change(), first=1)).json()["acked"] == 1


@of_a_file
async def test_a_desk_that_cannot_write_answers_503_and_keeps_nothing(world: World) -> None:
    agent = await world.agent()
    await world.desk.store.write(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())
    big = change(missing=tuple(f"a reading with a long name {n}" for n in range(20_000)))
    answer = await agent.send(big)
    assert (answer.status_code, answer.json()["error"]) == (503, "store")
    assert await world.tickets() == []


async def test_unknown_fields_are_ignored_so_that_versions_may_differ(world: World) -> None:
    agent = await world.agent()
    body = msgspec.json.decode(msgspec.json.encode(change())) | {"from_the_future": 1}
    assert (await agent.send(body)).json() == {
        "incarnation": world.desk.store.incarnation, "acked": 1, "refused": []
    }  # fmt: skip


async def test_a_desk_that_starts_again_is_the_same_desk(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await agent.send(change())
        first = world.desk.store.incarnation
    async with a_desk(tmp_path) as world:
        agent.world = world
        answer = await agent.send(change(), cleared(change()), first=1)
        assert answer.json() == {"incarnation": first, "acked": 2, "refused": []}
        assert [row["state"] for row in await world.tickets()] == ["resolved"]


async def test_the_audit_only_grows(world: World) -> None:
    await world.agent()
    for sql in ("DELETE FROM audit", "UPDATE audit SET who = 'x'"):
        with pytest.raises(sqlite3.IntegrityError):
            await world.desk.store.write(lambda db, sql=sql: db.execute(sql).rowcount)

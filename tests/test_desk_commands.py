"""From the desk back to the site: acknowledgements, requests for readings and trends, and what comes of them."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from desk.rounds import ask_for_readings, draw
from desk.store import Db, audit, every
from model.alarm import AlarmState, Kind
from model.protocol import TrendReport
from tests.desk_world import Speaker, World, a_desk, change, cleared, later


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


def report(**more: Any) -> dict[str, Any]:
    row = {"device": "ups", "point": "mains.voltage", "quantity": "mains.voltage", "label": "Input", "value": 230.1}
    return {"wall": 0.0, "devices": [{"device": "ups", "name": "UPS", "reachable": True}], "readings": [row]} | more


async def long_poll(world: World, agent: Speaker, monkeypatch: pytest.MonkeyPatch) -> "asyncio.Task[Any]":
    """Begin a long poll and return when it has looked, found nothing, and waits."""
    read, looked = world.desk.store.read, asyncio.Event()

    async def observed(query: Any) -> Any:
        found = await read(query)
        looked.set()
        return found

    monkeypatch.setattr(world.desk.store, "read", observed)
    polling = asyncio.create_task(agent.commands(wait=25))
    await looked.wait()
    return polling


async def test_what_is_shown_together_is_of_one_commit(world: World) -> None:
    store = world.desk.store

    def twice(db: Db) -> list[int]:
        before = every(db, "SELECT * FROM audit")
        store.writer.put(lambda db: audit(db, at=0.0, who="Li", source="page", what="looked", site="S1")).result(10)
        return [len(before), len(every(db, "SELECT * FROM audit"))]

    first, second = await store.read(twice)
    assert first == second
    assert (await world.audit())[-1] == "looked"
    assert len(await world.audit()) == first + 1


async def test_an_acknowledgement_is_ticket_audit_connector_row_and_command_at_once(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "Li")
    (told,) = await agent.commands()
    assert told == {
        "type": "acknowledge",
        "id": told["id"],
        "condition": "S1/ups/-/mains.lost",
        "episode": "e1",
        "by": "Li",
        "level": 2,
    }
    assert (await world.audit())[-1] == "acknowledged"
    assert [row["reason"] for row in await world.rows("SELECT reason FROM connector_outbox")] == [
        "opened", "acknowledged"
    ]  # fmt: skip


async def test_the_second_to_take_a_ticket_is_told_who_has_it_and_the_agent_is_told_once(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Wang"})
    assert (answer.status_code, answer.json()["acknowledged_by"]) == (200, "Li")
    assert len(await agent.commands()) == 1


async def test_what_the_site_says_of_an_acknowledgement_changes_the_ticket_no_more(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised)
    await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    before = await world.tickets()
    await agent.send(later(raised, Kind.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED, acknowledged_by="Li"))
    assert await world.tickets() == before
    assert "alarm_acknowledged" in await world.audit()


async def test_a_resolved_ticket_cannot_be_taken_and_does_not_open_again(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised, cleared(raised))
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    assert (answer.json()["state"], answer.json()["acknowledged"]) == ("resolved", None)
    assert await agent.commands() == []


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("1", {"by": "  "}, 400, "who"),
        ("1", {"by": "x" * 101}, 400, "who"),
        ("1", {}, 400, "malformed"),
        ("9", {"by": "Li"}, 404, "no_ticket"),
        (str(2**64), {"by": "Li"}, 404, "no_ticket"),
    ],
    ids=["nobody", "long name", "no name", "no ticket", "huge number"],
)
async def test_an_acknowledgement_needs_a_ticket_and_a_name(
    world: World, path: str, body: dict[str, str], status: int, error: str
) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await world.client.post(f"/api/v1/tickets/{path}/acknowledge", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert (await world.tickets())[0]["acknowledged"] is None


async def test_a_long_poll_is_answered_when_somebody_acknowledges(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await world.agent()
    await agent.send(change())
    polling = await long_poll(world, agent, monkeypatch)
    await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    async with asyncio.timeout(5):
        assert [told["type"] for told in await polling] == ["acknowledge"]
    assert world.desk.hub.listeners == 0


async def test_a_long_poll_ends_when_the_desk_stops(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await world.agent()
    polling = await long_poll(world, agent, monkeypatch)
    world.desk.hub.close()
    async with asyncio.timeout(5):
        assert await polling == []


async def test_commands_come_after_the_cursor_and_only_to_their_site(world: World) -> None:
    one, two = await world.agent("S1"), await world.agent("S2")
    await one.send(change(), change(device="b", episode="e2"))
    for number in (1, 2):
        await world.client.post(f"/api/v1/tickets/{number}/acknowledge", json={"by": "Li"})
    first, second = await one.commands()
    assert first["id"] < second["id"]
    assert await one.commands(after=first["id"]) == [second]
    assert await two.commands() == []


async def test_a_request_for_readings_is_not_repeated_and_grows_old(world: World) -> None:
    agent = await world.agent()
    assert await ask_for_readings(world.desk, "S1")
    assert await ask_for_readings(world.desk, "S1")
    (told,) = await agent.commands()
    assert told["type"] == "send_readings"
    assert (await agent.post("readings", report(command=told["id"]))).status_code == 204
    assert not await ask_for_readings(world.desk, "S1")
    world.clock.on(121)
    assert await agent.commands() == []
    assert await ask_for_readings(world.desk, "S1")
    assert len(await agent.commands()) == 1


async def test_a_site_page_asks_for_readings_and_shows_them_with_their_age(world: World) -> None:
    agent = await world.agent()
    page = await world.client.get("/sites/S1")
    assert "Asking the site for its readings" in page.text
    (told,) = await agent.commands()
    row = {"device": "ups", "point": "p", "quantity": "battery.voltage", "label": "Battery", "value": 45.84,
           "unit": "V", "quality": "stale", "age": 60.0}  # fmt: skip
    await agent.post("readings", report(command=told["id"], readings=[row]))
    world.clock.on(60)
    page = await world.client.get("/sites/S1")
    for text in ("Battery", "45.8 V", "2 min", "stale", "readings of 1 min ago", "answers"):
        assert text in page.text


async def test_the_desk_keeps_the_last_snapshot_of_readings_alone(world: World) -> None:
    agent = await world.agent()
    await agent.post("readings", report())
    await agent.post("readings", report(devices=[]))
    assert [row["site"] for row in await world.rows("SELECT site FROM snapshots")] == ["S1"]


async def test_a_history_is_taken_only_when_it_was_asked_for(world: World) -> None:
    agent = await world.agent()
    history: dict[str, Any] = {"command": 77, "device": "ups", "point": "mains.voltage", "unit": "V", "start": 0.0}
    history |= {"end": 10_800.0, "times": [1.0], "means": [230.0]}
    answer = await agent.post("history", history)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_asked")
    await agent.post("readings", report())
    asked = {"device": "ups", "point": "mains.voltage", "span": "1w"}
    assert (await world.client.get("/sites/S1/trend", params=asked)).status_code == 200
    (told,) = await agent.commands()
    assert (told["type"], told["point"], told["end"] - told["start"]) == ("send_history", "mains.voltage", 7 * 86_400.0)
    times, means = [60.0 * n for n in range(180)], [None if n == 100 else 220.0 + n % 11 for n in range(180)]
    history |= {"command": told["id"], "times": times, "means": means}
    assert (await agent.post("history", history | {"means": means[1:]})).json()["error"] == "malformed"
    assert (await agent.post("history", history)).status_code == 204
    page = await world.client.get("/sites/S1/trend", params=asked)
    assert "from 220 V to 230 V" in page.text
    lines = re.findall(r'<polyline points="([^"]+)"', page.text)
    assert [len(line.split()) for line in lines] == [100, 79]
    drawn = (await world.client.get("/sites/S1/trend.json", params=asked)).json()
    assert (drawn["means"][99:102], drawn["unit"]) == ([220.0, None, 222.0], "V")
    table = (await world.client.get("/sites/S1/trend.csv", params=asked)).text.splitlines()
    assert (len(table), *(line.partition(",")[2] for line in table[101:103])) == (181, ",,,V", "222,,,V")
    assert len(await agent.commands()) == 1


async def test_two_ranges_of_one_point_do_not_displace_each_other(world: World) -> None:
    agent = await world.agent()
    await agent.post("readings", report())
    point = {"device": "ups", "point": "mains.voltage"}
    for span in ("1h", "1y"):
        await world.client.get("/sites/S1/trend", params=point | {"span": span})
    for told, value in zip(await agent.commands(), (231.0, 232.0), strict=True):
        sent = {"command": told["id"], "unit": "V", "start": 0.0, "end": 1.0, "times": [1.0], "means": [value]}
        assert (await agent.post("history", point | sent)).status_code == 204
    drawn = [(await world.client.get("/sites/S1/trend.json", params=point | {"span": s})).json() for s in ("1h", "1y")]
    assert [each["means"] for each in drawn] == [[231.0], [232.0]]
    assert len(await agent.commands()) == 2


async def test_a_trend_that_the_desk_did_not_ask_for_is_not_kept(world: World) -> None:
    agent = await world.agent()
    await agent.post("readings", report())
    await world.client.get("/sites/S1/trend", params={"device": "ups", "point": "mains.voltage", "span": "1h"})
    (told,) = await agent.commands()
    sent = {"command": told["id"], "device": "ups", "point": "invented", "unit": "V", "samples": []}
    assert (await agent.post("trends", sent)).json()["error"] == "not_asked"
    assert await world.rows("SELECT * FROM trends") == []


async def test_a_trend_of_a_point_that_the_site_never_showed_is_not_asked_for(world: World) -> None:
    agent = await world.agent()
    answer = await world.client.get("/sites/S1/trend", params={"device": "ups", "point": "invented"})
    assert answer.status_code == 404
    assert await agent.commands() == []


def test_a_gap_in_a_trend_is_a_gap_in_its_drawing() -> None:
    drawn = draw(TrendReport(1, "d", "p", "V", ((0.0, 0.0), (10.0, None), (20.0, 5.0), (40.0, 10.0))), 0.0)
    assert drawn.lines == ("0.0,150.0", "300.0,80.0 600.0,10.0")
    assert draw(TrendReport(1, "d", "p", "V", ((0.0, None),)), 0.0).lines == ()
    assert draw(TrendReport(1, "d", "p", "V", ((0.0, 4.0),)), 0.0).lines == ("0.0,80.0",)

"""What is too long, too many or too large is refused with a reason, and never more than that."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from desk.view import tickets_query
from tests.desk_world import World, a_desk, change
from tests.stores import of_a_file


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


@pytest.mark.parametrize("epoch", ["", "x" * 65], ids=["empty", "long"])
async def test_an_epoch_has_a_length(world: World, epoch: str) -> None:
    agent = await world.agent()
    agent.epoch = epoch
    for answer in (await agent.send(change()), await agent.beat()):
        assert (answer.status_code, answer.json()["error"]) == (400, "malformed")
    assert await world.rows("SELECT * FROM cursors") == []


async def test_a_batch_has_at_most_a_thousand_events(world: World) -> None:
    agent = await world.agent()
    assert (await agent.send(*range(1001))).status_code == 400
    assert await world.rows("SELECT * FROM quarantine") == []
    assert (await agent.send(*range(1000), first=1)).json()["acked"] == 1000


@pytest.mark.parametrize("field", ["contract", "digest"])
async def test_a_heartbeats_words_have_a_length(world: World, field: str) -> None:
    agent = await world.agent()
    more: dict[str, Any] = {field: "x" * 65}
    assert (await agent.beat(**more)).status_code == 400
    more[field] = "x" * 64
    assert (await agent.beat(**more)).status_code == 200


HUGE = [2**63, 2**64, 10**30, 10**5000]


@pytest.mark.parametrize("number", HUGE, ids=["63 bits", "64 bits", "30 digits", "5000 digits"])
async def test_a_number_that_is_too_large_is_no_ticket_and_no_fault_of_the_desk(world: World, number: int) -> None:
    agent = await world.agent()
    text = "9" * 5001 if number > 10**4000 else str(number)
    assert (await world.client.get(f"/tickets/{text}")).status_code == 404
    assert (await world.client.get(f"/api/v1/tickets/{text}")).status_code == 404
    assert (await world.client.post(f"/tickets/{text}/acknowledge", data={})).status_code in {400, 404}
    answer = await world.client.get(f"/api/v1/commands?after={text}", headers=agent.headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")
    assert (await world.client.get(f"/api/v1/tickets?limit={text}")).status_code == 400


@pytest.mark.parametrize("field", ["depth", "devices", "unreachable"])
@pytest.mark.parametrize("value", [2**63, 10**30])
async def test_a_heartbeats_number_that_is_too_large_is_refused(world: World, field: str, value: int) -> None:
    agent = await world.agent()
    beat = {"agent": agent.agent, "epoch": "e", "version": "1", "last_seq": 0, "depth": 0, "oldest_age": 0.0,
            "wall": 0.0} | {field: value}  # fmt: skip
    body = str(beat).replace("'", '"')
    answer = await world.client.post("/api/v1/heartbeat", content=body, headers=agent.headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


@pytest.mark.parametrize("path", ["readings", "trends"])
async def test_a_commands_id_that_is_too_large_is_refused(world: World, path: str) -> None:
    agent = await world.agent()
    body = {"wall": 0.0, "devices": [], "readings": [], "device": "d", "point": "p", "unit": "", "samples": []}
    answer = await agent.post(path, body | {"command": 2**63})
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


async def test_the_worst_tickets_are_shown_when_there_are_more_than_a_page_holds(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(device="bad", title="The worst"))
    slight = [change(fault="subrack.cooling", case="any_stopped", device=f"d{n}", episode=f"s{n}") for n in range(500)]
    await agent.send(*slight)
    (worst,) = (await world.client.get("/api/v1/tickets?limit=1")).json()["tickets"]
    assert worst["device"] == "bad"
    text = (await world.client.get("/")).text
    assert "500 of 501 shown, worst first" in text
    assert "The worst" in text[text.index("<main") : text.index("</main>")]
    assert text.count('<article class="ticket') == 500


@of_a_file
@pytest.mark.parametrize(("state", "site"), [("open", ""), ("open", "S1"), ("", "S1"), ("closed", ""), ("", "")])
async def test_no_list_of_tickets_reads_all_of_them_to_sort_some_out(world: World, state: str, site: str) -> None:
    sql, values = tickets_query(state, site)
    plan = [row["detail"] for row in await world.rows(f"EXPLAIN QUERY PLAN {sql}", *values, 10)]
    if state or site:
        assert any(step.startswith("SEARCH t USING INDEX tickets_by_") for step in plan), plan
    else:
        assert not any("TEMP B-TREE" in step for step in plan), plan
    assert not any(step.startswith("SCAN x") for step in plan), plan

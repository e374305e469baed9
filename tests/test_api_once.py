"""A request with a key is done once, however often it comes, and answered alike for 30 days."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.once import KEPT_FOR, REPLAYED
from desk.store import every
from tests.api_world import ApiWorld, an_api

DAY = 86_400.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ApiWorld]:
    async with an_api(tmp_path) as made:
        yield made


async def keys(world: ApiWorld) -> int:
    return len(await world.desk.store.read(lambda db: every(db, "SELECT key FROM requests")))


async def test_a_request_that_comes_again_with_its_key_is_done_once_and_answered_alike(world: ApiWorld) -> None:
    number = await world.opened()
    first = await world.say(number, "repaired", key="k1", part="fan")
    world.clock.on(60)
    again = await world.say(number, "repaired", key="k1", part="fan")
    assert (again.status_code, again.content) == (200, first.content)
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert (await world.ticket(number))["entries"] == 2


async def test_without_a_key_what_may_be_said_twice_is_written_twice(world: ApiWorld) -> None:
    number = await world.opened()
    await world.say(number, "repaired", part="fan")
    world.clock.on(60)
    await world.say(number, "repaired", part="fan")
    assert (await world.ticket(number))["entries"] == 3
    assert await keys(world) == 0


async def test_the_same_key_with_another_request_is_refused(world: ApiWorld) -> None:
    number = await world.opened()
    await world.say(number, "repaired", key="k1", part="fan")
    for answer in (
        await world.say(number, "repaired", key="k1", part="board"),
        await world.say(number, "repaired", key="k1", part="fan", by="Wang"),
        await world.say(number + 1, "repaired", key="k1", part="fan"),
    ):
        assert answer.status_code in {404, 409}
        assert answer.json()["error"] in {"key_reused", "no_ticket"}
    other = await world.client.post(
        "/api/v1/tickets", json={"by": "Li", "site": "S1", "fault": "x"}, headers={"Idempotency-Key": "k1"}
    )
    assert (other.status_code, other.json()["error"]) == (409, "key_reused")
    assert (await world.ticket(number))["entries"] == 2


async def test_a_refusal_is_answered_alike_too(world: ApiWorld) -> None:
    number = await world.opened()
    refused = await world.say(number, "resumed", key="k1")
    await world.said(number, "paused", waiting="other", reason="x")
    again = await world.say(number, "resumed", key="k1")
    assert (again.status_code, again.content) == (409, refused.content)
    assert (await world.ticket(number))["paused"] is True


async def test_what_could_not_be_read_keeps_no_key(world: ApiWorld) -> None:
    number = await world.opened()
    assert (await world.say(number, "reached", key="k1")).status_code == 400
    assert (await world.say(number, "reached", key="k1", milestone="depart")).status_code == 200


async def test_a_ticket_opened_by_hand_is_opened_once(world: ApiWorld) -> None:
    body, headers = {"by": "Li", "site": "S1", "fault": "x"}, {"Idempotency-Key": "open"}
    answers = await asyncio.gather(
        *(world.client.post("/api/v1/tickets", json=body, headers=headers) for _ in range(10))
    )
    assert {(answer.status_code, answer.json()["number"]) for answer in answers} == {(201, 1)}
    assert sum(REPLAYED in answer.headers for answer in answers) == 9


async def test_a_key_outlives_the_desk(tmp_path: Path) -> None:
    async with an_api(tmp_path) as world:
        number = await world.opened()
        first = await world.say(number, "repaired", key="k1", part="fan")
    async with an_api(tmp_path) as world:
        again = await world.say(number, "repaired", key="k1", part="fan")
        assert again.content == first.content
        assert (await world.ticket(number))["entries"] == 2


async def test_keys_are_kept_for_thirty_days_and_not_for_ever(world: ApiWorld) -> None:
    assert KEPT_FOR == 30 * DAY
    number = await world.opened()
    await world.say(number, "repaired", key="k1", part="fan")
    world.clock.on(30 * DAY - 1)
    await world.say(number, "resumed", key="k2")
    assert await keys(world) == 2
    world.clock.on(2)
    await world.say(number, "resumed", key="k3")
    assert await keys(world) == 2


@pytest.mark.parametrize("key", ["x" * 201, "caf\u00e9", "a\tb"])
async def test_a_key_that_cannot_be_kept_is_refused(world: ApiWorld, key: str) -> None:
    number = await world.opened()
    headers = [(b"idempotency-key", key.encode("latin-1"))]
    body = {"by": "Li", "act": {"what": "repaired"}}
    answer = await world.client.post(f"/api/v1/tickets/{number}/acts", json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "key")
    assert (await world.ticket(number))["entries"] == 1

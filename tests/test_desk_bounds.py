"""What is too long, too many or too large is refused with a reason, and never more than that."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.desk_world import World, a_desk, change


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
    assert (await agent.beat(**{field: "x" * 64})).status_code == 200

"""Who takes what: only what they saw, by a name that a person has, through a form within bounds."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from model.alarm import AlarmState, Kind
from tests.desk_world import World, a_desk, change, later


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, body_seconds=5.0) as made:
        yield made


def fields(page: str) -> dict[str, str]:
    form = page[page.index('<form class="act"') :]
    return dict(re.findall(r'name="(\w+)" value="(\w+)"', form[: form.index("</form>")]))


@pytest.mark.parametrize(("lang", "word"), [("en", "It got worse meanwhile: look again"), ("zh", "期间情况恶化")])
async def test_a_click_does_not_take_what_was_never_seen(world: World, lang: str, word: str) -> None:
    agent = await world.agent()
    slight = change(fault="subrack.cooling", case="any_stopped")
    await agent.send(slight)
    seen = fields((await world.client.get("/")).text)
    assert seen["level"] == "4"
    await agent.send(later(slight, Kind.CASE_CHANGED, AlarmState.UNACKNOWLEDGED, case="over_temperature"))
    answer = await world.client.post("/tickets/1/acknowledge", data=seen)
    assert answer.status_code == 303
    assert (await world.tickets())[0]["acknowledged"] is None
    assert await agent.commands() == []
    text = (await world.client.get(answer.headers["location"], headers={"Accept-Language": lang})).text
    assert word in text
    assert answer.headers["location"].startswith("/?")
    assert (await world.client.post("/tickets/1/acknowledge", data=fields(text))).status_code == 303
    assert (await world.tickets())[0]["acknowledged"] is not None
    assert word not in (await world.client.get("/", headers={"Accept-Language": lang})).text


async def test_a_program_may_say_the_level_that_it_saw(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li", "level": 4})
    assert (answer.status_code, answer.json()["error"]) == (409, "worse")
    assert (await world.tickets())[0]["acknowledged"] is None
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li", "level": 2})
    assert answer.json()["acknowledged_by"] == "Li"
    again = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Wang", "level": 4})
    assert (again.status_code, again.json()["acknowledged_by"]) == (200, "Li")


@pytest.mark.parametrize("name", ["agent", "Desk", " desk ", "代理", "a\nb", "a\x00", "\u202egnp", "a\u200bb"])
async def test_a_name_that_no_person_has_takes_nothing(world: World, name: str) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": name})
    assert (answer.status_code, answer.json()["error"]) == (400, "who")
    assert (await world.client.post("/who", data={"who": name})).status_code == 400
    world.client.cookies.set("who", "agent")
    assert (await world.client.post("/tickets/1/acknowledge")).status_code == 400
    assert (await world.tickets())[0]["acknowledged"] is None


async def test_a_chinese_name_with_its_wide_space_is_a_name(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "张\u3000三"})
    assert answer.json()["acknowledged_by"] == "张 三"


@pytest.mark.parametrize("path", ["/who", "/tickets/1/acknowledge"])
async def test_a_form_has_bounds(world: World, path: str) -> None:
    agent = await world.agent()
    await agent.send(change())
    large = await world.client.post(path, data={"who": "x" * 20_000})
    many = await world.client.post(path, content="&".join(f"a{n}=1" for n in range(50)))
    files = await world.client.post(path, files={"who": b"x"})
    assert (large.status_code, many.status_code, files.status_code) == (413, 400, 415)
    assert (await world.tickets())[0]["acknowledged"] is None

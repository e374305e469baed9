"""What a reader finds beside a page: the alarms that stand, the other language, words for readings."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.words import MEASURES, say
from model.alarm import AlarmState, Kind
from model.quantity import Quantity
from tests.desk_world import World, a_desk, change, cleared, snapshot


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


def lines(part: str) -> list[str]:
    found = re.findall(r"<li.*?</li>", part, re.DOTALL)
    return [" ".join(re.sub(r"<time.*?</time>|<[^>]*>", " ", line).split()) for line in found]


def beside(page: str) -> tuple[list[str], list[str]]:
    """The lines of the live alarms and of those that are over."""
    aside = page[page.index(">Alarms, live</a></h2>") : page.index("</aside>")]
    live, _, over = aside.partition("<h2>Over</h2>")
    return lines(live), lines(over)


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("/", "/?lang=zh"),
        ("/sites/S1/trend?device=ups&point=a%26b", "/sites/S1/trend?device=ups&amp;point=a%26b&amp;lang=zh"),
        ("/tickets/1?lang=en", "/tickets/1?lang=zh"),
        ("//evil.example/", "/evil.example/?lang=zh"),
    ],
)
async def test_the_other_language_is_the_same_page_with_its_query(world: World, address: str, link: str) -> None:
    agent = await world.agent()
    await agent.send(change())
    text = (await world.client.get(f"http://127.0.0.1{address}", headers={"Accept-Language": "en"})).text
    assert re.findall(r'<a href="([^"]*)" lang="zh"', text) == [link]


async def test_beside_the_page_stands_what_stands_now_worst_and_newest_first(world: World) -> None:
    agent = await world.agent(name="Hall 1")
    worst = change(device="a", episode="e1", title="Mains A")
    await agent.send(worst)
    world.clock.on(10)
    await agent.send(change(fault="subrack.cooling", case="any_stopped", episode="e2", title="Fan"))
    world.clock.on(10)
    await agent.send(change(device="b", episode="e3", title="Mains B"))
    pending = change(device="c", episode="e4", title="Door", state=AlarmState.PENDING, kind=Kind.PENDING, opened=False)
    ended = change(device="d", episode="e5", title="Leak")
    await agent.send(pending, ended, cleared(ended))
    live, over = beside((await world.client.get("/")).text)
    assert live == [
        "▲ 2 Hall 1 · UPS of the hall Mains B",
        "▲ 2 Hall 1 · UPS of the hall Mains A",
        "■ 4 Hall 1 · UPS of the hall Fan",
        "◌ Hall 1 · UPS of the hall Door · pending",
    ]
    assert over == ["✓ Hall 1 · UPS of the hall Leak over"]


async def test_what_a_standing_alarm_explains_is_counted_on_its_line(world: World) -> None:
    agent = await world.agent(name="Hall 1")
    children = [
        change(fault="rectifier.input_failed", device=f"r{n}", episode=f"c{n}", state=AlarmState.SUPPRESSED,
               opened=False, explained_by="S1/ups/-/mains.lost", title="Rectifier")
        for n in range(3)
    ]  # fmt: skip
    await agent.send(change(), *children)
    live, over = beside((await world.client.get("/")).text)
    assert live == ["▲ 2 Hall 1 · UPS of the hall Mains lost · explains 3 alarms"]
    assert over == []
    agent.epoch, agent.seq = "second-epoch", 0
    await agent.send(snapshot(children[0]))
    live, _ = beside((await world.client.get("/")).text)
    assert live == ["↳ Hall 1 · UPS of the hall Rectifier · explained"]


def reading(point: str, quantity: str, value: float | str, **more: str) -> dict[str, float | str]:
    return {"device": "rack", "point": point, "quantity": quantity, "label": "Fan 1", "value": value} | more


async def site_page(world: World, *readings: dict[str, float | str], lang: str = "en") -> str:
    agent = await world.agent()
    devices = [{"device": "rack", "name": "Rack", "reachable": True}]
    answer = await agent.post("readings", {"wall": 0.0, "devices": devices, "readings": readings})
    assert answer.status_code == 204
    return (await world.client.get(f"/sites/S1?lang={lang}")).text


@pytest.mark.parametrize(
    ("lang", "names"), [("en", ["Fan 1 · speed", "Fan 1 · running"]), ("zh", ["Fan 1 · 转速", "Fan 1 · 运转"])]
)
async def test_two_readings_of_one_label_say_what_each_measures(world: World, lang: str, names: list[str]) -> None:
    other = reading("door", "door.status", "open", label="Door")
    text = await site_page(
        world, reading("rpm", "fan.speed", 3000.0), reading("run", "fan.running", "running"), other, lang=lang
    )
    assert re.findall(r"/trend[^>]*>([^<]*)</a>", text) == [*names, "Door"]


async def test_a_device_that_the_site_did_not_list_is_not_said_to_answer(world: World) -> None:
    text = await site_page(world, reading("rpm", "fan.speed", 3000.0), reading("x", "fan.speed", 1.0, device="ghost"))
    ghost = text[text.index("<small>ghost</small>") :]
    assert "answers</span>" in text[: text.index("<small>ghost</small>")]
    assert "✓ answers" not in ghost
    assert "does not answer" not in ghost
    assert "not told whether it answers" in ghost


@pytest.mark.parametrize(
    ("quantity", "state", "said"),
    [
        ("breaker.status", "closed", "合闸"),
        ("door.status", "closed", "关闭"),
        ("generator.status", "stopped", "停机"),
        ("fan.running", "stopped", "停转"),
        ("device.status", "critical", "紧急"),
        ("device.status", "of_the_maker", "of the maker"),
    ],
)
async def test_a_state_is_said_in_chinese_as_people_say_it_of_that_thing(
    world: World, quantity: str, state: str, said: str
) -> None:
    text = await site_page(world, reading("p", quantity, state), lang="zh")
    assert f"<b>{said}</b>" in text


def test_every_measure_of_the_vocabulary_has_its_word() -> None:
    assert {quantity.measure for quantity in Quantity} - MEASURES.keys() == set()


def test_a_word_that_is_not_here_is_shown_as_it_is() -> None:
    assert say("en", "milestone.send_spare_part") == "send spare part"

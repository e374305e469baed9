"""The roster's page: who is on duty, what is wrong, substitutes by a form."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.notices import call
from desk.words import WORDS
from model.telling import What
from tests.desk_world import World, a_desk, change

ROSTER = """\
calendar: china-working-days
people:
  li: {name: Li Ming, language: zh, mail: li@example.com}
  wang: {name: Wang Wei, mail: wang@example.com}
teams:
  duty:
    title: {en: Duty desk, zh: 值班室}
    shifts:
      - {who: li, hours: 08:00-20:00}
      - {who: wang, hours: 20:00-02:00}
policy:
  - {level: [1, 2, 3, 4], tell: [duty]}
mail: {server: "127.0.0.1:25", from: desk@example.com, security: none}
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    path = tmp_path / "roster.yaml"
    path.write_text(ROSTER, "utf-8")
    async with a_desk(tmp_path, roster=path) as made:  # it is 2027-01-15 16:00 in Shanghai
        yield made


def plain(text: str) -> str:
    return re.sub(r"<[^>]*>|\s+", " ", text)


async def test_the_roster_says_who_is_on_duty_until_when_and_when_nobody_is(world: World) -> None:
    text = re.sub(r"\s+", " ", plain((await world.client.get("/roster")).text))
    assert "Li Ming until 20:00" in text
    assert "20:00–02:00 Wang Wei" in text
    assert "02:00–08:00 ▲ nobody" in text
    assert "值班室" in (await world.client.get("/roster?lang=zh")).text


async def test_a_substitute_is_said_shown_and_withdrawn_by_forms(world: World) -> None:
    world.client.cookies.set("who", "Chen")
    form = {"absent": "li", "stand_in": "wang", "start": "2027-01-15T12:00", "end": "2027-01-15T20:00", "reason": "ill"}
    answer = await world.client.post("/roster", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/roster")
    text = (await world.client.get("/roster")).text
    assert "Wang Wei for Li Ming" in text
    assert "instead of Li Ming" in text
    assert "said by Chen" in text
    number = re.search(r'name="withdraw" value="(\d+)"', text)
    assert number is not None
    assert (await world.client.post("/roster", data={"withdraw": number[1]})).status_code == 303
    assert "Nobody stands in for anybody." in (await world.client.get("/roster")).text


BAD = [
    ({"absent": "li", "stand_in": "li", "start": "2027-01-15T12:00", "end": "2027-01-16T12:00"}, "for themselves"),
    ({"absent": "li", "stand_in": "nobody", "start": "2027-01-15T12:00", "end": "2027-01-16T12:00"}, "no such person"),
    ({"absent": "li", "stand_in": "wang", "start": "2027-01-15T12:00", "end": "2027-01-15T11:00"}, "The end must come"),
    ({"absent": "li", "stand_in": "wang", "start": "soon", "end": ""}, "Write the time"),
    (
        {
            "absent": "li",
            "stand_in": "wang",
            "start": "2027-01-15T12:00",
            "end": "2027-01-16T12:00",
            "reason": "i\u200bll",
        },
        "Reason has a character that cannot be seen (U+200B) at place 2",
    ),
    ({"withdraw": "77"}, "does not stand any more"),
    ({"withdraw": "9" * 30}, "does not stand any more"),
]


@pytest.mark.parametrize(("form", "why"), BAD)
async def test_a_substitute_that_cannot_be_is_refused_on_the_page(world: World, form: dict[str, str], why: str) -> None:
    answer = await world.client.post("/roster", data=form)
    assert answer.status_code == 409
    assert why in answer.text
    assert await world.rows("SELECT * FROM swaps") == []


async def test_without_a_roster_the_page_says_how_to_have_one(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as bare:
        assert "roundsman desk --roster FILE" in (await bare.client.get("/roster")).text
        answer = await bare.client.post("/roster", data={"absent": "li", "start": "12:00", "end": "13:00"})
        assert (answer.status_code, "There is no roster." in answer.text) == (409, True)


async def test_a_tickets_page_says_who_was_told_and_whether_it_arrived(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    assert "Who was told" not in (await world.client.get("/tickets/1")).text
    file = world.desk.people.file
    assert file is not None
    await world.desk.store.write(lambda db: call(world.desk.ledger(db), file.roster))
    told = re.sub(r"\s+", " ", plain((await world.client.get("/tickets/1")).text))
    assert "… Li Ming new ticket 16:00 · mail:li@example.com · waits" in told
    await world.desk.store.write(lambda db: db.execute("UPDATE notices SET state = 'failed'"))
    assert re.search(r"▲ +Li Ming", plain((await world.client.get("/tickets/1")).text))


@pytest.mark.parametrize("what", list(What))
def test_everything_that_people_are_told_has_its_words(what: What) -> None:
    assert f"call.{what}" in WORDS

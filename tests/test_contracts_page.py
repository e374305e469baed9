"""The contracts' pages: in plain words in both languages, as the command says them, with what is open said as such."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from config.contract import load_contract
from desk.settings import shipped
from model.contract_page import sections
from tests.desk_world import CONTRACT, World, a_desk, contracts
from tests.people_world import a_desk_with_people

NAME = "telecom-transmission"


def known(name: str):  # type: ignore[no-untyped-def]
    return CONTRACT if name == CONTRACT.name else shipped(name)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, known=known) as made:
        yield made


def plain(text: str) -> str:
    main = text[text.index("<main") : text.index("</main>")]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_contract_says_all_that_the_command_says(world: World, lang: str) -> None:
    answer = await world.client.get(f"/contracts/{NAME}?lang={lang}")
    assert answer.status_code == 200
    text = plain(answer.text)
    said = sections(load_contract(NAME).contract)
    assert len(said) > 5
    for section in said:
        head = section.head if len(section.head) > 1 else ()  # a table of one column is a list
        for cell in (section.title, *head, *(cell for row in section.rows for cell in row)):
            assert re.sub(r"\s+", " ", cell[lang]).strip() in text, cell


@pytest.mark.parametrize(("lang", "word"), [("en", "points left open"), ("zh", "处未定")])
async def test_what_a_contract_leaves_open_is_said_as_such(world: World, lang: str, word: str) -> None:
    contract = load_contract(NAME).contract
    listed = plain((await world.client.get(f"/contracts?lang={lang}")).text)
    assert word in listed
    page = (await world.client.get(f"/contracts/{NAME}?lang={lang}")).text
    assert 'class="left-open" id="open"' in page
    resting = [limit for limit in contract.limits if limit.open]
    assert page.count('href="#open"') >= len(resting) > 0


async def test_the_sites_under_a_contract_are_named_and_its_contract_comes_first(world: World) -> None:
    await world.agent("S1", name="Hall 1", contract=NAME, region="prd")
    listed = (await world.client.get("/contracts")).text
    assert re.findall(r'href="/contracts/([\w-]+)"', listed)[0] == NAME
    assert "1 site" in plain(listed)
    page = plain((await world.client.get(f"/contracts/{NAME}")).text)
    assert "Sites under it · 1" in page
    assert "Hall 1" in page
    assert "Hall 1" not in plain((await world.client.get("/contracts/demo")).text)


async def test_a_contract_that_is_not_there_is_no_page(world: World) -> None:
    for name in ("none", "..%2f..%2fetc%2fpasswd", "<script>", "%00", "x" * 4000):
        answer = await world.client.get(f"/contracts/{name}")
        assert answer.status_code == 404, name
        assert "<script>" not in answer.text.replace('<script src="', "")


async def test_a_contract_that_sites_name_and_nobody_has_is_said_to_be_missing(tmp_path: Path) -> None:
    async with a_desk(tmp_path, known=contracts) as world:
        await world.desk.store.write(
            lambda db: db.execute("INSERT INTO sites VALUES ('S9', '<b>Nine', 'old one', '', '')")
        )
        page = await world.client.get("/contracts/old%20one")
        assert page.status_code == 200
        assert "no good file of it" in page.text
        assert "<b>Nine" not in page.text
        assert "&lt;b&gt;Nine" in page.text


async def test_who_is_bound_to_a_site_sees_no_other_site_under_a_contract(tmp_path: Path) -> None:
    async with a_desk_with_people(tmp_path, known=known) as people:
        await people.world.agent("S1", name="Hall 1", contract=NAME)
        await people.world.agent("S2", name="Hall 2", contract=NAME)
        bound = await people.browser("Bound", "viewer", sites=["S1"])
        page = plain((await bound.get(f"/contracts/{NAME}")).text)
        assert "Hall 1" in page
        assert "Hall 2" not in page
        assert "1 site" in plain((await bound.get("/contracts")).text)
        nobody = await people.browser()
        assert (await nobody.get("/contracts")).headers["location"].startswith("/login")

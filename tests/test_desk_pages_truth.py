"""The desk's pages do not lie: the contract's own words for levels, whole texts, the hour beside a day."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.settings import shipped
from desk.shown import Shown
from model.alarm import AlarmState, Kind
from model.rule import Meaning
from tests.desk_world import World, a_desk, change, later


@pytest.fixture
async def abcd(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, known=shipped) as made:
        agent = await made.agent("S1", contract="outsourcing-abcd", region="")
        await agent.send(change(meaning=Meaning.INTERRUPTION))
        yield made


def plain(text: str) -> str:
    return re.sub(r"<[^>]*>|\s+", " ", text)


@pytest.mark.parametrize("path", ["/", "/tickets", "/tickets/1", "/sites", "/sites/S1"])
async def test_a_level_is_called_as_its_contract_calls_it(abcd: World, path: str) -> None:
    text = (await abcd.client.get(path)).text
    main, aside = text[text.index("<main") : text.index("</main>")], text[text.index("<aside") :]
    shown = re.findall(r"◆(?:</i>)?\s*(\w+)", main)
    assert shown
    assert set(shown) == {"A"}
    assert "◆ A" in aside
    assert "Level 1" not in text


async def test_what_a_person_wrote_is_shown_whole(abcd: World) -> None:
    reason = "waits for the carrier, " * 18 + "end"  # 417 characters
    form = {"act": "paused", "waiting": "carrier", "reason": reason, "offer": "paused"}
    refused = await abcd.client.post("/tickets/1", data={**form, "said": "2020-01-01T00:00"})
    assert refused.status_code == 409
    assert f'value="{reason}"' in refused.text
    assert (await abcd.client.post("/tickets/1", data=form)).status_code == 303
    text = (await abcd.client.get("/tickets/1")).text
    assert text.count(reason) == 3  # how it stands, its pauses, its history


async def test_a_form_of_several_lines_that_is_refused_keeps_them(abcd: World) -> None:
    duty = "\r\n".join(f"Li {n} 2026-01-01 08:00 to 2026-01-01 20:00" for n in range(12))
    form = {"form": "declare", "name": "Fair", "where": "nowhere", "end": "x", "duty": duty, "by": "Li"}
    answer = await abcd.client.post("/periods", data=form)
    assert answer.status_code == 400
    assert duty.replace("\r\n", "\n") in answer.text


async def test_a_link_to_a_ticket_that_is_not_there_is_refused_on_the_page_too(abcd: World) -> None:
    form = {"act": "linked", "number": "77", "tie": "related", "offer": "linked"}
    answer = await abcd.client.post("/tickets/1", data=form)
    assert answer.status_code == 409
    assert "/tickets/77" not in answer.text
    assert 'value="77"' in answer.text


async def test_a_limit_days_away_is_said_with_its_hour(tmp_path: Path) -> None:
    async with a_desk(tmp_path, known=shipped, timezone="Asia/Shanghai") as made:
        agent = await made.agent("S1", contract="telecom-transmission", region="rest")
        await agent.send(change())
        for path in ("/", "/tickets/1"):
            assert re.search(r"due 22 Jan 16:00", plain((await made.client.get(path)).text)), path


async def test_an_alarm_that_another_explains_names_it_in_words(abcd: World) -> None:
    agent = await abcd.agent("S2", contract="outsourcing-abcd", region="")
    raised = change("S2", episode="p")
    child = change("S2", fault="rectifier.input_failed", episode="c", title="Rectifier without input")
    await agent.send(raised, child)
    await agent.send(later(child, Kind.SUPPRESSED, AlarmState.SUPPRESSED, explained_by="S2/ups/-/mains.lost"))
    text = plain((await abcd.client.get("/tickets/3")).text)
    assert "Explained by Mains lost" in text


async def test_a_warning_of_one_moment_is_not_said_again_by_the_pages_next_look(abcd: World) -> None:
    text = (await abcd.client.get("/?worse=1&lang=en")).text
    assert "It got worse meanwhile" in text
    assert 'content="20;url=/?lang=en"' in text
    assert 'hx-get="/?lang=en"' in text


@pytest.mark.parametrize(
    ("back", "to"),
    [("/tickets/1", "/tickets/1"), ("/tickets/new?site=S1", "/tickets/new?site=S1"), ("//evil.example", "/"),
     ("/tickets/1/../../x", "/"), ("https://evil.example/tickets/1", "/"), ("", "/")],
)  # fmt: skip
async def test_who_says_a_name_comes_back_to_where_it_was_asked_for(abcd: World, back: str, to: str) -> None:
    assert f'name="back" value="{to}"' in (await abcd.client.get("/who", params={"back": back})).text
    answer = await abcd.client.post("/who", data={"who": "Li", "back": back})
    assert answer.headers["location"] == to


async def test_a_page_by_another_clock_than_the_boards_says_so(tmp_path: Path) -> None:
    async with a_desk(tmp_path, timezone="Asia/Shanghai") as made:
        await (await made.agent("S1", timezone="Asia/Urumqi")).send(change())
        await (await made.agent("S2", timezone="Asia/Chongqing")).send(change("S2"))
        said = [("at the site" in (await made.client.get(path)).text) for path in ("/", "/tickets/1", "/tickets/2")]
    assert said == [False, True, False]


async def test_a_ticket_that_is_said_to_be_resolved_while_its_alarm_stands_says_so(abcd: World) -> None:
    assert "but the alarm stands" not in (await abcd.client.get("/tickets/1")).text
    form = {"act": "reached", "milestone": "resolve", "offer": "reached.resolve"}
    assert (await abcd.client.post("/tickets/1", data=form)).status_code == 303
    assert "but the alarm stands" in (await abcd.client.get("/tickets/1")).text


async def test_without_script_a_ticket_says_of_when_it_is(abcd: World) -> None:
    text = (await abcd.client.get("/tickets/1")).text
    assert re.search(r'<noscript><p><a class="link" href="/tickets/1">As of 16:00: look again</a>', text)


def test_points_have_their_sign_and_nothing_has_none() -> None:
    shown = Shown("en", 0.0)
    assert [shown.signed(points) for points in (-5.0, 2.5, 0.0)] == ["\N{MINUS SIGN}5", "+2.5", "0"]

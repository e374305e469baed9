"""Somebody who is signed in tries to do more than they may: other bodies than a page sends, words beside the word."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from desk.live import commands_of
from tests.desk_world import a_desk, change
from tests.people_world import FIRST, PASSWORD, Browser, People, a_desk_with_people


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    async with a_desk_with_people(tmp_path, streams=0) as made:
        await (await made.world.agent("S1")).send(change(site="S1"))
        await (await made.world.agent("S2")).send(change(site="S2", episode="e2"))
        yield made


async def raw(browser: Browser, path: str, body: str, kind: str = "application/json") -> httpx.Response:
    """What a program sends from a browser's session, with the word of its forms."""
    headers = {"Content-Type": kind, "X-CSRF-Token": await browser.token_of("/account")}
    return await browser.client.post(path, content=body, headers=headers)


async def said(people: People, number: int = 1) -> list[str]:
    return [row["did"] for row in await people.world.rows("SELECT did FROM entries WHERE ticket = ?", number)]


LEVEL = urlencode({"act": "level", "offer": "level", "level": "1", "reason": "because"})


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_a_form_inside_another_body_is_not_read_as_one(people: People, kind: str) -> None:
    operator = await people.browser("Op", "operator")
    before = await said(people)
    answer = await raw(operator, "/tickets/1", f'{{"x":"&{LEVEL}&y="}}', kind)
    assert answer.status_code in {400, 415}, answer.text
    bound = await people.browser("Bound", "operator", sites=["S1"])
    text = urlencode({"site": "S2", "fault": "smoke", "level": "0", "side": "service"})
    answer = await raw(bound, "/tickets/new", f'{{"site":"S1","x":"&{text}&y="}}', kind)
    assert answer.status_code in {400, 415}, answer.text
    assert await said(people) == before
    assert len(await people.world.tickets()) == 2


async def test_a_form_is_not_read_as_a_call(people: People) -> None:
    operator = await people.browser("Op", "operator")
    fields = {"csrf": await operator.token_of("/account"), "by": "x", "level": "0"}
    answer = await operator.client.post("/api/v1/tickets/1/acknowledge", data=fields)
    assert answer.status_code in {400, 403, 415}, answer.text


@pytest.mark.parametrize("act", [" level", "level ", "\u3000level", "level\n"])
async def test_a_word_with_blanks_around_it_needs_the_same_role(people: People, act: str) -> None:
    operator = await people.browser("Op", "operator")
    before = await said(people)
    answer = await operator.post("/tickets/1", "/tickets/1", act=act, offer="x", level="1", reason="because")
    assert answer.status_code == 403, answer.text
    assert await said(people) == before


async def test_a_word_beside_the_word_hides_nothing(people: People) -> None:
    engineer = await people.browser("En", "engineer")
    for form in ("approve 1", "declare", "end_guard 1", "roster 1"):
        for act in ("x", "plan"):
            answer = await engineer.post("/periods", "/periods", act=act, form=form, by="x", reason="y")
            assert answer.status_code == 403, (form, answer.text)
    operator = await people.browser("Op", "operator")
    answer = await operator.post("/tickets/1", "/tickets/1", form="x", act="level", offer="x", level="1", reason="r")
    assert answer.status_code == 403


@pytest.mark.parametrize("number", [" 2", "2 ", "+2", "2.0", "\u3000" + "2", "02"])
async def test_a_ticket_of_another_site_is_not_there_however_its_number_is_written(people: People, number: str) -> None:
    bound = await people.browser("Bound", "operator", sites=["S1"])
    for act, more in (("merged", {}), ("linked", {"tie": "related"})):
        said_ = {"act": act, "number": number, "reason": "x", "offer": "m", **more}
        answer = await bound.post("/tickets/1", "/tickets/1", **said_)
        assert answer.status_code in {400, 404}, answer.text
    assert not {"merged", "linked"} & set(await said(people))


@pytest.mark.parametrize("number", ["2.0", "2e0", '"2"', "[2]", "true"])
async def test_a_call_names_a_ticket_of_another_site_by_no_other_number(people: People, number: str) -> None:
    token = await people.token("engineer", sites=["S1"])
    for what, more in (("merged", ""), ("linked", ',"tie":"related"')):
        body = f'{{"by":"x","act":{{"what":"{what}","number":{number},"reason":"x"{more}}}}}'
        answer = await people.client.post("/api/v1/tickets/1/acts", content=body, headers=token)
        assert answer.status_code in {400, 404}, answer.text
    assert not {"merged", "linked"} & set(await said(people))


async def test_the_last_administrator_who_can_sign_in_stays_one(people: People) -> None:
    invited = await people.add("Wang", "administrator")
    for body in ({"role": "manager"}, {"sites": ["S1"]}, {"disabled": True}):
        answer = await people.command("POST", f"users/{FIRST}/change", **body)
        assert (answer.status_code, answer.json()["error"]) == (409, "last"), body
    await (await people.browser()).set_password(invited)
    assert (await people.command("POST", f"users/{FIRST}/change", role="manager")).status_code == 200
    assert (await people.command("POST", f"users/{FIRST}/change", role="viewer")).status_code == 200


async def test_an_incident_of_all_sites_is_not_on_the_page_of_who_is_bound(people: People) -> None:
    for n in range(3, 7):
        await (await people.world.agent(f"S{n}")).send(change(site=f"S{n}", episode=f"e{n}"))
    whole, bound = await people.browser("All", "operator"), await people.browser("Bound", "operator", sites=["S1"])
    assert "/incidents/1" in (await whole.get("/tickets/1")).text
    text = (await bound.get("/tickets/1")).text
    assert "/incidents/" not in text
    assert "6 sites" not in text


async def test_who_is_bound_follows_no_other_sites_readings(people: People) -> None:
    bound = await people.browser("Bound", "operator", sites=["S1"])
    for topic, status in (("readings S1", 503), ("board", 503), ("readings S2", 404), ("readings S9", 404)):
        assert (await bound.get("/live", params={"topic": topic})).status_code == status, topic  # no stream is free


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_while_nobody_signs_in_a_proxy_opens_the_desk_to_nobody(tmp_path: Path, name: str) -> None:
    async with a_desk(tmp_path) as world:
        for path in ("/", "/metrics", "/api/v1/tickets"):
            answer = await world.client.get(path, headers={name: "203.0.113.9"})
            assert answer.status_code == 403, path
            assert "roundsman desk user add" in answer.text
            assert (await world.client.get(path)).status_code == 200
        agent = await world.agent("S1")
        agent.headers[name] = "203.0.113.9"
        assert (await agent.beat()).status_code == 200


async def test_who_knows_the_password_may_choose_a_new_one_as_often_as_it_takes(people: People) -> None:
    browser = await people.browser("Li", "operator")
    for _ in range(8):
        answer = await browser.post("/account", form="password", before=PASSWORD, password="short", again="short")
        assert answer.status_code == 409, answer.text
    for _ in range(8):
        answer = await browser.post("/account", form="password", before="a guess", password="x", again="x")
    assert answer.status_code == 429


async def test_an_agent_that_is_revoked_while_it_waits_is_told_no_command(people: People) -> None:
    agent = await people.world.agent("S3")
    waits = asyncio.create_task(
        people.client.get("/api/v1/commands", params={"wait": 20}, headers=agent.headers, timeout=30)
    )
    async with asyncio.timeout(10):
        while not people.world.desk.hub.following(commands_of("S3")):  # noqa: ASYNC110 - the desk's own time
            await asyncio.sleep(0)
    revoked = await people.command("POST", "local/revoke", site="S3")
    assert revoked.status_code == 200, revoked.text
    assert (await waits).status_code == 401


async def test_a_link_that_two_open_at_once_sets_one_password(people: People) -> None:
    link = await people.add("Li", "operator")
    both = [await people.browser(), await people.browser()]
    words = ("the first good sentence", "another good sentence")
    answers = await asyncio.gather(*(each.set_password(link, word) for each, word in zip(both, words, strict=True)))
    assert sorted(each.status_code for each in answers) == [303, 404]
    assert [row["who"] for row in await people.audit("password_set")] == [FIRST, "Li"]

"""A ticket's own page over HTTP: forms without script, what they write down, and what is refused beside them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from desk.ledger import entries_of, record_of
from model.contract import Milestone, Penalty
from model.service import entry as acts
from model.service.record import Record
from tests.desk_world import CONTRACT, World, a_desk, change, cleared

HOSTILE = "<script>alert('x')</script>\"' onload=x {{7*7}}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, title="West desk") as made:
        yield made


async def opened(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())


async def record(world: World, number: int = 1) -> Record:
    found = await world.desk.store.read(lambda db: record_of(db, number))
    assert found is not None
    return found


async def entries(world: World, number: int = 1) -> tuple[acts.Entry, ...]:
    return await world.desk.store.read(lambda db: entries_of(db, number))


def forms(text: str) -> dict[str, dict[str, str]]:
    """Every form of a ticket's page by its id: the fields that a browser would post untouched."""
    found: dict[str, dict[str, str]] = {}
    for form in re.findall(r'<form method="post" action="/tickets/\d+#.*?</form>', text, re.DOTALL):
        name = re.search(r'\sid="([^"]+)"', form)
        assert name is not None
        fields = dict(re.findall(r'<input(?! type="checkbox")[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', form))
        found[name[1]] = fields | dict(re.findall(r'<select[^>]*name="(\w+)"><option value="([^"]*)"', form))
    return found


async def press(world: World, offer: str, ticket: int = 1, /, **filled: str) -> httpx.Response:
    """Fill in a form as it stands on the page, and send it."""
    shown = forms((await world.client.get(f"/tickets/{ticket}")).text)
    assert offer in shown, sorted(shown)
    return await world.client.post(f"/tickets/{ticket}", data=shown[offer] | filled)


async def test_a_ticket_goes_its_way_by_forms_alone(world: World) -> None:
    await opened(world)
    world.client.cookies.set("who", "Li")
    for offer in ("acknowledged", "reached.depart", "reached.arrive", "repaired", "reached.restore"):
        world.clock.on(300)
        answer = await press(world, offer, **({"part": "module 3"} if offer == "repaired" else {}))
        assert (answer.status_code, answer.headers["location"]) == (303, "/tickets/1#glance"), offer
    marks = (await record(world)).marks
    start = (await record(world)).start
    assert {each: mark.when - start for each, mark in marks.items()} == {
        Milestone.ACCEPT: 300.0, Milestone.DEPART: 600.0, Milestone.ARRIVE: 900.0, Milestone.RESTORE: 1500.0,
    }  # fmt: skip
    last = (await entries(world))[-1]
    assert (last.who, last.source, last.at - start) == ("Li", "127.0.0.1", 1500.0)
    assert "Last: Restored · Li 16:25" in (await world.client.get("/tickets/1")).text


async def test_a_ticket_whose_readings_are_good_again_is_closed_and_takes_papers_by_forms(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised)
    world.clock.on(600)
    await agent.send(cleared(raised))
    text = (await world.client.get("/tickets/1")).text
    assert "Restored 16:10: to be closed" in text
    assert (await press(world, "closed", note="done")).status_code == 303
    assert (await record(world)).closed
    text = (await world.client.get("/tickets/1")).text
    assert "reached.restore" not in text
    assert (await press(world, "customer", satisfied="true", signed_by="Ms Wu")).status_code == 303
    assert (await record(world)).verdicts[0].signed_by == "Ms Wu"


async def test_what_is_refused_is_said_beside_its_form_and_what_was_written_stays(world: World) -> None:
    await opened(world)
    world.clock.on(60)
    answer = await press(world, "paused", waiting="supplier", reason="", said="")
    assert answer.status_code == 409
    form = re.search(r'<form[^>]*id="paused".*?</form>', answer.text, re.DOTALL)
    assert form is not None
    assert 'role="alert"' in form[0]
    assert "Not written down." in form[0]
    assert "Say why" in form[0]
    assert '<option value="supplier" selected>' in form[0]
    assert answer.text.count('class="refused"') == 1
    assert '<details name="act" class="one" open>' in answer.text
    assert '<details class="more" id="more" open>' in answer.text
    assert len(await entries(world)) == 1
    chinese = await world.client.post("/tickets/1?lang=zh", data={"act": "paused", "waiting": "supplier", "reason": "",
                                                                  "offer": "paused"})  # fmt: skip
    assert "请说明原因" in chinese.text


async def test_a_time_that_cannot_be_is_refused_and_one_that_can_is_the_sites(world: World) -> None:
    await opened(world)  # 2027-01-15 16:00 in Shanghai
    world.clock.on(1800)
    future = await press(world, "reached.depart", said="2027-01-15T16:40")
    assert future.status_code == 409
    assert 'value="2027-01-15T16:40"' in future.text
    assert "By the desk it is 2027-01-15 16:30:00 now." in future.text
    assert (await press(world, "reached.depart", said="2027-01-15T16:20")).status_code == 303
    mark = (await record(world)).marks[Milestone.DEPART]
    assert mark.when - (await record(world)).start == 1200.0
    assert "16:20" in (await world.client.get("/tickets/1")).text


@pytest.mark.parametrize(("offer", "field"), [("complained", "id"), ("complained", "text"), ("charged", "note")])
async def test_what_costs_is_told_in_words_or_refused(tmp_path: Path, offer: str, field: str) -> None:
    late = Penalty(event="late", title={"en": "Late", "zh": "迟到"}, points=1.0)
    costly = msgspec.structs.replace(CONTRACT, penalties=(late,))
    async with a_desk(tmp_path, known=lambda _name: costly) as world:
        await opened(world)
        filled = {"text": "nobody called"} if offer == "complained" else {"note": "an hour"}
        answer = await press(world, offer, **filled | {field: " "})
        assert answer.status_code == 409
        assert ("Give it an id" if field == "id" else "Say what it is about") in answer.text
        assert (await press(world, offer, **filled)).status_code == 303


@pytest.mark.parametrize(
    ("lang", "says"),
    [("en", "has a character that cannot be seen (U+200B) at place 7"), ("zh", "第7个字符不可见（U+200B）")],
)
async def test_a_character_that_cannot_be_seen_is_named_beside_its_form(world: World, lang: str, says: str) -> None:
    await opened(world)
    world.client.cookies.set("lang", lang)
    answer = await press(world, "repaired", part="module\u200b 3")
    assert answer.status_code == 409
    assert says in answer.text
    form = {"site": "S1", "fault": "broken\u200b door"}
    assert says in (await world.client.post("/tickets/new", data=form)).text
    assert says in (await world.client.post("/who", data={"who": "Li Nab\u200b"})).text


async def test_a_form_that_is_sent_twice_is_written_down_once(world: World) -> None:
    await opened(world)
    shown = forms((await world.client.get("/tickets/1")).text)["reached.depart"]
    first = await world.client.post("/tickets/1", data=shown)
    again = await world.client.post("/tickets/1", data=shown)
    assert (first.status_code, again.status_code) == (303, 409)
    assert again.text.index('class="refused"') < again.text.index('id="glance"')  # its form stands there no more
    assert len(await entries(world)) == 2


async def test_a_ticket_that_got_worse_meanwhile_is_not_taken(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised)
    stale = forms((await world.client.get("/tickets/1")).text)["acknowledged"] | {"seen": "3"}
    answer = await world.client.post("/tickets/1", data=stale)
    assert answer.status_code == 409
    assert "It got worse meanwhile" in answer.text
    assert (await record(world)).ticket.acknowledged is None


async def test_an_acknowledgement_on_the_page_is_told_to_the_site(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    world.client.cookies.set("who", "Li")
    await press(world, "acknowledged")
    (command,) = await agent.commands()
    assert "Li" in str(command)


BAD = [
    {"act": "opened", "number": "9"},
    {"act": "fired"},
    {"act": "nothing"},
    {},
    {"act": "acknowledged", "side": "system"},
    {"act": "merged", "number": "1", "reason": "same"},
    {"act": "merged", "number": "99", "reason": "same"},
    {"act": "resumed", "said": "soon"},
]


@pytest.mark.parametrize("fields", BAD)
async def test_what_no_form_of_the_page_says_is_refused_and_writes_nothing(
    world: World, fields: dict[str, str]
) -> None:
    await opened(world)
    answer = await world.client.post("/tickets/1", data=fields)
    assert answer.status_code == 409
    assert "Not written down." in answer.text
    assert len(await entries(world)) == 1


async def test_a_merge_ends_one_ticket_in_the_other(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(), change(device="b", episode="e2"))
    assert (await press(world, "merged", 2, number="1", reason="one breaker")).status_code == 303
    assert (await record(world, 2)).merged_into == 1
    assert (await record(world)).took_in == (2,)
    text = (await world.client.get("/tickets/2")).text
    assert "Merged into ticket 1" in text
    glance = text[text.index('class="stand"') : text.index('class="stages"')]
    assert '<a class="link" href="/tickets/1">' in glance


async def test_a_customers_word_is_kept_as_the_customers(world: World) -> None:
    await opened(world)
    await press(world, "customer", satisfied="false", note="too slow")
    last = (await entries(world))[-1]
    assert last.side == "customer"
    assert "for the customer" in (await world.client.get("/tickets/1")).text


@pytest.mark.parametrize("offer", ["reached.depart", "paused", "level", "workaround", "repaired", "linked"])
async def test_hostile_words_are_written_down_shown_and_never_run(world: World, offer: str) -> None:
    agent = await world.agent()
    await agent.send(change(), change(device="b", episode="e2"))
    world.client.cookies.set("who", "%3Cscript%3Ealert(1)%3C/script%3E")
    given = forms((await world.client.get("/tickets/1")).text)[offer]
    field = next(name for name in ("note", "reason", "part") if name in given)
    answer = await press(world, offer, **({"number": "2"} if offer == "linked" else {}), **{field: HOSTILE})
    assert answer.status_code == 303
    text = (await world.client.get("/tickets/1")).text
    assert "alert(" in text
    assert "<script>" not in text
    for tag in re.findall(r"<[a-zA-Z][^>]*>", text):
        assert not re.search(r"\son[a-z]+\s*=|\sstyle\s*=", re.sub(r'"[^"]*"', '""', tag)), tag


async def test_nobody_else_may_press(world: World) -> None:
    await opened(world)
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = await world.client.post("/tickets/1", data={"act": "acknowledged"}, headers=headers)
        assert answer.status_code == 403
    assert len(await entries(world)) == 1


async def test_a_page_without_script_does_not_take_a_form_away(world: World) -> None:
    await opened(world)
    assert 'http-equiv="refresh"' not in (await world.client.get("/tickets/1")).text
    assert 'http-equiv="refresh"' in (await world.client.get("/")).text


async def test_a_name_is_asked_for_while_there_is_none(world: World) -> None:
    await opened(world)
    assert "Say who you are" in (await world.client.get("/tickets/1")).text
    world.client.cookies.set("who", "Li")
    assert "Say who you are" not in (await world.client.get("/tickets/1")).text


async def test_a_limit_that_was_not_kept_is_said_with_its_lateness(world: World) -> None:
    await opened(world)
    world.clock.on(4000)
    text = re.sub(r"<[^>]*>|\s+", " ", (await world.client.get("/tickets/1")).text)
    assert re.search(r"Departed\s+▲ 6 min over", text)
    assert re.search(r"▲\s+late", text)


async def test_a_ticket_that_is_not_there_is_not_written_to(world: World) -> None:
    assert (await world.client.post("/tickets/9", data={"act": "acknowledged"})).status_code == 404

"""A ticket opened by hand from a page: the site, then the fault; what is refused loses nothing."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.ledger import entries_of, record_of
from desk.opening_page import fault_of
from desk.settings import shipped
from model.contract import Start
from model.service.entry import Opened
from tests.desk_world import World, a_desk

HOSTILE = "<script>alert('x')</script>\"' onload=x {{7*7}}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, known=shipped) as made:
        await made.agent("S1", name="霞山机房", contract="telecom-transmission", region="rest")
        yield made


async def fields(world: World) -> dict[str, str]:
    """The form's fields as a browser would post them untouched."""
    text = (await world.client.get("/tickets/new?site=S1")).text
    form = re.search(r'<form[^>]*id="opening".*?</form>', text, re.DOTALL)
    assert form is not None
    found = dict(re.findall(r'<input[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', form[0]))
    return found | dict(re.findall(r'<select[^>]*name="(\w+)"><option value="([^"]*)"', form[0]))


async def test_a_ticket_is_opened_by_form_with_its_contracts_level(world: World) -> None:
    world.client.cookies.set("who", "Li")
    answer = await world.client.post("/tickets/new", data=await fields(world) | {"fault": "业务中断"})
    assert not re.findall(r"class=.refused.*", answer.text)
    assert (answer.status_code, answer.headers["location"]) == (303, "/tickets/1")
    (entry, *_) = await world.desk.store.read(lambda db: entries_of(db, 1))
    assert isinstance(entry.act, Opened)
    assert (entry.who, entry.side, entry.act.fault, entry.act.level) == ("Li", "service", "traffic.interrupted", 1)
    assert entry.act.onset == entry.at  # the time that the page filled in means now
    assert "Traffic interrupted" in (await world.client.get("/tickets/1")).text


async def test_a_fault_in_ones_own_words_a_time_and_the_customers_report_are_kept(world: World) -> None:
    world.clock.on(7200)
    said = {"fault": "光缆 1/2　被挖断", "device": "ODF-3/1", "said": "2027-01-15T17:00",
            "reported": "2027-01-15T17:05", "side": "customer", "level": "2"}  # fmt: skip
    answer = await world.client.post("/tickets/new", data=await fields(world) | said)
    assert answer.status_code == 303, re.findall(r'class="refused".*', answer.text)
    record = await world.desk.store.read(lambda db: record_of(db, 1))
    assert record is not None
    now = world.clock().wall
    assert (record.fault, record.device, record.ticket.level) == ("光缆 1／2 被挖断", "ODF-3／1", 2)
    assert (now - record.onset, now - record.starts[Start.REPORT]) == (3600.0, 3300.0)


async def test_what_is_refused_keeps_what_was_written_and_names_the_ticket_that_is_there(world: World) -> None:
    form = await fields(world) | {"fault": "空调不制冷", "device": "AC 1"}
    assert (await world.client.post("/tickets/new", data=form)).status_code == 303
    again = await world.client.post("/tickets/new", data=form)
    assert again.status_code == 409
    assert '<a class="link" href="/tickets/1">' in again.text
    assert 'value="空调不制冷"' in again.text
    assert 'value="AC 1"' in again.text
    future = await world.client.post("/tickets/new", data=form | {"device": "AC 2", "said": "2099-01-01T00:00"})
    assert future.status_code == 409
    assert 'value="2099-01-01T00:00"' in future.text
    assert len(await world.tickets()) == 1


@pytest.mark.parametrize(
    "wrong",
    [{"fault": " "}, {"site": "S9"}, {"level": "9"}, {"level": "x"}, {"side": "system"}, {"said": "soon"},
     {"fault": "x" * 121}, {"reported": "2099-01-01T00:00"}],
)  # fmt: skip
async def test_what_cannot_be_opens_nothing(world: World, wrong: dict[str, str]) -> None:
    answer = await world.client.post("/tickets/new", data=await fields(world) | {"fault": "noise"} | wrong)
    assert answer.status_code == 409
    assert "Not written down." in answer.text
    assert await world.tickets() == []


async def test_the_site_is_found_by_its_name_and_one_that_is_not_there_is_said(world: World) -> None:
    assert 'id="opening"' in (await world.client.get("/tickets/new?site=霞山机房")).text
    text = (await world.client.get("/tickets/new?site=Nowhere")).text
    assert "There is no such site." in text
    assert 'value="Nowhere"' in text
    assert '<option value="霞山机房">' in (await world.client.get("/tickets/new")).text


async def test_hostile_words_open_a_ticket_and_never_run(world: World) -> None:
    answer = await world.client.post("/tickets/new", data=await fields(world) | {"fault": HOSTILE, "device": HOSTILE})
    assert answer.status_code == 303
    for path in ("/", "/tickets", "/tickets/1", "/sites/S1", "/tickets/new?site=S1"):
        text = (await world.client.get(path)).text
        assert "alert(" in text, path
        assert "<script>" not in text


async def test_nobody_else_may_open(world: World) -> None:
    form = await fields(world) | {"fault": "noise"}
    answer = await world.client.post("/tickets/new", data=form, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert await world.tickets() == []


def test_words_of_either_language_name_a_fault_and_its_case() -> None:
    assert fault_of("mains LOST")[0] == fault_of("市电停电")[0] == "mains.lost"
    assert fault_of("a rat in the rack") == ("a rat in the rack", "")


async def test_a_ticket_opened_by_hand_says_that_no_alarm_tells_of_it(world: World) -> None:
    await world.client.post("/tickets/new", data=await fields(world) | {"fault": "noise"})
    text = (await world.client.get("/tickets/1")).text
    assert "Told by a person, by no alarm" in text
    assert "S1/-/said/noise" not in text

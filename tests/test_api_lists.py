"""Lists of tickets, entries, contracts and calendars by API: filters, order, pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.api_lists import QUERY, wanted
from desk.settings import shipped
from desk.store import every
from tests.api_world import ApiWorld, an_api
from tests.stores import of_a_file

START = 1_800_000_000.0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ApiWorld]:
    async with an_api(tmp_path) as made:
        yield made


async def numbers(world: ApiWorld, query: str) -> list[int]:
    answer = await world.client.get(f"/api/v1/tickets?{query}")
    assert answer.status_code == 200, answer.text
    return [ticket["number"] for ticket in answer.json()["tickets"]]


async def some(world: ApiWorld) -> None:
    """1 taken, 2 paused at another site, 3 late, 4 waits for the customer, 5 closed."""
    await world.site("S2")
    await world.opened(device="a")
    await world.opened(device="b", site="S2", level=3)
    await world.opened("fan.stopped", device="c", level=1)
    world.clock.on(5 * 3600)
    await world.opened(device="d")
    await world.opened(device="e")
    await world.said(1, "acknowledged")
    await world.said(2, "paused", waiting="other", reason="x")
    for milestone in ("restore", "resolve"):
        await world.said(5, "reached", milestone=milestone)
    await world.said(5, "closed")
    await world.said(4, "acknowledged")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {1, 2, 3, 4}),
        ("state=all", {1, 2, 3, 4, 5}),
        ("state=closed", {5}),
        ("site=S2", {2}),
        ("device=c", {3}),
        ("fault=fan.stopped", {3}),
        ("condition=S1/a/said/mains.lost", {1}),
        ("level=3", {2}),
        ("taken=yes", {1, 4}),
        ("taken=no", {2, 3}),
        ("paused=yes", {2}),
        ("paused=no&taken=no", {3}),
        ("late=no&level=2", {4}),
        ("late=yes&taken=yes", {1}),
        ("opened_from=2027-01-15T20:00", {4}),
        ("opened_before=2027-01-15T12:00Z", {1, 2, 3}),
        (f"closed_from={START}&state=all", {5}),
        ("closed_before=2027-01-15T20:00&state=all", set()),
        ("due_before=2027-01-15T21:00&paused=no&taken=no", {3}),
    ],
)
async def test_a_filter_lets_through_what_it_says(world: ApiWorld, query: str, found: set[int]) -> None:
    await some(world)
    world.desk.settings = world.desk.settings.__class__(state=world.desk.settings.state, timezone="Asia/Shanghai")
    assert set(await numbers(world, query.replace("+", "%2B"))) == found


@pytest.mark.parametrize(
    "query",
    ["stat=open", "state=x", "limit=-1", "limit=50001", "level=one", "late=maybe", "due_before=soon", "before=x",
     "order=size", "limit=", "limit=0", "before=99999999999999999999", "opened_from=%C2%B2", "opened_from=1405"],
)  # fmt: skip
async def test_a_filter_that_is_none_is_refused_with_what_would_be_one(world: ApiWorld, query: str) -> None:
    answer = await world.client.get(f"/api/v1/tickets?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


async def test_pages_by_number_hold_every_ticket_once_whatever_opens_meanwhile(world: ApiWorld) -> None:
    for device in range(7):
        await world.opened(device=f"d{device}")
    seen: list[int] = []
    query = "state=all&order=number&limit=3"
    for _ in range(9):
        answer = (await world.client.get(f"/api/v1/tickets?{query}")).json()
        seen += [ticket["number"] for ticket in answer["tickets"]]
        if answer["before"] is None:
            break
        await world.opened(device=f"late{len(seen)}")
        query = f"state=all&limit=3&before={answer['before']}"
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_a_last_page_that_is_full_is_known_to_be_the_last(world: ApiWorld) -> None:
    for device in range(4):
        await world.opened(device=f"d{device}")
    answer = (await world.client.get("/api/v1/tickets?order=number&limit=4")).json()
    assert (len(answer["tickets"]), answer["before"], answer["more"]) == (4, None, False)


async def test_a_list_that_is_cut_says_so(world: ApiWorld) -> None:
    for device in range(4):
        await world.opened(device=f"d{device}")
    for query, before in (("limit=3", None), ("order=number&limit=3", 2)):
        answer = (await world.client.get(f"/api/v1/tickets?{query}")).json()
        assert (len(answer["tickets"]), answer["before"], answer["more"]) == (3, before, True)


async def test_due_before_an_hour_means_the_next_time_that_the_clock_shows_it(world: ApiWorld) -> None:
    world.desk.settings = world.desk.settings.__class__(state=world.desk.settings.state, timezone="Asia/Shanghai")
    await world.opened(level=1)  # at 16:00; its first limit is over within the hour
    assert await numbers(world, "due_before=18:00") == [1]
    assert await numbers(world, "due_before=16:01") == []


async def test_the_least_time_left_comes_first_and_what_waits_last(world: ApiWorld) -> None:
    await world.opened(device="slow", level=3)
    await world.opened(device="quick", level=1)
    await world.opened(device="waits")
    await world.said(3, "paused", waiting="other", reason="x")
    world.clock.on(700)
    assert (await numbers(world, ""))[-1] == 3
    assert (await numbers(world, "limit=1")) == [2]


@of_a_file
@pytest.mark.parametrize("asked", [{}, {"site": "S1"}, {"state": "all", "before": "9"}, {"state": "closed"}])
async def test_no_list_sorts_all_tickets_to_show_a_few(world: ApiWorld, asked: dict[str, str]) -> None:
    sql, values, _, limit = wanted(asked, "", START)

    def plan(db: object) -> list[str]:
        return [row["detail"] for row in every(db, f"EXPLAIN QUERY PLAN {sql}", *values, limit)]  # type: ignore[arg-type]

    told = await world.desk.store.read(plan)
    assert not [line for line in told if line == "SCAN t" and asked.get("before") is None]


async def test_entries_come_in_order_page_by_page(world: ApiWorld) -> None:
    number = await world.opened()
    for reason in "abcde":
        await world.said(number, "paused", waiting="other", reason=reason)
        await world.said(number, "resumed")
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = (await world.client.get(f"/api/v1/tickets/{number}/entries?after={after}&limit=4")).json()
        seen += [entry["seq"] for entry in page["entries"]]
        after = page["after"]
    assert seen == list(range(1, 12))
    assert (await world.client.get("/api/v1/tickets/9/entries")).status_code == 404
    assert (await world.client.get(f"/api/v1/tickets/{number}/entries?limit=0")).status_code == 400


async def test_entries_are_told_in_words_of_the_readers_language(world: ApiWorld) -> None:
    number = await world.opened()
    await world.said(number, "paused", waiting="supplier", reason="a board")
    path = f"/api/v1/tickets/{number}/entries"
    for lang, text in (("en", "Clocks paused: waits for a supplier; a board"), ("zh", "暂停计时：等待供应商；a board")):
        page = (await world.client.get(path, headers={"Accept-Language": lang})).json()
        assert page["entries"][1]["text"] == text


async def test_every_filter_of_the_document_is_one(world: ApiWorld) -> None:
    values = {"state": "open", "order": "left", "before": "5", "limit": "5", "level": "1"}
    values |= dict.fromkeys(("late", "paused", "taken", "waits_for_word"), "yes")
    for query in QUERY:
        answer = await world.client.get("/api/v1/tickets", params={query.name: values.get(query.name, "2027-01-01")})
        assert answer.status_code == 200, query.name


async def test_a_contract_says_what_would_be_due_when(world: ApiWorld) -> None:
    listed = (await world.client.get("/api/v1/contracts")).json()["contracts"]
    assert {"test": 1}.items() <= {each["name"]: each["sites"] for each in listed}.items()
    assert (await world.client.get("/api/v1/contracts/test")).json()["digest"] == "d1"
    path = "/api/v1/contracts/test/due?level=1&at=2027-01-15T08:00Z"
    due = {each["limit"]: each for each in (await world.client.get(path)).json()["limits"]}
    assert due["depart"]["due"] == START + 3600
    guarded = (await world.client.get(f"{path}&guarded=true")).json()["limits"]
    assert guarded == list(due.values())  # the contract says nothing of guard periods
    assert (due["arrive"]["due"], due["arrive"]["assumed"]) == (START + 3 * 3600, True)
    assert "depart" not in {
        each["limit"] for each in (await world.client.get(f"{path}&handling=remote")).json()["limits"]
    }
    for wrong, status in (("test/due?level=9", 400), ("test/due?level=1&region=moon", 400), ("none", 404),
                          ("test/due?level=1&at=soon", 400), ("test/due?level=1&when=rain", 400),
                          ("test/due?level=1&regoin=x", 400), ("test/due?level=1&fault=rain", 400),
                          ("test/due?level=1&guarded=yes", 400)):  # fmt: skip
        assert (await world.client.get(f"/api/v1/contracts/{wrong}")).status_code == status, wrong


async def test_what_would_be_due_is_not_said_without_the_region_that_it_depends_on(world: ApiWorld) -> None:
    world.desk.contracts = shipped
    path = "/api/v1/contracts/telecom-transmission/due?level=1"
    answer = await world.client.get(path)
    assert answer.status_code == 400
    assert "depend on the region: it is one of gz_sz_dg" in answer.json()["message"]
    assert (await world.client.get(f"{path}&region=rest")).json()["limits"]
    assert (await world.client.get(f"{path}&region=rest&fault=mains.lost")).status_code == 200


async def test_ones_own_contracts_are_listed_before_a_site_has_them(world: ApiWorld, tmp_path: Path) -> None:
    (tmp_path / "coded.yaml").touch()
    world.desk.settings = world.desk.settings.__class__(state=world.desk.settings.state, contracts=tmp_path)
    listed = (await world.client.get("/api/v1/contracts")).json()["contracts"]
    assert {"coded": 0}.items() <= {each["name"]: each["sites"] for each in listed}.items()


async def test_a_calendar_begins_today_by_its_own_clock(world: ApiWorld) -> None:
    world.clock.on(9 * 3600)  # 01:00 on the next day in China, 17:00 by UTC
    answer = (await world.client.get("/api/v1/calendars/china-working-days?days=1")).json()
    assert [day["date"] for day in answer["days"]] == ["2027-01-16"]


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "-1-1-1", "2027-02-29", "%D9%A2027-01-01", "10000-01-01"])
async def test_a_day_that_no_calendar_has_is_refused(world: ApiWorld, day: str) -> None:
    answer = await world.client.get(f"/api/v1/calendars/china-working-days?from={day}&days=400")
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


async def test_a_calendar_gives_its_days(world: ApiWorld) -> None:
    answer = (await world.client.get("/api/v1/calendars/china-working-days?from=2026-10-01&days=3")).json()
    assert [day["kind"] for day in answer["days"]] == ["holiday"] * 3
    assert (await world.client.get("/api/v1/calendars/none")).status_code == 404
    assert (await world.client.get("/api/v1/calendars/china-working-days?from=soon")).status_code == 400


async def test_what_is_on_the_contracts_list_is_served_and_the_rest_by_its_rule(world: ApiWorld) -> None:
    path = "/api/v1/sites/S1/listed"
    body = {"by": "Li", "device": "ups", "serial": "7", "begin": "2027-01-01", "end": "2028-01-01"}
    answer = await world.client.post(path, json=body)
    assert answer.json() == (await world.client.get(path)).json()
    assert answer.json()["devices"][0]["begin"] == START - 14 * 86_400 - 16 * 3600
    number = await world.opened(device="ups")
    assert (await world.ticket(number))["cover"] == "under_contract"
    assert (await world.ticket(await world.opened(device="other")))["cover"] == "unknown"
    assert "Device on the contract" in (await world.client.get("/system?lang=en")).text
    assert (await world.client.get("/api/v1/sites/S9/listed")).json()["error"] == "no_site"
    anew = await world.client.post(path, json={**body, "device": "\u3000ups ", "warranty_begin": "2027-01-01"})
    assert [each["device"] for each in anew.json()["devices"]] == ["ups"]
    for wrong in ({"device": " "}, {"device": "u\x00"}, {"serial": "u\x00"}, {"device": "u" * 121}, {"begin": 1405}):
        assert (await world.client.post(path, json={**body, **wrong})).status_code == 400, wrong
    assert (await world.client.get(path)).json() == anew.json()
    backwards = await world.client.post(path, json={**body, "end": "2026-01-01"})
    assert (backwards.status_code, backwards.json()["error"]) == (400, "malformed")


@pytest.mark.parametrize(("lang", "shown"), [("en", "Level B"), ("zh", "B级")])
async def test_the_audit_of_the_system_page_calls_levels_as_the_contract_does(
    world: ApiWorld, lang: str, shown: str
) -> None:
    await world.site("C", "coded")
    await world.opened("door.open", site="C", level="B")
    audit = (await world.client.get(f"/system?lang={lang}")).text.partition('class="history"')[2]
    assert shown in audit
    number = await world.opened("mains.lost", level=2)
    await world.said(number, "level", level=3, reason="quiet")
    audit = (await world.client.get("/system?lang=en")).text.partition('class="history"')[2]
    assert [word for word in ("Level 3", "Level 2", "Level B") if word in audit] == ["Level 3", "Level 2", "Level B"]

"""The desk's pages: what stands on them, in which language, and that nothing hostile does."""

import re
import string
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk import api, intake, pages
from desk.page import STATIC
from desk.shown import Shown, clean
from desk.silence import fall_silent
from desk.words import MEASURES, STATES, STATES_OF, WORDS, preferred, say_state
from model.alarm import AlarmState, Kind
from model.quantity import STATES as QUANTITY_STATES
from model.rule import Evidence, Meaning
from tests.desk_world import World, a_desk, change, cleared, contracts, later

HOSTILE = "<script>alert('x')</script>\"' onload=x \u202egnp\x1b[31m{{7*7}}"
PAGES = ("/", "/tickets", "/tickets/1", "/sites", "/sites/S1", "/roster", "/system", "/who")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, title="West desk") as made:
        yield made


async def test_a_line_of_the_board_tells_how_bad_what_where_proof_how_long_and_who(world: World) -> None:
    agent = await world.agent("S1", name="Hall 1")
    child = change(fault="rectifier.input_failed", episode="c", state=AlarmState.SUPPRESSED, opened=False,
                   explained_by="S1/ups/-/mains.lost", title="Rectifier without input")  # fmt: skip
    await agent.send(change(missing=("Input L2",)), child)
    world.clock.on(600)
    text = (await world.client.get("/")).text
    for part in ("▲", "Mains lost", "Hall 1", "UPS of the hall", "Input L1: 0 V (limit 176 V)", "explains 1 alarm",
                 "cannot be read: Input L2", "5 min to accept", "10 min open", "Acknowledge"):  # fmt: skip
        assert part in text, part
    assert "Rectifier without input" not in text


async def test_the_board_is_sorted_by_time_left(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(fault="subrack.cooling", case="any_stopped", episode="e4", title="Fan stopped"))
    await agent.send(change(fault="door.open", episode="e3", title="Door open", meaning=Meaning.DEGRADED))
    world.clock.on(60)
    await agent.send(change())
    text = (await world.client.get("/")).text
    main = text[text.index("<main") : text.index("</main>")]
    assert re.findall(r"<b>(Mains lost|Fan stopped|Door open)</b>", main) == ["Mains lost", "Fan stopped", "Door open"]


async def test_an_acknowledgement_by_form_needs_no_script_and_bears_the_name_of_this_browser(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    saved = await world.client.post("/who", data={"who": "黎明"})
    assert saved.status_code == 303
    world.client.cookies.set("who", saved.cookies["who"])
    answer = await world.client.post("/tickets/1/acknowledge", data={"back": "ticket"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/tickets/1")
    text = (await world.client.get("/tickets/1")).text
    assert "黎明" in text
    assert 'value="acknowledged"' not in text
    assert (await world.tickets())[0]["acknowledged_by"] == "黎明"


@pytest.mark.parametrize("path", PAGES)
async def test_hostile_text_is_shown_and_never_run(world: World, path: str) -> None:
    agent = await world.agent("S1", name=HOSTILE)
    bad = change(
        title=HOSTILE, missing=(HOSTILE,), evidence=(Evidence("x", HOSTILE, HOSTILE, HOSTILE), Evidence("x", HOSTILE))
    )
    await agent.send(bad, later(bad, Kind.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED, acknowledged_by=HOSTILE))
    await agent.send({"type": "change", "kind": HOSTILE})
    row = {
        "device": HOSTILE,
        "point": HOSTILE,
        "quantity": HOSTILE,
        "label": HOSTILE,
        "value": HOSTILE,
        "unit": HOSTILE,
    }
    device = {"device": HOSTILE, "name": HOSTILE, "reachable": False, "error": HOSTILE}
    await agent.post("readings", {"wall": 0.0, "devices": [device], "readings": [row]})
    await agent.beat(version=HOSTILE, contract=HOSTILE, digest=HOSTILE)
    answer = await world.client.get(path)
    assert answer.status_code == 200
    assert "alert(" in answer.text
    assert "<script>" not in answer.text
    assert "49" not in re.findall(r"\{\{7\*7\}\}|\b49\b", answer.text)
    assert not {"\u202e", "\x1b"} & set(answer.text)
    for tag in re.findall(r"<[a-zA-Z][^>]*>", answer.text):
        assert not re.search(r"\son[a-z]+\s*=|\sstyle\s*=", re.sub(r'"[^"]*"', '""', tag)), tag


@pytest.mark.parametrize("path", [*PAGES, "/static/desk.css", "/api/v1/tickets", "/nowhere"])
async def test_every_answer_forbids_foreign_and_inline_script(world: World, path: str) -> None:
    agent = await world.agent()
    await agent.send(change())
    answer = await world.client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_whole_in_both_languages(world: World, path: str) -> None:
    agent = await world.agent()
    await agent.send(change())
    english = (await world.client.get(path)).text
    chinese = (await world.client.get(path, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})).text
    assert '<html lang="en">' in english
    assert '<html lang="zh-Hans">' in chinese
    assert "值班台" in chinese
    assert "Board" not in re.sub(r"<[^>]*>", "", chinese)


async def test_a_language_that_was_chosen_is_kept(world: World) -> None:
    answer = await world.client.get("/?lang=zh", headers={"Accept-Language": "en"})
    assert "值班台" in answer.text
    assert answer.cookies["lang"] == "zh"
    world.client.cookies.set("lang", "zh")
    assert "值班台" in (await world.client.get("/", headers={"Accept-Language": "en"})).text


async def test_a_title_is_shown_in_the_readers_language(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    assert "市电中断" in (await world.client.get("/?lang=zh")).text


@pytest.mark.parametrize(
    ("asked", "accepted", "lang"),
    [
        ("zh", "en", "zh"),
        ("", "zh-CN", "zh"),
        ("", "de,en;q=0.3,zh;q=0.8", "zh"),
        ("", "de", "en"),
        ("", "", "en"),
        ("xx", "en;q=nonsense,zh;q=0.1", "zh"),
    ],
)
def test_the_language_is_asked_for_or_accepted_or_english(asked: str, accepted: str, lang: str) -> None:
    assert preferred(asked, accepted) == lang


def test_every_word_has_both_languages_with_the_same_gaps() -> None:
    for key, (english, chinese) in (
        WORDS | STATES | MEASURES | {f"{of} {word}": pair for (of, word), pair in STATES_OF.items()}
    ).items():
        assert english, key
        assert chinese, key
        gaps = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
        assert gaps[0] == gaps[1], key


def test_every_word_that_a_template_says_is_in_the_catalogue() -> None:
    folder = STATIC.parent / "templates"
    said = {key for file in folder.glob("*.html") for key in re.findall(r"say\('([^']+)'", file.read_text("utf-8"))}
    assert len(said) > 50
    assert {key for key in said if not key.endswith((".", "_"))} <= WORDS.keys()


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_change_has_its_word_in_the_history(kind: Kind) -> None:
    assert f"did.alarm_{kind}" in WORDS


def test_every_state_that_a_rule_may_name_has_both_languages() -> None:
    states = {state for names in QUANTITY_STATES.values() for state in names}
    missing = {state for state in states if say_state("zh", state) == state}
    assert missing == set()


async def test_the_first_page_is_small(world: World) -> None:
    agent = await world.agent()
    await agent.send(*[change(device=f"d{n}", episode=f"e{n}") for n in range(50)])
    size = 0
    page = await world.client.get("/")
    for path in ["/", *re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)]:
        async with world.client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.status_code == 200
            size += len(b"".join([part async for part in answer.aiter_raw()]))
    assert 10_000 < size < 100_000


async def test_a_demonstrations_contract_is_said_on_every_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.agent()
    assert "every delay to 0" not in (await world.client.get("/")).text
    from msgspec.structs import replace

    quick = replace(contracts("practice"), on_delays=dict.fromkeys(range(1, 5), 0.0), off_delay=0.0)
    monkeypatch.setattr(world.desk, "contracts", lambda name: quick)
    world.clock.on(2)
    assert "every delay to 0" in (await world.client.get("/")).text


async def test_a_ticket_shows_both_levels_and_another_text_of_the_contract(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(level=4, digest="eeee000011112222"))
    text = (await world.client.get("/tickets/1")).text
    for part in ("By the desk", "By the agent", "eeee000011112222", "d1d1d1d1d1d1d1d1", "another text of the contract"):
        assert part in text
    await agent.send(change(device="b", episode="e2"))
    same = (await world.client.get("/tickets/2")).text
    assert "another text of the contract" not in same
    assert "d1d1d1d1d1d1d1d1" not in same


async def test_a_tickets_history_is_its_audit(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised)
    await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    await agent.send(cleared(raised))
    text = (await world.client.get("/tickets/1")).text
    history = text[text.index('class="history"') :]
    assert history.index("Resolved") < history.index("Acknowledged") < history.index("Ticket opened")


async def test_the_site_page_shows_both_clocks_when_they_differ(world: World) -> None:
    agent = await world.agent()
    await agent.beat()
    assert "its clock is 7 s behind" in (await world.client.get("/sites/S1")).text


async def test_quarantine_is_shown_with_its_reason(world: World) -> None:
    agent = await world.agent()
    assert "Empty: every event was taken." in (await world.client.get("/system")).text
    await agent.send(["not a change"])
    assert "not a Change or Snapshot" in (await world.client.get("/system")).text


async def test_the_header_counts_unanswered_open_silent_and_well(world: World) -> None:
    one = await world.agent("S1")
    for name in ("S2", "S3", "S4"):
        await world.agent(name)
    await one.send(change(), change(device="b", episode="e2"))
    await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})
    world.clock.on(100)
    from desk.silence import Silent

    desk = world.desk
    await desk.store.write(lambda db: fall_silent(desk.ledger(db), Silent("a", "S2", 91.0, 30.0), 3))
    text = (await world.client.get("/")).text
    head = re.sub(r"<[^>]*>|\s+", " ", text[text.index('id="now"') : text.index('class="who"')])
    assert re.findall(r"(\d+) +(\w+)", head) == [("2", "unanswered"), ("3", "open"), ("1", "silent"), ("2", "sites")]


@pytest.mark.parametrize("path", ["/tickets/9", "/sites/nowhere", "/nowhere", "/sites/S1/trend"])
async def test_a_page_that_is_not_there_says_so_and_leads_back(world: World, path: str) -> None:
    answer = await world.client.get(path)
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    assert (await world.client.get(f"/api/v1{path}x")).json()["error"] == "not_found"


FOREIGN = [
    ({"host": "evil.example"}, "GET"),
    ({"host": "127.0.0.1.evil.example"}, "GET"),
    ({"host": "[::1"}, "GET"),
    ({"origin": "http://evil.example"}, "POST"),
    ({"origin": "null"}, "POST"),
    ({"origin": "http://127.0.0.1:9999"}, "POST"),
    ({"sec-fetch-site": "cross-site"}, "POST"),
    ({"sec-fetch-site": "same-site"}, "POST"),
]


@pytest.mark.parametrize(("headers", "method"), FOREIGN)
async def test_another_sites_page_can_neither_read_nor_press(
    world: World, headers: dict[str, str], method: str
) -> None:
    agent = await world.agent()
    await agent.send(change())
    path = "/" if method == "GET" else "/tickets/1/acknowledge"
    assert (await world.client.request(method, path, headers=headers)).status_code == 403
    assert (await world.tickets())[0]["acknowledged"] is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1"},
        {"sec-fetch-site": "same-origin"},
        {"host": "localhost:8700"},
        {"host": "[::1]"},
    ],
)
async def test_ones_own_page_and_programs_may(world: World, headers: dict[str, str]) -> None:
    agent = await world.agent()
    await agent.send(change())
    assert (await world.client.post("/tickets/1/acknowledge", headers=headers)).status_code == 303


SPANS = [(0, "0 s", "0秒"), (59.9, "59 s", "59秒"), (60, "1 min", "1分钟"), (3840, "1 h 04 min", "1小时04分"),
         (601_200, "6 d 23 h", "6天23小时"), (-90, "1 min", "1分钟")]  # fmt: skip


@pytest.mark.parametrize(("seconds", "english", "chinese"), SPANS)
def test_a_span_is_its_two_largest_units(seconds: float, english: str, chinese: str) -> None:
    assert (Shown("en", 0).span(seconds), Shown("zh", 0).span(seconds)) == (english, chinese)


VALUES = [(None, "V", "–"), (0.0, "V", "0 V"), (45.84, "V", "45.8 V"), (1.234, "A", "1.23 A"), (2520.0, "s", "42 min"),
          (3.0e9, "B", "2.79 GiB"), ("battery", "", "on battery"), ("odd_state", "", "odd state"),
          (1e6, "W", "1000000 W")]  # fmt: skip


@pytest.mark.parametrize(("value", "unit", "text"), VALUES)
def test_a_value_has_its_unit_and_absent_is_not_zero(value: float | str | None, unit: str, text: str) -> None:
    assert Shown("en", 0).value(value, unit) == text


def test_a_count_of_an_installed_number_is_said_so() -> None:
    proof = Evidence("fan.running", "stopped", limit=0.3, count=1, installed=4)
    assert Shown("en", 0).evidence(proof) == "1 of 4 fans stopped"
    assert Shown("zh", 0).evidence(proof) == "4台风扇中1台停转"


def test_a_time_is_in_the_sites_zone_and_names_its_day_when_it_is_another() -> None:
    now = 1_800_000_000.0  # 2027-01-15 08:00 UTC
    shown = Shown("en", now, "Asia/Shanghai")
    assert (shown.time(now), shown.time(now - 86_400), shown.time(now + 365 * 86_400)) == (
        "16:00",
        "14 Jan 16:00",
        "15 Jan 2028 16:00",
    )
    assert Shown("zh", now, "Asia/Shanghai").time(now - 86_400) == "1月14日 16:00"
    assert Shown("en", now, "No/Where").time(1e300) == "1 Jan 1970 00:00"


def test_text_of_a_device_has_no_controls_and_an_end() -> None:
    assert clean("a\x00b\u202ec\u200bd") == "a\ufffdb\ufffdc\ufffdd"
    assert len(clean("x" * 10_000)) == 300


async def test_a_ticket_as_json_is_one_flat_object(world: World) -> None:
    agent = await world.agent("S1", name="Hall 1")
    await agent.send(change())
    (ticket,) = (await world.client.get("/api/v1/tickets")).json()["tickets"]
    whole = (await world.client.get("/api/v1/tickets/1")).json()
    assert ticket == {name: whole[name] for name in ticket}
    assert (ticket["number"], ticket["state"], ticket["level"], ticket["site_name"]) == (1, "open", 2, "Hall 1")
    assert (ticket["due_clock"], ticket["due"], ticket["left"]) == ("accept/2", world.clock().wall + 900, 900.0)
    assert [clock["clock"] for clock in whole["clocks"]] == ["accept/2", "depart/2", "restore/2"]
    taken = (await world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "Li"})).json()
    assert taken["due_clock"] == "depart/2"


async def test_tickets_are_listed_by_state_and_site(world: World) -> None:
    one, two = await world.agent("S1"), await world.agent("S2")
    await one.send(change(), cleared(change()))
    await two.send(change(site="S2", episode="e2"))

    async def listed(query: str) -> list[int]:
        answer = await world.client.get(f"/api/v1/tickets{query}")
        return sorted(ticket["number"] for ticket in answer.json()["tickets"])

    assert await listed("") == [2]
    assert await listed("?state=resolved") == [1]
    assert await listed("?state=all") == [1, 2]
    assert await listed("?state=all&site=S1") == [1]
    assert await listed("?state=all&limit=1") == [2]
    for wrong in ("state=x", "limit=-1", "limit=many", "limit=9999999"):
        assert (await world.client.get(f"/api/v1/tickets?{wrong}")).status_code == 400


async def test_metrics_and_health_speak_for_the_desk(world: World) -> None:
    agent = await world.agent()
    await agent.send(change(), ["bad"])
    text = (await world.client.get("/metrics")).text
    for line in ("tickets_open 1.0", "quarantined_events 1.0", "agents 1.0", 'events_total{result="taken"} 1.0',
                 "intake_seconds_count 1.0"):  # fmt: skip
        assert f"\nroundsman_desk_{line}\n" in text
    assert (await world.client.get("/healthz")).json()["status"] == "ok"


async def test_every_metric_and_page_of_the_desk_has_its_line_in_the_manual(world: World) -> None:
    manual = (STATIC.parent.parent / "docs" / "desk.md").read_text("utf-8")
    agent = await world.agent()
    await agent.send(change())
    metrics = re.findall(r"^# TYPE (\S+)", (await world.client.get("/metrics")).text, re.MULTILINE)
    assert len(metrics) > 10
    for name in metrics:
        assert f"`{name}`" in manual or name.endswith("_created"), name
    paths = [route.path for route in (*intake.ROUTES, *api.ROUTES, *pages.ROUTES)]
    programs = (STATIC.parent.parent / "docs" / "api.md").read_text("utf-8")
    for path in paths:
        assert f"`{path}`" in manual or f" {path}`" in programs, path

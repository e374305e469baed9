"""The alarm list: states, filters, what explains what, the table, shelving, both languages, hostile texts."""

import csv
import html
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from desk.alarm_list import Stands
from desk.periods import Author
from desk.sites_tree import FEW
from desk.walktest_store import Walk
from desk.walktests import Opening, open_walk
from desk.words import WORDS
from model.alarm import AlarmState, Kind
from model.rule import Evidence, Meaning
from tests.desk_world import Speaker, World, a_desk, change, cleared, later
from tests.people_world import a_desk_with_people

HOSTILE = "<script>alert('x')</script>\"' onload=x \u202egnp"
PARENT = "S1/ups/-/mains.lost"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


def main_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.text[answer.text.index("<main") : answer.text.index("</main>")]


def lines(answer: httpx.Response) -> list[str]:
    """The text of each line of the list."""
    found = re.findall(r'<article class="alarm.*?</article>', main_of(answer), re.DOTALL)
    return [re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", each))) for each in found]


def counts(answer: httpx.Response) -> dict[str, int]:
    found = re.findall(r"state=(\w+)[^>]*>[^<]*<b[^>]*>(\d+)</b>", main_of(answer))
    return {state: int(n) for state, n in found}


async def storm(world: World) -> Speaker:
    """One alarm in each state that an agent tells."""
    agent = await world.agent("S1", name="Hall 1")
    taken = change(fault="door.open", episode="taken", title="Door open", meaning=Meaning.DEGRADED)
    gone = change(fault="smoke.detected", episode="gone", title="Smoke")
    await agent.send(
        change(),
        taken,
        later(taken, Kind.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED, acknowledged_by="Li"),
        gone,
        cleared(gone),
        change(fault="water.leak", episode="wet", state=AlarmState.PENDING, kind=Kind.PENDING, opened=False,
               title="Leak"),
        change(fault="rectifier.input_failed", episode="child", state=AlarmState.SUPPRESSED, kind=Kind.SUPPRESSED,
               opened=False, explained_by=PARENT, title="Rectifier without input"),
        change(fault="fan.failed", episode="put", state=AlarmState.SHELVED, kind=Kind.SHELVED, shelved_until=4600.0,
               shelved_by="Wang", title="Fan failed"),
        change(fault="link.down", episode="off", state=AlarmState.OUT_OF_SERVICE, kind=Kind.DISABLED,
               title="Link down"),
    )  # fmt: skip
    return agent


async def test_each_alarm_stands_in_its_state_and_what_asks_for_a_hand_comes_first(world: World) -> None:
    await storm(world)
    answer = await world.client.get("/alarms")
    assert counts(answer) == {
        "unacknowledged": 1, "acknowledged": 1, "returned": 1, "pending": 1, "suppressed": 1, "shelved": 1,
        "out_of_service": 1,
    }  # fmt: skip
    found = lines(answer)
    titles = ["Mains", "Smoke", "Door", "Leak", "Fan", "Link"]
    assert [next(title for title in titles if title in line) for line in found] == titles
    first = found[0]
    for part in ("▲ 2", "Level 2", "Mains lost", "Hall 1", "UPS of the hall", "Input L1: 0 V (limit 176 V)",
                 "Unacknowledged", "since", "ticket 1", "explains 1 alarm", "Rectifier without input"):  # fmt: skip
        assert part in first, part
    assert "by Wang" in found[4]


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_every_state_has_its_word_in_both_languages(world: World, lang: str) -> None:
    await storm(world)
    text = main_of(await world.client.get(f"/alarms?lang={lang}"))
    for stands in Stands:
        assert WORDS[f"stands.{stands}"][lang == "zh"] in text
    if lang == "zh":
        assert "市电中断" in text
        assert "涉及1条告警" in text


async def test_filters_live_in_the_address_and_work_together(world: World) -> None:
    await storm(world)
    other = await world.agent("S2", name="Hall 2", region="")
    await other.send(change(site="S2", episode="far", title="Mains lost there"))

    async def asked(query: str) -> list[str]:
        return lines(await world.client.get(f"/alarms?{query}"))

    assert len(await asked("site=S2")) == 1
    assert len(await asked("region=east")) == 6
    assert len(await asked("state=shelved")) == 1
    assert len(await asked("state=suppressed")) == 1  # flat: what explains it was not asked for
    assert len(await asked("level=2&site=S1&text=MAINS")) == 1
    assert len(await asked("text=市电+hall+2")) == 1
    assert await asked("site=S2&text=市电+hall+7") == []
    assert len(await asked("text=smoke")) == 1
    assert await asked("text=nothing-like-it") == []
    assert "No alarm is like that" in (await world.client.get("/alarms?text=nothing-like-it")).text
    both = await world.client.get("/alarms?region=east&text=fan")
    assert "/alarms?region=east&amp;text=fan" in both.text.replace("&amp;state=shelved", "")
    assert "/alarms.csv?region=east&amp;text=fan" in both.text
    assert counts(both) == {"shelved": 1}
    for odd in ("level=x", "state=none", "level=99999999999999999999", "site=" + "x" * 5000, "text=%00%ff"):
        assert (await world.client.get(f"/alarms?{odd}")).status_code == 200, odd


async def test_a_chain_of_causes_is_under_the_first_and_a_circle_loses_nothing(world: World) -> None:
    agent = await world.agent()
    middle = "S1/ups/-/rectifier.input_failed"
    hidden = {"state": AlarmState.SUPPRESSED, "kind": Kind.SUPPRESSED, "opened": False}
    await agent.send(
        change(),
        change(fault="rectifier.input_failed", episode="m", explained_by=PARENT, title="Middle", **hidden),
        change(fault="battery.low", episode="l", explained_by=middle, title="Last", **hidden),
        change(fault="fan.failed", episode="x", explained_by="S1/ups/-/link.down", title="Round", **hidden),
        change(fault="link.down", episode="y", explained_by="S1/ups/-/fan.failed", title="Round", **hidden),
    )
    found = lines(await world.client.get("/alarms"))
    (first,) = (line for line in found if "Mains lost" in line and "explains 2 alarms" in line)
    assert "Middle" in first
    assert "Last" in first
    assert sum(line.count("Round") for line in found) >= 2


async def test_an_alarm_that_was_taken_at_the_desk_is_acknowledged_before_its_agent_says_so(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    await world.client.post("/tickets/1/acknowledge", data={"back": "board"})
    assert counts(await world.client.get("/alarms")) == {"acknowledged": 1}


async def test_what_a_window_holds_back_and_what_began_in_a_walk_test_are_said_so(world: World) -> None:
    agent = await world.agent("S1")
    window = {"by": "Li Na", "work": "change the rectifier", "where": "site:S1", "end": "1h"}
    assert (await world.client.post("/api/v1/windows", json=window)).status_code == 201
    await agent.send(change())
    answer = await world.client.get("/alarms?state=held")
    assert counts(answer) == {"held": 1}
    assert "window 1 until" in lines(answer)[0]
    tested = await world.agent("S2")
    await opened_at(world, tested)
    world.clock.on(100)  # it began 90 s before it was told
    await tested.send(change(site="S2", episode="e2"))
    found = await world.client.get("/alarms?site=S2")
    assert counts(found) == {"walktest": 1}
    assert "/sites/S2/walktests/2" in found.text


async def opened_at(world: World, agent: Speaker) -> None:
    """Open a walk-test of an agent's site."""
    wanted = Opening(agent.site, "", world.clock().wall + 7200.0, "acceptance")
    author = Author("Li Na", "")
    walk = await world.desk.store.write(lambda db: open_walk(world.desk.ledger(db), wanted, author))
    assert isinstance(walk, Walk), walk


async def test_the_table_has_a_mark_of_utf_8_all_lines_and_no_formula(world: World) -> None:
    agent = await storm(world)
    await agent.send(change(fault="mains.high", episode="f", title="=cmd|' /C calc'!A0",
                            evidence=(Evidence("mains.voltage", "+L1", 300.0, "V", 264.0),)))  # fmt: skip
    answer = await world.client.get("/alarms.csv?lang=zh")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["状态", "级别", "站点", "区域"]
    assert len(rows) == 9
    assert {len(row) for row in rows} == {len(rows[0])}
    english = (await world.client.get("/alarms.csv?text=cmd&lang=en")).content.decode("utf-8-sig")
    (row,) = list(csv.DictReader(io.StringIO(english)))
    assert row["Alarm"] == "'=cmd|' /C calc'!A0"
    assert row["What proves it"].startswith("'+L1")
    assert row["Site"] == "Hall 1 (S1)"


async def test_hostile_texts_are_shown_and_never_run(world: World) -> None:
    agent = await world.agent("S1", name=HOSTILE)
    hostile = change(title=HOSTILE, missing=(HOSTILE,), evidence=(Evidence("mains.voltage", HOSTILE, 0.0, "V"),))
    await agent.send(replace(hostile, origin=replace(hostile.origin, device_name=HOSTILE)))
    for path in ("/alarms", f"/alarms?text={HOSTILE}", f"/alarms?site={HOSTILE}", "/sites/S1/alarms/e1"):
        text = (await world.client.get(path)).text
        assert "<script>alert" not in text, path
        assert "\u202e" not in text, path
        assert not re.search(r"<[^>]*\sonload=x", re.sub(r'"[^"]*"', '""', text)), path
    assert "\u202e" not in (await world.client.get("/alarms.csv")).content.decode("utf-8-sig")


async def test_a_person_asks_for_a_shelf_and_the_site_says_that_it_did(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    path = "/sites/S1/alarms/e1"
    form = {"form": "shelve", "time": "4h", "reason": "fan on order", "by": "Li"}
    assert (await world.client.post(path, data=form)).status_code == 303
    (command,) = await agent.commands()
    assert (command["type"], command["condition"], command["seconds"], command["by"], command["reason"]) == (
        "shelve", PARENT, 14_400.0, "Li", "fan on order",
    )  # fmt: skip
    waiting = main_of(await world.client.get(path))
    assert "has not answered yet" in waiting
    assert counts(await world.client.get("/alarms")) == {"unacknowledged": 1}  # nothing is so before the site says it
    world.clock.on(5)
    before = change()
    put = later(before, Kind.SHELVED, AlarmState.SHELVED, shelved_until=before.boot + 14_400.0, shelved_by="Li")
    await agent.send(put)
    done = main_of(await world.client.get(path))
    assert "The site has done it" in done
    assert "by Li" in done
    assert counts(await world.client.get("/alarms")) == {"shelved": 1}
    again = await world.client.post(path, data={"form": "shelve", "time": "1h", "reason": "more", "by": "Li"})
    assert again.status_code == 409
    assert (await world.client.post(path, data={"form": "unshelve", "by": "Li"})).status_code == 303
    assert (await agent.commands())[-1]["seconds"] == 0.0
    world.clock.on(5)
    off = later(put, Kind.UNSHELVED, AlarmState.PENDING, shelved_until=None, shelved_by="")
    await agent.send(off, later(off, Kind.RAISED, AlarmState.UNACKNOWLEDGED))
    assert "The site has done it" in main_of(await world.client.get(path))
    said = await world.rows("SELECT who, what FROM audit WHERE what LIKE '%shelve_asked' ORDER BY id")
    assert said == [{"who": "Li", "what": "shelve_asked"}, {"who": "Li", "what": "unshelve_asked"}]


async def test_a_shelf_taken_off_at_the_site_is_no_silence(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    form = {"form": "shelve", "time": "4h", "reason": "fan on order", "by": "Li"}
    await world.client.post("/sites/S1/alarms/e1", data=form)
    world.clock.on(5)
    put = later(change(), Kind.SHELVED, AlarmState.SHELVED, shelved_until=9000.0, shelved_by="Li")
    off = later(put, Kind.UNSHELVED, AlarmState.PENDING, shelved_until=None, shelved_by="")
    await agent.send(put, off, later(off, Kind.RAISED, AlarmState.UNACKNOWLEDGED))
    world.clock.on(300)
    assert "Nothing came back" not in main_of(await world.client.get("/sites/S1/alarms/e1"))


@pytest.mark.parametrize(("lang", "word"), [("en", "Nothing came back from the site"), ("zh", "站点没有应答")])
async def test_an_agent_that_does_nothing_is_said_so(world: World, lang: str, word: str) -> None:
    agent = await world.agent()
    await agent.send(change())
    path = "/sites/S1/alarms/e1"
    await world.client.post(path, data={"form": "shelve", "time": "1h", "reason": "r", "by": "Li"})
    world.clock.on(31)
    assert word in main_of(await world.client.get(f"{path}?lang={lang}"))
    world.clock.on(3600)
    assert word not in main_of(await world.client.get(f"{path}?lang={lang}"))  # the time asked for is over
    assert await agent.commands() == []  # what was asked long ago shelves nothing


async def test_a_shelf_needs_a_time_a_reason_and_an_alarm_that_stands(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    path = "/sites/S1/alarms/e1"
    for form in ({"time": "9y", "reason": "r"}, {"time": "1h", "reason": " "}, {"time": "1h", "reason": "x" * 301}, {}):
        answer = await world.client.post(path, data={"form": "shelve", "by": "Li", **form})
        assert answer.status_code == 422, form
        assert 'role="alert"' in answer.text
    assert (await world.client.post(path, data={"form": "unshelve", "by": "Li"})).status_code == 409
    await agent.send(cleared(change()))
    form = {"form": "shelve", "time": "1h", "reason": "r", "by": "Li"}
    assert (await world.client.post(path, data=form)).status_code == 409
    assert await agent.commands() == []
    await world.agent("S2")
    for other in ("/sites/S1/alarms/none", "/sites/S2/alarms/e1", "/sites/none/alarms/e1"):
        assert (await world.client.get(other)).status_code == 404
        assert (await world.client.post(other, data=form)).status_code == 404


async def test_who_is_bound_sees_and_shelves_at_their_own_sites_alone_and_a_viewer_not_at_all(tmp_path: Path) -> None:
    async with a_desk_with_people(tmp_path) as people:
        for site in ("S1", "S2"):
            agent = await people.world.agent(site, name=f"Hall of {site}")
            await agent.send(change(site=site, episode=f"e-{site}"))
        bound = await people.browser("Bound", "operator", sites=["S1"])
        page = main_of(await bound.get("/alarms"))
        assert "Hall of S1" in page
        assert "Hall of S2" not in page
        table = (await bound.get("/alarms.csv")).text
        assert "Hall of S1" in table
        assert "Hall of S2" not in table
        assert lines(await bound.get("/alarms?site=S2")) == []
        assert (await bound.get("/sites/S2/alarms/e-S2")).status_code == 404
        form = {"form": "shelve", "time": "1h", "reason": "r", "by": "Somebody else"}
        assert (await bound.post("/sites/S2/alarms/e-S2", **form)).status_code == 404
        assert (await bound.post("/sites/S1/alarms/e-S1", **form)).status_code == 303
        assert [row["who"] for row in await people.audit("shelve_asked")] == ["Bound"]
        viewer = await people.browser("Viewer", "viewer")
        assert '<form class="shelf"' not in (await viewer.get("/sites/S1/alarms/e-S1")).text
        assert (await viewer.post("/sites/S1/alarms/e-S1", **form)).status_code == 403


async def test_sites_are_a_tree_by_region_with_what_is_open_and_folded_when_there_are_many(world: World) -> None:
    agent = await world.agent("S0", name="Hall 0")
    await agent.send(change(site="S0"))
    await world.agent("Z", name="Hall Z", region="")
    few = main_of(await world.client.get("/sites?lang=zh"))
    assert re.findall(r"<summary><b>(.*?)</b>", few) == ["东区", "未分区域"]
    assert few.count("<details") == few.count(" open>") == 2
    assert "1单未结" in few
    for n in range(FEW):
        site = ("INSERT INTO sites VALUES (?, ?, 'practice', ?, '')", (f"W{n}", f"Hall W{n}", "west"))
        await world.desk.store.write(lambda db, site=site: db.execute(*site))
    many = main_of(await world.client.get("/sites?lang=en"))
    assert re.findall(r"<summary><b>(.*?)</b>", many) == ["East", "west", "No region"]
    assert many.count(" open>") == 1  # where something is wrong
    assert "40 sites" in many

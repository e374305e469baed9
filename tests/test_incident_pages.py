"""Incidents on pages and for programs, in both languages, and a ticket's relations."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.sweep import Sweep
from desk.titles import title_of
from model.alarm import AlarmState, Kind
from model.change import Change
from tests.desk_world import Speaker, World, a_desk, change, cleared, later

S = AlarmState


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, timezone="Asia/Shanghai") as made:
        yield made


def child_of(site: int) -> Change:
    return change(f"S{site}", "rectifier.input_failed", episode=f"c{site}", kind=Kind.SUPPRESSED,
                  state=S.SUPPRESSED, opened=False, explained_by=f"S{site}/ups/-/mains.lost",
                  title="Rectifier without input")  # fmt: skip


async def storm(world: World, sites: int = 6) -> list[Speaker]:
    agents = [await world.agent(f"S{number}") for number in range(sites)]
    for number, agent in enumerate(agents):
        await agent.send(change(f"S{number}", episode=f"e{number}"), child_of(number))
        if number == 5:
            await agent.send(cleared(change(f"S{number}", episode=f"e{number}")))
    return agents


async def test_incidents_are_shown_with_their_tickets_in_both_languages(world: World) -> None:
    assert "No incident" in (await world.client.get("/incidents")).text
    await storm(world)
    listed = (await world.client.get("/incidents")).text
    for part in ("Mains lost, East", "6 sites", "5 of 6 tickets still open", 'href="/incidents/1"'):
        assert part in listed, part
    one = (await world.client.get("/incidents/1?lang=zh")).text
    for part in ("市电停电，东区", "6单中5单未恢复", "#3", "Site S3", "未结"):
        assert part in one, part
    assert (await world.client.get("/incidents/2")).status_code == 404


async def test_an_incident_says_who_took_each_ticket_and_when(world: World) -> None:
    await storm(world)
    world.clock.on(300)
    world.client.cookies.set("who", "Li")
    await world.client.post("/tickets/3/acknowledge", data={"level": "2"})
    one = re.sub(r"<[^>]*>|\s+", " ", (await world.client.get("/incidents/1?lang=en")).text)
    assert re.search(r"#3 +Site S2 +[\d:]+ +▲ open +Li +16:05 +#4 +Site S3 +[\d:]+ +▲ open +nobody yet", one)
    assert re.search(r"Li</b> <time[^>]*>16:05", (await world.client.get("/incidents/1?lang=zh")).text)
    assert "尚无人接手" in (await world.client.get("/incidents/1?lang=zh")).text
    members = (await world.client.get("/api/v1/incidents/1")).json()["members"]
    took = {each["ticket"]: (each["acknowledged_by"], each["acknowledged"]) for each in members}
    assert (took[3], took[4]) == (("Li", world.clock().wall), ("", None))


async def test_a_ticket_says_its_incident_and_what_it_explains(world: World) -> None:
    agents = await storm(world)
    text = (await world.client.get("/tickets/1")).text
    for part in ("Part of incident 1: Mains lost, 6 sites", "What it explains", "Rectifier without input", "↳"):
        assert part in text, part
    await agents[1].send(later(child_of(1), Kind.RAISED, S.UNACKNOWLEDGED, explained_by="", opened=True))
    assert '<a href="/tickets/7">#7</a>' in (await world.client.get("/tickets/2")).text


async def test_a_ticket_whose_alarm_comes_and_goes_says_why_it_is_still_open(world: World) -> None:
    agent = await world.agent()
    told = change()
    await agent.send(told)
    assert "held open" not in (await world.client.get("/tickets/1")).text
    held = later(told, Kind.UPDATED, S.UNACKNOWLEDGED, flapping=True)
    await agent.send(held)
    assert "Comes and goes: held open" in (await world.client.get("/tickets/1")).text
    assert "连续正常15分钟后才结束" in (await world.client.get("/tickets/1?lang=zh")).text
    await agent.send(cleared(held))
    assert "held open" not in (await world.client.get("/tickets/1?lang=en")).text


async def test_programs_get_the_same(world: World) -> None:
    await storm(world)
    answer = (await world.client.get("/api/v1/incidents")).json()
    assert answer["rule"] == {"sites": 5, "seconds": 300.0}
    (line,) = answer["incidents"]
    assert (line["cause"], line["region"], line["tickets"], line["going"], line["sites"]) == (
        "mains.lost",
        "east",
        6,
        5,
        6,
    )
    assert line["title"] == {"en": "Mains lost", "zh": "市电停电"}
    one = (await world.client.get("/api/v1/incidents/1")).json()
    assert [member["ticket"] for member in one["members"]] == [1, 2, 3, 4, 5, 6]
    assert (await world.client.get("/api/v1/incidents/9")).json()["error"] == "no_incident"
    measured = (await world.client.get("/api/v1/alarms/measure")).json()
    assert measured["now"] == 6


async def test_a_person_changes_the_rule_and_it_is_written_down_who(world: World) -> None:
    answer = await world.client.post("/incidents/rule", data={"sites": "3", "seconds": "60"})
    assert answer.status_code == 303
    assert (await world.client.get("/api/v1/incidents")).json()["rule"] == {"sites": 3, "seconds": 60.0}
    for wrong in ({"sites": "1", "seconds": "60"}, {"sites": "3", "seconds": "nan"}, {"sites": "x", "seconds": "6"}):
        assert "wrong=1" in (await world.client.post("/incidents/rule", data=wrong)).headers["location"]
    assert "2 to 1000 sites" in (await world.client.get("/incidents?wrong=1")).text
    set_by = await world.client.post("/api/v1/incidents/rule", json={"by": "Li", "sites": 4, "seconds": 120})
    assert set_by.json() == {"sites": 4, "seconds": 120.0}
    bad = await world.client.post("/api/v1/incidents/rule", json={"by": "Li", "sites": 0, "seconds": 120})
    assert (bad.status_code, bad.json()["error"]) == (400, "malformed")
    rows = await world.rows("SELECT who FROM audit WHERE what = 'incident_rule' ORDER BY id")
    assert [row["who"] for row in rows] == ["duty operator", "Li"]
    await storm(world, 4)
    assert "4 sites" in (await world.client.get("/incidents")).text


async def test_a_momentary_fault_and_a_silence_have_titles_in_both_languages(world: World) -> None:
    assert title_of("alarm.momentary")["zh"] == "瞬间告警，无法重现"
    for number in range(5):
        agent = await world.agent(f"S{number}")
        await agent.beat()
    world.clock.on(400)
    await Sweep(world.desk).look()
    assert "站点失联，东区" in (await world.client.get("/incidents?lang=zh")).text

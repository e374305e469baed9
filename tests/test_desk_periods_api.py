"""Windows and guard periods for programs: words in, what stands out, refusals by name, done once a key."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from desk.guard_csv import plain
from desk.sweep import Sweep
from tests.desk_world import World, a_desk, change, cleared
from tests.rosters import TEXT, file_of

HOUR = 3600.0
WINDOW = {"by": "Li Na", "work": "change the rectifier", "where": "site:S1", "end": "1h"}
GUARD = {"by": "Li Na", "name": "Flood season", "where": "region:east", "end": "7d", "duty": "Wang, 13800000000"}


async def post(world: World, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await world.client.post(f"/api/v1/{path}", json=body, headers=headers)


async def get(world: World, path: str) -> Any:
    answer = await world.client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_window_is_planned_now_and_ends_after_its_hour(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        answer = await post(world, "windows", WINDOW)
        assert answer.status_code == 201
        now = world.clock().wall
        made = answer.json()
        assert (made["id"], made["start"], made["end"]) == (1, now, now + HOUR)
        assert (made["zone"], made["state"], made["kind"]) == ("Asia/Shanghai", "in_force", "routine")
        assert await get(world, "windows/1") == made
        world.clock.on(HOUR)
        assert [window["state"] for window in (await get(world, "windows"))["windows"]] == ["over"]


async def test_times_are_the_sites_own_and_a_zone_may_be_said(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        for zone, meant in (("", "2027-02-01 00:00"), ("Europe/Berlin", "2027-02-01 07:00")):
            body = WINDOW | {"start": "2027-02-01 08:00", "end": "2027-02-01 09:30", "zone": zone}
            made = (await post(world, "windows", body)).json()
            start = datetime.fromisoformat(meant).replace(tzinfo=UTC).timestamp()
            assert (made["start"], made["end"], made["state"]) == (start, start + 5400, "planned")


async def test_without_a_common_zone_a_local_time_is_refused(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        await world.agent("S2", timezone="Europe/Berlin")
        body = WINDOW | {"where": "all", "start": "2027-02-01 08:00"}
        assert (await post(world, "windows", body)).json()["error"] == "time"
        assert (await post(world, "windows", body | {"start": "2027-02-01T08:00+08:00"})).status_code == 201
        assert (await post(world, "windows", WINDOW | {"where": "all"})).status_code == 201


@pytest.mark.parametrize(
    ("change_", "status", "error"),
    [
        ({"work": " "}, 422, "no_work"),
        ({"end": "25h"}, 422, "too_long"),
        ({"end": "0h"}, 422, "ends_first"),
        ({"start": "2020-01-01 08:00"}, 422, "past"),
        ({"where": ""}, 400, "words"),
        ({"where": "fault:mains.lost"}, 400, "words"),
        ({"where": "site:S7"}, 422, "unknown_place"),
        ({"end": "soon"}, 400, "words"),
        ({"end": 1e400}, 400, "malformed"),
        ({"zone": "Mars/Olympus", "start": "2027-02-01 08:00"}, 400, "words"),
        ({"by": ""}, 400, "who"),
        ({"by": "desk"}, 400, "who"),
        ({"kind": "party"}, 400, "malformed"),
        ({"approved_by": "Chen"}, 422, "not_urgent"),
        ({"urgent": True, "approved_by": "li na"}, 422, "self_approved"),
        ({"work": "x" * 501}, 400, "words"),
    ],
)
async def test_what_cannot_be_is_refused_by_name_in_a_sentence(
    tmp_path: Path, change_: dict[str, Any], status: int, error: str
) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        body = WINDOW | change_
        raw = httpx.Request("POST", "http://x", json={**body, "end": 0.0}).content if body["end"] == 1e400 else None
        if raw is not None:
            answer = await world.client.post("/api/v1/windows", content=raw.replace(b'"end":0.0', b'"end":1e400'))
        else:
            answer = await post(world, "windows", body)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.json()["message"]
        assert (await get(world, "windows"))["windows"] == []


async def test_a_request_with_a_key_plans_once(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        first = await post(world, "windows", WINDOW, **{"Idempotency-Key": "k1"})
        world.clock.on(60.0)
        again = await post(world, "windows", WINDOW, **{"Idempotency-Key": "k1"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert (
            await post(world, "windows", WINDOW | {"work": "other"}, **{"Idempotency-Key": "k1"})
        ).status_code == 409
        assert len((await get(world, "windows"))["windows"]) == 1


async def test_a_window_is_extended_and_ended_by_a_person_with_a_reason(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        made = (await post(world, "windows", WINDOW)).json()
        refused = await post(world, "windows/1/extend", {"by": "Chen", "end": "2h", "reason": ""})
        assert (refused.status_code, refused.json()["error"]) == (422, "no_reason")
        longer = await post(world, "windows/1/extend", {"by": "Chen", "end": "2h", "reason": "a bolt broke"})
        assert longer.json()["end"] == made["start"] + 2 * HOUR
        over = await post(world, "windows/1/end", {"by": "Chen"})
        assert over.json()["state"] == "over"
        assert (await post(world, "windows/1/end", {"by": "Chen"})).json()["error"] == "over"
        none = await post(world, "windows/9/end", {"by": "Chen"})
        assert (none.status_code, none.json()["error"]) == (404, "no_such")


async def test_a_window_tells_what_it_held_back_and_which_ticket_opened(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await post(world, "windows", WINDOW)
        gone = change(device="pdu", episode="e2")
        await agent.send(change(), gone, cleared(gone))
        world.clock.on(HOUR)
        await agent.beat()
        await Sweep(world.desk).look()
        held = (await get(world, "windows/1"))["held"]
        assert [(each["device"], each["ticket"]) for each in held] == [("pdu", None), ("ups", 1)]


async def test_routine_work_in_a_guard_period_is_refused_in_the_readers_language(
    tmp_path: Path,
) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        assert (await post(world, "guards", GUARD)).status_code == 201
        refused = await post(world, "windows", WINDOW, **{"Accept-Language": "zh"})
        assert (refused.status_code, refused.json()["error"]) == (409, "guarded")
        assert "保障期 G1（Flood season" in refused.json()["message"]
        urgent = WINDOW | {"urgent": True, "approved_by": "Chen"}
        assert (await post(world, "windows", urgent)).json()["state"] == "in_force"


async def test_a_window_in_force_tells_which_guard_period_will_freeze_it(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        await post(world, "windows", WINDOW | {"end": "3h"})
        await post(world, "guards", GUARD | {"start": world.clock().wall + HOUR})
        found = await get(world, "windows/1")
        assert (found["state"], found["frozen_by"]) == ("in_force", 1)
        world.clock.on(HOUR)
        found = await get(world, "windows/1")
        assert (found["state"], found["frozen_by"]) == ("frozen", 1)
        world.clock.on(2 * HOUR)
        found = await get(world, "windows/1")
        assert (found["state"], found["frozen_by"]) == ("over", 0)


async def test_a_planned_window_is_shown_frozen_and_approved_again(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        await post(world, "windows", WINDOW | {"urgent": True})
        guard = (await post(world, "guards", GUARD)).json()
        assert guard["freezes"] == [1]
        found = await get(world, "windows/1")
        assert (found["state"], found["frozen_by"]) == ("frozen", 1)
        approved = await post(world, "windows/1/approve", {"by": "Chen", "reason": "the battery swells"})
        assert (approved.json()["state"], approved.json()["approved_by"]) == ("in_force", "Chen")


@pytest.mark.parametrize(
    ("change_", "status", "error"),
    [
        ({"duty": ""}, 422, "no_roster"),
        ({"duty": "Wang, 1, 2027-01-15 16:00, 2027-01-16 08:00"}, 422, "roster_gap"),
        ({"duty": "Wang, 1, x, y"}, 400, "words"),
        ({"name": ""}, 422, "no_work"),
        ({"end": "91d"}, 422, "too_long"),
    ],
)
async def test_a_guard_period_needs_a_name_and_a_roster_without_gaps(
    tmp_path: Path, change_: dict[str, Any], status: int, error: str
) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        answer = await post(world, "guards", GUARD | change_)
        assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text


async def test_a_team_of_the_roster_is_taken_as_it_stands_with_its_substitutes(tmp_path: Path) -> None:
    file_of(tmp_path)  # the secret that lies beside it
    (tmp_path / "roster.yaml").write_text(TEXT, encoding="utf-8")
    async with a_desk(tmp_path / "desk", roster=tmp_path / "roster.yaml") as world:
        await world.agent()
        now = world.clock().wall  # 16:00 in Shanghai
        swap = "INSERT INTO swaps VALUES (1, 'li', 'wang', ?, ?, 'ill', 0.0, 'Li', '', NULL, '')"
        await world.desk.store.write(lambda db: db.execute(swap, (now, now + 86_400)))
        made = await post(world, "guards", GUARD | {"end": "30h", "duty": "team:field"})
        assert made.status_code == 201, made.text
        turns = [(turn["who"], (turn["end"] - turn["start"]) / HOUR) for turn in made.json()["duty"]]
        assert turns == [("张伟", 4), ("Wang Fang", 12), ("张伟", 12), ("Li Na", 2)]
        nights = await post(world, "guards", GUARD | {"duty": "team:office"})
        assert (nights.status_code, nights.json()["error"]) == (422, "roster_gap")
        none = await post(world, "guards", GUARD | {"duty": "team:navy"})
        assert "has no team 'navy'; it has field, office" in none.json()["message"]


async def test_a_team_without_a_roster_is_refused(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        answer = await post(world, "guards", GUARD | {"duty": "team:field"})
        assert (answer.status_code, answer.json()["error"]) == (400, "words")


async def test_a_roster_is_changed_and_a_guard_period_ended_with_a_reason(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        assert (await post(world, "guards", GUARD)).json()["on_duty"] == ["Wang"]
        world.clock.on(HOUR)
        changed = await post(world, "guards/1/roster", {"by": "Li Na", "duty": "Zhao", "reason": "Wang is ill"})
        assert changed.json()["on_duty"] == ["Zhao"]
        assert (await post(world, "guards/1/end", {"by": "Li Na"})).json()["error"] == "no_reason"
        ended = await post(world, "guards/1/end", {"by": "Li Na", "reason": "the rain is over"})
        assert (ended.json()["state"], ended.json()["end"]) == ("over", world.clock().wall)


async def test_the_report_counts_the_periods_tickets_and_no_others(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent, other = await world.agent(), await world.agent("S2", region="")
        await agent.send(change(device="old", episode="e0"))
        world.clock.on(60.0)
        await post(world, "guards", GUARD | {"end": "2h"})
        await post(world, "windows", WINDOW)  # refused
        await post(world, "windows", WINDOW | {"kind": "cutover", "where": "device:S1/dc"})
        raised = change()
        await agent.send(raised)
        world.clock.on(60.0)
        await agent.send(cleared(raised))
        await other.send(change("S2", episode="e9"))
        world.clock.on(3 * HOUR)
        await agent.send(change(device="late", episode="e3"))
        found = await get(world, "guards/1/report")
        assert found["final"] is True
        assert [(line["device"], line["before"]) for line in found["tickets"]] == [("old", True), ("ups", False)]
        assert found["tickets"][1]["on_duty"] == ["Wang"]
        assert found["levels"] == [{"level": 2, "opened": 1, "standing": 0, "late": 0}]
        assert (found["sites"], found["alarms"]) == (1, 2)
        assert [step["who"] for step in found["refused"]] == ["Li Na"]
        assert [window["where"] for window in found["windows"]] == ["device:S1/dc"]


async def test_the_report_as_a_table_is_safe_to_open(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent(name="=cmd|' /C calc'!A0")
        await post(world, "guards", GUARD | {"end": "2h"})
        await agent.send(change(title="@SUM(A1)"))
        answer = await world.client.get("/guards/1/report.csv", params={"lang": "zh"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.startswith("\N{BOM}".encode())
        head, line = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert head[:3] == ["工单", "级别", "状态"]
        assert line[0] == "1"
        assert not any(cell[:1] in set("=+-@") for cell in line)


@pytest.mark.parametrize(("cell", "safe"), [("=1", "'=1"), ("-5", "'-5"), ("@a", "'@a"), ("5", "5"), ("", "")])
def test_a_cell_is_no_formula(cell: str, safe: str) -> None:
    assert plain(cell) == safe

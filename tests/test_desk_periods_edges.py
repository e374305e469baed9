"""Windows and guard periods where things come late, are called off, or are said sloppily."""

from pathlib import Path
from typing import Any

import pytest

from desk.periods import end_guard, end_window, extend_window
from desk.sweep import Sweep
from model.alarm import AlarmState, Kind
from model.period import No, Scope
from tests.desk_world import World, a_desk, change, cleared, later
from tests.test_desk_periods import CHEN, HOUR, declared, do, pass_by, planned


async def post(world: World, path: str, body: dict[str, Any]) -> Any:
    return await world.client.post(f"/api/v1/{path}", json=body)


async def get(world: World, path: str) -> Any:
    answer = await world.client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


WINDOW = {"by": "Li Na", "work": "clean the filters", "where": "site:S1", "end": "4h"}
GUARD = {"by": "Li Na", "name": "Flood season", "where": "all", "end": "7d", "duty": "Wang"}


# the work cuts the site off: its news comes when the work is over


async def test_what_came_and_went_in_a_window_and_is_told_after_it_opens_nothing(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        world.clock.on(HOUR + 600.0)
        raised = change()
        await agent.send(raised, age=3000.0)
        await agent.send(cleared(raised), age=1200.0)
        await pass_by(world, 1.0, agent)
        assert await world.tickets() == []


async def test_what_was_raised_in_a_window_and_told_after_it_opens_when_it_is_told_if_it_outlasted_it(
    tmp_path: Path,
) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        window = await planned(world)
        world.clock.on(HOUR + 600.0)
        raised = change()
        await agent.send(raised, age=3000.0)
        await agent.send(cleared(raised), age=60.0)
        (ticket,) = await world.tickets()
        heard = world.clock().wall  # before, the desk could tell nobody
        assert (ticket["opened"], ticket["state"]) == (heard, "resolved")
        assert window.end < heard
        standing = change(device="ups-2", episode="e2")
        await agent.send(standing, age=3000.0)
        await pass_by(world, 1.0, agent)
        assert [ticket["opened"] for ticket in await world.tickets()] == [heard, heard]


async def test_what_was_raised_before_a_window_and_is_told_in_it_opens_at_once(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        world.clock.on(600.0)
        await planned(world)
        world.clock.on(60.0)
        await agent.send(change(), age=120.0)
        assert len(await world.tickets()) == 1


# what was called off before it began


async def test_a_window_that_was_called_off_is_over_and_stays_over(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        window = await planned(world, after=HOUR)
        await do(world, end_window, window.id, "rain", CHEN)
        assert (await get(world, "windows/1"))["state"] == "over"
        assert (await do(world, extend_window, window.id, window.end + HOUR, "sun again", CHEN)).no is No.OVER
        assert (await do(world, end_window, window.id, "rain", CHEN)).no is No.OVER
        page = (await world.client.get("/periods")).text
        assert 'value="extend 1"' not in page


async def test_a_guard_period_that_was_called_off_is_over_and_stays_over(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        guard = await declared(world, after=HOUR)
        await do(world, end_guard, guard.id, "no flood", CHEN)
        assert (await get(world, "guards/1"))["state"] == "over"
        assert (await do(world, end_guard, guard.id, "no flood", CHEN)).no is No.OVER
        assert (await post(world, "guards/1/roster", {"by": "Chen", "duty": "Zhao"})).status_code == 409


# sloppy words


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "Asia"])
async def test_a_zone_that_there_is_not_is_refused_though_no_time_needs_it(tmp_path: Path, zone: str) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        for path, body in (("windows", WINDOW), ("guards", GUARD)):
            answer = await post(world, path, body | {"zone": zone})
            assert answer.status_code == 400, answer.text
            assert "time zone" in answer.json()["message"]


@pytest.mark.parametrize("start", [1e15, 4e11, 1e300])
async def test_a_time_that_no_calendar_has_is_refused(tmp_path: Path, start: float) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        for path, body in (("windows", WINDOW), ("guards", GUARD)):
            answer = await post(world, path, body | {"start": start, "end": start + 3600.0})
            assert answer.status_code in {400, 422}, answer.text
        assert (await world.client.get("/periods")).status_code == 200


async def test_full_width_marks_of_a_chinese_keyboard_are_read(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        words = {"where": "site：S1　fault：mains.*", "start": "2027-03-01 08：00", "end": "2027-03-01 12：00"}
        answer = await post(world, "windows", WINDOW | words)
        assert answer.status_code == 201, answer.text
        assert answer.json()["where"] == "site:S1 fault:mains.*"


# extended past a guard period


async def test_a_window_is_extended_past_a_guard_period_that_lies_within_it(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        window = await planned(world, hours=4.0)
        await declared(world, after=HOUR, hours=1.0)
        longer = await do(world, extend_window, window.id, window.end + HOUR, "a bolt broke", CHEN)
        assert longer.end == window.end + HOUR


# what became of what was held


async def test_a_ticket_that_opened_again_at_the_end_is_told_with_the_window(tmp_path: Path) -> None:
    async with a_desk(tmp_path, close_after=10 * HOUR) as world:
        agent = await world.agent()
        raised = change()
        await agent.send(raised)
        await agent.send(cleared(raised))
        await planned(world)
        world.clock.on(60.0)
        await agent.send(change(episode="e2"))
        await pass_by(world, HOUR, agent)
        (held,) = (await get(world, "windows/1"))["held"]
        assert held["ticket"] == 1


async def test_what_another_fault_explains_at_the_end_is_not_called_over(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world, Scope(sites=("S1",), faults=("line.*",)))
        mains = change()
        await agent.send(mains)
        line = change(fault="line.silent", device="line-1", episode="e2")
        await agent.send(line)
        await agent.send(
            later(line, Kind.SUPPRESSED, AlarmState.SUPPRESSED, explained_by=mains.alarm.condition, opened=True)
        )
        await pass_by(world, HOUR + 1, agent)
        (held,) = (await get(world, "windows/1"))["held"]
        assert held["ticket"] == 1  # the ticket that it stands on


# many


async def test_windows_in_force_are_listed_first_however_many_are_planned(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        await planned(world)
        for number in range(205):
            await planned(world, after=(24 + number) * HOUR)
        await Sweep(world.desk).look()
        listed = (await get(world, "windows"))["windows"]
        assert (listed[0]["id"], listed[0]["state"]) == (1, "in_force")
        assert [window["id"] for window in listed[1:4]] == [2, 3, 4]  # what comes next


@pytest.mark.parametrize(
    ("words", "zh"),
    [
        ({"end": "tomorrow"}, "“tomorrow”不是时间：请写 2026-10-01 08:00。"),
        ({"where": "hall 3"}, "“hall”不是范围：请写 all、region:区域、site:站点、device:站点/设备 或 fault:故障。"),
        ({"where": "fault:mains.lost"}, "请写明范围，全部请写 all。"),
        ({"zone": "Mars/Base"}, "没有时区“Mars/Base”：例如 Asia/Shanghai。"),
    ],
)
async def test_what_cannot_be_read_is_said_in_the_readers_language(
    tmp_path: Path, words: dict[str, str], zh: str
) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        answer = await world.client.post("/api/v1/windows", json=WINDOW | words, headers={"Accept-Language": "zh"})
        assert (answer.status_code, answer.json()["message"]) == (400, f"填写有误：{zh}")
        form = {"form": "plan", "kind": "routine", **WINDOW, **words}
        page = await world.client.post("/periods", data=form, headers={"Accept-Language": "zh"})
        assert page.status_code == 400
        assert zh in page.text
        assert page.text.count(words[next(iter(words))]) >= 1  # what was typed is still there

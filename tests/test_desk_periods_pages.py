"""The pages of windows and guard periods: forms without script, in both languages, that hold what was typed."""

from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from desk.words_periods import PERIOD_WORDS
from tests.desk_world import World, a_desk, change
from tests.test_desk_periods import HOUR, pass_by, planned

PLAN = {"form": "plan", "by": "Li Na", "work": "change the rectifier", "where": "site:S1", "end": "1h", "start": "",
        "zone": "", "kind": "routine", "approved_by": ""}  # fmt: skip
DECLARE = {"form": "declare", "by": "Li Na", "name": "国庆保障", "where": "all", "start": "", "end": "7d", "zone": "",
           "duty": "Wang, 13800000000"}  # fmt: skip


async def send(world: World, path: str, form: dict[str, str]) -> httpx.Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await world.client.post(path, content=urlencode(form), headers=headers)


async def seen(world: World, path: str, lang: str = "en") -> str:
    answer = await world.client.get(path, params={"lang": lang})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_work_is_planned_by_a_form_and_shown(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        answer = await send(world, "/periods", PLAN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/periods")
        text = await seen(world, "/periods")
        assert "W1 change the rectifier" in text
        assert "in force" in text
        assert 'action="/periods#w1"' in text
        assert "2027-01-15 16:00 to 2027-01-15 17:00" in text  # Shanghai


async def test_what_is_refused_stands_beside_its_form_with_what_was_typed(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        answer = await send(world, "/periods", PLAN | {"end": "30h", "work": "<b>clean</b>"})
        assert answer.status_code == 422
        assert "At most 24 h at a time" in answer.text
        assert 'value="30h"' in answer.text
        assert "&lt;b&gt;clean&lt;/b&gt;" in answer.text
        assert "<b>clean</b>" not in answer.text
        assert await world.rows("SELECT * FROM windows") == []


async def test_a_window_is_extended_and_ended_by_forms(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        await send(world, "/periods", PLAN)
        longer = {"form": "extend 1", "by": "Chen", "end": "3h", "reason": "a bolt broke"}
        assert (await send(world, "/periods", longer)).status_code == 303
        text = await seen(world, "/periods")
        assert "Extended to 2027-01-15 19:00" in text
        assert "a bolt broke" in text
        assert (await send(world, "/periods", {"form": "end 1", "by": "Chen", "reason": ""})).status_code == 303
        text = await seen(world, "/periods")
        assert 'value="extend 1"' not in text


async def test_what_a_window_holds_is_shown(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await send(world, "/periods", PLAN)
        await agent.send(change())
        text = await seen(world, "/periods", "zh")
        assert "暂不开单 · 1" in text
        assert "mains.lost" in text
        assert "计划工作期间暂不开单" in await seen(world, "/system", "zh")


async def test_a_guard_period_is_declared_watched_and_ended(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await send(world, "/periods", PLAN)
        assert (await send(world, "/periods", DECLARE)).status_code == 303
        text = await seen(world, "/periods", "zh")
        assert "G1 国庆保障" in text
        assert "冻结窗口 W1" in text
        assert "保障期 G1 期间冻结" in text
        await agent.send(change())
        text = await seen(world, "/guards/1", "zh")
        assert "13800000000" in text
        assert "当前情况" in text
        assert 'href="/tickets/1"' in text
        refused = await send(world, "/guards/1", {"form": "end_guard 1", "by": "Li Na", "reason": ""})
        assert refused.status_code == 422
        world.clock.on(60.0)
        over = {"form": "end_guard 1", "by": "Li Na", "reason": "the rain is over"}
        assert (await send(world, "/guards/1", over)).status_code == 303
        assert "The period is over" in await seen(world, "/guards/1")


async def test_a_roster_with_a_gap_is_refused_beside_the_form(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        await send(world, "/periods", DECLARE)
        gap = {"form": "roster 1", "by": "Li Na", "duty": "Zhao, 1, 2027-01-16 00:00, 7d", "reason": "ill"}
        answer = await send(world, "/guards/1", gap)
        assert answer.status_code == 422
        assert "Nobody is on duty from 2027-01-15 16:00" in answer.text


@pytest.mark.parametrize("form", [{}, {"form": "party"}, {"form": "extend x", "by": "a", "end": "1h", "reason": "b"},
                                  {"form": "plan"}, {"form": f"end {'9' * 40}", "by": "a", "reason": "b"}])  # fmt: skip
async def test_a_form_that_is_none_changes_nothing(tmp_path: Path, form: dict[str, str]) -> None:
    async with a_desk(tmp_path) as world:
        answer = await send(world, "/periods", form)
        assert answer.status_code in {400, 404}
        assert await world.rows("SELECT * FROM windows") == []


async def test_a_guard_period_that_is_not_there_is_no_page(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        assert (await world.client.get("/guards/1")).status_code == 404
        assert (await world.client.get("/guards/1/report.csv")).status_code == 404


@pytest.mark.parametrize("key", PERIOD_WORDS)
def test_every_word_has_both_languages_with_the_same_gaps(key: str) -> None:
    english, chinese = PERIOD_WORDS[key]
    assert english
    assert chinese
    gaps = [{part.split("}")[0] for part in text.split("{")[1:]} for text in (english, chinese)]
    assert gaps[0] == gaps[1]


async def test_the_board_says_of_an_alarm_that_a_window_holds_its_ticket_back(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        await agent.send(change())
        assert "no ticket until" in await seen(world, "/")
        assert "前不开单：维护窗口 W1" in await seen(world, "/", "zh")
        await pass_by(world, HOUR, agent)
        assert "no ticket until" not in await seen(world, "/")

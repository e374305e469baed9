"""`roundsman window` and `roundsman guard` against a desk that runs."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.desk_world import change
from tests.said import said
from tests.test_desk_serve import joined, running


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


async def told(state: Path, *words: str) -> tuple[int, str, str]:
    return await asyncio.to_thread(said, *words, "--state", str(state))


async def rows(state: Path, *words: str) -> list[dict[str, Any]]:
    status, out, err = await told(state, *words, "--json")
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


async def test_work_is_planned_watched_extended_and_ended(tmp_path: Path) -> None:
    async with running(tmp_path, timezone="Asia/Shanghai") as (client, _):
        send = await joined(client, tmp_path)
        (planned,) = await rows(
            tmp_path, "window", "plan", "change the rectifier", "site:S1", "--until", "2h", "--by", "Li"
        )
        assert (planned["end"] - planned["start"], planned["state"]) == (7200, "in_force")
        await send(change())
        status, out, _ = await told(tmp_path, "window", "show", "1")
        assert status == 0
        assert "W1 change the rectifier · in force" in out
        assert "S1 ups mains.lost · since" in out
        (longer,) = await rows(
            tmp_path, "window", "extend", "1", "--until", "3h", "--reason", "a bolt broke", "--by", "Chen"
        )
        assert longer["end"] > planned["end"]
        status, out, _ = await told(tmp_path, "window", "list", "--lang", "zh")
        assert (status, out.splitlines()[0].split()[:3]) == (0, ["编号", "状态", "开始"])
        (over,) = await rows(tmp_path, "window", "end", "1", "--by", "Chen")
        assert over["state"] == "over"
        status, _, err = await told(tmp_path, "window", "end", "1")
        assert (status, err) == (1, "It is over: plan a new one.\n")


async def test_a_guard_period_refuses_routine_work_and_ends_in_a_report(tmp_path: Path) -> None:
    async with running(tmp_path, timezone="Asia/Shanghai") as (client, _):
        send = await joined(client, tmp_path)
        declare = ("guard", "declare", "National Day", "all", "--until", "8d", "--by", "Li")
        status, out, err = await told(tmp_path, *declare, "--duty", "Wang, 13800000000", "--duty", "Zhao")
        assert (status, err) == (0, "")
        assert "G1 National Day · in force" in out
        assert "Wang · 13800000000" in out
        status, _, err = await told(tmp_path, "window", "plan", "cleaning", "site:S1", "--until", "1h", "--lang", "zh")
        assert status == 1
        assert "保障期 G1（National Day" in err
        urgent = ("window", "plan", "the battery swells", "site:S1", "fault:battery.*", "--until", "1h", "--urgent")
        (window,) = await rows(tmp_path, *urgent, "--approved-by", "Chen", "--by", "Li")
        assert (window["state"], window["approved_by"]) == ("in_force", "Chen")
        await send(change())
        status, out, _ = await told(tmp_path, "guard", "report", "1")
        assert status == 0
        assert "As things stand" in out
        assert "Wang, Zhao" in out
        (changed,) = await rows(tmp_path, "guard", "roster", "1", "--duty", "Zhao", "--reason", "ill", "--by", "Li")
        assert changed["on_duty"] == ["Zhao"]
        (over,) = await rows(tmp_path, "guard", "end", "1", "--reason", "it rained off", "--by", "Li")
        assert over["state"] == "over"
        assert [each["id"] for each in await rows(tmp_path, "guard", "list")] == [1]


async def test_words_that_say_nothing_are_answered_with_what_would(tmp_path: Path) -> None:
    async with running(tmp_path) as (client, _):
        await joined(client, tmp_path)
        status, _, err = await told(tmp_path, "window", "plan", "cleaning", "S1", "--until", "1h")
        assert status == 1
        assert "write all, region:R, site:S" in err
        status, _, err = await told(tmp_path, "window", "show", "9")
        assert (status, err) == (1, "There is no such window or guard period: look at the list.\n")


async def test_without_a_desk_it_says_how_to_start_one(tmp_path: Path) -> None:
    status, _, err = await told(tmp_path, "guard", "list")
    assert status == 1
    assert "roundsman desk" in err

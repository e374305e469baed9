"""The agent's loops go on: a row nobody can keep, a desk that answers too fast, a command of a newer desk."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest

import agent.link
from agent.journal import Journal, Standing
from agent.keeper import Keeper
from agent.link import obey
from agent.own_metrics import OwnMetrics
from model.alarm import Alarm, Now
from model.protocol import Acknowledge, AnyCommand, Command, CommandsReply
from model.step import rebase
from runtime.writer import StoreError


def alarm(name: str) -> Standing:
    return Standing(Alarm(f"s/d/-/{name}"), None)


async def test_a_row_that_cannot_be_kept_is_put_aside_and_the_others_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    keeper = Keeper(journal, OwnMetrics("1"), lambda: None)
    running = asyncio.create_task(keeper.run())
    keeper.keep([alarm("a"), alarm("b\ud800"), alarm("c")], cursor=7)
    async with asyncio.timeout(20):
        await keeper.settled()
    keeper.keep([alarm("d")])
    async with asyncio.timeout(20):
        await keeper.settled()
    running.cancel()
    assert sorted(journal.alarms()[0]) == ["s/d/-/a", "s/d/-/c", "s/d/-/d"]
    assert journal.position().cursor == 7
    journal.close()


async def test_a_full_disk_is_tried_again_with_all_that_came_since(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    record, failures = journal.record, [StoreError("disk full"), sqlite3.DatabaseError("not now")]

    def full_once(rows: list[Standing], *, cursor: int | None = None) -> "Future[None]":
        if failures and isinstance(failures[0], StoreError):
            failed: Future[None] = Future()
            failed.set_exception(failures.pop(0))
            keeper.keep([alarm("later")])
            return failed
        return record(rows, cursor=cursor)

    journal.record = full_once  # type: ignore[method-assign]
    keeper = Keeper(journal, OwnMetrics("1"), lambda: None)
    running = asyncio.create_task(keeper.run())
    keeper.keep([alarm("first")])
    async with asyncio.timeout(20):
        await keeper.settled()
    running.cancel()
    assert sorted(journal.alarms()[0]) == ["s/d/-/first", "s/d/-/later"]
    journal.close()


class Desk:
    """A desk that answers each question for commands at once, by a script."""

    def __init__(self, *replies: tuple[object, ...]) -> None:
        self.replies = list(replies)
        self.asked: list[int] = []

    async def commands(self, after: int) -> CommandsReply:
        self.asked.append(after)
        commands = self.replies.pop(0) if self.replies else ()
        return CommandsReply("i", tuple(msgspec.Raw(msgspec.json.encode(command)) for command in commands))


async def follow(desk: Desk, *, rounds: int) -> list[Command | AnyCommand]:
    done: list[Command | AnyCommand] = []
    enough = asyncio.Event()

    async def cursor() -> int:
        if len(desk.asked) >= rounds:
            enough.set()
        return max((command.id for command in done), default=0)

    async def do(command: Command | AnyCommand) -> None:
        done.append(command)

    following = asyncio.create_task(obey(desk, cursor, do))  # type: ignore[arg-type]
    async with asyncio.timeout(20):
        await enough.wait()
    following.cancel()
    return done


async def test_a_command_of_a_newer_desk_is_passed_over_and_those_beside_it_are_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agent.link, "SHORTEST", 0.001)
    newer = {"type": "guard_period", "id": 2, "until": 5}
    first, last = Acknowledge(1, "c", "e", "li"), Acknowledge(3, "c", "e", "li")
    done = await follow(Desk((first, newer, last)), rounds=1)
    assert done == [first, AnyCommand(2, "guard_period"), last]


async def test_a_command_that_was_done_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.link, "SHORTEST", 0.001)
    same = Acknowledge(5, "c", "e", "li")
    desk = Desk((same,), (same,), (same,))
    assert await follow(desk, rounds=3) == [same]


async def test_a_desk_that_never_holds_the_question_is_asked_at_most_a_few_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paused: list[float] = []
    real: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        await real(0)

    monkeypatch.setattr(agent.link.asyncio, "sleep", pause)
    await follow(Desk(), rounds=5)
    assert paused
    assert set(paused) == {agent.link.SHORTEST}


def test_times_carried_over_a_reboot_are_kept_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    kept = Alarm("s/d/-/a", onset=1000.0, shelved_until=4600.0)
    journal.record([Standing(kept, None)]).result(10)
    moved = rebase(kept, Now(1000.0, 50_000.0), Now(30.0, 50_060.0))
    journal.rebase([moved], Now(30.0, 50_060.0))
    alarms, saved, _ = journal.alarms()
    assert (alarms["s/d/-/a"], saved) == (moved, Now(30.0, 50_060.0))
    journal.close()


def test_a_journal_that_is_only_locked_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "s")
    journal.record([alarm("a")]).result(10)
    journal.close()
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("DELETE FROM meta WHERE key = 'nothing'")
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: real(*args, **(more | {"timeout": 0.05})))
    with pytest.raises(StoreError, match="cannot open"):
        Journal(tmp_path, "s")
    other.execute("ROLLBACK")
    other.close()
    assert not list(tmp_path.glob("*.damaged-*"))
    assert "s/d/-/a" in Journal(tmp_path, "s").alarms()[0]

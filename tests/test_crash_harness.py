"""A part of `make crash`, and that the harness is worth its name: every bug that it must find can still be planted."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.books import check, sound
from tests.crash.bugs import TREE, Bug, plant, planted
from tests.crash.processes import until
from tests.crash.scenarios import SCENARIOS
from tests.crash.world import World, condition, looking

DESK = "desk.sqlite"
BUGS = {
    "acknowledge-before-commit",
    "two-transactions",
    "no-key",
    "sent-before-answer",
    "random-key",
    "hash-with-age",
    "seq-across-epochs",
}


def test_a_part_of_the_kills_the_syscalls_and_every_planted_bug() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", "--part"],
        cwd=TREE,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_bug_that_must_be_found_is_there() -> None:
    assert {bug.name for bug in planted()} == BUGS


@pytest.mark.parametrize("bug", planted(), ids=lambda bug: bug.name)
def test_a_bug_can_be_planted_and_says_which_scenario_finds_it(bug: Bug, tmp_path: Path) -> None:
    plant(bug, tmp_path)
    assert bug.scenario in SCENARIOS
    assert bug.sentence.endswith(".")
    assert bug.finds


def test_the_books_see_a_ticket_that_is_lost_doubled_or_wrong(tmp_path: Path) -> None:
    with World(tmp_path, cold=True) as world:
        world.start()
        world.switch(0, stopped=True)
        until("the fault has its ticket", world.settled)
        world.kill_agent()
        world.kill_desk()
        assert check(world) == []
        lost, doubled, resolved = tmp_path / "lost", tmp_path / "doubled", tmp_path / "resolved"
        for copy in (lost, doubled, resolved):
            shutil.copytree(world.desk_state, copy)
        _write(lost / DESK, "DELETE FROM ticket_episodes", "DELETE FROM tickets")
        _write(doubled / DESK, "DROP INDEX one_ticket_a_condition", _AGAIN)
        _write(resolved / DESK, "UPDATE tickets SET state = 'resolved'")
        world.desk_state = lost
        assert f"{condition(0)}: the fault is True, its ticket is missing" in check(world)
        world.desk_state = doubled
        assert f"{condition(0)} has 2 tickets that are not closed" in check(world)
        assert "ticket 99 says 0 entries and has []" in check(world)
        world.desk_state = resolved
        assert f"{condition(0)}: the fault is True, its ticket is resolved" in check(world)


def test_the_books_see_an_alarm_that_nothing_tells_of_and_that_they_are_asked_too_early(tmp_path: Path) -> None:
    with World(tmp_path, cold=True) as world:
        world.start()
        world.switch(0, stopped=True)
        until("the fault has its ticket", world.settled)
        world.kill_agent()
        world.switch(1, stopped=True)
        assert check(world)[0] == "agent and desk are not at rest"
        assert sound(world) == []
        _write(world.agent_state / "journal.db", "DELETE FROM outbox WHERE seq > 1")
        (torn,) = [each for each in sound(world) if each.startswith(f"{condition(0)}: the alarm is at ")]
        assert torn.endswith(" revision 1, the outbox tells of no episo revision 0")


def test_one_look_at_a_file_sees_no_commit_that_comes_between_its_questions(tmp_path: Path) -> None:
    path = tmp_path / "file.db"
    _write(path, "PRAGMA journal_mode=WAL", "CREATE TABLE alarms (name)", "CREATE TABLE outbox (name)")
    with looking(path) as ask:
        assert ask("SELECT name FROM outbox") == []
        _write(path, "INSERT INTO alarms VALUES ('one')", "INSERT INTO outbox VALUES ('one')")
        assert ask("SELECT name FROM alarms") == []
    with looking(path) as ask:
        assert (ask("SELECT name FROM outbox"), ask("SELECT name FROM alarms")) == ([("one",)], [("one",)])


_AGAIN = (
    'INSERT INTO tickets (number, condition, site, state, level, provisional, "case", opened, episode, acknowledged_by,'
    " explained_by, shelved)"
    ' SELECT 99, condition, site, state, level, provisional, "case", opened, episode, acknowledged_by, explained_by,'
    " shelved FROM tickets"
)


def _write(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)

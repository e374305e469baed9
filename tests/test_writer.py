"""One writer of a SQLite file: group commit, failures, migrations."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from runtime.writer import BusyError, StoreError, Writer, one_look, reader

TABLE = ("CREATE TABLE t (n INTEGER PRIMARY KEY)",)


def insert(number: int) -> Callable[[sqlite3.Connection], int]:
    return lambda db: db.execute("INSERT INTO t VALUES (?)", (number,)).rowcount


def count(path: Path) -> int:
    db = reader(path)
    try:
        return int(db.execute("SELECT count(*) FROM t").fetchone()[0])
    finally:
        db.close()


def test_a_promise_is_kept_only_after_the_commit(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE)
    assert writer.put(insert(1)).result(10) == 1
    assert count(tmp_path / "a.db") == 1
    writer.close()


def test_one_look_sees_no_commit_that_comes_between_its_questions(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE)

    def numbers(db: sqlite3.Connection) -> list[int]:
        return [row["n"] for row in db.execute("SELECT n FROM t")]

    with closing(reader(tmp_path / "a.db")) as db:
        with one_look(db):
            assert numbers(db) == []
            writer.put(insert(1)).result(10)
            assert numbers(db) == []
        assert numbers(db) == [1]
        with pytest.raises(sqlite3.OperationalError), one_look(db):
            db.execute("SELECT nothing FROM nowhere")
        with one_look(db):
            assert numbers(db) == [1]
    writer.close()


def test_what_waits_together_is_committed_together(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE)
    gate = threading.Event()
    writer.put(lambda _: gate.wait(10))
    promises = [writer.put(insert(n)) for n in range(100)]
    before = writer.commits
    gate.set()
    assert [promise.result(10) for promise in promises] == [1] * 100
    assert writer.commits - before <= 2
    writer.close()


def test_a_job_that_fails_takes_nothing_of_the_others_with_it(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE)
    gate = threading.Event()
    writer.put(lambda _: gate.wait(10))

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (50)")
        raise ValueError("in the middle")

    good, bad, twin, other = writer.put(insert(1)), writer.put(half), writer.put(insert(1)), writer.put(insert(2))
    gate.set()
    assert good.result(10) == other.result(10) == 1
    with pytest.raises(ValueError, match="in the middle"):
        bad.result(10)
    with pytest.raises(sqlite3.IntegrityError):
        twin.result(10)
    assert count(tmp_path / "a.db") == 2
    writer.close()


def test_jobs_run_once_where_none_of_their_group_fails_and_else_again_each_by_itself(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE)
    ran: list[str] = []

    def noted(name: str, *, fails: bool = False) -> Callable[[sqlite3.Connection], str]:
        def work(db: sqlite3.Connection) -> str:
            ran.append(name)
            db.execute("INSERT INTO t (n) SELECT count(*) + 1 FROM t")
            if fails:
                raise ValueError(name)
            return name

        return work

    def together(*works: tuple[Callable[[sqlite3.Connection], str], ...]) -> list[str]:
        gate = threading.Event()
        writer.put(lambda _: gate.wait(10))
        promises = [writer.put(*each) for each in works]
        gate.set()
        return [str(promise.exception(10) or promise.result(10)) for promise in promises]

    assert together((noted("a"),), (noted("b"),)) == ["a", "b"]
    assert ran == ["a", "b"]
    ran.clear()
    found = together((noted("c"),), (noted("d", fails=True), noted("e")), (noted("f", fails=True),), (noted("g"),))
    assert found == ["c", "e", "f", "g"]
    assert ran == ["c", "d", "c", "e", "f", "g"]
    assert count(tmp_path / "a.db") == 5
    writer.close()


def test_a_job_that_nobody_waits_for_any_more_is_left_out(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE)
    gate, running = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        running.set()
        gate.wait(10)

    writer.put(hold)
    assert running.wait(10)
    cancelled: Future[int] = writer.put(insert(1))
    assert cancelled.cancel()
    gate.set()
    assert writer.put(insert(2)).result(10) == 1
    assert count(tmp_path / "a.db") == 1
    writer.close()


def test_more_than_may_wait_is_refused_at_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE, waiting=2)
    gate, running = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        running.set()
        gate.wait(10)

    writer.put(hold)
    assert running.wait(10)
    writer.put(insert(1))
    writer.put(insert(2))
    with pytest.raises(BusyError, match="2 writes already wait"):
        writer.put(insert(3))
    gate.set()
    writer.close()
    assert count(tmp_path / "a.db") == 2


def test_closing_finishes_what_waits_and_refuses_more(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "a.db", TABLE)
    promises = [writer.put(insert(n)) for n in range(10)]
    writer.close()
    assert all(promise.done() for promise in promises)
    with pytest.raises(StoreError, match="is closed"):
        writer.put(insert(99))


def test_a_file_is_brought_forward_one_migration_at_a_time(tmp_path: Path) -> None:
    Writer(tmp_path / "a.db", TABLE).close()
    grown = (*TABLE, "ALTER TABLE t ADD COLUMN word TEXT;\nCREATE INDEX words ON t (word)")
    writer = Writer(tmp_path / "a.db", grown)
    writer.put(lambda db: db.execute("INSERT INTO t VALUES (1, 'one')")).result(10)
    writer.close()
    Writer(tmp_path / "a.db", grown).close()
    db = reader(tmp_path / "a.db")
    assert (db.execute("PRAGMA user_version").fetchone()[0], tuple(db.execute("SELECT * FROM t").fetchone())) == (
        2,
        (1, "one"),
    )
    db.close()


def test_a_file_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    Writer(tmp_path / "a.db", (*TABLE, "CREATE TABLE more (n INTEGER)")).close()
    with pytest.raises(StoreError, match="is of version 2, this program knows 1: install the newer program again"):
        Writer(tmp_path / "a.db", TABLE)


def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot open .*a\.db"):
        Writer(tmp_path / "none" / "a.db", TABLE)

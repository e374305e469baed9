"""Days of a province in seconds: what the desk keeps is what its entries add up to; a book that lies is caught."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.province.books import check
from tests.province.simulation import Province, Size, lived


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    return lived(Size(sites=50, days=10), tmp_path_factory.mktemp("province"))


def test_the_books_of_a_province_are_what_its_audit_adds_up_to(province: Province) -> None:
    books = check(province.file, province.clock.true, province.closed)
    assert books.wrong == []
    assert books.counted["tickets"] > 150
    assert books.counted["closed tickets compared with what they were"] > 100
    for name in (
        "keys that fired",
        "halts",
        "merged",
        "workarounds",
        "complaints",
        "verdicts",
        "events with a penalty",
    ):
        assert books.counted[name] > 0, name


def test_everything_happened_that_makes_it_hard(province: Province) -> None:
    for name in (
        "acts refused",
        "batches that came again",
        "journals begun anew",
        "lines cut",
        "reboots",
        "times that the clock was set",
        "no Closed",
        "no Paused",
        "no Reached",
    ):
        assert province.counted[name] > 0, name
    assert province.counted["starts of the desk"] > 5
    assert province.counted["refused events"] == 0


def _in_record(word: str, other: str) -> str:
    """Put another word into a ticket's record."""
    changed = f"CAST(replace(CAST(record AS TEXT), '{word}', '{other}') AS BLOB)"
    return f"UPDATE tickets SET record = {changed} WHERE number = {{n}}"


LAST = "(SELECT number FROM tickets ORDER BY closed DESC LIMIT 9)"
NEWEST = "(SELECT id FROM episodes ORDER BY changed DESC LIMIT 1)"
LIES = {  # what is done to a copy of the file, and a part of the sentence that must be said of it
    "a record": (_in_record('"state":"closed"', '"state":"shut"'), "cannot be read"),
    "a word in a record": (_in_record('"acknowledged_by":"', '"acknowledged_by":"x'), "not what its entries add up to"),
    "a column": ("UPDATE tickets SET late = late + 1 WHERE number = {n}", "column late"),
    "a due time": ("UPDATE tickets SET due = 1.0 WHERE number = {n}", "column due"),
    "a key that fired": ("INSERT INTO fired VALUES ({n}, 'restore/1', 'warn', 1.0)", "fired are"),
    "an entry that is gone": ("DELETE FROM entries WHERE ticket = {n} AND what = 'acknowledged'", "is number"),
    "an entry of another time": (
        "UPDATE entries SET at = at + 1 WHERE ticket = {n} AND what = 'closed'",
        "not what its entries add up to",
    ),
    "an entry of another person": (
        "UPDATE entries SET who = 'Nobody' WHERE ticket = {n} AND what = 'acknowledged'",
        "not what its entries add up to",
    ),
    "a ticket with no entries": ("DELETE FROM entries WHERE ticket = {n}", "tickets without entries"),
    "a condition with two tickets": (
        f"UPDATE tickets SET condition = 'p-000/x/-/y', site = 'p-' || number WHERE number IN {LAST}",
        "was not closed",
    ),
    "an episode in two tickets": (
        f"INSERT OR REPLACE INTO ticket_episodes SELECT number, {NEWEST}, 1.0 FROM tickets WHERE state <> 'closed'",
        "tickets that are not closed",
    ),
    "an incident of another size": ("UPDATE incidents SET tickets = tickets + 1", "incidents: the file alone has"),
    "a ticket that is in no incident": ("DELETE FROM incident_tickets", "incident_tickets: its entries alone"),
    "an event in quarantine": (
        "INSERT INTO quarantine VALUES ('a', 'e', 1, 's', 1.0, 'planted', x'00')",
        "in quarantine: planted",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_book_that_lies_is_caught(province: Province, tmp_path: Path, lie: str) -> None:
    copy = tmp_path / "desk.sqlite"
    shutil.copy(province.file, copy)
    sql, sentence = LIES[lie]
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        taken = "SELECT ticket FROM entries WHERE what = 'acknowledged' AND side = 'service' AND ticket IN"
        closed = "(SELECT number FROM tickets WHERE state = 'closed' AND merged_into = 0)"
        number = db.execute(f"{taken} {closed} ORDER BY ticket LIMIT 1").fetchone()[0]
        assert db.execute(sql.format(n=number)).rowcount
    wrong = check(copy, province.clock.true, {}).wrong
    assert any(sentence in each for each in wrong), wrong


def test_a_ticket_that_changed_after_closing_is_caught(province: Province) -> None:
    number, then = next(iter(province.closed.items()))
    other = next(record for each, record in province.closed.items() if each != number)
    assert then != other
    assert check(province.file, province.clock.true, {number: other}).wrong

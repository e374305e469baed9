"""The ledger: what is written of a ticket is whole or not at all, fires once, and can be proved."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from desk.before import list_device
from desk.ledger import Ledger, OpeningError, append, check_books, settle_due
from desk.tickets import close_resolved, taken_in
from model.contract import Entitlement, Milestone, Word
from model.service import entry as acts
from model.service.entry import Entry
from model.service.history import Listed
from model.service.record import Record
from model.service.words import Cover, Refusal, Side, Tie, Trust
from model.ticket import TicketState
from tests.ledger_world import SITE, Book, contract, gone
from tests.service_world import DAY, HOUR, T0
from tests.stores import unguarded

M = Milestone


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def kinds(book: Book, number: int) -> list[str]:
    return [str(row[0]) for row in book.db.execute("SELECT what FROM entries WHERE ticket = ? ORDER BY seq", (number,))]


def test_an_opening_is_its_entry_its_row_and_its_connector_row(book: Book) -> None:
    number = book.open(device="ups1")
    (opened,) = book.entries(number)
    assert isinstance(opened.act, acts.Opened)
    assert (opened.act.number, opened.act.terms.contract, opened.at, opened.side) == (number, "test", T0, Side.SYSTEM)
    row = book.row(number)
    assert (row["device"], row["due_clock"], row["due"], row["entries"]) == ("ups1", "respond/2", T0 + 600, 1)
    assert book.value("SELECT reason FROM connector_outbox WHERE ticket = ?", number) == "opened"
    assert book.open(device="ups2") == number + 1


def test_an_act_that_is_refused_writes_nothing(book: Book) -> None:
    number = book.open()
    before = book.all()
    assert book.do(number, acts.Resumed()).refused is Refusal.NOT_PAUSED
    assert book.do(number, acts.Reached(M.RESTORE, T0 - 1)).refused is Refusal.BEFORE_OPENING
    assert book.within(lambda ledger: append(ledger, 99, "Li", "page", acts.Acknowledged())) is None
    assert book.all() == before


@pytest.mark.parametrize("act", [acts.TookIn(2, T0, T0, 1)])
def test_what_is_half_of_something_cannot_be_appended_alone(book: Book, act: acts.TookIn) -> None:
    number = book.open()
    with pytest.raises(OpeningError):
        book.do(number, act)


def test_a_limit_that_passes_fires_once_however_often_and_late_one_looks(book: Book) -> None:
    number = book.open(level=2)
    assert book.within(settle_due) == []
    book.at = 30 * DAY
    assert book.within(settle_due) == [number]
    fired = book.record(number).fired
    assert {"restore/2 breach", "restore/2 upgrade", "resolve/1 breach"} <= set(fired)
    assert book.within(settle_due) == []
    book.do(number, acts.Acknowledged())
    rows = book.db.execute("SELECT clock || ' ' || step FROM fired WHERE ticket = ?", (number,)).fetchall()
    assert sorted(row[0] for row in rows) == sorted(fired)
    assert check_books(book.db) == []


def test_a_key_that_has_fired_cannot_be_written_again_whatever_the_record_says(book: Book) -> None:
    number = book.open()
    book.db.execute("INSERT INTO fired VALUES (?, 'respond/2', 'warn', 0.0)", (number,))
    book.at = 500
    with pytest.raises(sqlite3.IntegrityError):
        book.within(settle_due)
    assert len(book.entries(number)) == 1


def test_the_row_says_when_to_look_again_and_which_clock_is_next(book: Book) -> None:
    number = book.open(level=2)
    assert book.row(number)["again"] == T0 + 450
    book.do(number, acts.Acknowledged())
    row = book.row(number)
    assert (row["responded"], row["due_clock"], row["due"]) == (T0, "restore/2", T0 + 8 * HOUR)
    assert row["again"] == T0 + 4 * HOUR


@pytest.mark.parametrize("trust", [Trust.JUMPED, Trust.UNSYNCHRONISED])
def test_while_the_clock_is_not_sure_nothing_fires_and_then_all_that_is_due_does(book: Book, trust: Trust) -> None:
    number = book.open()
    book.at, book.trust = 2 * DAY, trust
    assert book.within(settle_due) == []
    book.do(number, acts.Handled(acts.Handling.REMOTE))
    assert book.record(number).fired == ()
    book.at, book.trust = 9 * HOUR, Trust.SURE
    book.do(number, acts.Linked(Tie.RELATED, 77))
    assert "restore/2 breach" in book.record(number).fired
    assert "resolve/1 breach" not in book.record(number).fired


def test_what_waited_for_a_sure_clock_is_looked_at_as_soon_as_it_is(book: Book) -> None:
    number = book.open()
    book.at, book.trust = 9 * HOUR, Trust.JUMPED
    book.do(number, acts.Handled(acts.Handling.REMOTE))
    book.trust = Trust.SURE
    assert book.within(settle_due) == [number]
    assert "restore/2 breach" in book.record(number).fired


def test_a_merge_is_both_entries_or_neither(book: Book) -> None:
    first, second = book.open(device="a"), book.open(device="b", level=1)
    before = book.all()
    assert book.do(second, acts.MergedInto(99, "same")).refused is Refusal.NO_TICKET
    assert book.do(second, acts.MergedInto(second, "same")).refused is Refusal.ITSELF
    assert book.do(second, acts.MergedInto(first, "")).refused is Refusal.NO_REASON
    assert book.all() == before
    assert book.do(second, acts.MergedInto(first, "same")).happened == ("merged",)
    assert (book.record(first).took_in, book.record(first).ticket.level) == ((second,), 1)
    assert (book.row(second)["state"], book.row(second)["merged_into"]) == ("closed", first)
    third = book.open(device="c")
    assert book.do(third, acts.MergedInto(second, "same")).refused is Refusal.CLOSED
    assert check_books(book.db) == []


def test_what_was_merged_has_no_ticket_of_its_own_while_the_other_is_not_closed(book: Book) -> None:
    first, second, third = (book.open(device=name) for name in "abc")
    book.do(third, acts.MergedInto(second, "same"))
    book.do(second, acts.MergedInto(first, "same"))
    assert taken_in(book.db, "S", "S/c/-/mains.lost") == first
    assert taken_in(book.db, "S", "S/a/-/mains.lost") == 0
    book.do(first, acts.AlarmSeen(gone(first, book), 2), Side.SYSTEM)
    book.do(first, acts.Closed())
    assert taken_in(book.db, "S", "S/c/-/mains.lost") == 0


def test_an_alarm_that_changes_nothing_of_its_ticket_is_no_entry(book: Book) -> None:
    number = book.open()
    same = book.entries(number)[0].act
    assert isinstance(same, acts.Opened)
    assert same.alarm is not None
    later = acts.AlarmSeen(type(same.alarm)(**{**_fields(same.alarm), "revision": 2}), 2)
    before = book.all()
    assert book.do(number, later, Side.SYSTEM).refused is Refusal.UNCHANGED
    assert book.all() == before


def _fields(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_a_ticket_closes_by_itself_only_where_nobodys_word_is_missing(tmp_path: Path) -> None:
    for words, closes in (({}, True), ({M.RESTORE: Word.PERSON}, False), ({M.RESOLVE: Word.BOTH}, False)):
        folder = tmp_path / str(len(words) + closes) / "-".join(words)
        folder.mkdir(parents=True)
        book = Book(folder, contract(words=words))
        number = book.open()
        book.do(number, acts.AlarmSeen(gone(number, book), 2), Side.SYSTEM, "agent")
        book.at = 1800.0
        assert book.within(lambda ledger: close_resolved(ledger, T0 - 1)) == []
        assert bool(book.within(lambda ledger: close_resolved(ledger, T0))) is closes
        assert (book.record(number).ticket.state is TicketState.CLOSED) is closes
        assert check_books(book.db) == []


def test_a_closed_ticket_keeps_its_clocks_as_they_ended(book: Book) -> None:
    number = book.open()
    book.at = 9 * HOUR
    book.do(number, acts.AlarmSeen(gone(number, book), 2), Side.SYSTEM, "agent")
    book.do(number, acts.Closed())
    ended = book.record(number).outcomes
    assert {each.clock: each.stand.value for each in ended}["restore/2"] == "late"
    book.at = 60 * DAY
    book.within(settle_due)
    assert book.record(number).outcomes == ended
    assert (book.row(number)["due"], book.row(number)["late"]) == (None, sum(each.stand == "late" for each in ended))


def test_a_device_that_is_listed_as_out_of_contract_has_no_clocks(tmp_path: Path) -> None:
    from desk.before import cover_of

    book = Book(tmp_path, contract(entitlement=Entitlement(listed_only=True)))
    assert cover_of(book.ledger, SITE, "ups1") is Cover.NOT_COVERED
    list_device(book.db, "S", "ups1", Listed("123", begin=T0 - DAY, end=T0 + DAY))
    assert cover_of(book.ledger, SITE, "ups1") is Cover.UNDER_CONTRACT
    book.at = DAY
    assert cover_of(book.ledger, SITE, "ups1") is Cover.NOT_COVERED
    number = book.open(cover=Cover.NOT_COVERED)
    assert (book.row(number)["due"], book.row(number)["cover"]) == (None, "not_covered")


def test_hooks_are_told_of_each_entry_in_order_and_fail_with_it(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []

    def hear(ledger: Ledger, before: Record | None, after: Record, entry: Entry) -> None:
        told.append((before.entries if before else 0, after.entries, type(entry.act).__name__))
        if isinstance(entry.act, acts.Paused):
            raise TypeError("no")
        assert ledger.now >= T0

    book = Book(tmp_path, hooks=(hear,))
    number = book.open(level=2)
    book.at = 500
    book.do(number, acts.Acknowledged())
    assert told == [(0, 1, "Opened"), (1, 2, "Acknowledged")]
    book.at = 5 * HOUR
    book.within(settle_due)
    assert told[2] == (2, 3, "Fired")
    before = book.all()
    with pytest.raises(TypeError, match="no"):
        book.do(number, acts.Paused(acts.Waiting.CARRIER, "line"))
    assert book.all() == before


def test_entries_are_never_changed_nor_deleted(book: Book) -> None:
    book.open()
    for sql in ("DELETE FROM entries", "UPDATE entries SET who = 'x'"):
        with pytest.raises(sqlite3.IntegrityError):
            book.db.execute(sql)


LIES = [
    ("UPDATE tickets SET level = 1", "level is 1"),
    ("UPDATE tickets SET merged_into = 4", "merged_into is 4"),
    ("UPDATE tickets SET record = x'7b7d'", "its entries do not add up to its record"),
    ("UPDATE tickets SET entries = 9", "the row says 9"),
    ("DELETE FROM fired", "fired are []"),
    ("INSERT INTO fired VALUES (1, 'x', 'y', 0.0)", "'x y'"),
    ("DELETE FROM entries WHERE seq = 2", "not one after another"),
    ("DELETE FROM entries", "not one after another"),
    ("UPDATE entries SET at = at + 1 WHERE seq = 1", "do not add up"),
    (
        'UPDATE entries SET body = CAST(\'{"what":"resumed"}\' AS BLOB) WHERE seq = 2',
        "not_paused",
    ),
]


@pytest.mark.parametrize(("lie", "said"), LIES)
def test_the_books_find_every_planted_lie(book: Book, lie: str, said: str) -> None:
    number = book.open()
    book.at = 500
    book.do(number, acts.Acknowledged())
    book.at = 5 * HOUR
    book.within(settle_due)
    assert check_books(book.db) == []
    unguarded(book.db)
    book.db.execute(lie)
    (wrong,) = check_books(book.db)
    assert said in wrong

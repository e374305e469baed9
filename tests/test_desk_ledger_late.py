"""What is said late of a start or a pause: it moves what runs, and talks no breach away."""

from pathlib import Path

import pytest

from desk.ledger import check_books, settle_due
from model.contract import Milestone, Start
from model.refusal_words import refusal_words
from model.service import entry as acts
from model.service.clocks import outcomes
from model.service.outcome import Stand
from model.service.words import Refusal, Trust, Waiting
from tests.ledger_world import Book, contract
from tests.service_world import HOUR, T0, calendars, limit

M = Milestone
REPORTED = contract(
    limits=(
        limit("arrive", M.ARRIVE, 2 * HOUR, after=Start.ACCEPTED),
        limit("restore", M.RESTORE, 4 * HOUR, after=Start.REPORT),
    ),
    upgrade=None,
)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path, REPORTED)


def stands(book: Book, number: int) -> dict[str, Stand]:
    found = outcomes(book.record(number), REPORTED, calendars, T0 + book.at)
    return {each.limit: each.stand for each in found}


def test_a_start_that_is_said_in_time_moves_its_limit(book: Book) -> None:
    number = book.open()
    book.at = 3 * HOUR
    assert book.do(number, acts.Started(Start.REPORT, T0 + HOUR)).refused is None
    book.at = 5 * HOUR
    assert stands(book, number)["restore"] is Stand.RUNNING


@pytest.mark.parametrize("looked", [True, False])
@pytest.mark.parametrize("act", [acts.Started(Start.REPORT, T0 + 2 * HOUR),
                                 acts.Paused(Waiting.CUSTOMER, "no key", T0 + 3 * HOUR)])  # fmt: skip
def test_what_was_not_kept_is_not_kept_by_a_later_word(
    book: Book, act: acts.Started | acts.Paused, looked: bool
) -> None:
    number = book.open()
    book.at = 4 * HOUR + 1
    if looked:
        book.within(settle_due)
    before = book.all()
    assert book.do(number, act).refused is Refusal.BREACHED
    assert book.all() == before
    assert stands(book, number)["restore"] is Stand.LATE
    assert "excuse" in refusal_words(Refusal.BREACHED, "en")
    assert "免责" in refusal_words(Refusal.BREACHED, "zh")


def test_at_its_limit_a_pause_still_stops_the_clock_and_a_second_later_it_does_not(book: Book) -> None:
    number = book.open()
    book.at = 4 * HOUR
    assert book.do(number, acts.Paused(Waiting.CUSTOMER, "no key", T0 + 3 * HOUR)).refused is None
    assert stands(book, number)["restore"] is Stand.PAUSED
    assert check_books(book.db) == []


def test_what_is_over_stops_no_pause_from_now_on_nor_a_start_that_makes_it_later_still(book: Book) -> None:
    number = book.open()
    book.at = 6 * HOUR
    assert book.do(number, acts.Paused(Waiting.CUSTOMER, "no key", T0 + 5 * HOUR)).refused is None
    assert book.do(number, acts.Started(Start.REPORT, T0 - HOUR)).refused is None
    assert stands(book, number)["restore"] is Stand.LATE
    assert check_books(book.db) == []


def test_no_limit_begins_after_what_ends_it(book: Book) -> None:
    number = book.open()
    book.at = HOUR
    book.do(number, acts.Reached(M.ARRIVE))
    before = book.all()
    book.at = 1.5 * HOUR
    assert book.do(number, acts.Started(Start.ACCEPTED)).refused is Refusal.OUT_OF_ORDER
    assert book.all() == before
    assert book.do(number, acts.Started(Start.ACCEPTED, T0 + HOUR)).refused is None
    assert stands(book, number)["arrive"] is Stand.KEPT


def test_a_milestone_that_is_entered_late_was_reached_when_it_was(book: Book) -> None:
    number = book.open()
    book.at = 5 * HOUR
    book.within(settle_due)
    assert book.do(number, acts.Reached(M.RESTORE, T0 + 3 * HOUR)).refused is None
    assert stands(book, number)["restore"] is Stand.KEPT


def test_of_a_ticket_that_nobody_has_dated_nobody_knows_what_is_over(book: Book) -> None:
    book.trust = Trust.JUMPED
    number = book.open()
    book.at, book.trust = 5 * HOUR, Trust.SURE
    assert book.do(number, acts.Started(Start.REPORT, T0 + 2 * HOUR)).refused is None

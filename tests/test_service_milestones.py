"""Milestones of a ticket: proposed, confirmed, taken back; workarounds, repairs, parents and pauses."""

import msgspec
import pytest

from model.alarm import AlarmState
from model.contract import Handling, Milestone, Word
from model.service import entry as acts
from model.service.words import Refusal, Side, Trust, Waiting
from model.ticket import TicketState
from tests.service_world import AGENT_ENOUGH, BOTH, HOUR, T0, Life, by_hand, entry, restored, seen

A, M, R, S = acts, Milestone, Refusal, AlarmState
BY_CUSTOMER = msgspec.structs.replace(AGENT_ENOUGH, words={M.RESTORE: Word.CUSTOMER, M.RESOLVE: Word.CUSTOMER})


@pytest.mark.parametrize(
    ("terms", "words", "counts"),
    [
        (AGENT_ENOUGH, [], True),
        (None, [], False),
        (None, [Side.SERVICE], True),
        (None, [Side.CUSTOMER], True),
        (BOTH, [Side.SERVICE], False),
        (BOTH, [Side.CUSTOMER], False),
        (BOTH, [Side.SERVICE, Side.CUSTOMER], True),
        (BY_CUSTOMER, [Side.SERVICE], False),
        (BY_CUSTOMER, [Side.CUSTOMER], True),
    ],
)
def test_good_readings_propose_and_count_with_the_word_of_the_contract(
    terms: acts.Terms | None, words: list[Side], counts: bool
) -> None:
    life = restored(**({"terms": terms} if terms else {}))
    for side in words:
        life.do(2 * HOUR, A.Confirmed(M.RESTORE), side)
    mark = life.now.marks[M.RESTORE]
    assert mark.counts is counts
    assert mark.when == T0 + HOUR
    assert mark.sides == (Side.SYSTEM, *words)


@pytest.mark.parametrize("terms", [AGENT_ENOUGH, None])
def test_a_fault_that_returns_takes_restored_and_resolved_back(terms: acts.Terms | None) -> None:
    life = restored(**({"terms": terms} if terms else {}))
    assert set(life.now.marks) == {M.RESTORE, M.RESOLVE}
    assert life.alarm(2 * HOUR, 1, S.UNACKNOWLEDGED, episode="e2", onset=T0 + 2 * HOUR - 30) == ("reopened",)
    assert not life.now.marks
    assert life.now.taken_back == 1
    assert life.now.onset == T0 + 2 * HOUR - 30
    life.alarm(3 * HOUR, 2, S.NORMAL, episode="e2")
    assert life.now.marks[M.RESTORE].when == T0 + 3 * HOUR


def test_what_a_person_reached_on_the_way_stays_when_the_fault_returns() -> None:
    life = Life(1)
    life.do(600, A.Reached(M.DEPART))
    life.do(1200, A.Reached(M.ARRIVE))
    life.alarm(HOUR, 2, S.NORMAL)
    life.alarm(2 * HOUR, 1, S.UNACKNOWLEDGED, 1, episode="e2")
    assert set(life.now.marks) == {M.DEPART, M.ARRIVE}


def test_a_person_confirms_with_another_time() -> None:
    life = restored()
    assert life.do(2 * HOUR, A.Reached(M.RESTORE, T0 + 1800)) == ("reached",)
    assert life.now.marks[M.RESTORE].when == T0 + 1800
    assert life.now.marks[M.RESTORE].at == T0 + 2 * HOUR
    assert life.now.marks[M.RESOLVE].when == T0 + HOUR


def test_resolved_never_comes_before_restored() -> None:
    life = restored()
    life.do(2 * HOUR, A.Reached(M.RESTORE, T0 + 1.5 * HOUR))
    assert life.now.marks[M.RESOLVE].when == T0 + 1.5 * HOUR
    assert (life.now.marks[M.RESOLVE].who, life.now.marks[M.RESOLVE].at) == ("Li", T0 + 2 * HOUR)
    earlier = restored()
    earlier.do(2 * HOUR, A.Reached(M.RESOLVE, T0 + 1800))
    assert {m: mark.when - T0 for m, mark in earlier.now.marks.items()} == {M.RESTORE: 1800, M.RESOLVE: 1800}


def test_a_persons_word_stays_over_later_good_readings() -> None:
    life = Life()
    life.do(1800, A.Reached(M.RESTORE))
    assert life.now.ticket.state is TicketState.OPEN
    life.alarm(HOUR, 2, S.NORMAL)
    assert life.now.ticket.state is TicketState.RESOLVED
    assert life.now.marks[M.RESTORE].when == T0 + 1800
    assert life.now.marks[M.RESTORE].who == "Li"


def test_who_says_that_it_is_not_restored_has_an_open_ticket_again() -> None:
    life = restored()
    assert life.do(2 * HOUR, A.TakenBack(M.RESTORE, "the customer sees it down")) == ("taken_back",)
    assert life.now.ticket.state is TicketState.OPEN
    assert not life.now.marks
    assert life.refused(2 * HOUR, A.Closed()) is R.NOT_CONFIRMED
    life.do(3 * HOUR, A.Reached(M.RESTORE))
    assert life.now.ticket.state is TicketState.RESOLVED


def test_a_milestone_written_down_by_mistake_is_taken_back_with_a_reason() -> None:
    life = Life()
    life.do(100, A.Reached(M.ARRIVE))
    life.do(200, A.TakenBack(M.ARRIVE, "the other site"))
    assert life.do(300, A.Reached(M.ARRIVE)) == ("reached",)


def test_a_proposal_of_a_person_waits_for_the_other_side() -> None:
    life = by_hand(terms=BOTH)
    assert life.do(HOUR, A.Reached(M.RESTORE)) == ("proposed",)
    assert life.now.ticket.state is TicketState.OPEN
    assert life.refused(HOUR, A.Reached(M.RESTORE), Side.CUSTOMER) is R.ALREADY
    assert life.do(2 * HOUR, A.Confirmed(M.RESTORE), Side.CUSTOMER) == ("confirmed",)
    assert life.now.ticket.state is TicketState.RESOLVED


@pytest.mark.parametrize("milestone", [M.DEPART, M.ARRIVE])
def test_who_is_on_the_way_handles_it_on_site(milestone: Milestone) -> None:
    life = Life()
    life.do(10, A.Handled(Handling.REMOTE))
    life.do(100, A.Reached(milestone))
    assert life.now.handling is Handling.ON_SITE


def test_the_time_said_may_be_the_opening_and_the_present() -> None:
    life = Life()
    life.do(100, A.Reached(M.DEPART, T0))
    life.do(100, A.Reached(M.ARRIVE, T0 + 100))
    assert [mark.when - T0 for mark in life.now.marks.values()] == [0, 100]


def test_a_clock_set_back_makes_no_news_impossible_and_is_marked() -> None:
    life = Life()
    life.take(entry(T0 - 30 * 86_400, A.Reached(M.ARRIVE), trust=Trust.JUMPED))
    assert life.now.marks[M.ARRIVE].when == T0
    assert not life.now.marks[M.ARRIVE].sure


def test_a_temporary_solution_is_no_resolution() -> None:
    life = restored(terms=AGENT_ENOUGH)
    assert life.do(HOUR + 60, A.WorkaroundOnly("bypass", T0 + 100 * HOUR, "Wang")) == ("workaround",)
    assert set(life.now.marks) == {M.RESTORE}
    assert life.refused(2 * HOUR, A.Closed(), Side.SYSTEM) is R.WORKAROUND_ONLY
    life.do(90 * HOUR, A.Reached(M.RESOLVE))
    assert life.do(91 * HOUR, A.Closed()) == ("closed",)


def test_a_new_limit_may_be_agreed_on_for_a_temporary_solution() -> None:
    life = restored()
    life.do(HOUR + 60, A.WorkaroundOnly("bypass"))
    life.do(2 * HOUR, A.WorkaroundOnly("bypass", T0 + 100 * HOUR, "Wang"))
    life.do(99 * HOUR, A.WorkaroundOnly("part is late", T0 + 200 * HOUR, "Wang"))
    assert life.now.workaround is not None
    assert (life.now.workaround.at, life.now.workaround.due) == (T0 + HOUR + 60, T0 + 200 * HOUR)


@pytest.mark.parametrize(("consumable", "failed"), [(False, 1), (True, 0)])
def test_a_repair_fails_when_the_fault_returns(consumable: bool, failed: int) -> None:
    life = restored()
    life.do(HOUR, A.Repaired("fan", consumable=consumable))
    life.alarm(2 * HOUR, 1, S.UNACKNOWLEDGED, episode="e2")
    assert life.now.failed_repairs == failed
    assert life.now.repair is None


def test_a_return_without_a_repair_is_no_failed_repair() -> None:
    life = restored()
    life.alarm(2 * HOUR, 1, S.UNACKNOWLEDGED, episode="e2")
    assert life.now.failed_repairs == 0


def test_a_person_may_say_that_a_repair_failed() -> None:
    life = Life()
    life.do(100, A.Repaired("board"))
    assert life.do(200, A.RepairFailed("still down")) == ("repair_failed",)
    assert life.now.failed_repairs == 1


def test_a_fault_that_its_parent_explains_is_paused_and_goes_on() -> None:
    life = Life()
    assert life.alarm(600, 2, S.SUPPRESSED, explained_by="S/site/-/mains.lost") == ("explained",)
    assert life.now.paused
    assert not life.now.marks
    life.alarm(1200, 3, S.PENDING)
    assert life.now.paused
    assert life.alarm(1300, 4, S.UNACKNOWLEDGED) == ("reopened",)
    assert not life.now.paused
    assert life.now.explained == ((T0 + 600, T0 + 1300),)
    assert life.now.failed_repairs == 0


def test_an_explained_fault_that_ends_is_restored_then() -> None:
    life = Life()
    life.alarm(600, 2, S.SUPPRESSED, explained_by="S/site/-/mains.lost")
    life.alarm(1200, 3, S.NORMAL)
    assert life.now.marks[M.RESTORE].when == T0 + 1200
    assert not life.now.paused


def test_an_explained_ticket_closes_without_milestones() -> None:
    life = Life()
    life.alarm(600, 2, S.SUPPRESSED, explained_by="S/site/-/mains.lost")
    assert life.do(3000, A.Closed(), Side.SYSTEM) == ("closed",)
    assert not life.now.marks
    assert life.now.explained == ((T0 + 600, T0 + 3000),)


def test_closing_ends_a_pause() -> None:
    life = restored()
    life.do(HOUR + 10, A.Paused(Waiting.SUPPLIER, "part"))
    life.do(2 * HOUR, A.Closed())
    assert life.now.halts[0].end == T0 + 2 * HOUR


def test_the_milestone_of_good_readings_is_when_they_turned_good() -> None:
    life = Life()
    life.alarm(900, 2, S.NORMAL, when=T0 + 600)
    assert life.now.marks[M.RESTORE].when == T0 + 600
    early = Life()
    early.alarm(900, 2, S.NORMAL, when=T0 - 600)
    assert early.now.marks[M.RESTORE].when == T0


def test_a_late_raise_of_an_episode_that_was_over_undoes_no_clear() -> None:
    life = restored()
    life.alarm(2 * HOUR, 3, S.NORMAL, episode="e2")
    assert life.refused(2 * HOUR + 1, seen(2, S.UNACKNOWLEDGED, episode="e2"), Side.SYSTEM) is R.KNOWN
    assert life.now.ticket.state is TicketState.RESOLVED

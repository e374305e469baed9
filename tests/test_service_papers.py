"""What is appended to a ticket: levels agreed, words of the customer, complaints, excuses, documents, penalties."""

from typing import Any

import msgspec
import pytest

from model.contract import Milestone
from model.service import entry as acts
from model.service.clocks import closing
from model.service.documents import documents
from model.service.entry import Act
from model.service.penalties import deductions, points
from model.service.words import Refusal, Side, Waiting
from tests.service_world import CONTRACT, DAY, HOUR, T0, Life, by_hand, calendars, closed, entry

A, M, R = acts, Milestone, Refusal
LATER = 400 * DAY

APPENDED: list[tuple[Act, Side, str]] = [
    (A.CustomerSaid(satisfied=True, signed_by="Zhao"), Side.CUSTOMER, "customer_said"),
    (A.Complained("c1", "complaint", "slow"), Side.CUSTOMER, "complained"),
    (A.Excused("restore/2", "power_cut", "Wang"), Side.SERVICE, "excused"),
    (A.AskedFor("analysis"), Side.CUSTOMER, "asked_for"),
    (A.Delivered("form", signed_by="Zhao"), Side.SERVICE, "delivered"),
    (A.Charged("thanks", "letter"), Side.CUSTOMER, "charged"),
]

NEVER_AFTER_CLOSING: list[Act] = [
    A.Acknowledged(),
    A.Reached(M.ARRIVE),
    A.Confirmed(M.RESTORE),
    A.TakenBack(M.RESTORE, "no"),
    A.LevelSet(1, "worse"),
    A.Paused(Waiting.OTHER, "x"),
    A.Resumed(),
    A.WorkaroundOnly("x"),
    A.Repaired("fan"),
    A.MergedInto(3, "same"),
    A.TookIn(3, T0, T0, 1),
    A.Handled(acts.Handling.REMOTE),
    A.Started(acts.Start.ACCEPTED),
    A.ConditionSaid("supplier_needed"),
    A.Linked(acts.Tie.RELATED, 3),
    A.Closed(),
]


def ended(at: float, **more: Any) -> Life:
    """A ticket of a person that is restored and resolved, and closed with its clocks."""
    life = by_hand(**more)
    life.do(at, A.Reached(M.RESOLVE))
    life.take(closing(life.now, CONTRACT, calendars, entry(T0 + at + 60, A.Closed())))
    assert life.now.closed
    return life


@pytest.mark.parametrize(("act", "side", "happened"), APPENDED)
def test_papers_are_taken_after_closing_and_move_no_clock(act: Act, side: Side, happened: str) -> None:
    life = ended(2 * HOUR)
    before = life.now
    assert life.do(LATER, act, side) == (happened,)
    after = life.now
    assert (after.marks, after.outcomes, after.ticket, after.halts) == (
        before.marks,
        before.outcomes,
        before.ticket,
        before.halts,
    )


@pytest.mark.parametrize("act", NEVER_AFTER_CLOSING)
def test_nothing_else_is_taken_after_closing(act: Act) -> None:
    assert closed().refused(LATER, act) is R.CLOSED


def test_a_provisional_level_is_confirmed_by_both_sides_before_closing() -> None:
    life = Life(provisional=True)
    assert life.do(60, A.LevelAgreed(3)) == ("confirmed",)
    assert life.now.ticket.level == 2
    assert life.refused(61, A.LevelAgreed(3)) is R.ALREADY
    assert life.do(70, A.LevelAgreed(2), Side.CUSTOMER) == ("confirmed",)
    assert life.now.ticket.provisional
    assert life.do(80, A.LevelAgreed(3), Side.CUSTOMER) == ("level_agreed",)
    assert (life.now.ticket.level, life.now.ticket.provisional, life.now.final_level) == (3, False, 3)
    assert life.refused(90, A.LevelAgreed(3)) is R.NOT_PROVISIONAL


def test_a_level_confirmed_after_closing_moves_no_clock() -> None:
    life = ended(2 * HOUR, provisional=True)
    clocks = life.now.outcomes
    life.do(LATER, A.LevelAgreed(1))
    assert life.do(LATER, A.LevelAgreed(1), Side.CUSTOMER) == ("level_agreed",)
    assert life.now.final_level == 1
    assert life.now.ticket.level == 2
    assert life.now.outcomes == clocks


def costs(life: Life, after: float = LATER) -> dict[str, float]:
    found = deductions(life.now, CONTRACT, calendars, T0 + after)
    return {f"{each.event} {each.what_for}": each.points or 0.0 for each in found if each.counts}


def test_a_complaint_costs_once_it_is_proven() -> None:
    life = ended(HOUR)
    life.do(LATER, A.Complained("c1", "complaint", "slow"), Side.CUSTOMER)
    life.do(LATER, A.Complained("c2", "complaint", "rude"), Side.CUSTOMER)
    life.do(LATER, A.Delivered("form", T0 + DAY, "Zhao"))
    assert costs(life) == {}
    life.do(LATER, A.Judged("c1", proven=True, reason="seen"))
    life.do(LATER, A.Judged("c2", proven=False, reason="was not there"))
    assert life.refused(LATER, A.Judged("c2", proven=True, reason="after all")) is R.ALREADY
    assert costs(life) == {"complaint complaint c1": -2.0}


def test_a_ticket_that_missed_two_limits_costs_once() -> None:
    life = ended(60 * HOUR)
    life.do(LATER, A.Delivered("form", T0 + 61 * HOUR, "Zhao"))
    found = deductions(life.now, CONTRACT, calendars, T0 + LATER)
    assert [(each.what_for, each.counts) for each in found] == [("restore/2", True), ("resolve/2", False)]
    assert points(found) == -5.0


def test_an_excuse_takes_one_limit_off_and_the_other_still_costs() -> None:
    life = ended(60 * HOUR)
    life.do(LATER, A.Delivered("form", T0 + 61 * HOUR, "Zhao"))
    life.do(LATER, A.Excused("restore/2", "power_cut", "Wang"))
    assert costs(life) == {"fault_late resolve/2": -5.0}
    life.do(LATER, A.Excused("resolve/2", "force_majeure", "Wang"))
    found = deductions(life.now, CONTRACT, calendars, T0 + LATER)
    assert points(found) == 0.0
    assert [each.excused.excuse for each in found if each.excused] == ["power_cut", "force_majeure"]


def test_an_excuse_for_an_event_takes_all_of_it_off() -> None:
    life = ended(60 * HOUR)
    life.do(LATER, A.Delivered("form", T0 + 61 * HOUR, "Zhao"))
    life.do(LATER, A.Excused("fault_late", "force_majeure", "Wang"))
    assert costs(life) == {}


@pytest.mark.parametrize(
    ("handed", "signed", "cost"),
    [(49.0, "Zhao", 0.0), (49 + 1 / 3600, "Zhao", -1.0), (20.0, "", -1.0), (None, "", -1.0)],
)
def test_a_form_counts_in_time_and_with_the_signature(handed: float | None, signed: str, cost: float) -> None:
    life = ended(HOUR)
    if handed is not None:
        life.do(LATER, A.Delivered("form", T0 + handed * HOUR, signed))
    assert points(deductions(life.now, CONTRACT, calendars, T0 + LATER)) == cost


def test_a_form_may_be_delivered_again_with_its_signature() -> None:
    life = ended(HOUR)
    life.do(DAY, A.Delivered("form"))
    assert life.do(1.5 * DAY, A.Delivered("form", signed_by="Zhao")) == ("delivered",)
    assert costs(life) == {}


def test_a_document_on_request_counts_from_the_request() -> None:
    life = ended(HOUR)
    assert [duty.name for duty, _, _ in documents(life.now, CONTRACT, calendars)] == ["form"]
    life.do(10 * DAY, A.AskedFor("analysis"), Side.CUSTOMER)
    asked = {duty.name: end for duty, _, end in documents(life.now, CONTRACT, calendars)}
    assert asked["analysis"] == T0 + 15 * DAY


def test_events_that_people_say_cost_or_earn_each_time() -> None:
    life = ended(HOUR)
    life.do(DAY, A.Delivered("form", signed_by="Zhao"))
    life.do(DAY, A.Charged("thanks", "first letter"))
    life.do(2 * DAY, A.Charged("thanks", "second letter"))
    life.do(2 * DAY, A.Charged("unknown", "the number is missing in the text"))
    found = deductions(life.now, CONTRACT, calendars, T0 + LATER)
    assert points(found) == 2.0
    assert [each.points for each in found] == [1.0, 1.0, None]


def test_a_merged_ticket_costs_nothing() -> None:
    life = by_hand()
    life.do(100 * HOUR, A.MergedInto(9, "same"))
    assert deductions(life.now, CONTRACT, calendars, T0 + LATER) == ()


def test_a_closed_ticket_keeps_its_clocks_when_the_contract_changes() -> None:
    life = ended(9 * HOUR)
    softer = msgspec.structs.replace(CONTRACT, limits=())
    assert points(deductions(life.now, softer, calendars, T0 + 2 * DAY)) == -5.0

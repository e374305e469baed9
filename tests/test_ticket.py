"""The ticket's decision table: what each alarm does to each ticket, and the word for it."""

from typing import Any

import pytest
from msgspec.structs import replace

from model.alarm import Alarm, AlarmState
from model.ticket import Reason, Ticket, TicketState, acknowledge, announced, on_alarm

R, S, T = Reason, AlarmState, TicketState
NOW = 2000.0


def alarm(state: AlarmState, **more: Any) -> Alarm:
    standing = state in {S.PENDING, S.UNACKNOWLEDGED, S.ACKNOWLEDGED, S.SHELVED, S.SUPPRESSED, S.OUT_OF_SERVICE}
    given: dict[str, Any] = {"case": "hot", "episode": "e1", "revision": 1, "active": standing, "opened": True}
    return Alarm("S/d/-/f", state, **(given | more))


def ticket(state: TicketState = T.OPEN, **more: Any) -> Ticket:
    given: dict[str, Any] = {"case": "hot", "opened": 1000.0, "number": 7, "episode": "e1"}
    if state is T.RESOLVED:
        given["resolved"] = 1500.0
    return Ticket("S/d/-/f", "S", state, more.pop("level", 3), more.pop("provisional", False), **(given | more))


def step(before: Ticket | None, after: Alarm, level: int = 3) -> tuple[Ticket | None, tuple[Reason, ...]]:
    done = on_alarm(before, after, "S", level, provisional=False, now=NOW)
    return done.ticket, done.reasons


NO_TICKET = [
    (alarm(S.PENDING, opened=False), R.UNCHANGED),
    (alarm(S.UNACKNOWLEDGED), R.OPENED),
    (alarm(S.ACKNOWLEDGED), R.OPENED),
    (alarm(S.RETURNED), R.UNCHANGED),
    (alarm(S.NORMAL), R.UNCHANGED),
    (alarm(S.SHELVED), R.UNCHANGED),
    (alarm(S.SUPPRESSED), R.UNCHANGED),
    (alarm(S.SUPPRESSED, opened=False), R.UNCHANGED),
    (alarm(S.OUT_OF_SERVICE), R.UNCHANGED),
]


@pytest.mark.parametrize(("after", "reason"), NO_TICKET, ids=[f"{a.state}-{a.opened}" for a, _ in NO_TICKET])
def test_without_a_ticket_only_an_announced_alarm_opens_one(after: Alarm, reason: Reason) -> None:
    got, reasons = step(None, after)
    assert reasons == (reason,)
    assert (got is not None) == announced(after)


OPEN_TICKET = [
    (alarm(S.UNACKNOWLEDGED), T.OPEN, R.UNCHANGED),
    (alarm(S.UNACKNOWLEDGED, case="warm"), T.OPEN, R.CASE_CHANGED),
    (alarm(S.ACKNOWLEDGED, acknowledged_by="Li"), T.OPEN, R.ACKNOWLEDGED),
    (alarm(S.ACKNOWLEDGED), T.OPEN, R.UNCHANGED),
    (alarm(S.RETURNED), T.RESOLVED, R.RESOLVED),
    (alarm(S.NORMAL), T.RESOLVED, R.RESOLVED),
    (alarm(S.SUPPRESSED), T.RESOLVED, R.EXPLAINED),
    (alarm(S.SHELVED), T.OPEN, R.SHELVED),
    (alarm(S.OUT_OF_SERVICE), T.OPEN, R.SHELVED),
    (alarm(S.SHELVED, active=False), T.RESOLVED, R.RESOLVED),
    (alarm(S.PENDING), T.OPEN, R.UNCHANGED),
    (alarm(S.PENDING, opened=False, episode="e2"), T.OPEN, R.UNCHANGED),
    (alarm(S.NORMAL, episode="e2"), T.OPEN, R.UNCHANGED),
]


@pytest.mark.parametrize(("after", "state", "reason"), OPEN_TICKET)
def test_an_open_ticket_follows_its_alarm(after: Alarm, state: TicketState, reason: Reason) -> None:
    got, reasons = step(ticket(), after)
    assert reasons == (reason,)
    assert got is not None
    assert got.state is state
    assert (got.resolved == NOW) == (state is T.RESOLVED)


RESOLVED_TICKET = [
    (alarm(S.UNACKNOWLEDGED, episode="e2"), T.OPEN, R.REOPENED),
    (alarm(S.PENDING, opened=False, episode="e2"), T.RESOLVED, R.UNCHANGED),
    (alarm(S.NORMAL, acknowledged_by="Li"), T.RESOLVED, R.UNCHANGED),
    (alarm(S.RETURNED), T.RESOLVED, R.UNCHANGED),
    (alarm(S.SUPPRESSED), T.RESOLVED, R.UNCHANGED),
]


@pytest.mark.parametrize(("after", "state", "reason"), RESOLVED_TICKET)
def test_a_resolved_ticket_opens_only_for_an_announced_alarm(after: Alarm, state: TicketState, reason: Reason) -> None:
    got, reasons = step(ticket(T.RESOLVED), after)
    assert reasons == (reason,)
    assert got is not None
    assert got.state is state


def test_a_ticket_takes_the_level_of_the_desk_and_the_time_of_opening() -> None:
    got, _ = step(None, alarm(S.UNACKNOWLEDGED, level=1), level=4)
    assert got == Ticket("S/d/-/f", "S", T.OPEN, 4, False, "hot", NOW, episode="e1")


def test_a_worse_level_raises_the_ticket_and_asks_for_a_new_acknowledgement() -> None:
    got, reasons = step(ticket(acknowledged=1100.0, acknowledged_by="Li"), alarm(S.UNACKNOWLEDGED), level=2)
    assert reasons == (R.LEVEL_RAISED,)
    assert got is not None
    assert (got.level, got.acknowledged, got.acknowledged_by) == (2, None, "")


def test_an_alarm_that_was_acknowledged_before_it_got_worse_does_not_take_the_ticket_again() -> None:
    worse = alarm(S.UNACKNOWLEDGED, acknowledged_by="Li")
    got, reasons = step(ticket(acknowledged=1100.0, acknowledged_by="Li"), worse, level=2)
    assert reasons == (R.LEVEL_RAISED,)
    assert got is not None
    assert got.acknowledged is None


def test_a_ticket_keeps_its_worst_level() -> None:
    got, reasons = step(ticket(level=2), alarm(S.UNACKNOWLEDGED, case="warm"), level=4)
    assert reasons == (R.CASE_CHANGED,)
    assert got is not None
    assert (got.level, got.case) == (2, "warm")


def test_a_ticket_that_opens_again_keeps_its_number_and_level_and_forgets_who_had_it() -> None:
    before = ticket(T.RESOLVED, level=2, acknowledged=1100.0, acknowledged_by="Li", explained_by="S/p/-/mains.lost")
    got, _ = step(before, alarm(S.UNACKNOWLEDGED, episode="e2"), level=3)
    assert got == replace(
        before, state=T.OPEN, episode="e2", resolved=None, acknowledged=None, acknowledged_by="", explained_by=""
    )


def test_what_a_parent_explains_is_resolved_with_its_name_and_opens_when_the_parent_is_gone() -> None:
    got, _ = step(ticket(), alarm(S.SUPPRESSED, explained_by="S/p/-/mains.lost"))
    assert got is not None
    assert got.explained_by == "S/p/-/mains.lost"
    again, reasons = step(got, alarm(S.UNACKNOWLEDGED))
    assert reasons == (R.REOPENED,)
    assert again is not None
    assert again.explained_by == ""


def test_a_ticket_out_of_its_shelf_is_not_shelved_any_more() -> None:
    shelved, _ = step(ticket(acknowledged=1100.0, acknowledged_by="Li"), alarm(S.SHELVED))
    assert shelved is not None
    assert step(shelved, alarm(S.SHELVED))[1] == (R.UNCHANGED,)
    waiting, _ = step(shelved, alarm(S.PENDING))
    assert waiting == shelved
    back, _ = step(waiting, alarm(S.UNACKNOWLEDGED))
    assert back is not None
    assert (back.shelved, back.state) == (False, T.OPEN)


def test_an_acknowledgement_that_came_with_the_end_is_kept_and_does_not_reopen() -> None:
    got, reasons = step(ticket(), alarm(S.NORMAL, acknowledged_by="Li"))
    assert reasons == (R.RESOLVED,)
    assert got is not None
    assert (got.state, got.acknowledged_by) == (T.RESOLVED, "Li")


def test_the_first_to_take_a_ticket_is_kept() -> None:
    taken = acknowledge(ticket(), "Li", NOW)
    assert taken.reasons == (R.ACKNOWLEDGED,)
    assert taken.ticket is not None
    assert (taken.ticket.acknowledged, taken.ticket.acknowledged_by) == (NOW, "Li")
    assert acknowledge(taken.ticket, "Wang", NOW).ticket == taken.ticket


@pytest.mark.parametrize("state", [T.RESOLVED, T.CLOSED])
def test_only_an_open_ticket_can_be_taken(state: TicketState) -> None:
    before = ticket(state)
    done = acknowledge(before, "Li", NOW)
    assert (done.ticket, done.reasons) == (before, (R.UNCHANGED,))

"""Alarms that ended before their delay become the contract's fault at its count, with a ticket that people close."""

import pytest
from msgspec.structs import replace

from desk.ledger import append, entries_of
from desk.period_store import keep_window
from model.contract import Milestone, Momentary
from model.period import Scope, Window
from model.service.entry import Closed, Opened, Reached
from model.service.words import Trust
from tests.desk_world import CONTRACT
from tests.incident_world import Region

CONTRACT_3 = replace(
    CONTRACT, momentary=Momentary("alarm.momentary", 3, 86_400.0), faults={**CONTRACT.faults, "alarm.momentary": 4}
)


@pytest.fixture
def here() -> Region:
    return Region(CONTRACT_3)


def tickets(here: Region) -> list[tuple[object, ...]]:
    return [tuple(row) for row in here.rows("SELECT condition, fault, level, provisional, state FROM tickets")]


def test_three_momentary_alarms_within_a_day_open_one_ticket_of_the_contracts_level(here: Region) -> None:
    for _ in range(2):
        here.passes("S1")
        here.now += 3600
    assert tickets(here) == []
    here.passes("S1")
    assert tickets(here) == [("S1/ups/mains.lost/alarm.momentary", "alarm.momentary", 4, 0, "open")]
    (entry,) = entries_of(here.db, 1)
    assert isinstance(entry.act, Opened)
    assert (entry.act.onset, entry.act.alarm, entry.who) == (here.now, None, "desk")


def test_alarms_of_other_sites_and_on_other_days_are_not_added(here: Region) -> None:
    for _ in range(6):
        here.passes("S1")
        here.passes("S2")
        here.now += 43_201
    assert tickets(here) == []


def test_alarms_that_are_told_late_count_by_when_they_were(here: Region) -> None:
    for ago in (200_000.0, 100_000.0, 0.0):
        here.passes("S1", ago=ago)
    assert tickets(here) == []


def test_while_its_ticket_is_not_closed_no_second_one_opens_and_afterwards_one_does(here: Region) -> None:
    for _ in range(9):
        here.passes("S1")
        here.now += 60
    assert len(tickets(here)) == 1
    for milestone in (Milestone.RESTORE, Milestone.RESOLVE):
        append(here.ledger(), 1, "Li", "page", Reached(milestone))
    assert append(here.ledger(), 1, "Li", "page", Closed()).refused is None  # type: ignore[union-attr]
    for _ in range(3):
        here.passes("S1")
        here.now += 60
    assert [row[4] for row in tickets(here)] == ["closed", "open"]


def test_a_contract_without_the_fault_opens_nothing() -> None:
    here = Region()
    for _ in range(5):
        here.passes("S1")
    assert tickets(here) == []


def test_an_alarm_that_people_were_told_of_is_not_momentary(here: Region) -> None:
    for _ in range(4):
        here.loses("S1")
        here.gets_back("S1")
    assert [row[1] for row in tickets(here)] == ["mains.lost"]


def test_what_comes_and_goes_during_planned_work_counts_for_nothing(here: Region) -> None:
    keep_window(here.db, Window(0, here.now, here.now + 3600, Scope(sites=("S1",)), "cable works", "Li"))
    for _ in range(3):
        here.passes("S1")
        here.passes("S2")
    assert [row[0] for row in tickets(here)] == ["S2/ups/mains.lost/alarm.momentary"]


def test_while_nobody_knows_what_time_it_is_no_window_keeps_them_from_counting(
    here: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_window(here.db, Window(0, here.now, here.now + 3600, Scope(sites=("S1",)), "cable works", "Li"))
    sure = here.ledger
    monkeypatch.setattr(here, "ledger", lambda: replace(sure(), trust=Trust.UNSYNCHRONISED))
    for _ in range(3):
        here.passes("S1")
    assert [row[0] for row in tickets(here)] == ["S1/ups/mains.lost/alarm.momentary"]

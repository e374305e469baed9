"""What a ticket has to do with those before it: recurrences by the calendar year, momentary alarms, entitlement."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from config.calendar import load_calendar
from model.alarm import AlarmState
from model.contract import Entitlement, Milestone, Momentary
from model.service import entry as acts
from model.service.history import Listed, Past, Tally, cover, failed_before, momentary, past, recurrence
from model.service.words import Cover
from tests.service_world import HOUR, T0, Life, closed, restored

A, M, S = acts, Milestone, AlarmState
CALENDAR = load_calendar("china-working-days")


def china(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()


@pytest.mark.parametrize(
    ("cleared", "onset", "linked"),
    [
        ("2025-03-10T15:00:00", "2026-03-10T23:59:59", True),
        ("2025-03-10T15:00:00", "2026-03-11T00:00:00", False),
        ("2024-02-29T01:00:00", "2025-02-28T23:59:59", True),
        ("2024-02-29T01:00:00", "2025-03-01T00:00:00", False),
        ("2023-02-28T01:00:00", "2024-02-28T23:59:59", True),
        ("2023-02-28T01:00:00", "2024-02-29T00:00:00", False),
        ("2025-03-10T15:00:00", "2025-03-10T15:00:00", True),
        ("2025-03-10T15:00:00", "2025-03-10T14:59:59", False),
    ],
)
def test_a_recurrence_is_within_one_calendar_year_of_clearing(cleared: str, onset: str, linked: bool) -> None:
    before = [Past(3, "ups1", "mains.lost", china(cleared))]
    found = recurrence(before, "ups1", "mains.lost", china(onset), years=1, calendar=CALENDAR)
    assert (found is not None) is linked


def test_only_the_same_device_and_fault_recur_and_the_last_is_linked() -> None:
    before = [
        Past(3, "ups1", "mains.lost", T0),
        Past(5, "ups1", "mains.lost", T0 + 100),
        Past(6, "ups2", "mains.lost", T0 + 200),
        Past(7, "ups1", "fan.failed", T0 + 300),
    ]
    found = recurrence(before, "ups1", "mains.lost", T0 + HOUR, years=1, calendar=CALENDAR)
    assert found == before[1]
    assert recurrence(before, "ups3", "mains.lost", T0 + HOUR, years=1, calendar=CALENDAR) is None


def test_a_repair_that_stood_at_closing_has_failed_when_the_fault_recurs() -> None:
    life = restored()
    life.do(HOUR, A.Repaired("fan"))
    life.do(2 * HOUR, A.Closed())
    earlier = past(life.now)
    assert earlier == Past(7, "ups1", "mains.lost", T0 + HOUR, held=True)
    assert failed_before(earlier) == 1
    assert failed_before(None) == 0


@pytest.mark.parametrize("consumable", [True, False])
def test_what_is_worn_by_use_counts_for_no_replacement(consumable: bool) -> None:
    life = restored(failed_repairs=1)
    life.do(HOUR, A.Repaired("filter", consumable=consumable))
    life.do(2 * HOUR, A.Closed())
    assert failed_before(past(life.now)) == (1 if consumable else 2)


def test_a_ticket_that_is_not_closed_or_was_merged_has_no_recurrences() -> None:
    assert past(restored().now) is None
    merged = Life()
    merged.do(10, A.MergedInto(9, "same"))
    assert past(merged.now) is None
    assert past(closed().now) is not None


RULE = Momentary("alarm.momentary", 3, 86_400.0)


def test_three_momentary_alarms_within_a_day_are_the_contracts_fault() -> None:
    tally, said = Tally(), []
    for number, at in enumerate([0.0, 80_000.0, 86_400.0, 90_000.0, 90_001.0, 90_002.0, 90_003.0]):
        tally, made = momentary(tally, f"e{number}", at, RULE)
        said.append(made)
    assert said == [False, False, False, True, False, False, True]


def test_one_momentary_alarm_told_twice_counts_once() -> None:
    tally = Tally()
    for episode in ("e1", "e2", "e2", "e1"):
        tally, made = momentary(tally, episode, 10.0, RULE)
        assert not made
    tally, made = momentary(tally, "e3", 11.0, RULE)
    assert made
    assert momentary(tally, "e3", 11.0, RULE) == (tally, False)


def test_a_contract_without_momentary_faults_counts_none() -> None:
    assert momentary(Tally(), "e1", 1.0, None) == (Tally(), False)


WARRANTY = Entitlement(warranty_years=3)


@pytest.mark.parametrize(
    ("listed", "entitlement", "at", "found"),
    [
        (None, Entitlement(), "2026-01-01T00:00:00", Cover.UNKNOWN),
        (None, Entitlement(listed_only=True), "2026-01-01T00:00:00", Cover.NOT_COVERED),
        (Listed("sn1"), Entitlement(listed_only=True), "2026-01-01T00:00:00", Cover.UNDER_CONTRACT),
        (Listed("sn1", begin=china("2026-02-01")), Entitlement(), "2026-01-31T23:59:59", Cover.NOT_COVERED),
        (Listed("sn1", begin=china("2026-02-01")), Entitlement(), "2026-02-01T00:00:00", Cover.UNDER_CONTRACT),
        (Listed("sn1", end=china("2026-02-01")), Entitlement(), "2026-02-01T00:00:00", Cover.NOT_COVERED),
        (Listed("sn1", warranty_begin=china("2023-05-04")), WARRANTY, "2026-05-04T23:59:59", Cover.IN_WARRANTY),
        (Listed("sn1", warranty_begin=china("2023-05-04")), WARRANTY, "2026-05-05T00:00:00", Cover.AFTER_WARRANTY),
        (Listed("sn1", warranty_begin=china("2023-05-04")), Entitlement(), "2026-01-01", Cover.UNDER_CONTRACT),
    ],
)
def test_what_a_device_is_entitled_to(listed: Listed | None, entitlement: Entitlement, at: str, found: Cover) -> None:
    assert cover(listed, entitlement, CALENDAR, china(at)) is found

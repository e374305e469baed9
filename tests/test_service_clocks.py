"""The clocks of a ticket: every stand, with the dates computed by hand; the shipped contracts where they matter."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from model.alarm import AlarmState
from model.contract import Contract, Handling, Milestone, Start, Upgrade
from model.service import entry as acts
from model.service.clocks import closing, outcomes
from model.service.entry import terms_of
from model.service.look import look, settle
from model.service.outcome import Outcome, Stand
from model.service.words import Cover, Refusal, Side, Trust, Waiting
from tests.service_world import (
    AGENT_ENOUGH,
    BOTH,
    CONTRACT,
    DAY,
    HOUR,
    T0,
    Life,
    by_hand,
    calendars,
    entry,
    opening,
    restored,
    seen,
    shipped,
    system,
)

A, M, S = acts, Milestone, AlarmState
CHINA = ZoneInfo("Asia/Shanghai")


def china(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp()


def clocks(life: Life, after: float, contract: Contract = CONTRACT) -> dict[str, Outcome]:
    return {each.clock: each for each in outcomes(life.now, contract, calendars, T0 + after)}


def stands(life: Life, after: float) -> dict[str, Stand]:
    return {clock: each.stand for clock, each in clocks(life, after).items()}


def test_a_clock_runs_until_its_limit_and_is_late_a_second_after() -> None:
    life = Life()
    for after, stand in [(0, Stand.RUNNING), (600, Stand.RUNNING), (600.9, Stand.RUNNING), (601, Stand.LATE)]:
        assert stands(life, after)["respond/2"] is stand
    assert clocks(life, 0)["respond/2"].due == T0 + 600
    assert clocks(life, 0)["restore/2"].due == T0 + 8 * HOUR


@pytest.mark.parametrize(("said", "stand"), [(600.0, Stand.KEPT), (600.9, Stand.KEPT), (601.0, Stand.LATE)])
def test_a_milestone_exactly_at_its_limit_is_kept(said: float, stand: Stand) -> None:
    life = Life()
    life.do(900, A.Reached(M.RESPOND, T0 + said))
    assert stands(life, 900)["respond/2"] is stand


def test_a_proposal_in_time_holds_the_clock_until_its_word() -> None:
    life = restored(terms=BOTH)
    assert stands(life, 100 * HOUR)["restore/2"] is Stand.PROPOSED
    life.do(101 * HOUR, A.Confirmed(M.RESTORE))
    life.do(102 * HOUR, A.Confirmed(M.RESTORE), Side.CUSTOMER)
    assert stands(life, 103 * HOUR)["restore/2"] is Stand.KEPT
    assert stands(life, 103 * HOUR)["resolve/2"] is Stand.PROPOSED


def test_a_proposal_that_is_taken_back_held_nothing() -> None:
    life = restored()
    life.alarm(9 * HOUR, 1, S.UNACKNOWLEDGED, episode="e2")
    assert stands(life, 9 * HOUR)["restore/2"] is Stand.LATE


def test_a_proposal_that_came_late_is_late() -> None:
    life = Life()
    life.alarm(8 * HOUR + 1, 2, S.NORMAL)
    assert stands(life, 9 * HOUR)["restore/2"] is Stand.LATE


def test_a_leg_counts_from_the_milestone_before_it() -> None:
    life = Life(1)
    assert clocks(life, 60)["arrive/1"].stand is Stand.WAITING
    assert clocks(life, 60)["arrive/1"].due == T0 + 3 * HOUR
    life.do(1800, A.Reached(M.DEPART))
    assert (clocks(life, 1800)["depart/1"].stand, clocks(life, 1800)["arrive/1"].due) == (Stand.KEPT, T0 + 2.5 * HOUR)
    assert clocks(life, 2.5 * HOUR + 1)["arrive/1"].stand is Stand.LATE


def test_a_leg_whose_begin_nobody_saw_is_no_breach() -> None:
    life = Life(1)
    assert stands(life, 100 * HOUR)["arrive/1"] is Stand.WAITING
    life.do(100 * HOUR, A.Reached(M.RESTORE))
    assert stands(life, 100 * HOUR)["arrive/1"] is Stand.MOOT


@pytest.mark.parametrize(
    ("reached", "overtaken"),
    [
        (M.RESTORE, {"respond/1", "depart/1"}),
        (M.ARRIVE, {"respond/1", "depart/1"}),
        (M.DEPART, {"respond/1"}),
        (M.RESPOND, set()),
    ],
)
def test_a_later_milestone_makes_an_earlier_clock_pointless(reached: Milestone, overtaken: set[str]) -> None:
    life = Life(1)
    life.do(300, A.Reached(reached))
    found = stands(life, 300)
    assert {clock for clock in ("respond/1", "depart/1") if found[clock] is Stand.MOOT} == overtaken


def test_what_was_overtaken_too_late_is_late() -> None:
    life = Life(1)
    life.do(2 * HOUR, A.Reached(M.RESTORE))
    assert stands(life, 2 * HOUR)["depart/1"] is Stand.LATE


def test_a_pause_moves_what_is_due_by_its_length_and_no_clock_runs_within() -> None:
    life = Life()
    life.do(HOUR, A.Paused(Waiting.CARRIER, "line down"))
    assert stands(life, 500 * HOUR)["restore/2"] is Stand.PAUSED
    assert clocks(life, 500 * HOUR)["restore/2"].due is None
    assert stands(life, 500 * HOUR)["respond/2"] is Stand.LATE
    life.do(21 * HOUR, A.Resumed())
    assert clocks(life, 21 * HOUR)["restore/2"].due == T0 + 28 * HOUR


def test_pauses_that_overlap_with_a_parents_count_once() -> None:
    life = Life()
    life.do(HOUR, A.Paused(Waiting.CARRIER, "line down"))
    life.alarm(2 * HOUR, 2, S.SUPPRESSED, explained_by="S/site/-/mains.lost")
    life.do(3 * HOUR, A.Resumed())
    assert stands(life, 3 * HOUR)["restore/2"] is Stand.PAUSED
    life.alarm(4 * HOUR, 3, S.UNACKNOWLEDGED)
    assert clocks(life, 5 * HOUR)["restore/2"].due == T0 + 11 * HOUR


def test_the_limit_of_a_temporary_solution_is_what_both_agreed_on() -> None:
    life = restored()
    life.do(2 * HOUR, A.WorkaroundOnly("bypass"))
    assert stands(life, 500 * HOUR)["difficult/2"] is Stand.WAITING
    life.do(3 * HOUR, A.WorkaroundOnly("bypass", T0 + 100 * HOUR, "Wang"))
    assert "resolve/2" not in clocks(life, 3 * HOUR)
    assert stands(life, 100 * HOUR)["difficult/2"] is Stand.RUNNING
    assert stands(life, 100 * HOUR + 1)["difficult/2"] is Stand.LATE
    life.do(101 * HOUR, A.Reached(M.RESOLVE, T0 + 99 * HOUR))
    assert stands(life, 101 * HOUR)["difficult/2"] is Stand.KEPT


def test_a_pause_moves_the_limit_of_a_temporary_solution() -> None:
    life = restored()
    life.do(2 * HOUR, A.WorkaroundOnly("bypass", T0 + 100 * HOUR, "Wang"))
    life.do(90 * HOUR, A.Paused(Waiting.SUPPLIER, "part"))
    assert stands(life, 500 * HOUR)["difficult/2"] is Stand.PAUSED
    life.do(190 * HOUR, A.Resumed())
    assert clocks(life, 190 * HOUR)["difficult/2"].due == T0 + 200 * HOUR
    life.do(195 * HOUR, A.WorkaroundOnly("bypass", T0 + 210 * HOUR, "Wang"))
    assert clocks(life, 195 * HOUR)["difficult/2"].due == T0 + 210 * HOUR


def test_a_limit_that_was_over_before_the_temporary_solution_stays_late() -> None:
    life = restored()
    life.do(1.5 * HOUR, A.TakenBack(M.RESOLVE, "not thoroughly"))
    life.do(50 * HOUR, A.WorkaroundOnly("bypass", T0 + 100 * HOUR, "Wang"))
    assert stands(life, 51 * HOUR)["resolve/2"] is Stand.LATE
    assert stands(life, 51 * HOUR)["difficult/2"] is Stand.RUNNING


def test_a_condition_brings_its_own_limit() -> None:
    life = Life()
    assert "parts/2" not in clocks(life, 60)
    life.do(60, A.ConditionSaid("supplier_needed"))
    assert clocks(life, 60)["parts/2"].due == T0 + 12 * HOUR
    life.do(120, A.ConditionSaid("supplier_needed", holds=False))
    assert "parts/2" not in clocks(life, 120)


def test_another_level_has_its_own_clocks_from_the_original_start() -> None:
    life = Life(3)
    life.do(2 * HOUR, A.LevelSet(1, "all users"))
    assert clocks(life, 2 * HOUR)["restore/1"].due == T0 + 4 * HOUR
    life.do(3 * HOUR, A.LevelSet(2, "half of them"))
    assert clocks(life, 3 * HOUR)["restore/2"].due == T0 + 8 * HOUR


def test_a_level_upgraded_by_a_breach_counts_from_the_original_start_and_keeps_what_was_missed() -> None:
    life = Life(3)
    life.do(60, A.Acknowledged())
    record, _, _ = settle(life.now, CONTRACT, calendars, T0 + 24 * HOUR + 1)
    assert record.ticket.level == 1
    found = {each.clock: each for each in outcomes(record, CONTRACT, calendars, T0 + 24 * HOUR + 1)}
    late = {clock: (each.due or 0) - T0 for clock, each in found.items() if each.stand is Stand.LATE}
    assert late == {
        "restore/3": 24 * HOUR,
        "restore/2": 8 * HOUR,
        "restore/1": 4 * HOUR,
        "depart/1": HOUR,
    }


def test_a_level_upgraded_by_a_breach_may_count_from_the_breach() -> None:
    contract = msgspec.structs.replace(CONTRACT, upgrade=Upgrade((M.RESTORE, M.RESOLVE), "breach"))
    life = Life(3)
    record, _, _ = settle(life.now, contract, calendars, T0 + 24 * HOUR + 1)
    found = {each.clock: each for each in outcomes(record, contract, calendars, T0 + 24 * HOUR + 1)}
    assert record.ticket.level == 2
    assert found["restore/3"].stand is Stand.LATE
    assert (found["restore/2"].start, found["restore/2"].due) == (T0 + 24 * HOUR, T0 + 32 * HOUR)
    assert found["respond/2"].due == T0 + 600


def test_a_device_that_is_not_covered_has_no_clocks() -> None:
    life = Life(cover=Cover.NOT_COVERED)
    assert clocks(life, 100 * HOUR) == {}
    life.do(60, A.Entitled(Cover.IN_WARRANTY, "found its papers"))
    assert clocks(life, 60)["restore/2"].due == T0 + 8 * HOUR


def test_closing_keeps_the_clocks_as_they_end() -> None:
    life = restored()
    life.take(closing(life.now, CONTRACT, calendars, entry(T0 + 2 * HOUR, A.Closed())))
    assert stands(life, 999 * HOUR) == {
        "respond/2": Stand.LATE,
        "restore/2": Stand.KEPT,
        "resolve/2": Stand.KEPT,
    }
    assert life.now.outcomes == outcomes(life.now, msgspec.structs.replace(CONTRACT, limits=()), calendars, 0.0)


def test_closing_by_what_cannot_close_changes_no_entry() -> None:
    made = entry(T0 + HOUR, A.Closed())
    assert closing(Life().now, CONTRACT, calendars, made) is made


def unsure(at: float) -> Life:
    """A ticket that opened while the desk's clock was a month ahead; its readings turned good then too."""
    life = by_hand()
    life.record = None
    life.take(entry(at, opening(alarm=None, onset=at), trust=Trust.UNSYNCHRONISED))
    return life


def test_a_ticket_that_opened_at_a_time_nobody_knows_waits_until_it_is_dated() -> None:
    life = unsure(T0 + 30 * DAY)
    assert look(life.now, CONTRACT, calendars, T0 + 100 * DAY).frozen is Trust.UNSYNCHRONISED
    assert life.refused(50, A.Dated(T0 + 51, T0)) is Refusal.IN_THE_FUTURE
    assert life.refused(50, A.Dated(T0, T0), trust=Trust.JUMPED) is Refusal.NOT_SURE
    assert life.do(50, A.Dated(T0, T0 - 60), Side.SYSTEM) == ("dated",)
    assert (life.now.ticket.opened, life.now.start, life.now.onset) == (T0, T0, T0 - 60)
    assert clocks(life, 60)["restore/2"].due == T0 + 8 * HOUR
    assert look(life.now, CONTRACT, calendars, T0 + 60).frozen is None


def test_a_ticket_that_opened_at_a_time_nobody_knows_is_dated_before_it_is_merged() -> None:
    life = unsure(T0 - 30 * DAY)
    assert life.refused(50, A.MergedInto(9, "same")) is Refusal.NOT_SURE
    life.do(60, A.Dated(T0, T0))
    assert life.do(70, A.MergedInto(9, "same")) == ("merged",)


def test_an_opening_is_dated_no_later_than_what_came_after_it() -> None:
    life = unsure(T0 - 30 * DAY)
    life.do(100, A.Reached(M.DEPART, T0 + 10))
    assert life.refused(200, A.Dated(T0 + 11, T0)) is Refusal.OUT_OF_ORDER
    assert life.do(200, A.Dated(T0 + 10, T0)) == ("dated",)


@pytest.mark.parametrize("wrong", [-30 * DAY, 30 * DAY])
def test_what_ended_while_the_clock_was_not_sure_is_neither_kept_nor_late(wrong: float) -> None:
    life = Life(terms=AGENT_ENOUGH)
    life.take(system(T0 + HOUR + wrong, seen(2, S.NORMAL), trust=Trust.JUMPED))
    assert stands(life, 60 * DAY)["restore/2"] is Stand.UNSURE
    assert look(life.now, CONTRACT, calendars, T0 + 60 * DAY).effects == ()
    life.do(2 * HOUR, A.Reached(M.RESTORE, T0 + HOUR))
    assert stands(life, 2 * HOUR)["restore/2"] is Stand.KEPT


def test_a_leg_that_began_at_a_time_nobody_knows_is_neither_kept_nor_late() -> None:
    life = Life(1)
    life.take(entry(T0 - 30 * DAY, A.Reached(M.DEPART), trust=Trust.JUMPED))
    assert stands(life, 100 * HOUR)["arrive/1"] is Stand.UNSURE
    assert life.refused(60, A.Started(Start.ACCEPTED), trust=Trust.JUMPED) is Refusal.NOT_SURE
    life.do(2 * HOUR, A.Reached(M.DEPART, T0 + 1800))
    assert clocks(life, 2 * HOUR)["arrive/1"].due == T0 + 2.5 * HOUR


# The shipped contracts: dates by hand.

TOTALS = [("gz_sz_dg", 1, 3, 5), ("prd", 1, 4, 6), ("rest", 1, 6, 8), ("west_east", 1, 8, 10)]


def transmission(opened: str, level: int, fault: str = "traffic.interrupted", **more: Any) -> tuple[Life, Contract]:
    contract = shipped("telecom-transmission")
    given = {"terms": terms_of(contract), "fault": fault, "alarm": None, "condition": f"S/ne1/-/{fault}"}
    return Life(level, china(opened), onset=china(opened), **(given | more)), contract


@pytest.mark.parametrize(("region", "depart", "arrive", "total"), TOTALS)
def test_level_1_of_the_transmission_contract_in_its_four_regions(
    region: str, depart: int, arrive: int, total: int
) -> None:
    life, contract = transmission("2026-09-30T17:50:00", 1, region=region)
    opened = china("2026-09-30T17:50:00")
    found = {each.limit: each for each in outcomes(life.now, contract, calendars, opened)}
    assert found["depart"].due == opened + depart * HOUR
    assert (found["arrive"].due, found["arrive"].assumed) == (opened + arrive * HOUR, True)
    assert found["total"].due == opened + total * HOUR
    life.take(entry(opened + 600, A.Reached(M.DEPART)))
    life.take(entry(opened + 4200, A.Reached(M.ARRIVE)))
    found = {each.limit: each for each in outcomes(life.now, contract, calendars, opened + 4200)}
    assert found["restore"].due == opened + 4200 + 2 * HOUR
    assert found["arrive"].stand is Stand.KEPT


def test_level_1_handled_remotely_is_restored_within_3_hours_of_the_report() -> None:
    life, contract = transmission("2026-09-30T17:50:00", 1, region="rest")
    opened = china("2026-09-30T17:50:00")
    life.take(entry(opened + 60, A.Started(Start.REPORT, china("2026-09-30T17:40:00"))))
    life.take(entry(opened + 60, A.Handled(Handling.REMOTE)))
    found = {each.limit: each for each in outcomes(life.now, contract, calendars, opened + 60)}
    assert {name: each.due for name, each in found.items()} == {"total": china("2026-09-30T20:40:00")}


@pytest.mark.parametrize(
    ("level", "fault", "ends"),
    [
        (2, "traffic.errors", "2024-03-06T10:00:00"),  # seven days across a leap day
        (2, "network.management_down", "2024-02-29T10:00:00"),
        (3, "device.unreachable", "2024-03-09T10:00:00"),
        (4, "auxiliary.failed", "2024-03-09T10:00:00"),
    ],
)
def test_levels_2_to_4_count_from_the_acceptance_that_both_confirmed(level: int, fault: str, ends: str) -> None:
    life, contract = transmission("2024-02-28T09:00:00", level, fault)
    accepted = china("2024-02-28T10:00:00")
    life.take(entry(accepted + 600, A.Reached(M.ACCEPT, accepted)))
    before = {each.limit: each.due for each in outcomes(life.now, contract, calendars, accepted + 600)}
    assert before["resolve"] == china(ends) - HOUR
    life.take(entry(accepted + 900, A.Confirmed(M.ACCEPT), Side.CUSTOMER))
    after = {each.limit: each.due for each in outcomes(life.now, contract, calendars, accepted + 900)}
    assert after == {"resolve": china(ends)}


@pytest.mark.parametrize(
    ("conditions", "ends"),
    [
        ((), "2026-09-30T10:00:00"),
        (("supplier_needed",), "2026-10-15T00:00:00"),
        (("supplier_needed", "system_affected"), "2026-10-10T00:00:00"),
    ],
)
def test_a_fire_fault_that_needs_the_supplier_over_national_day(conditions: tuple[str, ...], ends: str) -> None:
    """By hand: notice on Tuesday 29 September 2026, 10:00; working days then are 30 September, 8, 9, 10 (a Saturday

    that is made up), 12, 13 and 14 October; the last ends at 24:00.
    """
    contract = shipped("fire")
    opened = china("2026-09-29T10:00:00")
    life = Life(1, opened, terms=terms_of(contract), fault="fire.detector", region="same_city")
    for each in conditions:
        life.take(entry(opened + 60, A.ConditionSaid(each)))
    found = {each.limit: each.due for each in outcomes(life.now, contract, calendars, opened + 60)}
    assert found["arrive"] == opened + 2 * HOUR
    assert found["resolve"] == china(ends), datetime.fromtimestamp(found["resolve"] or 0, CHINA)


def test_a_public_bodys_substitute_clock_ends_when_it_is_restored() -> None:
    contract = shipped("public-sector")
    life = by_hand(level=1, terms=terms_of(contract), grade="after_sales", fault="server.down")
    life.do(20 * HOUR, A.Reached(M.RESTORE))
    found = {each.limit: each.stand for each in outcomes(life.now, contract, calendars, T0 + 30 * HOUR)}
    assert found["substitute"] in {Stand.KEPT, Stand.MOOT}
    assert found["arrive"] is Stand.LATE


def test_the_hand_computed_opening_is_what_it_says() -> None:
    assert datetime.fromtimestamp(T0, UTC).isoformat() == "2026-09-21T14:13:20+00:00"
    assert AGENT_ENOUGH.words == {}

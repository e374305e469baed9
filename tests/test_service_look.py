"""What time asks of a ticket: each effect at its moment and once, none while paused or while the clock is not sure."""

from typing import Any

import msgspec
import pytest

from model.alarm import AlarmState
from model.contract import Contract, Handling, Milestone
from model.rule import Meaning
from model.service import entry as acts
from model.service.effect import Effect, Kind
from model.service.entry import Entry
from model.service.look import look, settle
from model.service.record import Record
from model.service.words import Side, Trust, Waiting
from tests.service_world import CONTRACT, DAY, HOUR, T0, Life, by_hand, calendars, closed, restored

A, K, M, S = acts, Kind, Milestone, AlarmState


def due_at(record: Record, after: float, contract: Contract = CONTRACT, trust: Trust = Trust.SURE) -> list[str]:
    seen = look(record, contract, calendars, T0 + after, trust)
    return [f"{each.kind} {each.clock} {each.at - T0:g}" for each in seen.effects]


def until(life: Life, after: float, contract: Contract = CONTRACT) -> list[Effect]:
    """Settle a ticket at a moment and return what fired."""
    record, entries, _ = settle(life.now, contract, calendars, T0 + after)
    for each in entries:
        assert life.take(each).refused is None
    assert life.record == record
    return [each.act.effect for each in entries if isinstance(each.act, A.Fired)]


def names(effects: list[Effect]) -> list[str]:
    return [f"{each.kind} {each.clock}" for each in effects]


def step_by_step(life: Life, moments: list[float]) -> list[Effect]:
    return [effect for after in moments for effect in until(life, after)]


RESPOND = ["warn respond/2 450", "breach respond/2 600"]


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (0, []),
        (449, []),
        (450, ["warn respond/2 450"]),
        (600, ["warn respond/2 450"]),
        (600.99, ["warn respond/2 450"]),
        (601, ["breach respond/2 600"]),
        (4 * HOUR, ["breach respond/2 600", "escalate restore/2 14400"]),
        (6 * HOUR, ["breach respond/2 600", "escalate restore/2 14400", "warn restore/2 21600"]),
    ],
)
def test_a_limit_warns_at_three_quarters_and_is_breached_a_second_after(after: float, found: list[str]) -> None:
    assert due_at(Life().now, after) == found


def test_everything_of_a_ticket_that_nobody_sees_to_in_order() -> None:
    life = Life()
    fired = step_by_step(life, [600.0 * each for each in range(1, 60)])
    assert [f"{each.kind} {each.clock} {(each.at - T0) / HOUR:g} {each.to}{each.level or ''}" for each in fired] == [
        "warn respond/2 0.125 ",
        "breach respond/2 0.166667 ",
        "escalate restore/2 4 engineer",
        "warn restore/2 6 ",
        "escalate restore/2 8 manager",
        "breach restore/2 8 ",
        "upgrade restore/2 8 1",
        "escalate open 0 province",
        "breach respond/1 0.166667 ",
        "breach depart/1 1 ",
        "escalate restore/1 2 engineer",
        "escalate restore/1 4 manager",
        "breach restore/1 4 ",
    ]


def test_a_look_that_comes_late_finds_every_breach_of_one_that_came_in_time() -> None:
    often, once = Life(3), Life(3)
    kept = {K.BREACH, K.UPGRADE}
    first = {each.key for each in step_by_step(often, [HOUR * each for each in range(80)]) if each.kind in kept}
    second = {each.key for each in until(once, 79 * HOUR) if each.kind in kept}
    assert first == second


def test_nothing_fires_twice() -> None:
    life = Life()
    first = until(life, 100 * HOUR)
    assert first
    assert until(life, 100 * HOUR) == []
    assert until(life, 100 * HOUR + 1) == []
    keys = [each.key for each in first]
    assert len(keys) == len(set(keys))


def test_a_key_names_ticket_clock_and_step() -> None:
    assert [each.key for each in until(Life(), 450)] == [(7, "respond/2", "warn")]


def test_a_breach_of_respond_raises_no_level() -> None:
    life = Life()
    until(life, 601)
    assert life.now.ticket.level == 2


def test_a_breach_that_was_missed_still_raises_the_level_when_the_fault_is_gone() -> None:
    life = Life()
    life.alarm(8 * HOUR + 1, 2, S.NORMAL)
    assert "upgrade restore/2" in names(until(life, 9 * HOUR))
    assert life.now.ticket.level == 1


def test_nobody_is_told_of_a_fault_that_is_restored() -> None:
    life = Life()
    life.do(HOUR, A.Reached(M.RESTORE))
    assert all(each.kind is not K.ESCALATE for each in until(life, 7 * HOUR))


def test_after_the_worst_level_nothing_is_upgraded() -> None:
    life = Life(1)
    assert all(each.kind is not K.UPGRADE for each in until(life, 100 * HOUR))


def test_a_contract_without_upgrade_raises_no_level() -> None:
    contract = msgspec.structs.replace(CONTRACT, upgrade=None)
    life = Life(3)
    until(life, 100 * HOUR, contract)
    assert life.now.ticket.level == 3


def test_a_pause_holds_everything_and_it_goes_on_after() -> None:
    life = Life()
    life.do(60, A.Acknowledged())
    life.do(3 * HOUR, A.Paused(Waiting.SUPPLIER, "part"))
    assert until(life, 500 * HOUR) == []
    assert look(life.now, CONTRACT, calendars, T0 + 500 * HOUR).again is None
    life.do(501 * HOUR, A.Resumed())
    assert until(life, 501 * HOUR) == []
    assert names(until(life, 502 * HOUR)) == ["escalate restore/2"]
    assert look(life.now, CONTRACT, calendars, T0 + 502 * HOUR).again == T0 + 504 * HOUR


@pytest.mark.parametrize("trust", [Trust.JUMPED, Trust.UNSYNCHRONISED])
def test_while_the_clock_is_not_sure_nothing_fires_and_it_says_so(trust: Trust) -> None:
    life = Life()
    seen = look(life.now, CONTRACT, calendars, T0 + 30 * DAY, trust)
    assert seen.effects == ()
    assert seen.frozen is trust
    assert seen.held >= 4
    record, entries, _ = settle(life.now, CONTRACT, calendars, T0 + 30 * DAY, trust)
    assert record is life.now
    assert entries == ()


def test_a_clock_that_jumped_and_is_right_again_leaves_no_false_breach() -> None:
    life = Life()
    look(life.now, CONTRACT, calendars, T0 + 30 * DAY, Trust.JUMPED)
    assert due_at(life.now, 100) == []
    assert look(life.now, CONTRACT, calendars, T0 - 30 * DAY).effects == ()


def test_it_says_when_to_look_again() -> None:
    life = Life()
    assert look(life.now, CONTRACT, calendars, T0).again == T0 + 450
    assert look(life.now, CONTRACT, calendars, T0 + 450).again == T0 + 601
    until(life, 100 * HOUR)
    life.do(101 * HOUR, A.Reached(M.RESOLVE))
    life.do(101 * HOUR, A.Delivered("form", signed_by="Zhao"))
    until(life, 102 * HOUR)
    assert look(life.now, CONTRACT, calendars, T0 + 102 * HOUR).again is None


INTERRUPTED = {"meaning": Meaning.INTERRUPTION}


@pytest.mark.parametrize(
    ("ends", "level"),
    [(None, 1), (HOUR - 61, 2), (HOUR - 60.001, 2), (HOUR - 60, 1), (HOUR, 1)],
)
def test_an_interruption_that_reaches_one_hour_from_its_onset_is_level_1(ends: float | None, level: int) -> None:
    life = Life(**INTERRUPTED)  # the onset is a minute before the opening
    if ends is not None:
        life.do(2 * HOUR, A.Reached(M.RESTORE, T0 + ends))
    until(life, HOUR - 61)
    assert life.now.ticket.level == 2
    until(life, 2 * HOUR)
    assert life.now.ticket.level == level


def test_an_interruption_that_returns_counts_from_its_new_onset() -> None:
    life = Life(**INTERRUPTED)
    life.alarm(1800, 2, S.NORMAL)
    life.alarm(3500, 1, S.UNACKNOWLEDGED, episode="e2", onset=T0 + 3490)
    assert all(each.kind is not K.LASTING for each in until(life, 3490 + HOUR - 1))
    assert K.LASTING in {each.kind for each in until(life, 3490 + HOUR)}


def test_another_fault_may_last_as_long_as_it_likes() -> None:
    life = Life(meaning=Meaning.DANGER)
    until(life, 7 * HOUR)
    assert life.now.ticket.level == 2


def test_the_second_failed_repair_recommends_replacement_once() -> None:
    life = Life(3, failed_repairs=1)
    assert K.REPLACE not in {each.kind for each in until(life, 10)}
    life.do(20, A.Repaired("fan"))
    life.do(30, A.RepairFailed("still down"))
    assert names(until(life, 40)) == ["replace repairs"]
    life.do(50, A.Repaired("fan"))
    life.do(60, A.RepairFailed("again"))
    assert K.REPLACE not in {each.kind for each in until(life, 70)}


def test_documents_are_owed_and_late_after_the_ticket_has_closed_too() -> None:
    life = by_hand(level=2)
    life.do(60, A.Reached(M.RESOLVE))
    assert names(until(life, 120)) == ["document_owed document form"]
    life.do(180, A.Closed())
    life.do(2 * DAY, A.AskedFor("analysis"), Side.CUSTOMER)
    assert names(until(life, 2 * DAY)) == ["document_owed document analysis"]
    assert names(until(life, 60 + 2 * DAY)) == []
    assert names(until(life, 61 + 2 * DAY)) == ["document_late document form"]
    life.do(3 * DAY, A.Delivered("analysis"))
    assert until(life, 400 * DAY) == []


def test_a_closed_ticket_asks_for_nothing_but_documents() -> None:
    assert {each.kind for each in until(closed(level=2), 400 * DAY)} <= {K.DOCUMENT_OWED, K.DOCUMENT_LATE}
    assert until(closed(level=3), 400 * DAY) == []


def test_a_merged_ticket_asks_for_nothing() -> None:
    life = Life()
    life.do(60, A.MergedInto(9, "same"))
    assert until(life, 400 * DAY) == []


def test_a_proposal_in_time_is_no_breach_while_it_waits() -> None:
    life = restored()
    assert names(until(life, 40 * DAY)) == ["breach respond/2"]


def test_the_way_of_handling_decides_the_limits_on_site() -> None:
    life = Life(1)
    assert "breach depart/1" in names(until(life, HOUR + 1))
    remote = Life(1)
    remote.do(60, A.Handled(Handling.REMOTE))
    assert "breach depart/1" not in names(until(remote, 3 * HOUR))


def test_what_fires_is_written_down_as_the_desk() -> None:
    _, entries, _ = settle(Life().now, CONTRACT, calendars, T0 + 450)
    expected: list[Any] = [("desk", Side.SYSTEM, T0 + 450)]
    assert [(each.who, each.side, each.at) for each in entries] == expected
    assert msgspec.json.decode(msgspec.json.encode(entries[0]), type=Entry) == entries[0]


def test_a_pause_moves_the_warning_of_a_limit_that_was_agreed_on() -> None:
    life = restored()
    life.do(2 * HOUR, A.WorkaroundOnly("bypass", T0 + 100 * HOUR, "Wang"))
    life.do(60 * HOUR, A.Paused(Waiting.SUPPLIER, "part"))
    life.do(160 * HOUR, A.Resumed())
    warned = [each for each in until(life, 199 * HOUR) if (each.kind, each.clock) == (K.WARN, "difficult/2")]
    assert [each.at - T0 for each in warned] == [175.5 * HOUR]  # 58 h before the pause, 15.5 h after it: 73.5 of 98


def test_a_limit_that_was_agreed_on_anew_warns_and_is_breached_anew() -> None:
    life = restored(level=1)  # the worst: no breach raises it
    life.do(2 * HOUR, A.WorkaroundOnly("bypass", T0 + 100 * HOUR, "Wang"))
    assert "breach difficult/1" in names(until(life, 101 * HOUR))
    life.do(110 * HOUR, A.WorkaroundOnly("bypass", T0 + 150 * HOUR, "Wang"))
    assert names(until(life, 150 * HOUR)) == ["warn difficult/1"]
    assert names(until(life, 150 * HOUR + 1)) == ["breach difficult/1"]
    assert names(until(life, 500 * HOUR)) == []

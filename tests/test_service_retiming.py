"""A ticket's times when the desk's clock is put right: ages stay, nothing is breached by it, what is exact is sure."""

from typing import Any

import pytest

from model.service import entry as acts
from model.service.clocks import outcomes
from model.service.entry import Entry
from model.service.look import look
from model.service.outcome import Stand
from model.service.record import Record
from model.service.step import step
from model.service.words import Refusal, Side, Trust, Waiting
from tests.service_world import CONTRACT, DAY, HOUR, T0, M, calendars, opening

BOOT = T0 - HOUR  # the first time that was written in this boot


def ticket(*said: tuple[float, acts.Acts, Trust], opened: float = T0, trust: Trust = Trust.SURE) -> Record:
    """A ticket of a person's report, and what was said of it at times after its opening."""
    record = step(None, Entry(opened, "Li", opening(alarm=None, onset=opened - 60), trust=trust)).record
    for after, act, worth in said:
        done = step(record, Entry(opened + after, "Li", act, trust=worth))
        assert done.refused is None
        record = done.record
    assert record is not None
    return record


def put_right(record: Record, at: float, by: float, before: float = 0.0, since: float = BOOT) -> Record:
    done = step(record, Entry(at + by, "desk", acts.Retimed(since, by, before), side=Side.SYSTEM))
    assert (done.refused, done.happened) == (None, ("retimed",))
    assert done.record is not None
    return done.record


def stands(record: Record, at: float) -> dict[str, tuple[Stand, Any]]:
    return {each.clock: (each.stand, each.due) for each in outcomes(record, CONTRACT, calendars, at)}


@pytest.mark.parametrize("by", [30 * DAY, -30 * DAY, 3.0])
def test_what_was_written_moves_with_the_clock_and_every_clock_stands_as_it_stood(by: float) -> None:
    record = ticket(
        (60, acts.Acknowledged(), Trust.SURE),
        (120, acts.Reached(M.DEPART), Trust.SURE),
        (300, acts.Paused(Waiting.CUSTOMER, "gate"), Trust.SURE),
        (900, acts.Resumed(), Trust.SURE),
    )
    before = stands(record, T0 + HOUR)
    after = put_right(record, T0 + HOUR, by)
    assert (after.ticket.opened, after.start, after.onset) == (T0 + by, T0 + by, T0 + by - 60)
    assert after.marks[M.DEPART].when == T0 + 120 + by
    moved = {clock: (stand, due and due + by) for clock, (stand, due) in before.items()}
    assert stands(after, T0 + HOUR + by) == moved
    assert look(after, CONTRACT, calendars, T0 + HOUR + by).held == 0
    assert after.moved


@pytest.mark.parametrize("by", [0.0, 30 * DAY, -30 * DAY])
def test_what_was_written_while_the_clock_was_not_sure_is_exact_afterwards(by: float) -> None:
    record = ticket((60, acts.Reached(M.RESPOND), Trust.JUMPED), trust=Trust.JUMPED)
    assert stands(record, T0 + HOUR)["respond/2"][0] is Stand.UNSURE
    after = put_right(record, T0 + HOUR, by)
    assert (after.unsure, after.moved, after.ticket.opened) == (False, False, T0 + by)
    assert stands(after, T0 + HOUR + by)["respond/2"] == (Stand.KEPT, T0 + by + 600)


def test_a_milestone_of_this_boot_is_exact_though_the_ticket_opened_in_the_one_before() -> None:
    record = ticket((2 * HOUR, acts.Reached(M.RESPOND), Trust.UNSYNCHRONISED))
    after = put_right(record, T0 + 3 * HOUR, DAY, since=T0 + HOUR)
    assert (after.ticket.opened, after.marks[M.RESPOND].when) == (T0, T0 + 2 * HOUR + DAY)
    assert stands(after, T0 + DAY + 3 * HOUR)["respond/2"][0] is Stand.LATE
    assert not after.moved


def test_an_opening_of_the_boot_before_that_nobody_knows_stays_unknown() -> None:
    record = ticket((2 * HOUR, acts.Reached(M.RESPOND), Trust.SURE), trust=Trust.UNSYNCHRONISED)
    after = put_right(record, T0 + 3 * HOUR, DAY, since=T0 + HOUR)
    assert after.unsure


def test_what_people_agreed_on_stays_at_its_date_and_warns_no_second_time() -> None:
    agreed = T0 + 60 * DAY
    record = ticket(
        (60, acts.WorkaroundOnly("no spare", T0 + 50 * DAY, "Wang"), Trust.SURE),
        (90, acts.WorkaroundOnly("no spare yet", agreed, "Wang"), Trust.SURE),
    )
    late = agreed + HOUR
    before = {effect.key for effect in look(record, CONTRACT, calendars, late).effects if "difficult" in effect.clock}
    after = put_right(record, T0 + HOUR, 30 * DAY)
    assert after.workaround is not None
    assert after.workaround.due == agreed
    assert {e.key for e in look(after, CONTRACT, calendars, late).effects if "difficult" in e.clock} == before != set()


def test_a_person_who_knows_better_dates_an_opening_that_was_moved() -> None:
    after = put_right(ticket(), T0 + HOUR, 2 * HOUR)
    dated = step(after, Entry(T0 + 4 * HOUR, "Li", acts.Dated(T0, T0 - 60)))
    assert dated.record is not None
    assert (dated.refused, dated.record.start, dated.record.moved) == (None, T0, False)
    assert step(dated.record, Entry(T0 + 5 * HOUR, "Li", acts.Dated(T0, T0))).refused is Refusal.SURE


def test_nothing_moves_by_a_clock_that_is_not_sure_or_where_nothing_is_to_move() -> None:
    act = acts.Retimed(BOOT, 0.0)
    assert step(ticket(), Entry(T0 + 60, "desk", act, side=Side.SYSTEM)).refused is Refusal.UNCHANGED
    jumped = Entry(T0 + 60, "desk", act, side=Side.SYSTEM, trust=Trust.JUMPED)
    assert step(ticket(), jumped).refused is Refusal.NOT_SURE

"""A ticket as one flat row: the soonest clock, what waits, and the record as JSON."""

import msgspec

from model.alarm import AlarmState
from model.contract import Milestone
from model.service import entry as acts
from model.service.look import look
from model.service.record import Record
from model.service.row import Row, row
from model.service.words import Waiting
from tests.service_world import CONTRACT, HOUR, T0, Life, calendars, restored

A, M, S = acts, Milestone, AlarmState


def flat(life: Life, after: float) -> Row:
    now = T0 + after
    return row(life.now, CONTRACT, calendars, now, look(life.now, CONTRACT, calendars, now))


def test_a_row_names_the_soonest_clock_that_runs() -> None:
    life = Life()
    assert (flat(life, 60).due_clock, flat(life, 60).due) == ("respond/2", T0 + 600)
    life.do(120, A.Acknowledged())
    assert (flat(life, 120).due_clock, flat(life, 120).due) == ("restore/2", T0 + 8 * HOUR)
    assert flat(life, 120).responded == T0 + 120
    assert flat(life, 120).again == T0 + 4 * HOUR


def test_a_row_of_a_ticket_that_is_late_names_the_last_limit_that_is_over() -> None:
    late = flat(Life(), 50 * HOUR)
    assert (late.due_clock, late.due, late.late) == ("resolve/2", T0 + 48 * HOUR, 3)


def test_a_row_of_a_paused_ticket_names_no_clock() -> None:
    life = Life()
    life.do(60, A.Acknowledged())
    life.do(120, A.Paused(Waiting.CUSTOMER, "no key"))
    assert (flat(life, HOUR).paused, flat(life, HOUR).due, flat(life, HOUR).due_clock) == (True, None, "")


def test_a_row_says_that_a_proposal_waits_for_somebody() -> None:
    life = restored()
    assert flat(life, HOUR).waits_for_word
    assert flat(life, HOUR).restored is None
    life.do(2 * HOUR, A.Reached(M.RESOLVE))
    assert not flat(life, 2 * HOUR).waits_for_word
    assert (flat(life, 2 * HOUR).restored, flat(life, 2 * HOUR).milestone_resolved) == (T0 + HOUR, T0 + HOUR)


def test_the_record_comes_out_of_its_row_as_it_went_in() -> None:
    life = restored()
    life.do(HOUR, A.WorkaroundOnly("bypass", T0 + 90 * HOUR, "Wang"))
    kept = flat(life, 2 * HOUR)
    assert msgspec.json.decode(kept.record, type=Record) == life.now
    assert kept.entries == len(life.audit)
    assert kept.workaround

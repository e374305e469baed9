"""A ticket's record, entry by entry: what the acts do. What is refused: test_service_refusals.py."""

import msgspec
import pytest

from model.alarm import AlarmState
from model.contract import Milestone, Start, Word
from model.rule import Meaning
from model.service import entry as acts
from model.service.effect import Kind
from model.service.entry import Entry
from model.service.step import BrokenAuditError, replay
from model.service.words import Refusal, Side
from model.ticket import TicketState
from tests.service_world import (
    AGENT_ENOUGH,
    HOUR,
    T0,
    Life,
    alarm,
    by_hand,
    entry,
    fired,
    opening,
    restored,
    seen,
    system,
)

A, M, R, S = acts, Milestone, Refusal, AlarmState


def test_an_acknowledgement_reaches_the_milestone_that_the_contract_names_and_no_other() -> None:
    life = Life()
    life.do(120, A.Acknowledged())
    assert {m: mark.when - T0 for m, mark in life.now.marks.items()} == {M.RESPOND: 120}
    other = Life(terms=msgspec.structs.replace(AGENT_ENOUGH, acknowledgement_stops=None))
    other.do(120, A.Acknowledged())
    assert not other.now.marks
    assert other.now.ticket.acknowledged_by == "Li"


def test_an_acknowledgement_given_at_the_site_counts_the_same() -> None:
    life = Life()
    life.alarm(90, 2, S.ACKNOWLEDGED, acknowledged_by="Chen")
    assert life.now.marks[M.RESPOND].who == "Chen"
    assert Life(alarm=alarm(S.ACKNOWLEDGED, acknowledged_by="Chen")).now.marks[M.RESPOND].when == T0


def test_an_acknowledgement_given_at_the_site_counts_when_it_was_given_however_late_it_is_told() -> None:
    life = Life()
    life.take(system(T0 + HOUR, seen(2, S.ACKNOWLEDGED, acknowledged_by="Chen", taken=T0 + 90)))
    mark = life.now.marks[M.RESPOND]
    assert (mark.when - T0, mark.at - T0, mark.who) == (90, HOUR, "Chen")
    assert life.now.ticket.acknowledged == T0 + 90


@pytest.mark.parametrize(("taken", "counts"), [(-90.0, 0), (HOUR + 90, HOUR)])
def test_an_acknowledgement_is_never_before_its_ticket_nor_in_the_future(taken: float, counts: float) -> None:
    life = Life()
    life.take(system(T0 + HOUR, seen(2, S.ACKNOWLEDGED, acknowledged_by="Chen", taken=T0 + taken)))
    assert life.now.marks[M.RESPOND].when - T0 == counts


def test_a_late_acknowledgement_reopens_nothing() -> None:
    life = restored()
    assert life.refused(HOUR + 5, A.Acknowledged()) is R.UNCHANGED
    assert life.refused(HOUR + 6, seen(1, S.ACKNOWLEDGED, acknowledged_by="Chen"), Side.SYSTEM) is R.KNOWN
    assert life.now.ticket.state is TicketState.RESOLVED


def test_a_worse_case_takes_the_acknowledgement_back_but_not_the_milestone() -> None:
    life = Life()
    life.do(60, A.Acknowledged())
    assert "level_raised" in life.alarm(120, 2, S.UNACKNOWLEDGED, 1, case="worse")
    assert life.now.ticket.acknowledged is None
    assert life.now.marks[M.RESPOND].when == T0 + 60
    life.do(180, A.Acknowledged())
    assert life.now.marks[M.RESPOND].when == T0 + 60


def test_a_person_who_lowered_the_level_is_right_until_it_gets_worse() -> None:
    life = Life()
    assert life.do(60, A.LevelSet(3, "only a test room")) == ("level_set",)
    life.alarm(120, 2, S.UNACKNOWLEDGED, 2, case="other")
    assert life.now.ticket.level == 3
    life.alarm(180, 3, S.UNACKNOWLEDGED, 1, case="worse")
    assert life.now.ticket.level == 1
    assert [each.level for each in life.now.levels] == [2, 3, 1]


def test_a_lowered_level_holds_through_a_new_episode() -> None:
    life = Life()
    life.do(60, A.LevelSet(3, "spare unit"))
    life.alarm(120, 2, S.NORMAL)
    life.alarm(180, 1, S.UNACKNOWLEDGED, 2, episode="e2")
    assert life.now.ticket.level == 3


def test_a_level_that_rises_by_breach_says_by_which_clock() -> None:
    life = Life()
    happened = life.do(8 * HOUR + 1, fired(Kind.UPGRADE, step="upgrade", level=1), Side.SYSTEM)
    assert happened == ("fired", "level_upgraded")
    last = life.now.levels[-1]
    assert (last.level, last.why, last.clock) == (1, "upgrade", "restore/2")


def test_the_worst_level_stays_when_the_alarm_gets_better() -> None:
    life = Life(1)
    life.alarm(60, 2, S.UNACKNOWLEDGED, 3, case="milder")
    assert life.now.ticket.level == 1


def test_an_audit_with_an_entry_that_cannot_be_is_broken() -> None:
    good = [system(T0, opening()), entry(T0 + 1, A.Acknowledged())]
    assert replay(good) is not None
    with pytest.raises(BrokenAuditError, match=r"entry 3 .Acknowledged.: unchanged"):
        replay([*good, entry(T0 + 2, A.Acknowledged())])
    assert replay([]) is None


def test_each_entry_says_who_when_and_from_where_as_json() -> None:
    made = entry(T0 + 5, A.Reached(M.ARRIVE, T0 + 1, "by car"), who="李工")
    text = msgspec.json.encode(made)
    assert msgspec.json.decode(text) == {
        "at": T0 + 5,
        "who": "李工",
        "act": {"what": "reached", "milestone": "arrive", "said": T0 + 1, "note": "by car"},
        "source": "page",
    }
    assert msgspec.json.decode(text, type=Entry) == made


def test_a_report_may_come_before_the_ticket_that_follows_from_it() -> None:
    life = by_hand()
    life.do(10, A.Started(Start.REPORT, T0 - 300))
    assert life.now.starts == {Start.REPORT: T0 - 300}


def test_merging_keeps_the_earlier_start_and_the_worse_level_and_ends_the_other() -> None:
    kept, gone = Life(3), Life(1, T0 - HOUR)
    kept.do(60, A.TookIn(8, T0 - HOUR, T0 - 2 * HOUR, 1))
    assert (kept.now.start, kept.now.onset, kept.now.ticket.level) == (T0 - HOUR, T0 - 2 * HOUR, 1)
    assert kept.now.ticket.opened == T0
    assert gone.do(60, A.MergedInto(9, "same fault")) == ("merged",)
    assert gone.now.closed
    assert gone.now.merged_into == 9
    assert gone.refused(70, A.Reached(M.ARRIVE)) is R.CLOSED


def test_a_ticket_of_a_person_is_resolved_by_a_person() -> None:
    life = by_hand(meaning=Meaning.INDIRECT)
    life.do(HOUR, A.Reached(M.RESOLVE))
    assert life.now.ticket.state is TicketState.RESOLVED
    assert life.do(2 * HOUR, A.Closed()) == ("closed",)


def test_the_desk_closes_alone_where_good_readings_are_enough() -> None:
    life = restored(terms=AGENT_ENOUGH)
    assert life.do(2 * HOUR, A.Closed(), Side.SYSTEM) == ("closed",)
    assert life.now.marks[M.RESOLVE].when == T0 + HOUR


def test_closing_needs_the_customer_where_the_contract_says_both() -> None:
    words = msgspec.structs.replace(AGENT_ENOUGH, words={M.RESTORE: Word.BOTH, M.RESOLVE: Word.CUSTOMER})
    life = restored(terms=words)
    assert life.refused(2 * HOUR, A.Closed()) is R.NOT_CONFIRMED
    assert life.do(2 * HOUR, A.Confirmed(M.RESTORE)) == ("proposed",)
    assert life.do(2 * HOUR, A.Confirmed(M.RESTORE), Side.CUSTOMER) == ("confirmed",)
    assert life.do(2 * HOUR, A.Confirmed(M.RESOLVE), Side.CUSTOMER) == ("confirmed",)
    assert life.do(2 * HOUR, A.Closed()) == ("closed",)
    assert life.now.marks[M.RESTORE].when == T0 + HOUR

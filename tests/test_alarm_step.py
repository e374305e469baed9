"""The life of an alarm, step by step."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from model.alarm import TABLE, Alarm, AlarmState, Kind, Look, Now, Trigger, following
from model.rule import Evidence
from model.step import acknowledge, disable, observe, rebase, remove, shelve

S = AlarmState
QUIET = Look("", off_delay=20)
FAULT = Look("lost", level=2, on_delay=120, off_delay=20)


def at(seconds: float) -> Now:
    return Now(boot=seconds, wall=1_700_000_000 + seconds)


def run(*steps: tuple[float, Look], alarm: Alarm | None = None) -> tuple[Alarm, list[Kind]]:
    alarm = alarm or Alarm("site/device/-/mains.lost")
    kinds = []
    for number, (when, look) in enumerate(steps):
        alarm, kind = observe(alarm, look, at(when), f"episode-{number}")
        if kind:
            kinds.append(kind)
    return alarm, kinds


def test_a_fault_is_told_at_once_and_raised_when_its_delay_is_over() -> None:
    alarm, kinds = run((0, FAULT), (60, FAULT), (119.9, FAULT))
    assert (alarm.state, alarm.opened, kinds) == (S.PENDING, False, [Kind.PENDING])
    alarm, kinds = run((120, FAULT), alarm=alarm)
    assert (alarm.state, alarm.opened, kinds, alarm.revision) == (S.UNACKNOWLEDGED, True, [Kind.RAISED], 2)


def test_without_a_delay_a_fault_is_raised_at_the_first_look() -> None:
    alarm, kinds = run((0, replace(FAULT, on_delay=0)))
    assert (alarm.state, kinds, alarm.revision, alarm.episode) == (S.UNACKNOWLEDGED, [Kind.RAISED], 1, "episode-0")


def test_a_fault_that_vanishes_before_its_delay_is_momentary_and_counted() -> None:
    alarm, kinds = run((0, FAULT), (50, QUIET), (60, FAULT), (70, QUIET))
    assert kinds == [Kind.PENDING, Kind.MOMENTARY, Kind.PENDING, Kind.MOMENTARY]
    assert (alarm.momentary, alarm.state, alarm.active) == (2, S.NORMAL, False)


def test_a_change_of_case_does_not_restart_the_delay() -> None:
    worse = Look("worse", level=2, on_delay=120)
    lesser = Look("lesser", level=4, on_delay=240)
    alarm, kinds = run((0, lesser), (119, worse), (120, worse))
    assert (alarm.state, kinds) == (S.UNACKNOWLEDGED, [Kind.PENDING, Kind.CASE_CHANGED, Kind.RAISED])
    alarm, kinds = run((0, lesser), (130, worse))
    assert (alarm.case, kinds) == ("worse", [Kind.PENDING, Kind.RAISED])


def test_clearing_waits_for_the_off_delay_and_a_relapse_starts_it_anew() -> None:
    raised, _ = run((0, FAULT), (120, FAULT))
    alarm, kinds = run((200, QUIET), (210, FAULT), (300, QUIET), (319.9, QUIET), alarm=raised)
    assert (alarm.active, kinds) == (True, [])
    alarm, kinds = run((320, QUIET), alarm=alarm)
    assert (alarm.state, alarm.active, kinds) == (S.RETURNED, False, [Kind.CLEARED])


def test_an_acknowledged_alarm_returns_to_normal_and_an_unacknowledged_one_waits_to_be_seen() -> None:
    raised, _ = run((0, FAULT), (120, FAULT))
    taken, kind = acknowledge(raised, "li", at(130))
    assert (taken.state, kind, taken.acknowledged_by) == (S.ACKNOWLEDGED, Kind.ACKNOWLEDGED, "li")
    cleared, _ = run((200, QUIET), (220, QUIET), alarm=taken)
    assert cleared.state is S.NORMAL
    returned, _ = run((200, QUIET), (220, QUIET), alarm=raised)
    seen, kind = acknowledge(returned, "li", at(300))
    assert (returned.state, seen.state, kind) == (S.RETURNED, S.NORMAL, Kind.ACKNOWLEDGED)


def test_an_acknowledgement_of_an_earlier_episode_changes_nothing() -> None:
    raised, _ = run((0, FAULT), (120, FAULT))
    assert acknowledge(raised, "li", at(130), episode="another") == (raised, None)
    taken, _ = acknowledge(raised, "li", at(130), episode=raised.episode)
    assert acknowledge(taken, "wang", at(140), episode=raised.episode) == (taken, None)


def test_an_acknowledgement_given_before_the_alarm_got_worse_does_not_take_the_worse_one() -> None:
    raised, _ = run((0, replace(FAULT, on_delay=0, level=4)))
    worse, _ = run((5, replace(FAULT, on_delay=0, level=2)), alarm=raised)
    assert acknowledge(worse, "li", at(6), episode=worse.episode, level=4) == (worse, None)
    assert acknowledge(worse, "li", at(6), episode=worse.episode, level=2)[1] is Kind.ACKNOWLEDGED


def test_a_case_that_gets_worse_asks_again_and_one_that_gets_better_does_not() -> None:
    raised, _ = run((0, replace(FAULT, on_delay=0)))
    taken, _ = acknowledge(raised, "li", at(5))
    better, kinds = run((10, Look("lesser", level=4)), alarm=taken)
    assert (better.state, kinds) == (S.ACKNOWLEDGED, [Kind.CASE_CHANGED])
    worse, kinds = run((10, Look("worst", level=1)), alarm=taken)
    assert (worse.state, worse.acknowledged_by, kinds) == (S.UNACKNOWLEDGED, "", [Kind.CASE_CHANGED])


def test_a_parent_explains_and_its_end_raises_what_stands() -> None:
    child = replace(FAULT, on_delay=0, parent="site/mains/-/mains.lost")
    alarm, kinds = run((0, child))
    assert (alarm.state, alarm.explained_by, kinds) == (S.SUPPRESSED, "site/mains/-/mains.lost", [Kind.SUPPRESSED])
    alarm, kinds = run((10, replace(child, parent="")), alarm=alarm)
    assert (alarm.state, alarm.explained_by, kinds, alarm.opened) == (S.UNACKNOWLEDGED, "", [Kind.RAISED], True)


def test_what_a_parent_explained_waits_for_a_fresh_look_after_the_parents_end() -> None:
    child = replace(FAULT, on_delay=0, settle=6, parent="p")
    alarm, _ = run((0, child))
    alarm, kinds = run((10, replace(child, parent="")), (15.9, replace(child, parent="")), alarm=alarm)
    assert (alarm.state, kinds) == (S.PENDING, [Kind.RELEASED])
    assert run((16, replace(child, parent="")), alarm=alarm)[1] == [Kind.RAISED]
    gone, kinds = run((16, QUIET), alarm=alarm)
    assert (gone.state, gone.opened, gone.momentary, kinds) == (S.NORMAL, False, 0, [Kind.CLEARED])


def test_an_explained_fault_that_goes_is_cleared_without_having_been_raised() -> None:
    alarm, kinds = run((0, replace(FAULT, parent="p")), (10, QUIET))
    assert (alarm.state, alarm.opened, kinds) == (S.NORMAL, False, [Kind.SUPPRESSED, Kind.CLEARED])


def test_a_shelved_alarm_keeps_following_its_fault_and_comes_back_when_the_time_is_over() -> None:
    raised, _ = run((0, replace(FAULT, on_delay=0)))
    shelved, kind = shelve(raised, 3600, "li", at(10))
    assert (shelved.state, kind) == (S.SHELVED, Kind.SHELVED)
    still, kinds = run((100, FAULT), alarm=shelved)
    assert (still.state, kinds) == (S.SHELVED, [])
    back, kinds = run((3610, FAULT), alarm=still)
    assert (back.state, kinds, back.shelved_until) == (S.UNACKNOWLEDGED, [Kind.RAISED], None)
    gone, kinds = run((100, QUIET), (3610, QUIET), alarm=shelved)
    assert (gone.state, gone.active, kinds) == (S.NORMAL, False, [Kind.CLEARED, Kind.UNSHELVED])


def test_unshelving_by_hand_takes_effect_at_the_next_look() -> None:
    raised, _ = run((0, replace(FAULT, on_delay=0)))
    shelved, _ = shelve(raised, 3600, "li", at(10))
    asked, kind = shelve(shelved, 0, "li", at(20))
    assert kind is None
    assert run((21, replace(FAULT, on_delay=0)), alarm=asked)[0].state is S.UNACKNOWLEDGED


def test_a_removed_point_ends_its_episode_with_that_reason() -> None:
    raised, _ = run((0, replace(FAULT, on_delay=0)))
    alarm, kind = remove(raised)
    assert (alarm.active, alarm.state, kind) == (False, S.NORMAL, Kind.REMOVED)
    assert remove(alarm) == (alarm, None)


def test_out_of_service_says_so_once() -> None:
    raised, _ = run((0, replace(FAULT, on_delay=0)))
    alarm, kind = disable(raised)
    assert (alarm.state, kind) == (S.OUT_OF_SERVICE, Kind.DISABLED)
    assert disable(alarm) == (alarm, None)


def test_numbers_that_move_are_not_news_but_counts_and_missing_readings_are() -> None:
    seen = replace(FAULT, on_delay=0, evidence=(Evidence("mains.voltage", "L1", 3.0),))
    alarm, _ = run((0, seen))
    alarm, kinds = run((5, replace(seen, evidence=(Evidence("mains.voltage", "L1", 4.0),))), alarm=alarm)
    assert kinds == []
    assert alarm.evidence[0].value == 4.0
    _, kinds = run((10, replace(seen, missing=("L1",))), alarm=alarm)
    assert kinds == [Kind.UPDATED]


def test_delays_and_shelves_go_on_across_a_reboot() -> None:
    pending, _ = run((1000, FAULT))
    moved = rebase(pending, at(1050), Now(boot=30, wall=at(1050).wall + 40))
    assert moved.onset == pytest.approx(30 - 40 - 50)
    assert run((60, FAULT), alarm=moved)[0].state is S.UNACKNOWLEDGED


def test_a_wall_clock_set_back_over_a_reboot_never_lengthens_a_delay() -> None:
    pending, _ = run((1000, FAULT))
    moved = rebase(pending, at(1050), Now(boot=30, wall=at(1050).wall - 86400))
    assert moved.onset == pytest.approx(30 - 50)


def test_every_row_of_the_table_leads_somewhere_else_or_stays_by_intention() -> None:
    loops = {(state, trigger) for (state, trigger), after in TABLE.items() if after is state}
    assert loops == {(S.SHELVED, Trigger.SHELVE), (S.OUT_OF_SERVICE, Trigger.DISABLE), (S.NORMAL, Trigger.REMOVE)}
    assert following(S.NORMAL, Trigger.ACKNOWLEDGE) is S.NORMAL


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["lost", "worse", "quiet", "explained", "ack", "shelve", "unshelve"]),
        st.sampled_from([0.0, 1.0, 19.0, 20.0, 121.0, 4000.0]),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(ACTIONS)
def test_whatever_happens_revisions_rise_and_an_episode_begins_and_ends_once(actions: list[tuple[str, float]]) -> None:
    looks = {
        "lost": FAULT,
        "worse": Look("worse", level=1, on_delay=60, off_delay=20),
        "quiet": QUIET,
        "explained": replace(FAULT, parent="p"),
    }
    alarm, when = Alarm("c"), 0.0
    ended: set[str] = set()
    for number, (action, wait) in enumerate(actions):
        when += wait
        before = alarm
        if action in looks:
            alarm, kind = observe(alarm, looks[action], at(when), f"e{number}")
        elif action == "ack":
            alarm, kind = acknowledge(alarm, "li", at(when))
        else:
            alarm, kind = shelve(alarm, 3600 if action == "shelve" else 0, "li", at(when))
        if kind:
            fresh = before.episode != alarm.episode
            assert alarm.revision == (1 if fresh else before.revision + 1)
            assert fresh == (alarm.episode not in ended and not before.active and alarm.active)
        if before.active and not alarm.active:
            assert alarm.episode not in ended
            ended.add(alarm.episode)
        assert alarm.active == bool(alarm.case)
        assert not (alarm.active and alarm.episode in ended)
        assert alarm.state is not S.UNACKNOWLEDGED or alarm.opened
        if alarm.state in {S.NORMAL, S.RETURNED}:
            assert not alarm.active
        if alarm.state in {S.UNACKNOWLEDGED, S.ACKNOWLEDGED, S.PENDING, S.SUPPRESSED}:
            assert alarm.active

"""What a walk-test's rules keep whatever people and devices do: by hypothesis."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from model.period import Place, Scope, Window, Work, held_until, holding
from model.walktest import (
    LONGEST_WALK,
    Mark,
    Moved,
    Raised,
    Result,
    Seen,
    Signature,
    State,
    WalkNo,
    after_mark,
    closed_refused,
    extension_refused,
    length_refused,
    mark_refused,
    moved,
    result_of,
    signature_refused,
    state_of,
)

values: Any = st.none() | st.floats(-1e6, 1e6) | st.sampled_from(("open", "closed", "failed"))
times = st.floats(0.0, 1e9)
seens: Any = (
    st.none()
    | st.builds(Moved, values, values, st.none() | times)
    | st.builds(Raised, st.none() | times, st.none() | times, st.integers(0, 3), st.booleans(), st.booleans())
)
marks = st.builds(Mark, times, st.just("Li"), st.sampled_from(Result), st.sampled_from(("", " ", "meter says so")))


@given(values, st.lists(st.tuples(values, times)))
def test_a_point_moved_exactly_when_a_value_was_read_that_was_another_than_the_first(
    first: Any, later: list[tuple[Any, float]]
) -> None:
    seen = moved(None, first, 0.0)
    for value, at in later:
        seen = moved(seen, value, at)
    others = [(value, at) for value, at in later if value is not None and value != first]
    assert seen.first == first
    assert (seen.moved is not None) == bool(others)
    assert (seen.value, seen.moved) in [(None, None), *others]
    numbers = [value for value, _ in later if isinstance(value, float)]
    if isinstance(first, float) and others and len(numbers) == len([v for v, _ in later if v is not None]):
        assert isinstance(seen.value, float)
        assert abs(seen.value - first) == max(abs(value - first) for value in numbers)


@given(seens, marks)
def test_nothing_passes_that_the_desk_did_not_see_and_nothing_fails_without_a_reason(
    seen: Seen | None, mark: Mark
) -> None:
    no = mark_refused(seen, mark)
    if no is None and mark.result is Result.PASSED:
        if isinstance(seen, Raised):
            assert seen.times
            assert not seen.stands
        else:
            assert mark.note.strip() or (isinstance(seen, Moved) and seen.moved is not None)
    if no is None and mark.result in {Result.FAILED, Result.NOT_TESTABLE}:
        assert mark.note.strip()
    assert mark.result is not Result.OPEN or no is None


@given(st.lists(marks, max_size=60))
def test_the_last_word_counts_and_few_are_kept(said: list[Mark]) -> None:
    kept: tuple[Mark, ...] = ()
    for mark in said:
        kept = after_mark(kept, mark)
    assert result_of(kept) == (said[-1].result if said else Result.OPEN)
    assert kept == tuple(said[-20:])


@given(times, st.lists(st.tuples(st.floats(0.0, 1e5), st.floats(0.0, 2e5)), max_size=20), st.floats(1.0, 2e5))
def test_however_often_it_is_extended_it_ends_within_eight_hours_of_the_last_word(
    opened: float, words: list[tuple[float, float]], asked: float
) -> None:
    if length_refused(asked) is not None:
        return
    now, end = opened, opened + asked
    for wait, longer in words:
        now += wait
        if extension_refused(end, now + longer, now) is None:
            assert now < end
            end = now + longer
        assert end <= now + LONGEST_WALK or end <= opened + LONGEST_WALK
    assert state_of(end, None, now + LONGEST_WALK + asked, cancelled=False) is State.OVER


@given(st.lists(st.sampled_from(Result), min_size=1), st.sampled_from(("Li", "l i", "Zhao", " ")))
def test_it_is_signed_by_two_people_when_every_item_is_decided(results: list[Result], witness: str) -> None:
    no = signature_refused(Signature(0.0, "Li", witness), results)
    assert (no is None) == (witness == "Zhao" and Result.OPEN not in results)


@given(times, times, st.booleans(), st.booleans())
def test_what_is_signed_or_cancelled_is_closed_for_ever(end: float, now: float, signs: bool, cancels: bool) -> None:
    signature = Signature(0.0, "Li", "Zhao") if signs else None
    state = state_of(end, signature, now, cancelled=cancels)
    assert (closed_refused(state) in {WalkNo.SIGNED, WalkNo.CANCELLED}) == (signs or cancels)
    assert signs or cancels or state is (State.RUNNING if now < end else State.OVER)


@given(st.sampled_from(("mains.lost", "smoke.detected", "leak.found")), times, st.floats(60.0, LONGEST_WALK), times,
       st.booleans())  # fmt: skip
def test_its_window_holds_every_fault_of_its_place_and_only_until_its_end(
    fault: str, start: float, lasts: float, at: float, whole: bool
) -> None:  # fmt: skip
    scope = Scope(sites=("S1",)) if whole else Scope(devices=("S1/ups",))
    window = Window(1, start, start + lasts, scope, "test", "Li", Work.WALKTEST)
    for device in ("ups", "hall"):
        place = Place("", "S1", device, fault)
        inside = start <= at < window.end and (whole or device == "ups")
        assert (holding([window], [], place, at) is window) == inside
        assert held_until([window], [], place, at) == (window.end if inside else at)
    assert holding([window], [], Place("", "S2", "ups", fault), at) is None

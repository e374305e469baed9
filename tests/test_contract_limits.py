"""Which limits run and when, for any situation of any contract that ships."""

from hypothesis import given, settings
from hypothesis import strategies as st

from config import shipped
from config.calendar import load_calendar
from config.contract import load_contract
from model.contract import Handling
from model.limits import Situation, blanks_for, dues, duty_dues, fits, limits_for, narrowness

NAMES = sorted(shipped.names("contracts"))
BEGINS = st.integers(1_420_070_400, 1_893_456_000)  # 2015 to 2029
LOADING = settings(deadline=None)  # the first use of a contract or calendar reads its file


@st.composite
def situations(draw: st.DrawFn) -> tuple[str, Situation]:
    name = draw(st.sampled_from(NAMES))
    contract = load_contract(name).contract
    situation = Situation(
        draw(st.sampled_from(sorted(contract.levels))),
        draw(st.sampled_from(["", *contract.regions])),
        draw(st.sampled_from(["", *contract.grades])),
        draw(st.sampled_from(["", "mains.lost", "network.management_down", *contract.faults])),
        draw(st.sampled_from([None, *Handling])),
        frozenset(draw(st.sets(st.sampled_from(sorted(contract.conditions))))) if contract.conditions else frozenset(),
    )
    return name, situation


@LOADING
@given(situations())
def test_of_each_name_the_narrowest_limit_that_fits_runs_and_no_other(drawn: tuple[str, Situation]) -> None:
    contract, situation = load_contract(drawn[0]).contract, drawn[1]
    running = limits_for(contract, situation)
    fitting = [limit for limit in contract.limits if fits(limit, situation, contract.default_handling)]
    assert {limit.name for limit in running} == {limit.name for limit in fitting}
    for limit in running:
        same = [narrowness(each) for each in fitting if each.name == limit.name]
        assert (max(same), same.count(max(same))) == (narrowness(limit), 1)


@LOADING
@given(situations())
def test_what_has_a_limit_is_not_to_be_filled_in(drawn: tuple[str, Situation]) -> None:
    contract, situation = load_contract(drawn[0]).contract, drawn[1]
    filled = {limit.milestone for limit in limits_for(contract, situation)}
    assert filled.isdisjoint(blank.milestone for blank in blanks_for(contract, situation))


@LOADING
@given(situations(), BEGINS)
def test_every_limit_is_due_after_its_start_and_a_leg_after_the_one_before(
    drawn: tuple[str, Situation], begins: int
) -> None:
    contract, situation = load_contract(drawn[0]).contract, drawn[1]
    found = dues(contract, situation, {"open": float(begins)}, load_calendar)
    ends = {each.limit.milestone: each.due for each in found if each.limit.name == each.limit.milestone}
    for each in found:
        assert each.start is not None
        assert each.due is not None
        assert begins <= each.start < each.due
        assert each.assumed == (each.limit.after in ends)
        if each.assumed:
            assert each.start == ends[each.limit.after]  # type: ignore[index]


@LOADING
@given(situations(), BEGINS, st.integers(0, 10 * 86_400), st.integers(0, 3 * 86_400))
def test_a_pause_brings_no_limit_forward_and_seconds_no_further_than_it_is_long(
    drawn: tuple[str, Situation], begins: int, after: int, length: int
) -> None:
    contract, situation = load_contract(drawn[0]).contract, drawn[1]
    times, pause = {"open": float(begins)}, (float(begins + after), float(begins + after + length), "waiting")
    plain = dues(contract, situation, times, load_calendar)
    paused = dues(contract, situation, times, load_calendar, (pause,))
    for before, now in zip(plain, paused, strict=True):
        assert before.due is not None
        assert now.due is not None
        assert now.due >= before.due
        if before.limit.span.unit == "second":
            assert now.due <= before.due + length


@LOADING
@given(situations(), BEGINS)
def test_what_a_milestone_asks_for_is_due_after_it(drawn: tuple[str, Situation], begins: int) -> None:
    contract, situation = load_contract(drawn[0]).contract, drawn[1]
    times = {"open": float(begins), "restore": begins + 60.0, "request": begins + 30.0, "month_end": begins + 90.0}
    found = duty_dues(contract, situation.level, times, (), load_calendar)
    assert all(each.start == times[each.duty.after] and each.start < each.due and not each.assumed for each in found)
    assert all(not each.duty.levels or situation.level in each.duty.levels for each in found)

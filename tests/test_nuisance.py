"""How good the alarms are: rates, floods, chatter, what flaps and what stands; the page and the metrics."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.nuisance import forget_counts, gauges, nuisances
from desk.period_store import keep_window
from desk.record import bring_episode
from model.alarm import AlarmState, Kind
from model.nuisance import TEN, Rate, chatters, measure
from model.period import Scope, Window, Work
from tests.desk_world import World, a_desk, change, cleared, later
from tests.incident_world import Region

S = AlarmState
DAY = 86_400.0


def test_a_flood_begins_over_ten_and_ends_under_five() -> None:
    found = measure({0: 10, 1: 11, 2: 5, 3: 4, 4: 5, 5: 300}, 0.0, 6 * TEN)
    assert (found.floods, found.flooded) == (2, 3 / 6)
    assert (found.peak, found.peak_at, found.announced, found.tens) == (300, 5 * TEN, 335, 6)


def test_ten_minutes_without_an_alarm_end_a_flood() -> None:
    found = measure({0: 11, 2: 6}, 0.0, 3 * TEN)
    assert (found.floods, found.flooded) == (1, 1 / 3)


def test_only_whole_ten_minutes_within_the_time_are_measured() -> None:
    found = measure({0: 1, 1: 2, 2: 4, 3: 8}, 1.0, 3 * TEN + 599)
    assert (found.tens, found.announced) == (2, 6)
    assert measure({}, 5.0, 6.0).average == 0


@pytest.mark.parametrize(
    ("alarms", "rate"),
    [
        (9, Rate.ACCEPTABLE),
        (10, Rate.MANAGEABLE),
        (20, Rate.MANAGEABLE),
        (21, Rate.DEMANDING),
        (50, Rate.DEMANDING),
        (51, Rate.TOO_MANY),
    ],
)
def test_the_average_is_judged_by_the_guides_bounds(alarms: int, rate: Rate) -> None:
    assert measure({0: alarms}, 0.0, 10 * TEN).rate is rate


def test_three_times_within_a_minute_chatter_and_a_second_more_does_not() -> None:
    assert chatters((0.0, 30.0, 60.0))
    assert not chatters((0.0, 30.0, 60.1))
    assert not chatters((0.0, 1.0))


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 30)), st.integers(0, 50), st.integers(0, 50))
def test_a_measure_adds_up(tens: dict[int, int], begin: int, length: int) -> None:
    found = measure(tens, begin * TEN, (begin + length) * TEN)
    assert found.announced == sum(n for ten, n in tens.items() if begin <= ten < begin + length)
    assert found.average * length == pytest.approx(found.announced)
    assert found.peak == max((n for ten, n in tens.items() if begin <= ten < begin + length), default=0)
    assert 0 <= found.flooded <= 1
    assert found.floods <= found.flooded * length + 1e-9


# --- as the desk counts them ---------------------------------------------------------------------------------------


@pytest.fixture
def here() -> Region:
    return Region()


def test_what_is_announced_counts_and_what_a_parent_explains_does_not(here: Region) -> None:
    here.loses("S1")
    here.take(change("S1", "fan.stopped", kind=Kind.SUPPRESSED, state=S.SUPPRESSED, opened=False, episode="c",
                     explained_by="S1/ups/-/mains.lost"))  # fmt: skip
    here.passes("S2")
    assert nuisances(here.db, here.now).now == 1
    here.now += TEN
    assert gauges(here.db, here.now)["last"] == 1
    assert nuisances(here.db, here.now).measures["day"].announced == 1


@pytest.mark.parametrize("kind", [Work.ROUTINE, Work.WALKTEST])
def test_what_ends_before_its_delay_while_people_work_there_is_the_work_and_not_a_nuisance(
    here: Region, kind: Work
) -> None:
    keep_window(here.db, Window(0, here.now, here.now + 3600, Scope(sites=("S1",)), "trips", "Li", kind))
    for _ in range(2):
        here.passes("S1")
        here.passes("S2")
    assert [(each.site, each.momentary) for each in nuisances(here.db, here.now).frequent] == [("S2", 2)]
    here.now += 3600
    for _ in range(2):
        here.passes("S1")
    assert {(each.site, each.momentary) for each in nuisances(here.db, here.now).frequent} == {("S1", 2), ("S2", 2)}


def test_what_a_window_holds_back_counts_when_people_are_told_of_it(here: Region) -> None:
    here.site("S1")
    keep_window(here.db, Window(0, here.now, here.now + 3600, Scope(sites=("S1",)), "cable works", "Li"))
    told = here.loses("S1")
    here.loses("S2")
    assert nuisances(here.db, here.now).now == 1
    here.now += 3700
    assert bring_episode(here.ledger(), told.alarm.episode) == 2
    assert nuisances(here.db, here.now).now == 1
    here.now += TEN
    assert nuisances(here.db, here.now).measures["day"].announced == 2


def test_an_alarm_that_comes_three_times_within_a_minute_is_listed_as_chattering(here: Region) -> None:
    for _ in range(3):
        here.loses("S1")
        here.now += 15
        here.gets_back("S1")
        here.now += 15
    found = nuisances(here.db, here.now)
    assert [(each.condition, each.announced) for each in found.chattering] == [("S1/ups/-/mains.lost", 3)]
    assert gauges(here.db, here.now)["chattering"] == 1
    assert gauges(here.db, here.now + TEN)["chattering"] == 0
    assert nuisances(here.db, here.now + DAY + 60).chattering == ()


def test_alarms_told_together_after_an_outage_of_the_line_chatter_only_if_they_did(here: Region) -> None:
    for ago in (7200.0, 3600.0, 0.0):
        here.number += 1
        told = change("S1", episode=f"late{here.number}")
        here.take(told, age=ago)
        here.take(cleared(told), age=max(0.0, ago - 60))
    assert nuisances(here.db, here.now).chattering == ()


def test_an_alarm_that_is_held_open_because_it_flaps_is_listed_until_it_ends(here: Region) -> None:
    told = here.loses("S1")
    here.take(later(told, Kind.UPDATED, S.UNACKNOWLEDGED, flapping=True))
    assert [each.condition for each in nuisances(here.db, here.now).flapping] == ["S1/ups/-/mains.lost"]
    here.gets_back("S1")
    assert nuisances(here.db, here.now).flapping == ()


def test_an_alarm_that_has_stood_for_a_day_is_stale_and_one_that_is_shelved_is_not(here: Region) -> None:
    here.loses("S1")
    shelved = here.loses("S2")
    here.take(later(shelved, Kind.SHELVED, S.SHELVED))
    here.now += DAY - 1
    assert gauges(here.db, here.now)["stale"] == 0
    here.now += 1
    assert gauges(here.db, here.now)["stale"] == 1
    assert [each.site for each in nuisances(here.db, here.now).stale] == ["S1"]


def test_a_desk_that_is_an_hour_old_does_not_spread_its_alarms_over_a_month(here: Region) -> None:
    for number in range(24):
        here.loses(f"S{number}")
    here.now += 6 * TEN
    found = nuisances(here.db, here.now).measures["month"]
    assert (found.tens, found.announced, found.rate) == (6, 24, Rate.DEMANDING)
    here.now += 60 * DAY
    assert nuisances(here.db, here.now).measures["month"].tens == 30 * 144


def test_the_most_frequent_are_ten_with_their_share_of_all(here: Region) -> None:
    for number in range(12):
        for _ in range(2 if number < 11 else 8):
            here.loses(f"S{number}")
            here.gets_back(f"S{number}")
    found = nuisances(here.db, here.now)
    assert (len(found.frequent), found.frequent[0].site, found.frequent[0].announced) == (10, "S11", 8)
    assert found.share == pytest.approx(26 / 30)
    assert forget_counts(here.db, here.now + 2 * DAY) > 0
    assert nuisances(here.db, here.now).frequent == ()


# --- the page and the metrics --------------------------------------------------------------------------------------


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made


async def test_the_page_says_in_both_languages_what_is_a_nuisance(world: World) -> None:
    agent = await world.agent()
    for number in range(3):
        told = change(episode=f"e{number}", flapping=number == 2)
        await agent.send(told)
        if number < 2:
            await agent.send(cleared(told))
        world.clock.on(10)
    world.clock.on(2 * DAY)
    await agent.send(*[change(device=f"d{n}", episode=f"d{n}") for n in range(12)])
    world.clock.on(TEN)
    english = (await world.client.get("/alarms/measure")).text
    for part in ("Alarm quality", "acceptable", "Mains lost", "Held open", "1 in all", "▲"):
        assert part in english, part
    chinese = (await world.client.get("/alarms/measure?lang=zh")).text
    for part in ("告警质量", "反复告警", "市电中断", "持续超过一天"):
        assert part in chinese, part
    metrics = (await world.client.get("/metrics")).text
    for line in ("alarms_announced 12.0", "alarms_flapping 1.0", "alarms_stale 1.0", "incidents_open 0.0"):
        assert f"roundsman_desk_{line}\n" in metrics, line

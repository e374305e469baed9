"""Incidents across sites: linked by onset, ended with the last of them, exactly replayed, and no ticket hidden."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from desk.carried import carry_over
from desk.children import children_of
from desk.incidents import rebuilt, rule_of, set_rule
from desk.kept import record_of
from desk.ledger import append
from desk.silence import Silent, fall_silent, heard_again
from model.alarm import AlarmState, Kind
from model.change import Change
from model.incident import Outage, Rule, cause_of, together
from model.service.entry import LevelSet, MergedInto
from model.service.words import Tie
from tests.desk_world import change, later
from tests.incident_world import START, Region, tables
from tests.stores import of_a_file

S = AlarmState


@pytest.fixture
def here() -> Region:
    return Region()


def lose(here: Region, sites: Iterable[int], every: float = 1.0) -> None:
    for number in sites:
        here.now += every
        here.loses(f"S{number}")


def test_five_sites_of_a_region_that_lose_mains_within_five_minutes_are_one_incident(here: Region) -> None:
    lose(here, range(4))
    assert here.incidents() == []
    lose(here, range(4, 9))
    assert here.incidents() == [(1, "mains.lost", "east", 9, 9, None)]


def test_an_incident_hides_no_ticket(here: Region) -> None:
    lose(here, range(9))
    assert [row["state"] for row in here.rows("SELECT state FROM tickets")] == ["open"] * 9


def test_outages_of_different_regions_or_causes_are_none(here: Region) -> None:
    for number in range(4):
        here.loses(f"E{number}")
        here.loses(f"W{number}", region="west")
        here.loses(f"E{number}", fault="mains.phase_missing")
        here.loses(f"E{number}", fault="fan.stopped")
    assert here.incidents() == []
    here.loses("E4", fault="fan.stopped")
    here.loses("W4", region="west")
    assert [each[:4] for each in here.incidents()] == [(1, "mains.lost", "west", 5)]


def test_an_incident_ends_with_its_last_ticket_and_goes_on_with_one_that_comes_back(here: Region) -> None:
    lose(here, range(5))
    for number in range(5):
        assert here.incidents()[0][5] is None
        here.now += 60
        here.gets_back(f"S{number}")
    assert here.incidents() == [(1, "mains.lost", "east", 5, 0, here.now)]
    ended = here.now
    here.now += 30
    here.loses("S0", ago=ended - START)
    assert here.incidents() == [(1, "mains.lost", "east", 5, 1, None)]


def test_a_ticket_that_flaps_stays_in_its_incident_while_others_are_out(here: Region) -> None:
    lose(here, range(5))
    here.now += 3600
    here.gets_back("S0")
    here.now += 3600
    here.loses("S0")
    assert here.incidents() == [(1, "mains.lost", "east", 5, 5, None)]


def test_a_ticket_that_nobody_closed_and_that_is_out_again_next_week_is_in_no_incident_of_last_week(
    here: Region,
) -> None:
    lose(here, range(6))
    for number in range(5):
        here.gets_back(f"S{number}")
    here.now += 7 * 86_400
    lose(here, range(4))
    assert here.incidents() == [(1, "mains.lost", "east", 6, 1, None)]
    lose(here, [4, 7])
    assert [each[3:] for each in here.incidents()] == [(6, 1, None), (6, 6, None)]
    assert tables(rebuilt(here.db)) == tables(here.db)


def test_another_outage_next_week_is_another_incident(here: Region) -> None:
    lose(here, range(5))
    for number in range(5):
        here.gets_back(f"S{number}")
    here.now += 7 * 86_400
    lose(here, range(6))
    assert [each[3:5] for each in here.incidents()] == [(5, 0), (6, 6)]
    assert len(here.rows("SELECT * FROM tickets")) == 6


def test_what_trickles_on_after_a_storm_lengthens_no_incident(here: Region) -> None:
    lose(here, range(8))
    for number in range(8, 40):
        here.now += 120
        here.loses(f"S{number}")
    assert [each[3] for each in here.incidents()] == [10]


def test_sites_that_tell_of_their_outage_hours_later_join_by_its_onset(here: Region) -> None:
    lose(here, range(5))
    began = here.now
    for number in range(5):
        here.gets_back(f"S{number}")
    here.now += 4 * 3600
    here.loses("S9", ago=here.now - began - 90)
    assert [each[3:] for each in here.incidents()] == [(6, 1, None)]


def test_one_site_with_several_tickets_counts_once_and_has_all_of_them_linked(here: Region) -> None:
    here.loses("S0")
    second = change("S0", device="meter", episode="second")
    here.take(second)
    lose(here, range(1, 4))
    assert here.incidents() == []
    lose(here, [4])
    assert here.incidents()[0][3] == 6
    third = change("S0", device="rectifier", episode="third")
    here.take(third)
    assert here.incidents()[0][3] == 7


def silence(here: Region, site: str, words: str = "mains.lost") -> None:
    pending = change(site, words, kind=Kind.PENDING, state=S.PENDING, opened=False, episode=f"pending {site}")
    here.take(pending)

    assert fall_silent(here.ledger(), Silent("agent", site, 91.0, 30.0), 3)


def test_sites_that_fell_silent_after_their_mains_began_to_fail_belong_to_the_district_that_lost_mains(
    here: Region,
) -> None:
    lose(here, range(3))
    silence(here, "S8")
    silence(here, "S9")
    assert here.incidents() == [(1, "mains.lost", "east", 5, 5, None)]


def test_a_site_that_fell_silent_for_no_known_reason_is_another_cause() -> None:
    assert cause_of("site.silent", "S1/ups/-/mains.lost") == "mains.lost"
    assert cause_of("site.silent", "S1/door/-/door.open") == "site.silent"
    assert cause_of("fan.stopped") == ""


def test_a_merged_ticket_leaves_its_place_to_the_one_that_goes_on(here: Region) -> None:
    lose(here, range(5))
    here.take(change("S0", fault="fan.stopped", episode="fan"))
    (other,) = here.rows("SELECT number FROM tickets WHERE fault = 'fan.stopped'")
    append(here.ledger(), 1, "Li", "page", MergedInto(other["number"], "one cause"))
    going = here.rows("SELECT ticket FROM incident_tickets WHERE ended IS NULL ORDER BY ticket")
    assert [row["ticket"] for row in going] == [2, 3, 4, 5, other["number"]]
    assert here.incidents()[0][3:5] == (6, 5)
    assert tables(rebuilt(here.db)) == tables(here.db)


def test_a_persons_rule_holds_from_the_next_entry_on_and_is_replayed(here: Region) -> None:
    lose(here, range(3))
    set_rule(here.db, Rule(4, 60.0), here.now, "Li", "page")
    assert rule_of(here.db) == Rule(4, 60.0)
    lose(here, [3])
    set_rule(here.db, Rule(50, 60.0), here.now, "Li", "page")
    lose(here, range(4, 20))
    assert [each[3] for each in here.incidents()] == [4]
    assert tables(rebuilt(here.db)) == tables(here.db)
    with pytest.raises(ValueError, match="2 to 1000 sites"):
        set_rule(here.db, Rule(1, 60.0), here.now, "Li", "page")


def test_entries_that_are_no_outage_change_nothing(here: Region) -> None:
    lose(here, range(5))
    before = tables(here.db)
    append(here.ledger(), 3, "Li", "page", LevelSet(1, "hospital"))
    assert tables(here.db) == before


def test_tickets_of_an_older_version_are_in_no_incident_until_they_open_again(here: Region) -> None:
    site = here.site("S9")
    here.take(change("S9", episode="old", state=S.SUPPRESSED, kind=Kind.SUPPRESSED, opened=False))
    here.db.execute(
        'INSERT INTO tickets (condition, site, state, level, provisional, "case", opened, episode, acknowledged_by,'
        " explained_by, shelved) VALUES ('S9/ups/-/mains.lost', ?, 'open', 2, 0, 'lost', ?, 'old', '', '', 0)",
        (site.id, here.now - 60),
    )
    assert carry_over(here.ledger()) == 1
    lose(here, range(4))
    assert here.incidents() == []
    here.gets_back("S9")
    here.loses("S9")
    assert here.incidents()[0][3] == 5
    assert tables(rebuilt(here.db)) == tables(here.db)


# --- the rule itself, against all windows tried one by one ---------------------------------------------------------

ONSETS = st.lists(st.integers(0, 40), min_size=1, max_size=25)


@given(ONSETS, st.integers(2, 5), st.integers(0, 15))
def test_a_run_is_found_when_some_window_around_the_onset_holds_enough(
    onsets: list[int], count: int, within: int
) -> None:
    rule, new, *near = Rule(count, float(within)), *(Outage(n, f"S{n}", float(at)) for n, at in enumerate(onsets, 1))
    near = [each for each in near if abs(each.onset - new.onset) <= within]
    run = together(new, near, rule)
    windows = [begin for begin in range(-20, 61) if begin <= new.onset <= begin + within]
    enough = any(1 + sum(begin <= each.onset <= begin + within for each in near) >= count for begin in windows)
    assert bool(run) == enough
    assert not run or (new in run and len(run) == count and run[-1].onset - run[0].onset <= within)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["lose", "lose", "lose", "late", "back", "rule"]),
        st.integers(0, 11),
        st.sampled_from([0.0, 1.0, 30.0, 100.0, 299.0, 400.0, 5000.0, 90_000.0]),
    ),
    max_size=60,
)


@settings(max_examples=120, deadline=None)
@given(MOVES)
def test_whatever_comes_the_books_add_up_and_a_replay_of_the_entries_gives_the_same(
    moves: list[tuple[str, int, float]],
) -> None:
    here = Region()
    set_rule(here.db, Rule(3, 300.0), here.now, "Li", "")
    for move, number, wait in moves:
        here.now += wait
        last = here.last.get(f"S{number}/ups/-/mains.lost")
        out = last is not None and last.alarm.active
        if move in {"lose", "late"} and not out:
            here.loses(f"S{number}", ago=0.0 if move == "lose" else 250.0)
        elif move == "back" and out:
            here.gets_back(f"S{number}")
        elif move == "rule":
            set_rule(here.db, Rule(2 + number % 3, min(60.0 + wait, 86_400.0)), here.now, "Li", "")
        _add_up(here)
    assert tables(rebuilt(here.db)) == tables(here.db)


def _add_up(here: Region) -> None:
    for row in here.rows("SELECT * FROM incidents"):
        members = here.rows("SELECT * FROM incident_tickets WHERE incident = ?", row["number"])
        going = [each for each in members if each["ended"] is None]
        assert (row["tickets"], row["going"]) == (len(members), len(going))
        assert (row["ended"] is None) == bool(going)
        assert row["first"] <= min(each["onset"] for each in members)
        assert row["last"] >= max(each["onset"] for each in members)
    open_ = {row["number"] for row in here.rows("SELECT number FROM tickets WHERE state = 'open'")}
    assert {row["ticket"] for row in here.rows("SELECT ticket FROM outages WHERE ended IS NULL")} == open_
    assert {row["ticket"] for row in here.rows("SELECT ticket FROM incident_tickets WHERE ended IS NULL")} <= open_


@of_a_file
def test_an_event_costs_the_same_in_a_storm_of_thousands(here: Region) -> None:
    def steps(first: int, last: int) -> float:
        count = 0

        def one() -> int:
            nonlocal count
            count += 1
            return 0

        here.db.set_progress_handler(one, 1)
        lose(here, range(first, last), every=0.006)
        here.db.set_progress_handler(None, 0)
        return count / (last - first)

    here.db.execute("BEGIN")
    lose(here, range(100), every=0.006)
    few = steps(100, 200)
    lose(here, range(200, 2400), every=0.006)
    many = steps(2400, 2500)
    here.db.execute("COMMIT")
    assert many < 1.15 * few
    assert here.incidents() == [(1, "mains.lost", "east", 2500, 2500, None)]


# --- a root and what it explains -----------------------------------------------------------------------------------


def explained(site: str, fault: str, by: str, **alarm: Any) -> Change:
    return change(
        site,
        fault,
        kind=Kind.SUPPRESSED,
        state=S.SUPPRESSED,
        opened=False,
        explained_by=by,
        episode=f"{site} {fault}",
        **alarm,
    )


def test_what_a_root_explains_stands_on_its_ticket_whether_it_came_before_or_after(here: Region) -> None:
    root = "S1/ups/-/mains.lost"
    here.take(explained("S1", "rectifier.failed", root))
    here.take(explained("S1", "fan.stopped", "S1/ups/-/rectifier.failed"))
    here.loses("S1")
    here.take(explained("S1", "battery.on_battery", root))
    found = children_of(here.db, 1)
    assert sorted(child.change.origin.fault for child in found) == [
        "battery.on_battery", "fan.stopped", "rectifier.failed",
    ]  # fmt: skip
    assert len(here.rows("SELECT * FROM tickets")) == 1
    over = later(found[0].change, Kind.CLEARED, S.NORMAL, active=False, case="", explained_by="")
    here.take(over)
    assert [child.active for child in children_of(here.db, 1)] == [True, True, False]


def test_a_ticket_of_its_own_that_a_root_explains_later_is_tied_to_the_roots(here: Region) -> None:
    own = change("S1", "rectifier.failed", episode="own")
    here.take(own)
    here.take(later(own, Kind.SUPPRESSED, S.SUPPRESSED, explained_by="S1/ups/-/mains.lost"))
    here.loses("S1")
    assert ties(here, 1) == [(Tie.CHILD, 2)]
    assert [child.condition for child in children_of(here.db, 2)] == ["S1/ups/-/rectifier.failed"]


def test_the_silence_of_a_site_is_tied_to_the_mains_failure_that_explains_it(here: Region) -> None:
    here.loses("S1")
    assert fall_silent(here.ledger(), Silent("agent", "S1", 91.0, 30.0), 3)
    assert ties(here, 2) == [(Tie.CHILD, 1)]


def test_an_alarm_that_only_presumes_its_parent_stands_on_no_ticket_but_its_own(here: Region) -> None:
    here.loses("S1")
    presumed = change("S1", "rectifier.failed", kind=Kind.PENDING, state=S.PENDING, opened=False, episode="c",
                      explained_by="S1/ups/-/mains.lost")  # fmt: skip
    here.take(presumed)
    assert children_of(here.db, 1) == []
    raised = later(presumed, Kind.RAISED, S.UNACKNOWLEDGED, explained_by="", opened=True)
    here.take(raised)
    assert (children_of(here.db, 1), ties(here, 2)) == ([], [])
    here.gets_back("S1")
    here.take(later(raised, Kind.UPDATED, S.PENDING, explained_by="S1/ups/-/mains.lost"))
    here.loses("S1")
    assert (children_of(here.db, 1), ties(here, 2)) == ([], [])


def test_a_child_that_has_a_ticket_of_its_own_by_now_says_which(here: Region) -> None:
    here.loses("S1")
    child = explained("S1", "rectifier.failed", "S1/ups/-/mains.lost")
    here.take(child)
    assert [(each.active, each.ticket) for each in children_of(here.db, 1)] == [(True, 0)]
    here.take(later(child, Kind.RAISED, S.UNACKNOWLEDGED, explained_by="", opened=True))
    assert [(each.active, each.ticket) for each in children_of(here.db, 1)] == [(True, 2)]


@pytest.mark.parametrize("heard_first", [True, False])
def test_a_silence_is_tied_to_the_mains_failure_that_the_site_tells_of_when_it_is_back(
    here: Region, heard_first: bool
) -> None:
    pending = change("S1", kind=Kind.PENDING, state=S.PENDING, opened=False, episode="p")
    here.take(pending)
    here.now += 100
    assert fall_silent(here.ledger(), Silent("agent", "S1", 91.0, 30.0), 3)
    here.now += 3600
    if heard_first:
        assert heard_again(here.ledger(), here.site("S1"))
    raised = later(pending, Kind.RAISED, S.UNACKNOWLEDGED, opened=True)
    here.take(replace(raised, boot=pending.boot + 3700))
    if not heard_first:
        assert heard_again(here.ledger(), here.site("S1"))
    assert ties(here, 1) == [(Tie.CHILD, 2)]
    assert [(each.condition, each.active) for each in children_of(here.db, 2)] == [("S1/-/-/site.silent", False)]


def test_a_silence_of_another_time_has_nothing_to_do_with_mains_that_fail_now(here: Region) -> None:
    silence(here, "S1")
    here.now += 3600
    heard_again(here.ledger(), here.site("S1"))
    here.now += 3600
    here.loses("S1")
    assert (ties(here, 1), children_of(here.db, 2)) == ([], [])


def ties(here: Region, ticket: int) -> list[tuple[Tie, int]]:
    record = record_of(here.db, ticket)
    assert record is not None
    return [(bond.tie, bond.number) for bond in record.bonds]

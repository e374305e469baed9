"""The other contracts by hand: every limit of each, its boundaries, and what each says besides."""

from pathlib import Path

import pytest

from config.contract import load_contract, read_contract
from model.contract import DayRule, Handling, Lasting, Milestone, Start
from model.due import DayEnd
from model.level import assign
from model.limits import Situation, blanks_for, limits_for
from model.rule import Meaning
from tests.contract_case import Case, check

REMOTE, ON_SITE = Handling.REMOTE, Handling.ON_SITE
EVE = "2026-09-30 17:50:00"  # the eve of National Day, a Wednesday

ABCD = {
    "A": Case(EVE, {"respond": "2026-09-30 18:20:00"}, level=1),
    "B": Case(EVE, {"respond": "2026-09-30 18:50:00"}, level=2),
    "C": Case(EVE, {"respond": "2026-09-30 19:50:00"}, level=3),
    "D": Case(EVE, {"respond": "2026-09-30 21:50:00"}, level=4),
    # phone duty ends at 23:00; the clock runs on
    "A at night": Case("2026-10-01 23:45:00", {"respond": "2026-10-02 00:15:00"}, level=1),
    "D over a leap day": Case("2028-02-28 22:00:00", {"respond": "2028-02-29 02:00:00"}, level=4),
    # found twelve minutes before the ticket opened
    "found before": Case(EVE, {"respond": "2026-09-30 18:08:00"}, level=1, times={"found": "2026-09-30 17:38:00"}),
    # an acknowledgement stops nothing: the same due time
    "taken": Case(EVE, {"respond": "2026-09-30 18:20:00"}, level=1, times={"accept": "2026-09-30 17:51:00"}),
    "paused": Case(EVE, {"respond": "2026-10-01 00:10:00"}, level=2,
                   pauses=(("2026-09-30 18:40:00", "2026-10-01 00:00:00"),)),
}  # fmt: skip

LTSA = {
    "a system fault on site inside the ring": Case(
        EVE, {"respond": "2026-09-30 18:20:00", "contact": "2026-10-01 05:50:00", "arrive": "2026-10-01 17:50:00",
              "resolve": "2026-10-02 17:50:00"}, level=1, region="outer_ring"),
    "a hardware fault on site inside the ring": Case(
        EVE, {"respond": "2026-09-30 18:20:00", "contact": "2026-10-01 05:50:00", "arrive": "2026-10-01 17:50:00",
              "resolve": "2026-10-01 17:50:00"}, level=2, region="outer_ring"),
    # elsewhere the arrival is agreed case by case: no clock
    "a system fault elsewhere": Case(
        EVE, {"respond": "2026-09-30 18:20:00", "contact": "2026-10-01 05:50:00", "resolve": "2026-10-02 17:50:00"},
        level=1, region="elsewhere"),
    "a hardware fault handled remotely": Case(
        EVE, {"respond": "2026-09-30 18:20:00", "restore": "2026-09-30 20:50:00", "resolve": "2026-10-01 17:50:00"},
        level=2, region="elsewhere", handling=REMOTE),
    "the call came at 17:30": Case(
        EVE, {"respond": "2026-09-30 18:00:00", "restore": "2026-09-30 20:30:00", "resolve": "2026-10-02 17:30:00"},
        level=1, region="outer_ring", handling=REMOTE, times={"report": "2026-09-30 17:30:00"}),
    # 48 h over 29 February 2028
    "over a leap day": Case(
        "2028-02-28 12:00:00", {"respond": "2028-02-28 12:30:00", "contact": "2028-02-29 00:00:00",
                                "resolve": "2028-03-01 12:00:00"}, level=1, region="elsewhere"),
    # three hours, one of them paused, over midnight
    "a pause across midnight": Case(
        "2026-10-09 22:00:00", {"respond": "2026-10-09 22:30:00", "restore": "2026-10-10 02:00:00",
                                "resolve": "2026-10-10 23:00:00"},
        level=2, region="elsewhere", handling=REMOTE, pauses=(("2026-10-09 23:30:00", "2026-10-10 00:30:00"),)),
}  # fmt: skip

PUBLIC = {
    "after-sales": Case(EVE, {"respond": "2026-09-30 18:50:00", "arrive": "2026-09-30 21:50:00",
                              "substitute": "2026-10-01 17:50:00"}, grade="after_sales"),
    "warranty": Case(EVE, {"respond": "2026-09-30 19:50:00", "arrive": "2026-10-01 17:50:00",
                           "resolve": "2026-10-07 17:50:00"}, grade="warranty"),
    "after the warranty": Case(EVE, {"arrive": "2026-09-30 21:50:00"}, grade="after_warranty"),
    # 7 x 24 h from 26 February 2028, over the 29th
    "warranty over a leap day": Case("2028-02-26 09:00:00", {"respond": "2028-02-26 11:00:00",
                                                             "arrive": "2028-02-27 09:00:00",
                                                             "resolve": "2028-03-04 09:00:00"}, grade="warranty"),
    # the written notice came the next morning
    "warranty by notice": Case(EVE, {"respond": "2026-10-01 10:30:00", "arrive": "2026-10-02 08:30:00",
                                     "resolve": "2026-10-08 08:30:00"}, grade="warranty",
                               times={"report": "2026-10-01 08:30:00"}),
    "after-sales at midnight": Case("2026-12-31 20:00:00", {"respond": "2026-12-31 21:00:00",
                                                            "arrive": "2027-01-01 00:00:00",
                                                            "substitute": "2027-01-01 20:00:00"}, grade="after_sales"),
    "no grade said": Case(EVE, {}),
}  # fmt: skip

SUPPLIER, AFFECTED = "supplier_needed", "system_affected"
# Working days after the eve: 8, 9 October, Saturday the 10th (a make-up working day), 12, 13, 14, 15.
FIRE = {
    "same city": Case(EVE, {"arrive": "2026-09-30 19:50:00", "resolve": "2026-10-01 17:50:00"}, region="same_city"),
    "another city": Case(EVE, {"arrive": "2026-09-30 23:50:00", "resolve": "2026-10-01 17:50:00"}, region="elsewhere"),
    # the third is the make-up Saturday, to its 24:00
    "supplier, system affected": Case(EVE, {"arrive": "2026-09-30 19:50:00", "resolve": "2026-10-11 00:00:00"},
                                      region="same_city", when=(SUPPLIER, AFFECTED)),
    # the seventh is Thursday the 15th
    "supplier, system not affected": Case(EVE, {"arrive": "2026-09-30 23:50:00", "resolve": "2026-10-16 00:00:00"},
                                          region="elsewhere", when=(SUPPLIER,)),
    # the system is affected and no supplier is needed: 24 h
    "affected alone": Case(EVE, {"arrive": "2026-09-30 19:50:00", "resolve": "2026-10-01 17:50:00"},
                           region="same_city", when=(AFFECTED,)),
    # a notice on a holiday: the first working day is the 8th
    "on a holiday": Case("2026-10-03 09:00:00", {"arrive": "2026-10-03 11:00:00", "resolve": "2026-10-11 00:00:00"},
                         region="same_city", when=(SUPPLIER, AFFECTED)),
    # on the make-up Saturday itself: the next are Monday to Wednesday
    "on a make-up Saturday": Case("2026-10-10 09:00:00", {"arrive": "2026-10-10 11:00:00",
                                                          "resolve": "2026-10-15 00:00:00"},
                                  region="same_city", when=(SUPPLIER, AFFECTED)),
    # an ordinary weekend: Friday, then Monday to Wednesday
    "over a weekend": Case("2026-11-06 23:59:59", {"arrive": "2026-11-07 01:59:59", "resolve": "2026-11-12 00:00:00"},
                           region="same_city", when=(SUPPLIER, AFFECTED)),
    # 28 February 2024: the first of three is the leap day, then 1 and (after the weekend) 4 March
    "over a leap day": Case("2024-02-28 09:00:00", {"arrive": "2024-02-28 11:00:00", "resolve": "2024-03-05 00:00:00"},
                            region="same_city", when=(SUPPLIER, AFFECTED)),
    # Spring Festival 2026: 13 February is a Friday, Saturday the 14th works, 15 to 23 are off, then 24, 25
    "over Spring Festival": Case("2026-02-13 16:00:00", {"arrive": "2026-02-13 18:00:00",
                                                         "resolve": "2026-02-26 00:00:00"},
                                 region="same_city", when=(SUPPLIER, AFFECTED)),
    # 24 h, six of them paused, over midnight
    "a pause across midnight": Case(EVE, {"arrive": "2026-09-30 19:50:00", "resolve": "2026-10-01 23:50:00"},
                                    region="same_city", pauses=(("2026-09-30 23:00:00", "2026-10-01 05:00:00"),)),
}  # fmt: skip

GENERAL = {
    "serious": Case(EVE, {"resolve": "2026-10-01 17:50:00"}, level=1),
    "general": Case(EVE, {"resolve": "2026-09-30 19:50:00"}, level=2),
    "general over midnight": Case("2026-09-30 22:30:30", {"resolve": "2026-10-01 00:30:30"}, level=2),
    "serious on a leap day": Case("2028-02-28 23:59:59", {"resolve": "2028-02-29 23:59:59"}, level=1),
}

POWER = {
    # calendar days: National Day does not matter
    "the eve": Case(EVE, {"respond": "2026-09-30 18:20:00", "arrive": "2026-10-01 17:50:00",
                          "resolve": "2026-10-03 17:50:00"}),
    "over a leap day": Case("2028-02-27 00:00:00", {"respond": "2028-02-27 00:30:00", "arrive": "2028-02-28 00:00:00",
                                                    "resolve": "2028-03-01 00:00:00"}),
    "waiting on a part": Case(EVE, {"respond": "2026-09-30 18:20:00", "arrive": "2026-10-01 17:50:00",
                                    "resolve": "2026-10-04 05:50:00"},
                              pauses=(("2026-10-01 18:00:00", "2026-10-02 06:00:00"),)),
}  # fmt: skip

CAMERAS = {
    "the eve": Case(EVE, {"restore": "2026-10-03 17:50:00"}, fault="camera.blurred"),
    "over no leap day": Case("2027-02-26 10:00:00", {"restore": "2027-03-01 10:00:00"}),
    "over a leap day": Case("2028-02-26 10:00:00", {"restore": "2028-02-29 10:00:00"}),
    "a power cut": Case(EVE, {"restore": "2026-10-03 21:50:00"},
                        pauses=(("2026-10-01 22:00:00", "2026-10-02 02:00:00"),)),
}  # fmt: skip

MAINTAINED = {
    "level 1": Case(EVE, {}, level=1, grade="A"),
    "level 2": Case(EVE, {}, level=2, grade="B"),
    # 3 working days after Monday 28 September: 29, 30, and 8 October after National Day
    "an inspection": Case(EVE, {}, level=3, grade="C", times={"inspection_end": "2026-09-28 10:00:00"},
                          duties={"inspection_report": "2026-10-09 00:00:00"}),
    # Saturday 10 October is a make-up working day: 9, 10, 12
    "an inspection before a make-up Saturday": Case(EVE, {}, level=3, times={"inspection_end": "2026-10-08 18:00:00"},
                                                    duties={"inspection_report": "2026-10-13 00:00:00"}),
}  # fmt: skip

TABLES = {
    "outsourcing-abcd": ABCD,
    "ltsa": LTSA,
    "public-sector": PUBLIC,
    "fire": FIRE,
    "general-serious": GENERAL,
    "power-vendor": POWER,
    "cameras": CAMERAS,
    "tower-4-level": {f"level {level}": Case(EVE, {}, level=level) for level in (1, 2, 3, 4)},
    "maintenance-3-level": MAINTAINED,
}


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in TABLES.items() for row in rows])
def test_what_is_due_when_is_what_was_worked_out_by_hand(name: str, row: str) -> None:
    check(name, TABLES[name][row])


@pytest.mark.parametrize("name", TABLES)
def test_every_limit_of_a_contract_stands_in_its_table(name: str) -> None:
    contract = load_contract(name).contract
    tried = {
        limit
        for case in TABLES[name].values()
        for limit in limits_for(
            contract, Situation(case.level, case.region, case.grade, case.fault, case.handling, frozenset(case.when))
        )
    }
    assert set(contract.limits) - tried == set()


# --- three levels with automatic upgrade ---------------------------------------------------------------------------

MAINTENANCE = load_contract("maintenance-3-level").contract


@pytest.mark.parametrize("grade", ["A", "B", "C"])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_grade_and_level_has_four_limits_to_be_filled_in(grade: str, level: int) -> None:
    blanks = blanks_for(MAINTENANCE, Situation(level, grade=grade))
    assert [(blank.milestone, blank.after) for blank in blanks] == [
        (Milestone.REMOTE, Start.REMOTE_REQUESTED),
        (Milestone.ARRIVE, Start.SITE_REQUESTED),
        (Milestone.RESTORE, Start.REQUESTED),
        (Milestone.RESOLVE, Start.REQUESTED),
    ]


def test_a_site_fills_the_table_in_with_a_contract_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(
        "extends: maintenance-3-level\ntitle: {en: Ours, zh: 我方}\nlimits:\n"
        "  - {milestone: restore, within: 4h, level: 1, grade: A}\n"
        "  - {milestone: restore, within: 6h, level: 1, grade: B}\n"
        "  - {milestone: arrive, within: 2h, after: site_requested, grade: A}\n"
    )
    contract = read_contract(tmp_path / "ours.yaml").contract
    assert contract.name == "ours"
    assert contract.upgrade == MAINTENANCE.upgrade
    times = {"requested": "2026-09-30 18:00:00", "site_requested": "2026-09-30 19:00:00"}
    check(contract, Case(EVE, {"restore": "2026-09-30 22:00:00", "arrive": "2026-09-30 21:00:00"}, grade="A",
                         times=times))  # fmt: skip
    check(contract, Case(EVE, {"restore": "2026-10-01 00:00:00"}, grade="B", times=times))
    assert [b.milestone for b in blanks_for(contract, Situation(1, grade="A"))] == [Milestone.REMOTE, Milestone.RESOLVE]
    assert len(blanks_for(contract, Situation(2, grade="C"))) == 4


def test_a_breach_of_restoring_or_resolving_raises_the_level_and_counts_from_the_original_start() -> None:
    upgrade = MAINTENANCE.upgrade
    assert upgrade is not None
    assert (upgrade.on, upgrade.counts_from) == ((Milestone.RESTORE, Milestone.RESOLVE), "original_start")


def test_an_interruption_of_one_hour_from_its_onset_is_level_one() -> None:
    assert MAINTENANCE.lasting == (Lasting(1, 3600.0, Start.ONSET, Meaning.INTERRUPTION),)


@pytest.mark.parametrize(
    ("fault", "level"), [("redundancy.lost", 2), ("site.silent", 2), ("device.restarted", 2), ("data.lost", 1)]
)
def test_the_named_examples_have_their_levels(fault: str, level: int) -> None:
    assert assign(MAINTENANCE, fault, "", Meaning.INDIRECT).level == level


def test_the_call_centre_is_promised_and_not_clocked() -> None:
    figures = {each.key: (each.at_least, each.within) for each in MAINTENANCE.promises}
    assert (figures["phone_answered"], figures["phone_reply"]) == ((0.95, 30.0), (None, 1800.0))
    assert (MAINTENANCE.recurrence.years, MAINTENANCE.recurrence.stated) == (1, True)


# --- what the others say besides -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["public-sector", "fire", "power-vendor", "cameras"])
def test_where_there_is_one_level_no_fault_is_provisional(name: str) -> None:
    assert assign(load_contract(name).contract, "mains.lost", "lost", Meaning.DANGER).provisional is False
    assert assign(load_contract("ltsa").contract, "mains.lost", "lost", Meaning.DANGER).provisional is True


def test_classes_a_to_d_are_levels_in_that_order_and_an_acknowledgement_stops_nothing() -> None:
    contract = load_contract("outsourcing-abcd").contract
    assert [contract.code(level) for level in contract.levels] == ["A", "B", "C", "D"]
    assert contract.acknowledgement_stops is None
    assert [blank.milestone for blank in blanks_for(contract, Situation(1))] == [Milestone.RESOLVE]


def test_an_arrival_outside_the_ring_is_agreed_case_by_case() -> None:
    contract = load_contract("ltsa").contract
    (blank,) = blanks_for(contract, Situation(1, region="elsewhere"))
    assert (blank.milestone, blank.negotiated) == (Milestone.ARRIVE, True)
    assert blanks_for(contract, Situation(1, region="outer_ring")) == ()
    assert blanks_for(contract, Situation(1, region="elsewhere", handling=REMOTE)) == ()
    (penalty,) = contract.penalties
    assert (penalty.event, penalty.share, penalty.points) == ("response_late_with_loss", 1.0, None)


def test_a_substitute_is_not_needed_once_the_fault_is_cleared() -> None:
    contract = load_contract("public-sector").contract
    (limit,) = [each for each in contract.limits if each.milestone is Milestone.SUBSTITUTE]
    assert limit.stopped_by == (Milestone.RESTORE, Milestone.RESOLVE, Milestone.SUBSTITUTE)
    assert contract.entitlement.warranty_years == 3


def test_cameras_know_seven_excuses_and_an_intact_rate() -> None:
    contract = load_contract("cameras").contract
    assert [each.key for each in contract.excuses] == [
        "municipal_works", "network_failure", "power_cut", "disaster", "new_maintenance", "force_majeure", "disputed",
    ]  # fmt: skip
    assert {each.key: each.at_least for each in contract.promises}["intact_rate"] == 0.98


def test_the_towers_levels_have_their_delays_and_no_limits() -> None:
    contract = load_contract("tower-4-level").contract
    assert contract.on_delays == {1: 60.0, 2: 120.0, 3: 180.0, 4: 240.0}
    assert (contract.off_delay, contract.limits, contract.blanks) == (20.0, (), ())


@pytest.mark.parametrize("name", [*TABLES, "telecom-transmission"])
def test_days_are_exact_and_working_days_end_at_midnight_and_both_are_told_where_they_count(name: str) -> None:
    contract = load_contract(name).contract
    assert (contract.day_rule, contract.day_ends) == (DayRule.EXACT, DayEnd.MIDNIGHT)
    days = [limit for limit in contract.limits if limit.said.endswith("d")]
    assert all(limit.open for limit in days)

"""The transmission contract by hand: regions and legs, remote, levels 2 to 4, documents, working days, penalties."""

import pytest

from config.contract import load_contract
from model.contract import Handling, Milestone, Momentary, Word
from model.limits import Situation, limits_for
from tests.contract_case import Case, check

CONTRACT = load_contract("telecom-transmission").contract
EVE = "2026-09-30 17:50:00"  # the eve of National Day, a Wednesday


def on_site(region: str, begins: str, *ends: str) -> Case:
    """Level 1 on site: departing, arriving, restoring (as the last leg and the whole), and the form 48 h later."""
    depart, arrive, restore, form = ends
    due = {"depart": depart, "arrive": arrive, "restore": restore, "total": restore}
    return Case(begins, due, region=region, duties={"fault_form": form})


LEVEL_ONE = {
    # 1 + 2 + 2 = 5 h
    "Guangzhou": on_site("gz_sz_dg", EVE, "2026-09-30 18:50:00", "2026-09-30 20:50:00", "2026-09-30 22:50:00",
                         "2026-10-02 22:50:00"),
    # 1 + 3 + 2 = 6 h
    "Zhuhai": on_site("prd", EVE, "2026-09-30 18:50:00", "2026-09-30 21:50:00", "2026-09-30 23:50:00",
                      "2026-10-02 23:50:00"),
    # 1 + 5 + 2 = 8 h
    "the rest": on_site("rest", EVE, "2026-09-30 18:50:00", "2026-09-30 23:50:00", "2026-10-01 01:50:00",
                        "2026-10-03 01:50:00"),
    # 1 + 7 + 2 = 10 h
    "Zhanjiang": on_site("west_east", EVE, "2026-09-30 18:50:00", "2026-10-01 01:50:00", "2026-10-01 03:50:00",
                         "2026-10-03 03:50:00"),
    # 14:00:00 + 10 h is 24:00, the next day's 00:00:00
    "exactly midnight": on_site("west_east", "2026-10-09 14:00:00", "2026-10-09 15:00:00", "2026-10-09 22:00:00",
                                "2026-10-10 00:00:00", "2026-10-12 00:00:00"),
    # the year ends between arriving and restoring
    "over the year's end": on_site("gz_sz_dg", "2026-12-31 20:30:15", "2026-12-31 21:30:15", "2026-12-31 23:30:15",
                                   "2027-01-01 01:30:15", "2027-01-03 01:30:15"),
    # 2028 is a leap year: 28 February 18:00 + 10 h is 29 February 04:00, and 48 h later 2 March
    "into a leap day": on_site("west_east", "2028-02-28 18:00:00", "2028-02-28 19:00:00", "2028-02-29 02:00:00",
                               "2028-02-29 04:00:00", "2028-03-02 04:00:00"),
    # 2027 is none: the day after 28 February is 1 March
    "no leap day": on_site("rest", "2027-02-28 18:00:00", "2027-02-28 19:00:00", "2027-03-01 00:00:00",
                           "2027-03-01 02:00:00", "2027-03-03 02:00:00"),
}  # fmt: skip

REACHED = {
    # departed half an hour early: the legs move with it, the whole stays 10 h from the report
    "departed early": Case(
        EVE,
        {"depart": "2026-09-30 18:50:00", "arrive": "2026-10-01 01:20:00", "restore": "2026-10-01 03:20:00",
         "total": "2026-10-01 03:50:00"},
        region="west_east", times={"depart": "2026-09-30 18:20:00"}, duties={"fault_form": "2026-10-03 03:20:00"},
    ),
    # departed forty minutes late: the legs may end after the whole
    "departed late": Case(
        EVE,
        {"depart": "2026-09-30 18:50:00", "arrive": "2026-10-01 02:30:00", "restore": "2026-10-01 04:30:00",
         "total": "2026-10-01 03:50:00"},
        region="west_east", times={"depart": "2026-09-30 19:30:00"}, duties={"fault_form": "2026-10-03 03:50:00"},
    ),
    # arrived at 23:00: 2 h to restore from there
    "arrived": Case(
        EVE,
        {"depart": "2026-09-30 18:50:00", "arrive": "2026-10-01 01:50:00", "restore": "2026-10-01 01:00:00",
         "total": "2026-10-01 03:50:00"},
        region="west_east", times={"arrive": "2026-09-30 23:00:00"}, duties={"fault_form": "2026-10-03 01:00:00"},
    ),
    # restored at 00:10:05: the form 48 h after that
    "restored": Case(
        EVE,
        {"depart": "2026-09-30 18:50:00", "arrive": "2026-09-30 20:50:00", "restore": "2026-09-30 22:50:00",
         "total": "2026-09-30 22:50:00"},
        region="gz_sz_dg", times={"restore": "2026-10-01 00:10:05"}, duties={"fault_form": "2026-10-03 00:10:05"},
    ),
    # the customer's call came twenty minutes before the ticket opened: the report rules
    "reported before": Case(
        EVE,
        {"depart": "2026-09-30 18:30:00", "arrive": "2026-09-30 20:30:00", "restore": "2026-09-30 22:30:00",
         "total": "2026-09-30 22:30:00"},
        region="gz_sz_dg", times={"report": "2026-09-30 17:30:00"}, duties={"fault_form": "2026-10-02 22:30:00"},
    ),
    # a time of acceptance moves nothing at level 1
    "accepted": Case(
        EVE,
        {"depart": "2026-09-30 18:50:00", "arrive": "2026-09-30 20:50:00", "restore": "2026-09-30 22:50:00",
         "total": "2026-09-30 22:50:00"},
        region="gz_sz_dg", times={"accepted": "2026-09-30 18:30:00"}, duties={"fault_form": "2026-10-02 22:50:00"},
    ),
}  # fmt: skip

OTHERS = {
    "remote": Case(EVE, {"total": "2026-09-30 20:50:00"}, region="west_east", handling=Handling.REMOTE,
                   duties={"fault_form": "2026-10-02 20:50:00"}),
    "remote without a region": Case("2026-09-30 21:00:00", {"total": "2026-10-01 00:00:00"}, handling=Handling.REMOTE,
                                    duties={"fault_form": "2026-10-03 00:00:00"}),
    # 7 x 24 h; the holiday does not matter
    "level 2": Case(EVE, {"resolve": "2026-10-07 17:50:00"}, level=2),
    "level 2 by region": Case(EVE, {"resolve": "2026-10-07 17:50:00"}, level=2, region="gz_sz_dg"),
    "level 2 from acceptance": Case(EVE, {"resolve": "2026-10-07 19:00:01"}, level=2,
                                    times={"accepted": "2026-09-30 19:00:01"}),
    "management down": Case(EVE, {"resolve": "2026-10-01 17:50:00"}, level=2, fault="network.management_down"),
    # 10 x 24 h: 25 February + 10 days, with a 29th of February and without
    "level 3 over a leap day": Case("2028-02-25 08:00:01", {"resolve": "2028-03-06 08:00:01"}, level=3),
    "level 4 without one": Case("2027-02-25 08:00:01", {"resolve": "2027-03-07 08:00:01"}, level=4),
    # management down has its day at level 2 alone
    "management down at level 3": Case(EVE, {"resolve": "2026-10-10 17:50:00"}, level=3,
                                       fault="network.management_down"),
    # 24 h each to the second: after the clock went back on 25 October the wall shows an hour less
    "where the clock goes back": Case("2026-10-20 12:00:00", {"resolve": "2026-10-30 11:00:00"}, level=4,
                                      zone="Europe/Berlin"),
}  # fmt: skip

PAUSED = {
    # departed by 18:50; the pause from 20:00 to 02:00 costs 6 h of arriving, and of the whole
    "a pause across midnight": Case(
        EVE,
        {"depart": "2026-09-30 18:50:00", "arrive": "2026-10-01 02:50:00", "restore": "2026-10-01 04:50:00",
         "total": "2026-10-01 04:50:00"},
        region="gz_sz_dg", pauses=(("2026-09-30 20:00:00", "2026-10-01 02:00:00"),),
        duties={"fault_form": "2026-10-03 04:50:00"},
    ),
    # a pause that begins as the limit ends costs it nothing
    "a pause from the very end": Case(EVE, {"total": "2026-09-30 20:50:00"}, handling=Handling.REMOTE,
                                      pauses=(("2026-09-30 20:50:00", "2026-09-30 21:50:00"),),
                                      duties={"fault_form": "2026-10-02 20:50:00"}),
    # one second before the end: the last second comes after the pause
    "a pause a second before": Case(EVE, {"total": "2026-09-30 21:50:00"}, handling=Handling.REMOTE,
                                    pauses=(("2026-09-30 20:49:59", "2026-09-30 21:49:59"),),
                                    duties={"fault_form": "2026-10-02 21:50:00"}),
    # two pauses that overlap by an hour are four hours, not five
    "pauses that overlap": Case(EVE, {"resolve": "2026-10-07 21:50:00"}, level=2,
                                pauses=(("2026-10-02 08:00:00", "2026-10-02 11:00:00"),
                                        ("2026-10-02 10:00:00", "2026-10-02 12:00:00"))),
    # what was paused before it began costs nothing
    "a pause before": Case(EVE, {"resolve": "2026-10-07 17:50:00"}, level=2,
                           pauses=(("2026-09-30 12:00:00", "2026-09-30 17:50:00"),)),
}  # fmt: skip

# Working days after Monday 28 September 2026: 29, 30 September, then National Day to 7 October, 8, 9, Saturday the
# 10th (a make-up working day), 12, 13 October.
DUTIES = {
    "an inspection before National Day": Case(
        "2026-09-28 10:00:00", {"resolve": "2026-10-05 10:00:00"}, level=2,
        times={"inspection_end": "2026-09-28 10:00:00"}, duties={"inspection_report": "2026-10-14 00:00:00"},
    ),
    # 1 working day after the eve is Thursday the 8th; 5 are 8, 9, 10 (Saturday), 12, 13
    "requests on the eve": Case(
        EVE, {"resolve": "2026-10-07 17:50:00"}, level=2, times={"request": EVE},
        duties={"analysis": "2026-10-05 17:50:00", "consultation": "2026-10-09 00:00:00",
                "upgrade_confirmation": "2026-10-10 00:00:00", "documents_request": "2026-10-14 00:00:00",
                "exchange_reply": "2026-10-14 00:00:00", "exchange": "2026-10-10 17:50:00",
                "meeting_reply": "2026-10-14 00:00:00"},
    ),
    # 9 October is a Friday: the next working day is Saturday the 10th, the fifth is Thursday the 15th
    "confirmed before a make-up Saturday": Case(
        "2026-10-09 23:59:59", {"resolve": "2026-10-16 23:59:59"}, level=2, times={"confirmed": "2026-10-09 23:59:59"},
        duties={"difficult_confirmation": "2026-10-11 00:00:00", "upgrade_application": "2026-10-16 00:00:00"},
    ),
    # 27 February 2024 and 2 working days on is the leap day
    "on the leap day": Case(
        "2024-02-27 09:00:00", {"resolve": "2024-03-05 09:00:00"}, level=2, times={"upgrade": "2024-02-27 09:00:00"},
        duties={"spares_upgrade": "2024-02-29 09:00:00"},
    ),
    "a spare card": Case("2024-02-20 09:00:00", {"resolve": "2024-02-27 09:00:00"}, level=2,
                         times={"receipt": "2024-02-20 09:00:00"}, duties={"spare_return": "2024-03-06 09:00:00"}),
    # September ends as October begins: the 15th of October itself is in time
    "the monthly summary": Case("2026-09-25 09:00:00", {"resolve": "2026-10-02 09:00:00"}, level=2,
                                times={"month_end": "2026-10-01 00:00:00"},
                                duties={"service_summary": "2026-10-16 00:00:00"}),
    "no summary at level 1": Case("2026-09-25 09:00:00", {"total": "2026-09-25 12:00:00"}, handling=Handling.REMOTE,
                                  times={"month_end": "2026-10-01 00:00:00"},
                                  duties={"fault_form": "2026-09-27 12:00:00"}),
}  # fmt: skip


@pytest.mark.parametrize("row", LEVEL_ONE)
def test_level_one_has_three_legs_and_a_whole_by_region(row: str) -> None:
    check(CONTRACT, LEVEL_ONE[row])


@pytest.mark.parametrize("row", REACHED)
def test_a_leg_counts_from_the_milestone_before_as_it_was_reached(row: str) -> None:
    check(CONTRACT, REACHED[row])


@pytest.mark.parametrize("row", OTHERS)
def test_remote_handling_and_the_other_levels(row: str) -> None:
    check(CONTRACT, OTHERS[row])


@pytest.mark.parametrize("row", PAUSED)
def test_a_pause_costs_what_it_covers(row: str) -> None:
    check(CONTRACT, PAUSED[row])


@pytest.mark.parametrize("row", DUTIES)
def test_documents_and_services_count_days_and_working_days(row: str) -> None:
    check(CONTRACT, DUTIES[row])


@pytest.mark.parametrize(("region", "hours"), [("gz_sz_dg", 5), ("prd", 6), ("rest", 8), ("west_east", 10)])
def test_the_legs_of_a_region_add_up_to_its_whole(region: str, hours: int) -> None:
    here = [limit for limit in CONTRACT.limits if limit.region == region]
    assert [limit.name for limit in here] == ["depart", "arrive", "restore", "total"]
    assert sum(limit.span.amount for limit in here[:3]) == here[3].span.amount == hours * 3600


def test_every_city_stands_in_its_region() -> None:
    assert {region: [city["en"] for city in cities] for region, cities in CONTRACT.cities.items()} == {
        "gz_sz_dg": ["Guangzhou", "Shenzhen", "Dongguan"],
        "prd": ["Zhuhai", "Zhongshan", "Foshan", "Huizhou", "Qingyuan", "Jiangmen"],
        "west_east": ["Zhanjiang", "Maoming", "Shantou", "Chaozhou", "Meizhou"],
        "rest": [],
    }


def test_the_penalties_are_the_appendix_point_by_point() -> None:
    points = {penalty.event: (penalty.points, penalty.per) for penalty in CONTRACT.penalties}
    ones = {
        "document_late", "inspection_plan_change", "inspection_finding_late", "inspection_papers",
        "consultation_interface", "consultation_slow", "consultation_final_late", "software_uncertified",
        "software_not_approved", "software_spares_late", "software_failure_unreported", "documents_not_updated",
        "documents_slow", "documents_wrong", "exchange_short", "meeting_slow", "meeting_prepared", "meeting_followup",
    }  # fmt: skip
    twos = {
        "complaint", "inspection_fault", "cutover_support_late", "weak_support", "consultation_complaint",
        "software_operator_error",
    }  # fmt: skip
    assert points == {
        "fault_late": (-5, "ticket"),
        "unpermitted_operation": (-10, "time"),
        "inspection_missed": (-5, "time"),
        "inspection_fault_major": (-4, "time"),
        "hardware_support_late": (-5, "time"),
        "thanks": (1, "time"),
        **dict.fromkeys(twos, (-2, "time")),
        **dict.fromkeys(ones, (-1, "time")),
        **dict.fromkeys(("software_list_late", "software_unconfirmed", "exchange_slow"), (None, "time")),
    }


def test_a_number_that_is_missing_in_the_text_is_missing_here_and_says_so() -> None:
    assert [p.open for p in CONTRACT.penalties if p.points is None] == [("penalties.lost",)] * 3


def test_acceptance_and_completion_need_both_sides_and_an_acknowledgement_stops_nothing() -> None:
    assert [CONTRACT.word(each) for each in (Milestone.ACCEPT, Milestone.RESTORE, Milestone.RESOLVE)] == [Word.BOTH] * 3
    assert CONTRACT.acknowledgement_stops is None
    assert CONTRACT.upgrade is None


def test_the_excuses_are_verification_confirmation_the_cause_and_the_spare_part() -> None:
    keys = [excuse.key for excuse in CONTRACT.excuses]
    assert keys == ["not_verified", "not_confirmed", "not_vendor", "spare_unavailable"]


def test_level_one_is_told_to_the_province_at_once() -> None:
    (step,) = CONTRACT.escalation
    assert (step.to, step.levels, step.seconds, step.share) == ("province", (1,), 0.0, None)


def test_momentary_alarms_are_counted_by_a_number_of_ours_that_says_so() -> None:
    assert CONTRACT.momentary == Momentary("alarm.momentary", 3, 86_400.0, ("momentary.count",))
    assert CONTRACT.faults["alarm.momentary"] == 4


def test_every_limit_stands_in_a_table() -> None:
    rows = [*LEVEL_ONE.values(), *REACHED.values(), *OTHERS.values(), *PAUSED.values(), *DUTIES.values()]
    tried = {
        limit
        for row in rows
        for limit in limits_for(
            CONTRACT, Situation(row.level, row.region, row.grade, row.fault, row.handling, frozenset(row.when))
        )
    }
    assert set(CONTRACT.limits) - tried == set()

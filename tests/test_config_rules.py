"""Fault rules and contracts as they are shipped: complete, in two languages, layered, and what the facts say."""

from pathlib import Path

import msgspec
import pytest

from config import shipped
from config.contract import load_contract, parse_contract
from config.convert import Conversion
from config.fault_rules import load_faults, parse_faults
from config.reader import ConfigError, Table, read_text
from config.rulebook import RuleBook
from config.site import load_site
from model.decide import Scene, decide
from model.level import clocks, delays, level_of
from model.point import Point, Quality, Reading, point_id
from model.quantity import Quantity
from model.rule import AllOf, Compare, Op, Reach, Rule, Share

FAULTS = load_faults()
HEAD = "site: {id: north-1, name: North, contract: telecom-transmission}\n"

# Conditions of the contracts that no reading shows: people open them at the desk, or the desk itself does.
OPENED_BY_PEOPLE = {
    "traffic.interrupted",
    "traffic.errors",
    "network.management_down",
    "alarm.momentary",
    "order_wire.failed",
    "cabinet.signal_failed",
    "auxiliary.failed",
    "data.lost",
    "site.silent",
    "camera.power_lost",
    "camera.blocked",
    "camera.blurred",
    "camera.no_picture",
}


def filled(fault: str, **settings: str) -> Rule:
    rule = FAULTS[fault]
    conversion = Conversion()
    found = rule.fill({name: node.text for name, node in rule.defaults.items()} | settings, conversion)
    assert not conversion.problems
    assert found is not None
    return found


def book(tmp_path: Path, text: str) -> RuleBook:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return RuleBook(load_site(path))


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_faults([read_text(text, "f.yaml")])
    return str(caught.value)


def rule_text(when: str, more: str = "") -> str:
    return (
        "fan.broken:\n  title: {en: a, zh: b}\n  scope: device\n  cause: indeterminate\n  meaning: danger\n"
        f"  settings: {{limit: 5}}\n  when: {when}\n{more}"
    )


# --- rules ---------------------------------------------------------------------------------------------------------


def test_the_first_faults_are_all_there() -> None:
    assert {
        "battery.failed",
        "battery.hot",
        "battery.low",
        "battery.on_battery",
        "clock.wrong",
        "cpu.busy",
        "device.restarted",
        "device.unreachable",
        "disk.full",
        "door.open",
        "humidity.high",
        "inodes.short",
        "leak.detected",
        "mains.lost",
        "memory.short",
        "network.link_down",
        "reading.stale",
        "rectifier.failed",
        "redundancy.lost",
        "smoke.detected",
        "subrack.cooling",
        "swap.short",
        "temperature.high",
        "temperature.low",
        "ups.failed",
    } <= FAULTS.keys()


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_rule_is_named_in_both_languages_and_asks_something(fault: str) -> None:
    rule = filled(fault)
    for title in (rule.title, *(case.title for case in rule.cases)):
        assert title["en"].strip()
        assert any("\u4e00" <= sign <= "\u9fff" for sign in title["zh"])
    assert len({case.name for case in rule.cases}) == len(rule.cases)


def test_the_fan_rule_is_the_one_of_the_truth_table() -> None:
    hot = Compare(Quantity.EQUIPMENT_TEMPERATURE, Op.ABOVE, 45, deadband=2)
    stopped = Share(Quantity.FAN_RUNNING, ("stopped",), Op.ABOVE, 0)
    assert [(case.name, case.when) for case in filled("subrack.cooling").cases] == [
        ("over_temperature", hot),
        ("many_stopped", Share(Quantity.FAN_RUNNING, ("stopped",), Op.AT_LEAST, 0.30)),
        ("any_stopped", stopped),
    ]


def test_the_stricter_wording_of_the_fan_rule_is_two_settings() -> None:
    rule = filled("subrack.cooling", fan_fraction="more_than", over_temperature_needs_fan_fault="true")
    hot, stopped = Compare(Quantity.EQUIPMENT_TEMPERATURE, Op.ABOVE, 45, deadband=2), rule.cases[2].when
    assert rule.cases[0].when == AllOf((hot, stopped))
    assert rule.cases[1].when == Share(Quantity.FAN_RUNNING, ("stopped",), Op.ABOVE, 0.30)


def test_the_fan_rule_may_ask_for_the_rise_over_the_room() -> None:
    when = filled("subrack.cooling", temperature_is="rise").cases[0].when
    assert when == Compare(Quantity.EQUIPMENT_TEMPERATURE, Op.ABOVE, 45, 2, Quantity.AMBIENT_TEMPERATURE)


def test_a_case_with_a_deadband_has_no_delay_and_one_without_has_its_levels() -> None:
    contract = load_contract("telecom-transmission").contract
    hot, many, some = filled("subrack.cooling").cases
    assert delays(contract, hot, 2) == (0.0, 0.0)
    assert delays(contract, many, 3) == (180.0, 20.0)
    assert delays(contract, some, 4) == (240.0, 20.0)


@pytest.mark.parametrize("fault", ["door.open", "smoke.detected", "leak.detected"])
def test_door_smoke_and_water_have_no_delay(fault: str) -> None:
    assert delays(load_contract("telecom-transmission").contract, filled(fault).cases[0], 1) == (0.0, 0.0)


@pytest.mark.parametrize("fault", ["leak.detected", "smoke.detected", "door.open", "temperature.high"])
def test_nothing_explains_water_smoke_a_door_or_heat(fault: str) -> None:
    assert filled(fault).explained_by == ()


def test_lost_mains_explain_a_rectifier_without_input_on_the_whole_site() -> None:
    assert ("mains.lost", Reach.SITE) in filled("rectifier.input_failed").explained_by


def test_no_fault_is_explained_by_what_it_explains_itself() -> None:
    parents = {fault: {parent for parent, _ in filled(fault).explained_by if parent != fault} for fault in FAULTS}

    def above(fault: str) -> set[str]:
        return parents[fault].union(*(above(parent) for parent in parents[fault]))

    assert [fault for fault in FAULTS if fault in above(fault)] == []


def test_a_limit_that_is_unset_asks_nothing_until_somebody_sets_it() -> None:
    def voltages(rule: Rule) -> list[float]:
        parts = rule.cases[1].when.conditions  # type: ignore[union-attr]
        return [part.limit for part in parts if isinstance(part, Compare) and part.quantity == Quantity.BATTERY_VOLTAGE]

    assert voltages(filled("battery.low")) == []
    assert voltages(filled("battery.low", voltage="46.5")) == [46.5]


def test_mains_are_lost_when_every_phase_is_dead_and_not_when_one_is() -> None:
    def phases(*volts: float) -> Scene:
        points = [
            Point("meter", point_id(Quantity.MAINS_VOLTAGE, index), Quantity.MAINS_VOLTAGE, "U", index)
            for index in ((("phase", str(number)),) for number in range(1, 4))
        ]
        return Scene(tuple(Reading(p, v, 0, Quality.GOOD) for p, v in zip(points, volts, strict=True)))

    def case(fault: str, scene: Scene) -> str:
        decision = decide(filled(fault), scene)
        assert decision is not None
        return decision.case

    assert case("mains.lost", phases(0, 3, 0)) == "lost"
    assert case("mains.lost", phases(0, 230, 231)) == ""
    assert case("mains.phase_missing", phases(0, 230, 231)) == "phase_missing"
    assert case("mains.voltage_wrong", phases(230, 186, 231)) == "low"
    assert case("mains.voltage_wrong", phases(230, 187, 253)) == ""


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("{quantity: fan.speed, above: $limits}", 'when.above: there is no setting "limits"; did you mean "limit"?'),
        (
            "{quantity: fan.speed, above: 1, below: 2}",
            "when: a comparison has exactly one of above, below, at_least or at_most",
        ),
        ("{quantity: fan.speed}", "when: a comparison has exactly one of above, below, at_least or at_most"),
        ("{quantity: fan.status, above: 1}", "when: fan.status has states; write is: normal or fault"),
        ("{quantity: fan.status, is: faulty}", 'when: "faulty" is no state of fan.status; did you mean "fault"?'),
        ("{quantity: fan.speed, is: fault}", "when: fan.speed is a number; write above, below, at_least or at_most"),
        ("{share: fan.running, above: 0.5}", 'when: a share is counted of a state; add for example "is: stopped"'),
        ("{above: 1}", "when: a condition has exactly one of all, any, quantity, share or quality"),
        (
            "{quantity: fan.sped, above: 1}",
            'when.quantity: "fan.sped" is not one of its values; did you mean "fan.speed"?',
        ),
        ("{quantity: fan.speed, above: 1, if: {mode: x}}", 'when.if: there is no setting "mode"; write limit'),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused(when: str, message: str) -> None:
    assert refused(rule_text(when)) == f"f.yaml:7: fan.broken.{message}"


def test_a_rule_needs_cases_or_a_condition_a_known_cause_and_known_parents() -> None:
    text = rule_text("{quantity: fan.speed, below: $limit}", "  explained_by: {mains.lots: site, fan.broken: device}\n")
    assert refused(text.replace("indeterminate", "indeterminat")).splitlines() == [
        'f.yaml:4: fan.broken.cause: "indeterminat" is no probable cause; did you mean "indeterminate"?',
        "f.yaml:8: fan.broken.explained_by: a fault does not explain itself; another device's may, with site",
        'f.yaml:8: fan.broken.explained_by: there is no fault "mains.lots"; write fan.broken',
    ]
    bare = "fan.broken: {title: {en: a, zh: b}, scope: device, cause: indeterminate, meaning: danger}\n"
    assert refused(bare) == "f.yaml:1: fan.broken: a rule has either cases or when"
    assert refused("fan: {}\n").startswith('f.yaml:1: fan: "fan" does not fit; write two words of small letters')


def test_a_fault_stands_in_one_file_only() -> None:
    text = rule_text("{quantity: fan.speed, below: $limit}")
    with pytest.raises(ConfigError, match=r"g.yaml:2: fan.broken: the fault stands in f.yaml:2 already"):
        parse_faults([read_text(text, "f.yaml"), read_text(text, "g.yaml")])


# --- layers --------------------------------------------------------------------------------------------------------


def test_a_setting_comes_from_the_last_layer_that_says_it_and_knows_its_line(tmp_path: Path) -> None:
    text = HEAD + (
        "host:\n  rules:\n    temperature.high: {above: 35}\n"
        "rules:\n  temperature.high: {above: 28, very_high_above: 33}\n  subrack.cooling: {fan_fraction: more_than}\n"
    )
    rules = book(tmp_path, text)
    host = next(iter(load_site(tmp_path / "site.yaml").devices))
    found = {
        f"{each.fault}.{setting.name}": (setting.value, setting.layer, str(setting.origin).removeprefix(f"{tmp_path}/"))
        for each in rules.effective(host)
        for setting in each.settings
    }
    assert found["temperature.high.above"] == (35.0, "device", "site.yaml:4")
    assert found["temperature.high.very_high_above"] == (33.0, "site", "site.yaml:6")
    assert found["subrack.cooling.fan_fraction"] == ("more_than", "site", "site.yaml:7")
    assert found["subrack.cooling.temperature"][:2] == (45.0, "contract")
    assert found["humidity.high.above"][:2] == (80.0, "default")
    assert found["humidity.high.above"][2].startswith("faults/environment.yaml:")


def test_a_rule_that_is_off_is_not_in_force_and_its_delays_may_be_set(tmp_path: Path) -> None:
    rules = book(
        tmp_path, HEAD + "host: {}\nrules: {door.open: {enabled: no}, mains.lost: {on_delay: 5s, off_delay: 1min}}\n"
    )
    in_force = {rule.fault: rule for rule in rules.rules(next(iter(load_site(tmp_path / "site.yaml").devices)))}
    assert "door.open" not in in_force
    assert (in_force["mains.lost"].cases[0].on_delay, in_force["mains.lost"].cases[0].off_delay) == (5.0, 60.0)
    assert len(in_force) == len(FAULTS) - 1


def test_the_delays_of_the_site_stand_instead_of_the_contracts_and_leave_its_digest(tmp_path: Path) -> None:
    contract = book(tmp_path, HEAD + "host: {}\ndelays: {on: [1s, 2s, 3s, 4s], off: 5s}\n").contract
    assert contract.on_delays == {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}
    assert contract.off_delay == 5.0
    assert contract.digest == load_contract("telecom-transmission").contract.digest


# --- contracts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(shipped.names("contracts")))
def test_every_fault_a_contract_lists_is_a_rule_and_case_or_is_opened_by_people(name: str) -> None:
    known = {f"{fault}/{case.name}" for fault in FAULTS for case in filled(fault).cases} | FAULTS.keys()
    assert load_contract(name).contract.faults.keys() - known <= OPENED_BY_PEOPLE


@pytest.mark.parametrize("name", sorted(shipped.names("contracts")))
def test_every_open_point_is_told_in_both_languages(name: str) -> None:
    for point in load_contract(name).contract.open:
        assert point.text["en"].endswith(".")
        assert point.text["zh"].endswith("。")


@pytest.mark.parametrize(
    ("fault", "case", "level", "provisional"),
    [
        ("subrack.cooling", "over_temperature", 2, False),
        ("subrack.cooling", "many_stopped", 3, False),
        ("subrack.cooling", "any_stopped", 4, False),
        ("device.unreachable", "unreachable", 3, False),
        ("mains.lost", "lost", 2, True),  # running on battery is a potential danger of interruption
        ("redundancy.lost", "lost", 2, True),
        ("battery.low", "depleted", 1, True),
        ("door.open", "open", 4, True),
    ],
)
def test_the_transmission_contract_gives_a_fault_its_level(
    fault: str, case: str, level: int, provisional: bool
) -> None:
    contract, rule = load_contract("telecom-transmission").contract, filled(fault)
    found = rule.case(case)
    assert found is not None
    assignment = level_of(contract, rule, found)
    assert (assignment.level, assignment.provisional) == (level, provisional)


@pytest.mark.parametrize(
    ("region", "hours"),
    [("gz_sz_dg", (1, 3, 5)), ("prd", (1, 4, 6)), ("rest", (1, 6, 8)), ("west_east", (1, 8, 10))],
)
def test_the_clocks_of_level_one_add_up_by_region(region: str, hours: tuple[int, int, int]) -> None:
    found = clocks(load_contract("telecom-transmission").contract, 1, region, "mains.lost")
    assert [(clock.milestone, clock.limit / 3600) for clock in found] == list(
        zip(("depart", "arrive", "restore"), hours, strict=True)
    )


def test_management_down_has_a_day_where_level_two_has_seven() -> None:
    contract = load_contract("telecom-transmission").contract
    assert [clock.limit for clock in clocks(contract, 2, "", "network.management_down")] == [86400.0]
    assert [clock.limit for clock in clocks(contract, 2, "", "mains.lost")] == [7 * 86400.0]
    assert [clocks(contract, level, "", "door.open")[0].limit for level in (3, 4)] == [10 * 86400.0] * 2


def test_the_demonstration_is_the_transmission_contract_without_delays() -> None:
    base, demo = load_contract("telecom-transmission").contract, load_contract("demo").contract
    assert (set(demo.on_delays.values()), demo.off_delay) == ({0.0}, 0.0)
    same = msgspec.structs.replace(
        demo, name=base.name, title=base.title, on_delays=base.on_delays, off_delay=base.off_delay, digest=base.digest
    )
    assert same == base
    assert demo.digest != base.digest


def test_a_comment_does_not_change_a_contracts_digest_and_a_level_does() -> None:
    node = shipped.read_shipped("contracts", "telecom-transmission")
    assert isinstance(node, Table)
    lines = "levels: {1: {en: a, zh: b}}\ngeneral: {interruption: 1, danger: 1, degraded: 1, indirect: 1}\n"
    text = f"title: {{en: t, zh: u}}\n{lines}delays: {{on: [1s], off: 1s}}\n"

    def digest(more: str) -> str:
        return parse_contract(read_text(text + more, "c.yaml"), "c", FAULTS).contract.digest

    assert digest("# a comment\n") == digest("")
    assert digest("faults: {mains.lost: 1}\n") != digest("")
    assert len(digest("")) == 16


def test_a_bad_contract_says_everything_that_is_wrong() -> None:
    text = (
        "title: {en: t, zh: u}\nlevels: {1: {en: a, zh: b}}\ngeneral: {interruption: 1, danger: 2, degraded: 1}\n"
        "faults: {mains.lost: 3}\ndelays: {on: [1s, 2s], off: 1s}\nsettings: {mains.lots: {a: 1}}\n"
        "limits: [{level: 2, region: nowhere, milestone: arrive, within: 1h}]\n"
    )
    with pytest.raises(ConfigError) as caught:
        parse_contract(read_text(text, "c.yaml"), "c", FAULTS)
    assert str(caught.value).splitlines() == [
        "c.yaml:3: general: the level of indirect is missing",
        "c.yaml:3: general: there is no level 2; write 1",
        "c.yaml:4: faults: there is no level 3; write 1",
        "c.yaml:5: delays: write 1 delays on, one for each level, and one off",
        'c.yaml:6: settings.mains.lots: there is no fault "mains.lots"; did you mean "mains.lost"?',
        'c.yaml:7: limits[0].level: there is no level "2"; write 1',
        'c.yaml:7: limits[0].region: there is no region "nowhere"; there is none',
    ]

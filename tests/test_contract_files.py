"""Contract files: every bad one says exactly what is wrong; a good one of one's own is read."""

from pathlib import Path

import pytest

from config.contract import find_contract, read_contract
from config.reader import ConfigError
from model.limits import Situation, limits_for
from tests.contract_case import Case, check

BAD = Path(__file__).parent / "bad" / "contracts"
SMALLEST = (
    "title: {en: t, zh: u}\nlevels: {1: {en: a, zh: b}}\n"
    "general: {interruption: 1, danger: 1, degraded: 1, indirect: 1}\ndelays: {on: [1s], off: 1s}\n"
)


def refused(name: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_contract(Path(name))
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(path.stem for path in BAD.glob("*.yaml")))
def test_a_bad_contract_says_exactly_what_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    assert f"{refused(f'{name}.yaml')}\n" == Path(f"{name}.txt").read_text(encoding="utf-8")


def test_every_bad_contract_has_its_message_and_there_are_at_least_thirty() -> None:
    assert {path.stem for path in BAD.glob("*.txt")} == {path.stem for path in BAD.glob("*.yaml")}
    assert len(list(BAD.glob("*.yaml"))) >= 30


def test_the_smallest_contract_is_read_and_has_no_clocks(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(SMALLEST)
    contract = read_contract(tmp_path / "own.yaml").contract
    assert (contract.name, contract.limits, contract.clocks) == ("own", (), ())


def test_limits_of_one_name_may_differ_in_how_much_they_name(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        SMALLEST + "limits:\n"
        "  - {milestone: resolve, within: 4h}\n"
        "  - {milestone: resolve, within: 3h, fault: subrack.cooling}\n"
        "  - {milestone: resolve, within: 2h, fault: subrack.cooling/many_stopped}\n"
        "  - {milestone: resolve, within: 1h, fault: subrack.cooling/any_stopped}\n"
    )
    contract = read_contract(tmp_path / "own.yaml").contract

    def hours(fault: str) -> list[float]:
        return [limit.span.amount / 3600 for limit in limits_for(contract, Situation(1, fault=fault))]

    assert hours("door.open") == [4]
    assert hours("subrack.cooling") == hours("subrack.cooling/over_temperature") == [3]
    assert hours("subrack.cooling/many_stopped") == [2]
    assert hours("subrack.cooling/any_stopped") == [1]


def test_days_by_date_are_a_rule_of_the_contract(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        SMALLEST + "day_rule: civil\ncalendar: china-working-days\nlimits: [{milestone: resolve, within: 7d}]\n"
    )
    # the eve left out, seven days end on 7 October, the last day of the holiday: on to the 8th, to its 24:00
    check(
        read_contract(tmp_path / "own.yaml").contract, Case("2026-09-30 17:50:00", {"resolve": "2026-10-09 00:00:00"})
    )


def test_working_hours_count_in_the_contracts_calendar(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        SMALLEST + "calendar: outsourcing-on-site\nlimits: [{milestone: resolve, within: 4wh}]\n"
    )
    # on site 08:30 to 17:30: an hour on Friday from 16:30, then (9 October is a Friday) three on Saturday the 10th,
    # a make-up working day
    check(
        read_contract(tmp_path / "own.yaml").contract, Case("2026-10-09 16:30:00", {"resolve": "2026-10-10 11:30:00"})
    )


def test_a_limit_may_count_in_a_calendar_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        SMALLEST + "limits:\n  - {milestone: respond, within: 1h}\n"
        "  - {milestone: resolve, within: 2wh, calendar: outsourcing-reachable}\n"
    )
    # reachable from 08:00 to 23:00: half an hour tonight, one and a half tomorrow
    due = {"respond": "2026-10-01 23:30:00", "resolve": "2026-10-02 09:30:00"}
    check(read_contract(tmp_path / "own.yaml").contract, Case("2026-10-01 22:30:00", due))


def test_a_start_of_the_contract_rules_every_limit_that_names_none(tmp_path: Path) -> None:
    limits = "limits: [{milestone: respond, within: 1h}, {milestone: resolve, within: 2h, after: onset}]\n"
    (tmp_path / "own.yaml").write_text(SMALLEST + "start: accepted\n" + limits)
    assert [limit.after for limit in read_contract(tmp_path / "own.yaml").contract.limits] == ["accepted", "onset"]


def test_a_step_is_a_share_of_a_limit_or_a_time_and_a_share_of_the_fee_is_no_points(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        SMALLEST + "limits: [{milestone: restore, within: 4h}]\nescalation:\n"
        "  - {to: shift, en: Shift leader, zh: 值班长, share: 0.8, limit: restore}\n"
        "  - {to: chief, en: Chief, zh: 主管, at: 6h, level: 1}\n"
        "penalties: [{event: late, en: Late, zh: 超时, share: 0.05}]\nacknowledgement_stops: respond\n"
    )
    contract = read_contract(tmp_path / "own.yaml").contract
    assert [(step.to, step.share, step.limit, step.seconds) for step in contract.escalation] == [
        ("shift", 0.8, "restore", None),
        ("chief", None, "", 21600.0),
    ]
    assert (contract.penalties[0].share, contract.penalties[0].points) == (0.05, None)
    assert contract.acknowledgement_stops == "respond"


def test_a_file_of_ones_own_stands_before_the_shipped_contract_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "fire.yaml").write_text("extends: fire\ntitle: {en: Our fire contract, zh: 我方消防合同}\n")
    assert find_contract("fire", tmp_path).contract.title["en"] == "Our fire contract"
    assert find_contract("fire").contract == find_contract("fire", tmp_path / "none").contract
    with pytest.raises(KeyError):
        find_contract("fires", tmp_path)


def test_a_contract_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refused(str(tmp_path / "none.yaml"))


def test_a_limit_whose_milestone_before_has_none_here_does_not_run_until_that_is_reached(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        SMALLEST + "regions: {east: {en: East, zh: 东区}}\nlimits:\n"
        "  - {milestone: arrive, within: 4h, region: east}\n  - {milestone: restore, within: 2h, after: arrive}\n"
    )
    contract = read_contract(tmp_path / "own.yaml").contract
    begins, arrived = "2026-09-30 17:50:00", {"arrive": "2026-09-30 20:00:00"}
    check(contract, Case(begins, {"arrive": "2026-09-30 21:50:00", "restore": "2026-09-30 23:50:00"}, region="east"))
    check(contract, Case(begins, {"restore": None}))
    check(contract, Case(begins, {"restore": "2026-09-30 22:00:00"}, times=arrived))

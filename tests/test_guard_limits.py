"""Tightened limits in a guard period: an open point of the contracts, off; and exact for who turns it on."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from config.calendar import load_calendar
from config.contract import load_contract, read_contract
from config.node import ConfigError
from desk.ledger import check_books
from model.contract import Guarding
from model.contract_rules import rules
from model.due import Span
from model.limits import Situation, dues, limits_for, shortened
from model.period import Scope
from tests.contract_docs import names
from tests.desk_world import CONTRACT, World, a_desk, change
from tests.said import said
from tests.test_desk_periods import HOUR, declared, pass_by, planned

GUARDED_TEXTS = {"telecom-transmission", "maintenance-3-level", "ltsa", "public-sector", "cameras"}
OWN = "extends: telecom-transmission\nguard: {share: 0.5, open: guard.limits}\n"
TOTALS = {"gz_sz_dg": 5, "prd": 6, "west_east": 10, "rest": 8}  # hours, level 1 on site


def test_the_contracts_that_speak_of_guard_periods_leave_this_open_and_none_turns_it_on() -> None:
    contracts = {name: load_contract(name).contract for name in names()}
    assert {name for name, contract in contracts.items() if contract.point("guard.limits")} == GUARDED_TEXTS
    assert all(contract.guard is None for contract in contracts.values())


@pytest.mark.parametrize("region", TOTALS)
def test_off_a_guard_period_changes_no_limit(region: str) -> None:
    contract = load_contract("telecom-transmission").contract
    assert limits_for(contract, Situation(1, region, guarded=True)) == limits_for(contract, Situation(1, region))


@pytest.mark.parametrize(("region", "hours"), TOTALS.items())
def test_turned_on_it_leaves_the_share_of_each_limit_and_nothing_else_changes(
    tmp_path: Path, region: str, hours: int
) -> None:
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    contract = read_contract(tmp_path / "own.yaml").contract
    start = datetime(2026, 9, 30, 17, 50, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
    for guarded, share in ((False, 1.0), (True, 0.5)):
        found = dues(contract, Situation(1, region, guarded=guarded), {"open": start}, load_calendar)
        (total,) = [each for each in found if each.limit.name == "total"]
        assert total.due == start + hours * HOUR * share
        assert ("guard.limits" in total.limit.open) is guarded
    assert any("50%" in rule["en"] and "50%" in rule["zh"] for rule in rules(contract))


@pytest.mark.parametrize(
    ("span", "share", "left"),
    [
        (Span(3600), 0.5, Span(1800)),
        (Span(3600), 0.1, Span(360)),
        (Span(5), 0.5, Span(3)),
        (Span(3, "working_day"), 0.5, Span(2, "working_day")),
        (Span(1, "calendar_day"), 0.1, Span(1, "calendar_day")),
        (Span(36_000, "working_second"), 0.7, Span(25_200, "working_second")),
        (Span(3600), 1.0, Span(3600)),
    ],
)
def test_a_share_is_rounded_up_to_a_whole_second_or_day(span: Span, share: float, left: Span) -> None:
    assert shortened(span, share) == left


@pytest.mark.parametrize("said_", ["{share: 0}", "{share: 1.5}", "{share: 0.5, open: guard.limit}", "{}"])
def test_a_share_that_is_none_is_refused_with_its_line(tmp_path: Path, said_: str) -> None:
    (tmp_path / "own.yaml").write_text(f"extends: telecom-transmission\nguard: {said_}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="guard"):
        read_contract(tmp_path / "own.yaml")


def test_the_what_if_knows_a_guard_period() -> None:
    words = ("contract", "test", "telecom-transmission", "--level", "1", "--region", "Zhanjiang", "--guarded")
    status, out, err = said(*words, "--lang", "en", "--at", "2026-09-30 17:50")
    assert (status, err) == (0, "")
    assert "opened in a guard period: 100% of each limit" in out
    assert "2026-10-01 03:50:00" in out


# at the desk


async def due_of(world: World) -> list[tuple[str, float]]:
    return [(row["device"], row["due"] - row["opened"]) for row in await world.tickets()]


@pytest.fixture
def halved(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = tuple(limit for limit in CONTRACT.limits if limit.name == "restore")
    monkeypatch.setattr("tests.desk_world.CONTRACT", replace(CONTRACT, limits=limits, guard=Guarding(0.5)))


@pytest.mark.usefixtures("halved")
async def test_what_opens_in_the_guard_period_and_its_scope_is_due_sooner(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        other = await world.agent("S2", region="")
        await agent.send(change(device="before"))
        world.clock.on(60.0)
        guard = await declared(world, Scope(regions=("east",)))
        await agent.send(change(device="within", episode="e2"))
        await other.send(change("S2", device="elsewhere", episode="e3"))
        world.clock.on(guard.end - world.clock().wall)
        await other.beat()
        await pass_by(world, 0.0, agent)
        await agent.send(change(device="after", episode="e4"))
        assert await due_of(world) == [("before", 7200), ("within", 3600), ("elsewhere", 7200), ("after", 7200)]
        rows: list[dict[str, Any]] = await world.rows("SELECT number, late FROM tickets WHERE device = 'within'")
        assert rows == [{"number": 2, "late": 1}]
        assert await world.desk.store.read(check_books) == []


@pytest.mark.usefixtures("halved")
async def test_what_a_window_held_back_opens_guarded_when_the_guard_period_froze_the_window(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        await agent.send(change())
        world.clock.on(60.0)
        await declared(world)
        await pass_by(world, 1.0, agent)
        assert await due_of(world) == [("ups", 3600)]


async def test_while_it_is_off_the_ticket_keeps_its_limits_and_says_that_it_is_guarded(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await declared(world)
        await agent.send(change())
        (row,) = await world.rows("SELECT CAST(body AS TEXT) AS body FROM entries WHERE ticket = 1 ORDER BY id LIMIT 1")
        assert '"guard":1' in row["body"]
        (ticket,) = await world.tickets()
        assert ticket["due"] - ticket["opened"] == 900  # to accept it, as the contract says
        assert "in guard period G1" in (await world.client.get("/tickets/1", headers={"Accept-Language": "en"})).text

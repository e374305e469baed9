"""A walk-test holds every ticket of its places, says what the desk saw, and stands for ever once it is signed."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from desk.periods import Author, end_window, extend_window
from desk.store import Db
from desk.sweep import Sweep
from desk.walktest_rounds import Walking
from desk.walktest_store import Walk, digest_of, note_report, walk_at, walk_numbered
from desk.walktest_view import walk_now
from desk.walktests import Opening, cancel_walk, extend_walk, mark_items, open_walk, sign_walk
from model.alarm import AlarmState, Kind
from model.period import No, Place
from model.period_words import Refused
from model.protocol import DeviceRow, ReadingRow, ReadingsReport, RuleRow
from model.walktest import Mark, Moved, Raised, Result, State, WalkNo
from model.walktest_protocol import ItemNow, WalkNow
from model.walktest_words import WalkRefused
from tests.desk_world import Speaker, World, a_desk, change, cleared, later, snapshot
from tests.test_desk_periods import declared

HOUR = 3600.0
LI = Author("Li Na", "127.0.0.1")
MAINS = "S1/ups/-/mains.lost"
VOLTS = "ups/mains.voltage"


def report(volts: float | None = 231.0, *, rules: bool = True, door: str = "closed") -> ReadingsReport:
    """Two devices with a point each, and the rule of one."""
    rows = (
        ReadingRow("ups", "mains.voltage", "mains.voltage", "Input L1", volts, "V"),
        ReadingRow("hall", "door", "door", "Door", door),
    )
    rule = RuleRow(MAINS, "ups", "UPS of the hall", "mains.lost", {"en": "Mains lost"}, "", ("mains.voltage < 176 V",))
    devices = (DeviceRow("ups", "UPS of the hall", True), DeviceRow("hall", "Hall", True))
    return ReadingsReport(0.0, devices, rows, 0, (rule,) if rules else ())


async def told(world: World, agent: Speaker, told: ReadingsReport) -> None:
    world.clock.on(1.0)
    assert (await agent.post("readings", told)).status_code == 204
    await Walking(world.desk).look()


async def do(world: World, act: Any, *words: Any) -> Any:
    return await world.desk.store.write(lambda db: act(world.desk.ledger(db), *words))


async def opened(world: World, agent: Speaker, device: str = "", hours: float = 2.0) -> Walk:
    wanted = Opening("S1", device, world.clock().wall + hours * HOUR, "acceptance")
    walk = await do(world, open_walk, wanted, LI)
    assert isinstance(walk, Walk), walk
    await told(world, agent, report())
    return walk


async def shown(world: World, number: int = 1) -> WalkNow:
    def look(db: Db) -> WalkNow:
        walk = walk_numbered(db, number)
        assert walk is not None
        return walk_now(db, walk, world.clock().wall)

    return await world.desk.store.read(look)


async def item(world: World, key: str) -> ItemNow:
    (found,) = [each for each in (await shown(world)).items if each.key == key]
    return found


def said(world: World, result: Result = Result.PASSED, note: str = "") -> Mark:
    return Mark(world.clock().wall, LI.who, result, note)


async def pass_by(world: World, seconds: float, agent: Speaker) -> None:
    world.clock.on(seconds)
    await agent.beat()
    await Sweep(world.desk).look()


async def decided(world: World) -> None:
    """Say of all that is open that it cannot be tested."""
    keys = tuple(each.key for each in (await shown(world)).items if each.result is Result.OPEN)
    assert isinstance(await do(world, mark_items, 1, keys, said(world, Result.NOT_TESTABLE, "no key"), LI), Walk)


async def test_every_point_and_every_rule_is_listed_and_the_site_was_asked_for_them(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        assert (await agent.commands())[0] | {"id": 0} == {"id": 0, "type": "send_readings", "rules": True}
        walk = await shown(world)
        assert [each.key for each in walk.items] == [VOLTS, MAINS, "hall/door", "S1/-/-/site.silent"]
        assert walk.counts == {"open": 4, "passed": 0, "failed": 0, "not_testable": 0}
        assert (await item(world, MAINS)).asks == ("mains.voltage < 176 V",)


async def test_one_device_alone_is_listed_and_a_fault_of_another_opens_its_ticket(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent, device="ups")
        assert [each.key for each in (await shown(world)).items] == [VOLTS, MAINS]
        await agent.send(change(), change(fault="door.open", device="hall", episode="e2"))
        assert [ticket["fault"] for ticket in await world.tickets()] == ["door.open"]


async def test_an_alarm_in_it_is_a_test_it_is_seen_raised_and_cleared_and_counts_in_no_measure(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        world.clock.on(200.0)
        began = world.clock().wall - 90.0
        raised = change()
        await agent.send(raised)
        seen = (await item(world, MAINS)).seen
        assert seen == Raised(raised=began, times=1, stands=True, announced=True)
        world.clock.on(30.0)
        await agent.send(cleared(raised))
        assert (await item(world, MAINS)).seen == Raised(
            raised=began, cleared=world.clock().wall, times=1, announced=True
        )
        assert await world.tickets() == []
        assert await world.rows("SELECT * FROM alarm_tens") == []
        assert await world.rows("SELECT * FROM notices") == []
        assert "held" in await world.audit()
        assert [each.fault for each in (await shown(world)).held] == ["mains.lost"]
        place = Place("", "S1", "ups", "mains.lost")
        assert await world.desk.store.read(lambda db: walk_at(db, place, began)) == 1
        assert await world.desk.store.read(lambda db: walk_at(db, place, began - HOUR)) == 0


async def test_smoke_is_a_test_too(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        await agent.send(change(fault="smoke.detected", device="hall"))
        assert await world.tickets() == []


@pytest.mark.parametrize("ending", ["time", "cancelled", "signed"])
async def test_what_still_stands_at_the_end_opens_its_ticket_then(tmp_path: Path, ending: str) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        walk = await opened(world, agent)
        world.clock.on(100.0)
        await agent.send(change())
        world.clock.on(100.0)
        end = walk.end if ending == "time" else world.clock().wall
        if ending == "cancelled":
            assert isinstance(await do(world, cancel_walk, 1, "rain", LI), Walk)
        elif ending == "signed":
            await decided(world)
            assert isinstance(await do(world, sign_walk, 1, "Mr Zhao", "", LI), Walk)
        await pass_by(world, end - world.clock().wall + 1.0, agent)
        (ticket,) = await world.tickets()
        assert (ticket["fault"], ticket["opened"], ticket["state"]) == ("mains.lost", end, "open")
        (held,) = (await shown(world)).held
        assert held.ticket == ticket["number"]


async def test_a_fault_that_stood_before_proves_nothing(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await agent.send(change())
        world.clock.on(10.0)
        await opened(world, agent)
        assert (await item(world, MAINS)).seen == Raised(before=True)
        refused = await do(world, mark_items, 1, (MAINS,), said(world), LI)
        assert isinstance(refused, WalkRefused)
        assert refused.no is WalkNo.NOT_SEEN
        assert len(await world.tickets()) == 1


async def test_a_value_that_moved_is_seen_as_far_as_it_went_with_its_time(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        assert (await item(world, VOLTS)).seen == Moved(231.0)
        await told(world, agent, report(0.0, rules=False))
        at = world.clock().wall
        await told(world, agent, report(None, rules=False))
        await told(world, agent, report(230.0, rules=False, door="open"))
        assert (await item(world, VOLTS)).seen == Moved(231.0, 0.0, at)
        assert (await item(world, "hall/door")).seen == Moved("closed", "open", world.clock().wall)
        assert isinstance(await do(world, mark_items, 1, (VOLTS, "hall/door"), said(world), LI), Walk)
        assert (await shown(world)).counts["passed"] == 2


async def test_of_several_items_all_are_ticked_or_none(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        await told(world, agent, report(0.0))
        refused = await do(world, mark_items, 1, (VOLTS, MAINS), said(world), LI)
        assert refused == WalkRefused(WalkNo.NOT_SEEN, "UPS of the hall mains.lost")
        assert (await do(world, mark_items, 1, ("x",), said(world), LI)).no is WalkNo.NO_ITEM
        assert (await shown(world)).counts["passed"] == 0


async def test_a_signed_record_stands_for_ever(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        refused = await do(world, sign_walk, 1, "Mr Zhao", "", LI)
        assert refused == WalkRefused(WalkNo.UNDECIDED, number=4)
        await decided(world)
        assert (await do(world, sign_walk, 1, "li  na", "", LI)).no is WalkNo.SAME_PERSON
        walk = await do(world, sign_walk, 1, "Mr Zhao", "two probes are missing", LI)
        assert walk.end == world.clock().wall
        record = await shown(world)
        assert record.state is State.SIGNED
        assert record.signature is not None
        assert (record.signature.engineer, record.signature.witness) == ("Li Na", "Mr Zhao")
        assert record.digest == digest_of(walk.record)
        await told(world, agent, report(0.0))
        await agent.send(change())
        for act, words in (
            (mark_items, ((VOLTS,), said(world), LI)),
            (cancel_walk, ("why", LI)),
            (sign_walk, ("Mr Qian", "", LI)),
            (extend_walk, (world.clock().wall + HOUR, "", LI)),
        ):
            assert (await do(world, act, 1, *words)).no is WalkNo.SIGNED
        for sql in (
            "UPDATE walktests SET body = x'00'",
            "UPDATE walktest_items SET marks = NULL",
            "DELETE FROM walktests",
            "DELETE FROM walktest_items",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                await world.desk.store.write(lambda db, sql=sql: db.execute(sql))  # type: ignore[misc]
        assert await shown(world) == record
        assert [ticket["fault"] for ticket in await world.tickets()] == ["mains.lost"]


async def test_it_is_bounded_and_no_window_makes_it_longer(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        too_long = Opening("S1", "", world.clock().wall + 8 * HOUR + 1, "")
        assert (await do(world, open_walk, too_long, LI)).no is WalkNo.TOO_LONG
        walk = await opened(world, agent, hours=8.0)
        for act, words in ((extend_window, (walk.end + 60.0, "more", LI)), (end_window, ("", LI))):
            assert await do(world, act, 1, *words) == Refused(No.WALKTEST)
        later = await do(world, extend_walk, 1, walk.end + 0.5, "", LI)
        assert later.end == walk.end + 0.5
        assert (await do(world, extend_walk, 1, walk.end + 2 * HOUR, "", LI)).no is WalkNo.TOO_LONG
        await pass_by(world, 8 * HOUR, agent)
        assert (await shown(world)).state is State.OVER
        assert (await do(world, extend_walk, 1, world.clock().wall + HOUR, "", LI)).no is WalkNo.OVER
        await agent.send(change())
        assert len(await world.tickets()) == 1


async def test_what_was_done_in_time_may_be_ticked_and_signed_after_it(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        await told(world, agent, report(0.0))
        await pass_by(world, 3 * HOUR, agent)
        assert isinstance(await do(world, mark_items, 1, (VOLTS,), said(world), LI), Walk)
        await told(world, agent, report(door="open"))  # nobody looks any more
        assert (await item(world, "hall/door")).seen == Moved("closed")
        await decided(world)
        assert isinstance(await do(world, sign_walk, 1, "Mr Zhao", "", LI), Walk)


async def test_a_site_has_one_at_a_time_and_none_in_a_guard_period(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent, device="ups")
        wanted = Opening("S1", "hall", world.clock().wall + HOUR, "")
        assert (await do(world, open_walk, wanted, LI)).no is WalkNo.RUNS_ALREADY
        await do(world, cancel_walk, 1, "done", LI)
        unknown = Opening("S1", "attic", world.clock().wall + HOUR, "")
        assert (await do(world, open_walk, unknown, LI)).no is WalkNo.NO_DEVICE
        await declared(world)
        refused = await do(world, open_walk, wanted, LI)
        assert (refused.no, refused.name) == (WalkNo.GUARDED, "Flood season")
        assert (await do(world, open_walk, Opening("S9", "", 0.0, ""), LI)).no is WalkNo.NO_SITE


async def test_a_suppressed_alarm_was_seen(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        world.clock.on(200.0)
        parent = "S1/mains/-/mains.lost"
        hidden = change(kind=Kind.SUPPRESSED, state=AlarmState.SUPPRESSED, explained_by=parent, opened=False)
        await agent.send(hidden)
        seen = (await item(world, MAINS)).seen
        assert isinstance(seen, Raised)
        assert (seen.announced, seen.explained_by) == (True, parent)
        await agent.send(later(hidden, Kind.CLEARED, AlarmState.NORMAL, active=False, case="", explained_by=""))
        seen = (await item(world, MAINS)).seen
        assert isinstance(seen, Raised)
        assert (seen.announced, seen.explained, seen.stands) == (True, True, False)
        assert isinstance(await do(world, mark_items, 1, (MAINS,), said(world), LI), Walk)


async def test_a_fault_whose_end_nobody_saw_as_the_agent_began_anew_is_exercised_again(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        world.clock.on(120)
        await agent.send(change())
        agent.epoch, agent.seq = "anew", 0
        await agent.send(snapshot())
        refused = await do(world, mark_items, 1, (MAINS,), said(world), LI)
        assert isinstance(refused, WalkRefused)
        assert refused.no is WalkNo.NOT_SEEN
        again = change(episode="e2")
        await agent.send(again, cleared(again))
        assert isinstance(await do(world, mark_items, 1, (MAINS,), said(world), LI), Walk)


async def test_a_report_that_comes_as_somebody_signs_changes_nothing_and_fails_nothing(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        walk = await opened(world, agent)
        await decided(world)
        world.clock.on(1.0)
        assert (await agent.post("readings", report(180.0))).status_code == 204
        assert isinstance(await do(world, sign_walk, 1, "Wang", "", LI), Walk)
        assert not await world.desk.store.write(lambda db: note_report(db, walk))
        assert (await item(world, VOLTS)).seen == Moved(231.0)


async def test_of_two_browsers_that_sign_at_once_one_signs_and_the_record_is_its(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await opened(world, agent)
        await decided(world)
        both = [do(world, sign_walk, 1, witness, "", LI) for witness in ("Wang", "Zhao")]
        first, second = await asyncio.gather(*both)
        assert isinstance(first, Walk)
        assert isinstance(second, WalkRefused)
        assert second.no is WalkNo.SIGNED
        signature = (await shown(world)).signature
        assert signature is not None
        assert signature.witness == "Wang"
        assert (await world.audit()).count("walktest_signed") == 1

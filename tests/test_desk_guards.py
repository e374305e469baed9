"""A guard period freezes routine work in its places, and keeps what it refused."""

from pathlib import Path

from msgspec.structs import replace

from desk.period_store import window_numbered
from desk.periods import approve_window, end_guard, extend_window, plan_window
from model.period import No, Scope, Window, Work
from tests.desk_world import a_desk, change
from tests.test_desk_periods import CHEN, HOUR, LI, declared, do, pass_by, planned


async def test_routine_work_in_a_guarded_place_is_refused_and_the_guard_keeps_that(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        guard = await declared(world, Scope(regions=("east",)))
        start = world.clock().wall
        asked = Window(0, start, start + HOUR, Scope(sites=("S1",)), "cleaning", "")
        refused = await do(world, plan_window, asked, LI)
        assert refused.no is No.GUARDED
        assert "Flood season" in refused.sentence("en", str)
        assert "保障期 G1" in refused.sentence("zh", str)
        assert isinstance(await do(world, plan_window, replace(asked, kind=Work.CUTOVER), LI), Window)
        urgent = replace(asked, urgent=True)
        assert (await do(world, plan_window, urgent, LI)).no is No.GUARDED
        assert (await do(world, plan_window, replace(urgent, approved_by="li na"), LI)).no is No.SELF_APPROVED
        assert isinstance(await do(world, plan_window, replace(urgent, approved_by="Chen"), LI), Window)
        later_on = replace(asked, start=guard.end, end=guard.end + HOUR)
        assert isinstance(await do(world, plan_window, later_on, LI), Window)
        (row,) = await world.rows("SELECT CAST(body AS TEXT) AS body FROM guards")
        assert row["body"].count('"refused"') == 2


async def test_a_guard_declared_over_planned_routine_work_brings_its_tickets(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world, urgent=True)
        await agent.send(change())
        world.clock.on(60.0)
        guard = await declared(world, after=60.0)
        await pass_by(world, 59.0, agent)
        assert await world.tickets() == []
        await pass_by(world, 2.0, agent)
        assert [ticket["opened"] for ticket in await world.tickets()] == [guard.start]
        raised = change(device="ups-2", episode="e2")
        await agent.send(raised)
        assert len(await world.tickets()) == 2
        assert isinstance(await do(world, approve_window, 1, "the battery swells", CHEN), Window)
        await agent.send(change(device="ups-3", episode="e3"))
        assert len(await world.tickets()) == 2


async def test_an_extension_into_a_guard_period_is_refused(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        window = await planned(world)
        await declared(world, after=HOUR)
        refused = await do(world, extend_window, window.id, window.end + 1, "late", LI)
        assert refused.no is No.GUARDED
        assert (await world.desk.store.read(lambda db: window_numbered(db, window.id))) == window


async def test_a_guard_that_ended_early_freezes_no_more(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        guard = await declared(world)
        world.clock.on(60.0)
        assert (await do(world, end_guard, guard.id, "", CHEN)).no is No.NO_REASON
        await do(world, end_guard, guard.id, "the rain is over", CHEN)
        await planned(world)


async def test_approved_work_is_extended_in_a_guard_period_by_somebody_else_than_who_asked(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        await declared(world, hours=9.0)
        window = await planned(world, urgent=True, approved_by="Chen")
        refused = await do(world, extend_window, window.id, window.end + HOUR, "a bolt broke", LI)
        assert refused.no is No.GUARDED
        longer = await do(world, extend_window, window.id, window.end + HOUR, "a bolt broke", CHEN)
        assert longer.end == window.end + HOUR

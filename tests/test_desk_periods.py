"""A window holds tickets back, never the record of an alarm, and what stands at its end opens its ticket then."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from desk.period_store import held_by
from desk.periods import Author, declare_guard, end_window, extend_window, plan_window
from desk.store import Db
from desk.sweep import Sweep
from model.alarm import AlarmState, Kind, Now
from model.contract import Limit, Milestone, Start
from model.due import Span
from model.period import GuardDuty, GuardPeriod, No, Scope, Window
from model.period_words import Refused
from tests.desk_world import CONTRACT, Hands, Speaker, World, a_desk, change, cleared, later

HOUR = 3600.0
LI = Author("Li Na", "127.0.0.1")
CHEN = Author("Chen", "127.0.0.1")


async def planned(world: World, scope: Scope = Scope(sites=("S1",)), *, hours: float = 1.0, **more: Any) -> Window:  # noqa: B008 - a constant
    start = world.clock().wall + more.pop("after", 0.0)
    asked = Window(0, start, start + hours * HOUR, scope, "change the rectifier", "", **more)
    kept = await world.desk.store.write(lambda db: plan_window(world.desk.ledger(db), asked, LI))
    assert isinstance(kept, Window), kept
    return kept


async def declared(world: World, scope: Scope = Scope(), *, hours: float = 2.0, after: float = 0.0) -> GuardPeriod:  # noqa: B008 - a constant
    start = world.clock().wall + after
    end = start + hours * HOUR
    asked = GuardPeriod(0, start, end, scope, "Flood season", "", (GuardDuty("Wang", start, end),))
    kept = await world.desk.store.write(lambda db: declare_guard(world.desk.ledger(db), asked, LI))
    assert isinstance(kept, GuardPeriod), kept
    return kept


async def do(world: World, act: Any, *words: Any) -> Any:
    return await world.desk.store.write(lambda db: act(world.desk.ledger(db), *words))


async def pass_by(world: World, seconds: float, agent: Speaker | None = None) -> None:
    world.clock.on(seconds)
    if agent:
        await agent.beat()
    await Sweep(world.desk).look()


async def held_rows(world: World, window: int = 1) -> list[tuple[str, float | None]]:
    rows = await world.desk.store.read(lambda db: held_by(db, window))
    return [(row["fault"], row["released"]) for row in rows]


async def test_a_window_holds_the_ticket_and_the_alarm_is_recorded(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        assert (await agent.send(change())).status_code == 200
        assert await world.tickets() == []
        (episode,) = await world.rows("SELECT active, opened, state FROM episodes")
        assert (episode["active"], episode["opened"], episode["state"]) == (1, 1, "unacknowledged")
        assert "held" in await world.audit()
        assert await held_rows(world) == [("mains.lost", None)]


async def test_what_still_stands_opens_its_ticket_at_the_end_with_its_true_onset(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        window = await planned(world)
        world.clock.on(600.0)
        onset = world.clock().wall - 90.0  # the change says that it stood 90 s
        await agent.send(change())
        await pass_by(world, HOUR - 601.0, agent)
        assert await world.tickets() == []
        await pass_by(world, 1.5, agent)
        (ticket,) = await world.tickets()
        assert (ticket["opened"], ticket["start"], ticket["onset"]) == (window.end, window.end, onset)
        assert ticket["state"] == "open"
        assert len(await world.rows("SELECT * FROM ticket_episodes")) == 1
        await pass_by(world, 5.0, agent)
        assert len(await world.tickets()) == 1


async def test_what_ended_within_the_window_opens_nothing(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        raised = change()
        await agent.send(raised)
        await agent.send(cleared(raised))
        await pass_by(world, HOUR, agent)
        assert await world.tickets() == []
        assert (await held_rows(world))[0][1] is not None


async def test_what_a_parent_explains_at_the_end_opens_nothing(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        raised = change()
        await agent.send(raised)
        parent = "S1/mains/-/mains.lost"
        await agent.send(later(raised, Kind.SUPPRESSED, AlarmState.SUPPRESSED, explained_by=parent))
        await pass_by(world, HOUR, agent)
        assert await world.tickets() == []


async def test_a_fault_that_the_window_does_not_name_opens_its_ticket_at_once(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world, Scope(sites=("S1",), faults=("mains.*",)))
        await agent.send(change(), change(fault="smoke.detected", device="hall", episode="e2"))
        assert [ticket["fault"] for ticket in await world.tickets()] == ["smoke.detected"]


async def test_smoke_opens_its_ticket_at_once_unless_a_window_names_it(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        smoke = change(fault="smoke.detected", device="hall", episode="e2")
        await agent.send(change(), smoke)
        assert [ticket["fault"] for ticket in await world.tickets()] == ["smoke.detected"]
        await planned(world, Scope(sites=("S1",), faults=("smoke.*",)))
        await agent.send(change(fault="smoke.detected", device="cellar", episode="e3"))
        assert len(await world.tickets()) == 1


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        (Scope(), True),
        (Scope(regions=("east",)), True),
        (Scope(sites=("S1",)), True),
        (Scope(devices=("S1/ups",)), True),
        (Scope(devices=("S1/pdu",)), False),
        (Scope(sites=("S2",)), False),
    ],
)
async def test_only_what_lies_in_the_scope_is_held(tmp_path: Path, scope: Scope, held: bool) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await world.agent("S2", region="")
        await planned(world, scope)
        await agent.send(change())
        assert bool(await world.tickets()) is not held


async def test_a_window_ends_by_time_though_nothing_ran_at_its_end(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        world.clock.on(HOUR)
        await agent.send(change())
        assert len(await world.tickets()) == 1


async def test_a_ticket_that_was_open_before_goes_on(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        raised = change()
        await agent.send(raised)
        await planned(world)
        await agent.send(cleared(raised))
        (ticket,) = await world.tickets()
        assert ticket["state"] == "resolved"


async def test_a_ticket_that_waits_to_be_closed_opens_again_only_at_the_end(tmp_path: Path) -> None:
    async with a_desk(tmp_path, close_after=10 * HOUR) as world:
        agent = await world.agent()
        raised = change()
        await agent.send(raised)
        await agent.send(cleared(raised))
        window = await planned(world)
        world.clock.on(60.0)
        again = change(episode="e2")
        await agent.send(again)
        assert [ticket["state"] for ticket in await world.tickets()] == ["resolved"]
        assert (await held_rows(world)) == [("mains.lost", None)]
        await pass_by(world, HOUR - 61.0, agent)
        assert [ticket["state"] for ticket in await world.tickets()] == ["resolved"]
        await pass_by(world, 2.0, agent)
        (ticket,) = await world.tickets()
        assert (ticket["state"], ticket["episode"]) == ("open", "e2")
        (entry,) = await world.rows("SELECT at FROM entries WHERE did LIKE '%reopened%'")
        assert entry["at"] == window.end
        assert len(await world.rows("SELECT * FROM ticket_episodes")) == 2


async def test_what_came_and_went_in_the_window_leaves_a_resolved_ticket_as_it_was(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        raised = change()
        await agent.send(raised)
        await agent.send(cleared(raised))
        before = await world.tickets()
        await planned(world)
        world.clock.on(60.0)
        again = change(episode="e2")
        await agent.send(again)
        await agent.send(cleared(again))
        (ticket,), (same,) = await world.tickets(), before
        assert (ticket["state"], ticket["restored"]) == ("resolved", same["restored"])
        await Sweep(world.desk).look()
        assert (await world.tickets())[0]["state"] != "open"


# the desk was away


async def restarted(folder: Path, clock: Hands, agent: Speaker) -> tuple[Any, Speaker]:
    context = a_desk(folder, clock)
    world = await context.__aenter__()
    moved = Speaker(world, agent.agent, agent.site, agent.headers["Authorization"].removeprefix("Bearer "))
    moved.epoch, moved.seq = agent.epoch, agent.seq
    return (context, world), moved


async def test_a_desk_that_was_away_over_the_end_opens_the_ticket_as_of_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = Limit(name="restore", milestone=Milestone.RESTORE, span=Span(HOUR), said="1h", after=Start.REPORT)
    monkeypatch.setattr("tests.desk_world.CONTRACT", replace(CONTRACT, limits=(hour,)))
    clock = Hands()
    async with a_desk(tmp_path, clock) as world:
        agent = await world.agent()
        window = await planned(world)
        await agent.send(change())
    clock.on(3 * HOUR)
    (context, world), agent = await restarted(tmp_path, clock, agent)
    try:
        await Sweep(world.desk).look()
        assert await world.tickets() == []  # its site has not been heard yet
        await pass_by(world, 2.0, agent)
        (ticket,) = await world.tickets()
        assert ticket["opened"] == window.end
        assert (ticket["due"], ticket["late"]) == (window.end + HOUR, 1)  # it ran while the desk was away
    finally:
        await context.__aexit__(None, None, None)


async def test_a_site_that_stays_silent_after_the_desk_came_back_is_not_waited_for_long(tmp_path: Path) -> None:
    clock = Hands()
    async with a_desk(tmp_path, clock) as world:
        agent = await world.agent()
        await planned(world)
        await agent.send(change())
    clock.on(3 * HOUR)
    (context, world), _ = await restarted(tmp_path, clock, agent)
    try:
        await pass_by(world, 59.0)
        assert await world.tickets() == []
        await pass_by(world, 2.0)
        assert [ticket["fault"] for ticket in await world.tickets()] == ["mains.lost"]
    finally:
        await context.__aexit__(None, None, None)


@pytest.mark.parametrize(("ended_ago", "tickets"), [(HOUR, ["resolved"]), (3 * HOUR, [])])
async def test_what_ended_while_the_desk_was_away_has_its_ticket_only_if_it_outlasted_the_window(
    tmp_path: Path, ended_ago: float, tickets: list[str]
) -> None:
    clock = Hands()
    raised = change()
    async with a_desk(tmp_path, clock) as world:
        agent = await world.agent()
        window = await planned(world)
        await agent.send(raised)
    clock.on(3.5 * HOUR)  # the window ended 2.5 h ago
    (context, world), agent = await restarted(tmp_path, clock, agent)
    try:
        await agent.send(cleared(raised), age=ended_ago)
        await pass_by(world, 1.0, agent)
        found = await world.tickets()
        assert [ticket["state"] for ticket in found] == tickets
        assert all(ticket["opened"] == window.end for ticket in found)
    finally:
        await context.__aexit__(None, None, None)


# people change what was planned


async def test_an_extension_holds_on_and_ending_early_brings_the_ticket(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        window = await planned(world)
        await agent.send(change())
        longer = await do(world, extend_window, window.id, window.end + HOUR, "a bolt broke", CHEN)
        await pass_by(world, 1.5 * HOUR, agent)
        assert await world.tickets() == []
        early = await do(world, end_window, window.id, "done", CHEN)
        assert early.end == world.clock().wall < longer.end
        await pass_by(world, 1.0, agent)
        (ticket,) = await world.tickets()
        assert ticket["opened"] == early.end
        assert [step.what for step in early.steps] == ["extended", "ended"]
        assert {"window_planned", "window_extended", "window_ended"} <= set(await world.audit())


async def test_two_windows_without_a_gap_are_one_holding(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        second = await planned(world, after=HOUR)
        await agent.send(change())
        await pass_by(world, HOUR + 1, agent)
        assert await world.tickets() == []
        await pass_by(world, HOUR, agent)
        (ticket,) = await world.tickets()
        assert ticket["opened"] == second.end


async def test_a_window_that_is_planned_later_takes_over_at_the_end_of_the_first(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        await agent.send(change())
        second = await planned(world, hours=3.0)
        await pass_by(world, HOUR + 1, agent)
        assert await world.tickets() == []
        await pass_by(world, 2 * HOUR, agent)
        assert [ticket["opened"] for ticket in await world.tickets()] == [second.end]


async def test_a_place_that_the_desk_does_not_know_is_refused(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        await world.agent()
        start = world.clock().wall
        for scope, name in ((Scope(sites=("S9",)), "site:S9"), (Scope(regions=("mars",)), "region:mars"),
                            (Scope(devices=("S9/ups",)), "site:S9")):  # fmt: skip
            asked = Window(0, start, start + HOUR, scope, "work", "")
            assert await do(world, plan_window, asked, LI) == Refused(No.UNKNOWN_PLACE, name)
        assert await world.rows("SELECT * FROM windows") == []


# a clock that nobody can trust


async def test_nothing_is_held_while_nobody_knows_what_time_it_is(tmp_path: Path) -> None:
    from desk.release import release_due
    from model.service.words import Trust

    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await planned(world)
        await agent.send(change())

        def unsure(db: Db) -> list[int]:
            return release_due(replace(world.desk.ledger(db), trust=Trust.UNSYNCHRONISED))

        assert await world.desk.store.write(unsure) == [1]
        (ticket,) = await world.tickets()
        assert ticket["opened"] == world.clock().wall


async def test_a_site_is_heard_only_by_its_agent_though_a_start_takes_time(tmp_path: Path) -> None:
    from desk.sweep import not_heard_yet

    class Slow(Hands):
        """A clock on which everything takes a moment."""

        def __call__(self) -> Now:
            self.on(0.01)
            return self.now

    clock = Slow()
    async with a_desk(tmp_path, clock) as world:
        agent = await world.agent()
        assert not_heard_yet(world.desk, clock().boot) == frozenset()  # joined just now
    async with a_desk(tmp_path, clock) as world:
        assert not_heard_yet(world.desk, clock().boot) == {"S1"}
        agent.world = world
        await agent.beat()
        assert not_heard_yet(world.desk, clock().boot) == frozenset()

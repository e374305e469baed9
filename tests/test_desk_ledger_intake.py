"""What agents tell, in entries of tickets: through the intake, by contracts that ship and by one's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.core import Desk
from desk.ledger import check_books, record_of
from desk.periods import Author, plan_window
from desk.settings import DeskSettings, contracts_in
from desk.store import Db, Site
from desk.sweep import Sweep
from model.alarm import AlarmState, Kind
from model.change import Change
from model.period import Scope, Window
from model.service.entry import Acknowledged, Closed, MergedInto
from model.service.record import Record
from model.service.words import Refusal, Side
from model.ticket import TicketState
from tests.desk_world import Hands, Speaker, World, a_desk, change, cleared, later, snapshot


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path) as made:
        yield made
        assert await made.desk.store.read(check_books) == []


async def record(world: World, number: int) -> Record:
    found = await world.desk.store.read(lambda db: record_of(db, number))
    assert found is not None
    return found


async def test_an_alarm_that_a_snapshot_ended_and_another_brings_back_is_followed(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    states = []
    for standing in ((), (change(),), (), (change(),)):
        agent.epoch, agent.seq = f"epoch-{len(states)}", 0
        await agent.send(snapshot(*standing))
        states.append((await record(world, 1)).ticket.state)
    assert states == [TicketState.RESOLVED, TicketState.OPEN, TicketState.RESOLVED, TicketState.OPEN]
    raised = later(change(), Kind.CASE_CHANGED, AlarmState.UNACKNOWLEDGED, case="other")
    await agent.send(raised)
    assert (await record(world, 1)).ticket.case == "other"


@pytest.mark.parametrize("place", range(4))
async def test_one_bad_event_of_a_batch_leaves_the_others_as_if_it_had_not_come(world: World, place: int) -> None:
    agent = await world.agent()
    raised = change()
    worse = later(raised, Kind.CASE_CHANGED, AlarmState.UNACKNOWLEDGED, case="b")
    good = [raised, worse, change(device="b", episode="e2")]
    bad = change(site="S2", device="c", episode="e3")
    answer = await agent.send(*good[:place], bad, *good[place:])
    assert (answer.json()["acked"], [each["seq"] for each in answer.json()["refused"]]) == (4, [place + 1])
    tickets = await world.tickets()
    assert [(row["device"], row["case"]) for row in tickets] == [("ups", "b"), ("b", "lost")]
    assert len(await world.rows("SELECT * FROM receipts")) == 4
    assert (await world.audit()).count("quarantined") == 1


async def test_a_batch_that_raises_and_clears_is_one_ticket_with_both_entries(world: World) -> None:
    agent = await world.agent()
    raised = change()
    same = later(raised, Kind.UPDATED, AlarmState.UNACKNOWLEDGED)
    await agent.send(raised, same, cleared(same))
    entries = await world.rows("SELECT what, did FROM entries ORDER BY seq")
    assert [(row["what"], row["did"]) for row in entries] == [("opened", "opened"), ("alarm", "resolved")]


async def test_the_same_fault_again_is_a_recurrence_of_the_closed_ticket(world: World) -> None:
    agent = await world.agent()
    raised = change()
    await agent.send(raised, cleared(raised))
    await agent.beat(interval=86_000)
    world.clock.on(1801)
    await Sweep(world.desk).look()
    assert (await record(world, 1)).ticket.state is TicketState.CLOSED
    await agent.send(change(episode="e2"), change(episode="e3", device="other"))
    assert [(bond.tie, bond.number) for bond in (await record(world, 2)).bonds] == [("recurrence", 1)]
    assert (await record(world, 3)).bonds == ()


async def test_the_alarm_of_a_merged_ticket_opens_no_other_and_the_audit_says_which_has_it(world: World) -> None:
    agent = await world.agent()
    raised = change(device="b", episode="e2")
    await agent.send(change(), raised)
    done = await world.desk.write_act(2, "Li", "page", MergedInto(1, "one cable"))
    assert done is not None
    assert done.refused is None
    await agent.send(later(raised, Kind.CASE_CHANGED, AlarmState.UNACKNOWLEDGED, case="worse"))
    assert len(await world.tickets()) == 2
    (row,) = await world.rows("SELECT ticket FROM audit WHERE what = 'alarm_case_changed'")
    assert row["ticket"] == 1


async def merged(world: World, agent: Speaker) -> Change:
    """Three faults on one ticket, the first's; the first is over. Returns the alarm of the last, which stands."""
    first, last = change(), change(device="c", episode="e3")
    await agent.send(first, change(device="b", episode="e2"), last)
    for number, into in ((3, 2), (2, 1)):
        done = await world.desk.write_act(number, "Li", "page", MergedInto(into, "one cable"))
        assert done is not None
        assert done.refused is None
    gone = later(change(device="b", episode="e2"), Kind.CLEARED, AlarmState.NORMAL, active=False, case="")
    await agent.send(cleared(first), gone)
    return last


async def test_a_merged_fault_that_stands_when_its_ticket_closes_has_one_of_its_own_at_once(world: World) -> None:
    agent = await world.agent()
    await merged(world, agent)
    world.clock.on(60)
    done = await world.desk.write_act(1, "Li", "page", Closed())
    assert done is not None
    assert done.refused is None
    assert [(row["device"], row["state"]) for row in await world.tickets()][3:] == [("c", "open")]
    fresh = await record(world, 4)
    assert [(bond.tie, bond.number) for bond in fresh.bonds] == [("related", 1)]
    assert fresh.start == fresh.onset + 150 == world.clock().wall
    assert [row["ticket"] for row in await world.rows("SELECT ticket FROM ticket_episodes WHERE episode = 'e3'")] == [
        3,
        4,
    ]


async def test_a_window_holds_what_stands_when_its_ticket_closes_until_the_work_is_over(world: World) -> None:
    agent = await world.agent()
    await merged(world, agent)
    now = world.clock().wall
    work = Window(0, now, now + 600, Scope(sites=("S1",)), "new cable", "")
    await world.desk.store.write(lambda db: plan_window(world.desk.ledger(db), work, Author("Li", "")))
    await world.desk.write_act(1, "Li", "page", Closed())
    assert len(await world.tickets()) == 3
    world.clock.on(601)
    await agent.beat()
    await Sweep(world.desk).look()
    (fresh,) = (await world.tickets())[3:]
    assert (fresh["device"], fresh["opened"]) == ("c", now + 600)


async def test_an_act_wakes_the_agent_and_says_what_happened_or_why_not(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    first = await world.desk.write_act(1, "Li", "page", Acknowledged())
    assert first is not None
    assert first.happened == ("acknowledged",)
    second = await world.desk.write_act(1, "Wang", "page", Acknowledged())
    assert second is not None
    assert second.refused is Refusal.UNCHANGED
    assert await world.desk.write_act(9, "Li", "page", Acknowledged(), Side.CUSTOMER) is None
    assert [each["by"] for each in await agent.commands()] == ["Li"]


async def test_the_sweep_fires_what_is_due_and_the_page_of_the_board_hears_of_it(world: World) -> None:
    agent = await world.agent()
    await agent.send(change())
    await agent.beat(interval=86_000)
    with world.desk.hub.listen("board") as news:
        world.clock.on(7300)
        await Sweep(world.desk).look()
        assert news.is_set()
    assert "restore/2 breach" in (await record(world, 1)).fired
    assert (await world.tickets())[0]["late"] >= 1


async def test_contracts_and_calendars_of_ones_own_stand_before_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "calendars").mkdir(parents=True)
    extended = "extends: telecom-transmission\ntitle: {en: Ours, zh: 自定}\ncalendar: nights\n"
    (own / "ours.yaml").write_text(extended, encoding="utf-8")
    settings = DeskSettings(state=tmp_path / "state", contracts=own, contract="ours")
    desk = Desk(settings, contracts_in(own), Hands())
    try:
        assert desk.contracts("ours").title == {}
        assert desk.contracts("fire").title["en"]

        def put(db: Db) -> None:
            db.execute("INSERT INTO sites VALUES ('S', 'S', 'ours', 'rest', '')")

        await desk.store.write(put)
        (problem,) = await desk.problems()
        assert "there is no calendar" in problem
        assert "nights" in problem
        assert desk.calendars("nights").name == "always"
    finally:
        desk.close()
    night = "title: {en: Nights, zh: 夜间}\nzone: Asia/Shanghai\nhours:\n  mon-sun: 22:00-24:00\n"
    (own / "calendars" / "nights.yaml").write_text(night, encoding="utf-8")
    desk = Desk(settings, contracts_in(own), Hands())
    try:
        assert await desk.problems() == []
        assert desk.contracts("ours").title["en"] == "Ours"
        assert desk.calendars("nights").name == "nights"
        assert desk.calendars("china-working-days").name == "china-working-days"
        desk.check_contract(Site("S", "S", "ours", "rest"))
    finally:
        desk.close()
    (own / "calendars" / "nights.yaml").write_text("zone: Nowhere/Here\n", encoding="utf-8")
    desk = Desk(settings, contracts_in(own), Hands())
    try:
        (problem,) = await desk.problems()
        assert "until it is here every hour counts" in problem
        assert desk.calendars("nights").name == "always"
    finally:
        desk.close()

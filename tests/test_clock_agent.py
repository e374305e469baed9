"""A real agent whose wall clock is set under it, or that finds another one after a reboot; a real desk beside it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clock_world import FakeClock, Program
from tests.crash.processes import until
from tests.crash.world import World, condition

HOUR = "delays: {on: [1h, 1h, 1h, 1h], off: 0s}\n"
DAY = 86_400.0
AWAY = 0.1  # days


@contextmanager
def an_agent(world: World, clock: FakeClock, boot: Path | None = None) -> Iterator[Program]:
    """The world's agent under a clock of its own; killed at the end."""
    agent = Program(clock, world.folder / "agent.log", "agent", "--site", str(world.site_file), boot=boot)
    try:
        before = world.polled()
        until("the agent polls", lambda: (world.polled() - before) % 256 >= 2)
        yield agent
    finally:
        agent.process.kill()
        agent.process.wait()


def alarms(world: World) -> dict[str, dict[str, Any]]:
    return {key: json.loads(alarm) for key, alarm in world.journal("SELECT condition, alarm FROM alarms")}


def told(world: World) -> list[tuple[str, str]]:
    """What the outbox tells, oldest first: condition and kind."""
    bodies = [json.loads(body) for (body,) in world.journal("SELECT body FROM outbox ORDER BY seq")]
    return [(body["alarm"]["condition"], body["kind"]) for body in bodies if body["type"] == "change"]


def polls(world: World) -> None:
    """Let the agent look at the card a few times."""
    before = world.polled()
    until("the agent polls", lambda: (world.polled() - before) % 256 >= 3)


def another_boot(folder: Path) -> Path:
    boot = folder / "boot_id"
    boot.write_text("11111111-2222-3333-4444-555555555555\n", encoding="ascii")
    return boot


def test_a_clock_that_is_set_under_the_agent_moves_no_alarm_and_is_said_once(tmp_path: Path) -> None:
    clock = FakeClock(tmp_path)
    with World(tmp_path / "world", cold=True) as world, an_agent(world, clock) as agent:
        world.switch(0, stopped=True)
        world.switch(1, stopped=True)
        until("both have tickets", lambda: world.ticket(0) and world.ticket(1))
        world.command("shelve", condition(1), "1h", "--by", "Li", "--site", str(world.site_file))
        before = told(world)
        for days in (30, 0, -30):
            clock.set(days)
            polls(world)
            assert told(world) == before
        world.switch(2, stopped=True)  # while the clock is thirty days behind
        until("it has its ticket", lambda: world.ticket(2))
        rows = world.books("SELECT onset, opened FROM tickets")
        assert all(abs(moment - time.time()) < 300 for row in rows for moment in row)
        assert alarms(world)[condition(1)]["state"] == "shelved"
        waits = world.journal("SELECT wall FROM outbox")
        assert max(waits)[0] - min(waits)[0] < 300  # what is written down went on
        clock.set(0)
        polls(world)
        assert agent.said().count("the clock was set by +2592") == 1
        assert agent.said().count("the clock was set by -2592") == 1


@pytest.mark.parametrize("days", [30, -30])
def test_delays_and_shelves_outlast_a_clock_that_is_set_while_the_agent_is_away(tmp_path: Path, days: int) -> None:
    """In the same boot CLOCK_BOOTTIME says how long it was away; in another one nobody does, and nothing is over."""
    clock = FakeClock(tmp_path)
    with World(tmp_path / "world", cold=True, extra=HOUR) as world:
        with an_agent(world, clock):
            world.switch(0, stopped=True)
            world.switch(1, stopped=True)
            until("both are pending", lambda: len(told(world)) == 2)
            world.command("shelve", condition(1), "1h", "--by", "Li", "--site", str(world.site_file))
        before = told(world)
        clock.set(days)
        for boot in (None, another_boot(tmp_path)):
            with an_agent(world, clock, boot):
                polls(world)
                states = [alarms(world)[condition(shelf)]["state"] for shelf in (0, 1)]
                assert states == ["pending", "shelved"]
                assert told(world) == before
        assert world.ticket(0) is None


@pytest.mark.parametrize(("days", "age"), [(AWAY, AWAY * DAY), (30.0, 0.0), (-30.0, 0.0)])
def test_the_age_of_an_event_of_another_boot_is_what_is_sure_of_it(tmp_path: Path, days: float, age: float) -> None:
    """The desk is away, a fault begins, the machine is off for a tenth of a day and starts with some wall clock."""
    clock = FakeClock(tmp_path)
    with World(tmp_path / "world", cold=True) as world:
        world.kill_desk()
        clock.set(-AWAY)
        with an_agent(world, clock):
            world.switch(0, stopped=True)
            until("it is kept", lambda: told(world))
        clock.set(0.0 if days == AWAY else days)
        with an_agent(world, clock, another_boot(tmp_path)):
            world.start_desk()
            until("it has its ticket", lambda: world.ticket(0))
        ((onset,),) = world.books("SELECT onset FROM episodes WHERE agent <> ''")
        assert time.time() - onset == pytest.approx(age, abs=300)

"""Ways of dying that chance would rarely find, each on its own: name -> what happens. Each returns what is wrong."""

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable

from tests.crash.books import check, sound
from tests.crash.processes import HarnessError, until
from tests.crash.proxy import Mode
from tests.crash.syscalls import every_write
from tests.crash.world import World

Scenario = Callable[[World], list[str]]
PAGE = 4096  # bytes of a page of SQLite's files; the first two are the schema and who the agent is
WATCHED = 1.5  # seconds in which what must not happen would happen: many times a commit and an answer


def held_commit(world: World) -> list[str]:
    """The desk's file is held while events come, and the desk is killed before it could commit."""
    _standing(world, 0)
    holding = sqlite3.connect(world.desk_state / "desk.sqlite", isolation_level=None)
    try:
        holding.execute("BEGIN IMMEDIATE")
        passed = world.proxy.passed
        world.switch(1, stopped=True)
        until("events came to the desk", lambda: world.proxy.passed != passed)
        wrong = _never(world)
        world.kill_desk()
        world.kill_agent()
    finally:
        holding.close()
    return wrong or _settled(world)


def torn_transaction(world: World) -> list[str]:
    """The agent is killed at each write of a fault's beginning."""
    return every_write(world, "agent", whole=False)


def cut_after_commit(world: World) -> list[str]:
    """The desk commits, and its answer is lost; the agent asks again, and again after a restart."""
    _standing(world, 0)
    world.proxy.be(Mode.CUT)
    world.switch(1, stopped=True)
    world.switch(0, stopped=False)
    until("two answers were lost", lambda: world.proxy.harmed >= 2)
    world.kill_agent()
    world.proxy.be(Mode.CUT)
    world.start()
    until("another was lost", lambda: world.proxy.harmed >= 1)
    world.proxy.be(Mode.TWICE)
    world.switch(2, stopped=True)
    until("events came twice", lambda: world.proxy.harmed >= 1)
    world.proxy.be(Mode.REPLAY)
    world.switch(3, stopped=True)
    until("old events came again", lambda: world.proxy.harmed >= 1)
    world.proxy.be(Mode.PASS)
    return _settled(world)


def refused_for_a_while(world: World) -> list[str]:
    """The desk refuses everything while faults begin and end; the agent is killed meanwhile."""
    wrong: list[str] = []
    _standing(world, 0)
    for mode in (Mode.BUSY, Mode.AWAY):
        world.proxy.be(mode)
        world.switch(1, stopped=mode is Mode.BUSY)
        until("the agent knows", lambda: world.standing() == world.stopped())
        until("its events were refused", lambda: world.proxy.harmed >= 1)
        wrong += _never(world)
        world.kill_agent()
        world.start()
    world.proxy.be(Mode.PASS)
    return wrong or _settled(world)


def agent_from_an_image(world: World) -> list[str]:
    """The agent's disk is set back to an older image: what follows has numbers that were used, and is a new epoch."""
    _standing(world, 0)
    world.kill_agent()
    image = world.folder / "image"
    shutil.copytree(world.agent_state, image)
    world.switch(1, stopped=True)
    world.switch(2, stopped=True)
    wrong = _settled(world)
    world.kill_agent()
    shutil.rmtree(world.agent_state)
    image.rename(world.agent_state)
    world.switch(0, stopped=False)
    world.switch(1, stopped=False)
    world.switch(3, stopped=True)
    return wrong or _settled(world, epochs=2)


def agent_made_anew(world: World) -> list[str]:
    """The agent's state is lost and the site joins again."""
    _standing(world, 0)
    _standing(world, 1)
    world.kill_agent()
    shutil.rmtree(world.agent_state)
    world.join()
    world.switch(0, stopped=False)
    world.switch(2, stopped=True)
    return _settled(world, epochs=2)


def agent_file_damaged(world: World) -> list[str]:
    """The agent's file is spoilt where its alarms and events stand: it begins another as the same agent."""
    _standing(world, 0)
    _standing(world, 1)
    agent = world.agent
    if agent is None:
        raise HarnessError("no agent runs")
    os.kill(agent.pid, signal.SIGTERM)
    until("the agent has ended in order", lambda: not agent.alive())
    with (world.agent_state / "journal.db").open("r+b") as file:
        file.seek(2 * PAGE)
        file.write(os.urandom(PAGE * 3))
    world.switch(0, stopped=False)
    world.switch(2, stopped=True)
    return _settled(world, epochs=2)


def desk_from_a_backup(world: World) -> list[str]:
    """The desk's file is set back to a backup; nothing new happens at the site, and all comes back."""
    _standing(world, 0)
    _standing(world, 2)
    world.kill_desk()
    backup = world.folder / "backup"
    shutil.copytree(world.desk_state, backup)
    world.start()
    _standing(world, 1)
    _take(world, 1)
    world.switch(0, stopped=False)
    wrong = _settled(world)
    world.kill_desk()
    shutil.rmtree(world.desk_state)
    backup.rename(world.desk_state)
    wrong = wrong or _settled(world)
    _take(world, 2)
    return wrong or _settled(world)


SCENARIOS: dict[str, Scenario] = {
    "held-commit": held_commit,
    "torn-transaction": torn_transaction,
    "cut-after-commit": cut_after_commit,
    "refused-for-a-while": refused_for_a_while,
    "agent-from-an-image": agent_from_an_image,
    "agent-made-anew": agent_made_anew,
    "agent-file-damaged": agent_file_damaged,
    "desk-from-a-backup": desk_from_a_backup,
}


def play(world: World, name: str) -> list[str]:
    """Play a scenario. When what it waits for does not come, the books say why."""
    try:
        return SCENARIOS[name](world)
    except HarnessError as error:
        return [str(error), *check(world)]


def _standing(world: World, shelf: int) -> None:
    """Bring one fault through to its ticket."""
    world.switch(shelf, stopped=True)
    world.start()
    until("agent and desk know the fault", world.settled, 10.0)


def _take(world: World, shelf: int) -> None:
    """Take the ticket of a shelf, and see that the desk says so."""
    found = world.ticket(shelf)
    if found is None or not world.acknowledge(found[0], f"crash-{shelf}"):
        raise HarnessError(f"the ticket of shelf {shelf} could not be taken: {found}")


def _never(world: World) -> list[str]:
    """Look for a while whether the agent believes too early."""
    end = time.monotonic() + WATCHED
    while time.monotonic() < end:
        if wrong := sound(world):
            return wrong
        time.sleep(0.02)
    return []


def _settled(world: World, *, epochs: int = 1) -> list[str]:
    missing = world.settle()
    return ([missing] if missing else []) + check(world, epochs=epochs)

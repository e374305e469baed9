"""Chance plans work, breaks and mends devices and stops the desk; every ticket opens when it must.

What must be is worked out beside the desk: a fault's ticket opens at the first moment, from its raise on, at which no
window that was known by then holds it back, if the fault still stood then; and in no other way.
"""

import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from desk.period_store import listed_guards, listed_windows
from desk.periods import Author, approve_window, declare_guard, end_guard, end_window, extend_window, plan_window
from desk.sweep import Sweep
from model.change import Change
from model.period import GuardDuty, GuardPeriod, Place, Scope, Window, Work, held_until
from tests.desk_world import Hands, Speaker, World, a_desk, change, cleared

STEP = 600.0
DEVICES = ("ups", "pdu", "dc")
SCOPES = (Scope(), Scope(regions=("east",)), Scope(sites=("S1",)), Scope(devices=("S1/ups",)),
          Scope(sites=("S1",), faults=("mains.*",)), Scope(sites=("S1",), faults=("battery.*",)))  # fmt: skip


class Play:
    """One play of chance: the desk, what stands, and when each fault's ticket must have opened."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.dice, self.clock = folder, random.Random(seed), Hands()
        self.stack, self.standing, self.must = AsyncExitStack(), dict[str, tuple[Change, float]](), list[float]()
        self.episodes = 0

    async def start(self) -> None:
        self.world: World = await self.stack.enter_async_context(a_desk(self.folder, self.clock))

    async def stop(self) -> None:
        await self.stack.aclose()
        self.stack = AsyncExitStack()

    def on(self, seconds: float) -> None:
        """Let time pass, and work out which tickets must open in it by what is known now."""
        begin, self.clock_now = self.clock().wall, self.clock().wall + seconds
        self._reckon(begin, self.clock_now)
        self.clock.on(seconds)

    def _reckon(self, begin: float, end: float) -> None:
        for device, (raised, opened) in self.standing.items():
            if opened == 0.0:
                at = held_until(self.windows, self.guards, Place("east", "S1", device, "mains.lost"), begin)
                if at <= end:
                    self.standing[device] = (raised, at)
                    self.must.append(at)

    async def look(self) -> None:
        """Read what people planned; what is not held by it any more must open now."""
        self.windows, self.guards = await self.world.desk.store.read(
            lambda db: (listed_windows(db, self.clock().wall), listed_guards(db, self.clock().wall))
        )
        self._reckon(self.clock().wall, self.clock().wall)

    async def people(self) -> None:
        """Somebody does something, or is refused."""
        dice, now = self.dice, self.clock().wall
        start = now + dice.choice((0, 0, 1, 3)) * STEP
        end = start + dice.choice((1, 2, 5, 9)) * STEP
        scope, number = dice.choice(SCOPES), dice.randint(1, 6)
        kind = dice.choice((Work.ROUTINE, Work.ROUTINE, Work.CUTOVER))
        guard = GuardPeriod(0, start, end, scope, "guard", "", (GuardDuty("Wang", start, end),))
        li, chen = Author("Li", ""), Author("Chen", "")
        act, said = dice.choice(
            (
                (plan_window, (Window(0, start, end, scope, "work", "", kind, urgent=dice.random() < 0.5), li)),
                (plan_window, (Window(0, start, end, scope, "work", "", Work.REPAIR), li)),
                (declare_guard, (guard, li)),
                (extend_window, (number, end + STEP, "longer", li)),
                (end_window, (number, "done", li)),
                (approve_window, (number, "", chen)),
                (end_guard, (number, "over", li)),
            )
        )
        await self.world.desk.store.write(lambda db: self._do(act, db, said))

    def _do(self, act: Any, db: Any, said: tuple[Any, ...]) -> Any:
        return act(self.world.desk.ledger(db), *said)

    async def devices(self, agent: Speaker) -> None:
        """A device breaks, or is mended."""
        device = self.dice.choice(DEVICES)
        if device in self.standing:
            raised, _ = self.standing.pop(device)
            await agent.send(cleared(raised))
            return
        self.episodes += 1
        raised = change(fault=f"mains.lost{self.episodes}", device=device, episode=f"e{self.episodes}")  # a ticket each
        await agent.send(raised)
        self.standing[device] = (raised, 0.0)
        self._reckon(self.clock().wall, self.clock().wall)


@pytest.mark.parametrize("seed", range(16))
async def test_every_ticket_opens_at_the_first_moment_at_which_nothing_holds_it(tmp_path: Path, seed: int) -> None:
    play = Play(tmp_path, seed)
    await play.start()
    agent = await play.world.agent()
    await play.look()
    for _ in range(60):
        if play.dice.random() < 0.15:  # the desk is away for a while
            await play.stop()
            play.on(play.dice.choice((1, 4)) * STEP)
            await play.start()
            agent.world = play.world
        else:
            play.on(play.dice.choice((0.0, STEP / 2, STEP)))
        if play.dice.random() < 0.5:
            await agent.beat()
            await Sweep(play.world.desk).look()
        if play.dice.random() < 0.4:
            await play.people()
            await play.look()
        if play.dice.random() < 0.5:
            await play.devices(agent)
    play.on(1.0)
    await agent.beat()
    await Sweep(play.world.desk).look()
    opened = [row["opened"] for row in await play.world.tickets()]
    assert sorted(opened) == sorted(play.must)
    await play.stop()

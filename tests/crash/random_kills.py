"""kill -9 at random instants, while fans stop and start and people take tickets; the books after every few kills."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.books import Truth, check, read_journal, sound
from tests.crash.card import SHELVES
from tests.crash.world import World, condition

LONGEST = 0.7  # seconds that a victim lives at most after all is started: its start, its first poll, its first words
ROUND = 25  # kills between two settlings
Say = Callable[[str], None]


@dataclass
class Lane:
    """One world that is killed again and again."""

    world: World
    dice: random.Random
    kills: int = 0
    truth: Truth = field(default_factory=Truth)
    before: list[bool] = field(default_factory=lambda: [False] * SHELVES)
    takings: int = 0

    def once(self, *, cold: bool) -> list[str]:
        """Let the world live for a moment in which things happen, then kill one or both of it."""
        world, dice = self.world, self.dice
        for shelf in dice.sample(range(SHELVES), dice.choice((0, 1, 2, 3))):
            world.switch(shelf, stopped=not world.stopped()[shelf])
        if world.desk is None:
            world.start_desk(cold=cold)
        if world.agent is None:
            world.start_agent(cold=cold)
        if dice.random() < 0.3:
            self.take()
        time.sleep(dice.random() * (2.5 if cold else LONGEST))
        victims = dice.choice((("agent",), ("agent",), ("desk",), ("desk",), ("agent", "desk")))
        if "agent" in victims:
            world.kill_agent()
        if "desk" in victims:
            world.kill_desk()
        self.kills += len(victims)
        return sound(world)

    def take(self) -> None:
        """Take a ticket that is open, by a name that is used once."""
        found = self.world.books("SELECT number FROM tickets WHERE state = 'open' AND acknowledged IS NULL")
        if found:
            number, who = self.dice.choice(found)[0], f"crash-{self.takings}"
            self.takings += 1
            if self.world.acknowledge(number, who):
                self.truth.taken[number] = who

    def settle(self) -> list[str]:
        """Bring both to rest and check everything; the settling begins with two more kills."""
        self.kills += 2
        missing = self.world.settle()
        stopped = self.world.stopped()
        for shelf, (was, now) in enumerate(zip(self.before, stopped, strict=True)):
            self.truth.held[condition(shelf)] += now and not was
        self.before = stopped
        return ([missing] if missing else []) + check(self.world, self.truth)


def random_kills(folder: Path, kills: int, cold: int, seed: int, say: Say) -> list[str]:
    """Kill `kills` times, `cold` of them programs that were started anew; return what is wrong."""
    began, shown = time.monotonic(), 0.0
    with World(folder) as world:
        lane = Lane(world, random.Random(seed))
        until_settling, cold_every = ROUND, kills / cold if cold else 0.0
        colds = 0
        while lane.kills < kills or until_settling < ROUND:
            is_cold = bool(cold) and colds < cold and lane.kills >= colds * cold_every
            colds += is_cold
            wrong = lane.once(cold=is_cold)
            until_settling -= 1
            if not until_settling or lane.kills >= kills:
                wrong += lane.settle()
                until_settling = ROUND
            if wrong:
                return [f"after {lane.kills} kills (seed {seed}): {each}" for each in wrong]
            if time.monotonic() - shown > 5 or lane.kills >= kills:
                shown = time.monotonic()
                episodes = len(read_journal(world).raised())
                say(f"{lane.kills} kills, {colds} cold starts, {episodes} episodes, {shown - began:.0f} s")
    return []

"""What will happen to a province: faults of each site, storms over regions, lines that are cut, a desk that is away."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from desk.timekeeping import regain
from tests.province.people import DAY, HOUR
from tests.province.sites import MAINS, OWN, Agent, Part

if TYPE_CHECKING:
    from tests.province.simulation import Province

RATE = 0.33  # faults of its own a site has in a day
MAINS_RATE = 0.03  # times a day that a site alone loses its mains
JUMP = 30 * DAY
SITES = 5  # of a region that loses its mains, at least

# When the desk is away, as shares of the whole time, and for how many hours of 90 days; then how its clock is set.
AWAY = ((0.06, 2.0), (0.19, 0.3), (0.37, 9.0), (0.55, 26.0), (0.79, 1.0))
SET = ((0.12, 5.0, JUMP), (0.29, 20.0, -JUMP), (0.64, 30.0, JUMP), (0.88, 1.0, -JUMP))
REBOOT = (0.46, 6.0)  # another boot id, and nobody knows the time until a person confirms it


def plan(province: Province) -> None:
    """Put everything that will happen to the sites on the heap."""
    chance = province.chance
    for agent in province.agents:
        for part, rate in ((None, RATE), (MAINS, MAINS_RATE)):
            when = province.clock.true + chance.expovariate(rate) * DAY
            while when < province.end:
                _fault(province, agent, part or chance.choice(OWN), when)
                when += chance.expovariate(rate) * DAY
        when = province.clock.true + chance.expovariate(1 / 20) * DAY
        while when < province.end:
            province.at(when, partial(province.cut, agent, chance.expovariate(1 / (3 * HOUR))))
            when += chance.expovariate(1 / 20) * DAY
        if chance.random() < 0.2:
            province.at(chance.uniform(province.clock.true, province.end), partial(_anew, province, agent))
    when = province.clock.true + chance.expovariate(1 / 2) * DAY
    while when < province.end:
        _outage(province, when)
        when += chance.expovariate(1 / 2) * DAY


def _fault(province: Province, agent: Agent, part: Part, when: float) -> None:
    """A fault begins; some flap before they stay away."""
    chance = province.chance
    lasts = _lasts(chance)
    for _ in range(4 if chance.random() < 0.05 else 1):
        province.at(when, partial(province.begin, agent, part, chance.choice(part.cases), lasts))
        when += lasts + chance.uniform(30.0, 1200.0)


def _lasts(chance: random.Random) -> float:
    """Seconds that a fault stands: a moment, minutes, hours or days."""
    kind = chance.random()
    if kind < 0.1:
        return chance.uniform(5.0, 200.0)
    if kind < 0.45:
        return chance.uniform(5.0, 60.0) * 60.0
    return chance.expovariate(1 / (4 * HOUR)) + 60.0 if kind < 0.9 else chance.uniform(1.0, 9.0) * DAY


def _outage(province: Province, when: float) -> None:
    """A region loses its mains within a minute; some of its sites lose their line with it."""
    chance = province.chance
    of = Counter((agent.site.contract, agent.site.region) for agent in province.agents)
    region = chance.choice([each for each, sites in of.items() if sites >= SITES])
    lasts = chance.uniform(0.2, 6.0) * HOUR
    for agent in province.agents:
        if (agent.site.contract, agent.site.region) != region:
            continue
        begins = when + chance.uniform(0.0, 60.0)
        province.at(begins, partial(province.begin, agent, MAINS, "", lasts + chance.uniform(-300.0, 300.0)))
        if chance.random() < 0.3:
            province.at(begins + chance.uniform(1.0, 900.0), partial(province.cut, agent, lasts))


def _anew(province: Province, agent: Agent, _: object) -> None:
    agent.begin_anew(province.clock.site)
    province.counted["journals begun anew"] += 1


@dataclass(frozen=True)
class Switch:
    """Something that is done to the desk or its clock at a moment."""

    at: float
    do: Callable[[], Awaitable[None]]


def switches(province: Province) -> list[Switch]:
    """Return what is done to the desk, in the order of time."""
    begin, whole = province.clock.true, province.end - province.clock.true

    async def away() -> None:
        if province.desk is not None:
            await province.stop()

    async def back() -> None:
        if province.desk is None:
            await province.start()

    async def clock_set(off: float) -> None:
        province.clock.off = off
        province.counted["times that the clock was set"] += 1

    async def reboot() -> None:
        if province.desk is not None:
            await province.stop()
        province.clock.booted, province.clock.boot_id = province.clock.true - 60.0, "boot-2"
        await province.start()
        assert province.desk is not None
        province.counted["reboots"] += 1

    async def confirm() -> None:
        if province.desk is not None:
            await regain(province.desk, "Li", "test", "clock_confirmed", word=True)

    hour = HOUR * min(1.0, whole / (90 * DAY))
    found = [Switch(begin + share * whole, away) for share, _ in AWAY]
    found += [Switch(begin + share * whole + hours * hour, back) for share, hours in AWAY]
    found += [Switch(begin + share * whole, partial(clock_set, off)) for share, _, off in SET]
    found += [Switch(begin + share * whole + hours * hour, partial(clock_set, 0.0)) for share, hours, _ in SET]
    found += [Switch(begin + REBOOT[0] * whole, reboot)]
    found += [Switch(begin + REBOOT[0] * whole + REBOOT[1] * hour, confirm)]
    return sorted(found, key=lambda each: each.at)

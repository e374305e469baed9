"""Hundreds of cards: memory and CPU of the agent, and whether each is read on time, also when a fifth are dead."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from bench import peers
from bench.figures import Budget, Figure, Peer, Spread
from bench.processes import Child, scrape, series
from bench.rows.idle import figures, until_read, watched
from bench.site import Place, cards_section, playing, site, target
from bench.sizes import Sizes

DEAD = 5  # every fifth falls silent
SAME_POLL = 0.5  # of an interval: requests nearer to each other are one poll's
INTERVALS = 4  # that lateness is watched for


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Watch them all alive, with snmp_exporter beside; then alone; then with every fifth one dead."""
    with ExitStack() as stack:
        played, port = stack.enter_context(playing("ups", sizes.devices))
        place = stack.enter_context(site(cards_section(sizes.devices, port, f"{sizes.interval}s", "auto")))
        agent = stack.enter_context(place.agent())
        until_read(place, agent, sizes.devices)
        found = _costs(place, agent, port, sizes, tell)
        tell("are all read on time?")
        alive, _ = _lateness(played, place, agent, sizes, dead=False)
        played.say(f"mute {DEAD}")
        tell("are the living read on time beside the dead?")
        living, cost = _lateness(played, place, agent, sizes, dead=True)
    dead = len(range(0, sizes.devices, DEAD))
    what = f"{sizes.devices - dead} living cards beside {dead} dead"
    return [*found, *_late(what, living, alive), Figure(f"{what}: CPU", "% of a core", Spread.of([cost]))]


def _costs(place: Place, agent: Child, port: int, sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    with ExitStack() as stack:
        exporter = stack.enter_context(peers.snmp_exporter())
        running = {"agent": agent, "desk": place.desk, "snmp_exporter": exporter.child if exporter else None}
        pages: list[Callable[[], str]] = [partial(scrape, place.metrics)]
        if exporter:
            pages += [partial(exporter.page, target(card, port)) for card in range(sizes.devices)]
        costs = watched(running, pages, sizes, tell)
        count = series(scrape(place.metrics))
    whole = sizes.devices >= 500
    what = f"agent, {sizes.devices} cards of 20 objects every {sizes.interval} s, {count} series"
    limits = {"rss": 60.0, "cpu": 2.0} if whole else {}
    ours = figures(what, costs, ("snmp_exporter",), **limits)
    return ours + figures("desk of that site", {"agent": costs["desk"]}, ())


def _lateness(played: Child, place: Place, agent: Child, sizes: Sizes, *, dead: bool) -> tuple[list[float], float]:
    """Return the milliseconds by which polls of cards that answer came late, and the agent's CPU in % of a core."""
    played.say("arrivals")
    began, cpu = time.monotonic(), agent.cpu()
    for _ in range(INTERVALS):
        peers.paced(sizes.interval, [partial(scrape, place.metrics)])
    used = (agent.cpu() - cpu) / (time.monotonic() - began) * 100.0
    cards = json.loads(played.say("arrivals"))
    living = [times for card, times in enumerate(cards) if not dead or card % DEAD]
    return [late * 1e3 for times in living for late in late_by(times, sizes.interval)], used


def late_by(arrivals: Sequence[float], interval: float) -> list[float]:
    """Return how much later than its turn each poll of a card came, by the earliest of them; seconds."""
    polls = [at for place, at in enumerate(arrivals) if not place or at - arrivals[place - 1] > SAME_POLL * interval]
    if not polls:
        return [interval * INTERVALS]  # it was not read at all
    turns = [at - polls[0] - round((at - polls[0]) / interval) * interval for at in polls]
    missed = round((polls[-1] - polls[0]) / interval) + 1 - len(polls)
    return [turn - min(turns) for turn in turns] + [interval] * missed


def _late(what: str, living: list[float], alive: list[float]) -> list[Figure]:
    def figure(name: str, of: Callable[[list[float]], float], budget: Budget | None = None) -> Figure:
        peer = Peer("all of them alive", Spread.of([of(alive)]))
        return Figure(f"{what}: a poll is late by, {name}", "ms", Spread.of([of(living)]), (peer,), budget)

    return [
        figure("median", statistics.median),
        figure("99 of 100", lambda found: sorted(found)[int(0.99 * (len(found) - 1))]),
        figure("most", max),
    ]

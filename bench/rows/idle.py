"""What runs all day: memory and CPU of an agent that has joined its desk, beside what else would watch the same."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from bench import cards, peers
from bench.figures import Budget, Figure, Peer, Spread
from bench.processes import Child, scrape, series
from bench.site import Place, cards_section, host_section, playing, site
from bench.sizes import Sizes

Costs = dict[str, dict[str, list[float]]]  # name -> rss, uss (MiB) and cpu (% of a core) of each run


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Measure the host alone, then many cards."""
    return _host(sizes, tell) + _devices(sizes, tell)


def _host(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    with ExitStack() as stack:
        node = stack.enter_context(peers.node_exporter())
        collectd = stack.enter_context(peers.collectd(sizes.interval))
        place = stack.enter_context(site(host_section(sizes.interval)))
        agent = stack.enter_context(place.agent())
        running = {"agent": agent, "node_exporter": node.child if node else None, "collectd": collectd}
        pages: list[Callable[[], str]] = [partial(scrape, place.metrics), *([node.page] if node else [])]
        costs = _watched(running, pages, sizes, tell)
    return _figures(f"agent, host alone every {sizes.interval} s", costs, ("node_exporter", "collectd"))


def _devices(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    with ExitStack() as stack:
        _, port = stack.enter_context(playing("ups", sizes.devices))
        exporter = stack.enter_context(peers.snmp_exporter())
        section = cards_section(sizes.devices, port, f"{sizes.interval}s")
        place = stack.enter_context(site(host_section(sizes.interval) + section))
        agent = stack.enter_context(place.agent())
        until_read(place, agent, sizes.devices + 1)
        running = {"agent": agent, "desk": place.desk, "snmp_exporter": exporter.child if exporter else None}
        pages: list[Callable[[], str]] = [partial(scrape, place.metrics)]
        if exporter:
            pages += [partial(exporter.page, target(card, port)) for card in range(sizes.devices)]
        costs = _watched(running, pages, sizes, tell)
        count = series(scrape(place.metrics))
    what = f"agent, {sizes.devices} cards every {sizes.interval} s, {count} series"
    figures = _figures(what, costs, ("snmp_exporter",), rss=60.0 if sizes.devices >= 500 else None)
    return figures + _figures("desk of that site", {"agent": costs["desk"]}, ())


def until_read(place: Place, agent: Child, devices: int) -> float:
    """Wait until so many devices have been read; returns the seconds since the agent's start."""
    return agent.until(lambda: scrape(place.metrics).count("\nroundsman_device_up{") >= devices, every=0.2)


def target(card: int, port: int, module: str = "ups") -> str:
    """Return the path of snmp_exporter that reads a card."""
    return f"/snmp?module={module}&target={cards.address(card)}:{port}"


def _watched(
    running: dict[str, Child | None], pages: Sequence[Callable[[], str]], sizes: Sizes, tell: Callable[[str], None]
) -> Costs:
    """Let everything run for some windows, each page asked once an interval."""
    costs: Costs = defaultdict(lambda: defaultdict(list))
    there = {name: child for name, child in running.items() if child is not None}
    peers.paced(sizes.window, pages)  # what is done once is done here
    for turn in range(sizes.runs):
        tell(f"window {turn + 1} of {sizes.runs}, {sizes.window:g} s")
        before = {name: child.cpu() for name, child in there.items()}
        seconds = peers.paced(sizes.window, pages)
        for name, child in there.items():
            rss, uss = child.memory()
            costs[name]["rss"].append(rss)
            costs[name]["uss"].append(uss)
            costs[name]["cpu"].append((child.cpu() - before[name]) / seconds * 100.0)
    return costs


def _figures(what: str, costs: Costs, others: tuple[str, ...], *, rss: float | None = None) -> list[Figure]:
    def others_of(kind: str) -> tuple[Peer, ...]:
        return tuple(peers.peer(name, costs[name][kind] if name in costs else ()) for name in others)

    ours = costs["agent"]
    budget = Budget(rss) if rss else None
    return [
        Figure(f"{what}: RSS", "MiB", Spread.of(ours["rss"]), others_of("rss"), budget),
        Figure(f"{what}: USS", "MiB", Spread.of(ours["uss"]), others_of("uss")),
        Figure(f"{what}: CPU", "% of a core", Spread.of(ours["cpu"]), others_of("cpu")),
    ]

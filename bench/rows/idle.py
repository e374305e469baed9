"""What runs all day: memory and CPU of an agent that has joined its desk, beside what else would watch the same."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from bench import peers
from bench.figures import Budget, Figure, Peer, Spread
from bench.processes import Child, scrape
from bench.site import Place, host_section, site
from bench.sizes import Sizes

Costs = dict[str, dict[str, list[float]]]  # name -> rss, uss (MiB) and cpu (% of a core) of each run


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Measure the host alone; `many` has the cards."""
    with ExitStack() as stack:
        node = stack.enter_context(peers.node_exporter())
        collectd = stack.enter_context(peers.collectd(sizes.interval))
        place = stack.enter_context(site(host_section(sizes.interval)))
        agent = stack.enter_context(place.agent())
        running = {"agent": agent, "node_exporter": node.child if node else None, "collectd": collectd}
        pages: list[Callable[[], str]] = [partial(scrape, place.metrics), *([node.page] if node else [])]
        costs = watched(running, pages, sizes, tell)
    return figures(f"agent, host alone every {sizes.interval} s", costs, ("node_exporter", "collectd"))


def until_read(place: Place, agent: Child, devices: int) -> float:
    """Wait until so many devices have been read; returns the seconds since the agent's start."""
    return agent.until(lambda: scrape(place.metrics).count("\nroundsman_device_up{") >= devices, every=0.2)


def watched(
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


def figures(
    what: str, costs: Costs, others: tuple[str, ...], *, rss: float | None = None, cpu: float | None = None
) -> list[Figure]:
    """Return memory and CPU of the agent beside the others'; `rss` and `cpu` are budgets."""

    def others_of(kind: str) -> tuple[Peer, ...]:
        return tuple(peers.peer(name, costs[name][kind] if name in costs else ()) for name in others)

    ours = costs["agent"]
    return [
        Figure(f"{what}: RSS", "MiB", Spread.of(ours["rss"]), others_of("rss"), Budget(rss) if rss else None),
        Figure(f"{what}: USS", "MiB", Spread.of(ours["uss"]), others_of("uss")),
        Figure(f"{what}: CPU", "% of a core", Spread.of(ours["cpu"]), others_of("cpu"), Budget(cpu) if cpu else None),
    ]

"""From starting the process to readings."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from bench import peers
from bench.figures import Budget, Figure, Spread
from bench.peers import Serving
from bench.processes import answers
from bench.rows.idle import until_read
from bench.site import cards_section, host_section, playing, site, target
from bench.sizes import Sizes


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Start agents and peers, one after the other."""
    first, node = [], []
    with site(host_section(sizes.interval)) as place:
        for turn in range(sizes.runs):
            tell(f"host, start {turn + 1} of {sizes.runs}")
            with place.agent(until_up=False) as agent:
                first.append(agent.until(lambda: agent.said(b"first reading"), every=0.005))
            node += _page_of(peers.node_exporter(wait=False))
    cards_first, cards_all, exporter = [], [], []
    with (
        playing("ups", sizes.devices) as (_, port),
        site(host_section(sizes.interval) + cards_section(sizes.devices, port, f"{sizes.interval}s")) as place,
    ):
        for turn in range(sizes.runs):
            tell(f"{sizes.devices} cards, start {turn + 1} of {sizes.runs}")
            with place.agent(until_up=False) as agent:
                cards_first.append(agent.until(lambda: agent.said(b"first reading"), every=0.005))
                agent.until(lambda: answers(place.metrics), every=0.1)
                cards_all.append(until_read(place, agent, sizes.devices + 1))
            exporter += _page_of(peers.snmp_exporter(wait=False), target(0, port))
    devices = f"{sizes.devices} cards"
    return [
        Figure("host: start to first reading", "s", Spread.of(first), (peers.peer("node_exporter, first page", node),)),
        Figure(
            f"{devices}: start to first reading",
            "s",
            Spread.of(cards_first),
            (peers.peer("snmp_exporter, first page of one", exporter),),
            Budget(1.5),
        ),
        Figure(f"{devices}: start to every card discovered and read", "s", Spread.of(cards_all)),
    ]


def _page_of(starting: AbstractContextManager[Serving | None], path: str = "/metrics") -> list[float]:
    """Return the seconds from a peer's start to its first page; empty where it is not installed."""
    with starting as found:
        return [found.child.until(lambda: answers(found.port, path), every=0.005)] if found else []

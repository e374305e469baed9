"""The /metrics page: CPU of the serving process for each series, from request to last byte, no gzip."""

from collections.abc import Callable
from contextlib import ExitStack

from bench import peers
from bench.figures import Figure, Spread
from bench.peers import Serving
from bench.rows.idle import until_read
from bench.site import cards_section, playing, site
from bench.sizes import Sizes


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Scrape each in turns; the cards are polled once an hour, so that what is measured is the page."""
    costs: dict[str, list[float]] = {"agent": [], "node_exporter": [], "prometheus-client": []}
    count = 0
    with ExitStack() as stack:
        _, port = stack.enter_context(playing("ups", sizes.devices))
        place = stack.enter_context(site(cards_section(sizes.devices, port, "1h")))
        agent = stack.enter_context(place.agent())
        until_read(place, agent, sizes.devices)
        serving: dict[str, Serving | None] = {
            "agent": Serving(agent, place.metrics),
            "node_exporter": stack.enter_context(peers.node_exporter()),
            "prometheus-client": stack.enter_context(peers.client_gauges(sizes.gauges)),
        }
        for turn in range(sizes.runs):
            tell(f"run {turn + 1} of {sizes.runs}, {sizes.scrapes} scrapes of each")
            for name, found in serving.items():
                if found is not None:
                    cost, series = peers.cost_of_pages(found, sizes.scrapes)
                    costs[name].append(cost / series * 1e6)
                    count = series if name == "agent" else count
    others = [
        peers.peer("node_exporter, its own series, collecting them too", costs["node_exporter"]),
        peers.peer(f"prometheus-client, {sizes.gauges} gauges", costs["prometheus-client"]),
    ]
    return [Figure(f"/metrics of {count} series: CPU per series", "µs", Spread.of(costs["agent"]), tuple(others))]

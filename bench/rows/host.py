"""One look at the host: our collector's CPU beside one scrape of node_exporter."""

import asyncio
import time
from collections.abc import Callable

from bench import peers
from bench.figures import Figure, Spread
from bench.sizes import Sizes
from collectors.host import HostCollector
from config.schema import HostDevice


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Collect and scrape in turns."""
    ours: list[float] = []
    theirs: list[float] = []
    readings = 0
    with peers.node_exporter() as node:
        collector = HostCollector("host", HostDevice())
        for turn in range(sizes.runs):
            tell(f"run {turn + 1} of {sizes.runs}, {sizes.collections} collections")
            cost, readings = asyncio.run(_collected(collector, sizes.collections))
            ours.append(cost * 1e3)
            if node:
                theirs.append(peers.cost_of_pages(node, sizes.collections)[0] * 1e3)
    peer = peers.peer("node_exporter, one scrape", theirs)
    return [Figure(f"one host collection, {readings} readings: CPU", "ms", Spread.of(ours), (peer,))]


async def _collected(collector: HostCollector, times: int) -> tuple[float, int]:
    """Return the CPU seconds of one collection, worker threads included, and how many readings it gives."""
    batch = await collector.collect()
    before = time.process_time()
    for _ in range(times):
        batch = await collector.collect()
    return (time.process_time() - before) / times, len(batch.readings)

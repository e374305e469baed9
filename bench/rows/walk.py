"""One card with many values: from SNMP through the rules to the text of /metrics, CPU of one round."""

import re
import time
from collections.abc import Callable
from contextlib import ExitStack

from bench import peers
from bench.figures import Budget, Figure, Spread
from bench.processes import scrape
from bench.rows.idle import until_read
from bench.site import cards_section, playing, site, target
from bench.sizes import Sizes

VERSIONS = ("2c", "3")
_POLLS = re.compile(r'^roundsman_batches_total\{collector="card-\d+"\} ([0-9.e+]+)$', re.MULTILINE)


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Walk with each version."""
    return [_measured(version, sizes, tell) for version in VERSIONS]


def _measured(version: str, sizes: Sizes, tell: Callable[[str], None]) -> Figure:
    """Let the agent poll every second, scraped once a second; ask snmp_exporter as often."""
    ours: list[float] = []
    theirs: list[float] = []
    with ExitStack() as stack:
        _, port = stack.enter_context(playing("sensors", sizes.sensors))
        exporter = stack.enter_context(peers.snmp_exporter())
        place = stack.enter_context(site(cards_section(1, port, "1s", "entity-sensor", version=version)))
        agent = stack.enter_context(place.agent())
        until_read(place, agent, 1)
        time.sleep(sizes.settle)  # a card has to prove that it bears larger requests
        for turn in range(sizes.runs):
            tell(f"version {version}, run {turn + 1} of {sizes.runs}, {sizes.walks} rounds")
            before, cpu = polls(place.metrics), agent.cpu()
            exporter_before = exporter.child.cpu() if exporter else 0.0
            for _ in range(sizes.walks):
                time.sleep(1.0)
                scrape(place.metrics)
                if exporter:
                    exporter.page(target(0, port, "sensors", version))
            ours.append((agent.cpu() - cpu) / max(1.0, polls(place.metrics) - before) * 1e3)
            if exporter:
                theirs.append((exporter.child.cpu() - exporter_before) / sizes.walks * 1e3)
    what = f"SNMP {version}, {2 * sizes.sensors} varbinds through the rules to text: CPU"
    peer = peers.peer("snmp_exporter, the same walked to text", theirs)
    return Figure(what, "ms", Spread.of(ours), (peer,), Budget(0.5, of_ratio=True))


def polls(port: int) -> float:
    """Return how many polls of cards there have been."""
    return sum(float(found) for found in _POLLS.findall(scrape(port)))

"""Many cards with few values: one GET of twenty objects, through the rules to the text of /metrics, CPU of one poll."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from bench import peers
from bench.figures import Budget, Figure, Spread
from bench.processes import BenchError, Child, scrape
from bench.rows.idle import until_read
from bench.rows.walk import VERSIONS, polls
from bench.site import cards_section, playing, site, target
from bench.sizes import Sizes

OBJECTS = 20


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Poll with each version."""
    return [_measured(version, sizes, tell) for version in VERSIONS]


def _measured(version: str, sizes: Sizes, tell: Callable[[str], None]) -> Figure:
    """Let the agent poll every card every second, its page scraped as often; ask snmp_exporter for each as often."""
    ours: list[float] = []
    theirs: list[float] = []
    with ExitStack() as stack:
        played, port = stack.enter_context(playing("ups", sizes.gets))
        exporter = stack.enter_context(peers.snmp_exporter())
        place = stack.enter_context(site(cards_section(sizes.gets, port, "1s", "rfc1628-ups", version=version)))
        agent = stack.enter_context(place.agent())
        until_read(place, agent, sizes.gets)
        work: list[Callable[[], str]] = [partial(scrape, place.metrics)]
        if exporter:
            work += [partial(exporter.page, target(card, port, "ups", version)) for card in range(sizes.gets)]
        peers.paced(sizes.settle, work)
        _check(played)
        for turn in range(sizes.runs):
            tell(f"version {version}, run {turn + 1} of {sizes.runs}, {sizes.walks} s")
            before, cpu = polls(place.metrics), agent.cpu()
            exporter_before = exporter.child.cpu() if exporter else 0.0
            for _ in range(sizes.walks):
                peers.paced(1.0, work)
            ours.append((agent.cpu() - cpu) / max(1.0, polls(place.metrics) - before) * 1e6)
            if exporter:
                theirs.append((exporter.child.cpu() - exporter_before) / sizes.walks / sizes.gets * 1e6)
    what = f"SNMP {version}, GET of {OBJECTS} varbinds through the rules to text, {sizes.gets} cards a second: CPU"
    peer = peers.peer("snmp_exporter, the same to text", theirs)
    return Figure(what, "µs", Spread.of(ours), (peer,), Budget(0.35, of_ratio=True))


def _check(played: Child) -> None:
    """See that a request is what the row says it is: twenty names. Discovery went before."""
    played.say("asked")
    requests, names = 0, 0
    while requests < 20:
        requests, names = (
            had + int(more) for had, more in zip((requests, names), played.say("asked").split(), strict=True)
        )
    if not 0.95 <= names / requests / OBJECTS <= 1.05:
        raise BenchError(f"{names} names in {requests} requests, not {OBJECTS} in each")

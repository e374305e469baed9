"""From a fault at the device to its ticket, committed at the desk: a real desk, a real agent, delays 0."""

import json
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack

from bench import cards, peers
from bench.figures import Budget, Figure, Spread
from bench.peers import Serving
from bench.processes import BenchError, Child
from bench.rows.idle import until_read
from bench.site import Place, cards_section, playing, site
from bench.sizes import Sizes

LONGEST = 20.0  # seconds until it is given up
LOOK = 0.001  # seconds between looks at the desk's file
INTERVAL = 1.0  # seconds between polls


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Switch the UPS's output off at random moments; ours first, then Prometheus with an alert over snmp_exporter."""
    whole: list[float] = []
    after: list[float] = []
    runs = sizes.runs * 2 if sizes.runs > 1 else 1  # the phase of the poll is chance: more of them
    with playing("ups", 1) as (ups, port):
        with site(cards_section(1, port, "1s", "rfc1628-ups")) as place, place.agent() as agent:
            until_read(place, agent, 1)
            for turn in range(runs):
                tell(f"fault {turn + 1} of {runs}")
                changed, shown, committed = _one_fault(ups, place)
                whole.append((committed - changed) * 1e3)
                after.append((committed - shown) * 1e3)
        theirs = _alerts(ups, port, runs, tell)
    total = Figure(
        "fault at the device to ticket committed, polled every 1 s",
        "ms",
        Spread.of(whole),
        (peers.peer("Prometheus 1 s/1 s over snmp_exporter, alert firing", theirs),),
        Budget(INTERVAL * 1e3 + 100.0),
    )
    own = Figure("of that, after the reply that shows it", "ms", Spread.of(after), (), Budget(100.0))
    return [total, own]


def _one_fault(ups: Child, place: Place) -> tuple[float, float, float]:
    """Return when the fault began, when a reply first showed it, and when its episode was in a committed ticket."""
    books = sqlite3.connect(f"file:{place.books}?mode=ro", uri=True, timeout=5.0)
    try:
        before = _count(books, "SELECT count(*) FROM ticket_episodes")
        time.sleep(random.uniform(0.0, INTERVAL))
        changed = float(ups.say("off"))
        committed = _when(lambda: _count(books, "SELECT count(*) FROM ticket_episodes") > before, LOOK)
        shown = float(ups.words.readline())
        ups.say("on")
        _when(lambda: not _count(books, "SELECT count(*) FROM episodes WHERE active = 1"), 0.02)
    finally:
        books.close()
    return changed, shown, committed


def _alerts(ups: Child, port: int, runs: int, tell: Callable[[str], None]) -> list[float]:
    found: list[float] = []
    with ExitStack() as stack:
        exporter = stack.enter_context(peers.snmp_exporter())
        if exporter is None:
            return []
        prometheus = stack.enter_context(peers.prometheus(exporter, f"{cards.address(0)}:{port}"))
        if prometheus is None:
            return []
        _when(lambda: _asked(prometheus, "/api/v1/query?query=upsOutputSource==3"), 0.05)
        for turn in range(runs):
            tell(f"fault {turn + 1} of {runs} for Prometheus")
            time.sleep(random.uniform(0.0, INTERVAL))
            changed = float(ups.say("off"))
            found.append((_when(lambda: _firing(prometheus), 0.005) - changed) * 1e3)
            ups.words.readline()
            ups.say("on")
            _when(lambda: not _firing(prometheus), 0.05)
    return found


def _firing(prometheus: Serving) -> bool:
    alerts = json.loads(prometheus.page("/api/v1/alerts"))["data"]["alerts"]
    return any(alert["state"] == "firing" for alert in alerts)


def _asked(prometheus: Serving, path: str) -> bool:
    """Say whether a query finds something; Prometheus refuses queries until it is ready."""
    try:
        return bool(json.loads(prometheus.page(path))["data"]["result"])
    except OSError:
        return False


def _count(books: sqlite3.Connection, sql: str) -> int:
    return int(books.execute(sql).fetchone()[0])


def _when(true: Callable[[], bool], every: float) -> float:
    """Wait until it is true; returns the time (CLOCK_MONOTONIC, s)."""
    end = time.monotonic() + LONGEST
    while not true():
        if time.monotonic() > end:
            raise BenchError(f"nothing happened for {LONGEST:g} s")
        time.sleep(every)
    return time.monotonic()

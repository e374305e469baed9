"""The desk's own few metrics, for Prometheus."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from desk.live import Hub
from desk.nuisance import gauges
from desk.store import Db, Store, one
from desk.timekeeper import Standing
from model.service.words import Trust

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_COUNTS = """SELECT
    (SELECT count(*) FROM tickets WHERE state = 'open') AS open,
    (SELECT count(*) FROM tickets WHERE state = 'open' AND acknowledged IS NULL AND shelved = 0) AS unanswered,
    (SELECT count(*) FROM episodes WHERE active = 1) AS episodes,
    (SELECT count(*) FROM agents WHERE retired IS NULL) AS agents,
    (SELECT count(*) FROM quarantine) AS quarantine,
    (SELECT count(*) FROM episodes WHERE active = 1 AND agent = '') AS silent,
    (SELECT count(DISTINCT person) FROM reach WHERE failing IS NOT NULL AND tries >= 3) AS unreachable,
    (SELECT count(*) FROM notices WHERE state IN ('waiting', 'taken'))
        + (SELECT count(*) FROM occasions WHERE rung < 0 AND again IS NOT NULL AND nobody = '') AS notices,
    (SELECT count(*) FROM occasions o JOIN tickets t ON t.number = o.ticket WHERE o.nobody IN ('off_duty', 'unreached',
        'no_rule') AND t.state = 'open') AS untold"""


class Meters:
    """Counters of the intake, and gauges of what the store holds when `text` was asked for."""

    def __init__(self, store: Store, hub: Hub, standing: Callable[[], Standing]) -> None:
        self.registry = CollectorRegistry()
        self.events = Counter(
            "roundsman_desk_events", "Events received, by what became of them", ["result"], registry=self.registry
        )
        self.refusals = Counter(
            "roundsman_desk_requests_refused", "Requests not done, by the word in the reply", ["error"],
            registry=self.registry,
        )  # fmt: skip
        self.messages = Counter(
            "roundsman_desk_messages", "Tries to send a message to a person, by what became of them", ["result"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "roundsman_desk_intake_seconds",
            "Time from a batch's last byte to its commit",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.swept = Gauge(
            "roundsman_desk_last_sweep_timestamp_seconds", "When the desk last looked what falls due",
            registry=self.registry,
        )  # fmt: skip
        self._held = _Held(store, hub, standing)
        self.registry.register(self._held)

    async def text(self) -> bytes:
        """Return the page of metrics as they are now."""
        self._held.counts = await self._held.store.read(_count)
        now = self._held.standing().at
        self._held.alarms = await self._held.store.read(lambda db: gauges(db, now))
        return generate_latest(self.registry)


class _Held(Collector):
    def __init__(self, store: Store, hub: Hub, standing: Callable[[], Standing]) -> None:
        self.store = store
        self.standing = standing
        self.hub = hub
        self.counts: dict[str, int] = {}
        self.alarms: dict[str, float] = {}

    def collect(self) -> Iterator[Metric]:
        counts = self.counts
        for name, text, key in (
            ("tickets_open", "Open tickets", "open"),
            ("tickets_unanswered", "Open tickets that nobody has taken", "unanswered"),
            ("episodes_active", "Alarm episodes that run", "episodes"),
            ("agents", "Enrolled agents", "agents"),
            ("sites_silent", "Sites whose agent has fallen silent", "silent"),
            ("quarantined_events", "Events in quarantine", "quarantine"),
            ("people_unreachable", "People whom the last messages did not reach", "unreachable"),
            ("notices_waiting", "Notices to people that wait to be told", "notices"),
            ("notices_untold", "Occasions of open tickets of which nobody was told", "untold"),
        ):
            yield GaugeMetricFamily(f"roundsman_desk_{name}", text, counts.get(key, 0))
        writer = self.store.writer
        yield GaugeMetricFamily("roundsman_desk_writes_waiting", "Writes that wait for a commit", writer.depth)
        yield CounterMetricFamily("roundsman_desk_commits", "Transactions committed", writer.commits)
        yield CounterMetricFamily("roundsman_desk_writes", "Writes committed, several a transaction", writer.jobs)
        yield GaugeMetricFamily("roundsman_desk_listeners", "Long polls and page streams that wait", self.hub.listeners)
        yield from _clock(self.standing())
        yield from _alarms(self.alarms)


def _alarms(found: dict[str, float]) -> Iterator[Metric]:
    for name, text, key in (
        ("alarms_announced", "Alarms announced in the last whole ten minutes; more than 10 are a flood", "last"),
        ("alarms_chattering", "Alarms that came three times within a minute, in the last ten minutes", "chattering"),
        ("alarms_flapping", "Alarms held open because they come and go", "flapping"),
        ("alarms_stale", "Alarms that have stood for more than a day", "stale"),
        ("incidents_open", "Incidents across sites that go on", "incidents"),
    ):
        yield GaugeMetricFamily(f"roundsman_desk_{name}", text, found.get(key, 0.0))


def _clock(standing: Standing) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "roundsman_desk_clock_trust", "What the desk's time is worth: one of them is 1", labels=["trust"]
    )
    for trust in Trust:
        family.add_metric([trust], float(trust is standing.trust))
    yield family
    yield GaugeMetricFamily(
        "roundsman_desk_clock_ahead_seconds", "The machine's clock ahead of the desk's time", standing.off
    )
    yield GaugeMetricFamily(
        "roundsman_desk_clock_held_tickets",
        "Tickets on which something is due that waits for the time to be sure",
        standing.held,
    )
    if standing.synchronised is not None:
        yield GaugeMetricFamily(
            "roundsman_desk_clock_synchronised", "Whether the machine follows a time server", standing.synchronised
        )


def _count(db: Db) -> dict[str, int]:
    row = one(db, _COUNTS)
    return dict(row) if row else {}

"""The agent's own metrics: every part of the line measured, by prometheus-client."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, PlatformCollector, ProcessCollector
from prometheus_client.metrics import disable_created_metrics

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class OwnMetrics:
    """Named as Prometheus asks: base units, `_total` for counters."""

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types there
        self.registry = r = CollectorRegistry()
        self.processes = ProcessCollector(registry=r)
        PlatformCollector(registry=r)
        Info("roundsman_build", "The program.", registry=r).info({"version": version})
        part = ["collector"]
        self.batches = Counter("roundsman_batches_total", "Batches of readings taken.", part, registry=r)
        self.collect = Histogram(
            "roundsman_collect_seconds", "How long a collection took.", part, buckets=_FAST, registry=r
        )
        self.collect_failures = Counter(
            "roundsman_collect_failures_total", "Collections after which the device had not answered.", part, registry=r
        )
        self.hung = Gauge(
            "roundsman_collector_hung", "1 while a collection takes longer than it may.", part, registry=r
        )
        self.restarts = Counter("roundsman_collector_restarts_total", "Engines started again.", part, registry=r)
        self.rules = Histogram(
            "roundsman_rules_seconds", "From a batch to the Changes that follow.", buckets=_FAST, registry=r
        )
        self.changes = Counter("roundsman_changes_total", "Changes of alarms, by kind.", ["kind"], registry=r)
        self.commit = Histogram(
            "roundsman_journal_commit_seconds", "From Changes to their commit.", buckets=_FAST, registry=r
        )
        self.journal_failures = Counter(
            "roundsman_journal_failures_total", "Commits that failed and were tried again.", registry=r
        )
        self.journal_waiting = Gauge("roundsman_journal_waiting", "Changes not committed yet.", registry=r)
        self.desk_up = Gauge("roundsman_desk_up", "1 when the desk answered the last heartbeat.", registry=r)
        self.loop_lag = Gauge("roundsman_loop_lag_seconds", "How late the last tick of the loop was.", registry=r)
        self.reload_good = Gauge("roundsman_config_last_reload_successful", "1 when it was.", registry=r)
        self.reload_time = Gauge(
            "roundsman_config_last_reload_success_timestamp_seconds",
            "Unix time of the running configuration.",
            registry=r,
        )

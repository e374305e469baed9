"""What engines and outbox say of themselves, as lines of the /metrics page: counters since the start, last values."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from agent.exposition import escaped
from agent.outbox import OutboxStats
from agent.rounds import Rounds


class _Metric(NamedTuple):
    name: str
    kind: str
    help: str
    field: str


_SNMP = (
    _Metric("roundsman_snmp_requests_total", "counter", "Requests sent.", "sent"),
    _Metric("roundsman_snmp_replies_total", "counter", "Datagrams received.", "received"),
    _Metric("roundsman_snmp_timeouts_total", "counter", "Requests without an answer in time.", "silences"),
    _Metric("roundsman_snmp_malformed_total", "counter", "Datagrams that were no SNMP.", "malformed"),
    _Metric("roundsman_snmp_strangers_total", "counter", "Datagrams from an address that was not asked.", "strangers"),
    _Metric("roundsman_snmp_stale_total", "counter", "Replies that came late or twice.", "stale"),
    _Metric("roundsman_snmp_unsent_total", "counter", "Requests that could not be sent.", "unsent"),
)
_LINE = (
    _Metric("roundsman_line_open", "gauge", "1 while the port is open.", "open"),
    _Metric("roundsman_line_cycles_total", "counter", "Rounds of the line.", "cycles"),
    _Metric("roundsman_line_cycle_seconds", "gauge", "How long the last round took.", "cycle_seconds"),
    _Metric("roundsman_line_utilisation_ratio", "gauge", "Part of the time that the line was in use.", "utilisation"),
    _Metric("roundsman_line_busy_seconds_total", "counter", "Time spent in exchanges.", "busy_seconds"),
    _Metric("roundsman_line_wire_seconds_total", "counter", "The least the answered ones can take.", "wire_seconds"),
    _Metric("roundsman_line_overruns_total", "counter", "Rounds that took longer than their interval.", "overruns"),
    _Metric("roundsman_line_reopens_total", "counter", "Times the port was opened again.", "reopens"),
    _Metric("roundsman_line_noise_bytes_total", "counter", "Bytes that belonged to no frame.", "noise_bytes"),
    _Metric("roundsman_line_echoes_total", "counter", "Own requests heard as echo.", "echoes"),
)
_SLAVE = (
    _Metric("roundsman_slave_polls_total", "counter", "Polls of the device.", "polls"),
    _Metric("roundsman_slave_answers_total", "counter", "Its answers.", "answers"),
    _Metric("roundsman_slave_refusals_total", "counter", "Answers that refused what was asked.", "refusals"),
    _Metric("roundsman_slave_timeouts_total", "counter", "Questions without an answer in time.", "timeouts"),
    _Metric("roundsman_slave_checksum_errors_total", "counter", "Frames with a wrong check sum.", "checksum_errors"),
    _Metric("roundsman_slave_resyncs_total", "counter", "Answers found after bytes that were none.", "resyncs"),
    _Metric("roundsman_slave_probes_total", "counter", "Questions to see whether a silent device is back.", "probes"),
)


_OUTBOX = (
    _Metric("roundsman_outbox_depth", "gauge", "Events the desk has not acknowledged.", "depth"),
    _Metric("roundsman_outbox_sent_total", "counter", "Events the desk has acknowledged.", "sent"),
    _Metric("roundsman_outbox_failures_total", "counter", "Tries that failed.", "failures"),
    _Metric("roundsman_outbox_refused_total", "counter", "Events the desk put in quarantine.", "refused"),
    _Metric("roundsman_outbox_conflicts_total", "counter", "Epochs ended because the desk knew others.", "conflicts"),
)


def outbox_lines(stats: OutboxStats, wall: float) -> str:
    """Return the series of the way to the desk; `wall` is Unix seconds now."""
    age = max(0.0, wall - stats.oldest_wall) if stats.oldest_wall is not None else 0.0
    name = "roundsman_outbox_oldest_seconds"
    head = f"# HELP {name} Age of the oldest event the desk has not acknowledged.\n# TYPE {name} gauge\n"
    return _families(_OUTBOX, [("", stats)]) + f"{head}{name} {age:.6g}\n"


def engine_lines(rounds: Rounds) -> str:
    """Return the series of the SNMP engine, of each line, and of each device on a line."""
    lines = sorted(rounds.lines.items())
    slaves = [
        (f'line="{escaped(name)}",device="{escaped(device)}"', stats)
        for name, line in lines
        for device, stats in sorted(line.slaves.items())
    ]
    return (
        _families(_SNMP, [("", rounds.snmp)] if rounds.snmp is not None else [])
        + _families(_LINE, [(f'line="{escaped(name)}"', stats) for name, stats in lines])
        + _families(_SLAVE, slaves)
    )


def _families(metrics: Iterable[_Metric], rows: list[tuple[str, Any]]) -> str:
    if not rows:
        return ""
    parts = []
    for metric in metrics:
        parts.append(f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n")
        parts += [
            f"{metric.name}{{{labels}}} {float(getattr(stats, metric.field)):.10g}\n"
            if labels
            else f"{metric.name} {float(getattr(stats, metric.field)):.10g}\n"
            for labels, stats in rows
        ]
    return "".join(parts)

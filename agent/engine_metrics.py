"""What engines and outbox say of themselves, as lines of the /metrics page: counters since the start, last values."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.exposition import escaped
from agent.outbox import OutboxStats
from agent.rounds import Rounds

if TYPE_CHECKING:
    from collectors.snmp.counts import Counts
    from collectors.snmp.traps.receiver import TrapCounts


class _Metric(NamedTuple):
    name: str
    kind: str
    help: str
    field: str


_SNMP = (
    _Metric("roundsman_snmp_requests_total", "counter", "Requests sent.", "sent"),
    _Metric("roundsman_snmp_replies_total", "counter", "Answers that were believed.", "answered"),
    _Metric("roundsman_snmp_datagrams_total", "counter", "Datagrams received, believed or not.", "received"),
    _Metric("roundsman_snmp_timeouts_total", "counter", "Requests without an answer in time.", "silences"),
    _Metric("roundsman_snmp_repeats_total", "counter", "Requests sent again: the answer was late.", "repeats"),
    _Metric("roundsman_snmp_resyncs_total", "counter", "Version 3: engine or clock agreed anew.", "resynchronised"),
    _Metric("roundsman_snmp_unsent_total", "counter", "Requests that could not be sent.", "unsent"),
)
_TRAPS = (
    _Metric("roundsman_traps_listening", "gauge", "1 while the trap port is open.", "listening"),
    _Metric("roundsman_traps_received_total", "counter", "Datagrams that came to the trap port.", "received"),
    _Metric("roundsman_traps_accepted_total", "counter", "Traps and informs of devices, each a hint.", "accepted"),
    _Metric("roundsman_traps_over_budget_total", "counter", "Dropped: their source sent too many.", "over_budget"),
    _Metric("roundsman_traps_unknown_total", "counter", "Dropped: their source is no device of the site.", "unknown"),
    _Metric("roundsman_traps_malformed_total", "counter", "Dropped: no trap, or too large to be read.", "malformed"),
    _Metric("roundsman_traps_wrong_total", "counter", "Dropped: a wrong community, user, key or level.", "wrong"),
    _Metric("roundsman_traps_discoveries_total", "counter", "Questions before an inform, answered.", "discoveries"),
    _Metric("roundsman_traps_deferred_total", "counter", "Hints put off: the device has had its share.", "deferred"),
    _Metric("roundsman_traps_lost_total", "counter", "Dropped by the kernel: the buffer was full.", "lost"),
)
_LINE = (
    _Metric("roundsman_line_open", "gauge", "1 while the port is open.", "open"),
    _Metric("roundsman_line_cycles_total", "counter", "Rounds of the line.", "cycles"),
    _Metric("roundsman_line_cycle_seconds", "gauge", "How long the last round took.", "cycle_seconds"),
    _Metric("roundsman_line_cycle_ratio", "gauge", "The last round over the least its answers can take.", "ratio"),
    _Metric("roundsman_line_utilisation_ratio", "gauge", "Part of the time that the line was in use.", "utilisation"),
    _Metric("roundsman_line_busy_seconds_total", "counter", "Time spent in exchanges.", "busy_seconds"),
    _Metric("roundsman_line_wire_seconds_total", "counter", "The least the answered ones can take.", "wire_seconds"),
    _Metric("roundsman_line_overruns_total", "counter", "Rounds that took longer than their interval.", "overruns"),
    _Metric("roundsman_line_reopens_total", "counter", "Times the port was opened again.", "reopens"),
    _Metric("roundsman_line_noise_bytes_total", "counter", "Bytes that belonged to no frame.", "noise_bytes"),
    _Metric("roundsman_line_echoes_total", "counter", "Own requests heard as echo.", "echoes"),
    _Metric("roundsman_line_foreign_frames_total", "counter", "Frames of another master.", "foreign_frames"),
)
_OF_A_WIRE = frozenset({"ratio", "wire_seconds"})
"""Fields of serial lines alone: what is the least that a network can take, nobody knows."""
_SLAVE = (
    _Metric("roundsman_slave_timeout_seconds", "gauge", "How long its answer is waited for.", "timeout_seconds"),
    _Metric("roundsman_slave_answer_seconds", "gauge", "Slowest of its last answers to begin.", "first_byte_seconds"),
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
        + (_refused(rounds.snmp) if rounds.snmp is not None else "")
        + (trap_lines(rounds.traps) if rounds.traps is not None else "")
        + _families(_LINE, [(f'line="{escaped(name)}"', stats) for name, stats in lines])
        + _families(_SLAVE, slaves)
    )


def trap_lines(counts: "TrapCounts") -> str:
    """Return the series of the trap port, and when each device's last trap came."""
    name, last = "roundsman_traps_last_timestamp_seconds", sorted(dict(counts.last).items())
    head = f"# HELP {name} Unix time of the device's last trap.\n# TYPE {name} gauge\n" if last else ""
    rows = (f'{name}{{device="{escaped(device)}"}} {wall:.3f}\n' for device, (wall, _) in last)
    return _families(_TRAPS, [("", counts)]) + head + "".join(rows)


def _refused(counts: "Counts") -> str:
    name = "roundsman_snmp_refused_total"
    head = f"# HELP {name} Datagrams that were not believed, by reason.\n# TYPE {name} counter\n"
    return head + "".join(f'{name}{{reason="{reason}"}} {count}\n' for reason, count in counts.refused.items())


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
            if metric.field not in _OF_A_WIRE or stats.wired
        ]
    return "".join(parts)

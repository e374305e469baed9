"""What a line says of itself: counters and last values, for the agent's metrics."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class SlaveStats:
    """One device: counts since the start, `poll_seconds` of its last poll; `up` None before its first."""

    device: str
    up: bool | None = None
    polls: int = 0
    answers: int = 0
    refusals: int = 0
    timeouts: int = 0
    checksum_errors: int = 0
    resyncs: int = 0
    probes: int = 0
    poll_seconds: float = 0.0


@dataclass(slots=True)
class LineStats:
    """One line: counts since the start; `cycle_seconds` of its last cycle, `utilisation` (0..1) of its last seconds.

    `busy_seconds` is the time spent in exchanges, `wire_seconds` the least that the answered ones can take. `overruns`
    are cycles after which a device was due already.
    """

    line: str
    open: bool = False
    cycles: int = 0
    cycle_seconds: float = 0.0
    utilisation: float = 0.0
    busy_seconds: float = 0.0
    wire_seconds: float = 0.0
    overruns: int = 0
    reopens: int = 0
    noise_bytes: int = 0
    echoes: int = 0
    slaves: dict[str, SlaveStats] = field(default_factory=dict)

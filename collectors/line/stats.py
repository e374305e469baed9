"""What a line says of itself: counters and last values, for the agent's metrics."""

from dataclasses import dataclass, field, fields
from operator import attrgetter


@dataclass(slots=True)
class SlaveStats:
    """One device: counts since the start, `poll_seconds` of its last poll; `up` None before its first.

    `first_byte_seconds` is the slowest of its last hundred answers, `timeout_seconds` how long it is waited for.
    """

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
    first_byte_seconds: float = 0.0
    timeout_seconds: float = 0.0


@dataclass(slots=True)
class LineStats:
    """One line: counts since the start; `cycle_seconds` of its last cycle, `utilisation` (0..1) of its last seconds.

    `busy_seconds` is the time spent in exchanges, `wire_seconds` the least that the answered ones can take. `overruns`
    are cycles after which a device was due already. `ratio` is the last cycle over the least its answers can take, 0
    where there were none; `foreign_frames` are another master's and its slaves'. Not `wired` is what is reached by
    Modbus TCP: of it, `wire_seconds` and `ratio` say nothing.
    """

    line: str
    wired: bool = True
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
    foreign_frames: int = 0
    ratio: float = 0.0
    slaves: dict[str, SlaveStats] = field(default_factory=dict)

    def snapshot(self) -> "LineStats":
        """Return a copy that nobody writes to any more."""
        taken = LineStats(*_LINE(self))
        taken.slaves = {name: SlaveStats(*_SLAVE(slave)) for name, slave in self.slaves.items()}
        return taken


# copy.copy of a dataclass with slots takes ten times as long, and a line that is read back to back tells often.
_LINE = attrgetter(*(each.name for each in fields(LineStats)))
_SLAVE = attrgetter(*(each.name for each in fields(SlaveStats)))

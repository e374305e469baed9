"""What is counted on a line: how much was said, what went wrong, and the least time that it could have taken."""

from dataclasses import dataclass, field
from typing import Any

_KEPT = 20_000
_INWARD = frozenset({"late", "first_at", "last_at", "by_device"})


@dataclass(slots=True)
class Tally:
    """Counts of one line since it was made; seconds are of the wire.

    `asked`: stretches of talk by the client, each ended by silence; `answered` and `unanswered`: what became of them
    (the rest were for dead devices).  `garbled` are bytes spoilt by collisions, `touched` those corrupted, lost or
    doubled; `badly_touched` are frames with two and more of these: a CRC of 16 bits tells any one.  `busy_seconds` is
    the time for which anybody spoke, `least_seconds` the least that the answered exchanges can take: their characters,
    the device's turnaround (or the gap, if that is longer) and the gap after them.  `window_seconds` goes from the
    client's first byte to the end of the gap after the last answer.
    """

    asked: int = 0
    answered: int = 0
    unanswered: int = 0
    gap_violations: int = 0
    collisions: int = 0
    garbled: int = 0
    touched: int = 0
    badly_touched: int = 0
    bytes_from_client: int = 0
    bytes_from_devices: int = 0
    bytes_of_noise: int = 0
    frames_of_others: int = 0
    busy_seconds: float = 0.0
    least_seconds: float = 0.0
    first_at: float | None = None
    last_at: float = 0.0
    by_device: dict[str, int] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)

    @property
    def window_seconds(self) -> float:
        """Seconds from the client's first byte to the gap's end after the last answer."""
        return 0.0 if self.first_at is None else max(0.0, self.last_at - self.first_at)

    def was_late(self, seconds: float) -> None:
        """Note by how much the end of an answer was handed over after its time: the simulator's own error."""
        if len(self.late) < _KEPT:
            self.late.append(seconds)
        else:
            self.late[self.answered % _KEPT] = seconds

    def told(self) -> dict[str, Any]:
        """Return everything as one object, the lateness as its median, 99 of 100 and most, in microseconds."""
        late = sorted(self.late)
        found: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__ if name not in _INWARD}
        found |= {"by_device": dict(self.by_device), "window_seconds": self.window_seconds}
        for name, share in (("median", 0.5), ("p99", 0.99), ("most", 1.0)):
            found[f"late_microseconds_{name}"] = round(late[int(share * (len(late) - 1))] * 1e6, 1) if late else None
        found["ratio"] = self.window_seconds / self.least_seconds if self.least_seconds else None
        return found

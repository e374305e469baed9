"""What the SNMP engine counts, for /metrics."""

from dataclasses import dataclass, field

from wire.refusal import Refusal


@dataclass(slots=True)
class Counts:
    """What the sockets have seen since the start. `refused` has every reason, also those that never came.

    `answered` counts the answers that were believed, reports that tell what is missing among them; `received` every
    datagram.
    """

    sent: int = 0
    answered: int = 0
    received: int = 0
    silences: int = 0
    repeats: int = 0
    unsent: int = 0
    resynchronised: int = 0
    refused: dict[Refusal, int] = field(default_factory=lambda: dict.fromkeys(Refusal, 0))

    @property
    def malformed(self) -> int:
        """Datagrams that were no whole SNMP message."""
        return sum(self.refused[each] for each in (Refusal.MALFORMED, Refusal.TRUNCATED, Refusal.OVERSIZED))

"""Which datagrams are worth being read, for pysnmp needs about a millisecond for one.

A source that is no device of the site is not believed. Each source has a budget, and all of them have one together:
a burst, then so many a second. What is over is counted and dropped: the regular poll finds out anyway.
"""

from collections.abc import Callable, Mapping
from enum import Enum

import msgspec

from wire.user import User

SOURCE_BURST, SOURCE_SECONDS = 10, 1.0  # at once, then one each so many seconds
TOTAL_BURST, TOTAL_SECONDS = 200, 0.05

Secret = bytes | User
"""A community, or a user of version 3."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """A device that may send, at an address or a host name, and what it may prove itself with."""

    device: str
    address: str
    secrets: tuple[Secret, ...]

    def __repr__(self) -> str:
        return f"Sender({self.device!r}, {self.address!r})"  # without the secrets


class Refusal(Enum):
    """Why a datagram is not read."""

    UNKNOWN = "unknown"
    OVER_BUDGET = "over budget"


class Budget:
    """A burst, then one each `seconds`: the time up to which it is spent (virtual scheduling, ITU-T I.371)."""

    __slots__ = ("_ahead", "_seconds", "_spent")

    def __init__(self, burst: int, seconds: float) -> None:
        self._ahead = (burst - 1) * seconds
        self._seconds = seconds
        self._spent = float("-inf")

    def left(self, now: float) -> bool:
        """Tell whether there is any left."""
        return self._spent - self._ahead <= now

    def spend(self, now: float) -> None:
        """Take one away."""
        self._spent = max(self._spent, now) + self._seconds


class Source:
    """An address, who sends from there, and what it may still send."""

    __slots__ = ("budget", "senders")

    def __init__(self, senders: tuple[Sender, ...]) -> None:
        self.senders = senders
        self.budget = Budget(SOURCE_BURST, SOURCE_SECONDS)


class Gate:
    """Decides by the source's address alone. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._total = Budget(TOTAL_BURST, TOTAL_SECONDS)

    def know(self, senders: Mapping[str, tuple[Sender, ...]]) -> None:
        """Take these addresses for the known ones; a source that stays keeps its budget."""
        known = {}
        for address, those in senders.items():
            source = known[address] = self._sources.get(address) or Source(those)
            source.senders = those
            if ":" not in address:  # as a socket of IPv6 shows it
                known[f"::ffff:{address}"] = source
        self._sources = known

    def admit(self, address: str) -> Source | Refusal:
        """Return the source when its datagram is to be read, and count it against the budgets."""
        source = self._sources.get(address)
        if source is None:
            return Refusal.UNKNOWN
        now = self._clock()
        if not (source.budget.left(now) and self._total.left(now)):
            return Refusal.OVER_BUDGET
        source.budget.spend(now)
        self._total.spend(now)
        return source

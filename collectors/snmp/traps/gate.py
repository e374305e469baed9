"""Which datagrams are worth being read, for pysnmp needs about a millisecond for one.

A source that is no device of the site is not believed. Each source has a budget, and all of them have one together:
a burst, then so many a second. What is over is counted and dropped: the regular poll finds out anyway.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import msgspec

from wire.user import User

SOURCE_BURST, SOURCE_SECONDS = 10, 1.0  # at once, then one each so many seconds
TOTAL_BURST, TOTAL_SECONDS = 200, 0.05

Secret = bytes | User
"""A community, or a user of version 3."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """A device that may send, at an address or a host name, and what it may prove itself with; read each `every` s."""

    device: str
    address: str
    secrets: tuple[Secret, ...]
    every: float = 10.0

    def __repr__(self) -> str:
        return f"Sender({self.device!r}, {self.address!r})"  # without the secrets


class Drop(Enum):
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
        return self.wait(now) <= 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until there is one left, zero or less when there is."""
        return self._spent - self._ahead - now

    def spend(self, now: float) -> None:
        """Take one away."""
        self._spent = max(self._spent, now) + self._seconds


def shown(address: tuple[Any, ...]) -> str:
    """Return one text for what a socket of either family shows of one source; a scope counts where addresses repeat."""
    host = str(address[0])
    if len(address) == 2:
        return host
    if host.startswith("::ffff:") and "." in host:
        return host[7:]
    bare = host.partition("%")[0]
    return f"{bare}%{address[3]}" if address[3] and bare.startswith("fe80:") else bare


class Source:
    """An address, who sends from there, and what it may still send."""

    __slots__ = ("address", "budget", "senders")

    def __init__(self, address: str, senders: tuple[Sender, ...]) -> None:
        self.address = address
        self.senders = senders
        self.budget = Budget(SOURCE_BURST, SOURCE_SECONDS)


class Gate:
    """Decides by the source's address alone. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._total = Budget(TOTAL_BURST, TOTAL_SECONDS)

    def know(self, senders: Mapping[str, tuple[Sender, ...]]) -> None:
        """Take these addresses, as `shown` has them, for the known ones; a source that stays keeps its budget."""
        known = {}
        for address, those in senders.items():
            source = known[address] = self._sources.get(address) or Source(address, those)
            source.senders = those
        self._sources = known

    def admit(self, address: tuple[Any, ...]) -> Source | Drop:
        """Return the source when its datagram is to be read, and count it against the budgets."""
        source = self._sources.get(shown(address))
        if source is None:
            return Drop.UNKNOWN
        now = self._clock()
        if not (source.budget.left(now) and self._total.left(now)):
            return Drop.OVER_BUDGET
        source.budget.spend(now)
        self._total.spend(now)
        return source

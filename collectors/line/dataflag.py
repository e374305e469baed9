"""Which reads of a YD/T 1363 device are due in a poll: its DATAFLAG tells whether alarms and states have changed.

Theory (docs/decisions/0010). Every answer to 41H to 44H begins with DATAFLAG: bit 0 says that alarms have changed since
44H was read, bit 4 that states have since 43H was. So values (41H, 42H) are read in every poll, alarms and states when

- the flag says so: at once, before the values that are left,
- they were not read yet, or the device was away, or the last read is REFRESH seconds old,
- nothing in this poll has said that they are unchanged: the class has no values, their answer has no DATAFLAG or did
  not come.

So after each poll every alarm was read, or is known to be as it was, or is missing. A flag concerns its own class
(CID1). Some plants keep one for all classes of an address, so a flag makes the other classes' alarms due as well, once
a poll. A flag that never clears costs what reading everything in every poll does, and no more.

Pure; time is an argument.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from collectors.line.ydt_definition import YdtRead

REFRESH: Final = 60.0
"""Seconds after which alarms and states are read whatever the flag says: a flag that another reader has cleared, or a
device that forgets to set it, hides an alarm for a minute at most."""
CHANGED: Final = {0x44: 0x01, 0x43: 0x10}
"""The bit of DATAFLAG that says: read this command again."""


class Steering:
    """The reads of one device, and what its flags have said of them. `steered` False: every read in every poll."""

    def __init__(self, reads: Sequence[YdtRead], *, steered: bool = True) -> None:
        self._reads = {read.name: read for read in reads}
        self._steered = {read.name for read in reads if read.command in CHANGED} if steered else set()
        self._had: dict[str, float] = {}
        self._changed: set[str] = set()
        self._early: set[str] = set()
        self._fresh: set[str] = set()
        self._told: dict[int, str] = {}
        self._now = 0.0

    def begin(self, now: float, *, whole: bool) -> None:
        """Begin a poll; `whole`: of everything, because the device is new or was away."""
        self._now, self._fresh, self._told = now, set(), {}
        if whole:
            self._had.clear()
        self._early = {
            name
            for name in self._steered
            if name not in self._had or name in self._changed or now - self._had[name] >= REFRESH
        }

    def plan(self) -> list[str]:
        """Return the names of the reads that are due as far as this poll has told, in the order to ask them."""
        first, rest, last = [], [], []
        for name in self._reads:
            if name not in self._steered:
                rest.append(name)
            elif name in self._early or (name in self._changed and name not in self._fresh):
                first.append(name)
            elif not self._is_known(name):
                last.append(name)
        return first + rest + last

    def answered(self, name: str, flag: int | None) -> None:
        """Note that a read was answered, with this DATAFLAG or without one."""
        read = self._reads[name]
        if read.command in CHANGED:
            self._had[name] = self._now
            self._fresh.add(name)
            self._changed.discard(name)
        elif flag is not None:
            self._told[read.cid1] = name
        for other, command in ((each, self._reads[each]) for each in self._steered):
            bit = CHANGED[command.command]
            if other == name or flag is None or not flag & bit:
                continue  # an answer's flag may say of itself what was so before it
            if command.cid1 == read.cid1 or other not in self._fresh:
                self._changed.add(other)

    def refused(self, name: str) -> None:
        """Note that a read was answered without values: nobody vouches for what it told before."""
        self._had.pop(name, None)

    def unchanged(self) -> Mapping[str, str]:
        """Return the reads that were not asked in this poll and are as they were, each with the read that said so."""
        return {
            name: self._told[self._reads[name].cid1]
            for name in self._steered
            if name not in self._fresh and self._is_known(name)
        }

    def _is_known(self, name: str) -> bool:
        """Tell whether a read's last answer is known to hold still."""
        if name in self._fresh:
            return True
        young = name in self._had and self._now - self._had[name] < REFRESH
        return young and name not in self._changed and self._reads[name].cid1 in self._told

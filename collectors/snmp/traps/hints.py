"""Hints within a budget for each device: a trap that is played again costs no more polls than a device can bear.

A burst goes through at once; what comes sooner than the budget has it is one hint later, not none: the last of many
traps is the one that says how things are now.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from collectors.snmp.traps.gate import Budget, Sender

BURST = 3
MOST_SECONDS = 10.0  # between two hints after that, less where the device is read more often anyway


class Timer(Protocol):
    """What waits, as asyncio's TimerHandle."""

    def cancel(self) -> None:
        """Forget it."""


class Hints:
    """Passes hints on to `hint`, now or later: a loop's `time` and `call_later` tell when."""

    def __init__(
        self,
        hint: Callable[[str], bool],
        senders: Iterable[Sender],
        clock: Callable[[], float],
        call_later: Callable[[float, Callable[[str], None], str], Timer],
    ) -> None:
        self._hint = hint
        self._clock = clock
        self._call_later = call_later
        self._budgets = {each.device: Budget(BURST, min(each.every, MOST_SECONDS)) for each in senders}
        self._later: dict[str, Timer] = {}

    def give(self, device: str) -> bool:
        """Hint at a device; False when that waits until its budget has one more."""
        if device in self._later:
            return False
        wait = self._budgets[device].wait(self._clock())
        if wait > 0.0:
            self._later[device] = self._call_later(wait, self._give, device)
            return False
        self._give(device)
        return True

    def _give(self, device: str) -> None:
        self._later.pop(device, None)
        self._budgets[device].spend(self._clock())
        self._hint(device)

    def end(self) -> None:
        """Forget what waits."""
        for each in self._later.values():
            each.cancel()
        self._later.clear()

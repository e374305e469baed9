"""The site's time: what the agent writes down, and what it may conclude from times of another boot.

Theory. Within a boot every delay, age and order is CLOCK_BOOTTIME's; the wall clock is for people's eyes, and where it
is set under the agent the time that is written down goes on as before (`model.clock`) until the clock is synchronised,
or agrees with the desk. Across a reboot only wall clocks say how long it took: they are compared when this boot's is
certain (the kernel follows a time server, or the desk has the same time), else nothing is concluded: an age is what
passed since this agent started, and delays and shelves stand still for the reboot. A fault is never made older than it
surely is.
"""

import logging
from collections.abc import Callable

from collectors.host.clock import MARK
from model.alarm import Now
from model.clock import Anchor, Judgement, confirmed, judge
from model.service.words import Trust
from runtime.clock import now as both_clocks
from runtime.clock import synchronised as kernel_synchronised

AGREE = 60.0
"""Seconds by which the desk's time and ours may differ and still be the same: an answer may be long on its way."""
ASK_EVERY = 1.0
log = logging.getLogger("roundsman.clock")


def followed() -> bool:
    """Return whether this machine's clock follows a time server: by the kernel, or by timesyncd's mark of this boot."""
    said = kernel_synchronised()
    return MARK.exists() if said is None else said


class SiteClock:
    """Call it for CLOCK_BOOTTIME and the Unix time to write down. `compared`: the desk has told its time."""

    def __init__(self, clock: Callable[[], Now] = both_clocks, synchronised: Callable[[], bool] = followed) -> None:
        self.machine = clock
        self._synchronised = synchronised
        self.started = clock()
        self._judged = Judgement(Anchor(self.started.wall, self.started.boot, ""), Trust.SURE)
        self._asked = (-ASK_EVERY, False)
        self._agreed = False
        self.compared = False

    def __call__(self) -> Now:
        """Return CLOCK_BOOTTIME and the time to write down."""
        now, before = self.machine(), self._judged.trust
        asked = before is not Trust.SURE and self._follows(now)
        self._judged = judge(self._judged, now, synchronised=asked)
        if self._judged.trust is not before:
            off = self._judged.anchor.off(now)
            if before is Trust.SURE:
                log.warning("the clock was set by %+.0f s: alarms and their ages go on as before", off)
            else:
                log.warning("the clock is believed again")
        return Now(now.boot, self._judged.anchor.at(now.boot))

    @property
    def certain(self) -> bool:
        """Whether the time may be compared with one of another boot."""
        now = self()
        return self._judged.trust is Trust.SURE and (self._agreed or self._follows(now))

    def heard(self, desk: float) -> None:
        """Compare with the desk's Unix time, which came just now."""
        now, machine = self(), self.machine()
        self.compared = True
        self._agreed = abs(now.wall - desk) <= AGREE
        if not self._agreed and abs(machine.wall - desk) <= AGREE:
            self._judged, self._agreed = confirmed(self._judged, machine), True
            log.warning("the clock was set right, by the desk's time")

    def since(self, wall: float) -> float:
        """Return the seconds since a Unix time of another boot, or what of them is sure."""
        now = self()
        return max(0.0, now.wall - wall) if self.certain else now.boot - self.started.boot

    def taken_up(self, saved: Now) -> Now:
        """Return this moment so that what passed since a moment of another boot is no more than what is sure."""
        now = self()
        return now if self.certain else Now(now.boot, min(now.wall, saved.wall))

    def _follows(self, now: Now) -> bool:
        if now.boot - self._asked[0] >= ASK_EVERY:
            self._asked = (now.boot, self._synchronised())
        return self._asked[1]

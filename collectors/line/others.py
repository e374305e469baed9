"""Other masters on the pair: whether there are any, told from what they say, and when their exchange is over.

A slave never asks. So a request that is not ours is another master's, and so is the answer to it. A late answer of our
own slave has no request that was heard here, and is not counted. Pure; time is an argument, in seconds.
"""

from typing import Final

from wire.traffic import TrafficReader

ANSWER: Final = 1.0
"""Seconds that the answer to another master's request is given room for."""
COURTESY: Final = 0.05
"""Seconds of silence after another master's exchange before we speak: its next request usually follows sooner."""
ENOUGH: Final = 2
"""Frames of Modbus that show a master: a check sum of 16 bits is right by chance once in 65,536 places. A frame of
YD/T 1363, with its start, end, length and two check sums, shows one alone."""
FOREIGN: Final = "another master speaks on this line; declare it shared: true, or take one of the two away"


class Others:
    """What is heard on one line besides our own exchanges. `frames` counts what other masters and their slaves said."""

    def __init__(self, *, shared: bool = False) -> None:
        self.shared = shared
        self.frames = 0
        self.present = False
        self._reader = TrafficReader()
        self._last = float("-inf")
        self._answered_by = float("-inf")

    def hear(self, octets: bytes, now: float, *, spoken: bool = True) -> None:
        """Take bytes, or none to say that nothing came; `spoken` False: we have asked nobody, so no answer is ours."""
        if octets:
            self._last = now
        for heard in self._reader.feed(octets, now):
            if heard.side != "request" and spoken and heard.request is None:
                continue
            self.frames += 1
            self._answered_by = now + ANSWER if heard.side == "request" else float("-inf")
            self.present = self.present or heard.protocol == "ydt1363" or self.frames >= ENOUGH

    def free_at(self, *, hurried: bool) -> float:
        """Return when we may speak: their exchange is over and, unless `hurried`, the next has not followed at once."""
        return self._answered_by if hurried else max(self._answered_by, self._last + COURTESY)

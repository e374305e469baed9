"""How long to wait for one slave, and how long its late answers may still come; time is an argument.

An answer of either protocol does not say what was asked: a late answer to one question passes for the answer to the
next (Modbus RTU tells unit, function and length; YD/T 1363 the address). So before a slave is asked something else, the
answers that it still owes must have come and gone. The same question may be asked again at once: its answers are alike.

A slave that has answered often is waited for twice as long as its slowest answer of late, which is what most waits for
lost requests cost; one that is not known yet, as long as the site file or its definition says.
"""

from collections import deque

LONGEST_FIRST = 2.0
"""Seconds that the first byte of an answer may take at most, unless the line or the definition grants more."""
SHORTEST_FIRST = 0.05
LONGEST_KNOWN = 10.0
"""Seconds that a slave which is down is waited for at most, if it was as slow as that while it answered."""
REMEMBERED = 100
"""Answers whose times count: the slowest of a hundred is no less than their 99th percentile."""
KNOWN = 8
"""Answers after which a slave's own times go before the configured one."""
ALIKE = 1.2
"""An answer that takes so much longer than the slowest is still one like the others."""
MARGIN = 1.5
"""Silence after a late answer, in lateness: a slave that answers one after the other is as late again with the next."""


class Patience:
    """One slave's first-byte time: `first` of a usual wait, `longest` of a patient one."""

    def __init__(self, configured: float) -> None:
        self._configured = max(configured, SHORTEST_FIRST)
        self._most = max(LONGEST_FIRST, configured)
        self._times: deque[float] = deque(maxlen=REMEMBERED)
        self.slowest = 0.0
        self._key = ""
        self._until = 0.0
        self._quiet = 0.0

    @property
    def first(self) -> float:
        """Return the seconds to wait for the first byte."""
        least = self._configured if len(self._times) < KNOWN else SHORTEST_FIRST
        return min(self._most, max(least, 2 * self.slowest))

    @property
    def longest(self) -> float:
        """Return the seconds after which no answer comes any more, by all that is known of this slave."""
        return max(self._most, min(LONGEST_KNOWN, MARGIN * self.slowest))

    def took(self, seconds: float) -> None:
        """Note how long an answer's first byte took."""
        self._times.append(seconds)
        self.slowest = max(self._times)

    def took_again(self, waited: float, since: float) -> None:
        """Note an answer to a question asked again: so long after the last time and so long after the first.

        It may be the first one's, late. Where it came about as soon as answers of this slave do, it was the last
        one's: the first was lost; else each lost request would make the slave look slower than it is.
        """
        own = len(self._times) >= KNOWN and waited <= ALIKE * self.slowest
        self.took(waited if own else since)

    def silent(self, key: str, asked: float) -> None:
        """Note a question asked at this time and not answered: its answer may come until the longest wait is over."""
        self._owe(key, asked + self.longest, self.longest)

    def answered(self, key: str, now: float, late: float, outstanding: int) -> None:
        """Note an answer so many seconds after the first try, with so many more tries that may be answered yet."""
        self._owe(key, now + MARGIN * late * outstanding, MARGIN * late)

    def quiet_before(self, key: str, now: float) -> float:
        """Return the seconds of silence due before this question."""
        return 0.0 if key == self._key else max(0.0, min(self._quiet, self._until - now))

    def _owe(self, key: str, until: float, quiet: float) -> None:
        self._key, self._until, self._quiet = key, until, quiet

"""How long to wait for one slave, and how long its late answers may still come; time is an argument.

An answer of either protocol does not say what was asked: a late answer to one question passes for the answer to the
next (Modbus RTU tells unit, function and length; YD/T 1363 the address). So before a slave is asked something else, the
answers that it still owes must have come and gone. The same question may be asked again at once: its answers are alike.
"""

LONGEST_FIRST = 2.0
"""Seconds that the first byte of an answer may take at most, unless the line or the definition grants more."""
SHORTEST_FIRST = 0.05
FORGETS = 0.98
"""How much of the slowest answer is remembered with each one in time: a slave that was slow once is forgiven in a
minute or so."""
MARGIN = 1.5
"""Silence after a late answer, in lateness: a slave that answers one after the other is as late again with the next."""


class Patience:
    """One slave's first-byte time: twice its slowest answer of late, from the configured seconds up to `longest`."""

    def __init__(self, configured: float) -> None:
        self._configured = max(configured, SHORTEST_FIRST)
        self.longest = max(LONGEST_FIRST, configured)
        self._slowest = 0.0
        self._key = ""
        self._until = 0.0
        self._quiet = 0.0

    @property
    def first(self) -> float:
        """Return the seconds to wait for the first byte."""
        return min(self.longest, max(self._configured, 2 * self._slowest))

    def took(self, seconds: float) -> None:
        """Note how long an answer's first byte took."""
        self._slowest = max(seconds, self._slowest * FORGETS)

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

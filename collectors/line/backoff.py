"""When to try again what failed: after 5 seconds, then twice as long each time, up to a minute. Time is an argument.

How long all tries together may take is an allowance: a part of the time, saved up for a while.
"""

FIRST = 5.0
LONGEST = 60.0


class Backoff:
    """One thing that may fail: `due` says whether to try it, `failures` how often it failed in a row."""

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self._first = first
        self._longest = longest
        self.failures = 0
        self.next = 0.0

    def due(self, now: float) -> bool:
        """Tell whether it may be tried at this time."""
        return self.failures == 0 or now >= self.next

    def failed(self, now: float) -> None:
        """Note a failure: the next try is later."""
        delay = min(self._longest, self._first * 2.0 ** min(self.failures, 16))
        self.failures += 1
        self.next = now + delay

    def put_off(self, now: float) -> None:
        """Note that trying soon is no use: the next try comes after the longest delay."""
        self.failures += 1
        self.next = now + self._longest

    def succeeded(self) -> None:
        """Note a success."""
        self.failures = 0


class Allowance:
    """A part of the time (`share`, 0 to 1) that may be spent, up to `most` seconds of it at once."""

    def __init__(self, share: float, most: float, now: float) -> None:
        self._share = share
        self._most = most
        self._left = most
        self._at = now

    def any_left(self, now: float) -> bool:
        """Tell whether something may be spent at this time; it may then take more than is left, and is paid back."""
        self._left = min(self._most, self._left + self._share * (now - self._at))
        self._at = now
        return self._left > 0

    def spend(self, seconds: float) -> None:
        """Note what was spent."""
        self._left -= seconds

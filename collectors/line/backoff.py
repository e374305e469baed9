"""When to try again what failed: after 5 seconds, then twice as long each time, up to a minute. Time is an argument."""

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

"""How a search on a line goes on, on standard error: what is tried now, for how long at most, who was found."""

import math

from collectors.line.search import Search, Step
from roundsman.lines.live import LiveLine
from roundsman.lines.words import NAMES


class Progress:
    """What is tried now, how long it takes at most, and who was found: on standard error."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._told: set[int] = set()
        self._line = LiveLine()
        count = len(search.wanted.settings)
        self._line.say(
            f"{count} setting{'s' * (count > 1)} to try, at most {duration(search.at_most)} while nobody answers; "
            "Ctrl-C prints what was found."
        )

    def now(self, step: Step) -> None:
        """Say what is tried now: each time on a terminal, else every few seconds."""
        count = len(self._search.found)
        self._line.now(f"{step.doing}; {count} found, at most {duration(self._search.at_most)} left")

    def found(self) -> None:
        """Say who was recognised since."""
        for each in self._search.found.values():
            if each.says and id(each) not in self._told:
                self._told.add(id(each))
                what = "perhaps " * (not each.sure) + (", ".join(each.definitions) or "not recognised")
                self._line.say(f"{each.setting}: {NAMES[each.protocol]} {each.address}: {what} ({each.says})")

    def over(self) -> None:
        """Clear the line that says what is tried."""
        self._line.over()


def duration(seconds: float) -> str:
    """Return seconds as people say them, rounded up."""
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 120 else f"{math.ceil(whole / 60)} min"

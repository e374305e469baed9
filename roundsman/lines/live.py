"""What goes on now, as one line of the terminal that is written anew; in a file, a line every few seconds."""

import shutil
import sys
import time

from roundsman.output import clean, shortened

SAY_EVERY = 5.0
"""Seconds between two lines where standard error is no terminal."""


class LiveLine:
    """The last line of standard error. One that the terminal has no room for is cut: it could not be cleared."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._said = time.monotonic()

    def now(self, text: str) -> None:
        """Say what goes on now: each time on a terminal, else every few seconds."""
        if self._live:
            room = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{shortened(clean(text), room)}", end="", flush=True, file=sys.stderr)
        elif time.monotonic() - self._said >= SAY_EVERY:
            self.say(text)

    def say(self, text: str) -> None:
        """Say something that stays."""
        self._said = time.monotonic()
        print(("\r\x1b[K" if self._live else "") + clean(text), file=sys.stderr)

    def over(self) -> None:
        """Clear the line."""
        if self._live:
            print("\r\x1b[K", end="", flush=True, file=sys.stderr)

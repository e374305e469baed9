"""One request and its answer, in the time that the wire needs and no more.

- Between the last byte on the line and a request there is the gap, at least.
- A write returns long before its bytes have left, so the wait for an answer is counted from when they will have.
- The first byte may take `first` seconds; after it, silence of `between` seconds ends the wait.
- An answer ends where it is whole, never by silence.
- What stands in the input before a request is late or foreign, and is dropped.
- A line that gives us our own bytes back (echo) is told by the bytes being exactly ours.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from collectors.line.port import Port
from collectors.line.question import Answer, Question
from collectors.line.timing import Timing

SETTLE = 0.05
"""Seconds of silence after an answer that did not come, before the same is asked again or another slave speaks."""
LONGEST_SETTLE = 1.0
"""A line that is never silent is spoken to all the same after this long, or three times the silence that is due."""
SHORTEST = 4
"""Bytes that are no spark any more; the shortest answer has five."""
SLACK = 0.001
"""Seconds that a rest ends before the answer is expected, so that a quicker one is noticed and the next rest shorter."""
LONGEST_REST = 0.25
"""Seconds of a rest at most: a line that is stopped must not finish a long answer first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an exchange ended: the answer or None, and what was met on the way.

    `seconds` is the time on the line from our first byte, `mismatches` answers with a wrong check sum, `noise` bytes
    that belong to nothing, `heard` whether any byte came at all, `characters` the length of the answer, `waited` the
    seconds from our last byte to the answer's first.
    """

    answer: Answer | None
    seconds: float
    mismatches: int
    noise: int
    heard: bool
    echo: bool
    characters: int
    waited: float = 0.0


class Usual(NamedTuple):
    """What the last answer to a request was like: its characters, and the seconds from our last byte to its last."""

    characters: int = 0
    seconds: float = 0.0


class Exchange:
    """Asks questions on one open port, one at a time."""

    def __init__(self, port: Port, timing: Timing, clock: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        self._timing = timing
        self._clock = clock
        self._last_byte = clock()
        self._quiet = timing.gap
        self._usual: dict[bytes, Usual] = {}

    def ask(self, question: Question, first: float | None = None) -> Outcome:
        """Ask and wait for the answer; `first` is the longest wait for its first byte. Raises PortError."""
        stray = self._wait_for_quiet()
        timing, reader, echo = self._timing, question.reader(), Echo(question.frame)
        latency, usual = self._port.latency, self._usual.get(question.frame) or Usual()
        wait = (first or timing.first) + latency
        started = self._clock()
        self._port.write(question.frame, wait + len(question.frame) * timing.char)
        sent = self._last_byte = started + len(question.frame) * timing.char
        deadline = sent + wait
        # However much noise comes, an answer as long as it can be is through by then.
        latest = deadline + 1.5 * (question.longest + len(question.frame)) * timing.char
        self._rest(min(usual.seconds - SLACK, wait) - (self._clock() - sent))
        answer, heard = None, 0
        while answer is None and (now := self._clock()) < min(deadline, latest):
            octets = self._port.read(min(deadline, latest) - now)
            if not octets:
                continue
            self._last_byte = max(sent, self._clock())
            fresh = echo.strip(octets)
            heard += len(fresh)
            # A spark when the slave takes the line is no answer that has begun: the first byte's time goes on.
            deadline = max(deadline if heard < SHORTEST else 0.0, self._last_byte + timing.between + latency)
            answer = reader.feed(fresh)
            if answer is None and heard >= SHORTEST:
                self._rest((usual.characters - heard) * timing.char - SLACK)
        if answer is None and (rest := echo.rest()):
            heard, answer = heard + len(rest), reader.feed(rest)
        now = max(self._clock(), sent)
        self._quiet = timing.gap
        if answer is None:
            self.settle()  # the answer may be late: its silence begins only now
            self._last_byte = now
        else:
            self._usual[question.frame] = Usual(heard, min(usual.seconds or now - sent, now - sent))
        waited = max(0.0, now - sent - heard * timing.char)
        noise, seconds = stray + reader.skipped, now - started
        return Outcome(answer, seconds, reader.mismatches, noise, heard > 0, echo.found, heard, waited)

    def _rest(self, seconds: float) -> None:
        """Sleep while nothing new can come: a thread that is woken for every few bytes costs the machine most."""
        if seconds > SLACK:
            time.sleep(min(seconds, LONGEST_REST))

    def settle(self, seconds: float = SETTLE) -> None:
        """Expect an answer that is not wanted any more: be silent for so long from now before the next request."""
        self._last_byte = self._clock()
        self._quiet = max(self._timing.gap, seconds)

    def _wait_for_quiet(self) -> int:
        """Drop what comes until the line has been silent for as long as is due; return how many bytes came."""
        dropped, started = 0, self._clock()
        longest = max(LONGEST_SETTLE, 3 * self._quiet)
        while True:
            now = self._clock()
            if (wait := self._last_byte + self._quiet - now) > 0:
                # poll() counts whole milliseconds; the gap is shorter than that at high speed, so it is slept.
                time.sleep(min(wait, 0.02))
            octets = self._port.read(0.0)
            now = self._clock()
            if octets:
                dropped += len(octets)
                self._last_byte = now
                self._quiet = max(self._quiet, self._timing.gap)
            if (not octets and now >= self._last_byte + self._quiet) or now - started > longest:
                return dropped


class Echo:
    """Strips our own bytes from the front of what comes back; `found` once they were there to the last."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent
        self._held = b""
        self.found = False
        self._over = False

    def strip(self, octets: bytes) -> bytes:
        """Return the bytes that are not echo; holds back what may still become one."""
        if self._over:
            return octets
        held = self._held + octets
        if held.startswith(self._sent):
            self._over = self.found = True
            self._held = b""
            return held[len(self._sent) :]
        if self._sent.startswith(held):
            self._held = held
            return b""
        self._over, self._held = True, b""
        return held

    def rest(self) -> bytes:
        """Return what was held back and never became an echo."""
        held, self._held = self._held, b""
        return held

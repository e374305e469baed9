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

from collectors.line.others import Others
from collectors.line.port import Port
from collectors.line.question import Answer, Question
from collectors.line.timing import Timing

SETTLE = 0.05
"""Seconds of silence after an answer that did not come, before the same is asked again or another slave speaks."""
LONGEST_SETTLE = 1.0
"""A line that is never silent is spoken to all the same after this long, or three times the silence that is due."""
LONGEST_SHARED = 10.0
"""The same where another master speaks."""
HURRIED = 2.0
"""Seconds after which we speak right behind the other master's exchange, if it never leaves a longer silence."""
SHORTEST = 4
"""Bytes that are no spark any more; the shortest answer has five."""
SLACK = 0.0005
"""Seconds, with two characters, that a rest ends before an answer is due: a quicker one shortens the next rest."""
SOONER = 0.5
"""Part of a wait for an answer after which we look for the next one, where that one was there already."""
AT_ONCE = 16
"""Characters that a UART or adapter may hold back and give at once: so many more may have come than we have read."""
SLOWER = 0.1
"""How much of the difference a slower answer than usual counts."""
LONGEST_REST = 0.25
"""Seconds of a rest at most: a line that is stopped must not finish a long answer first."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an exchange ended: the answer or None, and what was met on the way.

    `seconds` is the time on the line from our first byte, `mismatches` answers with a wrong check sum, `noise` bytes
    that belong to nothing, `heard` whether more than a spark came at all, `characters` the length of the answer,
    `waited` the seconds from our last byte to the answer's first.
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

    def after(self, characters: int, seconds: float, spoken: float, *, overslept: bool) -> "Usual":
        """Return it with one more answer of so many `spoken` seconds: a quicker one counts at once, a slower a little.

        One that was whole when we first looked (`overslept`) may have been so long before. We look much sooner then the
        next time: else a rest that is too long once, on a busy machine, would measure itself for ever.
        """
        if overslept:
            seconds = min(seconds, self.seconds or seconds)
            return Usual(characters, spoken + SOONER * max(0.0, seconds - spoken))
        quicker = not self.seconds or seconds < self.seconds
        return Usual(characters, seconds if quicker else self.seconds + SLOWER * (seconds - self.seconds))


class Exchange:
    """Asks questions on one open port, one at a time.

    `meanwhile` is called while a request is on its way: what is left to do with the answers before then costs no gap.
    """

    def __init__(self, port: Port, timing: Timing, clock: Callable[[], float] = time.monotonic) -> None:
        self._port = port
        self._timing = timing
        self._clock = clock
        self._last_byte = clock()
        self._quiet = timing.quiet
        self._unit = -1
        self.others: Others | None = None
        self.meanwhile: Callable[[], object] = _nothing
        self._usual: dict[bytes, Usual] = {}

    def ask(self, question: Question, first: float | None = None) -> Outcome:
        """Ask and wait for the answer; `first` is the longest wait for its first byte. Raises PortError."""
        if question.unit != self._unit:
            self._quiet, self._unit = max(self._quiet, self._timing.gap + self._timing.unit_pause), question.unit
        stray = self._wait_for_quiet()
        timing, reader, echo = self._timing, question.reader(), Echo(question.frame)
        latency, usual = self._port.latency, self._usual.get(question.frame) or Usual()
        wait = (first or timing.first) + latency
        started = self._clock()
        self._port.write(question.frame, wait + len(question.frame) * timing.char)
        sent = self._last_byte = started + len(question.frame) * timing.char
        self.meanwhile()
        deadline = sent + wait
        # However much noise comes, an answer as long as it can be is through by then.
        latest = deadline + 1.5 * (question.longest + len(question.frame)) * timing.char
        self._rest(min(usual.seconds - SLACK - 2 * timing.char, wait) - (self._clock() - sent))
        answer, heard, strange, over = None, 0, list[bytes](), False
        while answer is None and not over:
            left = min(deadline, latest) - self._clock()
            octets = self._port.read(max(0.0, left))  # what came while we rested is read even when the time is over
            over = left <= 0 and (not octets or self._clock() >= latest)
            if not octets:
                continue
            self._last_byte = max(sent, self._clock())
            fresh = echo.strip(octets)
            heard += len(fresh)
            strange.append(fresh)
            # A spark when the slave takes the line is no answer that has begun: the first byte's time goes on.
            deadline = max(deadline if heard < SHORTEST else 0.0, self._last_byte + timing.between + latency)
            answer = reader.feed(fresh)
            if answer is None and heard >= SHORTEST:
                self._rest((usual.characters - heard - AT_ONCE) * timing.char)
        if answer is None and (rest := echo.rest()):
            heard, answer = heard + len(rest), reader.feed(rest)
        now = max(self._clock(), sent)
        characters = heard - reader.skipped
        spoken = characters * timing.char
        self._quiet = timing.quiet
        if self.others is not None and (answer is None or reader.skipped):
            self.others.hear(b"".join(strange), now)
        if answer is None and heard < SHORTEST:
            self.settle()  # the answer may be late: its silence begins only now; one that noise has spoilt is not
        if answer is None:
            self._last_byte = now
        else:
            self._usual[question.frame] = usual.after(characters, now - sent, spoken, overslept=len(strange) == 1)
        waited = max(0.0, now - sent - spoken)
        noise, seconds = stray + reader.skipped, now - started
        return Outcome(answer, seconds, reader.mismatches, noise, heard >= SHORTEST, echo.found, characters, waited)

    def _rest(self, seconds: float) -> None:
        """Sleep while nothing new can come: a thread that is woken for every few bytes costs the machine most."""
        if seconds > SLACK:
            time.sleep(min(seconds, LONGEST_REST))

    def settle(self, seconds: float = SETTLE) -> None:
        """Expect an answer that is not wanted any more: be silent for so long from now before the next request."""
        self._last_byte = self._clock()
        self._quiet = max(self._timing.quiet, seconds)

    def _wait_for_quiet(self) -> int:
        """Drop what comes until the line has been silent for as long as is due; return how many bytes came."""
        dropped, started = 0, self._clock()
        shared = self.others is not None and self.others.shared
        longest = LONGEST_SHARED if shared else max(LONGEST_SETTLE, 3 * self._quiet)
        while True:
            now = self._clock()
            if (wait := self._free_at(now - started) - now) > 0:
                # poll() counts whole milliseconds; the gap is shorter than that at high speed, so it is slept.
                time.sleep(min(wait, 0.02))
            octets = self._port.read(0.0)
            now = self._clock()
            if octets:
                dropped += len(octets)
                self._last_byte = now
                self._quiet = max(self._quiet, self._timing.quiet)
                if self.others is not None:
                    self.others.hear(octets, now)
            if (not octets and now >= self._free_at(now - started)) or now - started > longest:
                return dropped

    def _free_at(self, waited: float) -> float:
        """Return when the line has been silent long enough; on a shared pair, when the other master is done too."""
        free = self._last_byte + self._quiet
        if self.others is None or not self.others.shared:
            return free
        return max(free, self.others.free_at(hurried=waited > HURRIED))


def _nothing() -> None:
    """Do nothing while a request is on its way."""


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

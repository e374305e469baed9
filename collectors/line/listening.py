"""What passes on a line that is only listened to: frames with their gaps, what they add up to, and at which setting.

`Listening` turns bytes into what was spoken, in order, and keeps the books; `Tuner` finds the setting at which frames
have right check sums. No I/O, no clock: time is an argument, in seconds.
"""

import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from collectors.line.search import Setting
from wire.modbus_frames import Message
from wire.traffic import Heard, TrafficReader

KEPT: Final = 1000
"""Answer times and intervals that are remembered, the last ones: a line may be listened to for days."""
DISTINCT: Final = 4096
"""Different requests that are remembered."""
ENOUGH: Final = 2
"""Frames of Modbus that tell a setting: a check sum of 16 bits is right by chance once in 65,536 places. YD/T 1363 has
a start, an end, a length and two check sums: one is enough."""
BYTES: Final = 64
"""Bytes without a frame that tell that a setting is wrong, unless they are text."""
TEXT: Final = frozenset(b"0123456789ABCDEFabcdef~\r")
LONG: Final = 4200
"""Characters of text without a frame that tell the same: the longest frame of YD/T 1363 may have been joined midway."""
BURST: Final = 0.1
"""Seconds of silence that end a burst of bytes."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A frame, or noise (`heard` is None): when its first byte came and its last.

    `gap` is the silence before it, None for the first; `took` the seconds from a request's end to its answer's start.
    """

    began: float
    ended: float
    gap: float | None
    octets: bytes
    heard: Heard | None = None
    took: float | None = None

    @property
    def refused(self) -> bool:
        """True for an exception, or a return code that is not 00."""
        if self.heard is None or self.heard.side != "response":
            return False
        message = self.heard.message
        return message.exception is not None if isinstance(message, Message) else message.code != 0


@dataclass(slots=True)
class Speaker:
    """One address: how often it was asked and answered, how often it refused, and how long its answers took."""

    protocol: Literal["modbus", "ydt1363"]
    unit: int
    requests: int = 0
    responses: int = 0
    refusals: int = 0
    functions: dict[int, int] = field(default_factory=dict)
    shortest: float | None = None
    longest: float | None = None
    took: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def median(self) -> float | None:
        """The median of its last answer times, in seconds."""
        return statistics.median(self.took) if self.took else None

    def note(self, spoken: Spoken, heard: Heard) -> None:
        """Count a frame from or to this address."""
        if heard.side == "response":
            self.responses += 1
            self.refusals += spoken.refused
        else:
            self.requests += 1
            self.functions[heard.function] = self.functions.get(heard.function, 0) + 1
        if spoken.took is not None:
            self.took.append(spoken.took)
            self.shortest = min(spoken.took, math.inf if self.shortest is None else self.shortest)
            self.longest = max(spoken.took, self.longest or 0.0)


class Listening:
    """Everything heard at one setting since `began`."""

    def __init__(self, setting: Setting, began: float) -> None:
        self.setting = setting
        self.speakers: dict[tuple[str, int], Speaker] = {}
        self.frames = 0
        self.octets = 0
        self.noise = 0
        self._began = began
        self._reader = TrafficReader()
        self._held = bytearray()
        self._ended: float | None = None
        self._noise = b""
        self._noise_began = self._noise_ended = self._read_at = began
        self._asked: dict[bytes, float] = {}
        self._last_asked = b""
        self._intervals: deque[float] = deque(maxlen=KEPT)
        self._request_ends: dict[tuple[str, int], float] = {}

    @property
    def mismatches(self) -> int:
        """Frames that were due but for their check sum."""
        return self._reader.mismatches

    @property
    def cycle(self) -> float | None:
        """Seconds after which the master asks the same again: the median; None while nothing came twice."""
        return statistics.median(self._intervals) if self._intervals else None

    def seconds(self, now: float) -> float:
        """Return how long it has been listened to."""
        return max(now - self._began, 1e-3)

    def utilisation(self, now: float) -> float:
        """Return the share of the time until now in which characters were on the line, 0 to 1."""
        return min(1.0, self.octets * self.setting.char / self.seconds(now))

    def feed(self, octets: bytes, at: float) -> list[Spoken]:
        """Take bytes that were read at this time, or none; return what is complete now, frames and noise in order.

        Noise is complete when a frame or a silence follows it, or when it is long.
        """
        spoken: list[Spoken] = []
        if not octets or at - self._read_at > BURST:  # what was read before is judged by the silence after it
            spoken += self._sorted(self._reader.feed(b"", at))
        if octets:
            self._held += octets
            self.octets += len(octets)
            self._read_at = at
            spoken += self._sorted(self._reader.feed(octets, at))
        if self._noise and (at - self._noise_ended > BURST or len(self._noise) >= BYTES):
            spoken += self._noise_over()
        return spoken

    def _sorted(self, frames: Iterable[Heard]) -> list[Spoken]:
        """Take frames, and the noise around them, off the front of what was read."""
        spoken: list[Spoken] = []
        for heard in frames:
            self._take_noise(self._held.find(heard.octets))
            spoken += self._noise_over()
            began, ended = self._take(len(heard.octets))
            spoken.append(self._said(heard.octets, began, ended, heard))
        self._take_noise(len(self._held) - self._reader.held)
        return spoken

    def _take(self, count: int) -> tuple[float, float]:
        """Take bytes off the front of what was read; return when they began on the wire, and ended."""
        del self._held[:count]
        ended = self._read_at - len(self._held) * self.setting.char
        return ended - count * self.setting.char, ended

    def _take_noise(self, count: int) -> None:
        if count > 0:
            octets = bytes(self._held[:count])
            began, self._noise_ended = self._take(count)
            if not self._noise:
                self._noise_began = began
            self._noise += octets
            self.noise += count

    def _noise_over(self) -> list[Spoken]:
        if not self._noise:
            return []
        octets, self._noise = self._noise, b""
        return [self._said(octets, self._noise_began, self._noise_ended)]

    def _said(self, octets: bytes, began: float, ended: float, heard: Heard | None = None) -> Spoken:
        gap = None if self._ended is None else max(0.0, began - self._ended)
        took = self._took(heard, began, ended) if heard else None
        self._ended = ended
        spoken = Spoken(began, ended, gap, octets, heard, took)
        if heard is not None:
            self._count(spoken, heard)
        return spoken

    def _took(self, heard: Heard, began: float, ended: float) -> float | None:
        """Note when a request ended; return how long its answer took."""
        key = (heard.protocol, heard.unit)
        if heard.side != "response":
            self._request_ends[key] = ended
            return None
        asked = self._request_ends.pop(key, None)
        return None if asked is None or heard.request is None else max(0.0, began - asked)

    def _count(self, spoken: Spoken, heard: Heard) -> None:
        self.frames += 1
        key = (heard.protocol, heard.unit)
        self.speakers.setdefault(key, Speaker(heard.protocol, heard.unit)).note(spoken, heard)
        if heard.side == "response":
            return
        before = self._asked.get(heard.octets)
        # The same twice in a row is a second try, unless nothing else is ever asked.
        if before is not None and (self._last_asked != heard.octets or len(self._asked) == 1):
            self._intervals.append(spoken.began - before)
        if before is not None or len(self._asked) < DISTINCT:
            self._asked[heard.octets] = spoken.began
        self._last_asked = heard.octets


class Tuner:
    """Finds the setting of a line by listening: goes to the next one when bytes make no frame.

    `setting` is the one to listen at now, `kept` what was read at it and when; `found` the one that gives right frames.
    """

    def __init__(self, settings: Sequence[Setting]) -> None:
        self._settings = settings
        self._at = 0
        self.tried = 0
        self.octets = 0
        self.found: Setting | None = None
        self._begin()

    @property
    def setting(self) -> Setting:
        """The setting to listen at now."""
        return self._settings[self._at]

    def feed(self, octets: bytes, at: float) -> list[Heard]:
        """Take bytes read at this time, or none; return the frames. Look at `found` and `setting` afterwards."""
        if octets:
            self.kept.append((octets, at))
        frames = self._reader.feed(octets, at)
        self._score += sum(ENOUGH if heard.protocol == "ydt1363" else 1 for heard in frames)
        self.octets += len(octets)
        if self._score >= ENOUGH:
            self.found = self.setting
        elif self._is_wrong(octets, at, bool(frames)):
            self._at = (self._at + 1) % len(self._settings)
            self.tried += 1
            self._begin()
        return frames

    def _begin(self) -> None:
        self._reader = TrafficReader()
        self._score = self._here = self._bursts = 0
        self._text = True
        self._last: float | None = None
        self.kept: list[tuple[bytes, float]] = []

    def _is_wrong(self, octets: bytes, at: float, framed: bool) -> bool:
        """Tell whether so much came without a frame that another setting is better."""
        if octets:
            self._bursts += self._last is not None and at - self._last > BURST
            self._last = at
        self._here += len(octets)
        self._text = self._text and TEXT.issuperset(octets)
        if framed or self._score:  # one frame: wait for its fellow, as long as it takes
            return self._here > LONG
        if self._text and self._here:
            return self._here > LONG
        # The first burst may have been joined midway; every other begins with a frame.
        return self._here >= BYTES or self._bursts >= 3

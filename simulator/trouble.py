"""What goes wrong on a line, with a die that a seed makes repeatable."""

import math
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Trouble:
    """How bad a line is; all shares are 0..1.

    `echo`: the client hears its own bytes.  Of all bytes, `corrupted` have one bit or more turned, `lost` are not
    heard, `doubled` are heard twice.  `stray` is the share of answers with one to three bytes more at each end.
    `spikes` is how many single random bytes a second come from nowhere, and `babble` the share of time for which a
    device that is broken says random bytes, from one to `babble_bytes` at a time.
    """

    echo: bool = False
    corrupted: float = 0.0
    lost: float = 0.0
    doubled: float = 0.0
    stray: float = 0.0
    spikes: float = 0.0
    babble: float = 0.0
    babble_bytes: int = 60

    @property
    def spoils(self) -> bool:
        """Tell whether bytes change on their way at all."""
        return self.corrupted > 0 or self.lost > 0 or self.doubled > 0


NO_TROUBLE = Trouble()
STRAY = b"\x00\x00\xff\x55"
"""What stands around answers: the line's drivers taking and leaving it, seldom a spark."""


class Dice:
    """Makes trouble happen; the same seed and the same talk give the same trouble."""

    def __init__(self, trouble: Trouble, seed: int) -> None:
        self.trouble = trouble
        self._random = Random(seed)  # noqa: S311  # chance is repeatable, nothing is kept secret by it

    def spoil(self, octets: bytes) -> tuple[bytes, int]:
        """Return what is heard of bytes on their way, and how many of them were touched."""
        trouble, roll = self.trouble, self._random.random
        heard, touched = bytearray(), 0
        for octet in octets:
            said = octet
            if roll() < trouble.corrupted:
                said = octet ^ self._random.randrange(1, 256)
                touched += 1
            if roll() < trouble.lost:
                touched += 1
                continue
            heard.append(said)
            if roll() < trouble.doubled:
                heard.append(said)
                touched += 1
        return bytes(heard), touched

    def between(self, least: float, most: float) -> float:
        """Return a number of that range."""
        return self._random.uniform(least, most) if most > least else least

    def garble(self, count: int) -> bytes:
        """Return random bytes: what is heard where two talk at once."""
        return self._random.randbytes(count)

    def surround(self, answer: bytes) -> bytes:
        """Return the answer, with stray bytes at its ends when its turn has come."""
        if not self.trouble.stray or self._random.random() >= self.trouble.stray:
            return answer
        return self._stray() + answer + self._stray()

    def next_spike(self) -> float:
        """Return the seconds until the next spike."""
        return self._random.expovariate(self.trouble.spikes) if self.trouble.spikes else math.inf

    def next_babble(self, character: float) -> tuple[float, bytes]:
        """Return the seconds of silence before the babbling device speaks again, and what it says then."""
        share = self.trouble.babble
        if not share:
            return math.inf, b""
        said = self._random.randbytes(self._random.randint(1, self.trouble.babble_bytes))
        silence = len(said) * character * (1.0 - share) / share
        return silence * self._random.uniform(0.5, 1.5), said

    def _stray(self) -> bytes:
        return bytes(self._random.choice(STRAY) for _ in range(self._random.randint(1, 3)))

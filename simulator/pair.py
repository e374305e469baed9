"""The pair of wires: who speaks when, who hears what, and which silence ends a frame.  Time is an argument.

Every byte takes its time.  A request is over only when 3.5 characters of silence have followed it (Modbus over serial
line 1.02, 2.5.1.1); the answer comes after the device's turnaround; what follows without that silence is heard as one
garbled frame by every device; and where two speak at once nobody hears either.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from simulator.tally import Tally
from simulator.trouble import Dice, Trouble
from simulator.uart import Parity, character_bits, misheard

CLIENT, NOISE, OTHER = "the client", "noise", "another master"
FIFO = 4
"""Bytes that are handed over at once, when the last of them is there: what a UART does, and a quarter of the work."""
_EPSILON = 1e-7


class LineDevice(Protocol):
    """Something with an address on the line."""

    @property
    def name(self) -> str:
        """Say what the device is called in scenarios and counts."""
        ...

    def answer(self, frame: bytes) -> bytes | None:
        """Return the reply to what was heard between two silences, or None: another's frame, or a broken one."""
        ...


@dataclass(frozen=True, slots=True)
class OtherMaster:
    """Another master on the same pair, which asks these frames in turn, one `every` so many seconds."""

    every: float
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """Bytes for the client's ear, whole on the wire at `due`; `ends` tells the end of an answer to it."""

    octets: bytes
    due: float
    ends: bool


@dataclass(slots=True, eq=False)
class Talk:
    """Bytes of one speaker, the first beginning at `first`, each `character` seconds long; `step` pass at once.

    `least` is what an exchange that this answer ends takes at the least; 0 for what is no answer to the client.
    """

    who: str
    octets: bytes
    first: float
    character: float
    step: int
    sent: int = 0
    least: float = 0.0
    touched: int = 0
    garbled: bool = False

    @property
    def end(self) -> float:
        """When its last byte is whole."""
        return self.first + len(self.octets) * self.character

    @property
    def due(self) -> float:
        """When the next bytes of it are to be handed over."""
        return self.first + min(self.sent + self.step, len(self.octets)) * self.character

    def overlaps(self, begins: float, ends: float) -> bool:
        """Tell whether it speaks in that time."""
        return self.first < ends - _EPSILON and begins + _EPSILON < self.end


class Pair:
    """Two wires, the devices on them, and what is going on there.

    `turnaround` is what a device takes to answer, in seconds; `slow` gives some their own, from least to most.
    `silent` holds the names of devices that do not answer; it may be changed at any time.
    """

    def __init__(
        self,
        devices: Sequence[LineDevice],
        *,
        baud: int = 9600,
        parity: Parity = "none",
        stop_bits: int = 1,
        turnaround: float = 0.005,
        slow: Mapping[str, tuple[float, float]] | None = None,
        trouble: Trouble | None = None,
        others: OtherMaster | None = None,
        fifo: int = FIFO,
        seed: int = 1,
    ) -> None:
        self.devices = devices
        self.baud, self.stop_bits, self._bits = baud, stop_bits, character_bits(parity, stop_bits)
        self.character = self._bits / baud
        self.gap = 3.5 * self.character if baud <= 19200 else 0.00175
        self.turnaround = turnaround
        self.slow = dict(slow or {})
        self.silent: set[str] = set()
        self.tally = Tally()
        self.trouble = trouble or Trouble()
        self._dice = Dice(self.trouble, seed)
        self._other = others
        self._fifo = fifo
        self.begin(0.0)

    def begin(self, now: float) -> None:
        """Forget what was going on: the line is silent from now."""
        self._talks: list[Talk] = []
        self._past: list[Talk] = []  # over, but still in the way of one that is not
        self._burst = bytearray()
        self._asked = 0
        self._asked_by_other = False
        self._quiet_since = self._client_free = now
        self._last = NOISE
        self._frames = 0
        self.worsen(self.trouble, now)
        self._other_at = now + self._other.every if self._other else math.inf

    def worsen(self, trouble: Trouble, now: float) -> None:
        """Let the line be as bad as that from now on; it may be called from another thread."""
        self.trouble = self._dice.trouble = trouble
        self._spike_at = now + self._dice.next_spike()
        wait, self._babble = self._dice.next_babble(self.character)
        self._babble_at = now + wait

    def speak(self, octets: bytes, now: float, baud: int = 0) -> None:
        """Take the client's bytes, which begin now or when its last have left; `baud` is its own speed."""
        character = self._bits / (baud or self.baud)
        first = max(now, self._client_free)
        if first > self._client_free:  # it begins anew
            too_soon = self._last != CLIENT and first < self._quiet_since + self.gap - _EPSILON
            self.tally.gap_violations += bool(self._burst and too_soon)
        self._client_free = first + len(octets) * character
        if self.tally.first_at is None:
            self.tally.first_at = first
        self.tally.bytes_from_client += len(octets)
        said = misheard(octets, baud, self.baud, self.stop_bits) if baud else octets
        # What is misheard has another number of bytes, in the same time.
        character = (self._client_free - first) / max(1, len(said))
        if said:
            step = self._fifo if self.trouble.echo else len(said)
            self._talks.append(Talk(CLIENT, said, first, character, step))

    def due(self) -> float:
        """Return when something happens next, if nobody speaks: infinity for never."""
        soonest = min(self._spike_at, self._babble_at, self._other_at)
        if self._asked or self._asked_by_other:  # else the silence is of no consequence before somebody speaks
            soonest = min(soonest, self._over_at())
        for talk in self._talks:
            soonest = min(soonest, talk.due)
        return soonest

    def pressing(self, due: float) -> bool:
        """Tell whether what is due then ends what the client hears: it counts its gap from there."""
        return any(talk.who != CLIENT and talk.end <= due + talk.character for talk in self._talks)

    def act(self, now: float) -> list[Heard]:
        """Let everything happen that is due by now, in its order; returns what the client hears."""
        heard: list[Heard] = []
        while (moment := self.due()) <= now:
            self._chance(moment)
            ready = sorted((talk for talk in self._talks if talk.due <= moment), key=lambda each: each.first)
            heard.extend(passed for talk in ready if (passed := self._pass(talk, moment)))
            if self._over_at() <= moment:
                self._deliver()
        if self._over_at() <= now:
            self._deliver()
        return heard

    def _over_at(self) -> float:
        """Return when the silence that ends what is being heard is over; never, if somebody speaks before."""
        if not self._burst:
            return math.inf
        over = self._quiet_since + self.gap
        return math.inf if any(talk.first < over for talk in self._talks) else over

    def _chance(self, moment: float) -> None:
        """Begin the talk that nobody asked for."""
        if self._spike_at <= moment:
            self._talks.append(Talk(NOISE, self._dice.garble(1), self._spike_at, self.character, 1))
            self._spike_at += self._dice.next_spike()
        if self._babble_at <= moment:
            babble = Talk(NOISE, self._babble, self._babble_at, self.character, self._fifo)
            self._talks.append(babble)
            wait, self._babble = self._dice.next_babble(self.character)
            self._babble_at = babble.end + wait
        if self._other is not None and self._other_at <= moment:
            frame = self._other.frames[self._frames % len(self._other.frames)]
            self._talks.append(Talk(OTHER, frame, self._other_at, self.character, self._fifo))
            self._frames += 1
            self._other_at += max(self._other.every, len(frame) * self.character)

    def _pass(self, talk: Talk, moment: float) -> Heard | None:
        """Let the bytes of a talk that are whole be heard by all; returns what the client hears of them."""
        whole = min(len(talk.octets), int((moment - talk.first) / talk.character + 1e-4))
        part = talk.octets[talk.sent : whole]
        begins = talk.first + talk.sent * talk.character
        ends = talk.first + whole * talk.character
        part = self._collided(talk, part, begins, ends)
        self._count(talk, len(part), (whole - talk.sent) * talk.character)
        talk.sent = whole
        if self.trouble.spoils:
            part, touched = self._dice.spoil(part)
            self.tally.touched += touched
            talk.touched += touched
        self._burst += part
        if ends >= self._quiet_since:
            self._quiet_since, self._last = ends, talk.who
        self._asked += len(part) if talk.who == CLIENT else 0
        self._asked_by_other |= talk.who == OTHER
        over = talk.sent == len(talk.octets)
        if over:
            self._end(talk)
        return Heard(part, ends, over and talk.least > 0) if talk.who != CLIENT or self.trouble.echo else None

    def _collided(self, talk: Talk, part: bytes, begins: float, ends: float) -> bytes:
        """Return the bytes as they are on the wire: garbled where another speaks at the same time."""
        others = [each for each in (*self._talks, *self._past) if each is not talk and each.overlaps(begins, ends)]
        if not others:
            return part
        if not talk.garbled and not any(each.garbled for each in others):
            self.tally.collisions += 1
        talk.garbled = True
        for each in others:
            each.garbled = True
        starts = [begins + place * talk.character for place in range(len(part))]
        hit = [any(each.overlaps(start, start + talk.character) for each in others) for start in starts]
        self.tally.garbled += sum(hit)
        noise = self._dice.garble(len(part))
        return bytes(noise[place] if hit[place] else octet for place, octet in enumerate(part))

    def _count(self, talk: Talk, count: int, seconds: float) -> None:
        tally = self.tally
        tally.busy_seconds += seconds
        if talk.who == NOISE:
            tally.bytes_of_noise += count
        elif talk.who != CLIENT:
            tally.bytes_from_devices += count

    def _end(self, talk: Talk) -> None:
        """Put a talk that is over aside for as long as one under way began before its end."""
        self._talks.remove(talk)
        self._past.append(talk)
        begun = min((each.first for each in self._talks), default=math.inf)
        self._past = [each for each in self._past if each.end > begun]
        self.tally.badly_touched += talk.who != NOISE and talk.touched > 1
        if talk.least:
            self.tally.least_seconds += talk.least
            self.tally.last_at = talk.end + self.gap
            self.tally.by_device[talk.who] = self.tally.by_device.get(talk.who, 0) + 1

    def _deliver(self) -> None:
        """Give what was heard between two silences to the devices, and let those answer whom it is for."""
        frame, asked, by_other = bytes(self._burst), self._asked, self._asked_by_other
        self._burst.clear()
        self._asked, self._asked_by_other = 0, False
        self.tally.asked += bool(asked)
        self.tally.frames_of_others += bool(by_other)
        if not asked and not by_other:
            return  # the devices heard an answer or noise
        speaking = {talk.who for talk in self._talks}
        replies = [(each, each.answer(frame)) for each in self.devices if each.name not in speaking]
        meant = [(device, reply) for device, reply in replies if reply is not None]
        answering = [(device.name, reply) for device, reply in meant if device.name not in self.silent]
        if asked:
            self.tally.answered += bool(answering)
            self.tally.unanswered += not meant
        self._reply(answering, asked)

    def _reply(self, answering: Iterable[tuple[str, bytes]], asked: int) -> None:
        for name, reply in answering:
            wait = max(self._dice.between(*self.slow.get(name, (self.turnaround, self.turnaround))), self.gap)
            least = (asked + len(reply)) * self.character + wait + self.gap if asked else 0.0
            said = self._dice.surround(reply)
            self._talks.append(Talk(name, said, self._quiet_since + wait, self.character, self._fifo, least=least))

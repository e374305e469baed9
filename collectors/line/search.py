"""A search for what hangs on a line: which question at which speed next, and what the answers say. No I/O, no clock.

`Search.steps` is a generator: it yields a Step (a question, the setting to ask it at, how long to wait) and is sent
what was Heard. So it can be driven by a line, or by a test in no time.

The order is what makes a search short. Each setting costs a round of knocks, most of which stay unanswered and cost
their whole wait; so the likely settings come first, and the first that brings an answer ends the search for others:

    9600 8N1, 19200 8N1, 4800 8N1, 9600 8E1, ...      rank = place of the speed + 2 * place of the parity
    a round: every Modbus unit (one register), the low YD/T addresses (the analog values of each class, in one form)
    then, at the setting that answered: what is rarer (input registers, all YD/T addresses, other forms)

A knock waits 0.2 s only. Who is slower answers into the next one, and his answer names him: he is given more time from
then on. Bytes that make no answer are the sign to be still for a while and to ask the last few again, with patience.
Bytes of a device with another parity are heard the same way, and bring the settings of that speed to the front.

Only reads are asked, and never states or alarms of YD/T 1363 (43H, 44H): reading those clears flags that another
master may wait for.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Reversible, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from collectors.line.knock import Knock, unit_question
from collectors.line.question import Answer, Question
from wire.modbus_frames import Identity
from wire.ydt1363 import Frame

Protocol = Literal["modbus", "ydt1363"]
Parity = Literal["none", "even", "odd"]

BAUDS: Final = (9600, 19200, 4800, 2400, 38400, 57600, 115200)
"""The speeds that are tried unless told, the most usual one first."""
PARITIES: Final[tuple[Parity, ...]] = ("none", "even", "odd")
UNITS: Final = tuple(range(1, 33))
ADDRESSES: Final = tuple(range(17))
"""The addresses that are tried unless told: of Modbus, and of YD/T 1363, where batteries like 0."""

QUICK: Final = 0.2
"""Seconds that a knock waits for the first byte; who is slower is heard all the same, see above."""
KNOWN: Final = 0.5
"""Seconds for somebody who is known to be there."""
PATIENT: Final = 2.0
"""Seconds that the slowest slaves need."""
SETTLE: Final = 0.05
"""Seconds of silence after a knock that stayed unanswered, and of what passes between two."""
SPARK: Final = 4
"""Bytes that are somebody's; fewer may be a spark on the wire."""
LOW: Final = 4
"""The highest YD/T address of the first round."""
AGAIN: Final = 3
"""Times in one round that bytes without an answer are followed up: a noisy line must not take the day."""
NOT_SERVED: Final = 4
"""RTN of a command or class that the device does not have; other codes may be about the form of INFO."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How the line is set: 8 data bits always."""

    baud: int = 9600
    parity: Parity = "none"
    stop_bits: int = 1

    def __str__(self) -> str:
        """Write it as engineers do: 9600 8N1."""
        return f"{self.baud} 8{self.parity[0].upper()}{self.stop_bits}"

    @property
    def char(self) -> float:
        """Seconds of one character: start bit, 8 data bits, parity if any, stop bits."""
        return (9 + (self.parity != "none") + self.stop_bits) / self.baud


@dataclass(frozen=True, slots=True)
class Step:
    """One question to one address, after `settle` seconds of silence; `knock` is the YD/T question it was made of."""

    setting: Setting
    protocol: Protocol
    address: int
    question: Question
    wait: float = QUICK
    knock: Knock | None = None
    settle: float = 0.0
    latency: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it takes where nobody answers."""
        return len(self.question.frame) * self.setting.char + self.wait + self.latency + SETTLE + self.settle

    @property
    def doing(self) -> str:
        """Who is asked what, in words."""
        who = f"Modbus {self.address}" if self.protocol == "modbus" else f"YD/T 1363 address {self.address}"
        return f"{self.setting}: {who}, {self.question.key}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a step brought: an answer or None, and how many bytes were heard in all."""

    answer: Answer | None = None
    octets: int = 0


@dataclass(slots=True)
class Found:
    """Somebody at an address: every answer by its question, and what they say once he is recognised.

    `wait` is how long his first byte is waited for, in seconds: longer for who was slow. Not `sure`: what he said could
    be another's as well.
    """

    setting: Setting
    protocol: Protocol
    address: int
    answers: dict[str, Answer] = field(default_factory=dict)
    knocks: dict[Knock, Frame] = field(default_factory=dict)
    definitions: tuple[str, ...] = ()
    identity: dict[str, str] = field(default_factory=dict)
    says: str = ""
    wait: float = KNOWN
    sure: bool = True


Steps = Generator[Step, Heard, None]
Recognise = Callable[[Found], Steps]
"""Asks somebody who was found what he is, and fills in `definitions`, `identity` and `says`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched: settings in order, Modbus units, YD/T addresses; `everywhere`: at every setting, whatever.

    `wait` is how long a knock waits for its first byte, `latency` what a network may add to that, in seconds. `shared`:
    another master speaks on the line, whose bytes are no sign of slow slaves.
    """

    settings: tuple[Setting, ...]
    units: tuple[int, ...] = UNITS
    addresses: tuple[int, ...] = ADDRESSES
    knocks: tuple[Knock, ...] = ()
    everywhere: bool = False
    wait: float = QUICK
    latency: float = 0.0
    shared: bool = False


def settings(bauds: Sequence[int] = BAUDS, parities: Sequence[Parity] = PARITIES) -> tuple[Setting, ...]:
    """Return the settings of these speeds and parities, the likely ones first."""
    ranked = [
        (b + 2 * p, p, Setting(baud, parity)) for b, baud in enumerate(bauds) for p, parity in enumerate(parities)
    ]
    return tuple(each for _, _, each in sorted(ranked, key=lambda row: row[:2]))


class Search:
    """One search under way: who was found so far, and how long it takes at most.

    `garbled` are bytes that make no answer, by whose question brought them, asked twice and with patience.
    """

    def __init__(self, wanted: Wanted, recognise: Recognise) -> None:
        self.wanted = wanted
        self.found: dict[tuple[Setting, Protocol, int], Found] = {}
        self.garbled: dict[tuple[Setting, Protocol, int], int] = {}
        self._recognise = recognise
        self._waiting = deque(wanted.settings)
        self._costs = {setting: _seconds(self._first_round(setting)) for setting in wanted.settings}
        self._thorough = [self._second_round(setting) for setting in wanted.settings[:1]]
        self._follow_ups = 0
        self._recent: deque[Step] = deque()
        self.at_most = self._later()

    def steps(self) -> Steps:
        """Yield what to ask next, until nothing is left; to be sent what was heard."""
        while self._waiting:
            setting = self._waiting.popleft()
            yield from self._round(self._first_round(setting))
            if self._answered(setting) and not self.wanted.everywhere:
                self._waiting.clear()
            elif self._hints(setting):
                self._prefer(setting.baud)
        self._thorough = [self._second_round(setting) for setting in self._likely()]
        while self._thorough:
            yield from self._round(self._thorough.pop(0))

    def _likely(self) -> tuple[Setting, ...]:
        """Return the settings that are searched to the end: those that answered, or else where somebody was heard."""
        answered = [each for each in self.wanted.settings if self._answered(each)]
        hinted = max(self.wanted.settings, key=self._hints)
        return tuple(answered or ((hinted,) if self._hints(hinted) else self.wanted.settings[:1]))

    def _hints(self, setting: Setting) -> int:
        """Return how many bytes were heard at a setting that make no answer."""
        return sum(octets for (at, _, _), octets in self.garbled.items() if at == setting)

    def _answered(self, setting: Setting) -> bool:
        return any(each.setting == setting for each in self.found.values())

    def _prefer(self, baud: int) -> None:
        """Bring the settings of a speed to the front: somebody was heard at it."""
        self._waiting = deque(sorted(self._waiting, key=lambda each: each.baud != baud))

    def _first_round(self, setting: Setting) -> list[Step]:
        first = {knock.cid1: knock for knock in reversed(self.wanted.knocks)}
        knocks = [knock for knock in self.wanted.knocks if first[knock.cid1] is knock]
        return [*self._modbus(setting, 3), *self._ydt(setting, self._low(setting), knocks)]

    def _second_round(self, setting: Setting) -> list[Step]:
        asked = {each.question.frame for each in self._first_round(setting)}
        steps = self._ydt(setting, self._ydt_addresses(setting), self.wanted.knocks)
        rest = {each.question.frame: each for each in steps if not self._somebody(each)}
        return [*self._modbus(setting, 4), *(each for frame, each in rest.items() if frame not in asked)]

    def _low(self, setting: Setting) -> Sequence[int]:
        addresses = self._ydt_addresses(setting)
        return [each for each in addresses if each <= LOW] or addresses[: LOW + 1]

    def _ydt_addresses(self, setting: Setting) -> tuple[int, ...]:
        """YD/T 1363 lines have no parity; where one was asked for by name, it is taken at its word."""
        usual = setting.parity == "none" or all(each.parity != "none" for each in self.wanted.settings)
        return self.wanted.addresses if usual else ()

    def _modbus(self, setting: Setting, function: int) -> Iterable[Step]:
        for unit in self.wanted.units:
            if (setting, "modbus", unit) not in self.found:
                question = unit_question(unit, function)
                yield Step(setting, "modbus", unit, question, self.wanted.wait, latency=self.wanted.latency)

    def _ydt(self, setting: Setting, addresses: Iterable[int], knocks: Iterable[Knock]) -> Iterable[Step]:
        for address in addresses:
            for knock in knocks:
                question, latency = knock.question(address), self.wanted.latency
                yield Step(setting, "ydt1363", address, question, self.wanted.wait, knock, latency=latency)

    def _somebody(self, step: Step) -> Found | None:
        return self.found.get((step.setting, step.protocol, step.address))

    def _round(self, steps: list[Step]) -> Steps:
        """Ask one after the other; whoever is found is recognised as soon as the questions to his address are over."""
        self._follow_ups = 0 if self.wanted.shared else AGAIN
        fresh: list[Found] = []
        recent = self._recent
        if recent and steps and recent[-1].setting != steps[0].setting:
            recent.clear()
        self.at_most = self._later() + _seconds(steps)
        for step in steps:
            if recent and (recent[-1].protocol, recent[-1].address) != (step.protocol, step.address):
                yield from self._recognised(fresh)
            if self._is_worth(step):
                yield from self._asked(step, recent, fresh)
            self.at_most -= step.seconds
            recent.append(step)
            while _seconds(recent) > PATIENT + step.seconds:
                recent.popleft()
        yield from self._recognised(fresh)

    def _is_worth(self, step: Step) -> bool:
        """Tell whether a question to somebody who is known is worth asking: by what he said to others of that class."""
        found, knock = self._somebody(step), step.knock
        if found is None or knock is None:
            return True
        told = {each: frame.code for each, frame in found.knocks.items() if each.cid1 == knock.cid1}
        codes = [code for each, code in told.items() if each.command == knock.command]
        return 0 not in told.values() and NOT_SERVED not in codes

    def _recognised(self, fresh: list[Found]) -> Steps:
        """Ask whoever is new what was not asked yet of the classes that he knows, and then who he is."""
        while fresh:
            found = fresh.pop(0)
            if found.protocol == "ydt1363":
                yield from self._asked_whole(found, fresh)
            yield from self._recognise(found)

    def _asked_whole(self, found: Found, fresh: list[Found]) -> Steps:
        """Ask the other forms of the classes that he answered to; every class where none was asked yet."""
        silent = found.knocks and {knock.cid1 for knock in self.wanted.knocks} - {each.cid1 for each in found.knocks}
        for step in self._ydt(found.setting, (found.address,), self.wanted.knocks):
            if step.knock in found.knocks or (silent and step.knock and step.knock.cid1 in silent):
                continue
            if self._is_worth(step):
                yield from self._asked(step, (), fresh)

    def _asked(self, step: Step, recent: Reversible[Step], fresh: list[Found]) -> Steps:
        """Ask once. Somebody else's answer is late: ask again. Bytes without one: ask the last few with patience."""
        if somebody := self._somebody(step):
            step = replace(step, wait=somebody.wait)
        heard = yield step
        if self._took(step, heard, fresh):
            return
        if heard.answer is not None:
            self._took(step, (yield replace(step, settle=SETTLE)), fresh)
        elif heard.octets >= SPARK and self._follow_ups:
            self._follow_ups -= 1
            for again in (step, *reversed(recent)):
                if again.question.key in self._answers_of(again):
                    continue
                patient = replace(again, wait=PATIENT, settle=PATIENT)
                heard = yield patient
                if self._took(patient, heard, fresh):
                    return
                if heard.octets >= SPARK:
                    self.garbled[again.setting, again.protocol, again.address] = heard.octets

    def _answers_of(self, step: Step) -> dict[str, Answer]:
        found = self._somebody(step)
        return found.answers if found else {}

    def _took(self, step: Step, heard: Heard, fresh: list[Found]) -> bool:
        """Note an answer with the address that it names; tell whether it was the one asked for."""
        answer = heard.answer
        if answer is None:
            return False
        address = _address(answer, step)
        key = (step.setting, step.protocol, address)
        if key not in self.found:
            self.found[key] = Found(*key)
            fresh.append(self.found[key])
        if step.wait == PATIENT or address != step.address:
            self.found[key].wait = PATIENT
        if address != step.address:
            return False
        self.found[key].answers[step.question.key] = answer
        if isinstance(answer, Frame) and step.knock is not None:
            self.found[key].knocks[step.knock] = answer
        return True

    def _later(self) -> float:
        """Return the seconds that take at most the settings which wait, and the thorough rounds after them."""
        return sum(self._costs[setting] for setting in self._waiting) + sum(map(_seconds, self._thorough))


def _seconds(steps: Iterable[Step]) -> float:
    return sum(step.seconds for step in steps)


def _address(answer: Answer, step: Step) -> int:
    """Return whose answer it is; who says what he is was found by the address that was asked."""
    if isinstance(answer, Identity):
        return step.address
    return answer.adr if isinstance(answer, Frame) else answer.unit

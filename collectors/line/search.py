"""A search for what hangs on a line: which question at which speed next, and what the answers say. No I/O, no clock.

`Search.steps` is a generator: it yields a Step (a question, the setting to ask it at, how long to wait) and is sent
what was Heard. So it can be driven by a line, or by a test in no time.

The order is what makes a search short. Each setting costs a round of knocks, most of which stay unanswered and cost
their whole wait; so the likely settings come first, and the first that brings an answer ends the search for others:

    9600 8N1, 19200 8N1, 4800 8N1, 9600 8E1, ...      rank = place of the speed + 2 * place of the parity
    a round: every Modbus unit (one register), the low YD/T addresses (the analog values of each known class)
    then, at the setting that answered: what is rarer (input registers, all YD/T addresses)

A knock waits 0.2 s only. Who is slower answers into the next knock: bytes that make no answer. They are the sign to be
still for a while and to ask the last two once more, with patience. Bytes of a device with another parity are heard the
same way, and bring the settings of that speed to the front.

Only reads are asked, and never states or alarms of YD/T 1363 (43H, 44H): reading those clears flags that another
master may wait for.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from collectors.line.question import Answer, Question
from wire.modbus import ReplyReader, Request
from wire.ydt1363 import LONGEST, READS, Frame, FrameReader
from wire.ydt1363 import Request as YdtRequest

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
AGAIN: Final = 12
"""Times in one round that bytes without an answer are followed up: a noisy line must not take the day."""
CLEARING: Final = frozenset({0x43, 0x44})
CLASSES: Final = (0x2A, 0x40, 0x41, 0x42, 0x43, 0x46, 0x4A, 0x60, 0x80, 0xD0)
"""The usual classes of device (CID1); those that no definition reads are asked for their address (50H)."""


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
class Knock:
    """A YD/T question that any device of a class may be asked: `info` is hexadecimal text in which ADR may stand."""

    ver: int
    cid1: int
    command: int
    info: str = ""

    def __post_init__(self) -> None:
        if self.command in CLEARING or self.command not in READS:
            raise ValueError(f"{self.command:02X}H is not asked by a search: it writes, or clears what others wait for")


@dataclass(frozen=True, slots=True)
class Step:
    """One question to one address. `knock` is the YD/T question it was made of; `doing` says it in words."""

    setting: Setting
    protocol: Protocol
    address: int
    question: Question
    wait: float = QUICK
    knock: Knock | None = None
    settle: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it takes where nobody answers."""
        return len(self.question.frame) * self.setting.char + self.wait + SETTLE + self.settle

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

    `wait` is how long his first byte is waited for, in seconds: longer for who was slow.
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


Steps = Generator[Step, Heard, None]
Recognise = Callable[[Found], Steps]
"""Asks somebody who was found what he is, and fills in `definitions`, `identity` and `says`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched: settings in order, Modbus units, YD/T addresses; `everywhere`: at every setting, whatever."""

    settings: tuple[Setting, ...]
    units: tuple[int, ...] = UNITS
    addresses: tuple[int, ...] = ADDRESSES
    knocks: tuple[Knock, ...] = ()
    everywhere: bool = False
    wait: float = QUICK


def settings(bauds: Sequence[int] = BAUDS, parities: Sequence[Parity] = PARITIES) -> tuple[Setting, ...]:
    """Return the settings of these speeds and parities, the likely ones first."""
    ranked = [
        (b + 2 * p, p, Setting(baud, parity)) for b, baud in enumerate(bauds) for p, parity in enumerate(parities)
    ]
    return tuple(each for _, _, each in sorted(ranked, key=lambda row: row[:2]))


class Search:
    """One search under way: what was found so far, what is done now, how long it takes at most."""

    def __init__(self, wanted: Wanted, recognise: Recognise) -> None:
        self.wanted = wanted
        self.found: dict[tuple[Setting, Protocol, int], Found] = {}
        self.hints: dict[Setting, int] = {}
        self._recognise = recognise
        self._waiting = deque(wanted.settings)
        self._thorough = [self._second_round(setting) for setting in wanted.settings[:1]]
        self._follow_ups = 0
        self.at_most = self._later()

    def steps(self) -> Steps:
        """Yield what to ask next, until nothing is left; to be sent what was heard."""
        while self._waiting:
            setting = self._waiting.popleft()
            yield from self._round(self._first_round(setting))
            if self._answered(setting) and not self.wanted.everywhere:
                self._waiting.clear()
            elif self.hints.get(setting):
                self._prefer(setting.baud)
        self._thorough = [self._second_round(setting) for setting in self._likely()]
        while self._thorough:
            yield from self._round(self._thorough.pop(0))

    def _likely(self) -> tuple[Setting, ...]:
        """Return the settings that are searched to the end: those that answered, or else where somebody was heard."""
        answered = [each for each in self.wanted.settings if self._answered(each)]
        hinted = sorted(self.hints, key=lambda each: -self.hints[each])
        return tuple(answered or hinted[:1] or self.wanted.settings[:1])

    def _answered(self, setting: Setting) -> bool:
        return any(each.setting == setting for each in self.found.values())

    def _prefer(self, baud: int) -> None:
        """Bring the settings of a speed to the front: somebody was heard at it."""
        self._waiting = deque(sorted(self._waiting, key=lambda each: each.baud != baud))

    def _first_round(self, setting: Setting) -> list[Step]:
        low = [each for each in self._ydt_addresses(setting) if each <= LOW]
        return [*self._modbus(setting, 3), *self._ydt(setting, low or self._ydt_addresses(setting)[: LOW + 1])]

    def _second_round(self, setting: Setting) -> list[Step]:
        first = {each.address for each in self._first_round(setting) if each.protocol == "ydt1363"}
        rest = [each for each in self._ydt_addresses(setting) if each not in first]
        return [*self._modbus(setting, 4), *self._ydt(setting, rest)]

    def _ydt_addresses(self, setting: Setting) -> tuple[int, ...]:
        """YD/T 1363 lines have no parity; where one was asked for by name, it is taken at its word."""
        usual = setting.parity == "none" or all(each.parity != "none" for each in self.wanted.settings)
        return self.wanted.addresses if usual else ()

    def _modbus(self, setting: Setting, function: int) -> Iterable[Step]:
        for unit in self.wanted.units:
            if (setting, "modbus", unit) not in self.found:
                yield Step(setting, "modbus", unit, register_question(unit, function, 0), self.wanted.wait)

    def _ydt(self, setting: Setting, addresses: Iterable[int]) -> Iterable[Step]:
        for address in addresses:
            for knock in self.wanted.knocks:
                yield Step(setting, "ydt1363", address, knock_question(knock, address), self.wanted.wait, knock)

    def _round(self, steps: list[Step]) -> Steps:
        """Ask one after the other; whoever is found is recognised as soon as all of his questions were asked."""
        self._follow_ups = AGAIN
        fresh: list[Found] = []
        before: Step | None = None
        self.at_most = self._later() + sum(step.seconds for step in steps)
        for step in steps:
            if before is not None and (before.protocol, before.address) != (step.protocol, step.address):
                yield from self._recognised(fresh)
            yield from self._asked(step, before, fresh)
            self.at_most -= step.seconds
            before = step
        yield from self._recognised(fresh)

    def _recognised(self, fresh: list[Found]) -> Steps:
        while fresh:
            yield from self._recognise(fresh.pop(0))

    def _asked(self, step: Step, before: Step | None, fresh: list[Found]) -> Steps:
        """Ask once; where bytes come that make no answer, ask the last two again, with patience."""
        if somebody := self.found.get((step.setting, step.protocol, step.address)):
            step = replace(step, wait=somebody.wait)
        heard = yield step
        if self._took(step, heard, fresh) or heard.octets < SPARK or not self._follow_ups:
            return
        self._follow_ups -= 1
        for again in (before, step):
            if again is not None and again.question.key not in self._answers_of(again):
                heard = yield replace(again, wait=PATIENT, settle=PATIENT)
                if not self._took(again, heard, fresh) and heard.octets >= SPARK:
                    self.hints[step.setting] = self.hints.get(step.setting, 0) + heard.octets

    def _answers_of(self, step: Step) -> dict[str, Answer]:
        found = self.found.get((step.setting, step.protocol, step.address))
        return found.answers if found else {}

    def _took(self, step: Step, heard: Heard, fresh: list[Found]) -> bool:
        """Note an answer with the address that it names; tell whether it was the one asked for."""
        answer = heard.answer
        if answer is None:
            return False
        address = answer.adr if isinstance(answer, Frame) else answer.unit
        key = (step.setting, step.protocol, address)
        if key not in self.found:
            self.found[key] = Found(*key)
            fresh.append(self.found[key])
        if step.wait == PATIENT:
            self.found[key].wait = PATIENT
        if address != step.address:
            return False
        self.found[key].answers[step.question.key] = answer
        if isinstance(answer, Frame) and step.knock is not None:
            self.found[key].knocks[step.knock] = answer
        return True

    def _later(self) -> float:
        """Return the seconds that take at most the settings which wait, and the thorough rounds after them."""
        rounds = [*(self._first_round(setting) for setting in self._waiting), *self._thorough]
        return sum(step.seconds for steps in rounds for step in steps)


def register_question(unit: int, function: int, register: int, count: int = 1) -> Question:
    """Return the question for registers or bits of one unit."""
    request = Request(unit, function, register, count)
    key = f"function {function}, {count} from {register}"
    return Question(key, request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5)


def knock_question(knock: Knock, address: int) -> Question:
    """Return a YD/T question to an address, with a reader that takes any address's answer: it names its own."""
    info = bytes.fromhex(knock.info.replace("ADR", f"{address:02X}"))
    request = YdtRequest(knock.ver, address, knock.cid1, knock.command, info)
    key = f"class {knock.cid1:02X}H, {READS[knock.command]} ({knock.command:02X}H{', ' * bool(info)}{info.hex()})"
    return Question(key, request.encode(), AnyAnswer, LONGEST)


class AnyAnswer:
    """Finds the first YD/T answer of whomever: a frame whose code is a return code, not a command."""

    def __init__(self) -> None:
        self._frames = FrameReader()

    @property
    def mismatches(self) -> int:
        """Lines from SOI to EOI that were no frame."""
        return self._frames.errors

    @property
    def skipped(self) -> int:
        """Bytes outside of any frame."""
        return self._frames.skipped

    def feed(self, octets: bytes) -> Frame | None:
        """Take bytes; return the answer as soon as its EOI is here, or None."""
        return next((frame for frame in self._frames.feed(octets) if not 0x40 <= frame.code < 0x80), None)

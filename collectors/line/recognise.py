"""What somebody on a line is: asked of him with a few reads, and told by the definitions that fit. No I/O.

Modbus: what he says of himself (function 43/14), then the probes of each definition's `identify`, each number asked
once. A definition fits when all of its probes hold; of several, the one with most probes is the best.

YD/T 1363: the search has asked the analog values of every class already. A definition fits by the reads whose answers
its layouts walk to the end. One address may be several devices: of the definitions that fit, those are taken that cover
the classes, the ones that are answered in full first, then the ones that cover most. His maker (51H) is asked besides.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from collectors.line.definition import ModbusDefinition, YdtDefinition
from collectors.line.identity import identity_question, makers_texts, objects
from collectors.line.modbus_definition import Place, Probe
from collectors.line.question import Answer, Question
from collectors.line.search import CLASSES, Found, Heard, Knock, Step, Steps, knock_question, register_question
from collectors.line.walk import walked
from collectors.line.ydt_definition import YdtRead
from wire.modbus import Refusal, Reply
from wire.ydt1363 import Frame, YdtError, rtn_name

ANALOG: Final = frozenset({0x41, 0x42})
ADDRESS, MAKER = 0x50, 0x51
VER: Final = 0x21
"""The version of questions that no definition asks."""
WAIT: Final = 0.5
"""Seconds for somebody who is known to be there."""
SILENT: Final = 3
"""Questions of one function without an answer, after which it is not asked for any more."""
MANY: Final = 4
"""Definitions named besides the best one."""

Asking = Generator[Step, Heard, bool]


@dataclass(frozen=True)
class Shelf:
    """The definitions that somebody may fit, by name."""

    modbus: Mapping[str, ModbusDefinition]
    ydt: Mapping[str, YdtDefinition]

    def knocks(self) -> tuple[Knock, ...]:
        """Return each different analog question of the definitions, and the address question of other classes."""
        asked = dict.fromkeys(knock_of(each, read) for each in self.ydt.values() for read in analog(each))
        known = {knock.cid1 for knock in asked}
        classes = dict.fromkeys((*CLASSES, *(read.cid1 for each in self.ydt.values() for read in each.reads)))
        return (*asked, *(Knock(VER, cid1, ADDRESS) for cid1 in classes if cid1 not in known))

    def recognise(self, found: Found) -> Steps:
        """Ask what is to be asked, and fill in who it is."""
        if found.protocol == "modbus":
            yield from _Modbus(self.modbus, found).steps()
        else:
            yield from _ydt(self.ydt, found)


def analog(definition: YdtDefinition) -> Iterator[YdtRead]:
    """Return the reads that clear nothing: of analog values."""
    return (read for read in definition.reads if read.command in ANALOG)


def knock_of(definition: YdtDefinition, read: YdtRead) -> Knock:
    """Return the question of one read, for any address."""
    return Knock(definition.ver, read.cid1, read.command, read.info)


class _Modbus:
    """One Modbus unit that is being recognised."""

    def __init__(self, definitions: Mapping[str, ModbusDefinition], found: Found) -> None:
        self._definitions = definitions
        self._found = found
        self._asked: dict[str, Answer | None] = {}
        self._silent: dict[int, int] = {}

    def steps(self) -> Steps:
        """Ask who it is, then what the definitions probe."""
        found = self._found
        self._asked |= found.answers
        said = yield from self._answer(43, identity_question(found.address))
        found.identity = objects(said)
        fits = []
        for name, definition in self._definitions.items():
            if definition.identify and (yield from self._holds(definition)):
                fits.append(name)
        fits.sort(key=lambda name: -len(self._definitions[name].identify))
        found.definitions = tuple(fits[:1])
        found.says = "; ".join((*self._said(), *_besides(fits[1:])))

    def _holds(self, definition: ModbusDefinition) -> Asking:
        for probe in sorted(definition.identify, key=lambda each: each.device_id is None):
            if not (yield from self._fits(probe)):
                return False
        return True

    def _fits(self, probe: Probe) -> Asking:
        if probe.device_id is not None:
            identity = self._found.identity
            return bool(identity) and probe.device_id.holds(identity.get("vendor", ""), identity.get("product", ""))
        place = probe.place
        function = place.function or 3
        question = register_question(self._found.address, function, place.register, place.width)
        answer = yield from self._answer(function, question)
        return isinstance(answer, Reply) and probe.holds(_words(place, answer))

    def _answer(self, function: int, question: Question) -> Generator[Step, Heard, Answer | None]:
        """Ask what was not asked yet; give up a function that stays unanswered."""
        found = self._found
        if question.key not in self._asked and self._silent.get(function, 0) < SILENT:
            heard = yield Step(found.setting, "modbus", found.address, question, WAIT)
            self._asked[question.key] = heard.answer
            self._silent[function] = 0 if heard.answer else self._silent.get(function, 0) + 1
        return self._asked.get(question.key)

    def _said(self) -> Iterable[str]:
        """Say who it is, or what it answered at all."""
        called = " ".join(filter(None, map(self._found.identity.get, ("vendor", "product", "revision"))))
        if called:
            return (called,)
        answers = ((key, answer) for key, answer in self._found.answers.items() if key.startswith("function"))
        return (f"{key}: {_told(answer)}" for key, answer in list(answers)[:1])


def _words(place: Place, reply: Reply) -> tuple[int, ...]:
    return tuple(map(int, reply.bits))[:1] if place.function in {1, 2} else reply.registers


def _told(answer: Answer) -> str:
    if isinstance(answer, Refusal):
        return answer.reason
    return f"answered {answer.octets.hex()}" if isinstance(answer, Reply) else "answered"


def _besides(names: list[str]) -> Iterable[str]:
    return (f"fits also {', '.join(names[:MANY])}",) if names else ()


def _ydt(definitions: Mapping[str, YdtDefinition], found: Found) -> Steps:
    """Ask the maker of every class that answered, and choose the definitions that cover them."""
    answered = dict.fromkeys(knock.cid1 for knock, frame in found.knocks.items() if not frame.code)
    for cid1 in answered:
        ver = next(knock.ver for knock in found.knocks if knock.cid1 == cid1)
        question = knock_question(Knock(ver, cid1, MAKER), found.address)
        heard = yield Step(found.setting, "ydt1363", found.address, question, WAIT)
        answer = heard.answer
        if isinstance(answer, Frame) and not answer.code and (answer.adr, answer.cid1) == (found.address, cid1):
            found.identity |= {key: text for key, text in makers_texts(answer.info).items() if text}
    fits = _fits(definitions, found)
    chosen: list[str] = []
    while best := max(fits, key=lambda name: _worth(definitions[name], fits[name], chosen, fits), default=None):
        if not fits[best] - {cid1 for name in chosen for cid1 in fits[name]}:
            break
        chosen.append(best)
    found.definitions = tuple(chosen)
    found.says = "; ".join((*_classes(found), *_besides([name for name in fits if name not in chosen])))


def _worth(
    definition: YdtDefinition, fits: set[int], chosen: list[str], all_fits: Mapping[str, set[int]]
) -> tuple[int, bool, int]:
    """Rank a definition by the classes that it adds; in full before in part."""
    fresh = fits - {cid1 for name in chosen for cid1 in all_fits[name]}
    whole = {read.cid1 for read in analog(definition)} == fits
    return (bool(fresh), whole, len(fresh))


def _fits(definitions: Mapping[str, YdtDefinition], found: Found) -> dict[str, set[int]]:
    """Return the definitions whose layouts walk what was answered, each with the classes that it reads."""
    fits: dict[str, set[int]] = {}
    for name, definition in definitions.items():
        answers = [(read, found.knocks.get(knock_of(definition, read))) for read in analog(definition)]
        given = [(read, frame) for read, frame in answers if frame is not None and not frame.code]
        if given and all(_walks(read, frame) for read, frame in given):
            fits[name] = {read.cid1 for read, _ in given}
    return fits


def _walks(read: YdtRead, frame: Frame) -> bool:
    try:
        walked(read, frame.info)
    except YdtError:
        return False
    return True


def _classes(found: Found) -> Iterator[str]:
    """Say who made it, which classes answered, and what was refused."""
    if called := " ".join(filter(None, map(found.identity.get, ("maker", "name")))):
        yield called
    good = dict.fromkeys(f"{knock.cid1:02X}H" for knock, frame in found.knocks.items() if not frame.code)
    bad = {f"{k.cid1:02X}H": f.code for k, f in found.knocks.items() if f.code and f"{k.cid1:02X}H" not in good}
    if good:
        yield f"class{'es' * (len(good) > 1)} {', '.join(good)}"
    elif bad:
        yield f"refuses {', '.join(f'{cid1} ({rtn_name(code)})' for cid1, code in list(bad.items())[:MANY])}"

"""What somebody on a line is: asked of him with a few reads, and told by the definitions that fit. No I/O.

Modbus: what he says of himself (function 43/14), then the probes of each definition's `identify`, each number asked
once. A definition fits when all of its probes hold; of several, the one whose probes tell most (`evidence`) is taken.

YD/T 1363: the search has asked the analog values of every class already. A definition fits by the reads whose answers
its layouts walk to the end. One address may be several devices: of the definitions that fit, those are taken that cover
the classes, the ones that are answered in full first, then the ones that cover most. His maker (51H) is asked besides.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from collectors.line.definition import ModbusDefinition, YdtDefinition
from collectors.line.evidence import evidence, is_sure
from collectors.line.identity import identity_question, makers_texts, objects
from collectors.line.knock import Knock, register_question
from collectors.line.modbus_definition import Place, Probe
from collectors.line.question import Answer, Question
from collectors.line.search import SETTLE, Found, Heard, Step, Steps
from collectors.line.walk import walked
from collectors.line.ydt_definition import YdtRead
from wire.modbus import Refusal, Reply
from wire.ydt1363 import Frame, YdtError, rtn_name

CLASSES: Final = (0x2A, 0x40, 0x41, 0x42, 0x43, 0x46, 0x4A, 0x60, 0x80, 0xD0)
"""The usual classes of device (CID1); those that no definition reads are asked for their address (50H)."""
ANALOG: Final = frozenset({0x41, 0x42})
ADDRESS, MAKER = 0x50, 0x51
VER: Final = 0x21
"""The version of questions that no definition asks."""
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
        reads = [(each, read) for each in self.ydt.values() for read in analog(each)]
        asked = dict.fromkeys(knock for each, read in reads for knock in knocks_of(each, read))
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
    return (read for read in definition.reads if read.asked and read.command in ANALOG)


def knocks_of(definition: YdtDefinition, read: YdtRead) -> tuple[Knock, ...]:
    """Return the question of one read in each of its forms, for any address."""
    return tuple(Knock(definition.ver, read.cid1, read.command, info) for info in read.infos)


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
        fits.sort(key=lambda name: -evidence(self._definitions[name]))
        sure = [name for name in fits[:1] if is_sure(self._definitions[name])]
        # Who says his name is not taken for another by a few numbers.
        found.definitions = tuple(sure if found.identity else fits[:1])
        found.sure = len(sure) == len(found.definitions)
        found.says = "; ".join((*self._said(), *_besides([name for name in fits if name not in found.definitions])))

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
            heard = yield from _twice(Step(found.setting, "modbus", found.address, question, found.wait))
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


def _twice(step: Step) -> Generator[Step, Heard, Heard]:
    """Ask; where bytes came that make no answer, once more: one garbled answer must not make him somebody else."""
    heard = yield step
    if heard.answer is None and heard.octets:
        heard = yield replace(step, settle=SETTLE)
    return heard


def _ydt(definitions: Mapping[str, YdtDefinition], found: Found) -> Steps:
    """Ask the maker of every class that answered, and choose the definitions that cover them."""
    answered = dict.fromkeys(knock.cid1 for knock, frame in found.knocks.items() if not frame.code)
    texts: dict[int, dict[str, str]] = {}
    for cid1 in answered:
        ver = next(knock.ver for knock in found.knocks if knock.cid1 == cid1)
        question = Knock(ver, cid1, MAKER).question(found.address)
        heard = yield from _twice(Step(found.setting, "ydt1363", found.address, question, found.wait))
        answer = heard.answer
        if isinstance(answer, Frame) and not answer.code and (answer.adr, answer.cid1) == (found.address, cid1):
            texts[cid1] = {key: text for key, text in makers_texts(answer.info).items() if text}
            found.identity |= texts[cid1]
    fits = {name: _fit(definition, found, texts) for name, definition in definitions.items()}
    chosen = _chosen({name: fit for name, fit in fits.items() if fit.classes})
    covered = {name: fits[name].classes for name in chosen}
    found.definitions = tuple(chosen)
    alike = [name for name, fit in fits.items() if name not in covered and fit.classes in covered.values()]
    found.says = "; ".join((*_classes(found), *_besides(alike)))


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a definition fits: the classes that it reads here, and how well.

    `named`: 1 when 51H names the device that it is for, 0 when it is for any, -1 when nothing says that it is this one.
    `whole`: every one of its reads is answered.
    """

    classes: frozenset[int] = frozenset()
    named: int = 0
    whole: bool = False
    generic: bool = True

    @property
    def rank(self) -> tuple[int, bool, int, bool]:
        """What is better is more."""
        return (self.named, self.whole, len(self.classes), self.generic)


def _chosen(fits: Mapping[str, _Fit]) -> list[str]:
    """Return the definitions that cover every class once, the best first."""
    chosen, covered = list[str](), set[int]()
    while True:
        fresh = {name: fit for name, fit in fits.items() if not fit.classes & covered}
        if not fresh:
            return chosen
        best = max(fresh, key=lambda name: fresh[name].rank)
        chosen.append(best)
        covered |= fits[best].classes


def _fit(definition: YdtDefinition, found: Found, texts: Mapping[int, Mapping[str, str]]) -> _Fit:
    """Return what of a definition was answered; nothing where one of its layouts does not walk an answer."""
    classes, missing = set[int](), False
    for read in analog(definition):
        frames = [found.knocks.get(knock) for knock in knocks_of(definition, read)]
        given = [frame for frame in frames if frame is not None and not frame.code]
        if given and not any(_walks(read, frame) for frame in given):
            return _Fit()
        missing |= not given
        classes |= {read.cid1} if given else set()
    named = _is_named(definition, texts)
    return _Fit() if named is None else _Fit(frozenset(classes), named, not missing, not definition.maker)


def _is_named(definition: YdtDefinition, texts: Mapping[int, Mapping[str, str]]) -> int | None:
    """Return `named` of a fit; None where 51H names another device than the definition's."""
    demands = [each for each in definition.identify if each.maker or each.name]
    told = [each for each in demands if each.cid1 in texts]
    if not told:
        return -1 if demands else 0
    return 1 if any(each.matches(each.cid1, **_named(texts[each.cid1])) for each in told) else None


def _named(texts: Mapping[str, str]) -> dict[str, str]:
    return {"name": texts.get("name", ""), "maker": texts.get("maker", "")}


def _walks(read: YdtRead, frame: Frame) -> bool:
    try:
        walked(read, frame.info, frame.ver)
    except YdtError:
        return False
    return True


def _classes(found: Found) -> Iterator[str]:
    """Say who made it, which classes answered, or else what was refused."""
    if called := " ".join(filter(None, map(found.identity.get, ("maker", "name", "says")))):
        yield called
    good = dict.fromkeys(f"{knock.cid1:02X}H" for knock, frame in found.knocks.items() if not frame.code)
    bad = {f"{knock.cid1:02X}H": frame.code for knock, frame in found.knocks.items() if frame.code}
    if good:
        yield f"class{'es' * (len(good) > 1)} {', '.join(good)}"
    elif bad:
        yield f"refuses {', '.join(f'{cid1} ({rtn_name(code)})' for cid1, code in list(bad.items())[:MANY])}"

"""A YD/T 1363 slave: which class and command to ask for, and the walk over the answer's INFO."""

from collections.abc import Iterator, Mapping

from collectors.line.dataflag import Steering
from collectors.line.question import Answer, Points, Question, RefusedError, Values
from collectors.line.walk import Walked, Walks
from collectors.line.ydt_definition import Meaning, Step, YdtDefinition, YdtRead
from model.point import Point
from wire.ydt1363 import LONGEST, AnswerReader, Frame, Request, YdtError, rtn_name

NEVER = frozenset({0x01, 0x04, 0x05, 0x06})
"""Return codes that come again however often one asks."""
WRONG_VERSION = 0x01
NOT_SERVED = 0x04
MALFORMED = frozenset({0x05, 0x06})
"""Return codes of a device that wants the request's INFO in another form."""


class YdtSlave:
    """One YD/T 1363 device at one address; the counts of its modules, fuses and so on are learnt from its answers.

    What the device says it does not monitor is no point of it, until it has had a value; then it is a missing one.
    """

    def __init__(
        self, device: str, definition: YdtDefinition, address: int, *, shared: bool = False, read_flags: bool = False
    ) -> None:
        """Make it; on a `shared` pair states and alarms are read only with `read_flags`, and then in every poll."""
        self.device = device
        self._definition = definition
        self._address = address
        self._vers = (definition.ver, *definition.other_vers)
        asked = [read for read in definition.reads if read.asked and (read_flags or not (shared and read.clears_flags))]
        self._steering = Steering(asked, steered=not shared and definition.dataflag == "reliable")
        self._reads = {read.name: read for read in asked}
        self._walks = {read.name: Walks(read) for read in asked}
        self._tries = dict.fromkeys(self._reads, 0)
        self._points = Points(device)
        self._found: dict[tuple[int, tuple[str, ...]], Point] = {}
        self._had: set[Point] = set()
        self._unmonitored: set[Point] = set()
        self._foreseen: dict[str, set[Point]] = {}
        self._questions = {read.name: self._question(read) for read in asked}
        for read in (each for each in asked if not each.optional):
            self._foreseen[read.name] = set(self._foresee(read, read.layouts[0].walk, {}))

    @property
    def is_fixed(self) -> bool:
        """False: DATAFLAG decides about alarms and states."""
        return False

    def begin(self, now: float, *, whole: bool) -> None:
        """Begin a poll (`dataflag`)."""
        self._steering.begin(now, whole=whole)

    def plan(self) -> list[Question]:
        """Return the reads that are due in this poll by what it has told so far: alarms first."""
        return [self._questions[name] for name in self._steering.plan() if name in self._questions]

    def unchanged(self) -> Mapping[str, str]:
        """Return the reads that this poll need not ask, by DATAFLAG, and by whose."""
        return self._steering.unchanged()

    def take(self, question: Question, answer: Answer) -> Values:
        """Return the values in an answer, by the layout that fits it (`walk.walked`)."""
        assert isinstance(answer, Frame)  # noqa: S101  # our own reader gives nothing else
        read = self._reads[question.key]
        self._steering.refused(read.name)  # until it is answered with values, further down
        if answer.code == WRONG_VERSION and self._other_version():
            raise RefusedError(f"{question.key}: {rtn_name(answer.code)}; asked otherwise from now on", permanent=False)
        if answer.code in MALFORMED and self._other_form(read):
            raise RefusedError(f"{question.key}: {rtn_name(answer.code)}; asked otherwise from now on", permanent=False)
        if answer.code == NOT_SERVED and read.optional:
            self._questions.pop(read.name, None)
            return {}
        if answer.code:
            raise RefusedError(f"{question.key}: {rtn_name(answer.code)}", permanent=answer.code in NEVER)
        try:
            found = self._walks[read.name].walked(answer.info, answer.ver)
        except YdtError as error:
            raise RefusedError(f"{question.key}: {error}", permanent=False) from None
        self._steering.answered(read.name, found.flag)
        return self._values(read, found)

    def points(self) -> list[Point]:
        """Return every point known so far, without those that are not monitored."""
        return [point for point in self._points.all() if point not in self._unmonitored]

    def _question(self, read: YdtRead) -> Question:
        info = read.infos[self._tries[read.name]].replace("ADR", f"{self._address:02X}")
        request = Request(self._vers[0], self._address, read.cid1, read.command, bytes.fromhex(info))
        return Question(read.name, request.encode(), lambda: AnswerReader(request), LONGEST, self._address)

    def _other_version(self) -> bool:
        """Ask with the next VER from now on; False when every one was refused, and the first is back."""
        self._vers = (*self._vers[1:], self._vers[0])
        self._questions = {name: self._question(self._reads[name]) for name in self._questions}
        return self._vers[0] != self._definition.ver

    def _other_form(self, read: YdtRead) -> bool:
        """Ask with the next form of INFO from now on; False when every form was refused, and the first is back."""
        self._tries[read.name] = (self._tries[read.name] + 1) % len(read.infos)
        self._questions[read.name] = self._question(read)
        return self._tries[read.name] > 0

    def _foresee(self, read: YdtRead, walk: tuple[Step, ...], index: dict[str, str]) -> Iterator[Point]:
        """Make the points that every answer has: what stands in no counted group, or in the first of a plain one."""
        for step in walk:
            if step.quantity is not None:
                yield self._point(read, step, {**index, **step.index})
            elif step.take == "group" and step.indexed_from == 2:
                yield from self._foresee(read, step.walk, index)

    def _values(self, read: YdtRead, found: Walked) -> Values:
        values: dict[Point, float | str | None] = {}
        for each in found.readings:
            key = id(each.meaning), tuple(each.index.values())
            point = self._found.get(key)
            if point is None:
                point = self._found[key] = self._point(read, each.meaning, each.index)
            if values.get(point) is None:  # the same may stand twice, once where it does not fit
                values[point] = each.value
            if each.doubtful:  # a dead sensor is missing, not "not monitored"
                self._had.add(point)
        self._had |= {point for point, value in values.items() if value is not None}
        missing = values.keys() | self._foreseen.pop(read.name, set())
        self._unmonitored = (self._unmonitored | missing) - self._had
        return {point: value for point, value in values.items() if point in self._had}

    def _point(self, read: YdtRead, meaning: Meaning, index: dict[str, str]) -> Point:
        assert meaning.quantity is not None  # noqa: S101  # only readings come here
        return self._points.at(
            meaning.quantity,
            index,
            label=meaning.label,
            source=f"{read.cid1:02X}H/{read.command:02X}H",
            states=meaning.named_states(),
            preferred=meaning.preferred,
        )

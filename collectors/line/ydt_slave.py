"""A YD/T 1363 slave: which class and command to ask for, and the walk over the answer's INFO."""

from collectors.line.question import Answer, Points, Question, RefusedError, Values
from collectors.line.walk import Walked, walked
from collectors.line.ydt_definition import Step, YdtDefinition, YdtRead
from model.point import Point
from wire.ydt1363 import LONGEST, AnswerReader, Frame, Request, YdtError, rtn_name

NEVER = frozenset({0x01, 0x04, 0x05, 0x06})
"""Return codes that come again however often one asks."""


class YdtSlave:
    """One YD/T 1363 device at one address; the counts of its modules, fuses and so on are learnt from its answers.

    What the device says it does not monitor is no point of it, until it has had a value; then it is a missing one.
    """

    def __init__(self, device: str, definition: YdtDefinition, address: int) -> None:
        self.device = device
        self._reads = {read.name: read for read in definition.reads}
        self._points = Points(device)
        self._had: set[Point] = set()
        self._unmonitored: set[Point] = set()
        self._planned = [self._question(definition, read, address) for read in definition.reads]
        for read in definition.reads:
            self._foresee(read, read.layouts[0].walk, {})

    def plan(self) -> list[Question]:
        """Return the reads of one poll, in the definition's order."""
        return self._planned

    def take(self, question: Question, answer: Answer) -> Values:
        """Return the values in an answer, by the layout that fits it (`walk.walked`)."""
        assert isinstance(answer, Frame)  # noqa: S101  # our own reader gives nothing else
        if answer.code:
            raise RefusedError(f"{question.key}: {rtn_name(answer.code)}", permanent=answer.code in NEVER)
        read = self._reads[question.key]
        try:
            found = walked(read, answer.info)
        except YdtError as error:
            raise RefusedError(f"{question.key}: {error}", permanent=False) from None
        return self._values(read, found)

    def points(self) -> list[Point]:
        """Return every point known so far, without those that are not monitored."""
        return [point for point in self._points.all() if point not in self._unmonitored]

    @staticmethod
    def _question(definition: YdtDefinition, read: YdtRead, address: int) -> Question:
        info = bytes.fromhex(read.info.replace("ADR", f"{address:02X}"))
        request = Request(definition.ver, address, read.cid1, read.command, info)
        return Question(read.name, request.encode(), lambda: AnswerReader(request), LONGEST)

    def _foresee(self, read: YdtRead, walk: tuple[Step, ...], index: dict[str, str]) -> None:
        """Make the points that every answer has: what stands in no counted group, or in the first of a plain one."""
        for step in walk:
            if step.quantity is not None:
                self._point(read, step, index)
            elif step.take == "group" and step.indexed_from == 2:
                self._foresee(read, step.walk, index)

    def _values(self, read: YdtRead, found: Walked) -> Values:
        values = {
            self._point(read, field.step, field.index): field.value
            for field in found.fields
            if field.step.quantity is not None
        }
        self._had |= {point for point, value in values.items() if value is not None}
        self._unmonitored = (self._unmonitored | values.keys()) - self._had
        return {point: value for point, value in values.items() if point in self._had}

    def _point(self, read: YdtRead, step: Step, index: dict[str, str]) -> Point:
        assert step.quantity is not None  # noqa: S101  # only steps with a quantity come here
        return self._points.at(
            step.quantity,
            {**index, **step.index},
            label=step.label,
            source=f"{read.cid1:02X}H/{read.command:02X}H",
            states=step.named_states(),
            preferred=step.preferred,
        )

"""A YD/T 1363 slave: which class and command to ask for, and the walk over the answer's INFO."""

from collectors.line.definition import Layout, Step, YdtDefinition, YdtRead
from collectors.line.question import Answer, Points, Question, RefusedError, Values
from model.point import Point
from wire.ydt1363 import LONGEST, AnswerReader, Frame, Request, YdtError, rtn_name
from wire.ydt1363_info import Walk

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
        """Return the values in an answer, by the first layout that fits it exactly."""
        assert isinstance(answer, Frame)  # noqa: S101  # our own reader gives nothing else
        if answer.code:
            raise RefusedError(f"{question.key}: {rtn_name(answer.code)}", permanent=answer.code in NEVER)
        read, why = self._reads[question.key], []
        for layout in read.layouts:
            try:
                return self._walked(read, layout, answer.info)
            except YdtError as error:
                why.append(f"{layout.name}: {error}")
        raise RefusedError(f"{question.key}: no layout fits the answer ({'; '.join(why)})", permanent=False)

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

    def _walked(self, read: YdtRead, layout: Layout, info: bytes) -> Values:
        steps, walk = list[tuple[Step, dict[str, str], float | None]](), Walk(info)
        _follow(layout.walk, walk, {}, steps)
        if walk.left:
            raise YdtError(f"{walk.left} bytes are left over")
        values = {self._point(read, step, index): step.of(raw) for step, index, raw in steps}
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


def _follow(
    steps: tuple[Step, ...], walk: Walk, index: dict[str, str], found: list[tuple[Step, dict[str, str], float | None]]
) -> None:
    """Take the steps over INFO; add every value met, with its index. Raises YdtError where INFO does not fit."""
    for step in steps:
        if step.take == "group":
            for number in range(1, _count(step, walk) + 1):
                inside = {**index, step.each: str(number)} if number >= step.indexed_from else index
                _follow(step.walk, walk, inside, found)
        elif step.take == "items":
            for number in range(walk.count()):
                item = Walk(walk.take(step.length))
                if number < len(step.walk):
                    _follow(step.walk[number : number + 1], item, index, found)
        else:
            raw = _raw(step, walk)
            if step.equals is not None and raw != step.equals:
                raise YdtError(f"a byte is {raw} where this layout has {step.equals}")
            if step.quantity is not None:
                found.append((step, index, raw))


def _count(step: Step, walk: Walk) -> int:
    count = walk.count()
    if count > step.most:
        raise YdtError(f"{count} of {step.each} are more than the {step.most} that can be")
    return count


def _raw(step: Step, walk: Walk) -> float | None:
    if step.take == "flag":
        walk.flag()
        return None
    if step.take == "skip":
        walk.take(step.length)
        return None
    if step.take == "float":
        return walk.float32(step.order)
    if step.take == "fixed":
        return walk.fixed(step.length, signed=step.signed)
    return walk.count() if step.equals is not None else walk.code()

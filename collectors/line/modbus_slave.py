"""A Modbus slave: which registers to ask for in one read, and what they mean."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from collectors.line.modbus_definition import ModbusDefinition
from collectors.line.question import Answer, PartedError, Question, RefusedError, Values
from collectors.line.register_map import RegisterMap
from model.point import Point
from wire.modbus import Refusal, Reply, ReplyReader, Request

ILLEGAL = frozenset({1, 2, 3})
"""Exceptions that come again however often one asks."""
UNREADABLE = frozenset({2, 3})
"""Exceptions that may be for a part of what was asked: a hole that the device will not have read through."""


@dataclass(frozen=True, slots=True)
class Span:
    """Places to read in one request: `count` registers, or bits, of a function from `start`."""

    function: int
    start: int
    count: int

    @property
    def end(self) -> int:
        """The first place after it."""
        return self.start + self.count


def coalesce(
    spans: list[Span],
    *,
    largest_hole: int,
    longest: int,
    reserved: tuple[tuple[int, int], ...] = (),
    cuts: frozenset[tuple[int, int]] = frozenset(),
) -> list[Span]:
    """Join spans into as few reads as pay: over holes up to `largest_hole`, never over reserved places.

    A value is never cut in two: a span that is given stays whole in one read. `cuts` are (function, place) where a read
    begins anew.
    """
    joined: list[Span] = []
    for span in sorted(set(spans), key=lambda each: (each.function, each.start, each.count)):
        last = joined[-1] if joined else None
        if last is not None and last.function == span.function:
            end = max(last.end, span.end)
            hole = range(last.end, span.start)
            forbidden = any(first < hole.stop and hole.start <= end_of for first, end_of in reserved) and bool(hole)
            cut = (span.function, span.start) in cuts
            if len(hole) <= largest_hole and end - last.start <= longest and not forbidden and not cut:
                joined[-1] = Span(span.function, last.start, end - last.start)
                continue
        joined.append(span)
    return joined


class ModbusSlave:
    """One Modbus device at one unit address; what decides about its registers is learnt from its answers."""

    def __init__(self, device: str, definition: ModbusDefinition, unit: int, largest_hole: int) -> None:
        self.device = device
        self._definition = definition
        self._unit = unit
        self._largest_hole = largest_hole
        self._map = RegisterMap(device, definition)
        self._cuts: set[tuple[int, int]] = set()
        self._spans: dict[str, Span] = {}
        self._planned: list[Question] = []

    @property
    def is_fixed(self) -> bool:
        """True where nothing that is read decides about the rest."""
        return self._map.is_fixed

    def begin(self, now: float, *, whole: bool) -> None:
        """Begin a poll: each one reads everything."""

    def unchanged(self) -> Mapping[str, str]:
        """Return nothing: a Modbus device does not say what has not changed."""
        return {}

    def plan(self) -> list[Question]:
        """Return the reads of one poll; repeated values and what hangs on others only once these are known."""
        if not self._planned:
            spans = coalesce(
                self._wanted(),
                largest_hole=self._largest_hole,
                longest=self._definition.longest,
                reserved=self._definition.reserved,
                cuts=frozenset(self._cuts),
            )
            self._planned = [self._question(span) for span in spans]
        return self._planned

    def take(self, question: Question, answer: Answer) -> Values:
        """Return the values of the registers of one read."""
        span = self._spans[question.key]
        if isinstance(answer, Refusal):
            if answer.code in UNREADABLE and self._split(span):
                raise PartedError(f"{question.key}: {answer.reason}; asked in parts from now on", permanent=False)
            raise RefusedError(f"{question.key}: {answer.reason}", permanent=answer.code in ILLEGAL)
        assert isinstance(answer, Reply)  # noqa: S101  # our own reader gives nothing else
        words = answer.bits[: span.count] if span.function <= 2 else answer.registers
        if self._map.learn(span.function, span.start, words):
            self._planned = []
        return dict(self._map.values(span.function, span.start, words))

    def points(self) -> list[Point]:
        """Return every point known so far."""
        return self._map.points()

    def _wanted(self) -> list[Span]:
        """Every value that is known to be there, and what says what there is."""
        return [Span(*each) for each in self._map.wanted()]

    def _split(self, span: Span) -> bool:
        """Cut a refused read in two for good: behind its largest hole, or else in its middle; False for one value."""
        inside = [each for each in self._wanted() if each.function == span.function]
        inside = [each for each in inside if span.start <= each.start and each.end <= span.end]
        pieces = coalesce(inside, largest_hole=0, longest=span.count)
        if len(pieces) > 1:
            holes = {after.start: after.start - before.end for before, after in itertools.pairwise(pieces)}
            cut = max(holes, key=lambda place: holes[place])
        else:
            starts = sorted({each.start for each in inside})
            cut = starts[len(starts) // 2]
        if cut == span.start:
            return False
        self._cuts.add((span.function, cut))
        self._planned = []
        return True

    def _question(self, span: Span) -> Question:
        request = Request(self._unit, span.function, span.start, span.count)
        key = f"function {span.function}, {span.count} from {span.start}"
        self._spans[key] = span
        return Question(key, request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5, self._unit)

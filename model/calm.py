"""Where numbers may move without a rule having to be asked again.

Theory. A rule's answer follows from the truth of its comparisons. A number that stays on the quiet side of every limit
that any rule holds it against changes no comparison's truth, so it changes no answer: a device without a fault whose
readings only moved so is as it was. Everything else is asked: another state, another quality, a number at a limit or
past it, before or now, and whatever a rise is measured from. Deadbands play no part: they belong to what stands.
"""

import math
from collections.abc import Iterable, Mapping

from model.point import Quality, Reading
from model.quantity import Quantity
from model.rule import AllOf, AnyOf, Compare, Condition, Is, Op, QualityIs, Rule, Share

Range = tuple[float, float]
"""The least and the most of a quantity for which every comparison is false; the most is below the least for none."""

_NONE: Range = (math.inf, -math.inf)


def quiet_ranges(rules: Iterable[Rule]) -> dict[Quantity, Range]:
    """Return the quiet range of each quantity that these rules ask about."""
    ranges: dict[Quantity, Range] = {}
    for rule in rules:
        for case in rule.cases:
            for quantity, (least, most) in _quiet(case.when):
                had = ranges.get(quantity, (-math.inf, math.inf))
                ranges[quantity] = max(had[0], least), min(had[1], most)
    return ranges


def _quiet(condition: Condition) -> list[tuple[Quantity, Range]]:
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            return [found for each in conditions for found in _quiet(each)]
        case QualityIs():
            return []  # a quality that changes is never quiet
        case Is() | Share():
            return [(condition.quantity, _NONE)]
        case Compare():
            if condition.minus is not None:
                return [(condition.quantity, _NONE), (condition.minus, _NONE)]
            return [(condition.quantity, _false(condition.op, condition.limit))]


def _false(op: Op, limit: float) -> Range:
    match op:
        case Op.ABOVE:
            return -math.inf, limit
        case Op.AT_LEAST:
            return -math.inf, math.nextafter(limit, -math.inf)
        case Op.BELOW:
            return limit, math.inf
        case Op.AT_MOST:
            return math.nextafter(limit, math.inf), math.inf


def only_quiet(before: Mapping[str, Reading], readings: Iterable[Reading], ranges: Mapping[Quantity, Range]) -> bool:
    """Say whether these readings follow those `before` (by the point's id) with nothing but quiet changes."""
    good = Quality.GOOD
    quantity, quiet = None, None
    olds = iter(before.values())
    for reading in readings:
        point, old = reading.point, next(olds, None)
        if old is None or old.point is not point:  # most come in the order of the last time
            old = before.get(point.id)
            if old is None:
                return False
        value, was = reading.value, old.value
        if value == was and reading.quality is old.quality:
            continue
        if reading.quality is not good or old.quality is not good or value is None or was is None:
            return False
        if point.quantity is not quantity:
            quantity = point.quantity
            quiet = ranges.get(quantity)
        if quiet is None:
            continue  # no rule asks
        if isinstance(value, str) or isinstance(was, str):
            return False
        least, most = quiet
        if not (least <= value <= most and least <= was <= most):
            return False
    return True

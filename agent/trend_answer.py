"""From the store's samples to an answer of bounded length: averaged where there are too many, gaps where there are."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from agent.trend_cells import Sample, averaged
from model.point import Quality
from model.quantity import Quantity
from model.rule import AllOf, AnyOf, Compare, Condition, Rule
from model.trend import MOST, HistoryReport, LimitLine, SendHistory, width_for

GAP = 2.5  # times the usual distance of two samples: beyond, something is missing
Read = Callable[[str, str, float, float, float], tuple[str, list[Sample]]]


def answered(read: Read, asked: SendHistory, limits: tuple[LimitLine, ...] = ()) -> HistoryReport:
    """Return what is known of a range; `read` gives unit and samples of device, point, start, end, width."""
    most = max(1, min(asked.most, MOST))
    width = width_for(asked.end - asked.start, most)
    unit, found = read(asked.device, asked.point, asked.start, asked.end, width)
    step = 0.0
    if len(found) > most or any(sample.many > 1 for sample in found):
        step, found = width, list(averaged(found, width))
    found = with_gaps(found, step)
    worded = any(isinstance(sample.value, str) for sample in found)
    shown = [sample if sample.known else sample._replace(value=None, low=None, high=None) for sample in found]
    return HistoryReport(
        command=asked.id,
        device=asked.device,
        point=asked.point,
        start=asked.start,
        end=asked.end,
        unit=unit,
        step=step,
        times=tuple(sample.time for sample in shown),
        means=() if worded else tuple(map(_figure, [sample.value for sample in shown])),
        lows=tuple(map(_figure, [sample.low for sample in shown])) if step and not worded else (),
        highs=tuple(map(_figure, [sample.high for sample in shown])) if step and not worded else (),
        words=tuple(map(_words, shown)) if worded else (),
        uncertain=tuple(at for at, sample in enumerate(shown) if sample.quality is Quality.UNCERTAIN),
        limits=limits,
    )


def with_gaps(found: Sequence[Sample], step: float) -> list[Sample]:
    """Return samples with a gap between two that lie further apart than is usual among them."""
    apart = sorted(after.time - before.time for before, after in pairwise(found))
    usual = max(step, apart[len(apart) // 2] if apart else 0.0)
    told: list[Sample] = []
    for sample in found:
        if told and sample.time - told[-1].time > GAP * usual:
            told.append(Sample(told[-1].time + usual, None, None, None, 0, Quality.UNAVAILABLE))
        told.append(sample)
    return told


def limits_of(rules: Iterable[Rule], quantity: Quantity) -> tuple[LimitLine, ...]:
    """Return the limits that fault rules have for a quantity."""
    lines = {
        (compare.limit, compare.op): LimitLine(compare.limit, str(compare.op), case.title or rule.title)
        for rule in rules
        for case in rule.cases
        for compare in _compares(case.when)
        if compare.quantity is quantity and compare.minus is None
    }
    return tuple(lines.values())


def _compares(condition: Condition) -> list[Compare]:
    match condition:
        case Compare():
            return [condition]
        case AllOf(conditions=inner) | AnyOf(conditions=inner):
            return [compare for each in inner for compare in _compares(each)]
        case _:
            return []


def _figure(value: float | str | None) -> float | None:
    return value if isinstance(value, float | int) else None


def _words(sample: Sample) -> tuple[str, ...]:
    told = (sample.value, sample.low, sample.high)
    return tuple(dict.fromkeys(each for each in told if isinstance(each, str)))

"""Counting a clock by hand: the seconds of a limit in which nothing stopped it, one span after another."""

from collections.abc import Sequence
from math import floor

from model.contract import Contract
from model.due import Pause
from model.service.effect import Effect, Kind
from model.service.record import Record

SECONDS = "second"


def stopped_at(pauses: Sequence[Pause], at: float) -> bool:
    """Say whether a pause holds at a moment, which is within it and neither its begin nor its end."""
    return any(floor(begin) < at < (float("inf") if end is None else floor(end)) for begin, end, _ in pauses)


def unstopped(record: Record, contract: Contract, effect: Effect) -> str:
    """Return what is wrong with a clock that is over: fewer seconds passed than its limit has; "" when nothing is.

    It counts limits in plain seconds that run from the opening; what counts working days has tables of its own.
    """
    limit = next((each for each in contract.limits if each.name == effect.clock.rpartition("/")[0]), None)
    rivals = [each for each in contract.limits if limit and each.name == limit.name]
    plain = limit is not None and limit.span.unit == SECONDS and limit.after == "open" and not contract.upgrade
    if limit is None or not plain or effect.due is None or effect.kind is not Kind.BREACH:
        return ""
    spans = [each.span.amount for each in rivals if each.span.unit == SECONDS]
    passed = floor(effect.due) - floor(record.start) - _halted(record.pauses, record.start, effect.due)
    return "" if passed in spans else f"{passed} s had passed without a pause, the contract has {sorted(set(spans))}"


def _halted(pauses: Sequence[Pause], start: float, end: float) -> int:
    """Seconds of a span in which a pause held, overlapping ones once, second by second in whole numbers."""
    cut = sorted(
        (max(floor(begin), floor(start)), min(floor(end) if over is None else floor(over), floor(end)))
        for begin, over, _ in pauses
    )
    total, reached = 0, floor(start)
    for begin, over in cut:
        if over > max(begin, reached):
            total += over - max(begin, reached)
            reached = over
    return total

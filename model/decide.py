"""What a rule says of a scope now: conditions in three-valued logic, cases worst first.

Theory. A reading that is stale or unavailable makes a comparison unknown, by Kleene's tables: `any` is true when one
part is, `all` is false when one part is, whatever is missing. Unknown never begins a fault. A case already reached is
left only when it is known to be over: while it is unknown it is held against every lesser case, and what was missing
is named. Worse cases that are unknown but were never reached are not assumed. A standing case's comparisons use their
release limit (the limit less the deadband), so that a value at the limit does not chatter.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

import msgspec

from model.point import Quality, Reading, plain
from model.quantity import Quantity
from model.rule import AllOf, AnyOf, Compare, Condition, Evidence, Is, Op, QualityIs, Rule, Share


class Truth(StrEnum):
    """Kleene's three values."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Outcome(msgspec.Struct, frozen=True):
    """A condition's truth, what proves it, and the labels of the readings that were missing."""

    truth: Truth
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


MOST = 20  # pieces of evidence and missing labels that an alarm carries: enough to see what it is
_NOT_SO = Outcome(Truth.FALSE)  # made once: it is what almost every question ends in


class Scene(msgspec.Struct, frozen=True):
    """What a condition is asked of: the scope's readings, the rest of its device's, and the installed numbers.

    `ever` holds the ids of points that have had a value: what a device never had is not missing. `sorted` holds the
    readings that may feed a rule by quantity, made at the first question: a scope is asked often.
    """

    readings: tuple[Reading, ...]
    around: tuple[Reading, ...] = ()
    installed: dict[str, int] = {}
    ever: AbstractSet[str] = frozenset()
    sorted: dict[Quantity, list[Reading]] = {}

    def of(self, quantity: Quantity) -> Sequence[Reading]:
        """Return the scope's readings of a quantity that may feed a rule."""
        if not self.sorted:
            for reading in self.readings:
                if reading.point.preferred:
                    self.sorted.setdefault(reading.point.quantity, []).append(reading)
        return self.sorted.get(quantity, ())


class Decision(msgspec.Struct, frozen=True):
    """What a rule says of a scope now. `case` is "" when there is no fault; `missing` names what could not be read.

    `held`: the case is not seen, only not known to be over; `absent`: because its points are not there at all.
    """

    case: str
    held: bool = False
    absent: bool = False
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


def applies(condition: Condition, scene: Scene) -> bool:
    """Say whether the scope has what the condition asks about."""
    match condition:
        case AllOf(conditions):
            return all(applies(c, scene) for c in conditions)
        case AnyOf(conditions):
            return any(applies(c, scene) for c in conditions)
        case QualityIs():
            return bool(scene.readings)
        case Compare() | Is() | Share():
            return bool(scene.of(condition.quantity))


def decide(rule: Rule, scene: Scene, reached: str = "") -> Decision | None:
    """Return the rule's case for a scope, or None where the rule does not apply to it.

    `reached` is the case of the standing or pending alarm: its comparisons use the release limit (deadband), and while
    it is unknown it is held against every lesser case.
    """
    order = [case.name for case in rule.cases]
    standing = order.index(reached) if reached in order else len(order)
    missing: list[str] = []
    known = False
    held: Decision | None = None
    for rank, case in enumerate(rule.cases):
        if not applies(case.when, scene):
            if rank == standing:  # its points are not there at all: nobody has seen it end
                missing.extend(sorted(str(quantity) for quantity in asks(case.when)))
                held = Decision(case.name, held=True, absent=True)
            continue
        known = True
        outcome = judge(case.when, scene, latched=rank == standing)
        missing.extend(name for name in outcome.missing if name not in missing)
        if outcome.truth is Truth.TRUE:
            return held or Decision(case.name, evidence=outcome.evidence, missing=tuple(missing))
        if outcome.truth is Truth.UNKNOWN and rank == standing:
            held = Decision(case.name, held=True, evidence=outcome.evidence, missing=tuple(missing))
    if held is not None:
        return msgspec.structs.replace(held, missing=tuple(missing[:MOST])) if known else None
    return Decision("", missing=tuple(missing)) if known else None


def judge(condition: Condition, scene: Scene, *, latched: bool = False) -> Outcome:
    """Return a condition's truth for a scope; `latched` asks comparisons at their release limit."""
    match condition:
        case AllOf(conditions):
            parts = [judge(c, scene, latched=latched) for c in conditions]
            return _together(parts, Truth.FALSE, Truth.TRUE)
        case AnyOf(conditions):
            parts = [judge(c, scene, latched=latched) for c in conditions if applies(c, scene)]
            return _together(parts, Truth.TRUE, Truth.FALSE)
        case Share():
            return _share(condition, scene)
        case QualityIs(qualities):
            bad = [r.point.label for r in scene.readings if r.quality in qualities and r.point.id in scene.ever]
            seen = tuple(Evidence("quality", label) for label in bad[:5])
            return Outcome(Truth.TRUE if bad else Truth.FALSE, seen)
        case Compare() | Is():
            readings = scene.of(condition.quantity)
            if not readings:
                return _NOT_SO
            if isinstance(condition, Compare):
                parts = [_compare(condition, r, scene, latched=latched) for r in readings]
            else:
                parts = [_is(condition, r) for r in readings]
            return _together(parts, *((Truth.FALSE, Truth.TRUE) if condition.every else (Truth.TRUE, Truth.FALSE)))


@lru_cache(4096)
def asks(condition: Condition) -> frozenset[Quantity]:
    """Return the quantities a condition must see; empty for one that asks about every reading."""
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            return frozenset[Quantity]().union(*(asks(c) for c in conditions))
        case QualityIs():
            return frozenset()
        case Compare() | Is() | Share():
            return frozenset({condition.quantity})


def scenes(
    rule: Rule, whole: Scene, installed: Mapping[tuple[str, str], dict[str, int]]
) -> Iterator[tuple[str, Scene]]:
    """Give each scope of a device that a rule looks at: its name in the condition's identity, and what is there.

    `whole` is the device's own; `installed` maps (index name, index value) to the installed number by quantity.
    """
    if rule.scope == "device":
        yield "-", whole
        return
    readings = whole.readings
    if rule.scope == "point":
        wanted = frozenset[Quantity]().union(*(asks(case.when) for case in rule.cases))
        for reading in readings:
            if reading.point.quantity in wanted and reading.point.preferred:
                yield reading.point.id, Scene((reading,), around=readings, ever=whole.ever)
        return
    groups: dict[str, list[Reading]] = {}
    for reading in readings:
        value = reading.point.at(rule.scope)
        if value is not None:
            groups.setdefault(value, []).append(reading)
    for value, group in groups.items():
        counted = installed.get((rule.scope, value), {})
        scene = Scene(tuple(group), around=readings, installed=counted, ever=whole.ever)
        yield f"{rule.scope}={plain(value)}", scene


def _known(reading: Reading) -> bool:
    value = reading.value
    good = reading.quality in {Quality.GOOD, Quality.UNCERTAIN}
    return good and value is not None and value == value  # noqa: PLR0124 - NaN, which is no number, is unlike itself


def _together(parts: list[Outcome], decisive: Truth, other: Truth) -> Outcome:
    """Kleene's `any` (decisive true) or `all` (decisive false) of the parts."""
    if len(parts) == 1:
        return parts[0]
    truth = decisive if any(p.truth is decisive for p in parts) else other
    if truth is other and any(p.truth is Truth.UNKNOWN for p in parts):
        truth = Truth.UNKNOWN
    missing = tuple(dict.fromkeys(name for p in parts for name in p.missing))[:MOST]
    evidence = tuple(e for p in parts if p.truth is not Truth.FALSE for e in p.evidence)[:MOST]
    return Outcome(truth, evidence, missing)


def _held(value: float, op: Op, limit: float, deadband: float) -> bool:
    match op:
        case Op.ABOVE:
            return value > limit - deadband
        case Op.AT_LEAST:
            return value >= limit - deadband
        case Op.BELOW:
            return value < limit + deadband
        case Op.AT_MOST:
            return value <= limit + deadband


def _compare(condition: Compare, reading: Reading, scene: Scene, *, latched: bool) -> Outcome:
    if not _known(reading) or isinstance(reading.value, str) or reading.value is None:
        return Outcome(Truth.UNKNOWN, missing=(reading.point.label,))
    value = reading.value
    if condition.minus is not None:
        base, label = _base(condition.minus, scene)
        if base is None:
            return Outcome(Truth.UNKNOWN, missing=(label,))
        value -= base
    if not _held(value, condition.op, condition.limit, condition.deadband if latched else 0.0):
        return _NOT_SO
    unit = reading.point.quantity.unit.symbol
    seen = Evidence(str(condition.quantity), reading.point.label, value, unit, condition.limit)
    return Outcome(Truth.TRUE, (seen,))


def _base(quantity: Quantity, scene: Scene) -> tuple[float | None, str]:
    """Return the value a rise is measured from: the scope's own, else its device's; the lowest of several."""
    readings = scene.of(quantity) or tuple(
        r for r in scene.around if r.point.quantity is quantity and r.point.preferred
    )
    values = [r.value for r in readings if _known(r) and isinstance(r.value, float | int)]
    label = readings[0].point.label if readings else str(quantity)
    return (min(values) if values else None), label


def _is(condition: Is, reading: Reading) -> Outcome:
    if not _known(reading):
        return Outcome(Truth.UNKNOWN, missing=(reading.point.label,))
    value = reading.value
    holds = value in condition.states or (
        condition.severity is not None and reading.point.severity(value) is condition.severity
    )
    if not holds:
        return _NOT_SO
    return Outcome(Truth.TRUE, (Evidence(str(condition.quantity), reading.point.label, value),))


def _share(condition: Share, scene: Scene) -> Outcome:
    """Count exactly: 3 of 10 is 30 %, with no rounding of binary fractions in between."""
    readings = scene.of(condition.quantity)
    inside = [r for r in readings if _known(r) and r.value in condition.states]
    unreadable = [r for r in readings if not _known(r)]
    installed = max(scene.installed.get(condition.quantity, 0), len(readings))
    unseen = installed - len(readings)
    limit = Fraction(str(condition.share)) * installed

    def reached(count: int) -> bool:
        return count > limit if condition.op is Op.ABOVE else count >= limit

    missing = tuple(r.point.label for r in unreadable)
    seen = Evidence(
        str(condition.quantity),
        condition.states[0],
        limit=condition.share,
        count=len(inside),
        installed=installed,
    )
    if reached(len(inside)):
        return Outcome(Truth.TRUE, (seen,), missing)
    if reached(len(inside) + len(unreadable) + unseen):
        return Outcome(Truth.UNKNOWN, (seen,), missing)
    return Outcome(Truth.FALSE, (seen,), missing)

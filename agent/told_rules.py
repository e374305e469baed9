"""A site's fault rules as they are told to the desk: each with every scope that it looks at, and its limits."""

from agent.watch import Watch
from agent.watched import Watched
from model.change import condition_key
from model.decide import Scene, applies, scenes
from model.point import Reading
from model.protocol import RuleRow
from model.rule import AllOf, AnyOf, Case, Compare, Condition, Is, Op, QualityIs, Share

_SIGNS = {Op.ABOVE: ">", Op.BELOW: "<", Op.AT_LEAST: "≥", Op.AT_MOST: "≤"}
MOST_ASKS = 8  # limits of one rule that are told


def rule_rows(watch: Watch) -> tuple[RuleRow, ...]:
    """Return the rules in force for what each device has now; a device that was never read has those of the device."""
    return tuple(row for device in watch.plan.devices.values() for row in _of_device(watch, device))


def _of_device(watch: Watch, device: Watched) -> list[RuleRow]:
    whole = Scene(tuple(watch.readings(device.id)), installed=device.installed.get(("", ""), {}))
    return [
        RuleRow(
            condition=condition_key(watch.plan.site, device.id, scope, rule.fault),
            device=device.id,
            name=device.name,
            fault=rule.fault,
            title=rule.title,
            scope=_scope(rule.scope, scope, scene.readings),
            asks=tuple(dict.fromkeys(_case(case) for case in rule.cases))[:MOST_ASKS],
        )
        for rule in device.rules
        for scope, scene in scenes(rule, whole, device.installed)
        if any(applies(case.when, scene) for case in rule.cases)
    ]


def _scope(kind: str, scope: str, readings: tuple[Reading, ...]) -> str:
    """Return a scope as people know it: a point's label, an index, "" for the device."""
    if kind == "device":
        return ""
    return readings[0].point.label if kind == "point" and readings else scope


def _case(case: Case) -> str:
    return asks_text(case.when)


def asks_text(condition: Condition) -> str:
    """Return a condition in signs: `mains.voltage < 176 V`, `fan.running = stopped, share ≥ 0.3`."""
    match condition:
        case AllOf(conditions):
            return " & ".join(_within(each) for each in conditions)
        case AnyOf(conditions):
            return " | ".join(_within(each) for each in conditions)
        case Compare():
            less = f" - {condition.minus}" if condition.minus else ""
            limit = f"{condition.limit:g} {condition.quantity.unit.symbol}".rstrip()
            return f"{condition.quantity}{less} {_SIGNS[condition.op]} {limit}"
        case Is():
            states = "/".join(condition.states) or f"{condition.severity}"
            return f"{condition.quantity} = {states}"
        case Share():
            return f"{condition.quantity} = {'/'.join(condition.states)}, {_SIGNS[condition.op]} {condition.share:.0%}"
        case QualityIs(qualities):
            return "/".join(qualities)


def _within(condition: Condition) -> str:
    text = asks_text(condition)
    return f"({text})" if isinstance(condition, AllOf | AnyOf) else text

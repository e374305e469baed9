"""From the YAML of a condition to the model's: settings filled in, alternatives chosen, states and quantities checked.

A setting is written `$name` (or `-$name`) and replaced before anything is read. A condition whose setting is `unset`,
or whose `if` does not hold, is left out; so is an `all` or `any` with nothing left in it.
"""

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec

from config.advice import either, nearest, show
from config.convert import Conversion
from config.node import Listing, Node, Scalar, Table
from config.scalars import Form, decimal, seconds
from model.point import Quality, Severity
from model.quantity import Kind, Quantity
from model.rule import AllOf, AnyOf, Compare, Condition, Is, Op, QualityIs, Share

UNSET = "unset"
_DURATION = re.compile(r"[0-9.]+ *[a-z]+")


def amount(text: str) -> float:
    """Read a number, or a duration in seconds: limits of runtimes and uptimes are written 10min."""
    return seconds(text) if _DURATION.fullmatch(text) else decimal(text)


Amount = Annotated[float, Form(amount, "45")]


class ConditionText(msgspec.Struct, frozen=True):
    """A condition as it is written; exactly one of the first five keys says what kind it is."""

    all: tuple[Node, ...] | None = None
    any: tuple[Node, ...] | None = None
    quantity: Quantity | None = None
    share: Quantity | None = None
    quality: Quality | tuple[Quality, ...] | None = None
    above: Amount | None = None
    below: Amount | None = None
    at_least: Amount | None = None
    at_most: Amount | None = None
    deadband: Annotated[Amount, msgspec.Meta(ge=0)] = 0.0
    minus: Quantity | None = None
    is_: str | tuple[str, ...] = msgspec.field(default=(), name="is")
    severity: Severity | None = None
    every: bool = False
    if_: dict[str, str | tuple[str, ...]] = msgspec.field(default={}, name="if")


def build(node: Node, settings: Mapping[str, str], conversion: Conversion) -> Condition | None:
    """Return the condition, or None when nothing of it is left; problems are added to the conversion's."""
    return _Builder(settings, conversion).condition(node)


def alternatives(node: Node) -> dict[str, set[str]]:
    """Return, for every setting that an `if` asks about, the values it asks for."""
    found: dict[str, set[str]] = {}
    if isinstance(node, Listing):
        for item in node.items:
            _merge(found, alternatives(item))
    elif isinstance(node, Table):
        for key, value in node.fields.items():
            _merge(found, alternatives(value))
            if key == "if" and isinstance(value, Table):
                for name, wanted in value.fields.items():
                    each = wanted.items if isinstance(wanted, Listing) else (wanted,)
                    found.setdefault(name, set()).update(one.text for one in each if isinstance(one, Scalar))
    return found


def _merge(into: dict[str, set[str]], more: dict[str, set[str]]) -> None:
    for name, values in more.items():
        into.setdefault(name, set()).update(values)


class _Builder:
    def __init__(self, settings: Mapping[str, str], conversion: Conversion) -> None:
        self.settings = settings
        self.conversion = conversion

    def condition(self, node: Node) -> Condition | None:
        """Return one condition with everything below it."""
        if isinstance(node, Table):
            filled = {key: self.fill(value) for key, value in node.fields.items()}
            if any(isinstance(value, Scalar) and value.text == UNSET for value in filled.values()):
                return None
            node = msgspec.structs.replace(node, fields=filled)
        before = len(self.conversion.problems)
        text: ConditionText | None = self.conversion.value(node, ConditionText)
        if text is None or len(self.conversion.problems) > before or not self.holds(text):
            return None
        named = [key for key in ("all", "any", "quantity", "share", "quality") if getattr(text, key) is not None]
        if len(named) != 1:
            self.fail(node, "a condition has exactly one of all, any, quantity, share or quality")
            return None
        match named[0]:
            case "all" | "any":
                return self.several(text)
            case "quality":
                return QualityIs(text.quality if isinstance(text.quality, tuple) else (Quality(text.quality or ""),))
            case "share":
                return self.share(text, node)
            case _:
                return self.comparison(text, node)

    def fail(self, node: Node, message: str) -> None:
        """Note a problem of this condition."""
        self.conversion.problems.append(node.problem(message))

    def fill(self, node: Node) -> Node:
        """Return a value with its setting in place; the place stays the condition's."""
        if not isinstance(node, Scalar) or not node.plain or "$" not in node.text[:2]:
            return node
        sign, _, name = node.text.partition("$")
        if name not in self.settings or sign not in {"", "-"}:
            self.fail(node, f"there is no setting {show(name)}; {nearest(name, self.settings)}")
            return msgspec.structs.replace(node, text=UNSET)
        value = self.settings[name]
        return msgspec.structs.replace(node, text=value if value == UNSET else sign + value)

    def holds(self, text: ConditionText) -> bool:
        """Say whether the settings have the values that `if` asks for."""
        wanted = {name: value if isinstance(value, tuple) else (value,) for name, value in text.if_.items()}
        for name in wanted.keys() - self.settings.keys():
            self.conversion.complain(text, "if", f"there is no setting {show(name)}; {nearest(name, self.settings)}")
        return all(self.settings.get(name) in values for name, values in wanted.items())

    def several(self, text: ConditionText) -> Condition | None:
        """Return an `all` or `any` of what is left of its parts."""
        nodes = text.any if text.all is None else text.all
        parts = tuple(part for part in map(self.condition, nodes or ()) if part is not None)
        if len(parts) < 2:
            return parts[0] if parts else None
        return AnyOf(parts) if text.all is None else AllOf(parts)

    def share(self, text: ConditionText, node: Node) -> Condition | None:
        """Return the part of an installed number that is in a state."""
        quantity, states, limit = text.share, self.states(text), self.limit(text, node)
        if quantity is None or limit is None:
            return None
        if not states:
            self.fail(node, 'a share is counted of a state; add for example "is: stopped"')
            return None
        if not self.known(quantity, states, node):
            return None
        return Share(quantity, states, limit[0], limit[1])

    def comparison(self, text: ConditionText, node: Node) -> Condition | None:
        """Return a number against its limit, or a state."""
        quantity, states = text.quantity, self.states(text)
        if quantity is None:
            return None
        if states or text.severity is not None:
            if not self.known(quantity, states, node):
                return None
            return Is(quantity, states, text.severity, every=text.every)
        if quantity.kind is Kind.STATE:
            self.fail(node, f"{quantity} has states; write is: {either(quantity.states or ['...'])}")
            return None
        if (limit := self.limit(text, node)) is None:
            return None
        return Compare(quantity, limit[0], limit[1], text.deadband, text.minus, every=text.every)

    def states(self, text: ConditionText) -> tuple[str, ...]:
        """Return the states that are asked for."""
        return text.is_ if isinstance(text.is_, tuple) else (text.is_,)

    def known(self, quantity: Quantity, states: tuple[str, ...], node: Node) -> bool:
        """Say whether the quantity may have these states."""
        if quantity.kind is not Kind.STATE:
            self.fail(node, f"{quantity} is a number; write above, below, at_least or at_most")
            return False
        for state in states:
            if quantity.states and state not in quantity.states:
                self.fail(node, f"{show(state)} is no state of {quantity}; {nearest(state, quantity.states)}")
                return False
        return True

    def limit(self, text: ConditionText, node: Node) -> tuple[Op, float] | None:
        """Return the only limit as (operation, number)."""
        limits = [(op, getattr(text, op.value)) for op in Op if getattr(text, op.value) is not None]
        if len(limits) != 1:
            self.fail(node, "a comparison has exactly one of above, below, at_least or at_most")
            return None
        return limits[0]

"""What the numbers of a Modbus device mean: a value in our unit, a state's name, or nothing."""

from collections.abc import Callable
from typing import Annotated

import msgspec

from config.scalars import Form, decimal, whole
from model.maker_unit import conversion
from model.point import State
from model.quantity import Kind, Quantity

DECIMALS = 9  # hides the last bits of 0.1 * 3, far below any sensor


def _number(text: str) -> float:
    """Read a number; whole ones stay whole, as sentinels of 64 bits must."""
    try:
        return whole(text)
    except ValueError:
        return decimal(text)


Number = Annotated[float, Form(_number, "-1")]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What a number means: (raw * scale + offset) in `unit`, or the state that a code stands for.

    `zero` and `nonzero` are the two states of a number that only is or is not 0. `absent` are raw numbers that mean
    "not available", `range` the least and most that a raw number can be.
    """

    quantity: Quantity | None = None
    label: str = ""
    index: dict[str, str] = {}
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    absent: tuple[Number, ...] = ()
    range: tuple[Number, Number] | None = None
    states: dict[int, State] = {}
    zero: str = ""
    nonzero: str = ""
    preferred: bool = True

    def of(self, raw: float | None, factor: float | None = 1.0) -> float | str | None:
        """Return the value of a raw number, times the `factor` that another register gives; without one there is none.

        A code that is not listed is none: its maker says nothing of it.
        """
        if raw is None or factor is None or not self.counts(raw):
            return None
        if self.zero:
            return self.nonzero if raw else self.zero
        if self.is_state:
            state = self.states.get(int(raw))
            return state.name if state else None
        return self.scaled(raw, factor)

    def counts(self, raw: float) -> bool:
        """Tell whether a raw number is a value at all: neither absent nor out of range."""
        if raw in self.absent:
            return False
        return self.range is None or self.range[0] <= raw <= self.range[1]

    def scaled(self, raw: float, factor: float = 1.0) -> float:
        """Return a raw number times `factor`, in the quantity's unit."""
        found = raw * factor * self.scale + self.offset
        if self.unit and self.quantity is not None:
            unit, added = conversion(self.quantity, self.unit)
            found = found * unit + added
        return round(found, DECIMALS)

    def converter(self) -> Callable[[float | None], float | str | None]:
        """Return `of` for many numbers: what does not hang on the number is looked up once."""
        if self.zero or self.is_state:
            return self.of
        absent, span, scale, offset = self.absent, self.range, self.scale, self.offset
        unit, added = conversion(self.quantity, self.unit) if self.unit and self.quantity is not None else (1.0, 0.0)

        def converted(raw: float | None) -> float | None:
            if raw is None or raw in absent or (span is not None and not span[0] <= raw <= span[1]):
                return None
            return round((raw * scale + offset) * unit + added, DECIMALS)

        return converted

    @property
    def is_state(self) -> bool:
        """True where its values are states."""
        return self.quantity is not None and self.quantity.kind is Kind.STATE

    def named_states(self) -> tuple[State, ...]:
        """Return the states of the point, each name once."""
        if self.zero:
            return (State(self.zero), State(self.nonzero))
        return tuple({state.name: state for state in self.states.values()}.values())


def check_meaning(value: Value) -> None:
    """Raise ValueError where quantity, states, numbers and unit do not fit together."""
    if value.quantity is None:
        raise ValueError('the key "quantity" is missing')
    _check_states(value, value.quantity)
    if value.scale == 0:
        raise ValueError("scale: 0 makes every number the same; write what it is to be multiplied by, as 0.1")
    if value.range is not None and value.range[0] > value.range[1]:
        low, high = value.range
        raise ValueError(f"no number lies in this range; write the least first: [{high:g}, {low:g}]")
    conversion(value.quantity, value.unit)


def _check_states(value: Value, quantity: Quantity) -> None:
    if bool(value.zero) != bool(value.nonzero) or (value.zero and value.states):
        raise ValueError("zero and nonzero are the two states of a number; write both, and no states")
    named = value.named_states()
    if value.is_state and not named:
        raise ValueError(f"{quantity} is a state; states: says what each code means")
    if not value.is_state and named:
        raise ValueError(f"{quantity} is a number; it has no states")
    strange = [state.name for state in named if quantity.states and state.name not in quantity.states]
    if strange:
        raise ValueError(f'"{strange[0]}" is no state of {quantity}; write one of {", ".join(quantity.states)}')
    seen: dict[str, State] = {}
    for state in value.states.values():
        if seen.setdefault(state.name, state) != state:
            both = f"{seen[state.name].severity} and {state.severity}"
            raise ValueError(f'"{state.name}" is {both}; give what is meant differently another name')

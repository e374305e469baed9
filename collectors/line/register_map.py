"""The registers of one device: which of them are to be read by what is known of it, and what words in them mean.

Some numbers decide about others: how often a value is there, whether it is there at all, how it is scaled. These facts
are asked for first; what they decide about follows once they are known. They are read again with each poll.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from collectors.line.modbus_definition import ModbusDefinition, Place, Register
from collectors.line.modbus_parts import Bit
from collectors.line.question import Points
from model.point import Point

NOT_AVAILABLE = 0x8000
"""What devices say in place of a count that they do not know."""


class Cell(NamedTuple):
    """One number of the device: its register in the definition, where it stands, which of a repeated one it is."""

    register: Register
    function: int
    place: int
    number: str

    @property
    def told(self) -> dict[str, str]:
        """What tells it from others of its quantity."""
        repeat = self.register.repeat
        return self.register.index | ({repeat.index: self.number} if repeat else {})

    @property
    def is_plain(self) -> bool:
        """True where its word is its number."""
        return self.register.type == "u16" and not self.register.mask and self.function > 2


class Placed(NamedTuple):
    """A number of an answer: its words from `at` up to `end`; its point and meaning where these hang on no other.

    `is_plain`: its word is its number.
    """

    at: int
    end: int
    cell: Cell
    is_plain: bool
    point: Point | None
    convert: Callable[[float | None], float | str | None] | None


class RegisterMap:
    """One device's registers; the facts that decide about them are learnt from its answers."""

    def __init__(self, device: str, definition: ModbusDefinition) -> None:
        self._registers = definition.registers
        self._points = Points(device)
        self._facts: dict[Place, float] = {}
        self._fitted: set[tuple[int, int, int]] = set()
        self._placed: dict[tuple[int, int, int], list[Placed]] = {}
        self._deciding = {fact for register in self._registers for fact in register.facts}
        for register in self._registers:
            certain = not register.when and not register.unfitted
            if certain and (register.repeat is None or register.repeat.times):
                for cell in self._cells(register):
                    self._foresee(cell)

    @property
    def is_fixed(self) -> bool:
        """True where no number decides about others."""
        return not self._deciding

    def wanted(self) -> Iterator[tuple[int, int, int]]:
        """Every span to read by what is known: (function, first register or bit, how many)."""
        for fact in self._deciding:
            yield fact.function or 3, fact.register, fact.width
        for cell in self.cells():
            yield cell.function, cell.place, cell.register.width

    def cells(self) -> Iterator[Cell]:
        """Every number that is known to be there."""
        for register in self._registers:
            scaling = register.scale_from
            if all(when.holds(self._facts.get(when)) for when in register.when) and (
                scaling is None or scaling in self._facts
            ):
                yield from self._cells(register)

    def learn(self, function: int, start: int, words: tuple[int, ...]) -> bool:
        """Take facts out of an answer; True when more, or less, is to be read because of them."""
        if not self._deciding:
            return False
        before = dict(self._facts)
        for fact in self._deciding:
            at = fact.register - start
            if (fact.function or 3) == function and at >= 0 and at + fact.width <= len(words):
                found = fact.number(words[at : at + fact.width])
                if found is not None and not (type(fact) is Place and found == NOT_AVAILABLE):
                    self._facts[fact] = found
        if before == self._facts:
            return False
        self._placed.clear()
        return True

    def values(self, function: int, start: int, words: tuple[int, ...]) -> Iterator[tuple[Point, float | str | None]]:
        """Return the values of every number that stands whole in an answer."""
        span = (function, start, len(words))
        if (placed := self._placed.get(span)) is None:
            placed = self._placed[span] = list(self._standing(*span))
        for at, end, cell, is_plain, point, convert in placed:
            if point is None or convert is None:
                yield from self._meant(cell, cell.register.raw(words[at:end]))
            else:
                yield point, convert(words[at] if is_plain else cell.register.raw(words[at:end]))

    def points(self) -> list[Point]:
        """Return every point known so far."""
        return self._points.all()

    def _standing(self, function: int, start: int, count: int) -> Iterator["Placed"]:
        """Every number that stands whole in an answer: from which word of it up to which."""
        for cell in self.cells():
            register, at = cell.register, cell.place - start
            if cell.function != function or at < 0 or at + register.width > count:
                continue
            if register.bits or register.unfitted or register.while_ is not None or register.scale_from is not None:
                yield Placed(at, at + register.width, cell, False, None, None)
            else:
                point, convert = self._point(cell), register.converter()
                yield Placed(at, at + register.width, cell, cell.is_plain, point, convert)

    def _cells(self, register: Register) -> Iterator[Cell]:
        function, repeat = register.function or 3, register.repeat
        if repeat is None:
            yield Cell(register, function, register.register, "")
            return
        for number in range(self._times(register)):
            place = register.register + number * (repeat.step or register.width)
            yield Cell(register, function, place, str(number + repeat.first))

    def _times(self, register: Register) -> int:
        repeat = register.repeat
        if repeat is None or repeat.count is None:
            return repeat.times if repeat else 1
        counted = self._facts.get(Place(register=repeat.count, function=register.function), 0)
        return max(0, min(int(counted), repeat.most))

    def _meant(self, cell: Cell, raw: float | None) -> Iterator[tuple[Point, float | str | None]]:
        register = cell.register
        counts = register.while_ is None or register.while_.holds(self._facts.get(register.while_))
        if register.bits:
            said = counts and raw is not None and register.counts(raw)
            for number, bit in register.bits.items():
                yield self._bit(cell, number, bit), bit.of(bool(int(raw or 0) >> number & 1)) if said else None
            return
        point_at = (cell.function, cell.place, register.mask)
        if raw not in register.unfitted:
            self._fitted.add(point_at)
        elif point_at not in self._fitted:
            return
        scaling = register.scale_from
        factor = scaling.factor(self._facts.get(scaling)) if scaling else 1.0
        yield self._point(cell), register.of(raw, factor) if counts and raw not in register.unfitted else None

    def _foresee(self, cell: Cell) -> None:
        if not cell.register.bits:
            self._point(cell)
        for number, bit in cell.register.bits.items():
            self._bit(cell, number, bit)

    def _point(self, cell: Cell) -> Point:
        register = cell.register
        assert register.quantity is not None  # noqa: S101  # the definition refuses a register without one
        return self._points.at(
            register.quantity,
            cell.told,
            label=f"{register.label} {cell.number}".strip(),
            source=f"{cell.function}:{cell.place}",
            states=register.named_states(),
            preferred=register.preferred,
            numbered=False,
        )

    def _bit(self, cell: Cell, number: int, bit: Bit) -> Point:
        direct = cell.function in {1, 2}
        return self._points.at(
            bit.quantity,
            cell.told | bit.at,
            label=f"{bit.label or bit.name.replace('_', ' ').capitalize()} {cell.number}".strip(),
            source=f"{cell.function}:{cell.place + number}" if direct else f"{cell.function}:{cell.place}.{number}",
            states=bit.states,
            preferred=cell.register.preferred,
            numbered=False,
        )

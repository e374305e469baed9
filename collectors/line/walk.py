"""The walk over INFO of a YD/T 1363 answer by a definition's layouts: what stands where, and what it means. Pure.

A layout fits when it ends exactly where INFO ends, its checks hold and most of its values can be. Of several that fit,
the one with the fewest doubtful values is the device's, then the one that more checks prove, then the one that is known
of the answer's VER, then the one that leaves fewer bytes unexplained, then the first. A layout with optional steps, or
of either order of bytes, is several.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import msgspec

from collectors.line.plausible import proofs
from collectors.line.ydt_definition import Layout, Meaning, Step, YdtRead
from collectors.line.ydt_step import LEAST_FLOAT
from wire.ydt1363 import YdtError
from wire.ydt1363_info import Walk

Order = Literal["little", "big"]
MOST_DOUBTFUL = 1 / 3
"""The part of an answer's values that may be doubtful: one dead sensor of three is no other layout."""


class Field(msgspec.Struct, frozen=True):
    """One thing met on a walk: what it means, its index, where it stands in INFO, its raw number and its value.

    `raw` is None where the device does not monitor it, and of text. `kind` is what its step takes; `flag`, `skip`,
    `count` (of a group), `items` (p), `item` (of the maker, not named) and `bits` (a whole status byte) are no
    readings. `value` is in the quantity's unit, a state's name, or text; None where there is none to believe.
    `doubtful`: it cannot be.
    """

    kind: str
    meaning: Meaning
    index: dict[str, str]
    at: int
    octets: bytes
    raw: float | None
    value: float | str | None
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Walked:
    """An answer that was walked to its end: which layout, everything met, DATAFLAG (0 to 255) if there is one.

    `name` says the layout and which of its forms. `proofs` counts the checks that held; `wrong` says which did not and
    what is doubtful, and is empty for a plausible answer.
    """

    name: str
    layout: Layout
    fields: tuple[Field, ...]
    flag: int | None
    doubts: int
    proofs: int
    wrong: str

    def rank(self, ver: int | None) -> tuple[bool, int, int, int, int]:
        """Return what walks of the same INFO are compared by, the least first; `ver` is that of the answer."""
        vers = self.layout.vers
        known = 1 if ver is None or not vers else 0 if ver in vers else 2
        unexplained = sum(len(each.octets) for each in self.fields if each.kind in {"skip", "item"})
        return bool(self.wrong), self.doubts, -self.proofs, known, unexplained

    @property
    def readings(self) -> Iterator[Field]:
        """The fields that are readings."""
        return (each for each in self.fields if each.meaning.quantity is not None)


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a layout: the order of bytes, and which optional steps (`flag`, `items`) are not there."""

    layout: Layout
    order: Order
    lacking: frozenset[str]

    @property
    def name(self) -> str:
        """The layout's name, and what is unusual."""
        words = {"flag": "without DATAFLAG", "items": "without items"}
        extra = [words[each] for each in sorted(self.lacking)] + ["high byte first"] * (self.order == "big")
        return ", ".join([self.layout.name, *extra])


class Walks:
    """The layouts of one read, in the order in which they are tried; what fitted last comes first."""

    def __init__(self, read: YdtRead) -> None:
        self._forms = [form for layout in read.layouts for form in forms(layout)]
        self._last: Form | None = None

    def walked(self, info: bytes, ver: int | None = None) -> Walked:
        """Return the walk that fits INFO best. Raises YdtError that says of each layout why it does not fit."""
        with suppress(YdtError):  # where the device changed its answer, all forms are tried again
            again = walk(self._last, info) if self._last is not None else None
            if again is not None and not again.wrong and not again.doubts:
                return again
        found, why = self.all(info, ver)
        plausible = [each for each in found if not each[1].wrong]
        if not plausible:
            why = [f"{each.name}: {each.wrong}" for _, each in found[:2]] or why
            raise YdtError(f"no layout fits the answer ({'; '.join(why)})")
        self._last, best = plausible[0]
        return best

    def all(self, info: bytes, ver: int | None = None) -> tuple[list[tuple[Form, Walked]], list[str]]:
        """Return every walk that ends where INFO ends, best first, and why forms of other layouts do not."""
        found, why = list[tuple[Form, Walked]](), dict[str, str]()
        for form in self._forms:
            try:
                found.append((form, walk(form, info)))
            except YdtError as error:
                why.setdefault(form.layout.name, str(error))

        return sorted(found, key=lambda each: each[1].rank(ver)), [f"{name}: {reason}" for name, reason in why.items()]


def walked(read: YdtRead, info: bytes, ver: int | None = None) -> Walked:
    """Return the walk that fits INFO best. Raises YdtError that says of each layout why it does not fit."""
    return Walks(read).walked(info, ver)


def forms(layout: Layout) -> Iterator[Form]:
    """Return the forms of a layout, the usual one first."""
    optional = sorted(set(_optional(layout.walk)))
    orders: tuple[Order, ...] = ("little", "big") if layout.order == "either" else (layout.order,)
    for order in orders:
        for count in range(len(optional) + 1):
            for lacking in combinations(optional, count):
                yield Form(layout, order, frozenset(lacking))


def walk(form: Form, info: bytes) -> Walked:
    """Walk INFO by one form of a layout, exactly to its end. Raises YdtError where it does not fit."""
    walker = _Walker(form, Walk(info))
    walker.follow(form.layout.walk, {})
    if walker.walk.left:
        raise YdtError(f"{walker.walk.left} bytes are left over")
    fields = tuple(walker.fields)
    valued = [each for each in fields if each.raw is not None or each.doubtful]
    valued = [each for each in valued if each.kind != "bit" and (each.meaning.quantity or each.meaning.is_state)]
    doubtful = [each for each in valued if each.doubtful]
    held, wrong = proofs(form.layout.plausible, fields)
    if len(doubtful) > len(valued) * MOST_DOUBTFUL:
        wrong = [*wrong, f"{len(doubtful)} of {len(valued)} values cannot be, as {_told(doubtful[0])}"]
    flag = walker.flags[0] if walker.flags else None
    return Walked(form.name, form.layout, fields, flag, len(doubtful), held, "; ".join(wrong))


def _optional(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if step.optional:
            yield step.take
        for inside in (step.walk, *step.others.values(), *step.cases.values()):
            yield from _optional(inside)


def _text(octets: bytes) -> str:
    return "".join(chr(octet) if 0x20 <= octet < 0x7F else "?" for octet in octets.rstrip(b" \x00"))


def _plural(word: str) -> str:
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "ch", "sh")) else f"{word}s"


def _told(doubtful: Field) -> str:
    name = doubtful.meaning.label or str(doubtful.meaning.quantity or doubtful.kind)
    return f"{name} of {doubtful.octets.hex().upper()}H"


@dataclass(slots=True)
class _Walker:
    """Takes steps over INFO and keeps what it meets."""

    form: Form
    walk: Walk
    fields: list[Field] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)

    def follow(self, steps: Iterable[Step], index: dict[str, str]) -> None:
        """Take the steps, each value with this index and its own."""
        for step in steps:
            if step.take in self.form.lacking and step.optional:
                continue
            if step.at is not None:
                self._go(step.at, index)
            match step.take:
                case "group":
                    self._group(step, index)
                case "items":
                    self._items(step, index)
                case "rest":
                    self._rest(step, index)
                case "bits":
                    self._bits(step, index)
                case _:
                    self._one(step, index)

    def _go(self, place: int, index: dict[str, str]) -> None:
        if place < self.walk.at:
            raise YdtError(f"byte {place} is behind byte {self.walk.at}, where the walk is")
        if place > self.walk.at:
            self._meet("skip", Meaning(), index, place - self.walk.at)

    def _meet(self, kind: str, meaning: Meaning, index: dict[str, str], length: int) -> bytes:
        """Keep bytes that are no value."""
        at, octets = self.walk.at, self.walk.take(length)
        raw = None if kind in {"text", "skip"} else float(int.from_bytes(octets, "big"))
        self.fields.append(Field(kind, meaning, index, at, octets, raw, _text(octets) if kind == "text" else raw))
        return octets

    def _count(self, kind: str, step: Step, index: dict[str, str], of: str) -> int:
        count = self._meet(kind, Meaning(label=f"Number of {of}"), index, 1)[0]
        if count > step.most:
            raise YdtError(f"{count} {of} are more than the {step.most} that can be")
        if count < step.least and count not in step.cases:
            raise YdtError(f"{count} {of} are fewer than the {step.least} that must be")
        return count

    def _group(self, step: Step, index: dict[str, str]) -> None:
        for number in range(1, self._count("count", step, index, _plural(step.each)) + 1):
            inside = {**index, step.each: str(number)} if number >= step.indexed_from else index
            self.follow(step.others.get(number, step.walk), inside)

    def _items(self, step: Step, index: dict[str, str]) -> None:
        count = self._count("items", step, index, "items of the maker")
        if count in step.cases:
            self.follow(step.cases[count], index)
            return
        if step.cases and not step.walk:
            raise YdtError(f"{count} items where this layout has {' or '.join(map(str, step.cases))}")
        for number in range(count):
            end = self.walk.at + step.length
            if step.each:
                self.follow(step.others.get(number + 1, step.walk), {**index, step.each: str(number + 1)})
            else:
                self.follow(step.walk[number : number + 1], index)
            if self.walk.at > end:
                raise YdtError(f"an item is longer than {step.length} bytes")
            if self.walk.at < end:
                self._item(Meaning(label=f"Item {number + 1} of the maker"), index, end - self.walk.at)

    def _item(self, meaning: Meaning, index: dict[str, str], length: int) -> None:
        """Keep an item that has no name, as the number that its width makes it: 4 float, 2 fixed, 1 state."""
        at = self.walk.at
        raw = self.walk.float32(self.form.order) if length == 4 else self.walk.fixed(length, signed=length == 2)
        octets = self.walk.since(at)
        no_number = raw is None and octets != b"\x20" * length
        self.fields.append(Field("item", meaning, index, at, octets, raw, raw, no_number))

    def _rest(self, step: Step, index: dict[str, str]) -> None:
        number = 0
        while self.walk.left and step.walk:
            number += 1
            if number > step.most:
                raise YdtError(f"more than the {step.most} of {step.each} that can be")
            self.follow(step.walk, {**index, step.each: str(number)})
        if self.walk.left > step.most:
            raise YdtError(f"{self.walk.left} bytes are left, more than the {step.most} that can be")
        if self.walk.left:
            self._meet("skip", Meaning(), index, self.walk.left)

    def _bits(self, step: Step, index: dict[str, str]) -> None:
        at = self.walk.at
        octets = self._meet("bits", Meaning(label=step.label), index, 1)
        for place, bit in step.bits.items():
            self._value("bit", bit.meaning, index, at, float(octets[0] >> place & 1))
        for masked in step.masks:
            self._value("bit", masked, index, at, float(octets[0] & masked.mask))

    def _one(self, step: Step, index: dict[str, str]) -> None:
        at = self.walk.at
        match step.take:
            case "flag":
                self.flags.append(self._meet("flag", Meaning(label="DATAFLAG"), index, 1)[0])
                return
            case "skip" | "text":
                self._meet(step.take, Meaning(label=step.label), {**index, **step.index}, step.length)
                return
            case "float":
                raw = self.walk.float32(step.order or self.form.order)
            case "fixed":
                raw = self.walk.fixed(step.length, signed=step.signed)
            case _:
                raw = float(self.walk.count()) if step.equals is not None else self.walk.code()
        if step.equals is not None and raw != step.equals:
            raise YdtError(
                f"byte {at} is {self.walk.since(at).hex().upper()}H where this layout has {step.equals:02X}H"
            )
        self._value(step.take, step, index, at, raw)

    def _value(self, kind: str, meaning: Meaning, index: dict[str, str], at: int, raw: float | None) -> None:
        octets, value = self.walk.since(at), meaning.of(raw)
        doubtful = value is None and meaning.doubts(raw)
        if kind == "float":
            no_number = raw is None and octets != b"\x20" * len(octets)
            doubtful = doubtful or no_number or (raw is not None and 0 < abs(raw) < LEAST_FLOAT)
        where = {**index, **meaning.index} if meaning.index else index
        self.fields.append(Field(kind, meaning, where, at, octets, raw, None if doubtful else value, doubtful))

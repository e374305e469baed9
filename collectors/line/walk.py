"""The walk over INFO of a YD/T 1363 answer by a definition's layouts: what stands where, and what it means. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from collectors.line.ydt_definition import Layout, Step, YdtRead
from wire.ydt1363 import YdtError
from wire.ydt1363_info import Walk


@dataclass(frozen=True, slots=True)
class Field:
    """One value met on a walk: its step, its index, where it stands in INFO (bytes) and its raw number.

    `raw` is None where the device does not monitor it; `value` is in the unit of the step's quantity.
    """

    step: Step
    index: dict[str, str]
    at: int
    length: int
    raw: float | None

    @property
    def value(self) -> float | str | None:
        """The value in the quantity's unit, or the state's name."""
        return self.step.of(self.raw)


@dataclass(frozen=True, slots=True)
class Walked:
    """An answer that was walked to its end: the layout that fits, its values, and DATAFLAG if it has one."""

    layout: Layout
    fields: tuple[Field, ...]
    flag: int | None


def walked(read: YdtRead, info: bytes) -> Walked:
    """Walk INFO by the first layout that fits it. Raises YdtError that says of each layout why it does not."""
    why = []
    for layout in read.layouts:
        try:
            return walk(layout, info)
        except YdtError as error:
            why.append(f"{layout.name}: {error}")
    raise YdtError(f"no layout fits the answer ({'; '.join(why)})")


def walk(layout: Layout, info: bytes) -> Walked:
    """Walk INFO by one layout, exactly to its end. Raises YdtError where it does not fit."""
    walk, flags = Walk(info), list[int]()
    fields = tuple(_follow(layout.walk, walk, {}, flags))
    if walk.left:
        raise YdtError(f"{walk.left} bytes are left over")
    return Walked(layout, fields, flags[0] if flags else None)


def _follow(steps: tuple[Step, ...], walk: Walk, index: dict[str, str], flags: list[int]) -> Iterator[Field]:
    """Take the steps over INFO; give every value met, with its index."""
    for step in steps:
        if step.take == "group":
            for number in range(1, _count(step, walk) + 1):
                inside = {**index, step.each: str(number)} if number >= step.indexed_from else index
                yield from _follow(step.walk, walk, inside, flags)
        elif step.take == "items":
            for number in range(walk.count()):
                item = Walk(walk.take(step.length))
                if number < len(step.walk):
                    yield from _follow(step.walk[number : number + 1], item, index, flags)
        elif step.take == "flag":
            flags.append(walk.count())
        elif step.take == "skip":
            walk.take(step.length)
        else:
            at, raw = walk.at, _raw(step, walk)
            if step.equals is not None and raw != step.equals:
                raise YdtError(f"a byte is {raw} where this layout has {step.equals}")
            yield Field(step, {**index, **step.index}, at, walk.at - at, raw)


def _count(step: Step, walk: Walk) -> int:
    count = walk.count()
    if count > step.most:
        raise YdtError(f"{count} of {step.each} are more than the {step.most} that can be")
    return count


def _raw(step: Step, walk: Walk) -> float | None:
    if step.take == "float":
        return walk.float32(step.order)
    if step.take == "fixed":
        return walk.fixed(step.length, signed=step.signed)
    return walk.count() if step.equals is not None else walk.code()

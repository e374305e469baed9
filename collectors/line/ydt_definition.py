"""Definitions of YD/T 1363 devices (config/devices/ydt1363/*.yaml): reads, and how their answers are walked.

Each read has one or more layouts: walks over INFO (`ydt_step`). The answer is read by the one that ends exactly where
INFO ends and whose values are plausible (`walk`).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr, replace

from collectors.line.ydt_step import Byte, Index, Meaning, Step
from config.schema import Timeout
from model.quantity import Quantity
from wire.ydt1363 import READS

__all__ = ["Check", "Identify", "Layout", "Meaning", "Step", "YdtDefinition", "YdtRead", "meanings"]

Info = Annotated[str, Meta(pattern=r"([0-9A-F]{2}|ADR)*")]


class Sum(msgspec.Struct, frozen=True):
    """What is added up: every value of a quantity that has this index."""

    of: Quantity
    each: str


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a layout believable.

    A `sum` that lies `near` another value of the same place (the pack's voltage), `within` so much in its unit; or at
    least half of the values `of` a quantity and index lie in a `range`.
    """

    sum: Sum | None = None
    near: Quantity | None = None
    within: Annotated[float, Meta(ge=0)] = 0.0
    of: Quantity | None = None
    index: Index = {}
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse a check that is neither of the two kinds."""
        adds, ranges = self.sum is not None and self.near is not None, self.of is not None and self.range is not None
        if adds == ranges:
            raise ValueError("a check is {sum: {of:, each:}, near:, within:} or {of:, range: [least, most]}")


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """One way to walk an answer's INFO. With `order: either` its numbers of 4 bytes are tried low and high byte first.

    `vers` are the VER of devices that are known to answer so; they decide between layouts that fit equally well.
    """

    name: str
    walk: tuple[Step, ...]
    order: Literal["little", "big", "either"] = "little"
    plausible: tuple[Check, ...] = ()
    vers: tuple[Byte, ...] = ()


class Identify(msgspec.Struct, frozen=True):
    """How a device is recognised on a line: its class, and the texts of its maker information (51H).

    `maker` and `name` are regular expressions that the whole text must match, whatever the case; empty: any.
    """

    cid1: Byte
    maker: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no regular expression."""
        for pattern in (self.maker, self.name):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f'"{pattern}" is no regular expression: {error}') from None

    def matches(self, cid1: int, name: str, maker: str) -> bool:
        """Tell whether a device of this class, with these texts of 51H, is meant."""
        told = ((self.name, name), (self.maker, maker))
        return cid1 == self.cid1 and all(not want or re.fullmatch(want, has, re.IGNORECASE) for want, has in told)


class YdtRead(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange: class, command, INFO of the request, layouts.

    INFO is hexadecimal text (ADR stands for the address), or several in the order in which they are tried when the
    device refuses one as malformed (RTN 05 or 06). A read that is not `asked` only explains frames that others asked
    for: commands of makers (80H to EFH) may do anything. An `optional` one that the device does not serve (RTN 04) is
    not missed.
    """

    name: str
    cid1: Byte
    command: Byte
    info: Info | tuple[Info, ...] = ""
    asked: bool = True
    optional: bool = False
    layouts: Annotated[tuple[Layout, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse a command that is no read."""
        if self.asked and self.command not in READS:
            allowed = ", ".join(f"0x{each:02X}" for each in READS)
            raise ValueError(f"command 0x{self.command:02X} is not a read; write one of {allowed}")

    @property
    def infos(self) -> tuple[str, ...]:
        """The forms of the request's INFO, the first to try first."""
        return self.info if isinstance(self.info, tuple) else (self.info,)

    @property
    def clears_flags(self) -> bool:
        """True for states and alarms: reading them clears the DATAFLAG bits that another master may wait for."""
        return self.command in {0x43, 0x44}


class YdtDefinition(msgspec.Struct, frozen=True, kw_only=True, tag_field="protocol", tag="ydt1363"):
    """A YD/T 1363 device: the reads of one address, alarms and states first, and those of the definitions it `extends`.

    `parts` are pieces of walks that several layouts share: {take: part, part: NAME}. Where `dataflag` is not to be
    relied on, alarms and states are read in every poll. `info` takes the place of every read's that it extends.
    `other_vers` are tried when the device refuses the version `ver` (RTN 01).
    """

    name: str
    maker: str = ""
    source: str
    notes: str = ""
    ver: Byte = 0x20
    other_vers: tuple[Byte, ...] = ()
    timeout: Timeout | None = None
    dataflag: Literal["reliable", "unreliable"] = "reliable"
    identify: tuple[Identify, ...] = ()
    extends: tuple[str, ...] = ()
    info: Info | tuple[Info, ...] | None = None
    parts: dict[str, tuple[Step, ...]] = {}
    reads: tuple[YdtRead, ...] = ()

    def __post_init__(self) -> None:
        """Put the parts in their places."""
        if not self.reads and not self.extends:
            raise ValueError("a definition needs reads:, or extends: with the names of others")
        reads = tuple(_replaced(read, lambda steps: _whole(steps, self.parts)) for read in self.reads)
        force_setattr(self, "reads", _in_order(reads))

    def with_bases(self, find: Callable[[str], object]) -> "YdtDefinition":
        """Return it with the reads of what it extends; reads for the same question have their layouts joined.

        Raises ValueError for a name that `find` (which gives a definition, or raises KeyError) does not know.
        """
        reads = list(self.reads)
        for name in self.extends:
            try:
                base = find(name)
            except KeyError:
                base = None
            if base is None or not isinstance(base, YdtDefinition):
                raise ValueError(f'extends "{name}"; there is no such definition of this protocol')
            _join(reads, (read if self.info is None else replace(read, info=self.info) for read in base.reads))
        return replace(self, reads=_in_order(reads))


def _in_order(reads: Iterable[YdtRead]) -> tuple[YdtRead, ...]:
    """Return alarms first, then states, then values."""
    rank = {0x44: 0, 0x43: 1}
    return tuple(sorted(reads, key=lambda read: rank.get(read.command, 2)))


def _join(reads: list[YdtRead], more: Iterable[YdtRead]) -> None:
    for read in more:
        for place, known in enumerate(reads):
            if (known.cid1, known.command, known.infos) == (read.cid1, read.command, read.infos):
                layouts = (*known.layouts, *(each for each in read.layouts if each not in known.layouts))
                reads[place] = replace(known, layouts=layouts)
                break
        else:
            reads.append(read)


def meanings(read: YdtRead) -> Iterator[Meaning]:
    """Return every reading that an answer may bring, in the order of its layouts: those of bits and of cases too."""
    seen = set[tuple[Quantity | None, str, tuple[tuple[str, str], ...]]]()
    for step in (step for layout in read.layouts for step in _every(layout.walk)):
        for each in (step, *(bit.meaning for bit in step.bits.values()), *step.masks):
            key = each.quantity, each.label, tuple(each.index.items())
            if each.quantity is not None and key not in seen:
                seen.add(key)
                yield each


def _every(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        for inside in (step.walk, *step.others.values(), *step.cases.values()):
            yield from _every(inside)


Steps = tuple[Step, ...]


def _replaced(read: YdtRead, change: Callable[[Steps], Steps]) -> YdtRead:
    layouts = (replace(layout, walk=change(layout.walk)) for layout in read.layouts)
    return replace(read, layouts=tuple(layouts))


def _whole(steps: Steps, parts: dict[str, Steps], depth: int = 0) -> Steps:
    """Return the steps with every part written out. Raises ValueError for a part that is not there, or without end."""
    if depth > 8:
        raise ValueError("a part takes itself")
    whole: list[Step] = []
    for step in steps:
        if step.take == "part":
            if step.part not in parts:
                raise ValueError(f'there is no part "{step.part}"; parts: says what it is')
            whole += _whole(parts[step.part], parts, depth + 1)
            continue
        inside = {"walk": _whole(step.walk, parts, depth + 1)}
        for key in ("others", "cases"):
            inside[key] = {n: _whole(each, parts, depth + 1) for n, each in getattr(step, key).items()}  # type: ignore[assignment]
        whole.append(replace(step, **inside))
    return tuple(whole)

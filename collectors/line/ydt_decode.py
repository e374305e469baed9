"""What an answer of a YD/T 1363 device says, by every shipped definition that it fits."""

from dataclasses import dataclass
from functools import cache

from collectors.line.definition import YdtDefinition, shipped
from collectors.line.walk import Field, Walked, Walks
from collectors.line.ydt_definition import YdtRead
from config.shipped import names


@dataclass(frozen=True, slots=True)
class Decoded:
    """An answer by one definition's read: `definition` is its file's name, `layout` the layout and its form.

    `wrong` says why it is hardly that; it is empty for a plausible reading.
    """

    definition: str
    device: str
    read: str
    layout: str
    fields: tuple[Field, ...]
    flag: int | None
    wrong: str


def decoded(cid1: int, command: int | None, ver: int, info: bytes) -> list[Decoded]:
    """Return what INFO of an answer (RTN 00) says by the shipped definitions that it fits, the best first.

    `command` is that of the request, None when it is not known: then every read of the class is tried. Only when no
    definition fits plausibly are those given that end where INFO ends and yet can hardly be right.
    """
    found = list[tuple[tuple[bool, int, int, int, int], Decoded]]()
    for name, definition, read in _reads():
        if read.cid1 != cid1 or command not in {None, read.command}:
            continue
        walks, _ = Walks(read).all(info, ver)
        found += [(walked.rank(ver), _decoded(name, definition, read, walked)) for _, walked in walks[:1]]
    found.sort(key=lambda each: each[0])
    best: list[Decoded] = []
    for _, each in found:
        plausible = not each.wrong or not any(not other.wrong for other in best)
        if plausible and all(each.fields != other.fields for other in best):
            best.append(each)
    return best


def _decoded(name: str, definition: YdtDefinition, read: YdtRead, walked: Walked) -> Decoded:
    return Decoded(name, definition.name, read.name, walked.name, walked.fields, walked.flag, walked.wrong)


@cache
def _reads() -> tuple[tuple[str, YdtDefinition, YdtRead], ...]:
    """Return every read of every shipped definition, those last that extend others: a read is told by its own name."""
    found = ((name, shipped(name)) for name in sorted(names("devices/ydt1363")))
    ours = [(name, definition) for name, definition in found if isinstance(definition, YdtDefinition)]
    ours.sort(key=lambda each: bool(each[1].extends))
    return tuple((name, definition, read) for name, definition in ours for read in definition.reads)

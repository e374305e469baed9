"""What a shipped YD/T 1363 definition reads of INFO, by point."""

from collectors.line.definition import shipped
from collectors.line.walk import Walks
from collectors.line.ydt_definition import YdtDefinition, YdtRead
from model.point import point_id


def ydt(name: str) -> YdtDefinition:
    """Return the shipped definition of that name."""
    found = shipped(name)
    assert isinstance(found, YdtDefinition)
    return found


def read_of(name: str, cid1: int, command: int) -> YdtRead:
    """Return its read of a class and command."""
    return next(each for each in ydt(name).reads if (each.cid1, each.command) == (cid1, command))


def values(name: str, cid1: int, command: int, info: bytes, ver: int | None = None) -> dict[str, float | str | None]:
    """Return what a definition reads, by point; the first value of two."""
    found: dict[str, float | str | None] = {}
    for each in Walks(read_of(name, cid1, command)).walked(info, ver).readings:
        assert each.meaning.quantity is not None
        point = point_id(each.meaning.quantity, tuple(each.index.items()))
        if found.get(point) is None:
            found[point] = each.value
    return found

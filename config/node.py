"""What a YAML file is before it means anything: nodes that know their line, and problems that name it.

Scalars stay text: `on`, `1.30`, `0123` and `12:30` are what stands in the file, until a schema says what they mean.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """Where something stands: the file as it was named, line and column from 1. Line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong: where, the key's path (`lines[0].baud`), what is wrong and what would be right."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = Place(self.file, self.line)
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigError(Exception):
    """A file cannot be used. `problems` holds every one that was found; the text has one line each, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class _Node(msgspec.Struct, frozen=True):
    """What every node has: its place and its path from the top of the file."""

    place: Place
    path: str
    kind: ClassVar[str] = ""

    def problem(self, message: str) -> Problem:
        """Return a problem that stands here."""
        return Problem(self.place.file, self.place.line, self.place.column, self.path, message)


class Scalar(_Node, frozen=True):
    """One value as text. `plain` is false when it stood in quotes or in a block (`|`, `>`)."""

    text: str = ""
    plain: bool = True
    kind: ClassVar[str] = "a single value"

    @property
    def empty(self) -> bool:
        """True when nothing is written after the colon or the dash."""
        return self.plain and not self.text


class Listing(_Node, frozen=True):
    """A list."""

    items: tuple[Node, ...] = ()
    kind: ClassVar[str] = "a list"


class Table(_Node, frozen=True):
    """A map: its values by key in the file's order, and where each key stands."""

    fields: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    kind: ClassVar[str] = "a map"

    def at(self, key: str) -> Node:
        """Return the value of that key, or this map when the key is not there: for pointing at a problem."""
        return self.fields.get(key, self)


Node = Scalar | Listing | Table

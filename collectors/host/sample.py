"""What a section of the host gives: points, each made once, with their values."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from model.point import Point, point_id
from model.quantity import Quantity

Value = float | str | Exception
"""A number in the quantity's unit, a state's name, or why this one point could not be read."""

Samples = Iterable[tuple[Point, Value]]


class Points:
    """The points of one section, interned: the same quantity and index give the same object.

    A point is made when the machine is known to have the thing. From then on each collection has a reading of it.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self._points: dict[tuple[Quantity, tuple[str, ...]], Point] = {}

    def of(self, quantity: Quantity, label: str, index: tuple[tuple[str, str], ...] = (), *, source: str = "") -> Point:
        """Return the point of a quantity and an index such as `(("mount", "/var"),)`; `label` is for people."""
        key = (quantity, tuple(value for _, value in index))
        point = self._points.get(key)
        if point is None:
            point = Point(self.device, point_id(quantity, index), quantity, label, index, source)
            self._points[key] = point
        return point

    def known(self) -> tuple[Point, ...]:
        """Return every point made so far."""
        return tuple(self._points.values())

    def forget(self) -> None:
        """Drop them all: what they belong to turned out to be nothing that can be measured."""
        self._points.clear()


class Section(Protocol):
    """One part of the machine. What this machine does not have gives no point; what fails raises."""

    name: str
    points: Points

    def read(self) -> Samples:
        """Give each point's value, or why that one could not be read."""
        ...


def text_of(path: Path) -> str:
    """Return a small file of /sys without the white space around it. Raises OSError."""
    return path.read_text(encoding="utf-8", errors="replace").strip()


def number_of(path: Path, scale: float = 1.0) -> float:
    """Return the whole number in a file of /sys times `scale`. Raises OSError or ValueError."""
    return int(text_of(path)) * scale


def words(error: Exception) -> str:
    """Return an error as a few plain words."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__

"""What the two protocols of a line have in common: questions that are asked, answers that are taken apart.

A `Slave` knows its definition and its address and does no I/O: it plans questions, each with a reader for its answer,
and turns answers into values of its points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from model.point import Point, State, point_id
from model.quantity import Quantity
from wire.modbus import Refusal, Reply
from wire.modbus_frames import Identity
from wire.ydt1363 import Frame

Answer = Reply | Refusal | Identity | Frame
Values = Mapping[Point, float | str | None]


class Reader(Protocol):
    """Finds one answer in the bytes of the line."""

    @property
    def mismatches(self) -> int:
        """Places that looked like an answer but for their check sum."""
        ...

    @property
    def skipped(self) -> int:
        """Bytes that were no part of the answer."""
        ...

    def feed(self, octets: bytes) -> Answer | None:
        """Take bytes; return the answer once it is whole."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One request: `key` tells it from the slave's other ones, `longest` is the most characters its answer can have.

    `unit` is the address it goes to.
    """

    key: str
    frame: bytes
    reader: Callable[[], Reader]
    longest: int
    unit: int = 0


class RefusedError(Exception):
    """The slave answered, but not with values; the text says why in plain words. `permanent`: it will not change."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class PartedError(RefusedError):
    """The slave refused a read that is asked in parts from now on: nothing is missing for it."""


class Slave(Protocol):
    """One device on the line, as its protocol and definition see it."""

    device: str

    @property
    def is_fixed(self) -> bool:
        """True while no answer changes what else is asked in a poll."""
        ...

    def begin(self, now: float, *, whole: bool) -> None:
        """Begin a poll at this time (s); `whole`: of everything, because the device is new or was away."""
        ...

    def plan(self) -> list[Question]:
        """Return the questions of this poll, in the order in which they are asked, as far as they are known yet."""
        ...

    def unchanged(self) -> Mapping[str, str]:
        """Return the keys of questions that were not asked because an answer of this poll says: unchanged; and its key.

        Whoever holds their last values may tell them as of that answer.
        """
        ...

    def take(self, question: Question, answer: Answer) -> Values:
        """Return the values in an answer. Raises RefusedError."""
        ...

    def points(self) -> list[Point]:
        """Return every point known so far: those of the definition, and those that counts have brought."""
        ...


class Points:
    """The points of one device, made once and kept in order."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._known: dict[str, Point] = {}

    def at(
        self,
        quantity: Quantity,
        index: Mapping[str, str],
        *,
        label: str,
        source: str,
        states: tuple[State, ...] = (),
        preferred: bool = True,
        numbered: bool = True,
    ) -> Point:
        """Return the point of this quantity and index, the same object each time.

        Its label says the numbers of its index too, unless it does so already (`numbered` is False).
        """
        pairs = tuple(index.items())
        name = point_id(quantity, pairs)
        point = self._known.get(name)
        if point is None:
            told = [value for key, value in pairs if numbered and key not in {"phase", "of", "direction"}]
            shown = " ".join((label, *told)) if label else name
            point = Point(self._device, name, quantity, shown, pairs, source, states, preferred)
            self._known[name] = point
        return point

    def all(self) -> list[Point]:
        """Return every point made so far."""
        return list(self._known.values())

"""Replies that look like one before: read by where everything stood then.

A card that is polled answers the same names in the same order, over and over, and mostly in as many octets.  Such a
reply differs from the one before in nothing but the contents of its values.  That is checked for all octets at once,
as one large number under a mask; then every value is taken from where it stood.  What differs in any other octet, a
length or a name, is not read here, but by the reader that looks at every element.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

INTEGER, OCTET_STRING = 0x02, 0x04
UNSIGNED = frozenset((0x41, 0x42, 0x43, 0x46, 0x47))  # Counter32, Gauge32, TimeTicks, Counter64, UInteger32
LEAST, LARGEST = 8, 4_096  # octets of variable bindings between which it is worth it
MOST = 1_024  # layouts kept: with the bound on octets, what a hostile agent can fill
ALIKE = 4  # kept of replies of one size that begin with one name
_SIGNED_FIELDS = {1: "b", 2: "h", 4: "i", 8: "q"}
_UNSIGNED_FIELDS = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Span(NamedTuple):
    """A binding within its list: the name, the tag of the value, and where the value's content begins and ends."""

    name: str
    tag: int
    start: int
    stop: int


class Layout:
    """Where the names, tags and values stand in a list of variable bindings.

    `read` gives the values as `struct` does: those at `odd` places still as their octets.
    """

    __slots__ = ("_fields", "_fixed", "_mask", "names", "odd", "tags")

    def __init__(self, content: bytes, spans: Iterable[Span]) -> None:
        found = tuple(spans)
        self.names = tuple(span.name for span in found)
        self.tags = tuple(span.tag for span in found)
        mask, form, at, odd = bytearray(b"\xff" * len(content)), [">"], 0, []
        for place, span in enumerate(found):
            start, field = _field(content, span)
            form.append(f"{start - at}x{field}")
            mask[start : span.stop] = bytes(span.stop - start)
            at = span.stop
            if field.endswith("s") and span.tag != OCTET_STRING:
                odd.append(place)
        self.odd = tuple(odd)
        self._fields = struct.Struct("".join(form))
        self._mask = int.from_bytes(mask, "big")
        self._fixed = int.from_bytes(content, "big") & self._mask

    def read(self, content: bytes) -> tuple[int | bytes, ...] | None:
        """Return the values of a list as long as this one was, None when it differs in more than its values."""
        if int.from_bytes(content, "big") & self._mask != self._fixed:
            return None
        return self._fields.unpack(content)


def _field(content: bytes, span: Span) -> tuple[int, str]:
    """Return where a value's field begins and its letter; the zero before an unsigned number belongs to the frame."""
    start, size = span.start, span.stop - span.start
    if span.tag == INTEGER and size in _SIGNED_FIELDS:
        return start, _SIGNED_FIELDS[size]
    if span.tag in UNSIGNED:
        if size in _UNSIGNED_FIELDS:
            return start, _UNSIGNED_FIELDS[size]
        if size - 1 in _UNSIGNED_FIELDS and not content[start]:
            return start + 1, _UNSIGNED_FIELDS[size - 1]
    return start, f"{size}s"


class Layouts:
    """The layouts of late, by size and first name."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, bytes], list[Layout]] = {}
        self._count = 0
        self._misses = 0

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
        self._count = 0

    def find(self, content: bytes) -> tuple[Layout, tuple[int | bytes, ...]] | None:
        """Return the layout that a list of bindings has, and its values; None when it is another or not known."""
        for layout in self._known.get(_key(content), ()):
            values = layout.read(content)
            if values is not None:
                return layout, values
        return None

    def learn(self, content: bytes, spans: Iterable[Span]) -> None:
        """Keep the layout of a list that was read element by element.

        Where as many alike are known already, one in so many takes the place of the oldest: a card whose values change
        their sizes all the time costs little more than without.
        """
        if not LEAST <= len(content) <= LARGEST:
            return
        if self._count >= MOST:
            self.clear()
        alike = self._known.setdefault(_key(content), [])
        if len(alike) >= ALIKE:
            self._misses += 1
            if self._misses % ALIKE:
                return
            del alike[0]
            self._count -= 1
        alike.append(Layout(content, spans))
        self._count += 1


def _key(content: bytes) -> tuple[int, bytes]:
    """Return size and first name, as they stand where the first binding is a short one."""
    return len(content), content[4 : 4 + content[3]] if len(content) > LEAST else b""

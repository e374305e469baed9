"""BER as a tree that can be mangled and written again: lengths follow what changed, unless they are what is mangled."""

from dataclasses import dataclass, field

CONSTRUCTED = 0x20
OCTET_STRING, SEQUENCE = 0x04, 0x30
DEEPEST = 12


@dataclass
class Node:
    """An element: its identifier octet, and either its content or the elements within it.

    `length` is written instead of the right length when it is not empty.
    """

    tag: int
    content: bytes = b""
    inside: list["Node"] = field(default_factory=list)
    length: bytes = b""

    def octets(self) -> bytes:
        """Write the element."""
        content = b"".join(node.octets() for node in self.inside) if self.inside else self.content
        return bytes((self.tag,)) + (self.length or shortest(len(content))) + content

    def all(self) -> list["Node"]:
        """Return this element and all within it."""
        return [self, *(deeper for node in self.inside for deeper in node.all())]


def shortest(size: int) -> bytes:
    """Return a length in its shortest form."""
    return bytes((size,)) if size < 0x80 else long_form(size, (size.bit_length() + 7) // 8)


def long_form(size: int, octets: int) -> bytes:
    """Return a length in long form of so many octets, which must be enough for it."""
    return bytes((0x80 | octets,)) + size.to_bytes(octets, "big")


def parse(octets: bytes, depth: int = 0) -> list[Node] | None:
    """Read elements that fill the octets; None when they do not.

    What is not constructed is read as such when it holds a SEQUENCE, as version 3's security parameters do.
    """
    found: list[Node] = []
    at = 0
    while at < len(octets):
        head = _head(octets, at)
        if head is None:
            return None
        start, stop = head
        tag, content = octets[at], octets[start:stop]
        opens = tag & CONSTRUCTED or (tag == OCTET_STRING and content[:1] == b"\x30")
        inside = parse(content, depth + 1) if opens and depth < DEEPEST else None
        found.append(Node(tag, content, inside or []))
        at = stop
    return found


def _head(octets: bytes, at: int) -> tuple[int, int] | None:
    """Return where an element's content begins and ends; None when it does not end within the octets."""
    if at + 2 > len(octets):
        return None
    size, start = octets[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 8 or start + count > len(octets):
            return None
        size, start = int.from_bytes(octets[start : start + count], "big"), start + count
    return (start, start + size) if start + size <= len(octets) else None

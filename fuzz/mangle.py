"""Mangling of valid messages, one to three times: each result is what a broken or hostile agent could send."""

import random
from collections.abc import Callable, Sequence

from fuzz.tree import Node, long_form, parse

TAGS = (
    *(0x02, 0x04, 0x05, 0x06, 0x30, 0x40, 0x41, 0x42, 0x43, 0x44, 0x46, 0x47, 0x80, 0x81, 0x82),
    *(0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0x00, 0x01, 0x09, 0x0A, 0x1F, 0x24, 0x31, 0x3F, 0xFF),
)
CONTENTS = (
    *(b"", b"\0", b"\x01", b"\x03", b"\x7f", b"\x80", b"\xff", b"\xff" * 4, b"\0" * 5, b"\x80" + b"\0" * 3),
    *(b"\x7f" + b"\xff" * 3, b"\x7f" + b"\xff" * 7, b"\0" + b"\xff" * 8, b"\0" * 9, b"\x01" + b"\0" * 9),
    *(b"\x2b", b"\x2b\x86", b"\x2b\x80\x01", b"\x2b\x90\x80\x80\x80\x00", b"\x2b" + b"\x8f\xff\xff\xff\x7f", b"\x78"),
    *(
        b"\x2b" * 127,
        b"\x2b" * 128,
        b"\x2b" * 129,
        b"\x2b" * 300,
        b"\x9f\x78\x04\x7f\xc0\0\0",
        b"\x9f\x78\x05" + b"\0" * 5,
    ),
    b"\x9f\x79\x08\x7f\xf0" + b"\0" * 6,
)

Draw = random.Random


def mangled(octets: bytes, seeds: Sequence[bytes], draw: Draw) -> bytes:
    """Return a message made from this one, or from a seed when this one is no BER any more."""
    tree = parse(octets) or parse(draw.choice(seeds)) or []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        nodes = [node for top in tree for node in top.all()]
        draw.choice(WAYS)(draw.choice(nodes), nodes, seeds, draw)
    result = b"".join(node.octets() for node in tree)
    return _torn(result, draw) if draw.random() < 0.1 else result


def _tag(node: Node, _nodes: list[Node], _seeds: Sequence[bytes], draw: Draw) -> None:
    node.tag = draw.choice(TAGS) if draw.random() < 0.9 else draw.randrange(256)


def _content(node: Node, _nodes: list[Node], _seeds: Sequence[bytes], draw: Draw) -> None:
    if draw.random() < 0.7:
        node.inside, node.content = [], draw.choice(CONTENTS)
    elif not node.inside:
        node.content = draw.randbytes(draw.randrange(12))


def _one_octet(node: Node, _nodes: list[Node], _seeds: Sequence[bytes], draw: Draw) -> None:
    if node.content and not node.inside:
        at = draw.randrange(len(node.content))
        node.content = node.content[:at] + bytes((draw.randrange(256),)) + node.content[at + 1 :]


def _length(node: Node, _nodes: list[Node], _seeds: Sequence[bytes], draw: Draw) -> None:
    size = len(node.octets()) - 2
    wrong = size + draw.choice((-2, -1, 1, 2, 100, 70_000))
    node.length = draw.choice(
        (
            long_form(max(0, size), draw.choice((3, 4, 5, 8, 9, 20))),
            long_form(max(0, wrong), 4),
            bytes((max(0, wrong) & 0x7F,)),
            *(b"\x80", b"\xff", b"\x84\xff\xff\xff\xff", b"\x88" + b"\xff" * 8),
        )
    )


def _repeat(node: Node, _nodes: list[Node], _seeds: Sequence[bytes], draw: Draw) -> None:
    if node.inside:
        node.inside.insert(draw.randrange(len(node.inside) + 1), draw.choice(node.inside))


def _drop(node: Node, _nodes: list[Node], _seeds: Sequence[bytes], draw: Draw) -> None:
    if node.inside:
        del node.inside[draw.randrange(len(node.inside))]
        node.content = b""


def _swap(node: Node, nodes: list[Node], _seeds: Sequence[bytes], draw: Draw) -> None:
    """Put another element's content in; never one that holds this very element."""
    other = draw.choice(nodes)
    if all(inner is not node for inner in other.all()):
        node.content, node.inside = other.content, list(other.inside)


def _splice(node: Node, _nodes: list[Node], seeds: Sequence[bytes], draw: Draw) -> None:
    """Put an element of another message in."""
    donor = parse(draw.choice(seeds)) or []
    if donor and node.inside:
        node.inside[draw.randrange(len(node.inside))] = draw.choice(donor[0].all())


def _wrap(node: Node, _nodes: list[Node], _seeds: Sequence[bytes], _draw: Draw) -> None:
    """Nest deeper."""
    node.inside = [Node(node.tag, node.content, node.inside)]


WAYS: tuple[Callable[[Node, list[Node], Sequence[bytes], Draw], None], ...] = (
    *(_tag, _content, _content, _one_octet, _one_octet, _length, _repeat, _drop, _swap, _splice, _wrap),
)


def _torn(octets: bytes, draw: Draw) -> bytes:
    """Cut it, append to it, or change one octet wherever it is."""
    at = draw.randrange(len(octets) + 1)
    return draw.choice((octets[:at], octets + draw.randbytes(3), octets[:at] + draw.randbytes(1) + octets[at + 1 :]))

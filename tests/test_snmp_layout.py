"""Replies read by the layout of one before: always the same as element by element."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.mangle import mangled
from fuzz.seeds import BINDS, seeds
from wire import ber, layout, snmp
from wire.ber import MalformedError
from wire.snmp import Message, Pdu, Value, VarBind

TYPES = (ber.INTEGER, snmp.COUNTER32, snmp.GAUGE32, snmp.TIME_TICKS, snmp.COUNTER64, snmp.UINTEGER32)
NUMBERS = st.integers(0, 2**64 - 1) | st.sampled_from(
    [0, 127, 128, 255, 256, 32_767, 32_768, 65_535, 8_388_608, 2**31, 2**32 - 1]
)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    snmp.layouts.clear()
    yield
    snmp.layouts.clear()


def reply(*values: tuple[int, Value], request_id: int = 1) -> bytes:
    binds = tuple(VarBind(f"1.3.6.1.4.1.{at}.0", tag, value) for at, (tag, value) in enumerate(values, 1))
    return snmp.encode(Message(snmp.V2C, b"public", Pdu(snmp.RESPONSE, request_id, 0, 0, binds)))


def afresh(octets: bytes) -> str:
    """Return what is read element by element, as text: a NaN equals itself."""
    snmp.layouts.clear()
    return read(octets)


def read(octets: bytes) -> str:
    try:
        return repr(snmp.decode(octets))
    except MalformedError as error:
        return f"refused: {error}"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TYPES), NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_numbers_that_change_are_read_as_if_for_the_first_time(moves: list[tuple[int, int, int]]) -> None:
    before = reply(*((tag, was % 2**63) for tag, was, _ in moves))
    after = reply(*((tag, now % 2**63) for tag, _, now in moves), request_id=2)
    fresh = afresh(after)
    snmp.layouts.clear()
    snmp.decode(before)
    assert read(after) == fresh
    assert read(after) == fresh


def test_every_type_is_read_by_the_layout_of_a_reply_before() -> None:
    octets = snmp.encode(Message(snmp.V2C, b"public", Pdu(snmp.RESPONSE, 1, 0, 0, BINDS)))
    first = snmp.decode(octets)
    assert snmp.decode(octets) == first
    assert first.pdu.varbinds == BINDS


def test_a_second_reply_of_the_same_shape_is_read_by_its_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    snmp.decode(reply((ber.INTEGER, 5), (snmp.GAUGE32, 200)))
    monkeypatch.setattr(snmp, "_each_varbind", None)
    binds = snmp.decode(reply((ber.INTEGER, -7), (snmp.GAUGE32, 255))).pdu.varbinds
    assert [bind.value for bind in binds] == [-7, 255]
    with pytest.raises(TypeError):  # one octet more: element by element
        snmp.decode(reply((ber.INTEGER, -700), (snmp.GAUGE32, 255)))


def test_any_octet_changed_is_read_or_refused_as_if_for_the_first_time() -> None:
    draw = random.Random(5)
    octets = snmp.encode(Message(snmp.V2C, b"public", Pdu(snmp.RESPONSE, 1, 0, 0, BINDS)))
    for at in range(len(octets)):
        for _ in range(8):
            changed = octets[:at] + bytes((draw.randrange(256),)) + octets[at + 1 :]
            fresh = afresh(changed)
            snmp.decode(octets)
            assert read(changed).partition(" at octet")[0] == fresh.partition(" at octet")[0]


def test_mangled_replies_are_read_the_same_with_and_without_what_was_read_before() -> None:
    draw, known = random.Random(9), seeds()
    found = [mangled(draw.choice(known), known, draw) for _ in range(1500)]
    fresh = [afresh(octets) for octets in found]
    snmp.layouts.clear()
    assert [read(octets) for octets in found] == fresh
    assert [read(octets) for octets in found] == fresh


def test_what_is_kept_is_bounded() -> None:
    for size in range(3 * layout.MOST):
        snmp.decode(reply((ber.OCTET_STRING, bytes(size % 1000)), (ber.INTEGER, size)))
    kept = [each for alike in snmp.layouts._known.values() for each in alike]
    assert 0 < len(kept) <= layout.MOST
    assert all(len(alike) <= layout.ALIKE for alike in snmp.layouts._known.values())
    snmp.layouts.clear()
    snmp.decode(reply((ber.OCTET_STRING, bytes(layout.LARGEST)), (ber.INTEGER, 1)))
    assert not snmp.layouts._known


def test_a_card_whose_values_change_their_sizes_is_learnt_anew_now_and_then() -> None:
    sizes = [
        reply((ber.INTEGER, 1), *((ber.INTEGER, 200 if at == wide else 1) for at in range(12))) for wide in range(12)
    ]
    for octets in [*sizes, *sizes, *sizes[6:], *sizes[6:], *sizes[6:]]:
        assert read(octets) == afresh_kept(octets)
    (alike,) = snmp.layouts._known.values()
    assert len(alike) == layout.ALIKE


def afresh_kept(octets: bytes) -> str:
    kept, snmp.layouts = snmp.layouts, layout.Layouts()
    try:
        return read(octets)
    finally:
        snmp.layouts = kept

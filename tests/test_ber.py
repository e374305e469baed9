"""The part of BER that SNMP uses, cross-checked against pyasn1."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pyasn1.type import univ

from wire import ber
from wire.ber import MalformedError

# X.690 8.1.3 and 8.3, and names from RFC 1157 and X.690 8.19's example {2 100 3} -> 813403 -> here "2.100.3"
OIDS = [
    ("1.3.6.1.2.1.1.2.0", "2b06010201010200"),
    ("2.100.3", "813403"),
    ("0.0", "00"),
    ("1.39", "4f"),
    ("2.0", "50"),
    ("1.3.6.1.4.1.4294967295", "2b060104018fffffff7f"),
    ("1.3.127.128.16383.16384", "2b7f8100ff7f818000"),
]


@pytest.mark.parametrize(("dotted", "content"), OIDS)
def test_a_name_reads_and_writes_as_the_standard_says(dotted: str, content: str) -> None:
    octets = bytes.fromhex(content)
    assert ber.oid(octets) == dotted
    assert ber.encode_oid(dotted) == ber.element(ber.OBJECT_IDENTIFIER, octets)


def test_a_name_of_no_octets_is_zero_zero() -> None:
    assert ber.oid(b"") == "0.0"


@pytest.mark.parametrize(
    "content",
    [b"\x2b\x86", b"\x2b\x90\x80\x80\x80\x00", b"\x2b" + b"\x01" * 127, b"\x01" * 300],
    ids=["cut within a sub-identifier", "33 bits", "129 sub-identifiers", "300 octets"],
)
def test_a_bad_name_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedError):
        ber.oid(content)


@pytest.mark.parametrize(
    "dotted", ["", "1", "1.", "a.b", "3.1", "1.40", "1.3.-1", "1.3.4294967296", "1.3" + ".1" * 127]
)
def test_what_is_no_name_cannot_be_written(dotted: str) -> None:
    with pytest.raises(MalformedError):
        ber.encode_oid(dotted)


@pytest.mark.parametrize(
    ("number", "octets"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (2**31 - 1, "02047fffffff"),
        (-(2**31), "020480000000"),
    ],
)
def test_an_integer_reads_and_writes_as_the_standard_says(number: int, octets: str) -> None:
    wire = bytes.fromhex(octets)
    assert ber.encode_integer(number) == wire
    assert ber.integer(wire, 0, len(wire)) == (number, len(wire))


def test_needless_leading_octets_of_an_integer_are_read_over() -> None:
    wire = bytes.fromhex("0204 0000 0005")
    assert ber.integer(wire, 0, len(wire)) == (5, 6)
    wire = bytes.fromhex("0203 ffff fb")
    assert ber.integer(wire, 0, len(wire)) == (-5, 5)


@pytest.mark.parametrize("octets", ["0200", "020a00000000000000000001", "04017f", "0202ff", "02"])
def test_an_integer_of_no_octets_too_many_or_cut_is_refused(octets: str) -> None:
    wire = bytes.fromhex(octets)
    with pytest.raises(MalformedError):
        ber.integer(wire, 0, len(wire))


@pytest.mark.parametrize(
    "octets", ["0481 03 616263", "0482 0003 616263", "0484 00000003 616263", "0488 0000000000000003 616263"]
)
def test_a_length_in_a_longer_form_than_needed_is_read(octets: str) -> None:
    wire = bytes.fromhex(octets)
    assert ber.octets(wire, 0, len(wire)) == (b"abc", len(wire))


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        ("0480 616263", "length"),
        ("04ff 03 616263", "length"),
        ("0489 000000000000000003 616263", "length"),
        ("0484 ffffffff 61", "past its enclosing end"),
        ("0482 00", "length"),
        ("0404 616263", "past its enclosing end"),
        ("1f01 00", "identifier of several octets"),
        ("", "no identifier"),
    ],
)
def test_an_element_without_a_sound_head_is_refused_and_the_text_says_why(octets: str, says: str) -> None:
    wire = bytes.fromhex(octets)
    with pytest.raises(MalformedError, match=says):
        ber.head(wire, 0, len(wire))


def test_an_element_may_not_leave_the_one_around_it_although_the_octets_are_there() -> None:
    wire = bytes.fromhex("3003 0402 6162 ffff")
    with pytest.raises(MalformedError, match="past its enclosing end"):
        ber.octets(wire, 2, 5)


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_agree_with_pyasn1_in_both_directions(number: int) -> None:
    ours, theirs = ber.encode_integer(number), encoder.encode(univ.Integer(number))
    assert len(ours) <= len(theirs)  # pyasn1 gives -128 an octet more than it needs
    assert int(decoder.decode(ours)[0]) == number
    assert ber.integer(theirs, 0, len(theirs)) == (number, len(theirs))


@settings(deadline=None)
@given(
    st.tuples(st.integers(0, 1), st.integers(0, 39)) | st.tuples(st.just(2), st.integers(0, 2**32 - 81)),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
)
def test_names_agree_with_pyasn1_in_both_directions(first: tuple[int, int], rest: list[int]) -> None:
    numbers = (*first, *rest)
    dotted = ".".join(map(str, numbers))
    wire = ber.encode_oid(dotted)
    assert wire == encoder.encode(univ.ObjectIdentifier(numbers))
    _, start, stop = ber.head(wire, 0, len(wire))
    assert ber.oid(wire[start:stop]) == dotted


@settings(deadline=None)
@given(st.binary(max_size=70_000))
def test_strings_of_every_length_agree_with_pyasn1(content: bytes) -> None:
    wire = ber.element(ber.OCTET_STRING, content)
    assert wire == encoder.encode(univ.OctetString(content))
    assert ber.octets(wire, 0, len(wire)) == (content, len(wire))

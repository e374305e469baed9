"""What goes into a column comes out of it: exactly where it is a decimal, else to one part in 100,000."""

import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.trend_codec import (
    GONE,
    Block,
    CodecError,
    Kind,
    column,
    expand,
    numbers,
    pack,
    pack_times,
    squeeze,
    unpack,
    unpack_times,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**60), 2**60)


def back(values: list[float]) -> tuple[Kind, list[float]]:
    packed = column(values, b"\4" * len(values), b"\1" * len(values))
    return Kind(packed.kind), list(numbers(packed, len(values)).values)


@given(st.lists(WHOLE, max_size=300))
def test_whole_numbers_come_back(given: list[int]) -> None:
    assert unpack(pack(given), len(given)) == given


@given(st.lists(st.integers(0, 1 << 44), max_size=300))
def test_times_come_back(given: list[int]) -> None:
    assert unpack_times(pack_times(given), len(given)) == given


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=100), st.integers(0, 6))
def test_a_decimal_comes_back_as_the_very_number(given: list[int], places: int) -> None:
    values = [each / 10**places for each in given]
    assert back(values) == (Kind.DECIMAL, values)


@given(st.lists(FINITE, min_size=1, max_size=60))
def test_any_number_comes_back_to_one_part_in_100_000(given: list[float]) -> None:
    for value, again in zip(given, back(given)[1], strict=True):
        assert math.isclose(value, again, rel_tol=1e-5, abs_tol=0.0), (value, again)


@given(st.lists(st.tuples(FINITE, st.booleans()), min_size=1, max_size=60))
def test_gaps_stay_where_they_are_and_change_no_number(given: list[tuple[float, bool]]) -> None:
    marks = bytes(4 if there else 3 for _, there in given)
    packed = column([value for value, _ in given], marks, bytes(there for _, there in given))
    again = numbers(packed, len(given))
    assert again.marks == marks
    for (value, there), found in zip(given, again.values, strict=True):
        assert not there or math.isclose(value, found, rel_tol=1e-5, abs_tol=0.0)


def test_a_value_that_a_card_scaled_by_a_tenth_is_a_decimal() -> None:
    assert back([0.1 * 234, 0.1 * 3]) == (Kind.DECIMAL, [23.4, 0.3])


def test_a_small_value_beside_a_great_one_is_not_lost() -> None:
    assert back([1e-9, 0.123456789, 7.7e8])[1] == pytest.approx([1e-9, 0.123456789, 7.7e8], rel=1e-5)


BLOCK = Block(
    pack_times([1000, 2000, 3000]),
    3,
    (("a", "V", (column([1.5, 2.5, 3.5], b"\4\4\3", b"\1\1\0"), column([0, 1, 0], bytes([GONE, 8, 8]), b"\0\1\1"))),),
    ("open", "closed"),
)


def test_a_block_comes_back_whole() -> None:
    assert expand(squeeze(BLOCK)) == BLOCK


@settings(max_examples=300)
@given(st.data())
def test_a_block_that_was_cut_or_changed_is_refused_never_misread(given: st.DataObject) -> None:
    raw = bytearray(squeeze(BLOCK))
    if given.draw(st.booleans()):
        raw = raw[: given.draw(st.integers(0, len(raw) - 1))]
    else:
        raw[given.draw(st.integers(0, len(raw) - 1))] ^= 1 << given.draw(st.integers(0, 7))
    with contextlib.suppress(CodecError):
        assert expand(bytes(raw)) == BLOCK  # a bit of zlib's head may be without meaning


@pytest.mark.parametrize("rows", [2, 4])
def test_a_column_of_another_length_than_its_block_is_refused(rows: int) -> None:
    packed = column([1.0, 2.0, 3.0], b"\4\4\4", b"\1\1\1")
    with pytest.raises(CodecError):
        numbers(packed, rows)

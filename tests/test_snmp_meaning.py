"""What a value that a card sends means: numbers, texts, masks, durations and dates."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from collectors.snmp.checked import read_definition
from collectors.snmp.definition import Value
from collectors.snmp.meaning import BitForm, Meaning, Transform, as_mask, as_number, meant
from config.reader import read_text
from wire.snmp import Value as Sent

HEAD = "protocol: snmp\nname: X\nmaker: any\nsource: none\n"


def value(keys: str, wide: str = "") -> Value:
    """Return the one object of a definition with these keys."""
    text = f"{HEAD}{wide}objects:\n  - {{oid: 1.3.6.1.4.1.9.1.0, name: a, label: A, {keys}}}\n"
    return read_definition(read_text(text, "x.yaml")).objects[0]


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (b"1.5e3", 1500.0),
        (b"1E-5", 0.00001),
        (b"23,5", 23.5),
        (b"23.5 C", 23.5),
        (b"-4dBm", -4),
        (b"50Hz", 50),
        (b".5", 0.5),
        (b"3 E", 3),
        (b"0x1F", 31),
        (b"18446744073709551615", 18446744073709551615),
        (b"12,345.6", None),
        (b"12.345,6", None),
        (b"1,234,567", None),
        (b"12 345 VA", None),
        (b"12 V", 12),
        (b"10.1.2.3", None),
        (b"1.2.3", None),
        (b"4:03", None),
        (b"0x", None),
        (b"1e999", None),
        (b"  ", None),
    ],
)
def test_a_text_is_the_number_that_it_says_or_none(sent: bytes, number: float | None) -> None:
    assert as_number(sent) == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2 hours 5 minutes", 7500),
        ("45 minutes", 2700),
        ("90 mins", 5400),
        ("5 days, 4:03:02", 446_582),
        ("5 days, 4:03:02.5", 446_582.5),
        ("5d 4h 3m", 446_580),
        ("1 hour and 1 sec.", 3601),
        ("1,5 h", 5400),
        ("1:02:03", 3723),
        ("02:03", 7380),
        ("12", 12),
        ("3 fortnights", None),
        ("5 days, noon", None),
        ("12 h 3", None),
        ("1:02:03:04", None),
        ("", None),
    ],
)
def test_a_duration_is_read_as_people_write_it_and_an_unknown_unit_is_none(text: str, seconds: float | None) -> None:
    assert Meaning(transform=Transform.DURATION).of(text.encode()) == seconds


@pytest.mark.parametrize("hours", [-7, 0, 8])
def test_the_age_of_a_date_honours_its_offset_from_utc(hours: int) -> None:
    there = (datetime.now(UTC) - timedelta(hours=1)).astimezone(timezone(timedelta(hours=hours)))
    date = there.year.to_bytes(2, "big") + bytes((there.month, there.day, there.hour, there.minute, there.second, 0))
    date += (b"-" if hours < 0 else b"+") + bytes((abs(hours), 0))
    assert Meaning(transform=Transform.AGE).of(date) == pytest.approx(3600, abs=60)


@pytest.mark.parametrize(
    ("sent", "read"), [(65535, None), (65534, -2.0), (100, 100.0), (40_000, None), (70_000, None), (-2, None)]
)
def test_a_signed_number_is_held_against_absent_and_range_as_it_is_sent(sent: int, read: float | None) -> None:
    meaning = meant(transform=Transform.SIGNED16, absent=frozenset({65535, 40_000}), between=(0, 65535))
    assert meaning.of(sent) == read


@pytest.mark.parametrize(("sent", "read"), [(-545, 54.5), (545, 54.5), (b"-545", 54.5), (0, 0.0), (-1, None), (1, 0.1)])
def test_a_magnitude_has_no_sign_and_is_held_against_absent_as_it_is_sent(
    sent: int | bytes, read: float | None
) -> None:
    assert meant(transform=Transform.MAGNITUDE, scale=0.1, absent=frozenset({-1})).of(sent) == read


def test_a_number_beyond_its_bits_is_none() -> None:
    assert [Meaning(transform=Transform.SIGNED8).of(sent) for sent in (255, 256, -128, -129)] == [
        -1.0,
        None,
        -128.0,
        None,
    ]


def test_a_fraction_is_no_state() -> None:
    states = {"2": "normal"}
    assert [Meaning(states=states).of(sent) for sent in (b"2", b"2.0", b"2.7", b"2e0")] == [
        "normal",
        "normal",
        None,
        None,
    ]


def test_a_fraction_has_no_bits_that_a_state_could_be() -> None:
    assert [Meaning(states={"2": "on"}, mask=2).of(sent) for sent in (3, b"3", b"2.7", b"x")] == [
        "on",
        "on",
        None,
        None,
    ]


def test_litres_a_minute_keep_their_digits_in_our_unit() -> None:
    assert value("quantity: cooling.flow, unit: l/h").meaning().of(1) == pytest.approx(0.001 / 3600, rel=1e-9)


# -- absent -----------------------------------------------------------------------------------------------------------

STATES = "quantity: device.status, states: {0: {name: none}, 255: {name: all}, 1: {name: one}}"


def test_a_state_that_is_listed_wins_over_what_is_absent_for_the_whole_definition() -> None:
    each = value(STATES, "absent: [255]\n")
    assert each.meaning((255,)).of(255) == "all"
    assert value("quantity: fan.running, zero: stopped, nonzero: running").meaning((0, 9)).of(0) == "stopped"


def test_an_objects_own_absent_counts_for_states_too() -> None:
    meaning = value("quantity: device.status, states: {1: {name: one}}, absent: [9]").meaning()
    assert (meaning.of(9), meaning.of(b"9"), meaning.of(1)) == (None, None, "one")


BITS = "quantity: alarm.status, bits: {0: {name: a}, 3: {name: b, inverted: true}}"


@pytest.mark.parametrize(
    ("keys", "sent", "read"),
    [
        ("", 9, ["active", "clear"]),
        ("", b"0x09", ["active", "clear"]),
        ("", 0, ["clear", "active"]),
        ("", 255, [None, None]),  # absent for the whole definition
        (", absent: [8]", 255, ["active", "clear"]),  # its own absent counts in place of that
        (", absent: [8]", 8, [None, None]),
        (", range: [0, 15]", 16, [None, None]),
        ("", b"  ", [None, None]),
        ("", b"none", [None, None]),
        ("", b"2.5", [None, None]),
        (", bits_as: text", b" \0", [None, None]),
        (", bits_as: text", b"1000", ["active", "active"]),
    ],
)
def test_a_mask_that_is_absent_or_none_says_nothing_of_any_bit(keys: str, sent: Sent, read: list[str | None]) -> None:
    each = value(BITS + keys)
    assert [each.bit_meaning(number, (255, 0)).of(sent) for number in (0, 3)] == read


def test_blank_text_is_no_mask() -> None:
    assert [as_mask(sent, form) for form in BitForm for sent in (b"", b" ")] == [None, None, None, 0b100, None, None]


# -- shared by alike cards --------------------------------------------------------------------------------------------


def test_alike_cards_share_meanings_and_states() -> None:
    one, other = value(BITS), value(BITS)
    assert one.bit_meaning(3, (255,)) is other.bit_meaning(3, (255,))
    assert one.bits[3].point_states() is other.bits[3].point_states()
    state, same = value(STATES), value(STATES)
    assert state.meaning((-1,)) is same.meaning((-1,))
    assert state.point_states() is same.point_states()
    volts = value("quantity: input.voltage, scale: 0.1").meaning()
    assert volts.times_ten_to(-1) is volts.times_ten_to(-1)
    assert volts.times_ten_to(-1).of(23_000) == 230.0


@pytest.mark.parametrize("value", [3e306, -3e306, float("inf"), float("nan"), b"3e306"])
def test_a_number_that_a_unit_would_take_past_all_numbers_is_none(value: Sent) -> None:
    assert Meaning(scale=60.0).of(value) is None

"""From a value as a card sends it to a value of a reading: in the quantity's unit, a state's name, or None."""

import contextlib
import re
import struct
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

import msgspec

from wire.snmp import Absent, Value

_NUMBER = re.compile(
    rb"\s*(?:0[xX]([0-9A-Fa-f]{1,16})(?![0-9A-Za-z])"  # hexadecimal, as masks are written
    rb"|([+-]?(?>(?:\d+(?:[.,]\d+)?|\.\d+)(?:[eE][+-]?\d+)?))(?![.,:]?\d| \d{3}(?!\d)|[xX]))"  # nor 1,234.5 or 1.2.3
)
LARGEST = 1e30  # beyond it a float is noise, and a unit could take it past all numbers
_DECIMALS = 9  # hides the last bits of 0.1 * 3, far below any sensor
_SMALL, _DECIMALS_OF_SMALL = 1e-3, 15  # a litre a minute is 0.0000167 m³/s
_DURATION = {
    unit: seconds
    for seconds, units in (
        (604_800.0, ("w", "week", "weeks")),
        (86_400.0, ("d", "day", "days")),
        (3600.0, ("h", "hr", "hrs", "hour", "hours")),
        (60.0, ("m", "min", "mins", "minute", "minutes")),
        (1.0, ("s", "sec", "secs", "second", "seconds")),
    )
    for unit in units
}
_PART = r"\d+(?:[.,]\d+)?\s*[a-z]+\.?"
_SPOKEN = re.compile(rf"((?:{_PART}(?:\s*,\s*|\s+and\s+|\s*)?)*)(?:(\d+):(\d\d?)(?::(\d\d?(?:\.\d+)?))?)?")
_DATES = ("%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%b %d %Y")


class BitForm(StrEnum):
    """How a mask stands on the wire.

    A number (bit 0 is worth 1), BITS of SMIv2 (bit 0 is the highest of the first octet), or text of zeros and ones
    (bit 0 is the first sign).
    """

    NUMBER = "number"
    BITS = "bits"
    TEXT = "text"


class Transform(StrEnum):
    """What is done to a value before it is a number.

    Text of a duration becomes seconds ("1:02:03", "5d 4h", "5 days, 4:03:02"), a date the seconds since then
    (DateAndTime of RFC 2579, or text such as 11/22/2026), four octets a number of IEEE 754, an unsigned number the
    negative one that was meant, and a number its magnitude: 54.5 V of -54.5 V.
    """

    DURATION = "duration"
    AGE = "age"
    FLOAT32 = "float32"
    SIGNED8 = "signed8"
    SIGNED16 = "signed16"
    SIGNED32 = "signed32"
    MAGNITUDE = "magnitude"


_SIGNED = {Transform.SIGNED8: 8, Transform.SIGNED16: 16, Transform.SIGNED32: 32}


class Meaning(msgspec.Struct, frozen=True):
    """How one object's value is read: number * scale + offset, or the state that a number or text stands for.

    `absent` are numbers that mean "not available", `between` the least and most that the number can be: as it is sent,
    before it gets its sign, and of a mask the whole (one that is sent as BITS or text has no such number).  With `zero`
    and `nonzero` a number becomes one of two states; with `bit`, one bit of a mask does.  `mask` says which bits of a
    number count for its states.
    """

    scale: float = 1.0
    offset: float = 0.0
    absent: frozenset[float] = frozenset()
    states: dict[str, str] | None = None
    zero: str = ""
    nonzero: str = ""
    between: tuple[float, float] | None = None
    transform: Transform | None = None
    pattern: str = ""
    bit: int = -1
    bits_as: BitForm = BitForm.NUMBER
    mask: int = 0

    def of(self, value: Value) -> float | str | None:
        """Return the value of a reading, None when the card gave nothing that counts."""
        if self.states is not None:
            return self._state(value)
        if self.bit >= 0:
            return self._bit(value)
        if self.transform or self.pattern:
            number = self._number(value)
        else:
            number = value if type(value) is int else as_number(value)
        if number is None or number in self.absent:
            return None
        if self.between is not None and not self.between[0] <= number <= self.between[1]:
            return None
        if self.transform is not None:
            number = _with_sign(number, self.transform)
            if number is None:
                return None
        if self.zero:
            return self.nonzero if number else self.zero
        if type(number) is int and self.scale == 1.0 and not self.offset:
            return float(number)
        found = number * self.scale + self.offset
        return round(found, _DECIMALS if abs(found) >= _SMALL else _DECIMALS_OF_SMALL)

    def times_ten_to(self, power: int) -> "Meaning":
        """Return this meaning for numbers that are to be multiplied by a power of ten first; shared as `meant` is."""
        if not power:
            return self
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        states = tuple((self.states or {}).items())
        return meant(**(fields | {"scale": self.scale * 10.0**power, "states": states}))

    def _counts(self, number: float) -> bool:
        return number not in self.absent and (self.between is None or self.between[0] <= number <= self.between[1])

    def _bit(self, value: Value) -> str | None:
        if self.bits_as is BitForm.NUMBER and not self._counts(as_number(value) or 0):
            return None
        mask = as_mask(value, self.bits_as)
        return None if mask is None else self.nonzero if mask >> self.bit & 1 else self.zero

    def _state(self, value: Value) -> str | None:
        states = self.states or {}
        if isinstance(value, int) and not self.mask:
            return states.get(str(value)) if self._counts(value) else None
        text = self._matched(as_text(value)) if self.pattern else as_text(value)
        number = as_number(text.encode())
        if number is not None and not self._counts(number):
            return None
        if self.mask:
            return states.get(str(int(number) & self.mask)) if number is not None and number == int(number) else None
        named = states.get(text.casefold())
        if named is None and number == (whole := int(number or 0)) and not text.strip("+-.,0123456789 "):
            return states.get(str(whole))
        return named

    def _matched(self, text: str) -> str:
        found = re.search(self.pattern, text)
        return found[found.lastindex or 0] if found else ""

    def _number(self, value: Value) -> float | None:
        if self.pattern:
            value = self._matched(as_text(value, 256)).encode()
        return as_number(value) if self.transform is None else _transformed(value, self.transform)


@lru_cache(16_384)  # all that definitions say; what a card's own numbers add (`left_of`) comes and goes
def meant(
    *,
    scale: float = 1.0,
    offset: float = 0.0,
    absent: frozenset[float] = frozenset(),
    between: tuple[float, float] | None = None,
    states: tuple[tuple[str, str], ...] = (),
    zero: str = "",
    nonzero: str = "",
    mask: int = 0,
    bit: int = -1,
    bits_as: BitForm = BitForm.NUMBER,
    transform: Transform | None = None,
    pattern: str = "",
) -> Meaning:
    """Return a meaning, the same object for the same words: hundreds of alike cards share it."""
    named = {text.casefold(): name for text, name in states} or None
    return Meaning(scale, offset, absent, named, zero, nonzero, between, transform, pattern, bit, bits_as, mask)


def _transformed(value: Value, transform: Transform) -> float | None:
    match transform:
        case Transform.DURATION:
            return _duration(as_text(value))
        case Transform.AGE:
            return _age(value)
        case Transform.FLOAT32:
            return _float32(value)
        case _:
            return as_number(value)  # its sign changes after it has been held against `absent` and `range`


def _with_sign(number: float, transform: Transform) -> float | None:
    """Return a number with the sign that was meant: none, or that of two's complement; None beyond its bits."""
    if transform is Transform.MAGNITUDE:
        return abs(number)
    bits = _SIGNED.get(transform)
    if bits is None:
        return number
    half = 1 << (bits - 1)
    if not -half <= number < 2 * half:
        return None
    return number - 2 * half if number >= half else number


def _duration(text: str) -> float | None:
    """Return the seconds of a duration; None for what is none, as a unit that is not known.

    It is "1:02:03" (hours first), "02:03" (hours and minutes), "5d 4h 3m", "5 days, 4:03:02" or a number.
    """
    text = text.casefold().strip()
    found = _SPOKEN.fullmatch(text)
    if not text or found is None:
        return float(text.replace(",", ".")) if re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?", text) else None
    parts = re.findall(r"(\d+(?:[.,]\d+)?)\s*([a-z]+)", found[1])
    if not all(unit in _DURATION for _, unit in parts):
        return None
    spoken = sum(float(number.replace(",", ".")) * _DURATION[unit] for number, unit in parts)
    clock = zip(found.groups()[1:], (3600, 60, 1), strict=True)
    return spoken + sum(float(part) * unit for part, unit in clock if part)


def _age(value: Value) -> float | None:
    """Return the seconds since a date; one to come has the age 0."""
    when = _date(value)
    return None if when is None else max(0.0, (datetime.now(UTC) - when).total_seconds())


def _date(value: Value) -> datetime | None:
    if isinstance(value, bytes) and len(value) in {8, 11} and value[0] < 0x20:
        with contextlib.suppress(ValueError):
            month, day, hour, minute, second = value[2:7]
            zone = _zone(value[8:])
            return datetime(int.from_bytes(value[:2], "big"), month, day, hour, minute, min(second, 59), tzinfo=zone)
    for form in _DATES:
        with contextlib.suppress(ValueError):
            return datetime.strptime(as_text(value), form).replace(tzinfo=UTC)
    return None


def _zone(octets: bytes) -> timezone:
    """Return the offset at the end of a DateAndTime: "+" or "-", hours, minutes; without one the time is UTC's."""
    if not octets:
        return UTC
    ahead = timedelta(hours=octets[1], minutes=octets[2])
    return timezone(-ahead if octets[:1] == b"-" else ahead)


def _float32(value: Value) -> float | None:
    if isinstance(value, int):
        value = (value & 0xFFFF_FFFF).to_bytes(4, "big")
    if isinstance(value, bytes) and len(value) == 4:
        number: float = struct.unpack(">f", value)[0]
        return number if abs(number) < LARGEST else None
    return None


def as_mask(value: Value, form: BitForm) -> int | None:
    """Return a mask as a number whose bit 0 is worth 1; None when the card gave none, as blank text is none."""
    if form is BitForm.NUMBER:
        number = as_number(value)
        return int(number) & 0xFFFF_FFFF_FFFF_FFFF if number is not None and number == int(number) else None
    if not isinstance(value, bytes) or not value:
        return None
    if form is BitForm.TEXT:
        signs = value.decode("ascii", "replace").strip("\0 ")
    else:
        signs = "".join(f"{octet:08b}" for octet in value)
    return int(signs[::-1], 2) if signs and not signs.strip("01") else None


def as_number(value: Value) -> int | float | None:
    """Return the finite number that a card sent; some send it as text, with its unit behind it ("23.5 C", "0x09").

    Text that could be another number is none: thousands ("12,345.6"), versions and addresses ("1.2.3"), times ("4:03").
    """
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if abs(value) < LARGEST else None  # not-a-number is below nothing
    if isinstance(value, bytes) and (match := _NUMBER.match(value[:40])):
        return _spelled(match[1], match[2])
    return None


def _spelled(hexadecimal: bytes | None, decimal: bytes) -> int | float | None:
    if hexadecimal is not None:
        return int(hexadecimal, 16)
    if decimal.lstrip(b"+-").isdigit():
        return int(decimal)  # 64 bits stay whole
    number = float(decimal.replace(b",", b"."))
    return number if abs(number) < LARGEST else None


def as_text(value: Value, longest: int = 64) -> str:
    """Return a card's text for showing: it is a stranger's, so without control characters and cut."""
    if isinstance(value, int):
        return str(value)[:longest]
    if isinstance(value, bytes):
        shown = value[: 4 * longest].decode("utf-8", "replace")
    elif value is None or isinstance(value, Absent):
        shown = ""
    else:
        shown = str(value)
    return " ".join("".join(sign if sign.isprintable() else " " for sign in shown).split())[:longest]


def is_there(value: Value) -> bool:
    """Tell whether a card has the object at all, whatever it says."""
    return value is not None and not isinstance(value, Absent)

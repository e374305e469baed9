"""A card's objects from a file, asked as a card is asked: `snmpwalk -On` output, or snmpsim's snmprec.

$ snmpwalk -v2c -c public -m '' -On 192.0.2.10 .1 > ups.walk     # with the enterprise's: .1, not the default
$ roundsman devices test my-ups.yaml ups.walk

.1.3.6.1.2.1.33.1.2.4.0 = INTEGER: 97                            # snmpwalk -On; -Ox for octets that are no text
1.3.6.1.2.1.33.1.2.4.0|2|97                                      # snmprec: OID|tag|value, 4x for hexadecimal
"""

import contextlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeVar

from collectors.snmp.exchange import Exchange
from collectors.snmp.library import Library
from collectors.snmp.plan import Recognition
from collectors.snmp.poll import Card, poll
from collectors.snmp.target import Target
from model.point import Batch
from wire import ber, snmp
from wire.snmp import Absent, Pdu, Request, Value, VarBind

T = TypeVar("T")

MOST_OCTETS = 64 * 2**20
_TAGS = {
    "INTEGER": ber.INTEGER,
    "Integer32": ber.INTEGER,
    "STRING": ber.OCTET_STRING,
    "Hex-STRING": ber.OCTET_STRING,
    "BITS": ber.OCTET_STRING,
    "OID": ber.OBJECT_IDENTIFIER,
    "IpAddress": snmp.IP_ADDRESS,
    "Counter32": snmp.COUNTER32,
    "Gauge32": snmp.GAUGE32,
    "Unsigned32": snmp.GAUGE32,
    "Timeticks": snmp.TIME_TICKS,
    "Counter64": snmp.COUNTER64,
    "Opaque": snmp.OPAQUE,
    "Network Address": snmp.IP_ADDRESS,
}
_WALKED = re.compile(r"\.?(\d+(?:\.\d+)+) = (?:([A-Za-z][A-Za-z0-9 -]*): ?)?(.*)", re.DOTALL)
_RECORDED = re.compile(r"\.?(\d+(?:\.\d+)*)\|(\d+)([xe]?)\|(.*)", re.DOTALL)
_INTEGERS = frozenset((ber.INTEGER, snmp.COUNTER32, snmp.GAUGE32, snmp.TIME_TICKS, snmp.COUNTER64, snmp.UINTEGER32))


class RecordingError(ValueError):
    """A file is no recording; the text says which line and what a line should be."""


class Recording:
    """The objects of one card, in their order, and answers to requests as RFC 3416 wants them."""

    def __init__(self, objects: Mapping[str, tuple[int, Value]]) -> None:
        self.objects = dict(sorted(objects.items(), key=lambda item: _key(item[0])))
        self._names = list(self.objects)
        self._keys = [_key(name) for name in self._names]

    def answer(self, request: Request) -> Pdu:
        """Answer a GET, GETNEXT or GETBULK; the octets of a reply are not bounded."""
        if request.kind == snmp.GET:
            binds = [self._at(oid) for oid in request.oids]
        else:
            repetitions = _repetitions(request) if request.kind == snmp.GET_BULK else 1
            binds = [bind for oid in request.oids for bind in self._after(oid, repetitions)]
        return Pdu(snmp.RESPONSE, 0, 0, 0, tuple(binds))

    def play(self, exchange: Exchange[T]) -> T:
        """Answer everything that an exchange asks; return what it ends in."""
        reply: Pdu | None = None
        while True:
            try:
                reply = self.answer(exchange.send(reply) if reply is not None else next(exchange))
            except StopIteration as end:
                result: T = end.value
                return result

    def _at(self, oid: str) -> VarBind:
        tag, value = self.objects.get(oid, (Absent.NO_SUCH_INSTANCE.value, Absent.NO_SUCH_INSTANCE))
        return VarBind(oid, tag, value)

    def _after(self, oid: str, count: int) -> Iterable[VarBind]:
        at = bisect_right(self._keys, _key(oid))
        for name in self._names[at : at + count]:
            yield self._at(name)
        if at + count > len(self._names):
            yield VarBind(self._names[-1] if self._names else oid, 0x82, Absent.END_OF_MIB_VIEW)


def written(objects: Mapping[str, Value]) -> str:
    """Return objects as text that `read_recording` reads: snmprec, a line each."""
    return "".join(f"{oid}|{_line(value)}\n" for oid, value in sorted(objects.items(), key=lambda item: _key(item[0])))


def _line(value: Value) -> str:
    match value:
        case bytes():
            return f"{ber.OCTET_STRING}x|{value.hex()}"
        case int():
            return f"{ber.INTEGER if -(2**31) <= value < 2**31 else snmp.COUNTER64}|{value}"
        case float():
            return f"{ber.OCTET_STRING}|{value!r}"
        case IPv4Address():
            return f"{snmp.IP_ADDRESS}|{value}"
        case _:
            return f"{ber.OBJECT_IDENTIFIER}|{value}"


def _key(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))


def _repetitions(request: Request) -> int:
    """Return the max-repetitions of an encoded GETBULK: after non-repeaters, an INTEGER each."""
    after = request.after
    _, at = ber.integer(after, 0, len(after))
    return ber.integer(after, at, len(after))[0]


def read_recording(path: Path) -> Recording:
    """Read a file of either form; raises RecordingError, or OSError when it cannot be read."""
    if path.stat().st_size > MOST_OCTETS:
        raise RecordingError(f"{path} has more than {MOST_OCTETS} octets; record only what the device's maker defines")
    objects: dict[str, tuple[int, Value]] = {}
    for number, entry in _entries(path.read_text("utf-8", "surrogateescape")):
        read = _recorded(entry) or _walked(entry)
        if read is None:
            raise RecordingError(
                f"{path}:{number}: no object; a line is .1.3.6.1.2.1.1.5.0 = STRING: ups (snmpwalk -On) "
                "or 1.3.6.1.2.1.1.5.0|4|ups (snmprec)"
            )
        oid, tag, value = read
        if value is None and tag in _INTEGERS:
            raise RecordingError(
                f"{path}:{number}: no whole number; a MIB's hint may have moved its point: walk again with "
                "snmpwalk -m '' -On, or take the line out"
            )
        if value is not None:
            objects.setdefault(oid, (tag, value))
    if not objects:
        raise RecordingError(f"{path} holds no object; make it with snmpwalk -On")
    return Recording(objects)


def _entries(text: str) -> Iterable[tuple[int, str]]:
    """Yield each object's text and its first line's number; a text of snmpwalk may go on over several lines."""
    number, entry = 0, ""
    for at, line in enumerate(text.split("\n"), 1):
        begins = _WALKED.match(line) or _RECORDED.match(line)
        if begins or not entry:
            if entry:
                yield number, entry
            number, entry = at, line.strip("\r") if begins else ("" if not line.strip() or line[0] == "#" else line)
        elif line.strip():
            entry += "\n" + line.strip("\r")
    if entry:
        yield number, entry


def _recorded(entry: str) -> tuple[str, int, Value] | None:
    match = _RECORDED.fullmatch(entry)
    if match is None:
        return None
    oid, tag, form, text = match.groups()
    return oid, int(tag), _value(int(tag), _octets(text, form))


def _octets(text: str, form: str) -> bytes:
    if form == "x":
        return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", text) else b""
    return text.encode("utf-8", "surrogateescape")


def _walked(entry: str) -> tuple[str, int, Value] | None:
    match = _WALKED.fullmatch(entry)
    if match is None:
        return None
    oid, kind, text = match.groups()
    if kind is None or kind not in _TAGS:
        quoted = text.startswith('"') and text.rstrip().endswith('"')
        return oid, ber.OCTET_STRING, text.strip().strip('"').encode("utf-8", "surrogateescape") if quoted else None
    tag = _TAGS[kind]
    if kind in {"Hex-STRING", "BITS"}:
        pairs = re.match(r"\s*((?:[0-9A-Fa-f]{2}\s+)*[0-9A-Fa-f]{2})?(?=\s|$)", text)
        return oid, tag, bytes.fromhex(pairs[1]) if pairs and pairs[1] else b""
    text = text.strip()
    if tag == ber.OCTET_STRING:
        return oid, tag, text.removeprefix('"').removesuffix('"').encode("utf-8", "surrogateescape")
    if tag == snmp.OPAQUE:
        number = re.search(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$", text)
        return oid, tag, float(number[0]) if number else None
    if tag in _INTEGERS and (inside := re.search(r"\((-?\d+)\)", text)):
        text = inside[1]
    return oid, tag, _value(tag, text.split(" ")[0].encode())


def _value(tag: int, octets: bytes) -> Value:
    """Return the value of a type from its text; None when the text is none of that type."""
    text = octets.decode("utf-8", "replace").strip()
    if tag in _INTEGERS:
        return int(text) if re.fullmatch(r"-?\d{1,20}", text) else None
    if tag == ber.OBJECT_IDENTIFIER:
        return text.removeprefix(".") if re.fullmatch(r"[.\d]+", text) else None
    if tag == snmp.IP_ADDRESS:
        return _address(octets)
    if tag == snmp.OPAQUE:
        return snmp.opaque(octets)
    return octets if tag == ber.OCTET_STRING else None


def _address(octets: bytes) -> Value:
    """Return an address, from text or as its four octets; what is none stays what it is."""
    with contextlib.suppress(ValueError):
        return IPv4Address(octets if len(octets) == 4 else octets.decode("ascii", "replace").strip())
    return octets


def read_from(
    recording: Recording, definitions: Library, *, definition: str = "auto", aside: bool = True
) -> tuple[Batch, Recognition | None]:
    """Discover and read a recorded card as a live one would be."""
    card = Card(Target(device="recording", address="", community=b"", definition=definition, aside=aside))
    batch = recording.play(poll(card, definitions, lambda: 0.0))
    return batch, card.plan.recognition if card.plan else None

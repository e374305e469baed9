"""What devices say of themselves: Modbus function 43/14, and the maker of YD/T 1363 (51H). Questions, readers, texts.

Sources: Modbus Application Protocol V1.1b3, 6.21; YD/T 1363.3-2005 as its implementations agree on it.
"""

from typing import Final

from collectors.line.question import Answer, Question
from wire.modbus import ModbusError, Refusal, Reply, crc16
from wire.modbus_frames import DEVICE_ID, ENCAPSULATED, LONGEST_RTU, Message, response_of
from wire.traffic import TrafficReader

IDENTITY_KEY: Final = "function 43/14, who it is"
BASIC: Final = 1
"""Vendor, product and revision: what every device that knows the function has."""
FORMS: Final = {
    32: (("name", 10), ("version", 2), ("maker", 20)),
    70: (("name", 30), ("version", 20), ("maker", 20)),
}
"""The answers to 51H by their bytes; the version of two bytes is two numbers, every other field is text."""
SHORTEST_TEXT: Final = 4


class IdentityReader:
    """Finds the answer to 43/14 of one unit: a Reply with what follows the function, or a Refusal."""

    def __init__(self, unit: int) -> None:
        self._unit = unit
        self._traffic = TrafficReader()

    @property
    def mismatches(self) -> int:
        """Places that looked like a frame but for their check sum."""
        return self._traffic.mismatches

    @property
    def skipped(self) -> int:
        """Bytes outside of any frame."""
        return self._traffic.skipped

    def feed(self, octets: bytes) -> Reply | Refusal | None:
        """Take bytes; return the answer once it is whole."""
        for heard in self._traffic.feed(octets, 0.0):
            message = heard.message
            if not isinstance(message, Message) or (message.unit, message.function) != (self._unit, ENCAPSULATED):
                continue
            if message.exception is not None:
                return Refusal(self._unit, ENCAPSULATED, message.exception)
            if message.identity is not None:
                return Reply(self._unit, ENCAPSULATED, heard.octets[2:-2])
        return None


def identity_question(unit: int) -> Question:
    """Return the question who a unit is; it reads and changes nothing."""
    body = bytes((unit, ENCAPSULATED, DEVICE_ID, BASIC, 0))
    return Question(IDENTITY_KEY, body + crc16(body), lambda: IdentityReader(unit), LONGEST_RTU)


def objects(answer: Answer | None) -> dict[str, str]:
    """Return what it says of itself by the standard's names (vendor, product, revision); nothing where it does not."""
    if not isinstance(answer, Reply):
        return {}
    try:
        identity = response_of(bytes((answer.unit, answer.function)) + answer.octets).identity
    except ModbusError:
        return {}
    return {key: text.strip() for key, text in identity.named().items()} if identity else {}


def makers_texts(info: bytes) -> dict[str, str]:
    """Return the texts of an answer to 51H: name, version, maker; of a form that is not known, `says` alone."""
    form = FORMS.get(len(info))
    if form is None:
        runs = "".join(chr(octet) if 0x20 < octet < 0x7F else " " for octet in info).split()
        return {"says": " ".join(run for run in runs if len(run) >= SHORTEST_TEXT)}
    found, at = dict[str, str](), 0
    for key, length in form:
        octets = info[at : at + length]
        at += length
        found[key] = f"{octets[0]}.{octets[1]}" if length == 2 else _text(octets)
    return found


def _text(octets: bytes) -> str:
    text = octets.rstrip(b" \x00")
    return "".join(chr(octet) if 0x20 <= octet < 0x7F else "?" for octet in text).strip()

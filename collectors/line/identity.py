"""What devices say of themselves: Modbus function 43/14, and the maker of YD/T 1363 (51H). Questions, readers, texts.

Sources: Modbus Application Protocol V1.1b3, 6.21; YD/T 1363.3-2005 as its implementations agree on it.
"""

from typing import Final

from collectors.line.question import Answer, Question
from wire.modbus_frames import LONGEST_RTU, Identity
from wire.modbus_identity import IdentityReader, IdentityRequest

IDENTITY_KEY: Final = "function 43/14, who it is"
FORMS: Final = {
    32: (("name", 10), ("version", 2), ("maker", 20)),
    70: (("name", 30), ("version", 20), ("maker", 20)),
}
"""The answers to 51H by their bytes; the version of two bytes is two numbers, every other field is text."""
SHORTEST_TEXT: Final = 4


def identity_question(unit: int) -> Question:
    """Return the question who a unit is; it reads and changes nothing."""
    request = IdentityRequest(unit)
    return Question(IDENTITY_KEY, request.rtu(), lambda: IdentityReader(request), LONGEST_RTU)


def objects(answer: Answer | None) -> dict[str, str]:
    """Return what it says of itself by the standard's names (vendor, product, revision); nothing where it does not."""
    return {key: text.strip() for key, text in answer.named().items()} if isinstance(answer, Identity) else {}


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

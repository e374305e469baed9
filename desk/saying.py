"""What people say of a ticket, by a program's object or a page's form, as an act: its fields, its times, whose word.

A time without an offset is the site's. One that a page filled in and nobody changed means now: the page may have stood
for an hour.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import fields

from desk.moments import MomentError, happened, moment
from desk.unseen import SPACES, unseen
from model.contract import Text
from model.service.record import Record
from model.service.words import Side
from model.ticket_protocol import OURS, SAYABLE, TIMES, Sayable

LONGEST = 2000  # characters of a text
LARGEST = 2**63 - 1
SHOWN = "shown"  # the form's field with the time as the page filled it in
_EMPTY = frozenset({"reason", "accepted_by", "note"})  # left out, they are refused by name, or empty
_TOLD = frozenset({"id", "text"})  # an empty one is refused by its own name
_SPACES = str.maketrans(dict.fromkeys(SPACES, " ") | {"\r": None})


class NotSaidError(Exception):
    """What says nothing that can be written down: a word for why, `time`, `no_such_act` or `malformed`; a sentence.

    `said` is the sentence in both languages, where it is meant for people.
    """

    def __init__(self, word: str, sentence: str = "", said: Text | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.sentence = sentence
        self.said = said


def act_of(said: Mapping[str, object], zone: str, now: float, start: float, *, strict: bool = True) -> Sayable:
    """Return the act that an object says of a ticket from `start`; unless `strict`, numbers may be text, as in a form.

    Raises NotSaidError.
    """
    what = said.get("what")
    kind = SAYABLE.get(what) if isinstance(what, str) else None
    if kind is None:
        raise NotSaidError("no_such_act", f"`what` is one of {', '.join(sorted(SAYABLE))}.")
    known = [field.encode_name for field in fields(kind) if field.encode_name not in OURS.get(str(what), ())]
    for name in said:
        if name not in known and name != "what":
            raise _malformed(f"{what} has no field {name[:40]!r}; it has {', '.join(known) or 'none'}.")
    values = {name: _value(name, value, zone, now, start) for name, value in said.items() if name != "what"}
    values |= dict.fromkeys(_EMPTY & set(known) - set(values), "")
    for field in fields(kind):
        words = [str(word) for word in field.type] if isinstance(field.type, type(StrEnum)) else []
        if words and field.encode_name in values and values[field.encode_name] not in words:
            raise _malformed(f"{field.encode_name} is one of {', '.join(words)}.")
    try:
        return msgspec.convert(values, kind, strict=strict)  # type: ignore[return-value] # SAYABLE has only these
    except (msgspec.ValidationError, ValueError) as error:
        raise _malformed(f"This is no {what}: {error}.") from error


def said_by(form: dict[str, str], record: Record, zone: str, now: float) -> tuple[Sayable, Side]:
    """Return the act of a form and the side that speaks. Raises NotSaidError, `time` or `form`."""
    said = {name: text.strip() for name, text in form.items()}
    shown = said.pop(SHOWN, "")
    side = said.pop("side", "") or Side.SERVICE.value
    if side not in {Side.SERVICE, Side.CUSTOMER}:
        raise NotSaidError("form")
    if said.get("said") == shown:
        said.pop("said", None)
    what = said.pop("act", "")
    filled = {name: text for name, text in said.items() if text or name in _TOLD}
    try:
        return act_of({**filled, "what": what}, zone, now, record.start, strict=False), Side(side)
    except NotSaidError as error:
        raise NotSaidError("time" if error.word == "time" else "form", said=error.said) from error


def plain(text: str, name: str) -> str:
    """Return a text as it is kept: one line, every space a plain one, none around it, only signs that can be read.

    Raises NotSaidError, `malformed`, with the text's name.
    """
    kept = text.translate(_SPACES).strip()
    if len(kept) > LONGEST:
        raise _malformed(f"{name} has at most {LONGEST} characters.")
    if wrong := unseen(text):
        said = {"en": f"{name} {wrong['en']}", "zh": f"{name}：{wrong['zh']}"}
        raise NotSaidError("malformed", said["en"], said)
    return kept


def _value(name: str, value: object, zone: str, now: float, start: float) -> object:
    """Return a field's value: times read, texts as they are kept."""
    if name in TIMES and isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            if name == "due":
                return moment(value, zone, now, ahead=True)
            return happened(value, zone, now, start if name == "said" else 0.0)
        except MomentError as error:
            raise NotSaidError("time", str(error)) from error
    if isinstance(value, str):
        return plain(value, name)
    if isinstance(value, int) and abs(value) > LARGEST:
        raise _malformed(f"{name} is too large.")
    return value


def _malformed(sentence: str) -> NotSaidError:
    return NotSaidError("malformed", sentence)

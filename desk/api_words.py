"""A program's words as an act, and why one is refused: by name, in a sentence that says what to do."""

from collections.abc import Callable
from enum import StrEnum

import msgspec
from msgspec.structs import fields

from desk.once import Answer
from desk.web import ProblemError
from model.contract import Contract, Text
from model.refusal_words import refusal_words, there_is
from model.service import entry as acts
from model.service.record import Record
from model.service.words import Refusal
from model.ticket_protocol import OURS, SAYABLE, TIMES, Refused, Sayable

LONGEST_TEXT = 2000  # characters of a reason or note
LARGEST = 2**63 - 1
WORDS_ARE_WRONG = frozenset(  # 422; everything else is a conflict with what stands: 409
    {
        Refusal.BEFORE_OPENING, Refusal.IN_THE_FUTURE, Refusal.IN_THE_PAST, Refusal.OUT_OF_ORDER, Refusal.OVERLAPS,
        Refusal.NO_REASON, Refusal.NO_ACCEPTER, Refusal.NO_SUCH_LEVEL, Refusal.NO_SUCH_CONDITION,
        Refusal.NO_SUCH_EXCUSE, Refusal.NO_SUCH_COMPLAINT, Refusal.NO_SUCH_EVENT, Refusal.ITSELF,
    }
)  # fmt: skip
_EMPTY = frozenset({"reason", "accepted_by", "note"})  # left out, they are refused by name, or empty
NO_SUCH: dict[str, Text] = {  # what the desk refuses before the record is asked
    "no_such_document": {"en": "The contract knows no such document.", "zh": "合同没有该文档。"},
    "no_such_limit": {
        "en": "The ticket has no such clock, document or event to be excused.",
        "zh": "工单没有可免责的该项时限、文档或事件。",
    },
}


def act_of(said: dict[str, object], when: Callable[[float | str], float]) -> Sayable:
    """Return the act that an object says; `when` reads times. Raises a ProblemError that says what is wrong."""
    what = said.get("what")
    kind = SAYABLE.get(what) if isinstance(what, str) else None
    if kind is None:
        raise ProblemError(400, "no_such_act", f"`what` is one of {', '.join(sorted(SAYABLE))}.")
    known = [field.encode_name for field in fields(kind) if field.encode_name not in OURS.get(str(what), ())]
    for name in said:
        if name not in known and name != "what":
            raise _malformed(f"{what} has no field {name[:40]!r}; it has {', '.join(known) or 'none'}.")
    values = {name: _value(name, value, when) for name, value in said.items() if name != "what"}
    values |= dict.fromkeys(_EMPTY & set(known) - set(values), "")
    for field in fields(kind):
        words = [str(word) for word in field.type] if isinstance(field.type, type(StrEnum)) else []
        if words and field.encode_name in values and values[field.encode_name] not in words:
            raise _malformed(f"{field.encode_name} is one of {', '.join(words)}.")
    try:
        return msgspec.convert(values, kind)  # type: ignore[return-value] # SAYABLE has only these
    except msgspec.ValidationError as error:
        raise _malformed(f"This is no {what}: {error}.") from error


def unknown(act: Sayable, record: Record, contract: Contract, clocks: tuple[str, ...], language: str) -> Answer | None:
    """Return the refusal of an act that names what neither ticket nor contract knows; None when it does not."""
    documents = tuple(duty.name for duty in contract.documents)
    if isinstance(act, acts.AskedFor | acts.Delivered) and documents and act.document not in documents:
        return refused("no_such_document", language, documents)
    if isinstance(act, acts.Excused) and act.what_for not in record.terms.events:
        known = (
            *dict.fromkeys(clocks),
            *(f"document {name}" for name in documents),
            *(f"charge {number}" for number in range(len(record.charges))),
            *(f"complaint {each.id}" for each in record.complaints),
        )
        return None if act.what_for in known else refused("no_such_limit", language, known)
    return None


def refused(refusal: str, language: str, known: tuple[str, ...] = (), ticket: int = 0) -> Answer:
    """Return a refusal as an answer: 404, 409, or 422 where the words themselves are wrong."""
    if refusal in NO_SUCH:
        sentence = NO_SUCH[refusal][language] + there_is(known, language)
        return Answer(422, msgspec.json.encode(Refused(refusal, sentence, known, ticket)))
    named = Refusal(refusal)
    status = 404 if named is Refusal.NO_TICKET else 422 if named in WORDS_ARE_WRONG else 409
    return Answer(status, msgspec.json.encode(Refused(named, refusal_words(named, language, known), known, ticket)))


def known_words(refusal: Refusal, record: Record, contract: Contract) -> tuple[str, ...]:
    """Return the words that would have been taken in place of those refused, () where it is not about words."""
    terms = record.terms
    return {
        Refusal.NO_SUCH_LEVEL: tuple(str(level) for level in terms.levels or contract.levels),
        Refusal.NO_SUCH_CONDITION: terms.conditions,
        Refusal.NO_SUCH_EXCUSE: terms.excuses,
        Refusal.NO_SUCH_EVENT: terms.events,
        Refusal.NO_SUCH_COMPLAINT: tuple(each.id for each in record.complaints),
        Refusal.NOT_REACHED: tuple(str(milestone) for milestone in record.marks),
    }.get(refusal, ())


def _value(name: str, value: object, when: Callable[[float | str], float]) -> object:
    """Return a field's value: times read, texts trimmed and within bounds."""
    if isinstance(value, str):
        value = value.strip()
        if len(value) > LONGEST_TEXT:
            raise _malformed(f"{name} has at most {LONGEST_TEXT} characters.")
    if name in TIMES and isinstance(value, str | int | float) and not isinstance(value, bool):
        return when(value)
    if isinstance(value, int) and abs(value) > LARGEST:
        raise _malformed(f"{name} is too large.")
    return value


def _malformed(message: str) -> ProblemError:
    return ProblemError(400, "malformed", message)

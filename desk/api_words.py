"""Why what people say by a program is refused: by name, in a sentence that says what to do."""

import msgspec

from desk.once import Answer
from desk.shown import Shown
from model.contract import Contract, Text
from model.refusal_words import refusal_words, there_is
from model.service import entry as acts
from model.service.record import Record
from model.service.words import Refusal
from model.ticket_protocol import Refused, Sayable

WORDS_ARE_WRONG = frozenset(  # 422; everything else is a conflict with what stands: 409
    {
        Refusal.BEFORE_OPENING, Refusal.IN_THE_FUTURE, Refusal.IN_THE_PAST, Refusal.OUT_OF_ORDER, Refusal.OVERLAPS,
        Refusal.NO_REASON, Refusal.NO_ID, Refusal.NO_TEXT, Refusal.NO_ACCEPTER, Refusal.NO_SUCH_LEVEL,
        Refusal.NO_SUCH_CONDITION,
        Refusal.NO_SUCH_EXCUSE, Refusal.NO_SUCH_COMPLAINT, Refusal.NO_SUCH_EVENT, Refusal.ITSELF,
    }
)  # fmt: skip
NO_SUCH: dict[str, Text] = {  # what the desk refuses before the record is asked
    "no_such_document": {"en": "The contract knows no such document.", "zh": "合同没有该文档。"},
    "no_such_limit": {
        "en": "The ticket has no such clock, document or event to be excused.",
        "zh": "工单没有可免责的该项时限、文档或事件。",
    },
}


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


def refused(refusal: str, language: str, known: tuple[str, ...] = (), ticket: int = 0, more: str = "") -> Answer:
    """Return a refusal as an answer: 404, 409, or 422 where the words themselves are wrong; then `more`."""
    if refusal in NO_SUCH:
        sentence = NO_SUCH[refusal][language] + there_is(known, language)
        return Answer(422, msgspec.json.encode(Refused(refusal, sentence, known, ticket)))
    named = Refusal(refusal)
    status = 404 if named is Refusal.NO_TICKET else 422 if named in WORDS_ARE_WRONG else 409
    sentence = refusal_words(named, language, known) + more
    return Answer(status, msgspec.json.encode(Refused(named, sentence, known, ticket)))


def desk_time(refusal: str, shown: Shown) -> str:
    """Return a sentence with the desk's time for a refusal that is about it, "" for any other."""
    if refusal != Refusal.IN_THE_FUTURE:
        return ""
    return ("" if shown.lang == "zh" else " ") + shown.say("refused.desk_time", time=shown.moment(shown.now))


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

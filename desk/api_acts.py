"""What people say of a ticket by a program: read, written down and answered in one transaction, done once a key."""

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.api_view import clocks, ticket_now
from desk.api_words import desk_time, known_words, refused, unknown
from desk.ledger import Ledger, append, record_of
from desk.live import BOARD, commands_of
from desk.moments import MomentError, happened
from desk.once import Answer, keyed, once, reply_with
from desk.saying import NotSaidError, act_of
from desk.shown import Shown
from desk.store import Db, site_of
from desk.web import ProblemError, address_of, body_of, decoded, desk_of, good_name
from desk.words import preferred
from model.service import entry as acts
from model.service.record import Record
from model.service.words import Refusal, Side
from model.ticket_protocol import Say, Sayable


@dataclass(frozen=True)
class Speaker:
    """Who speaks, from where, for which side, in which language answers are read, and the zone of times without one."""

    who: str
    source: str
    side: Side
    language: str
    zone: str


async def say(request: Request) -> Response:
    """Write down what a person says of a ticket; the answer is the ticket as it is then, or a refusal by name."""
    desk = desk_of(request)
    body = await body_of(request)
    said = decoded(body, Say)
    number, key, speaker = number_of(request), keyed(request, body), speaker_of(request, said.by, said.side)
    woken: list[str] = []

    def write(db: Db) -> Answer:
        ledger = desk.ledger(db)
        return once(db, key, ledger.now, lambda: _say(ledger, number, speaker, said.act, woken))

    answer = await desk.store.write(write)
    if woken:
        desk.hub.announce(BOARD, *woken)
    return reply_with(answer)


def speaker_of(request: Request, by: str, side: Side) -> Speaker:
    """Return who speaks. Raises a ProblemError for a name that no person has, and for the system's side."""
    if side is Side.SYSTEM:
        raise ProblemError(400, "side", "A person speaks for `service` or `customer`.")
    zone = desk_of(request).settings.timezone
    return Speaker(good_name(by), address_of(request), side, language_of(request), zone)


def language_of(request: Request) -> str:
    """Return the language that a program wants sentences in: en or zh."""
    return preferred("", request.headers.get("accept-language", ""))


def number_of(request: Request) -> int:
    """Return the ticket's number in an address. Raises a ProblemError, `no_ticket`, for one that no ticket can have."""
    number: int = request.path_params["number"]
    if not 0 < number < 2**63:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    return number


def read_time(ledger: Ledger, speaker: Speaker, site: str, said: float | str) -> float:
    """Return a time as people of a site say it, in Unix seconds. Raises a ProblemError, `time`."""
    try:
        return happened(said, zone_of(ledger, speaker, site), ledger.now)
    except MomentError as error:
        raise ProblemError(400, "time", str(error)) from error


def ticket_answer(ledger: Ledger, number: int, status: int = 200) -> Answer:
    """Return a ticket as it is now as an answer."""
    return Answer(status, msgspec.json.encode(ticket_now(ledger, number)))


def _say(ledger: Ledger, number: int, speaker: Speaker, said: dict[str, object], woken: list[str]) -> Answer:
    record = record_of(ledger.db, number)
    if record is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    site = record.ticket.site
    try:
        act = act_of(said, zone_of(ledger, speaker, site), ledger.now, record.start)
    except NotSaidError as error:
        raise ProblemError(400, error.word, error.sentence, both=error.said) from error
    problem = problem_of(ledger, record, act, speaker.language)
    if problem is not None:
        return problem
    stepped = append(ledger, number, speaker.who, speaker.source, act, speaker.side)
    if stepped is None or stepped.refused is not None:
        refusal = stepped.refused if stepped and stepped.refused else Refusal.NO_TICKET
        known = known_words(refusal, record, ledger.contracts(record.terms.contract))
        shown = Shown(speaker.language, ledger.now, zone_of(ledger, speaker, site))
        return refused(refusal, speaker.language, known, getattr(act, "number", 0), desk_time(refusal, shown))
    woken.append(commands_of(site))
    return ticket_answer(ledger, number)


def zone_of(ledger: Ledger, speaker: Speaker, site: str) -> str:
    """Return the zone of a time that says none."""
    record = site_of(ledger.db, site)
    return (record.timezone if record else "") or speaker.zone


def problem_of(ledger: Ledger, record: Record, act: Sayable, language: str) -> Answer | None:
    """Return why an act is refused before the record is asked: it names what is not there."""
    if isinstance(act, acts.Linked) and record_of(ledger.db, act.number) is None:
        return refused(Refusal.NO_TICKET, language, ticket=act.number)
    contract = ledger.contracts(record.terms.contract)
    names = tuple(each.clock for each in clocks(record, contract, ledger)) if isinstance(act, acts.Excused) else ()
    return unknown(act, record, contract, names, language)

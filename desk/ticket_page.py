"""A ticket's own page, and what its forms say: written down by the ledger, or refused beside the form."""

from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.api_acts import problem_of
from desk.api_words import desk_time
from desk.called import Call, calls_of
from desk.core import Desk
from desk.glance import glance
from desk.incident_page import Relation, relation_of
from desk.kept import Line, lines_of
from desk.ledger import record_of
from desk.live import BOARD, commands_of
from desk.page import page, shown_for, who_of
from desk.past import Entry, EpisodeLine, audited, episodes_of
from desk.saying import NotSaidError, said_by
from desk.sheet import sheet
from desk.store import Db, site_of
from desk.told import history
from desk.view import TicketView, latest_title, single
from desk.web import ProblemError, address_of, desk_of, form_of, good_name
from model.contract_words import HANDLINGS
from model.refusal_words import REFUSALS
from model.service.entry import Acknowledged
from model.service.record import Record
from model.service.words import Refusal
from model.ticket_protocol import Refused

SAID = 303  # see what became of it by a GET
NOT_SAID = 409


class Seen(NamedTuple):
    """All that the store has of a ticket, of one commit; `cause` is the title of the alarm that explains it."""

    view: TicketView
    record: Record
    lines: tuple[Line, ...]
    audit: list[Entry]
    episodes: list[EpisodeLine]
    calls: list[Call]
    relation: Relation
    cause: dict[str, str]


async def ticket_page(request: Request) -> Response:
    """Show a ticket."""
    return await _page(request, {})


async def say(request: Request) -> Response:
    """Write down what a form says, and show the ticket again; what is refused stands beside its form."""
    desk = desk_of(request)
    number = _number(request)
    form = await form_of(request)
    who = good_name(who_of(request) or shown_for(request).say("nobody"))
    offer = form.pop("offer", "")
    record = await desk.store.read(lambda db: record_of(db, number))
    if record is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    site = await desk.store.read(lambda db: site_of(db, record.ticket.site))
    try:
        act, side = said_by(form, record, (site and site.timezone) or desk.settings.timezone, desk.clock().wall)
    except NotSaidError as error:
        shown = shown_for(request)
        why = error.said[shown.lang] if error.said else shown.say(f"refused.{error.word}")
        return await _page(request, {"offer": offer, "said": form, "why": why}, NOT_SAID)
    lang = shown_for(request).lang
    problem = await desk.store.read(lambda db: problem_of(desk.ledger(db), record, act, lang))
    if problem is not None:
        why = msgspec.json.decode(problem.body, type=Refused).message
        return await _page(request, {"offer": offer, "said": form, "why": why}, NOT_SAID)
    stepped = await desk.write_act(number, who, address_of(request), act, side)
    if stepped is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    if stepped.refused is not None:
        shown = shown_for(request, site.timezone if site else "")
        why = REFUSALS[Refusal(stepped.refused)][lang] + desk_time(stepped.refused, shown)
        return await _page(request, {"offer": offer, "said": form, "why": why}, NOT_SAID)
    if isinstance(act, Acknowledged):
        desk.hub.announce(commands_of(record.ticket.site))
    return RedirectResponse(f"/tickets/{number}#glance", SAID)  # else the form's own place stays, and opens it again


async def take_ticket(request: Request) -> Response:
    """Acknowledge what the board showed by its form, and go back to it; it says so when the ticket got worse."""
    desk = desk_of(request)
    number = _number(request)
    form = await form_of(request)
    who = good_name(who_of(request) or shown_for(request).say("nobody"))
    level = form.get("level", "")
    seen = int(level) if level.isascii() and level.isdigit() and len(level) == 1 else 0
    stepped = await desk.write_act(number, who, address_of(request), Acknowledged(seen))
    if stepped is None or stepped.record is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    desk.hub.announce(commands_of(stepped.record.ticket.site))
    back = f"/tickets/{number}" if form.get("back") == "ticket" else "/"
    return RedirectResponse(back + ("?worse=1" if stepped.refused is Refusal.WORSE else ""), SAID)


async def _page(request: Request, refused: dict[str, Any], status: int = 200) -> Response:
    desk = desk_of(request)
    number = _number(request)
    seen = await desk.store.read(lambda db: _look(desk, db, number))
    if seen is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    view, record = seen.view, seen.record
    shown = shown_for(request, view.site.timezone)
    contract = desk.contracts(record.terms.contract)
    of = sheet(record, contract, desk.calendars, desk.clock().wall)
    known = {offer.id for offer in (*of.next, *(offer for _, group in of.more for offer in group))}
    if refused:
        refused = {**refused, "known": refused["offer"] in known}
    return await page(
        request,
        "sheet.html",
        status,
        topic=BOARD,
        shown=shown,
        view=view,
        sheet=of,
        standing=glance(shown, of),
        history=history(shown, contract, seen.lines, seen.audit),
        episodes=seen.episodes,
        relation=seen.relation,
        cause=seen.cause,
        calls=seen.calls,
        people=desk.people.file.roster.people if desk.people.file else {},
        refused=refused,
        handlings=HANDLINGS,
    )


def _look(desk: Desk, db: Db, number: int) -> Seen | None:
    view, record = single(db, desk.contracts, number, desk.clock().wall), record_of(db, number)
    if view is None or record is None:
        return None
    return Seen(
        view,
        record,
        lines_of(db, number),
        audited(db, number),
        episodes_of(db, number),
        calls_of(db, number),
        relation_of(db, desk.contracts, number),
        latest_title(db, record.ticket.explained_by),
    )


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    if not 0 < number < 2**63:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    return number


ROUTES = (
    Route("/tickets/{number:ticket}", ticket_page, methods=["GET"]),
    Route("/tickets/{number:ticket}", say, methods=["POST"]),
    Route("/tickets/{number:ticket}/acknowledge", take_ticket, methods=["POST"]),
)

"""A ticket's own page, and what its forms say: written down by the ledger, or refused beside the form."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.called import calls_of
from desk.glance import glance
from desk.incident_page import relation_of
from desk.kept import lines_of
from desk.ledger import record_of
from desk.live import BOARD, commands_of
from desk.page import page, shown_for, who_of
from desk.past import audited, episodes_of
from desk.saying import NotSaidError, said_by
from desk.sheet import sheet
from desk.told import history
from desk.view import single
from desk.web import ProblemError, address_of, desk_of, form_of, good_name
from model.contract_words import HANDLINGS
from model.refusal_words import REFUSALS
from model.service.entry import Acknowledged
from model.service.words import Refusal

SAID = 303  # see what became of it by a GET
NOT_SAID = 409


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
    site_zone = (await _view(request)).site.timezone
    try:
        act, side = said_by(form, record, site_zone or desk.settings.timezone, desk.clock().wall)
    except NotSaidError as error:
        why = shown_for(request).say(f"refused.{error.args[0]}")
        return await _page(request, {"offer": offer, "said": form, "why": why}, NOT_SAID)
    stepped = await desk.write_act(number, who, address_of(request), act, side)
    if stepped is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    if stepped.refused is not None:
        why = shown_for(request).title(REFUSALS[Refusal(stepped.refused)])
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
    view = await _view(request)
    record, lines, audit, episodes = await desk.store.read(
        lambda db: (record_of(db, number), lines_of(db, number), audited(db, number), episodes_of(db, number))
    )
    calls = await desk.store.read(lambda db: calls_of(db, number))
    if record is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
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
        history=history(shown, contract, lines, audit),
        episodes=episodes,
        relation=await desk.store.read(lambda db: relation_of(db, desk.contracts, number)),
        calls=calls,
        people=desk.people.file.roster.people if desk.people.file else {},
        refused=refused,
        handlings=HANDLINGS,
    )


async def _view(request: Request) -> Any:
    desk = desk_of(request)
    number, now = _number(request), desk.clock().wall
    view = await desk.store.read(lambda db: single(db, desk.contracts, number, now))
    if view is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    return view


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

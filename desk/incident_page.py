"""Pages of incidents across sites, and what a ticket's page says of its relations."""

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.children import Child, children_of
from desk.incident_view import incident_line, incident_now, incident_of_ticket, incidents_now
from desk.incidents import rule_of, set_rule
from desk.live import BOARD
from desk.nuisance import flaps
from desk.page import page, shown_for, who_of
from desk.settings import Contracts
from desk.store import Db
from desk.web import ProblemError, address_of, desk_of, form_of, good_name
from model.incident import Rule
from model.incident_protocol import IncidentLine

SEE_OTHER = 303


class Relation(msgspec.Struct, frozen=True):
    """What a ticket has to do with others: its incident, what its fault explains, whether it is held open."""

    incident: IncidentLine | None
    children: list[Child]
    flapping: bool


def relation_of(db: Db, contracts: Contracts, ticket: int) -> Relation:
    """Return a ticket's relations."""
    number = incident_of_ticket(db, ticket)
    incident = incident_line(db, contracts, number) if number else None
    return Relation(incident, children_of(db, ticket), flaps(db, ticket))


async def incidents_page(request: Request) -> Response:
    """Show the incidents, those that go on first, and the rule."""
    desk = desk_of(request)
    incidents = await desk.store.read(lambda db: incidents_now(db, desk.contracts))
    rule = await desk.store.read(rule_of)
    wrong = "wrong" in request.query_params
    return await page(request, "incidents.html", topic=BOARD, incidents=incidents, rule=rule, wrong=wrong)


async def incident_page(request: Request) -> Response:
    """Show one incident with its tickets."""
    desk = desk_of(request)
    number: int = request.path_params["number"]
    found = await desk.store.read(lambda db: incident_now(db, desk.contracts, number))
    if found is None:
        raise ProblemError(404, "no_incident", f"There is no incident {number}.")
    return await page(request, "incident.html", topic=BOARD, found=found)


async def change_rule(request: Request) -> Response:
    """Change the rule as the form says, and show the incidents again."""
    desk = desk_of(request)
    form = await form_of(request)
    by = good_name(who_of(request) or shown_for(request).say("nobody"))
    source = address_of(request)
    try:
        rule = Rule(int(form.get("sites", "")), float(form.get("seconds", "")))
        await desk.store.write(lambda db: set_rule(db, rule, desk.ledger(db).now, by, source))
    except ValueError:
        return RedirectResponse("/incidents?wrong=1#rule", SEE_OTHER)
    return RedirectResponse("/incidents#rule", SEE_OTHER)


ROUTES = (
    Route("/incidents", incidents_page, methods=["GET"]),
    Route("/incidents/rule", change_rule, methods=["POST"]),
    Route("/incidents/{number:ticket}", incident_page, methods=["GET"]),
)

"""The desk for programs: tickets as JSON, acknowledgement, health, metrics, and this machine's own commands."""

import secrets
import zoneinfo
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.core import Desk
from desk.enrolment import good_site, join_line, make_code
from desk.live import BOARD, commands_of
from desk.store import Site, one, site_of
from desk.tickets import Actor, take
from desk.view import TicketView, listed, single
from desk.web import ProblemError, address_of, bearer, desk_of, good_name, message_of, reply
from model.protocol import PREFIX
from model.service.words import Refusal
from model.ticket import TicketState
from runtime.writer import StoreError

MOST = 50_000
_STATES = {"all": "", **{state.value: state.value for state in TicketState}}


class Take(msgspec.Struct, frozen=True):
    """Who acknowledges, and the level that they saw; 0: any."""

    by: str
    level: int = 0


class EnrolSite(msgspec.Struct, frozen=True):
    """A site to be joined; what is "" stays as it is, or is the desk's default for a new site."""

    site: str
    name: str = ""
    contract: str = ""
    region: str = ""
    timezone: str = ""
    by: str = "admin"


async def tickets(request: Request) -> Response:
    """List tickets, least time left first: `?state=open|resolved|closed|all&site=ID&limit=500`."""
    desk = desk_of(request)
    state = request.query_params.get("state", "open")
    if state not in _STATES:
        raise ProblemError(400, "malformed", f"state is one of {', '.join(_STATES)}.")
    site, limit = request.query_params.get("site", ""), request.query_params.get("limit", "500")
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 9 and int(limit) <= MOST):
        raise ProblemError(400, "malformed", f"limit is a number up to {MOST}.")
    now = desk.clock().wall
    wanted = {"state": _STATES[state], "site": site}
    views = await desk.store.read(lambda db: listed(db, desk.contracts, now, **wanted, limit=int(limit)))
    return reply({"now": now, "incarnation": desk.store.incarnation, "tickets": [as_json(view) for view in views]})


async def ticket(request: Request) -> Response:
    """Give one ticket."""
    return reply(as_json(await ticket_view(desk_of(request), _number(request))))


async def acknowledge(request: Request) -> Response:
    """Take a ticket: `{"by": NAME}`. A ticket that somebody has keeps its first; the answer says who it is.

    With `"level": SEEN` a ticket that is worse than that by now is not taken: 409, `worse`.
    """
    desk = desk_of(request)
    asked = await message_of(request, Take)
    number = _number(request)
    await acknowledged(desk, number, Actor(good_name(asked.by), address_of(request)), asked.level)
    return reply(as_json(await ticket_view(desk, number)))


async def acknowledged(desk: Desk, number: int, actor: Actor, seen: int) -> bool:
    """Take a ticket for a person and wake the agent's long poll; says whether this was the first to take it.

    `seen` is the level that the person saw, 0 for any. Raises a ProblemError, `worse`, when it is worse by now.
    """
    stepped = await desk.store.write(lambda db: take(desk.ledger(db), number, actor, seen=seen))
    if stepped is None or stepped.record is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    if stepped.refused is Refusal.WORSE:
        raise ProblemError(409, "worse", "It got worse meanwhile: look again.")
    first = stepped.refused is None
    if first:
        desk.hub.announce(BOARD, commands_of(stepped.record.ticket.site))
    return first


async def ticket_view(desk: Desk, number: int) -> TicketView:
    """Return a ticket as it is shown; a ProblemError when there is none."""
    now = desk.clock().wall
    view = await desk.store.read(lambda db: single(db, desk.contracts, number, now))
    if view is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    return view


async def enrol_site(request: Request) -> Response:
    """Make a one-time code for a site: for this machine's own commands, by the secret in the state folder."""
    desk = desk_of(request)
    if not desk.secret or not secrets.compare_digest(bearer(request).encode(), desk.secret.encode()):
        raise ProblemError(401, "local", "Only this machine's own commands may enrol a site.")
    asked = await message_of(request, EnrolSite)
    if not good_site(asked.site):
        raise ProblemError(400, "site", "A site's id is 1 to 64 letters, digits, dots, dashes or underscores.")
    by = good_name(asked.by)
    known = await desk.store.read(lambda db: site_of(db, asked.site))
    site = _filled(desk, asked, known)
    if site.timezone and site.timezone not in zoneinfo.available_timezones():
        raise ProblemError(400, "timezone", f"There is no time zone {site.timezone!r}: try Asia/Shanghai.")
    try:
        desk.check_contract(site)
    except StoreError as error:
        raise ProblemError(400, "contract", f"{error}.") from error
    now, lives = desk.clock().wall, desk.settings.code_life
    code = await desk.store.write(lambda db: make_code(db, site, by, now, lives))
    return reply({"join": join_line(desk.url, code), "site": site.id, "expires": now + lives})


async def health(request: Request) -> Response:
    """Say whether the desk can write, 200 or 503, and what its time is worth."""
    desk = desk_of(request)
    await desk.store.write(lambda db: one(db, "SELECT 1"))
    clock = desk.timekeeper.standing()
    return reply(
        {"status": "ok", "incarnation": desk.store.incarnation, "clock": clock.trust, "clock_note": clock.note}
    )


async def metrics(request: Request) -> Response:
    """Give the desk's own metrics in Prometheus' text format."""
    return Response(await desk_of(request).meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


ROUTES = (
    Route(f"{PREFIX}/tickets", tickets, methods=["GET"]),
    Route(f"{PREFIX}/tickets/{{number:ticket}}", ticket, methods=["GET"]),
    Route(f"{PREFIX}/tickets/{{number:ticket}}/acknowledge", acknowledge, methods=["POST"]),
    Route(f"{PREFIX}/local/enrol", enrol_site, methods=["POST"]),
    Route("/healthz", health, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
)


def as_json(view: TicketView) -> dict[str, Any]:
    """Return a ticket as one flat object, without the defaults left out."""
    ticket = {name: getattr(view.ticket, name) for name in view.ticket.__struct_fields__}
    shown = {name: getattr(view, name) for name in view.__struct_fields__ if name not in {"ticket", "site"}}
    return {**ticket, **shown, "site_name": view.site.name, "region": view.site.region}


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    if not 0 < number < 2**63:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    return number


def _filled(desk: Desk, asked: EnrolSite, known: Site | None) -> Site:
    before = known or Site(asked.site, asked.site, desk.settings.contract, desk.settings.region, desk.settings.timezone)
    return Site(
        asked.site,
        asked.name.strip()[:120] or before.name,
        asked.contract or before.contract,
        asked.region or before.region,
        asked.timezone or before.timezone,
    )

"""The desk for programs: which operations there are; health and metrics beside them."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk import (
    api_clock,
    api_contracts,
    api_described,
    api_incidents,
    api_listed,
    api_local,
    api_periods,
    api_roster,
    api_tickets,
    api_tokens,
    api_users,
    api_walktests,
)
from desk.api_tickets import acknowledged, ticket_of
from desk.core import Desk
from desk.openapi import answering
from desk.operation import Operation, routes
from desk.store import one
from desk.view import TicketView, single
from desk.web import ProblemError, desk_of, reply
from model.protocol import PREFIX

__all__ = ["OPERATIONS", "ROUTES", "acknowledged", "ticket_of", "ticket_view"]


async def health(request: Request) -> Response:
    """Say whether the desk can write, 200 or 503, and what its time is worth."""
    desk = desk_of(request)
    await desk.store.write(lambda db: one(db, "SELECT 1"))
    time = desk.timekeeper.standing()
    return reply({"status": "ok", "incarnation": desk.store.incarnation, "clock": time.trust, "clock_note": time.note})


async def metrics(request: Request) -> Response:
    """Give the desk's own metrics in Prometheus' text format."""
    return Response(await desk_of(request).meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def ticket_view(desk: Desk, number: int) -> TicketView:
    """Return a ticket as a page shows it. Raises a ProblemError, `no_ticket`, when there is none."""
    now = desk.timekeeper.now()
    view = await desk.store.read(lambda db: single(db, desk.contracts, number, now))
    if view is None:
        raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    return view


OPERATIONS: tuple[Operation, ...] = (
    *api_tickets.OPERATIONS,
    *api_contracts.OPERATIONS,
    *api_listed.OPERATIONS,
    *api_described.OPERATIONS,
    *api_tokens.OPERATIONS,
    *api_clock.OPERATIONS,
    *api_local.OPERATIONS,
    *api_tokens.LOCAL,
    *api_incidents.OPERATIONS,
    *api_periods.OPERATIONS,
    *api_roster.OPERATIONS,
    *api_users.OPERATIONS,
    *api_walktests.OPERATIONS,
)
ROUTES = (
    *routes(OPERATIONS),
    Route(f"{PREFIX}/openapi.json", answering(OPERATIONS), methods=["GET"]),
    Route("/healthz", health, methods=["GET"]),
    Route("/metrics", metrics, methods=["GET"]),
)

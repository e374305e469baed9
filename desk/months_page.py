"""The list of tickets, month by month, and what was served as tables (CSV, RFC 4180) for whoever has to prove it."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.api_view import ticket_now
from desk.gate import person_of
from desk.guard_csv import plain
from desk.incident_view import incidents_now
from desk.live import BOARD
from desk.page import page, shown_for
from desk.shown import Shown, clean
from desk.store import Db, Row, every
from desk.users import sites_of
from desk.view import MOST, listed
from desk.web import ProblemError, desk_of
from model.contract import Milestone
from model.incident_protocol import IncidentLine
from model.service.outcome import Stand
from model.ticket_protocol import TicketNow

LAST = 200  # tickets of the page that names no month
PIECE = 100  # tickets read at a time: a table of thousands keeps no other reader waiting
INCIDENTS = 10_000
EVER = 2.0**53
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
_TICKET = ("ticket", "contract", "region", "level", "state", "site", "device", "fault", "zone", "onset", "opened",
           "taken_by")  # fmt: skip
_COUNTED = ("closed", "kept", "late", "excused", "points", "share")
_INCIDENT = ("number", "cause", "contract", "region", "sites", "tickets", "going", "onset", "ended")

Span = tuple[float, float]


async def tickets_page(request: Request) -> Response:
    """Show the last tickets, or those that opened in a month, with how many of them kept their limits."""
    desk, person, shown = desk_of(request), await person_of(request), shown_for(request)
    month = request.query_params.get("month", "")
    span = _span(month, shown)
    now = desk.clock().wall

    def look(db: Db) -> dict[str, Any]:
        own = sites_of(db, person)
        views = listed(db, desk.contracts, now, own=own, opened=span, limit=MOST if span else LAST)
        rows = _opened(db, span, own) if span else []
        return {
            "views": sorted(views, key=lambda view: -view.ticket.number),
            "all": len(rows),
            "closed": sum(row["state"] == "closed" for row in rows),
            "late": sum(row["late"] > 0 for row in rows),
        }

    found = await desk.store.read(look)
    topic = "" if span else BOARD  # a month is read, not followed
    return await page(request, "tickets.html", topic=topic, month=month, months=_months(shown), **found)


async def tickets_csv(request: Request) -> Response:
    """Give the tickets that opened in a month, or all, with their times, limits and penalties."""
    desk, person, shown = desk_of(request), await person_of(request), shown_for(request)
    month = request.query_params.get("month", "")
    span = _span(month, shown)
    rows = await desk.store.read(lambda db: _opened(db, span, sites_of(db, person)))
    numbers = [row["number"] for row in rows]

    def look(piece: Sequence[int], db: Db) -> list[TicketNow]:
        ledger = desk.ledger(db)
        return [found for number in piece if (found := ticket_now(ledger, number)) is not None]

    lines: list[tuple[str, ...]] = []
    for first in range(0, len(numbers), PIECE):
        piece = numbers[first : first + PIECE]
        lines += [_ticket(each, shown) for each in await desk.store.read(partial(look, piece))]
    reached = [shown.say(f"milestone.{milestone}") for milestone in Milestone]
    names = [shown.say(f"report.{name}") for name in _TICKET], [shown.say(f"report.{name}") for name in _COUNTED]
    return _table(f"tickets-{month or 'all'}", [*names[0], *reached, *names[1]], lines)


async def incidents_csv(request: Request) -> Response:
    """Give the incidents across sites."""
    desk, shown = desk_of(request), shown_for(request)
    found = await desk.store.read(lambda db: incidents_now(db, desk.contracts, INCIDENTS))
    return _table(
        "incidents", [shown.say(f"report.{name}") for name in _INCIDENT], [_incident(i, shown) for i in found]
    )


ROUTES = (
    Route("/tickets", tickets_page, methods=["GET"]),
    Route("/tickets.csv", tickets_csv, methods=["GET"]),
    Route("/incidents.csv", incidents_csv, methods=["GET"]),
)


def _span(month: str, shown: Shown) -> Span | None:
    """Return a month's first moment and the one after its last, at the desk; None for "", which is no month."""
    if not month:
        return None
    said = _MONTH.fullmatch(month)
    if said is None:
        raise ProblemError(400, "malformed", "A month is written 2026-09.")
    year, number = int(said[1]), int(said[2])
    after = dt.datetime(year + number // 12, number % 12 + 1, 1, tzinfo=shown.zone)
    return dt.datetime(year, number, 1, tzinfo=shown.zone).timestamp(), after.timestamp()


def _months(shown: Shown) -> list[str]:
    """Return this month and the two before it."""
    day = dt.datetime.fromtimestamp(shown.now, shown.zone).date().replace(day=1)
    found = [day]
    while len(found) < 3:
        found.append((found[-1] - dt.timedelta(days=1)).replace(day=1))
    return [f"{each:%Y-%m}" for each in found]


def _opened(db: Db, span: Span | None, own: frozenset[str] | None) -> list[Row]:
    sql = "SELECT number, site, state, late FROM tickets WHERE opened >= ? AND opened < ? ORDER BY number"
    rows = every(db, sql, *(span or (0.0, EVER)))
    return [row for row in rows if own is None or row["site"] in own]


def _ticket(found: TicketNow, shown: Shown) -> tuple[str, ...]:
    local = shown.at(found.timezone)

    def time(at: float | None) -> str:
        return "" if at is None else local.moment(at)

    stands = [clock.stand for clock in found.clocks]
    shares = [each.share for each in found.deductions if each.counts and each.share is not None]
    return (
        str(found.number),
        found.contract,
        found.region,
        found.level_code,
        shown.say(f"state.{found.state}"),
        f"{found.site_name} ({found.site})",
        found.device_name or found.device,
        shown.title(found.title, found.fault),
        found.timezone,
        time(found.onset),
        time(found.opened),
        found.acknowledged_by,
        *(time(mark.when if (mark := found.marks.get(milestone)) else None) for milestone in Milestone),
        time(found.closed),
        str(stands.count(Stand.KEPT)),
        str(stands.count(Stand.LATE)),
        str(sum(bool(each.excused_by) for each in found.deductions)),
        f"{found.points:g}",
        f"{100 * sum(shares):g} %" if shares else "",
    )


def _incident(found: IncidentLine, shown: Shown) -> tuple[str, ...]:
    counts = (str(found.sites), str(found.tickets), str(found.going))
    return (
        str(found.number),
        shown.title(found.title, found.cause),
        found.contract,
        shown.title(found.region_title, found.region),
        *counts,
        shown.moment(found.first),
        "" if found.ended is None else shown.moment(found.ended),
    )


def _table(name: str, head: Iterable[str], lines: Iterable[tuple[str, ...]]) -> Response:
    """Answer with a table that a spreadsheet opens as it is meant: UTF-8 with its mark, no formula."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(head)
    for line in lines:
        table.writerow([cell if _number(cell) else plain(clean(cell)) for cell in line])
    named = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(out.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=named)


def _number(cell: str) -> bool:
    """Say whether a cell is a number: points below 0 are one, and no formula."""
    return re.fullmatch(r"-?\d+(?:\.\d+)?", cell, re.ASCII) is not None

"""The desk's pages: board, tickets, sites, system. They work without script; with it they follow the news."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from desk import (
    account_page,
    alarms_page,
    contracts_page,
    incident_page,
    measure_page,
    months_page,
    opening_page,
    period_pages,
    roster_page,
    sign_in_page,
    ticket_page,
    trend_page,
    users_page,
    walktest_page,
)
from desk.duty import roster_now
from desk.gate import person_of
from desk.incident_view import incidents_now
from desk.live import BOARD, news, readings_of
from desk.page import STATIC, page, remember, shared_page, shown_for
from desk.past import agents_now, quarantined, recent
from desk.roles import Way
from desk.rounds import ask_for_readings, last_readings, site_lines
from desk.sites_tree import tree
from desk.store import Db, site_of
from desk.users import sites_of
from desk.view import board, contracts_of, listed
from desk.web import ProblemError, desk_of, form_of, good_name
from model.ticket import TicketState

KEEP_ALIVE = 15.0
RESOLVED = 50  # tickets that wait for a word, the newest
_ASKS_FOR_A_NAME = re.compile(r"/tickets/(?:[0-9]{1,18}|new\?site=[\w.-]{1,64})", re.ASCII)
CALM = 0.25  # seconds between two wake-ups of a page: a storm of events is one look


async def board_page(request: Request) -> Response:
    """Show the open tickets, least time left first, and below them those that wait for somebody's word."""
    desk = desk_of(request)
    person = await person_of(request)

    def look(db: Db) -> dict[str, list[Any]]:
        own, now = sites_of(db, person), desk.clock().wall
        incidents = [] if person.bounded else incidents_now(db, desk.contracts, 3)
        return {
            "views": board(db, desk.contracts, now, own),
            "resolved": listed(db, desk.contracts, now, state=TicketState.RESOLVED, limit=RESOLVED, own=own),
            "incidents": [each for each in incidents if each.ended is None],
        }

    return await shared_page(request, "board.html", partial(desk.store.read, look))


async def sites_page(request: Request) -> Response:
    """Show every site by region: whether it was heard, and what it has open."""
    desk = desk_of(request)
    person = await person_of(request)
    lines = await desk.store.read(lambda db: site_lines(db, desk.contracts))
    lines = [line for line in lines if person.has(line.site.id, line.site.region)]
    return await page(request, "sites.html", topic=BOARD, branches=tree(lines, desk.contracts))


async def site_page(request: Request) -> Response:
    """Show a site's devices and readings, and ask the site for fresh ones when these are old."""
    desk = desk_of(request)
    site = await desk.store.read(lambda db: site_of(db, request.path_params["site"]))
    if site is None:
        raise ProblemError(404, "no_site", "There is no such site.")
    asked = await ask_for_readings(desk, site.id)
    now = desk.clock().wall
    snapshot = await desk.store.read(lambda db: last_readings(db, site.id, now))
    views = await desk.store.read(lambda db: listed(db, desk.contracts, now, state="open", site=site.id))
    (line,) = [
        line for line in await desk.store.read(lambda db: site_lines(db, desk.contracts)) if line.site.id == site.id
    ]
    shown = shown_for(request, site.timezone)
    return await page(
        request,
        "site.html",
        topic=readings_of(site.id),
        shown=shown,
        site=site,
        line=line,
        snapshot=snapshot,
        asked=asked,
        views=views,
    )


async def system_page(request: Request) -> Response:
    """Show agents, quarantine and the last of the audit."""
    desk = desk_of(request)
    rows = await desk.store.read(recent)
    levels = {each.ticket for each in rows if each.ticket is not None and each.detail.get("level")}
    called = await desk.store.read(lambda db: contracts_of(db, desk.contracts, levels))
    held = await desk.store.read(quarantined)
    agents = await desk.store.read(agents_now)
    problems = await desk.problems()
    now = desk.timekeeper.now()
    people = await desk.store.read(lambda db: roster_now(db, desk.people, now))
    return await page(
        request, "system.html", topic=BOARD, history=rows, quarantine=held, agents=agents, problems=problems,
        people=people, called=called,
    )  # fmt: skip


async def who_page(request: Request) -> Response:
    """Ask who is on duty at this browser, where nobody signs in."""
    if (await person_of(request)).way is not Way.OPEN:
        return RedirectResponse("/account", 303)
    return await page(request, "who.html", back=_back(request.query_params.get("back", "")))


async def say_who(request: Request) -> Response:
    """Keep who is on duty at this browser, and go back to where the name was asked for."""
    if (await person_of(request)).way is not Way.OPEN:
        return RedirectResponse("/account", 303)
    form = await form_of(request)
    answer = RedirectResponse(_back(form.get("back", "")), 303)
    who = form.get("who", "").strip()
    remember(answer, "who", good_name(who) if who else "")
    return answer


def _back(address: str) -> str:
    """Return a ticket's address, or that of the page that opens one; the board's for every other."""
    return address if _ASKS_FOR_A_NAME.fullmatch(address) else "/"


async def live(request: Request) -> Response:
    """Stream a word at each news of a topic: the page then asks for itself again."""
    desk = desk_of(request)
    topic = request.query_params.get("topic", BOARD)
    if topic != BOARD and not (topic.startswith(readings_of("")) and await _follows(request, topic)):
        raise ProblemError(404, "no_topic", "There is no such stream.")
    if desk.hub.following(BOARD, readings_of("")) >= desk.settings.streams:
        raise ProblemError(503, "streams", "Too many pages follow this desk.", retry_after=30)

    async def words() -> AsyncIterator[bytes]:
        with desk.hub.listen(topic) as event:
            yield b"retry: 2000\n\n"
            while not desk.hub.closing:
                if await news(event, KEEP_ALIVE):
                    event.clear()
                    if desk.hub.closing:
                        return
                    yield b"event: changed\ndata: 1\n\n"
                    await asyncio.sleep(CALM)
                else:
                    yield b": still here\n\n"

    return StreamingResponse(words(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _follows(request: Request, topic: str) -> bool:
    """Say whether the readings of a topic's site are theirs to follow."""
    person = await person_of(request)
    site = await desk_of(request).store.read(lambda db: site_of(db, topic.removeprefix(readings_of(""))))
    return not person.bounded or (site is not None and person.has(site.id, site.region))


async def problem_page(request: Request, problem: ProblemError) -> Response:
    """Answer a person's request that cannot be done, in a sentence."""
    status = 404 if problem.status == 400 and request.method == "GET" else problem.status  # an address that is none
    shown = shown_for(request)
    text = shown.say("not_found") if status == 404 else problem.sentence(shown.lang)
    return await page(request, "problem.html", status, text=text)


def trend_address(site: str, device: str, point: str) -> str:
    """Return the address of a point's trend."""
    return f"/sites/{quote(site)}/trend?device={quote(device, safe='')}&point={quote(point, safe='')}"


ROUTES = (
    Route("/", board_page, methods=["GET"]),
    *months_page.ROUTES,
    *alarms_page.ROUTES,
    *contracts_page.ROUTES,
    *opening_page.ROUTES,
    *ticket_page.ROUTES,
    *period_pages.ROUTES,
    *measure_page.ROUTES,
    *incident_page.ROUTES,
    *roster_page.ROUTES,
    *walktest_page.ROUTES,
    *sign_in_page.ROUTES,
    *account_page.ROUTES,
    *users_page.ROUTES,
    Route("/sites", sites_page, methods=["GET"]),
    Route("/sites/{site}", site_page, methods=["GET"]),
    *trend_page.ROUTES,
    Route("/system", system_page, methods=["GET"]),
    Route("/who", who_page, methods=["GET"]),
    Route("/who", say_who, methods=["POST"]),
    Route("/live", live, methods=["GET"]),
    Mount("/static", StaticFiles(directory=STATIC)),
)

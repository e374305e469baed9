"""The roster's page: who is on duty now and in the next days, who cannot be reached, substitutes by a form."""

from itertools import groupby
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.duty import NotSwapped, roster_now, say_swap, withdraw_swap
from desk.live import BOARD
from desk.moments import MomentError, moment
from desk.page import page, shown_for, who_of
from desk.saying import LONGEST
from desk.shown import Shown
from desk.store import Db
from desk.unseen import unseen
from desk.view import codes_of
from desk.web import address_of, desk_of, form_of, good_name
from model.roster_protocol import DutyNow, SaySwap, TeamNow

SEEN = 303
NOT_SAID = 409
Piece = tuple[float, float, tuple[DutyNow, ...]]  # from, until, who: nobody where there must be somebody


async def roster_page(request: Request) -> Response:
    """Show the roster."""
    return await _page(request, {})


async def say_of_roster(request: Request) -> Response:
    """Write down a substitute, or withdraw one; what is refused stands beside the form."""
    form = await form_of(request)
    desk, source = desk_of(request), address_of(request)
    by = good_name(who_of(request) or shown_for(request).say("nobody"))
    number = form.get("withdraw", "")
    if number:
        known = int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0
        done = await desk.store.write(lambda db: withdraw_swap(desk.ledger(db), known, by, source))
        why = "no_such" if done is None else ""
    else:
        why = await _swapped(request, form, by)
    if not why:
        return RedirectResponse("/roster", SEEN)
    shown, wrong = shown_for(request), unseen(form.get("reason", ""))
    sentence = f"{shown.say('reason')} {wrong[shown.lang]}" if why == "form" and wrong else shown.say(f"refused.{why}")
    return await _page(request, {"withdraw": number, "said": form, "why": sentence}, NOT_SAID)


async def _swapped(request: Request, form: dict[str, str], by: str) -> str:
    """Write down a substitute as the form says it; returns why not, "" when it is written."""
    desk = desk_of(request)
    zone, now = _zone(request), desk.clock().wall
    try:
        start, end = (moment(form.get(name, ""), zone, now) for name in ("start", "end"))
    except MomentError:
        return "time"
    reason = form.get("reason", "").strip()
    if len(reason) > LONGEST or unseen(reason):
        return "form"
    said = SaySwap(form.get("absent", ""), form.get("stand_in", ""), start, end, by, reason)

    def write(db: Db) -> object:
        return say_swap(desk.ledger(db), desk.people, said, address_of(request))

    became = await desk.store.write(write)
    return became.value if isinstance(became, NotSwapped) else ""


def by_day(shown: Shown, team: TeamNow) -> list[tuple[str, list[Piece]]]:
    """Return a team's duties of the days ahead with what nobody does, under the day on which each begins."""
    spans: dict[tuple[float, float], list[DutyNow]] = {span: [] for span in team.gaps}
    for duty in team.ahead:
        spans.setdefault((duty.start, duty.end), []).append(duty)
    pieces = [(start, end, tuple(duties)) for (start, end), duties in sorted(spans.items())]
    return [(day, list(group)) for day, group in groupby(pieces, key=lambda each: shown.date(each[0]))]


def _zone(request: Request) -> str:
    desk = desk_of(request)
    return (desk.people.file.roster.calendar.zone if desk.people.file else "") or desk.settings.timezone


async def _page(request: Request, refused: dict[str, Any], status: int = 200) -> Response:
    desk = desk_of(request)
    now = desk.clock().wall
    found = await desk.store.read(lambda db: roster_now(db, desk.people, now))
    codes = await desk.store.read(lambda db: codes_of(db, desk.contracts, (each.ticket for each in found.untold)))
    shown = shown_for(request, _zone(request))
    people = desk.people.file.roster.people if desk.people.file else {}
    return await page(
        request,
        "roster.html",
        status,
        topic=BOARD,
        shown=shown,
        roster=found,
        codes=codes,
        people=people,
        days={team.team: by_day(shown, team) for team in found.teams},
        refused=refused,
    )


ROUTES = (
    Route("/roster", roster_page, methods=["GET"]),
    Route("/roster", say_of_roster, methods=["POST"]),
)

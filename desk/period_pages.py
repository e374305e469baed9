"""The pages of windows and guard periods, and what their forms say. They follow no news: a form keeps what is typed."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk import period_acts as people
from desk.api_periods import guard_table
from desk.live import BOARD
from desk.page import page, shown_for
from desk.period_store import guard_numbered
from desk.period_view import guards_now, report, windows_now
from desk.store import Db
from desk.view import codes_of
from desk.web import ProblemError, address_of, desk_of, form_of
from model.period import No, Work
from model.period_protocol import (
    DeclareGuard,
    EndPeriod,
    ExtendWindow,
    GuardReport,
    PlanWindow,
    SetRoster,
)
from model.period_words import Refused

SEEN = 303
_TICK = "true"


async def periods_page(request: Request) -> Response:
    """Show every window and guard period, and the forms."""
    return await _periods(request, {})


async def guard_page(request: Request) -> Response:
    """Show a guard period with its report."""
    return await _guard(request, {})


async def say_of_periods(request: Request) -> Response:
    """Plan work, declare a guard period, or change a window; what is refused stands beside its form."""
    form = await form_of(request)
    refused = await _said(request, form)
    if refused:
        return await _periods(request, {"form": form.get("form", ""), "said": form, "why": refused[1]}, refused[0])
    return RedirectResponse("/periods", SEEN)


async def say_of_guard(request: Request) -> Response:
    """Change a guard period's roster, or end it."""
    form = await form_of(request)
    refused = await _said(request, form)
    if refused:
        return await _guard(request, {"form": form.get("form", ""), "said": form, "why": refused[1]}, refused[0])
    return RedirectResponse(f"/guards/{request.path_params['number']}", SEEN)


async def _said(request: Request, form: dict[str, str]) -> tuple[int, str] | None:
    """Do what a form says; returns status and sentence when it is refused."""
    desk, source = desk_of(request), address_of(request)
    home = people.home_of(desk)
    try:
        became = await desk.store.write(lambda db: _do(desk.ledger(db), form, source, home))
    except people.WordsError as problem:
        return problem.status, problem.said[shown_for(request).lang]
    except ProblemError as problem:
        if problem.status >= 500:
            raise
        return problem.status, problem.sentence(shown_for(request).lang)
    if isinstance(became, Refused):
        shown = shown_for(request, became.zone)
        return people.status_of(became), became.sentence(shown.lang, shown.moment)
    desk.hub.announce(BOARD)
    return None


def _do(ledger: Any, form: dict[str, str], source: str, home: people.Home) -> people.Became:
    """Do what the form named `form` says; a number stands behind a blank: `extend 7`."""
    name, _, of = form.get("form", "").partition(" ")
    number = int(of) if of.isascii() and of.isdigit() and len(of) < 19 else 0
    if name == "plan":
        return people.plan(ledger, _fields(form, PlanWindow), source, home)
    if name == "declare":
        return people.declare(ledger, _fields(form, DeclareGuard), source, home)
    if name == "extend":
        return people.extend(ledger, number, _fields(form, ExtendWindow), source, home)
    if name == "end":
        return people.end(ledger, number, _fields(form, EndPeriod), source)
    if name == "approve":
        return people.approve(ledger, number, _fields(form, EndPeriod), source)
    if name == "roster":
        return people.roster(ledger, number, _fields(form, SetRoster), source, home)
    if name == "end_guard":
        return people.end_early(ledger, number, _fields(form, EndPeriod), source)
    raise ProblemError(400, "form", "This is no form of this page.")


def _fields(form: dict[str, str], kind: type[Any]) -> Any:
    """Return a form's fields as a message; what the form leaves out is as the message has it."""
    known = {field.name for field in msgspec.structs.fields(kind)}
    given: dict[str, Any] = {name: text for name, text in form.items() if name in known}
    if "urgent" in given:
        given["urgent"] = given["urgent"] == _TICK
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise ProblemError(400, "form", f"This is no form of this page: {error}.") from error


async def _periods(request: Request, refused: dict[str, Any], status: int = 200) -> Response:
    desk = desk_of(request)
    now = desk.timekeeper.now()
    windows, guards = await desk.store.read(lambda db: (windows_now(db, now), guards_now(db, now)))
    return await page(
        request,
        "periods.html",
        status,
        windows=windows.windows,
        guards=guards.guards,
        works=tuple(work for work in Work if work is not Work.WALKTEST),
        refused=refused,
    )


async def _guard(request: Request, refused: dict[str, Any], status: int = 200) -> Response:
    desk = desk_of(request)
    number: int = request.path_params["number"]
    now = desk.timekeeper.now()

    def found(db: Db) -> GuardReport | None:
        kept = guard_numbered(db, number)
        return report(db, kept, now) if kept else None

    report_ = await desk.store.read(found)
    if report_ is None:
        raise ProblemError(404, "no_such", Refused(No.NO_SUCH).sentence(shown_for(request).lang, str))
    codes = await desk.store.read(lambda db: codes_of(db, desk.contracts, (each.number for each in report_.tickets)))
    shown = shown_for(request, report_.guard.zone)
    return await page(request, "guard.html", status, shown=shown, report=report_, codes=codes, refused=refused)


ROUTES = (
    Route("/periods", periods_page, methods=["GET"]),
    Route("/periods", say_of_periods, methods=["POST"]),
    Route("/guards/{number:ticket}", guard_page, methods=["GET"]),
    Route("/guards/{number:ticket}", say_of_guard, methods=["POST"]),
    Route("/guards/{number:ticket}/report.csv", guard_table, methods=["GET"]),
)

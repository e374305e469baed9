"""Maintenance windows and guard periods for programs: planned, extended, approved, ended; the roster; the report."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk import period_acts as people
from desk.guard_csv import csv_of
from desk.ledger import Ledger
from desk.live import BOARD
from desk.once import Answer, keyed, once, reply_with
from desk.operation import Operation
from desk.period_store import guard_numbered, window_numbered
from desk.period_view import guard_now, guards_now, report, window_now, windows_now
from desk.shown import Shown
from desk.store import Db
from desk.web import ProblemError, address_of, body_of, decoded, desk_of, reply
from desk.words import preferred
from model.period import GuardPeriod, No
from model.period_protocol import (
    DeclareGuard,
    EndPeriod,
    ExtendWindow,
    GuardList,
    GuardNow,
    GuardReport,
    PlanWindow,
    SetRoster,
    WindowList,
    WindowNow,
)
from model.period_words import Refused
from model.protocol import PREFIX
from model.ticket_protocol import Refused as RefusedMessage

T = TypeVar("T")
Act = Callable[[Ledger, Any, str, people.Home], people.Became]
WINDOWS = f"{PREFIX}/windows"
WINDOW = f"{WINDOWS}/{{number:ticket}}"
GUARDS = f"{PREFIX}/guards"
GUARD = f"{GUARDS}/{{number:ticket}}"
_NONE = (404, "no_such")
_UNREADABLE = (400, "malformed, words, time, who, key")
_REFUSALS = ((409, "guarded, over, key_reused"), (422, "refusals"))


async def windows(request: Request) -> Response:
    """List windows: in force, planned, over."""
    return reply(await _read(request, windows_now))


async def window(request: Request) -> Response:
    """Give one window, with what it holds or held back."""
    number: int = request.path_params["number"]

    def found(db: Db, now: float) -> WindowNow | None:
        kept = window_numbered(db, number)
        return window_now(db, kept, now) if kept else None

    return reply(_there(request, await _read(request, found)))


async def plan_window(request: Request) -> Response:
    """Plan work."""
    return await _write(request, PlanWindow, people.plan, status=201)


async def extend_window(request: Request) -> Response:
    """Let a window end later."""
    number: int = request.path_params["number"]
    return await _write(request, ExtendWindow, lambda ledger, *said: people.extend(ledger, number, *said))


async def end_window(request: Request) -> Response:
    """End a window now."""
    number: int = request.path_params["number"]
    return await _write(request, EndPeriod, lambda ledger, said, source, _: people.end(ledger, number, said, source))


async def approve_window(request: Request) -> Response:
    """Approve a window's urgent work."""
    number: int = request.path_params["number"]
    return await _write(
        request, EndPeriod, lambda ledger, said, source, _: people.approve(ledger, number, said, source)
    )


async def guards(request: Request) -> Response:
    """List guard periods: in force, planned, over."""
    return reply(await _read(request, guards_now))


async def guard(request: Request) -> Response:
    """Give one guard period."""
    return reply(_there(request, await _read(request, lambda db, now: _guard(db, request, now, guard_now))))


async def declare_guard(request: Request) -> Response:
    """Declare a guard period with its roster."""
    return await _write(request, DeclareGuard, people.declare, status=201)


async def set_roster(request: Request) -> Response:
    """Give a guard period another roster from now on."""
    number: int = request.path_params["number"]
    return await _write(request, SetRoster, lambda ledger, *said: people.roster(ledger, number, *said))


async def end_guard(request: Request) -> Response:
    """End a guard period now."""
    number: int = request.path_params["number"]
    act: Act = lambda ledger, said, source, _: people.end_early(ledger, number, said, source)  # noqa: E731 - one line
    return await _write(request, EndPeriod, act)


async def guard_report(request: Request) -> Response:
    """Give a guard period's report, as things stand now."""
    return reply(_there(request, await _read(request, lambda db, now: _guard(db, request, now, report))))


async def guard_table(request: Request) -> Response:
    """Give a guard period's report as a table, a line a ticket: CSV in UTF-8, times in the period's zone."""
    found = _there(request, await _read(request, lambda db, now: _guard(db, request, now, report)))
    desk = desk_of(request)
    shown = Shown(_language(request), found.at, found.guard.zone or desk.settings.timezone)
    named = {"Content-Disposition": f'attachment; filename="guard-{found.guard.id}.csv"'}
    return Response(csv_of(found, shown), media_type="text/csv; charset=utf-8", headers=named)


async def _read(request: Request, query: Callable[[Db, float], T]) -> T:
    desk = desk_of(request)
    now = desk.timekeeper.now()
    return await desk.store.read(lambda db: query(db, now))


def _guard(db: Db, request: Request, now: float, as_what: Callable[[Db, GuardPeriod, float], T]) -> T | None:
    kept = guard_numbered(db, request.path_params["number"])
    return as_what(db, kept, now) if kept else None


def _there(request: Request, found: T | None) -> T:
    if found is None:
        raise ProblemError(404, No.NO_SUCH, Refused(No.NO_SUCH).sentence(_language(request), str))
    return found


async def _write(request: Request, kind: type[T], act: Act, status: int = 200) -> Response:
    """Do what a program asks, once a key; the answer is the window or guard period as it is then, or a refusal."""
    desk = desk_of(request)
    body = await body_of(request)
    said, key, source = decoded(body, kind), keyed(request, body), address_of(request)
    home = people.home_of(desk)

    def write(db: Db) -> Answer:
        ledger = desk.ledger(db)

        def do() -> Answer:
            became = act(ledger, said, source, home)
            return answer_of(ledger, became, request, status)

        return once(db, key, ledger.now, do)

    try:
        answer = await desk.store.write(write)
    except people.WordsError as problem:
        raise ProblemError(problem.status, problem.error, problem.said[_language(request)]) from problem
    desk.hub.announce(BOARD)
    return reply_with(answer)


def answer_of(ledger: Ledger, became: people.Became, request: Request, status: int) -> Answer:
    """Return what became of an act as an answer."""
    if isinstance(became, Refused):
        zone = became.zone or desk_of(request).settings.timezone
        sentence = became.sentence(_language(request), Shown(_language(request), ledger.now, zone).moment)
        return Answer(people.status_of(became), msgspec.json.encode(RefusedMessage(became.no, sentence)))
    shown: WindowNow | GuardNow
    if isinstance(became, GuardPeriod):
        shown = guard_now(ledger.db, became, ledger.now)
    else:
        shown = window_now(ledger.db, became, ledger.now)
    return Answer(status, msgspec.json.encode(shown))


def _language(request: Request) -> str:
    return preferred(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))


def _desk_says(  # noqa: PLR0917 - a line of the table below
    method: str, path: str, says: str, gives: Any, handler: Any, takes: Any = None
) -> Operation:
    """Return an operation of this room: what is asked for by its number may not be there, what is said be refused."""
    refuses = (*((_UNREADABLE,) if takes else ()), *((_NONE,) if "{" in path else ()), *(_REFUSALS if takes else ()))
    made = takes in {PlanWindow, DeclareGuard}
    return Operation(
        method, path, says, gives, handler, takes, refuses=refuses, once=takes is not None, group="windows and guards",
        gives_status=201 if made else 200,
    )  # fmt: skip


OPERATIONS = (
    _desk_says("GET", WINDOWS, "List maintenance windows", WindowList, windows),
    _desk_says("POST", WINDOWS, "Plan work", WindowNow, plan_window, PlanWindow),
    _desk_says("GET", WINDOW, "One window, with what it holds back", WindowNow, window),
    _desk_says("POST", f"{WINDOW}/extend", "Let a window end later", WindowNow, extend_window, ExtendWindow),
    _desk_says("POST", f"{WINDOW}/end", "End a window now", WindowNow, end_window, EndPeriod),
    _desk_says("POST", f"{WINDOW}/approve", "Approve urgent work", WindowNow, approve_window, EndPeriod),
    _desk_says("GET", GUARDS, "List guard periods", GuardList, guards),
    _desk_says("POST", GUARDS, "Declare a guard period with its roster", GuardNow, declare_guard, DeclareGuard),
    _desk_says("GET", GUARD, "One guard period", GuardNow, guard),
    _desk_says("POST", f"{GUARD}/roster", "Another roster from now on", GuardNow, set_roster, SetRoster),
    _desk_says("POST", f"{GUARD}/end", "End a guard period now", GuardNow, end_guard, EndPeriod),
    _desk_says("GET", f"{GUARD}/report", "What a guard period came to", GuardReport, guard_report),
)

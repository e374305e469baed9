"""Contracts and calendars for programs: one as it is read, what would be due when, a calendar's days."""

from datetime import date, datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from config.fault_rules import load_faults
from desk.api_lists import malformed, one_of, whole
from desk.core import Desk
from desk.moments import MomentError, moment
from desk.operation import Operation, Query
from desk.settings import contract_names
from desk.store import sites
from desk.web import ProblemError, desk_of, reply
from model.calendar import Kind
from model.contract import Contract, Handling, Milestone, Text
from model.limits import Situation, dues, unsaid
from model.protocol import PREFIX, ErrorReply
from model.zone import date_of, day_number

MOST_DAYS = 400
_NONE = (404, "no_contract")


class ContractLine(msgspec.Struct, frozen=True):
    """A contract in a list; `digest` names its exact content, `sites` counts those that have it."""

    name: str
    title: Text
    digest: str
    levels: dict[int, Text]
    sites: int


class ContractList(msgspec.Struct, frozen=True):
    """The contracts that the desk knows."""

    contracts: tuple[ContractLine, ...]


class WouldBeDue(msgspec.Struct, frozen=True):
    """A limit that would run: when it would be due (Unix seconds), None while nothing says from when it counts.

    `assumed`: it counts from a milestone that is not reached, taken at its latest. `open`: the contract's open points.
    """

    limit: str
    milestone: Milestone
    said: str
    start: float | None
    due: float | None
    assumed: bool
    open: tuple[str, ...]


class WouldBe(msgspec.Struct, frozen=True):
    """What would be due in a situation that begins `at` (Unix seconds)."""

    contract: str
    digest: str
    at: float
    limits: tuple[WouldBeDue, ...]


class CalendarDay(msgspec.Struct, frozen=True):
    """A day of a calendar: its kind, and its hours in seconds after its 00:00 on the calendar's own clock."""

    date: str
    kind: Kind
    hours: tuple[tuple[int, int], ...]
    name: Text


class CalendarDays(msgspec.Struct, frozen=True):
    """Days of a calendar; `unpublished` are the years among them whose public holidays are not official yet."""

    calendar: str
    zone: str
    digest: str
    unpublished: tuple[int, ...]
    days: tuple[CalendarDay, ...]


async def contracts(request: Request) -> Response:
    """List the contracts: those that ship, one's own, and those that sites have."""
    desk = desk_of(request)
    used = [site.contract for site in await desk.store.read(sites)]
    known = [desk.contracts(name) for name in sorted({*contract_names(desk.settings.contracts), *used})]
    lines = [
        ContractLine(each.name, each.title, each.digest, each.levels, used.count(each.name))
        for each in known
        if each.digest
    ]
    return reply(ContractList(tuple(lines)))


async def contract(request: Request) -> Response:
    """Give one contract."""
    return reply(_named(desk_of(request), request.path_params["name"]))


async def would_be(request: Request) -> Response:
    """Say what would be due when, in a situation."""
    desk, asked = desk_of(request), request.query_params
    known = _named(desk, request.path_params["name"])
    for name in asked:
        one_of("the query", name, tuple(query.name for query in _DUE))
    level = whole(asked, "level", 9999)
    if level not in known.levels:
        raise malformed(f"level is one of {', '.join(map(str, known.levels))}.")
    for name, words in (("region", known.regions), ("grade", known.grades)):
        if asked.get(name):
            one_of(name, asked[name], tuple(words))
    fault = asked.get("fault", "")
    if fault and not {fault, fault.partition("/")[0]} & {*load_faults(), *known.faults}:
        raise malformed(f"There is no fault {fault[:64]!r}.")
    handling = asked.get("handling", "")
    conditions = frozenset(filter(None, asked.get("when", "").split(",")))
    for each in conditions:
        one_of("when", each, tuple(known.conditions))
    situation = Situation(
        level,
        asked.get("region", ""),
        asked.get("grade", ""),
        fault,
        Handling(one_of("handling", handling, tuple(Handling))) if handling else None,
        conditions,
        one_of("guarded", asked.get("guarded", "false"), ("true", "false")) == "true",
    )
    for key in unsaid(known, situation):
        raise malformed(f"The limits depend on the {key}: it is one of {', '.join(getattr(known, f'{key}s'))}.")
    at = _time(desk, asked.get("at", ""))
    found = dues(known, situation, {"open": at}, desk.calendars)
    limits = tuple(
        WouldBeDue(each.limit.name, each.limit.milestone, each.limit.said, each.start, _finite(each.due), each.assumed,
                   each.limit.open)
        for each in found
    )  # fmt: skip
    return reply(WouldBe(known.name, known.digest, at, limits))


async def calendar(request: Request) -> Response:
    """Give days of a calendar."""
    desk, name = desk_of(request), request.path_params["name"]
    found = desk.calendars(name)
    if found.name != name:
        raise ProblemError(404, "no_calendar", f"There is no calendar {name[:64]!r}.")
    asked = request.query_params
    begin, count = _day(asked.get("from", ""), desk, found.zone), whole(asked, "days", MOST_DAYS, 31, least=1)
    days: list[CalendarDay] = []
    for number in range(begin, begin + count):
        day = found.on(number)
        days.append(CalendarDay(date_of(number).date().isoformat(), day.kind, day.hours, day.name))
    years = {int(day.date[:4]) for day in days} if found.country else set()
    unpublished = tuple(sorted(years - set(found.published)))
    return reply(CalendarDays(found.name, found.zone, found.digest, unpublished, tuple(days)))


_DUE = (
    Query("level", "the level", "integer"),
    Query("region", "the region; needed where limits depend on it"),
    Query("grade", "the service grade; needed where limits depend on it"),
    Query("fault", "the fault, or one of its cases: fault/case"),
    Query("handling", "how it is handled; the contract's default", tuple(Handling)),
    Query("when", "conditions of the contract that hold, with commas"),
    Query("guarded", "whether the ticket opens in a guard period; false", ("true", "false")),
    Query("at", "when it begins; now"),
)
OPERATIONS = (
    Operation("GET", f"{PREFIX}/contracts", "List the contracts", ContractList, contracts, group="contracts"),
    Operation("GET", f"{PREFIX}/contracts/{{name}}", "One contract, as the desk reads it", dict[str, Any], contract,
              refuses=(_NONE,), refusal=ErrorReply, group="contracts"),
    Operation(
        "GET", f"{PREFIX}/contracts/{{name}}/due", "What would be due when", WouldBe, would_be,
        query=_DUE, refuses=((400, "malformed"), _NONE), refusal=ErrorReply, group="contracts",
    ),
    Operation(
        "GET", f"{PREFIX}/calendars/{{name}}", "Days of a calendar", CalendarDays, calendar,
        query=(
            Query("from", "the first day, such as 2026-10-01; today"),
            Query("days", f"how many, up to {MOST_DAYS}", "integer", 31),
        ),
        refuses=((400, "malformed"), (404, "no_calendar")), refusal=ErrorReply, group="contracts",
    ),
)  # fmt: skip


def _named(desk: Desk, name: str) -> Contract:
    found = desk.contracts(name)
    if not found.digest:  # the stand-in for one that is missing
        raise ProblemError(404, "no_contract", f"There is no contract {name[:64]!r}.")
    return found


def _time(desk: Desk, text: str) -> float:
    now = desk.timekeeper.now()
    try:
        return moment(text, desk.settings.timezone, now) if text else float(int(now))
    except MomentError as error:
        raise malformed(str(error)) from error


def _day(text: str, desk: Desk, zone: str) -> int:
    """Return a day as its number; without one, today by the calendar's own clock."""
    try:
        day = date.fromisoformat(text) if text else datetime.fromtimestamp(desk.timekeeper.now(), ZoneInfo(zone)).date()
    except ValueError:
        raise malformed("from is a day such as 2026-10-01.") from None
    if not 1971 <= day.year <= 9000:
        raise malformed("This day is too far away.")
    return day_number(day.year, day.month, day.day)


def _finite(due: float | None) -> float | None:
    return due if due is not None and isfinite(due) else None

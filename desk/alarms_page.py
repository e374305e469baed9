"""The alarm list, its table, and the page of one alarm, from which it is shelved."""

import csv
import io
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk import shelving
from desk.alarm_list import Listed, Sieve, Stands, alarm_of, alarms
from desk.gate import person_of
from desk.guard_csv import plain
from desk.live import BOARD, commands_of
from desk.page import page, shared_page, shown_for, who_of
from desk.shown import Shown, clean
from desk.store import Db, site_of
from desk.users import sites_of
from desk.web import ProblemError, address_of, desk_of, form_of, good_name

SHOWN = 300  # alarms of a page; its table has all
_LONGEST_TEXT = 100
_COLUMNS = ("state", "level", "site", "region", "device", "scope", "alarm", "since", "evidence", "ticket",
            "explained_by", "explains", "note")  # fmt: skip


async def alarms_page(request: Request) -> Response:
    """Show the alarms that stand, what asks for a hand first."""
    desk, sieve = desk_of(request), _sieve(request)
    person = await person_of(request)

    def look(db: Db) -> dict[str, Any]:
        found = alarms(db, desk.contracts, sieve, sites_of(db, person))
        return {"found": found, "sieve": sieve, "most": SHOWN, "states": tuple(Stands), "link": partial(_link, sieve)}

    return await shared_page(request, "alarms.html", partial(desk.store.read, look))


async def alarms_table(request: Request) -> Response:
    """Give the alarms that the page would show, all of them, as CSV (RFC 4180) in the reader's language."""
    desk, sieve, shown = desk_of(request), _sieve(request), shown_for(request)
    person = await person_of(request)
    found = await desk.store.read(lambda db: alarms(db, desk.contracts, sieve, sites_of(db, person)))
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    lines.writerow([shown.say(f"csv.{column}") for column in _COLUMNS])
    for line in found.lines:
        for alarm, explains in ((line.alarm, len(line.explains)), *((each, 0) for each in line.explains)):
            lines.writerow([plain(cell) for cell in _cells(alarm, explains, shown.at(alarm.site.timezone))])
    headers = {"Content-Disposition": 'attachment; filename="alarms.csv"'}
    return Response(out.getvalue().encode("utf-8-sig"), headers=headers, media_type="text/csv; charset=utf-8")


async def alarm_page(request: Request) -> Response:
    """Show one alarm."""
    return await _page(request, await _alarm(request), {})


async def shelve(request: Request) -> Response:
    """Ask the site to shelve an alarm for a time, or to take it off the shelf; its own Change says that it did."""
    desk, alarm = desk_of(request), await _alarm(request)
    form = await form_of(request)
    back = form.get("form") == "unshelve"
    seconds, reason = shelving.TIMES.get(form.get("time", ""), 0.0), form.get("reason", "").strip()
    why = ""
    if not (alarm.stands is Stands.SHELVED if back else shelving.may_shelve(alarm)):
        why = "shelf_not"
    elif not back and not seconds:
        why = "shelf_needs_time"
    elif not back and not 0 < len(reason) <= shelving.LONGEST_REASON:
        why = "shelf_needs_reason"
    if why:
        return await _page(request, alarm, {"why": why, **form}, 409 if why == "shelf_not" else 422)
    who = good_name(form.get("by", "") or who_of(request))
    now, source = desk.timekeeper.now(), address_of(request)
    seconds = 0.0 if back else seconds
    await desk.store.write(lambda db: shelving.ask(db, alarm, seconds, reason, by=who, source=source, now=now))
    desk.hub.announce(commands_of(alarm.site.id), BOARD)
    return RedirectResponse(f"/sites/{quote(alarm.site.id)}/alarms/{quote(alarm.episode, safe='')}", 303)


async def _page(request: Request, alarm: Listed, refused: dict[str, str], status: int = 200) -> Response:
    desk = desk_of(request)
    now = desk.timekeeper.now()
    asked = await desk.store.read(lambda db: shelving.asked(db, alarm, now))
    return await page(
        request,
        "alarm.html",
        status,
        topic=BOARD,
        shown=shown_for(request, alarm.site.timezone),
        alarm=alarm,
        asked=asked,
        refused=refused,
        times=shelving.TIMES,
        may_shelve=shelving.may_shelve(alarm),
    )


async def _alarm(request: Request) -> Listed:
    desk = desk_of(request)

    def found(db: Db) -> Listed | None:
        site = site_of(db, request.path_params["site"])
        return alarm_of(db, desk.contracts, site, request.path_params["episode"]) if site else None

    alarm = await desk.store.read(found)
    if alarm is None:
        raise ProblemError(404, "no_alarm", "There is no such alarm.")
    return alarm


def _sieve(request: Request) -> Sieve:
    """Return what the address asks for; what is no state or level asks for all."""
    asked = request.query_params
    level, state = asked.get("level", ""), asked.get("state", "")
    return Sieve(
        asked.get("site", "")[:_LONGEST_TEXT],
        asked.get("region", "")[:_LONGEST_TEXT],
        state if state in set(Stands) else "",
        int(level) if level.isascii() and level.isdigit() and len(level) < 5 else 0,
        clean(asked.get("text", "")).strip()[:_LONGEST_TEXT],
    )


def _link(sieve: Sieve, path: str = "/alarms", **other: str) -> str:
    """Return the address of the same question with something else in it."""
    asked = {name: str(value) for name, value in (sieve._asdict() | other).items() if value}
    return path + (f"?{urlencode(asked)}" if asked else "")


def _cells(alarm: Listed, explains: int, shown: Shown) -> tuple[str, ...]:
    origin = alarm.origin
    note = [
        shown.say("alarm_walktest", n=alarm.test) if alarm.test else "",
        shown.say("alarm_window", n=alarm.window, time=shown.moment(alarm.until)) if alarm.window else "",
        shown.say("alarm_until", time=shown.moment(alarm.until), who=alarm.alarm.shelved_by)
        if alarm.stands is Stands.SHELVED
        else "",
        shown.say("alarm_taken", who=alarm.taken_by) if alarm.taken_by else "",
    ]
    return (
        shown.say(f"stands.{alarm.stands.value}"),
        alarm.code,
        clean(f"{alarm.site.name} ({alarm.site.id})"),
        clean(shown.title(alarm.region)),
        clean(origin.device_name or origin.device),
        "" if origin.scope == "-" else clean(origin.scope),
        clean(shown.title(alarm.case_title) or shown.title(origin.title, origin.fault)),
        shown.moment(alarm.since),
        clean("; ".join(shown.evidence(proof) for proof in alarm.alarm.evidence)),
        str(alarm.ticket or ""),
        clean(shown.title(alarm.cause)),
        str(explains or ""),
        clean("; ".join(filter(None, note))),
    )


ROUTES = (
    Route("/alarms", alarms_page, methods=["GET"]),
    Route("/alarms.csv", alarms_table, methods=["GET"]),
    Route("/sites/{site}/alarms/{episode}", alarm_page, methods=["GET"]),
    Route("/sites/{site}/alarms/{episode}", shelve, methods=["POST"]),
)

"""A point's page: its history of an hour to a year as a plot, a table and CSV, as the site sends it."""

import csv
import io
import math

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk import history
from desk.guard_csv import plain
from desk.history import SPANS, History, Which
from desk.live import readings_of
from desk.page import page, shown_for
from desk.rounds import draw, find_point
from desk.shown import Shown, clean
from desk.store import Site, site_of
from desk.web import ProblemError, desk_of
from model.protocol import ReadingRow, TrendReport
from model.trend import HistoryReport

LINES = 60  # of the page's table: the whole is in the CSV


class Line(msgspec.Struct, frozen=True):
    """One line of the table: Unix seconds and texts; `known` is false for a gap."""

    at: float
    value: str
    low: str
    high: str
    known: bool


async def _asked(request: Request) -> tuple[Site, ReadingRow, str]:
    """Return whose history is wanted: only what a site has shown is asked for."""
    desk, query = desk_of(request), request.query_params
    site = await desk.store.read(lambda db: site_of(db, request.path_params["site"]))
    if site is None:
        raise ProblemError(404, "no_site", "There is no such site.")
    row = await desk.store.read(lambda db: find_point(db, site.id, query.get("device", ""), query.get("point", "")))
    if row is None:
        raise ProblemError(404, "no_point", "There is no such point.")
    span = query.get("span", "6h")
    return site, row, span if span in SPANS else "6h"


async def _last(request: Request, site: Site, row: ReadingRow, span: str) -> History | None:
    desk = desk_of(request)
    which = Which(site.id, row.device, row.point, span)
    await history.ask(desk, which)
    now = desk.timekeeper.now()
    return await desk.store.read(lambda db: history.last(db, which, now))


async def trend_page(request: Request) -> Response:
    """Show one point's history."""
    site, row, span = await _asked(request)
    found = await _last(request, site, row, span)
    shown = shown_for(request, site.timezone)
    report = found.report if found else None
    pairs = tuple(zip(report.times, report.means, strict=False)) if report else ()
    return await page(
        request,
        "trend.html",
        topic=readings_of(site.id),
        shown=shown,
        site=site,
        row=row,
        span=span,
        spans=tuple(SPANS),
        found=found,
        drawn=draw(TrendReport(0, row.device, row.point, report.unit, pairs), 0.0) if report else None,
        lines=table(report, shown, row.quantity) if report else (),
        address=request.url.path,
        query={"device": row.device, "point": row.point},
    )


async def trend_json(request: Request) -> Response:
    """Give what the page's plot draws."""
    site, row, span = await _asked(request)
    found = await _last(request, site, row, span)
    shown = shown_for(request, site.timezone)
    report = found.report if found else HistoryReport(0, row.device, row.point, 0.0, 0.0)
    words = sorted({word for each in report.words for word in each})
    body = {
        "times": report.times,
        "means": report.means,
        "lows": report.lows,
        "highs": report.highs,
        "words": [[words.index(word) for word in each] for each in report.words],
        "names": [clean(shown.value(word, "", row.quantity)) for word in words],
        "limits": [{"value": each.value, "text": shown.title(each.title)} for each in report.limits],
        "unit": report.unit,
        "step": report.step,
        "start": report.start,
        "end": report.end,
        "label": clean(row.label or row.point),
        "zone": site.timezone or desk_of(request).settings.timezone,
        "lang": shown.lang,
    }
    return Response(msgspec.json.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})


async def trend_csv(request: Request) -> Response:
    """Give the range as CSV."""
    site, row, span = await _asked(request)
    found = await _last(request, site, row, span)
    if found is None:
        raise ProblemError(503, "asking", "The site has been asked: try again in a few seconds.", retry_after=3)
    shown = shown_for(request, site.timezone)
    name = f"{site.id}_{row.device}_{span}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{"".join(c for c in name if c.isascii())}"'}
    return Response(csv_of(found.report, shown), media_type="text/csv; charset=utf-8", headers=headers)


def csv_of(report: HistoryReport, shown: Shown) -> bytes:
    """Return a history as CSV (RFC 4180): every sample, numbers as they are; a gap has no value."""
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    lines.writerow([shown.say(f"trend.{name}") for name in ("time", "value", "low", "high", "unit")])
    for at, time in enumerate(report.times):
        if report.words:
            cells = [" / ".join(map(clean, report.words[at])), "", ""]
        else:
            columns = (report.means, report.lows, report.highs)
            cells = [_cell(each[at]) if each else "" for each in columns]
        lines.writerow([shown.iso(time), *map(plain_text, cells), report.unit])
    return out.getvalue().encode("utf-8-sig")


def plain_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; a number stays one."""
    try:
        float(cell)
    except ValueError:
        return plain(cell)
    return cell


def _cell(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.12g}"


def table(report: HistoryReport, shown: Shown, quantity: str) -> tuple[Line, ...]:
    """Return a history as at most so many lines, newest first: stretches alike long, with their extremes."""
    count = len(report.times)
    each = max(1, math.ceil(count / LINES))
    lines = [_line(report, range(at, min(count, at + each)), shown, quantity) for at in range(0, count, each)]
    return tuple(reversed(lines))


def _line(report: HistoryReport, places: range, shown: Shown, quantity: str) -> Line:
    at = report.times[places[0]]
    if report.words:
        words = list(dict.fromkeys(word for place in reversed(places) for word in report.words[place]))
        texts = [shown.value(word, "", quantity) for word in words]
        return Line(at, " ← ".join(texts[:4]) or "–", "", "", known=bool(words))
    means = [value for place in places if (value := report.means[place]) is not None]
    lows = [value for place in places if (value := (report.lows or report.means)[place]) is not None]
    highs = [value for place in places if (value := (report.highs or report.means)[place]) is not None]
    if not (means and lows and highs):
        return Line(at, "–", "", "", known=False)
    mean, low, high = (
        shown.value(value, report.unit, quantity) for value in (math.fsum(means) / len(means), min(lows), max(highs))
    )
    return Line(at, mean, low, high, known=True)


ROUTES = (
    Route("/sites/{site}/trend", trend_page, methods=["GET"]),
    Route("/sites/{site}/trend.json", trend_json, methods=["GET"]),
    Route("/sites/{site}/trend.csv", trend_csv, methods=["GET"]),
)

"""Histories of points: the desk asks the site for a range and keeps the answer as long as somebody looks at it."""

from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desk.core import Desk
from desk.live import commands_of, readings_of
from desk.store import Db, Row, one
from desk.tickets import command
from desk.web import ProblemError, badge_of, body_of, decoded, desk_of
from model.protocol import PREFIX
from model.trend import MOST, HistoryReport, SendHistory

DAY = 86_400.0
SPANS = {"1h": 3600.0, "6h": 6 * 3600.0, "1d": DAY, "1w": 7 * DAY, "1m": 31 * DAY, "1y": 366 * DAY}
"""What a page shows, in seconds; the first is what it shows by itself."""
SAMPLES = 800  # of an answer: about what a screen can draw
ASKED_LIVES = 120.0  # seconds; later nobody waits for it
AGAIN = 15.0  # seconds until an answer that did not come is asked for again
KEPT = 3600.0  # seconds that an answer is kept
MOST_KEPT = 500
LARGEST = 1 << 20  # bytes of an answer: 1,600 samples of three long words each
_REPORT = msgspec.json.Decoder(HistoryReport)


class Which(NamedTuple):
    """Whose history is wanted: a point of a site's device, and how far back by SPANS."""

    site: str
    device: str
    point: str
    span: str


class History(msgspec.Struct, frozen=True):
    """A range as it was sent, and how many seconds ago."""

    report: HistoryReport
    old: float


def fresh(span: str) -> float:
    """Return how old (seconds) an answer may be before it is asked for again: a sample of it, at least 10 s."""
    return min(600.0, max(10.0, SPANS[span] / SAMPLES))


async def ask(desk: Desk, which: Which) -> None:
    """Ask a site for a range unless what was sent is fresh or asked for already."""
    now = desk.timekeeper.now()
    site, device, point, span = which

    def asking(db: Db) -> bool:
        row = _row(db, which)
        if row is not None and (_waits(row, now) or abs(now - (row["received"] or 0.0)) < fresh(span)):
            return False
        number = command(db, site, SendHistory(0, device, point, now - SPANS[span], now, SAMPLES), now, ASKED_LIVES)
        db.execute(
            "INSERT INTO histories (site, device, point, span, asked, command) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (site, device, point, span) DO UPDATE SET asked = excluded.asked, command = excluded.command",
            (site, device, point, span, now, number),
        )
        _forget(db, now)
        return True

    row = await desk.store.read(lambda db: _row(db, which))
    if row is not None and _waits(row, now):
        return
    if await desk.store.write(asking):
        desk.hub.announce(commands_of(site))


def last(db: Db, which: Which, now: float) -> History | None:
    """Return a range as it was sent last, None when it never was."""
    row = _row(db, which)
    if row is None or row["report"] is None:
        return None
    return History(_REPORT.decode(row["report"]), max(0.0, now - row["received"]))


async def take(request: Request) -> Response:
    """Keep a range that the desk asked for."""
    desk, badge = desk_of(request), badge_of(request)
    raw = await body_of(request, LARGEST)
    report = decoded(raw, HistoryReport)
    _even(report)
    now = desk.timekeeper.now()

    def keep(db: Db) -> bool:
        done = db.execute(
            "UPDATE histories SET received = ?, report = ? WHERE site = ? AND device = ? AND point = ? AND command = ?",
            (now, raw, badge.site, report.device, report.point, report.command),
        )
        return done.rowcount > 0

    if not await desk.store.write(keep):
        raise ProblemError(404, "not_asked", "The desk did not ask for this history.")
    desk.hub.announce(readings_of(badge.site))
    return Response(status_code=204)


def _even(report: HistoryReport) -> None:
    """Refuse an answer whose columns are not alike, or that is longer than was asked, each sample with a gap."""
    if len(report.times) > 2 * MOST:
        raise ProblemError(413, "too_large", f"A history has at most {2 * MOST} samples and gaps.")
    lengths = {len(each) for each in (report.means, report.lows, report.highs, report.words) if each}
    if lengths - {len(report.times)} or (report.times and not (report.means or report.words)):
        raise ProblemError(400, "malformed", "This history has not a value for each time.")


def _forget(db: Db, now: float) -> None:
    db.execute("DELETE FROM histories WHERE asked < ?", (now - KEPT,))
    row = one(db, "SELECT asked FROM histories ORDER BY asked DESC LIMIT 1 OFFSET ?", MOST_KEPT)
    if row is not None:
        db.execute("DELETE FROM histories WHERE asked <= ?", (row["asked"],))


def _waits(row: Row, now: float) -> bool:
    """Say whether a site was asked a moment ago; a clock that was put right may have left that in the future."""
    return bool(abs(now - row["asked"]) < AGAIN)


def _row(db: Db, which: Which) -> Row | None:
    return one(
        db,
        "SELECT asked, command, received, report FROM histories"
        " WHERE site = ? AND device = ? AND point = ? AND span = ?",
        *which,
    )


ROUTES = (Route(f"{PREFIX}/history", take, methods=["POST"]),)

"""The rounds of a site from the desk: its sign of life, its readings and trends, asked for by command."""

import math

import msgspec

from desk.core import Desk
from desk.live import commands_of
from desk.settings import Contracts
from desk.store import Db, Site, every, one
from desk.tickets import command
from model.protocol import DeviceRow, ReadingRow, ReadingsReport, SendReadings, TrendReport

FRESH = 10.0  # readings younger than this (seconds) are not asked for again
ASKED_LIVES = 120.0  # a request for readings or a trend is of no use later
_READINGS = msgspec.json.Decoder(ReadingsReport)


class SiteLine(msgspec.Struct, frozen=True):
    """One site among all: its agent's last heartbeat (desk's Unix seconds; None: never) and what is open.

    `code` is what its contract calls the worst level.
    """

    site: Site
    enrolled: bool
    heartbeat: float | None
    skew: float
    devices: int
    unreachable: int
    depth: int
    open: int
    worst: int
    code: str
    silent: bool


class DeviceReadings(msgspec.Struct, frozen=True):
    """One device and its readings; one that the site's report does not list may answer or not."""

    device: DeviceRow
    readings: tuple[ReadingRow, ...]
    listed: bool


class SiteReadings(msgspec.Struct, frozen=True):
    """A site's last snapshot; `old` is how many seconds ago the desk received it."""

    received: float
    old: float
    devices: tuple[DeviceReadings, ...]


class Trend(msgspec.Struct, frozen=True):
    """A point's history as a drawing of 600 by 160: one polyline for each stretch without a gap."""

    lines: tuple[str, ...]
    low: float
    high: float
    start: float
    end: float
    unit: str
    old: float


def site_lines(db: Db, contracts: Contracts) -> list[SiteLine]:
    """Return every site, the ones with open tickets first."""
    rows = every(
        db,
        "SELECT * FROM (SELECT s.*, a.id AS agent, a.heartbeat, a.skew, a.devices, a.unreachable, a.depth,"
        " (SELECT count(*) FROM tickets t WHERE t.site = s.id AND t.state = 'open') AS open,"
        " (SELECT min(level) FROM tickets t WHERE t.site = s.id AND t.state = 'open') AS worst,"
        " EXISTS (SELECT 1 FROM episodes e WHERE e.site = s.id AND e.active = 1 AND e.agent = '') AS silent"
        " FROM sites s LEFT JOIN agents a ON a.site = s.id AND a.retired IS NULL) AS line"
        " ORDER BY CASE WHEN open > 0 THEN 0 ELSE 1 END, worst, name, id",
    )
    return [
        SiteLine(
            site=Site(row["id"], row["name"], row["contract"], row["region"], row["timezone"]),
            enrolled=row["agent"] is not None,
            heartbeat=row["heartbeat"],
            skew=row["skew"] or 0.0,
            devices=row["devices"] or 0,
            unreachable=row["unreachable"] or 0,
            depth=row["depth"] or 0,
            open=row["open"],
            worst=row["worst"] or 0,
            code=contracts(row["contract"]).code(row["worst"] or 0),
            silent=bool(row["silent"]),
        )
        for row in rows
    ]


async def ask_for_readings(desk: Desk, site: str) -> bool:
    """Ask a site for its readings unless they are fresh or asked for already; says whether an answer is awaited."""
    now = desk.clock().wall
    if await desk.store.read(lambda db: _is_fresh(db, site, now)):
        return False
    if not await desk.store.read(lambda db: _is_asked(db, site, '"send_readings"', now)):
        await desk.store.write(lambda db: command(db, site, SendReadings(0), now, ASKED_LIVES))
        desk.hub.announce(commands_of(site))
    return True


def last_readings(db: Db, site: str, now: float) -> SiteReadings | None:
    """Return a site's last snapshot by device, None when it never sent one."""
    row = one(db, "SELECT received, report FROM snapshots WHERE site = ?", site)
    if row is None:
        return None
    report = _READINGS.decode(row["report"])
    old = max(0.0, now - row["received"])
    by_device: dict[str, list[ReadingRow]] = {device.device: [] for device in report.devices}
    for reading in report.readings:
        by_device.setdefault(reading.device, []).append(reading)
    known = {device.device: device for device in report.devices}
    devices = tuple(
        DeviceReadings(known.get(name) or DeviceRow(name, name, reachable=False), tuple(rows), name in known)
        for name, rows in by_device.items()
    )
    return SiteReadings(row["received"], old, devices)


def find_point(db: Db, site: str, device: str, point: str) -> ReadingRow | None:
    """Return a point's last reading in the site's snapshot: only what a site has shown is asked for."""
    row = one(db, "SELECT report FROM snapshots WHERE site = ?", site)
    rows = _READINGS.decode(row["report"]).readings if row else ()
    return next((each for each in rows if each.device == device and each.point == point), None)


def draw(report: TrendReport, old: float) -> Trend:
    """Return a history as polylines; a gap in it is a gap in the drawing."""
    samples = [(at, value) for at, value in report.samples if math.isfinite(at)]
    values = [value for _, value in samples if value is not None]
    if not values:
        return Trend((), 0.0, 0.0, 0.0, 0.0, report.unit, old)
    start, end = samples[0][0], samples[-1][0]
    low, high = min(values), max(values)
    stretch, rise = (end - start) or 1.0, (high - low) or 1.0
    lines: list[list[str]] = [[]]
    for at, value in samples:
        if value is None:
            lines.append([])
            continue
        across = (at - start) / stretch * 600
        down = 80.0 if high == low else 150 - (value - low) / rise * 140
        lines[-1].append(f"{across:.1f},{down:.1f}")
    return Trend(tuple(" ".join(line) for line in lines if line), low, high, start, end, report.unit, old)


def _is_fresh(db: Db, site: str, now: float) -> bool:
    return one(db, "SELECT 1 FROM snapshots WHERE site = ? AND received > ?", site, now - FRESH) is not None


def _is_asked(db: Db, site: str, words: str, now: float) -> bool:
    row = one(
        db,
        "SELECT 1 FROM commands WHERE site = ? AND at > ? AND instr(CAST(body AS TEXT), ?) > 0",
        site,
        now - FRESH,
        words,
    )
    return row is not None

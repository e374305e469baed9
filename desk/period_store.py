"""Windows, guard periods and what they hold back, as rows: read and written inside the caller's transaction."""

import msgspec
from msgspec.structs import replace

from desk.store import Db, Row, every, one, site_of
from model.period import GuardPeriod, Place, Window, held_until, reaches

MOST_LISTED = 200
_LISTED = (
    "SELECT id, body FROM {table} ORDER BY"
    " CASE WHEN ends <= ?1 OR ends <= starts THEN 2 WHEN starts > ?1 THEN 1 ELSE 0 END,"
    " CASE WHEN ends <= ?1 OR ends <= starts THEN -ends WHEN starts > ?1 THEN starts ELSE ends END, id LIMIT ?2"
)
_AT_PLACE = "SELECT * FROM held WHERE released IS NULL AND site = ? AND device = ? AND fault = ?"
ALL = 2**62  # rows
_WINDOW = msgspec.json.Decoder(Window)
_GUARD = msgspec.json.Decoder(GuardPeriod)


def keep_window(db: Db, window: Window) -> Window:
    """Write a window; one without an id gets the next, which is never given again."""
    return replace(window, id=_keep(db, "windows", window))


def keep_guard(db: Db, guard: GuardPeriod) -> GuardPeriod:
    """Write a guard period; one without an id gets the next, which is never given again."""
    return replace(guard, id=_keep(db, "guards", guard))


def _keep(db: Db, table: str, kept: Window | GuardPeriod) -> int:
    values = (kept.start, kept.end, msgspec.json.encode(kept))
    if kept.id:
        sql = f"UPDATE {table} SET starts = ?, ends = ?, body = ? WHERE id = ?"  # noqa: S608 - constants
        db.execute(sql, (*values, kept.id))
        return kept.id
    sql = f"INSERT INTO {table} (starts, ends, body) VALUES (?, ?, ?) RETURNING id"  # noqa: S608 - constants
    return int(db.execute(sql, values).fetchone()[0])


def window_numbered(db: Db, number: int) -> Window | None:
    """Return a window by its id."""
    row = one(db, "SELECT id, body FROM windows WHERE id = ?", number)
    return _window(row) if row else None


def guard_numbered(db: Db, number: int) -> GuardPeriod | None:
    """Return a guard period by its id."""
    row = one(db, "SELECT id, body FROM guards WHERE id = ?", number)
    return _guard(row) if row else None


def windows_after(db: Db, at: float) -> list[Window]:
    """Return the windows that are not over at a moment, by their start."""
    return [_window(row) for row in every(db, "SELECT id, body FROM windows WHERE ends > ? ORDER BY starts, id", at)]


def windows_at(db: Db, at: float) -> list[Window]:
    """Return the windows that a moment lies in, whatever is guarded."""
    return [
        _window(row)
        for row in every(db, "SELECT id, body FROM windows WHERE ends > ? AND starts <= ? ORDER BY id", at, at)
    ]


def guards_after(db: Db, at: float) -> list[GuardPeriod]:
    """Return the guard periods that are not over at a moment, by their start."""
    return [_guard(row) for row in every(db, "SELECT id, body FROM guards WHERE ends > ? ORDER BY starts, id", at)]


def guard_at(db: Db, place: Place, at: float) -> int:
    """Return the guard period that a place is guarded by at a moment: of several the first; 0 for none."""
    rows = every(db, "SELECT id, body FROM guards WHERE ends > ? AND starts <= ? ORDER BY starts, id", at, at)
    return next((guard.id for guard in map(_guard, rows) if reaches(guard.scope, place)), 0)


def listed_windows(db: Db, now: float, most: int = MOST_LISTED) -> list[Window]:
    """Return the windows in force, those that end first first; the planned ones by their start; the last ones over."""
    return [_window(row) for row in every(db, _LISTED.format(table="windows"), now, most)]


def listed_guards(db: Db, now: float, most: int = MOST_LISTED) -> list[GuardPeriod]:
    """Return the guard periods in the same order."""
    return [_guard(row) for row in every(db, _LISTED.format(table="guards"), now, most)]


def windows_within(db: Db, start: float, end: float) -> list[Window]:
    """Return the windows that share a moment with [start, end)."""
    rows = every(db, "SELECT id, body FROM windows WHERE ends > ? AND starts < ? ORDER BY starts, id", start, end)
    return [_window(row) for row in rows]


def place_of(db: Db, site: str, device: str, fault: str) -> Place:
    """Return a place with the desk's region of its site."""
    known = site_of(db, site)
    return Place(known.region if known else "", site, device, fault)


def keep_held(db: Db, window: Window, place: Place, since: float, until: float) -> None:
    """Write down that a window holds a ticket back, since when the desk knows and until when."""
    db.execute(
        "INSERT INTO held (site, device, fault, planned, since, until) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (planned, site, device, fault) DO UPDATE SET until = excluded.until, released = NULL,"
        " ticket = NULL, stale = NULL,"
        " since = CASE WHEN held.released IS NULL THEN held.since ELSE excluded.since END",
        (place.site, place.device, place.fault, window.id, since, until),
    )


def waiting_since(db: Db, now: float, most: int) -> list[Row]:
    """Return what was held back and is held no longer at a moment, the longest waiting first.

    Not what is still to be worked out anew: it may be held on.
    """
    sql = "SELECT * FROM held WHERE released IS NULL AND stale IS NULL AND until <= ? ORDER BY until LIMIT ?"
    return every(db, sql, now, most)


def waiting_of(db: Db, site: str, device: str, fault: str, at: float) -> float | None:
    """Return as of when a fault's ticket opens that is held no longer at a moment and waits to be looked at."""
    _reckon(db, every(db, _AT_PLACE, site, device, fault))
    row = one(
        db,
        "SELECT max(until, since) AS until FROM held"
        " WHERE released IS NULL AND until <= ? AND site = ? AND device = ? AND fault = ?"
        " ORDER BY until DESC LIMIT 1",
        at,
        site,
        device,
        fault,
    )
    return row["until"] if row else None


def holding_now(db: Db, site: str, device: str, fault: str) -> tuple[int, float] | None:
    """Return the window that a fault waits for, and until when; None where nothing is held or somebody has looked."""
    rows = every(db, _AT_PLACE, site, device, fault)
    found = [(until, -row["planned"]) for row, until in zip(rows, untils(db, rows), strict=True)]
    until, planned = max(found, default=(0.0, 0))
    return (-planned, until) if found else None


def waits_at(db: Db, site: str) -> bool:
    """Say whether anything of a site was held back and nobody has looked at it since."""
    return db.execute("SELECT 1 FROM held WHERE released IS NULL AND site = ? LIMIT 1", (site,)).fetchone() is not None


def rereckon(db: Db, now: float) -> None:
    """Have worked out anew until when everything is held: a person changed a window or a guard period.

    Thousands of faults may be held: they are marked here and worked out by `reckon_some`. Who asks for one of them
    before is told what is true (`holding_now`, `waiting_of`), and no ticket opens by what was true before.
    """
    db.execute("UPDATE held SET stale = ?1 WHERE released IS NULL AND stale IS NULL AND until > ?1", (now,))


def is_stale(db: Db) -> bool:
    """Say whether it is still to be worked out until when something is held."""
    return db.execute("SELECT 1 FROM held WHERE released IS NULL AND stale IS NOT NULL LIMIT 1").fetchone() is not None


def reckon_some(db: Db, most: int) -> int:
    """Work out anew until when so much of what was marked is held; returns how much it was."""
    sql = "SELECT * FROM held WHERE released IS NULL AND stale IS NOT NULL ORDER BY stale LIMIT ?"
    return _reckon(db, every(db, sql, most))


def untils(db: Db, rows: list[Row]) -> list[float]:
    """Return until when things are held; what is marked by the windows as they are now, as of when it was marked."""
    known: dict[float, tuple[list[Window], list[GuardPeriod]]] = {}
    found: list[float] = []
    for row in rows:
        at = row["stale"]
        if at is None:
            found.append(row["until"])
            continue
        if at not in known:
            known[at] = windows_after(db, at), guards_after(db, at)
        found.append(held_until(*known[at], place_of(db, row["site"], row["device"], row["fault"]), at))
    return found


def _reckon(db: Db, rows: list[Row]) -> int:
    marked = [row for row in rows if row["stale"] is not None]
    db.executemany(
        "UPDATE held SET until = ?, stale = NULL WHERE planned = ? AND site = ? AND device = ? AND fault = ?",
        [
            (until, row["planned"], row["site"], row["device"], row["fault"])
            for row, until in zip(marked, untils(db, marked), strict=True)
        ],
    )
    return len(marked)


def release(db: Db, row: Row, now: float, ticket: int | None) -> None:
    """Write down that something is held no longer and was looked at, and the ticket that it stands on."""
    db.execute(
        "UPDATE held SET released = ?, ticket = coalesce(ticket, ?)"
        " WHERE planned = ? AND site = ? AND device = ? AND fault = ?",
        (now, ticket, row["planned"], row["site"], row["device"], row["fault"]),
    )


def keep_ticket(db: Db, place: Place, at: float, ticket: int | None) -> None:
    """Write down on which ticket a fault stands whose holding was over at a moment and that waits to be looked at."""
    _reckon(db, every(db, _AT_PLACE, place.site, place.device, place.fault))
    db.execute(
        "UPDATE held SET ticket = coalesce(?, ticket)"
        " WHERE released IS NULL AND until <= ? AND site = ? AND device = ? AND fault = ?",
        (ticket, at, place.site, place.device, place.fault),
    )


def held_by(db: Db, window: int, most: int = -1) -> list[Row]:
    """Return what a window has held back, the first first; at most so much of it, all for -1."""
    return every(
        db,
        "SELECT * FROM held WHERE planned = ? ORDER BY since, site, device, fault LIMIT ?",
        window,
        most if most >= 0 else ALL,
    )


def count_held(db: Db, window: int) -> int:
    """Return how much a window has held back."""
    return int(db.execute("SELECT count(*) FROM held WHERE planned = ?", (window,)).fetchone()[0])


def _window(row: Row) -> Window:
    return replace(_WINDOW.decode(row["body"]), id=row["id"])


def _guard(row: Row) -> GuardPeriod:
    return replace(_GUARD.decode(row["body"]), id=row["id"])

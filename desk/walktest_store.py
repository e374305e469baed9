"""Walk-tests as rows: read and written inside the caller's transaction."""

import hashlib
from dataclasses import dataclass

import msgspec

from desk.record import change_of
from desk.silence import condition_of
from desk.store import Db, Row, every, one
from model.period import Place, Step, Window, reaches
from model.protocol import ReadingsReport
from model.walktest import MOST_ITEMS, Item, Mark, Moved, Raised, Seen, Signature, Sort, State, moved, state_of

MOST_LISTED = 100
_REPORT = msgspec.json.Decoder(ReadingsReport)
_ITEM = msgspec.json.Decoder(Item)
_MOVED = msgspec.json.Decoder(Moved)
_MARKS = msgspec.json.Decoder(tuple[Mark, ...])
_WALK = """SELECT t.number, t.site, t.opened, t.looked, t.body, t.record, w.ends, w.body AS window
    FROM walktests t JOIN windows w ON w.id = t.number"""
_WINDOW = msgspec.json.Decoder(Window)


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a walk-test beside its window and its list."""

    by: str
    device: str = ""
    purpose: str = ""
    zone: str = ""
    steps: tuple[Step, ...] = ()
    signed: Signature | None = None
    cancelled: Step | None = None


@dataclass(frozen=True)
class Walk:
    """A walk-test; `end` is its window's, `looked` when the last report that was looked at came."""

    number: int
    site: str
    opened: float
    end: float
    looked: float
    body: Body
    window: Window
    record: bytes | None = None

    def state(self, now: float) -> State:
        """Return how it stands at a moment."""
        return state_of(self.end, self.body.signed, now, cancelled=self.body.cancelled is not None)


@dataclass(frozen=True)
class Line:
    """An item of a walk-test, what was seen of it and what people said of it."""

    item: Item
    seen: Seen | None
    marks: tuple[Mark, ...]


_BODY = msgspec.json.Decoder(Body)


def keep_new(db: Db, walk: Walk) -> None:
    """Write a walk-test that was opened."""
    db.execute(
        "INSERT INTO walktests (number, site, opened, body) VALUES (?, ?, ?, ?)",
        (walk.number, walk.site, walk.opened, msgspec.json.encode(walk.body)),
    )


def keep_body(db: Db, number: int, body: Body) -> None:
    """Write what changed of a walk-test that goes on."""
    db.execute("UPDATE walktests SET body = ? WHERE number = ?", (msgspec.json.encode(body), number))


def close(db: Db, number: int, body: Body, record: bytes, now: float) -> None:
    """Write the record of a walk-test that is signed or cancelled: the file refuses every change from then on."""
    db.execute(
        "UPDATE walktests SET body = ?, record = ?, closed = ? WHERE number = ?",
        (msgspec.json.encode(body), record, now, number),
    )


def digest_of(record: bytes | None) -> str:
    """Return the SHA-256 of a record as hexadecimal, "" for none."""
    return hashlib.sha256(record).hexdigest() if record else ""


def walk_numbered(db: Db, number: int) -> Walk | None:
    """Return a walk-test by its number."""
    row = one(db, f"{_WALK} WHERE t.number = ?", number)
    return _walk(row) if row else None


def walks(db: Db, site: str = "") -> list[Walk]:
    """Return the walk-tests, of one site or all, the newest first."""
    where = "WHERE t.site = ?2" if site else "WHERE ?2 = ''"
    return [_walk(row) for row in every(db, f"{_WALK} {where} ORDER BY t.number DESC LIMIT ?1", MOST_LISTED, site)]


def running(db: Db, now: float, site: str = "") -> list[Walk]:
    """Return the walk-tests that run, of one site or all."""
    rows = every(db, f"{_WALK} WHERE t.closed IS NULL AND w.ends > ? ORDER BY t.number", now)
    return [_walk(row) for row in rows if site in {"", row["site"]}]


def walk_at(db: Db, place: Place, at: float) -> int:
    """Return the walk-test in which a fault at a place began, 0 for none."""
    rows = every(db, f"{_WALK} WHERE t.site = ? AND t.opened <= ? AND w.ends > ?", place.site, at, at)
    return next((walk.number for walk in map(_walk, rows) if reaches(walk.window.scope, place)), 0)


def report_of(db: Db, site: str) -> tuple[float, ReadingsReport] | None:
    """Return a site's last report and when it came."""
    row = one(db, "SELECT received, report FROM snapshots WHERE site = ?", site)
    return (row["received"], _REPORT.decode(row["report"])) if row else None


def devices_of(report: ReadingsReport) -> frozenset[str]:
    """Return the devices that a report tells of."""
    return frozenset(row.device for row in report.devices) | frozenset(row.device for row in report.readings)


def note_report(db: Db, walk: Walk) -> bool:
    """Put what a site's last report tells into a walk-test's list; says whether it told anything new.

    Of one that was signed or cancelled since it was looked up nothing changes.
    """
    if one(db, "SELECT 1 FROM walktests WHERE number = ? AND closed IS NULL", walk.number) is None:
        return False
    found = report_of(db, walk.site)
    if found is None or found[0] <= max(walk.looked, walk.opened):
        return False
    received, report = found
    known = {row["key"]: row["seen"] for row in every(db, "SELECT key, seen FROM walktest_items WHERE walktest = ?",
                                                      walk.number)}  # fmt: skip
    added = [item for item in _items(report, walk) if item.key not in known][: max(0, MOST_ITEMS - len(known))]
    for place, item in enumerate(added, len(known)):
        db.execute(
            "INSERT INTO walktest_items (walktest, place, key, device, body) VALUES (?, ?, ?, ?, ?)",
            (walk.number, place, item.key, item.device, msgspec.json.encode(item)),
        )
    known |= {item.key: None for item in added}
    changed = 0
    for row in report.readings:
        key = f"{row.device}/{row.point}"
        if key not in known:
            continue
        before = _MOVED.decode(known[key]) if known[key] else None
        after = moved(before, row.value, received)
        if after != before:
            changed += 1
            db.execute(
                "UPDATE walktest_items SET seen = ? WHERE walktest = ? AND key = ?",
                (msgspec.json.encode(after), walk.number, key),
            )
    db.execute("UPDATE walktests SET looked = ? WHERE number = ?", (received, walk.number))
    return bool(added or changed)


def _items(report: ReadingsReport, walk: Walk) -> list[Item]:
    """Return the items that a report names, device by device: points, then faults."""
    names = {row.device: row.name for row in report.rules} | {row.device: row.name for row in report.devices}
    items = [
        Item(f"{row.device}/{row.point}", Sort.POINT, row.device, names.get(row.device, row.device), row.label,
             quantity=row.quantity, unit=row.unit)
        for row in report.readings if row.preferred
    ] + [
        Item(row.condition, Sort.FAULT, row.device, row.name, row.scope, row.title, fault=row.fault, asks=row.asks)
        for row in report.rules
    ]  # fmt: skip
    if report.rules and not walk.body.device:
        silent = {"en": "Site silent", "zh": "站点失联"}
        items.append(Item(condition_of(walk.site), Sort.FAULT, "-", "", title=silent, fault="site.silent"))
    order = {name: place for place, name in enumerate(dict.fromkeys(item.device for item in items))}
    items.sort(key=lambda item: order[item.device])
    return [item for item in items if walk.body.device in {"", item.device}]


def lines(db: Db, walk: Walk) -> list[Line]:
    """Return a walk-test's list with what was seen of it by now."""
    raised = raised_in(db, walk)
    rows = every(db, "SELECT body, seen, marks FROM walktest_items WHERE walktest = ? ORDER BY place", walk.number)
    return [_line(row, raised) for row in rows]


def lines_of(db: Db, walk: Walk, keys: tuple[str, ...]) -> dict[str, Line]:
    """Return the items of these keys that a walk-test has."""
    raised = raised_in(db, walk)
    sql = "SELECT body, seen, marks FROM walktest_items WHERE walktest = ? AND key = ?"
    rows = [one(db, sql, walk.number, key) for key in keys]
    return {line.item.key: line for line in (_line(row, raised) for row in rows if row)}


def keep_marks(db: Db, number: int, key: str, marks: tuple[Mark, ...]) -> None:
    """Write what people said of an item."""
    db.execute(
        "UPDATE walktest_items SET marks = ? WHERE walktest = ? AND key = ?",
        (msgspec.json.encode(marks), number, key),
    )


def raised_in(db: Db, walk: Walk) -> dict[str, Raised]:
    """Return what the desk saw of each fault of a site since its walk-test was opened, by condition.

    Of an alarm that its agent lost (`ended_by`: an epoch that begins without it) nobody saw the end: it proves nothing.
    """
    sql = (
        "SELECT condition, active, opened, onset, changed, explained_by, change, explained_by <> '' OR EXISTS (SELECT 1"
        " FROM audit a WHERE a.episode = episodes.id AND a.what = 'alarm_suppressed') AS explained FROM episodes"
        " WHERE condition >= ? AND condition < ? AND (active = 1 OR changed >= ?) AND ended_by = '' ORDER BY onset"
    )
    found: dict[str, Raised] = {}
    for row in every(db, sql, f"{walk.site}/", f"{walk.site}0", walk.opened):  # "0" comes after "/"
        last = found.get(row["condition"], Raised())
        if not walk.opened <= row["onset"] < walk.end:
            if row["active"]:
                found[row["condition"]] = msgspec.structs.replace(last, before=row["onset"] < walk.opened)
            continue
        found[row["condition"]] = Raised(
            raised=row["onset"],
            cleared=None if row["active"] else row["changed"],
            times=last.times + 1,
            stands=bool(row["active"]),
            announced=bool(row["opened"] or row["explained"] or last.announced),
            explained=bool(row["explained"]),
            before=last.before,
            case=change_of(row).case_title,
            explained_by=row["explained_by"],
        )
    return found


def _line(row: Row, raised: dict[str, Raised]) -> Line:
    item = _ITEM.decode(row["body"])
    seen: Seen | None = _MOVED.decode(row["seen"]) if row["seen"] else None
    if item.sort is Sort.FAULT:
        seen = raised.get(item.key)
    return Line(item, seen, _MARKS.decode(row["marks"]) if row["marks"] else ())


def _walk(row: Row) -> Walk:
    window = msgspec.structs.replace(_WINDOW.decode(row["window"]), id=row["number"])
    body = _BODY.decode(row["body"])
    return Walk(row["number"], row["site"], row["opened"], row["ends"], row["looked"], body, window, row["record"])

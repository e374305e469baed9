"""Nuisance alarms as they are announced: counted by ten minutes and by day, chattering, flapping, standing for a day.

`count_alarm` runs with each Change that was taken, in its transaction; what it costs does not grow. An alarm counts
when it is announced to people, again when it is announced again; what ended before its delay is counted apart.
"""

import msgspec

from desk.ledger import Ledger
from desk.store import Db, Row, Site, every, one, site_of
from model.alarm import Kind
from model.change import Change
from model.nuisance import CHATTER, STALE, TEN, Measure, chatters, measure
from model.ticket import announced

DAY = 86_400
KEPT = 400 * DAY  # seconds that counts stay: a year and the month to compare it with
TIMES = {"day": 1, "week": 7, "month": 30}  # days
MOST = 20  # conditions that a list shows
_LAST = "SELECT onset FROM episodes WHERE condition = ? AND opened = 1 ORDER BY changed DESC LIMIT ?"
_CHANGE = msgspec.json.Decoder(Change)
_STANDING = "FROM episodes WHERE active = 1 AND state IN ('unacknowledged', 'acknowledged') AND onset <= ?"


class Counted(msgspec.Struct, frozen=True):
    """A condition that is a nuisance: how often it was announced, how often it passed, since when it is so."""

    condition: str
    site: str
    site_name: str
    announced: int
    momentary: int
    since: float
    change: Change | None


class Nuisances(msgspec.Struct, frozen=True):
    """What the page of measures shows: times measured by name, and lists of conditions."""

    measures: dict[str, Measure]
    now: int
    standing: int
    frequent: tuple[Counted, ...]
    share: float
    chattering: tuple[Counted, ...]
    flapping: tuple[Counted, ...]
    stale: tuple[Counted, ...]


def count_alarm(ledger: Ledger, site: Site, change: Change, at: float, *, held: bool = False) -> None:
    """Count a Change that was taken now, which happened `at` (the desk's Unix seconds).

    One that is `held` back by a maintenance window is announced to nobody: it counts when it is (`count_announced`),
    and never if it ends there before its delay.
    """
    alarm, db, now = change.alarm, ledger.apart, ledger.now
    if change.kind is Kind.MOMENTARY and not held:
        _count_day(db, site, alarm.condition, now, momentary=1)
    elif change.kind is Kind.RAISED and announced(alarm) and not held:
        count_announced(db, site, alarm.condition, now)
        _note_chatter(ledger.db, site, alarm.condition, at)
    if alarm.flapping and alarm.active:
        db.execute(
            "INSERT INTO nuisances VALUES (?, ?, NULL, ?) ON CONFLICT (condition) DO UPDATE SET"
            " flapping = coalesce(nuisances.flapping, excluded.flapping)",
            (alarm.condition, site.id, at),
        )
    elif not alarm.active:
        db.execute(
            "UPDATE nuisances SET flapping = NULL WHERE condition = ? AND flapping IS NOT NULL", (alarm.condition,)
        )


def count_announced(db: Db, site: Site, condition: str, now: float) -> None:
    """Count an alarm that people are told of `now`."""
    _count_day(db, site, condition, now, told=1)
    db.execute(
        "INSERT INTO alarm_tens VALUES (?, ?, ?, 1) ON CONFLICT (ten, contract, region) DO UPDATE SET"
        " announced = alarm_tens.announced + 1",
        (int(now // TEN), site.contract, site.region),
    )


def nuisances(db: Db, now: float) -> Nuisances:
    """Return the measures of the last day, week and month, and what is a nuisance now."""
    tens = _tens(db, now - 30 * DAY)
    frequent, share = _frequent(db, now)
    born = _born(db, now)
    running = one(db, "SELECT coalesce(sum(announced), 0) AS n FROM alarm_tens WHERE ten = ?", int(now // TEN))
    return Nuisances(
        {name: measure(tens, max(born, now - days * DAY), now) for name, days in TIMES.items()},
        running["n"] if running else 0,
        _standing(db, now),
        frequent,
        share,
        _listed(db, "n.chattered > ?", "n.chattered", now - DAY, now),
        _listed(db, "n.flapping > ?", "n.flapping", 0.0, now),
        _stale(db, now),
    )


def flaps(db: Db, ticket: int) -> bool:
    """Say whether an open ticket's alarm is held open because it comes and goes."""
    sql = (
        "SELECT 1 FROM tickets t JOIN nuisances n ON n.condition = t.condition"
        " WHERE t.number = ? AND t.state = 'open' AND n.flapping IS NOT NULL"
    )
    return one(db, sql, ticket) is not None


def gauges(db: Db, now: float) -> dict[str, float]:
    """Return the numbers for /metrics."""
    sql = (
        "SELECT (SELECT coalesce(sum(announced), 0) FROM alarm_tens WHERE ten = ?) AS last,"
        " (SELECT count(*) FROM nuisances WHERE chattered > ?) AS chattering,"
        " (SELECT count(*) FROM nuisances WHERE flapping IS NOT NULL) AS flapping,"
        " (SELECT count(*) FROM incidents WHERE ended IS NULL) AS incidents"
    )
    row = one(db, sql, int(now // TEN) - 1, now - TEN)
    return {**(dict(row) if row else {}), "stale": _standing(db, now)}


def forget_counts(db: Db, before: float) -> int:
    """Drop counts of days and ten minutes before a time."""
    dropped = db.execute("DELETE FROM alarm_tens WHERE ten < ?", (int(before // TEN),)).rowcount
    return dropped + db.execute("DELETE FROM alarm_days WHERE day < ?", (int(before // DAY),)).rowcount


def _count_day(db: Db, site: Site, condition: str, now: float, *, told: int = 0, momentary: int = 0) -> None:
    db.execute(
        "INSERT INTO alarm_days VALUES (?, ?, ?, ?, ?) ON CONFLICT (day, condition) DO UPDATE SET"
        " announced = alarm_days.announced + excluded.announced,"
        " momentary = alarm_days.momentary + excluded.momentary",
        (int(now // DAY), condition, site.id, told, momentary),
    )


def _note_chatter(db: Db, site: Site, condition: str, at: float) -> None:
    """Write down that a condition chatters: by the onsets of its last episodes, whenever they were told."""
    rows = db.execute(_LAST, (condition, CHATTER)).fetchall()
    if chatters(tuple(sorted(row[0] for row in rows))):
        db.execute(
            "INSERT INTO nuisances VALUES (?, ?, ?, NULL) ON CONFLICT (condition) DO UPDATE SET"
            " chattered = excluded.chattered",
            (condition, site.id, at),
        )


def _born(db: Db, now: float) -> float:
    """Return since when this desk hears of alarms: the time before brought none, and would make every average small."""
    row = one(db, "SELECT (SELECT min(ten) FROM alarm_tens) AS ten, (SELECT at FROM audit ORDER BY id LIMIT 1) AS at")
    known = [row["ten"] * TEN if row["ten"] is not None else now, row["at"] or now] if row else [now]
    return float(min(known))


def _tens(db: Db, since: float) -> dict[int, int]:
    rows = every(db, "SELECT ten, sum(announced) AS n FROM alarm_tens WHERE ten >= ? GROUP BY ten", int(since // TEN))
    return {row["ten"]: row["n"] for row in rows}


def _frequent(db: Db, now: float) -> tuple[tuple[Counted, ...], float]:
    """Return the ten conditions of the last 30 days that came most often, more than once, and their share of all."""
    since = int(now // DAY) - 29
    rows = every(
        db,
        "SELECT condition, min(site) AS site, sum(announced) AS announced, sum(momentary) AS momentary FROM alarm_days"
        " WHERE day >= ? GROUP BY condition HAVING sum(announced + momentary) > 1 ORDER BY 3 DESC, 4 DESC, 1 LIMIT 10",
        since,
    )
    whole = one(db, "SELECT coalesce(sum(announced), 0) AS n FROM alarm_days WHERE day >= ?", since)
    found = tuple(_counted(db, row, 0.0) for row in rows)
    return found, sum(each.announced for each in found) / whole["n"] if whole and whole["n"] else 0.0


def _listed(db: Db, where: str, order: str, value: float, now: float) -> tuple[Counted, ...]:
    sql = (
        f"SELECT n.condition, n.site, {order} AS since, coalesce(sum(d.announced), 0) AS announced,"  # noqa: S608 - ours
        " coalesce(sum(d.momentary), 0) AS momentary FROM nuisances n LEFT JOIN alarm_days d"
        f" ON d.condition = n.condition AND d.day >= ? WHERE {where} GROUP BY n.condition"
        f" ORDER BY since DESC LIMIT {MOST}"
    )
    return tuple(_counted(db, row, row["since"]) for row in every(db, sql, int(now // DAY) - 1, value))


def _standing(db: Db, now: float) -> int:
    row = one(db, f"SELECT count(*) AS n {_STANDING}", now - STALE)
    return int(row["n"]) if row else 0


def _stale(db: Db, now: float) -> tuple[Counted, ...]:
    sql = f"SELECT condition, site, onset, change {_STANDING} ORDER BY onset LIMIT {MOST}"
    return tuple(
        Counted(
            row["condition"], row["site"], _name(db, row["site"]), 0, 0, row["onset"], _CHANGE.decode(row["change"])
        )
        for row in every(db, sql, now - STALE)
    )


def _counted(db: Db, row: Row, since: float) -> Counted:
    latest = one(db, "SELECT change FROM episodes WHERE condition = ? ORDER BY changed DESC LIMIT 1", row["condition"])
    change = _CHANGE.decode(latest["change"]) if latest else None
    name = _name(db, row["site"])
    return Counted(row["condition"], row["site"], name, row["announced"], row["momentary"], since, change)


def _name(db: Db, site: str) -> str:
    known = site_of(db, site)
    return known.name if known else site

"""Incidents across sites: the tickets of outages that began together in one region are linked, never hidden.

Theory (`model.incident`). A hook of the ledger: a ticket that goes open begins an outage, one that stops being open
ends it. An incident counts the outages that go on; it ends with the last of them and goes on again with the first that
comes back. The same entries in the same order give the same incidents (`rebuilt`). What an entry costs does not grow
with the number of tickets: every question here is answered by an index and has a limit.
"""

import sqlite3
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from desk.carried import SOURCE as CARRIED
from desk.ledger import Ledger
from desk.store import Db, audit, every, one
from desk.tables.incidents import STATEMENTS
from model.incident import Outage, Rule, cause_of, incident_of, together
from model.service.entry import Acts, AlarmSeen, Entry, Opened, TookIn
from model.service.record import Record
from model.service.step import step
from model.service.words import Side, Trust
from model.ticket import TicketState

BACK_WITHIN = 86_400.0  # seconds in which an outage that ended may go on in its incident; later it is another: ours
_ONES = (
    "SELECT ticket, site, onset, incident, EXISTS (SELECT 1 FROM incidents i WHERE i.number = o.incident AND"
    " i.ended IS NULL) FROM outages o WHERE contract = ?1 AND region = ?2 AND cause = ?3 AND lead = 1"
)
_BEFORE = f"SELECT * FROM ({_ONES} AND onset BETWEEN ?4 - ?5 AND ?4 ORDER BY onset DESC LIMIT ?6) AS b"  # noqa: S608 - constants
_AFTER = f"SELECT * FROM ({_ONES} AND onset > ?4 AND onset <= ?4 + ?5 ORDER BY onset LIMIT ?6) AS a"  # noqa: S608 - constants
_NEAR = f"{_BEFORE} UNION ALL {_AFTER}"  # on either side in time no more than can matter
_OF_SITE = "FROM outages WHERE site = ? AND contract = ? AND region = ? AND cause = ? AND onset BETWEEN ? AND ?"
_ACT: msgspec.json.Decoder[Acts] = msgspec.json.Decoder(Acts)


class Key(msgspec.Struct, frozen=True):
    """What outages of one incident share: the contract that names the region, the region, the cause."""

    contract: str
    region: str
    cause: str

    @property
    def values(self) -> tuple[str, str, str]:
        """Return the three as a query takes them."""
        return self.contract, self.region, self.cause


def follow_ticket(ledger: Ledger, before: Record | None, after: Record, entry: Entry) -> None:
    """Follow one entry of a ticket: the ledger's hook."""
    _follow(ledger.apart, before, after, entry)


def rule_of(db: Db) -> Rule:
    """Return how many sites within how many seconds are an incident at this desk."""
    row = db.execute("SELECT count, within FROM incident_rules ORDER BY id DESC LIMIT 1").fetchone()
    return Rule(*row) if row else Rule()


def set_rule(db: Db, rule: Rule, at: float, who: str, source: str) -> None:
    """Change the rule from the next entry on. Raises ValueError for one that cannot be."""
    if not (2 <= rule.count <= 1000 and 1 <= rule.within <= 86_400):
        raise ValueError("An incident is 2 to 1000 sites within 1 s to 24 h.")
    db.execute(
        "INSERT INTO incident_rules (after_entry, count, within, at, who, source)"
        " VALUES ((SELECT coalesce(max(id), 0) FROM entries), ?, ?, ?, ?, ?)",
        (rule.count, rule.within, at, who, source),
    )
    detail: dict[str, object] = {"sites": rule.count, "seconds": rule.within}
    audit(db, at=at, who=who, source=source, what="incident_rule", site="", detail=detail)


def rebuilt(db: Db) -> Db:
    """Return a new database in memory with the incidents as all entries give them: what the books are held against."""
    fresh = sqlite3.connect(":memory:")
    for statement in filter(None, (part.strip() for part in STATEMENTS.split(";\n"))):
        if " episodes" not in statement:
            fresh.execute(statement)
    rules = every(db, "SELECT * FROM incident_rules ORDER BY id")
    records: dict[int, Record] = {}
    for number, ticket, entry in _entries(db):
        while rules and rules[0]["after_entry"] < number:
            fresh.execute("INSERT INTO incident_rules VALUES (?, ?, ?, ?, ?, ?, ?)", tuple(rules.pop(0)))
        before = records.get(ticket)
        after = step(before, entry).record
        if after is not None:
            records[ticket] = after
            if entry.source != CARRIED:  # what an older version's file says of the past was never followed
                _follow(fresh, before, after, entry)
    return fresh


def _entries(db: Db) -> Iterator[tuple[int, int, Entry]]:
    """Give every entry of the desk in the order in which they were written, with its place and its ticket."""
    sql = "SELECT id, ticket, at, who, source, side, trust, body FROM entries ORDER BY id"
    for place, ticket, at, who, source, side, trust, body in db.execute(sql):
        yield place, ticket, Entry(at, who, _ACT.decode(body), source, Side(side), Trust(trust))


def _follow(db: Db, before: Record | None, after: Record, entry: Entry) -> None:
    was, goes = before is not None and _open(before), _open(after)
    if goes and not was:
        alarm = entry.act.alarm if isinstance(entry.act, Opened | AlarmSeen) else None
        cause = cause_of(after.fault, alarm.explained_by if alarm else "")
        if cause and not (before is not None and _comes_back(db, after)):
            if before is not None:
                db.execute("DELETE FROM outages WHERE ticket = ?", (after.ticket.number,))
            _begin(db, Key(after.terms.contract, after.region, cause), after, entry.at)
    elif was and not goes:
        _end(db, after.ticket.number, entry.at)
    elif isinstance(entry.act, TookIn) and goes:
        _take_over(db, entry.act.number, after, entry.at)


def _open(record: Record) -> bool:
    return record.ticket.state is TicketState.OPEN


def _begin(db: Db, key: Key, record: Record, at: float) -> None:
    """Put an outage in its place: beside its site's first, or among its neighbours."""
    rule = rule_of(db)
    outage = Outage(record.ticket.number, record.ticket.site, record.onset)
    first = _first_of_site(db, key, outage, rule)
    if first is not None:
        _keep(db, key, outage, first[0], at, lead=False)
        return
    rows = db.execute(_NEAR, (*key.values, outage.onset, rule.within, rule.count - 1)).fetchall()
    going = frozenset(row[3] for row in rows if row[4])
    run = together(outage, [Outage(*row[:4]) for row in rows], rule, going)
    incident = (incident_of(run, going) or _opened(db, key, run, at)) if run else 0
    _keep(db, key, outage, incident, at, lead=True)
    for each in run:
        if each is not outage and not each.incident:
            for ticket in _of_site(db, key, each, rule):
                _join(db, incident, ticket, at)


def _keep(db: Db, key: Key, outage: Outage, incident: int, at: float, *, lead: bool) -> None:
    """Write an outage down, in its incident if it has one."""
    sql = "INSERT INTO outages VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)"
    db.execute(sql, (outage.ticket, *key.values, outage.site, outage.onset, lead, incident))
    if incident:
        _link(db, replace(outage, incident=incident), at, None)


def _comes_back(db: Db, record: Record) -> bool:
    """Let a ticket go on in the incident that it left a while ago, where others still go on."""
    ticket = record.ticket.number
    row = one(
        db,
        "SELECT i.number FROM outages o JOIN incidents i ON i.number = o.incident"
        " WHERE o.ticket = ? AND i.ended IS NULL AND o.ended >= ?",
        ticket,
        record.onset - BACK_WITHIN,
    )
    if row is None:
        return False
    db.execute("UPDATE outages SET ended = NULL WHERE ticket = ?", (ticket,))
    db.execute(
        "UPDATE incident_tickets SET ended = NULL WHERE incident = ? AND ticket = ? AND ended IS NOT NULL",
        (row["number"], ticket),
    )
    db.execute("UPDATE incidents SET going = going + 1 WHERE number = ?", (row["number"],))
    return True


def _first_of_site(db: Db, key: Key, outage: Outage, rule: Rule) -> tuple[int] | None:
    """Return the incident, 0 for none, of the site's outage of this cause that another of its tickets tells already."""
    bounds = outage.onset - rule.within, outage.onset + rule.within
    sql = f"SELECT incident {_OF_SITE} AND lead = 1 ORDER BY onset LIMIT 1"
    found: tuple[int] | None = db.execute(sql, (outage.site, *key.values, *bounds)).fetchone()
    return found


def _opened(db: Db, key: Key, run: list[Outage], at: float) -> int:
    row = db.execute(
        "INSERT INTO incidents (contract, region, cause, opened, first, last) VALUES (?, ?, ?, ?, ?, ?)"
        " RETURNING number",
        (*key.values, at, run[0].onset, run[-1].onset),
    ).fetchone()
    return int(row[0])


def _of_site(db: Db, key: Key, outage: Outage, rule: Rule) -> list[int]:
    """Return the tickets that are in no incident and tell of an outage: the one that counts, and its site's others."""
    rows = every(
        db,
        f"SELECT ticket {_OF_SITE} AND incident = 0 ORDER BY ticket",
        outage.site,
        *key.values,
        outage.onset - rule.within,
        outage.onset + rule.within,
    )
    return [row["ticket"] for row in rows]


def _join(db: Db, incident: int, ticket: int, at: float) -> None:
    """Bring an outage that is known into an incident."""
    sql = "UPDATE outages SET incident = ? WHERE ticket = ? RETURNING ticket, site, onset, incident, ended"
    for row in db.execute(sql, (incident, ticket)).fetchall():
        _link(db, Outage(*row[:4]), at, row[4])


def _link(db: Db, outage: Outage, at: float, ended: float | None) -> None:
    """Count an outage in its incident, which goes on if the outage does."""
    incident, goes = outage.incident, ended is None
    added = db.execute(
        "INSERT INTO incident_tickets VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (incident, outage.ticket, outage.site, outage.onset, at, ended),
    ).rowcount
    if not added:
        sql = "UPDATE incident_tickets SET ended = ? WHERE incident = ? AND ticket = ?"
        db.execute(sql, (ended, incident, outage.ticket))
    db.execute(
        "UPDATE incidents SET tickets = tickets + ?, going = going + ?, first = min(first, ?), last = max(last, ?),"
        " ended = CASE WHEN ? = 1 THEN NULL ELSE ended END WHERE number = ?",
        (added, goes, outage.onset, outage.onset, goes, incident),
    )


def _end(db: Db, ticket: int, at: float) -> None:
    row = db.execute(
        "UPDATE outages SET ended = ? WHERE ticket = ? AND ended IS NULL RETURNING incident", (at, ticket)
    ).fetchone()
    if row is None or not row[0]:
        return
    db.execute("UPDATE incident_tickets SET ended = ? WHERE incident = ? AND ticket = ?", (at, row[0], ticket))
    db.execute(
        "UPDATE incidents SET going = going - 1, ended = CASE WHEN going = 1 THEN ? END WHERE number = ?", (at, row[0])
    )


def _take_over(db: Db, other: int, record: Record, at: float) -> None:
    """Let the ticket that another is merged into stand for it in the other's incident."""
    number = record.ticket.number
    left = one(db, "SELECT * FROM outages WHERE ticket = ?", other)
    own = one(db, "SELECT incident FROM outages WHERE ticket = ? AND ended IS NULL", number)
    if left is None or not left["incident"] or (own and own["incident"]):
        return
    db.execute(
        "INSERT INTO outages VALUES (?, ?, ?, ?, ?, ?, 0, 0, NULL)"
        " ON CONFLICT (ticket) DO UPDATE SET cause = excluded.cause, lead = 0, incident = 0, ended = NULL",
        (number, left["contract"], left["region"], left["cause"], record.ticket.site, left["onset"]),
    )
    _join(db, left["incident"], number, at)

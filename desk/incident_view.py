"""Incidents as pages and programs see them."""

from desk.record import SITE_SILENT
from desk.settings import Contracts
from desk.silence import TITLE as SILENT
from desk.store import Db, Row, every, one
from desk.titles import title_of
from model.incident_protocol import IncidentLine, IncidentNow, Member

MOST = 100  # incidents that a list shows
MEMBERS = 500  # tickets that one incident shows
_LINE = (
    "SELECT i.*, (SELECT count(DISTINCT m.site) FROM incident_tickets m WHERE m.incident = i.number) AS sites"
    " FROM incidents i"
)


def incidents_now(db: Db, contracts: Contracts, most: int = MOST) -> list[IncidentLine]:
    """Return the incidents that go on, the greatest first, then the last that ended."""
    going = every(db, f"{_LINE} WHERE i.ended IS NULL ORDER BY i.going DESC, i.number DESC LIMIT ?", most)
    over = every(db, f"{_LINE} WHERE i.ended IS NOT NULL ORDER BY i.number DESC LIMIT ?", most - len(going))
    return [_line(contracts, row) for row in (*going, *over)]


def incident_now(db: Db, contracts: Contracts, number: int, most: int = MEMBERS) -> IncidentNow | None:
    """Return one incident with its tickets, None when there is no such incident."""
    row = one(db, f"{_LINE} WHERE i.number = ?", number)
    if row is None:
        return None
    rows = every(
        db,
        "SELECT m.*, t.state, t.acknowledged, t.acknowledged_by, coalesce(s.name, m.site) AS site_name"
        " FROM incident_tickets m JOIN tickets t ON t.number = m.ticket LEFT JOIN sites s ON s.id = m.site"
        " WHERE m.incident = ? ORDER BY m.ended IS NOT NULL, m.onset, m.ticket LIMIT ?",
        number,
        most,
    )
    members = [Member(**{name: each[name] for name in Member.__struct_fields__}) for each in rows]
    return IncidentNow(_line(contracts, row), members, row["tickets"] - len(members))


def incident_line(db: Db, contracts: Contracts, number: int) -> IncidentLine | None:
    """Return one incident without its tickets."""
    row = one(db, f"{_LINE} WHERE i.number = ?", number)
    return _line(contracts, row) if row else None


def incident_of_ticket(db: Db, ticket: int) -> int:
    """Return the incident that a ticket belongs to, the last of several, 0 for none."""
    row = one(db, "SELECT max(incident) AS number FROM incident_tickets WHERE ticket = ?", ticket)
    return int(row["number"] or 0) if row else 0


def _line(contracts: Contracts, row: Row) -> IncidentLine:
    region = row["region"]
    titles = contracts(row["contract"]).regions.get(region, {"en": region, "zh": region})
    names = ("number", "contract", "region", "cause", "opened", "first", "last", "ended", "tickets", "going", "sites")
    return IncidentLine(
        **{name: row[name] for name in names},
        region_title=titles,
        title=SILENT if row["cause"] == SITE_SILENT else title_of(row["cause"]),
    )

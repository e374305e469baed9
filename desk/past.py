"""What was: a ticket's history and episodes, the last of the audit, the quarantine, the agents."""

from typing import Any

import msgspec

from desk.kept import Line, lines_among
from desk.record import change_of
from desk.store import Db, Row, every
from model.change import Change

LAST = 100
HISTORY = (
    "SELECT * FROM audit WHERE ticket = ?1 OR (site = (SELECT site FROM tickets WHERE number = ?1) AND episode <> ''"
    " AND episode IN (SELECT episode FROM ticket_episodes WHERE ticket = ?1)) ORDER BY id DESC LIMIT 500"
)


class Entry(msgspec.Struct, frozen=True):
    """One row of the audit, or one word of what a ticket's entry did; `at` is the desk's Unix seconds."""

    at: float
    who: str
    source: str
    what: str
    site: str
    ticket: int | None
    detail: dict[str, Any]


class EpisodeLine(msgspec.Struct, frozen=True):
    """One episode of a ticket: its last Change, and its onset by the desk's clock."""

    onset: float
    changed: float
    active: bool
    change: Change


class Held(msgspec.Struct, frozen=True):
    """One event in quarantine, with the first of its bytes."""

    site: str
    agent: str
    seq: int
    received: float
    reason: str
    body: str


class AgentLine(msgspec.Struct, frozen=True):
    """One enrolled agent by its last heartbeat."""

    id: str
    site: str
    version: str
    heartbeat: float | None
    contract: str
    digest: str
    depth: int
    last_seq: int


def audited(db: Db, ticket: int) -> list[Entry]:
    """Return the audit's rows of a ticket and its episodes, latest first: what is no entry of the ticket's own."""
    return [_entry(row) for row in every(db, HISTORY, ticket)]


def recent(db: Db) -> list[Entry]:
    """Return the last that was written down, latest first."""
    rows = [_entry(row) for row in every(db, "SELECT * FROM audit ORDER BY id DESC LIMIT ?", LAST)]
    return _latest_first(rows, lines_among(db, LAST))[:LAST]


def episodes_of(db: Db, ticket: int) -> list[EpisodeLine]:
    """Return a ticket's episodes, latest first."""
    rows = every(
        db,
        "SELECT e.* FROM episodes e JOIN ticket_episodes l ON l.episode = e.id WHERE l.ticket = ?"
        " ORDER BY e.onset DESC LIMIT ?",
        ticket,
        LAST,
    )
    return [EpisodeLine(row["onset"], row["changed"], bool(row["active"]), change_of(row)) for row in rows]


def quarantined(db: Db) -> list[Held]:
    """Return what stands in quarantine, latest first."""
    rows = every(db, "SELECT * FROM quarantine ORDER BY received DESC LIMIT ?", LAST)
    return [
        Held(r["site"], r["agent"], r["seq"], r["received"], r["reason"], r["body"][:300].decode("utf-8", "replace"))
        for r in rows
    ]


def agents_now(db: Db) -> list[AgentLine]:
    """Return the enrolled agents by site."""
    names = ", ".join(AgentLine.__struct_fields__)
    rows = every(db, f"SELECT {names} FROM agents WHERE retired IS NULL ORDER BY site")  # noqa: S608 - constant
    return [AgentLine(*row) for row in rows]


def _latest_first(rows: list[Entry], lines: list[tuple[str, Line]]) -> list[Entry]:
    """Return both in one order by time; of one moment the latest of each comes first, and entries stand before rows."""
    entries = [entry for site, line in lines for entry in _of_line(site, line)]
    entries.sort(key=lambda each: each.at)  # stable: in the order in which they were written
    return sorted([*entries[::-1], *rows], key=lambda each: -each.at)


def _of_line(site: str, line: Line) -> list[Entry]:
    said, act = line.entry, line.entry.act
    detail = {name: value for name in ("level", "reason", "note") if (value := getattr(act, name, None))}
    words = line.did or (act.__struct_config__.tag,)
    return [Entry(said.at, said.who, said.source, str(word), site, line.ticket, detail) for word in words]


def _entry(row: Row) -> Entry:
    detail = msgspec.json.decode(row["detail"], type=dict[str, Any])
    return Entry(row["at"], row["who"], row["source"], row["what"], row["site"], row["ticket"], detail)

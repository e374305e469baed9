"""Tickets in the store: one that is not closed for each condition, whatever crashes or comes twice.

Each function runs inside the caller's transaction; what is written of a ticket itself is the ledger's.
"""

import msgspec

from desk.kept import decoded
from desk.ledger import Ledger, append
from desk.store import Db, Row, every, one
from model.protocol import Acknowledge
from model.service.entry import Acknowledged, Closed, Entry
from model.service.record import Record
from model.service.step import Stepped
from model.service.words import Side
from model.ticket import Ticket, TicketState

COLUMNS = (
    'number, condition, site, state, level, provisional, "case", opened, episode,'
    " acknowledged, acknowledged_by, resolved, closed, explained_by, shelved"
)
# resolved, and nobody's word is missing: restored and resolved as the contract asks, or explained by a parent
_WITHOUT_A_WORD = (
    "state = 'resolved' AND resolved <= ? AND workaround = 0 AND"
    " ((restored IS NOT NULL AND milestone_resolved IS NOT NULL) OR (explained_by <> '' AND paused = 1))"
    " ORDER BY resolved"
)
ACK_LIVES = 7 * 86_400.0  # an agent that was away longer has sent its alarms anew by then


class _Level(msgspec.Struct, frozen=True):
    level: int = 0


class _Alarm(msgspec.Struct, frozen=True):
    """What is read of a Change."""

    alarm: _Level


_ALARM = msgspec.json.Decoder(_Alarm)


class Actor(msgspec.Struct, frozen=True):
    """Who does something and from where: a name with an address, or an agent with its own."""

    who: str
    source: str


def ticket_from(row: Row) -> Ticket:
    """Return a row of COLUMNS as a ticket."""
    return Ticket(
        number=row["number"],
        condition=row["condition"],
        site=row["site"],
        state=TicketState(row["state"]),
        level=row["level"],
        provisional=bool(row["provisional"]),
        case=row["case"],
        opened=row["opened"],
        episode=row["episode"],
        acknowledged=row["acknowledged"],
        acknowledged_by=row["acknowledged_by"],
        resolved=row["resolved"],
        closed=row["closed"],
        explained_by=row["explained_by"],
        shelved=bool(row["shelved"]),
    )


def standing(db: Db, site: str, condition: str) -> Record | None:
    """Return the record of the condition's ticket that is not closed."""
    sql = "SELECT record FROM tickets WHERE site = ? AND condition = ? AND state <> 'closed'"
    row = db.execute(sql, (site, condition)).fetchone()
    return decoded(row[0]) if row else None


def standing_in(ledger: Ledger, site: str, condition: str) -> Record | None:
    """Return the record of the condition's ticket that is not closed, asked for once in a transaction."""
    key = (site, condition)
    if key not in ledger.memory:
        ledger.memory[key] = standing(ledger.apart, site, condition)
    return ledger.memory[key]


def look_ahead(ledger: Ledger, site: str, conditions: frozenset[str]) -> None:
    """Ask for the tickets of several conditions at once."""
    marks = ", ".join("?" * len(conditions))
    sql = f"SELECT condition, record FROM tickets WHERE site = ? AND state <> 'closed' AND condition IN ({marks})"  # noqa: S608
    there = {name: decoded(kept) for name, kept in ledger.apart.execute(sql, (site, *conditions))}
    ledger.memory.update({(site, name): there.get(name) for name in conditions})


def taken_in(db: Db, site: str, condition: str) -> int:
    """Return the ticket that is not closed into which this condition's was merged, 0 for none."""
    sql = "SELECT merged_into FROM tickets WHERE site = ? AND condition = ? AND merged_into <> 0"
    for row in every(db, sql, site, condition):
        into = row["merged_into"]
        while into:
            other = one(db, "SELECT number, state, merged_into FROM tickets WHERE number = ?", into)
            if other is not None and other["state"] != TicketState.CLOSED:
                return int(other["number"])
            into = other["merged_into"] if other else 0
    return 0


def numbered(db: Db, number: int) -> Ticket | None:
    """Return the ticket of that number."""
    row = one(db, f"SELECT {COLUMNS} FROM tickets WHERE number = ?", number)  # noqa: S608 - constant
    return ticket_from(row) if row else None


def take(ledger: Ledger, number: int, actor: Actor, *, seen: int = 0) -> Stepped | None:
    """Acknowledge a ticket, and give the command that tells its agent. None: no such ticket.

    `seen` is the level that the person saw, 0 for any; refused as `worse` when it is worse by now.
    """
    return append(ledger, number, actor.who, actor.source, Acknowledged(seen))


def tell_agent(ledger: Ledger, before: Record | None, after: Record, entry: Entry) -> None:
    """Queue the command that tells a site's agent who took its alarm; a hook of the ledger."""
    if before is None or not isinstance(entry.act, Acknowledged):
        return
    ticket = after.ticket
    told = one(ledger.db, "SELECT agent, change FROM episodes WHERE id = ?", ticket.episode)
    if told and told["agent"]:
        level = _ALARM.decode(told["change"]).alarm.level  # the agent's: its contract may be another than ours
        taken = Acknowledge(0, ticket.condition, ticket.episode, entry.who, level)
        command(ledger.db, ticket.site, taken, ledger.now, ACK_LIVES)


def close_resolved(ledger: Ledger, before: float, most: int = 500) -> list[int]:
    """Close tickets that were resolved before a time, where nobody's word is missing; returns their numbers."""
    rows = every(ledger.db, f"SELECT number FROM tickets WHERE {_WITHOUT_A_WORD} LIMIT ?", before, most)  # noqa: S608
    closed: list[int] = []
    for row in rows:
        stepped = append(ledger, row["number"], "desk", "", Closed(), Side.SYSTEM)
        if stepped is not None and stepped.refused is None:
            closed.append(row["number"])
    return closed


def command(db: Db, site: str, body: msgspec.Struct, now: float, lives: float) -> int:
    """Queue a command for a site's agent and return its id; it is not given out after `lives` seconds.

    Ids rise with time (milliseconds): a desk restored from a backup gives none that its agents have done already.
    """
    row = db.execute(
        "INSERT INTO commands (id, site, at, expires, body)"
        " VALUES (max(?, (SELECT coalesce(max(id), 0) + 1 FROM commands)), ?, ?, ?, ?) RETURNING id",
        (int(now * 1000), site, now, now + lives, msgspec.json.encode(body)),
    ).fetchone()
    return int(row[0])


def forget_commands(db: Db, before: float) -> int:
    """Drop commands that expired before a time; the last stays, from which ids rise."""
    sql = "DELETE FROM commands WHERE expires < ? AND id < (SELECT max(id) FROM commands)"
    return db.execute(sql, (before,)).rowcount


def forget_told(db: Db, before: float) -> int:
    """Drop what was put out for connectors before a time."""
    return db.execute("DELETE FROM connector_outbox WHERE at < ?", (before,)).rowcount

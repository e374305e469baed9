"""Tickets in the store: one that is not closed for each condition, whatever crashes or comes twice.

Each function runs inside the caller's transaction: ticket, episode link, audit row and connector-outbox row are
committed together with what caused them.
"""

import msgspec
from msgspec.structs import replace

from desk.store import Db, Row, Value, audit, every, one
from model.alarm import Alarm
from model.level import Assignment
from model.protocol import Acknowledge
from model.ticket import Reason, Step, Ticket, TicketState, acknowledge, on_alarm

COLUMNS = (
    'number, condition, site, state, level, provisional, "case", opened, episode,'
    " acknowledged, acknowledged_by, resolved, closed, explained_by, shelved"
)
ACK_LIVES = 7 * 86_400.0  # an agent that was away longer has sent its alarms anew by then


class Actor(msgspec.Struct, frozen=True):
    """Who does something and from where: a name with an address, or an agent with its own."""

    who: str
    source: str


class WorseError(Exception):
    """The ticket got worse than what was seen by who takes it."""


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


def standing(db: Db, site: str, condition: str) -> Ticket | None:
    """Return the condition's ticket that is not closed."""
    row = one(
        db,
        f"SELECT {COLUMNS} FROM tickets WHERE site = ? AND condition = ? AND state <> 'closed'",  # noqa: S608 - constant
        site,
        condition,
    )
    return ticket_from(row) if row else None


def numbered(db: Db, number: int) -> Ticket | None:
    """Return the ticket of that number."""
    row = one(db, f"SELECT {COLUMNS} FROM tickets WHERE number = ?", number)  # noqa: S608 - constant
    return ticket_from(row) if row else None


def follow_alarm(db: Db, alarm: Alarm, site: str, assignment: Assignment, now: float) -> Step:
    """Bring the condition's ticket up to its alarm and keep the result; the caller writes the audit."""
    step = on_alarm(
        standing(db, site, alarm.condition),
        alarm,
        site,
        assignment.level,
        provisional=assignment.provisional,
        now=now,
    )
    if step.ticket is None:
        return step
    ticket = keep(db, step.ticket, step.reasons, now)
    if alarm.active and alarm.opened:
        db.execute(
            "INSERT INTO ticket_episodes VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (ticket.number, alarm.episode, now)
        )
    return Step(ticket, step.reasons)


def keep(db: Db, ticket: Ticket, reasons: tuple[Reason, ...], now: float) -> Ticket:
    """Write a ticket as it stands now, and tell the connectors when something happened to it."""
    values: tuple[Value, ...] = (
        ticket.number or None,
        ticket.condition,
        ticket.site,
        ticket.state,
        ticket.level,
        ticket.provisional,
        ticket.case,
        ticket.opened,
        ticket.episode,
        ticket.acknowledged,
        ticket.acknowledged_by,
        ticket.resolved,
        ticket.closed,
        ticket.explained_by,
        ticket.shelved,
    )
    row = db.execute(
        f"INSERT INTO tickets ({COLUMNS}) VALUES ({', '.join('?' * len(values))})"  # noqa: S608 - constants
        " ON CONFLICT (number) DO UPDATE SET state = excluded.state, level = excluded.level,"
        ' provisional = excluded.provisional, "case" = excluded."case", episode = excluded.episode,'
        " acknowledged = excluded.acknowledged, acknowledged_by = excluded.acknowledged_by,"
        " resolved = excluded.resolved, closed = excluded.closed, explained_by = excluded.explained_by,"
        " shelved = excluded.shelved RETURNING number",
        values,
    ).fetchone()
    kept = replace(ticket, number=int(row[0]))
    for reason in reasons:
        if reason is not Reason.UNCHANGED:
            _tell_connectors(db, kept, reason, now)
    return kept


def take(db: Db, number: int, actor: Actor, now: float, *, seen: int = 0) -> Step | None:
    """Acknowledge a ticket: the ticket, the audit, and the command that tells the agent. None: no such ticket.

    `seen` is the level that the person saw, 0 for any. Raises WorseError when it is worse by now.
    """
    ticket = numbered(db, number)
    if ticket is None:
        return None
    if ticket.state is TicketState.OPEN and ticket.acknowledged is None and ticket.level < seen:
        raise WorseError
    step = acknowledge(ticket, actor.who, now)
    if step.ticket is None or Reason.ACKNOWLEDGED not in step.reasons:
        return step
    keep(db, step.ticket, step.reasons, now)
    audit(
        db,
        at=now,
        who=actor.who,
        source=actor.source,
        what=Reason.ACKNOWLEDGED,
        site=ticket.site,
        ticket=number,
        episode=ticket.episode,
    )
    level = "json_extract(CAST(change AS TEXT), '$.alarm.level')"  # the agent's: its contract may be another than ours
    told = one(db, f"SELECT agent, {level} AS level FROM episodes WHERE id = ?", ticket.episode)  # noqa: S608 - a constant
    if told and told["agent"]:
        taken = Acknowledge(0, ticket.condition, ticket.episode, actor.who, told["level"] or 0)
        command(db, ticket.site, taken, now, ACK_LIVES)
    return step


def close_resolved(db: Db, before: float, now: float) -> list[Ticket]:
    """Close every ticket that was resolved before a time; returns them as they are now."""
    rows = every(
        db,
        f"SELECT {COLUMNS} FROM tickets WHERE state = 'resolved' AND resolved <= ?",  # noqa: S608 - constant
        before,
    )
    closed: list[Ticket] = []
    for row in rows:
        ticket = replace(ticket_from(row), state=TicketState.CLOSED, closed=now)
        keep(db, ticket, (), now)
        db.execute(
            "INSERT INTO connector_outbox (at, ticket, reason, body) VALUES (?, ?, 'closed', ?)",
            (now, ticket.number, msgspec.json.encode(ticket)),
        )
        audit(db, at=now, who="desk", source="", what="closed", site=ticket.site, ticket=ticket.number)
        closed.append(ticket)
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


def _tell_connectors(db: Db, ticket: Ticket, reason: Reason, now: float) -> None:
    db.execute(
        "INSERT INTO connector_outbox (at, ticket, reason, body) VALUES (?, ?, ?, ?)",
        (now, ticket.number, reason, msgspec.json.encode(ticket)),
    )

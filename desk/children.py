"""The root's ticket has on it what its fault explains: the agent explains within a site, the desk links.

An explained alarm opens no ticket of its own. Its episode is written on the ticket of the root, now or when that ticket
opens; a ticket that it had before, and that of a site which fell silent after its mains failed, are tied to the root's.
An alarm that is pending only presumes its parent: it stands on no ticket until that was looked at again. Each of these
asks for what the root itself explains and for nothing else.
"""

import msgspec

from desk.later import CHILDREN
from desk.ledger import Ledger, append
from desk.store import Db, Row, every, one
from desk.tickets import standing_in
from model.alarm import Alarm, AlarmState
from model.change import Change, condition_key
from model.incident import SITE_SILENT
from model.service.entry import AlarmSeen, Entry, Linked, Opened
from model.service.record import Record
from model.service.words import Side, Tie
from model.ticket import TicketState

DEEPEST = 4  # parents above a parent: a line explains its devices, mains the line
_CHANGE = msgspec.json.Decoder(Change)
_BELOW = (
    "SELECT id, condition FROM episodes WHERE explained_by = ? AND active = 1 AND explained_by <> ''"
    " AND state <> 'pending'"
)


class Child(msgspec.Struct, frozen=True):
    """An alarm that a ticket's fault explains or explained: its last Change, since when it is on the ticket.

    `ticket` is its own that is open, 0 for none.
    """

    condition: str
    change: Change
    onset: float
    joined: float
    active: bool
    ticket: int


def children_of(db: Db, ticket: int) -> list[Child]:
    """Return what a ticket's fault has explained, what still stands first."""
    rows = every(
        db,
        "SELECT c.condition, c.joined, e.change, e.onset, e.active, coalesce(t.number, 0) AS own FROM ticket_children c"
        " JOIN episodes e ON e.id = c.episode LEFT JOIN tickets t ON t.site = e.site AND t.condition = c.condition"
        " AND t.state = 'open' AND e.active = 1 WHERE c.ticket = ? ORDER BY e.active DESC, e.onset, c.condition",
        ticket,
    )
    return [
        Child(
            row["condition"],
            _CHANGE.decode(row["change"]),
            row["onset"],
            row["joined"],
            bool(row["active"]),
            row["own"],
        )
        for row in rows
    ]


def explained(ledger: Ledger, site: str, alarm: Alarm) -> None:
    """Write an alarm that a parent explains on the ticket of its root, if that has one by now."""
    if not alarm.active or not alarm.explained_by or alarm.state is AlarmState.PENDING:
        return
    root = _root(ledger, site, alarm.explained_by)
    if root is None:
        return
    number = root.ticket.number
    _keep(ledger, number, alarm.episode, alarm.condition)
    own = standing_in(ledger, site, alarm.condition)
    if own is not None and own.ticket.state is not TicketState.OPEN:
        _tie(ledger, own.ticket.number, number)


def gather_children(ledger: Ledger, before: Record | None, after: Record, entry: Entry) -> None:
    """Take what a fault explains already on its ticket when that opens; a hook of the ledger."""
    goes = after.ticket.state is TicketState.OPEN
    if not goes or (before is not None and before.ticket.state is TicketState.OPEN):
        return
    if not isinstance(entry.act, Opened | AlarmSeen) or entry.act.alarm is None:
        return
    ticket, cause = after.ticket, entry.act.alarm.explained_by
    for episode, condition in _below(ledger.db, ticket.condition).items():
        _keep(ledger, ticket.number, episode, condition)
        own = standing_in(ledger, ticket.site, condition)
        if own is not None:
            _tie(ledger, own.ticket.number, ticket.number)
    root = _root(ledger, ticket.site, cause) if cause else None
    if root is not None:  # a site that fell silent, explained by its last words
        _tie(ledger, ticket.number, root.ticket.number)
    silence = _silence_before(ledger, after)
    if silence is not None:  # the site was heard before it told that what it died with is there
        _keep(ledger, ticket.number, silence["id"], silence["condition"])
        own = standing_in(ledger, ticket.site, silence["condition"])
        if own is not None:
            _tie(ledger, own.ticket.number, ticket.number)


def _below(db: Db, root: str) -> dict[str, str]:
    """Return the episodes that a condition explains by now, each with its own, and what those explain in turn."""
    found: dict[str, str] = {}
    above = {root}
    for _ in range(DEEPEST):
        below = {row[0]: row[1] for each in sorted(above) for row in db.execute(_BELOW, (each,)) if row[1] != root}
        above = {condition for episode, condition in below.items() if episode not in found}
        found |= below
    return found


def _silence_before(ledger: Ledger, root: Record) -> Row | None:
    """Return the silence of the site, over by now, that began with this fault as its last words."""
    condition = condition_key(root.ticket.site, "-", "-", SITE_SILENT)
    if root.ticket.condition == condition:
        return None
    sql = "SELECT * FROM episodes WHERE condition = ? AND changed >= ? AND active = 0 ORDER BY changed DESC LIMIT 1"
    row = one(ledger.db, sql, condition, root.onset)
    return row if row is not None and row["explained_by"] == root.ticket.condition else None


def _root(ledger: Ledger, site: str, condition: str) -> Record | None:
    """Return the open ticket of a condition, or of what explains it in turn."""
    for _ in range(DEEPEST):
        record = standing_in(ledger, site, condition)
        if record is not None and record.ticket.state is TicketState.OPEN:
            return record
        above = _latest(ledger.db, condition)
        if above is None or not above["explained_by"]:
            return None
        condition = above["explained_by"]
    return None


def _latest(db: Db, condition: str) -> Row | None:
    return one(
        db,
        "SELECT CASE state WHEN 'pending' THEN '' ELSE explained_by END AS explained_by FROM episodes"
        " WHERE condition = ? AND active = 1 ORDER BY changed DESC LIMIT 1",
        condition,
    )


def _keep(ledger: Ledger, ticket: int, episode: str, condition: str) -> None:
    ledger.put(CHILDREN, (ticket, episode, condition, ledger.now))


def _tie(ledger: Ledger, child: int, root: int) -> None:
    """Tie a ticket to its cause's; one that is tied already stays as it is."""
    if child != root:
        append(ledger, child, "desk", "", Linked(Tie.CHILD, root), Side.SYSTEM)

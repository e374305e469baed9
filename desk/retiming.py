"""Putting right what was written while the desk's clock was not, in the transaction in which it is sure again.

Tickets that are closed stay as they are. The rest of the desk's tables keep only how long ago or how soon something
is: where the clock goes back, what would wait for it to come there again moves with it.
"""

from desk.kept import decoded
from desk.ledger import Ledger, append_to
from desk.store import every
from model.clock import Regained
from model.service.entry import Entry, Retimed
from model.service.record import Record
from model.service.words import Side

WHO = "desk"
_WAITING = (  # times of other tables that would be in the future of a clock that went back
    ("snapshots", "received"),
    ("trends", "received"),
    ("commands", "at"),
    ("agents", "heartbeat"),
    ("occasions", "again"),
    ("notices", "after"),
    ("messages", "next"),
)


def put_right(ledger: Ledger, regained: Regained, *, openings: bool = False) -> int:
    """Move the times of open tickets with the clock; returns of how many. What falls due by that fires here.

    `openings`: only of those that are not dated yet, which were written beside the first time.
    """
    moved = 0
    sql = "SELECT record FROM tickets WHERE state <> 'closed' AND entries > 0 AND opened >= ? ORDER BY number"
    for row in every(ledger.db, sql, regained.since if openings else float("-inf")):
        record = decoded(row["record"])
        if openings and not record.unsure:
            continue
        entry = Entry(ledger.now, WHO, retiming(record, regained), "", Side.SYSTEM, ledger.trust)
        moved += append_to(ledger, record, entry).refused is None
    if regained.by < 0 and not openings:
        for table, column in _WAITING:
            sql = f"UPDATE {table} SET {column} = {column} + ? WHERE {column} > ?"  # noqa: S608 - constants
            ledger.db.execute(sql, (regained.by, regained.now))
    return moved


def retiming(record: Record, regained: Regained) -> Retimed:
    """Return how a ticket's times move; one that would have opened in the future moves in any case."""
    future = record.ticket.opened > regained.now
    return Retimed(regained.since, regained.by, regained.by if future else regained.before)

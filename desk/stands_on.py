"""A fault that stands on after the ticket which took in its own has closed has a ticket of its own again at once.

A merged ticket's alarm opens no other while the one that took it in is not closed (`desk.record`). When that closes,
its own fault is gone; the merged one's may not be, and may tell nothing new for days.
"""

from desk.ledger import Ledger, append
from desk.record import bring_episode
from desk.store import every
from desk.tickets import Actor
from model.service.entry import Closed, Entry, Linked
from model.service.record import Record
from model.service.words import Side, Tie

DESK = Actor("desk", "")
MOST = 1000  # merged tickets that are looked at


def open_what_stands_on(ledger: Ledger, _before: Record | None, after: Record, entry: Entry) -> None:
    """Open tickets of what was merged into one that closes and still stands; a hook of the ledger.

    What a window holds back waits for its end.
    """
    if not isinstance(entry.act, Closed) or not after.took_in:
        return
    rows = every(
        ledger.db,
        "WITH RECURSIVE merged (number) AS (SELECT value FROM json_each(?) UNION SELECT j.value FROM merged m"
        " JOIN tickets t ON t.number = m.number, json_each(CAST(t.record AS TEXT), '$.took_in') j)"
        " SELECT DISTINCT e.id, e.changed FROM merged m JOIN tickets t ON t.number = m.number"
        " JOIN episodes e ON e.condition = t.condition AND e.site = t.site"
        " WHERE e.active = 1 ORDER BY e.changed LIMIT ?",
        f"[{','.join(map(str, after.took_in))}]",
        MOST,
    )
    for row in rows:
        number = bring_episode(ledger, row["id"], unheld=False)
        if number is not None:
            append(ledger, number, DESK.who, DESK.source, Linked(Tie.RELATED, after.ticket.number), Side.SYSTEM)

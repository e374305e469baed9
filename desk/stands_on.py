"""A fault that stands on after the ticket which took in its own has closed has a ticket of its own again at once.

A merged ticket's alarm opens no other while the one that took it in is not closed (`desk.record`). When that closes,
its own fault is gone; the merged one's may not be, and may tell nothing new for days.
"""

from desk.ledger import Ledger, append, record_of
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
    for episode in _standing(ledger, after):
        number = bring_episode(ledger, episode, unheld=False)
        if number is not None:
            append(ledger, number, DESK.who, DESK.source, Linked(Tie.RELATED, after.ticket.number), Side.SYSTEM)


def _standing(ledger: Ledger, after: Record) -> list[str]:
    """Return the episodes that stand of tickets that a ticket took in, or one that it took in did: the oldest first."""
    merged: dict[int, Record] = {}
    found: dict[str, float] = {}
    waiting = list(after.took_in)
    while waiting and len(merged) < MOST:
        number = waiting.pop()
        record = None if number in merged else record_of(ledger.db, number)
        if record is None:
            continue
        merged[number] = record
        waiting.extend(record.took_in)
        ticket = record.ticket
        sql = "SELECT id, changed FROM episodes WHERE condition = ? AND site = ? AND active = 1"
        found.update({row["id"]: row["changed"] for row in every(ledger.db, sql, ticket.condition, ticket.site)})
    return sorted(found, key=lambda episode: found[episode])

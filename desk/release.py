"""What a window held back and that still stands when the holding ends: its ticket opens then, with its true onset.

Nothing here ends a window, which its time does (`desk.holding`); this brings the tickets. They open at the end of the
holding however late somebody looks: the contract's clocks run from there; never before the desk heard of the fault.
After the desk was away, sites that have not been heard yet are waited for: what ended meanwhile should be known before
it is called standing.
"""

from msgspec.structs import replace

from desk.ledger import Ledger
from desk.period_store import release, waiting_since
from desk.record import bring_episode, change_of
from desk.store import Db, Row, every, one
from model.service.words import Trust

MOST = 500  # looked at in one transaction


def release_due(
    ledger: Ledger, *, started: float = 0.0, unheard: frozenset[str] = frozenset(), most: int = MOST
) -> list[int]:
    """Open the tickets of what stands and is held no longer; returns their numbers.

    `unheard` are the sites that are waited for where the holding ended before the desk's start (`started`, Unix
    seconds). While nobody knows what time it is nothing is held.
    """
    unknown = ledger.trust is Trust.UNSYNCHRONISED
    rows = waiting_since(ledger.db, float("inf") if unknown else ledger.now, most)
    rows = [row for row in rows if row["until"] >= started or row["site"] not in unheard]
    opened = [number for row in rows for number in _brought(ledger, row)]
    for row in rows:  # what explains another may have opened after it
        release(ledger.db, row, ledger.now, _stands_on(ledger.db, row))
    return opened


def _brought(ledger: Ledger, row: Row) -> list[int]:
    then = replace(ledger, now=min(max(row["until"], row["since"]), ledger.now))
    found = [bring_episode(then, episode) for episode in _standing(ledger.db, row)]
    return [number for number in found if number is not None]


def _stands_on(db: Db, row: Row) -> int | None:
    """Return the ticket that has what stands at a place, by itself or below what explains it; None for none."""
    sql = (
        "SELECT number FROM tickets t WHERE site = ?1 AND state IN ('open', 'resolved') AND ("
        "EXISTS (SELECT 1 FROM ticket_episodes WHERE ticket = t.number AND episode = ?2) OR"
        " EXISTS (SELECT 1 FROM ticket_children WHERE ticket = t.number AND episode = ?2)) ORDER BY number LIMIT 1"
    )
    found = [one(db, sql, row["site"], episode) for episode in _standing(db, row)]
    return next((each["number"] for each in found if each), None)


def _standing(db: Db, held: Row) -> list[str]:
    """Return the episodes that run where something was held back, and were raised."""
    rows = every(db, "SELECT id, change FROM episodes WHERE site = ? AND active = 1 AND opened = 1", held["site"])
    return [row["id"] for row in rows if _is_of(row, held)]


def _is_of(row: Row, held: Row) -> bool:
    origin = change_of(row).origin
    return (origin.device, origin.fault) == (held["device"], held["fault"])

"""What a window held back and that still stands when the holding ends: its ticket opens then, with its true onset.

Nothing here ends a window, which its time does (`desk.holding`); this brings the tickets. They open at the end of the
holding however late somebody looks: the contract's clocks run from there. After the desk was away, sites that have not
been heard yet are waited for: what ended meanwhile should be known before it is called standing.
"""

import dataclasses

from desk.ledger import Ledger
from desk.period_store import release, waiting_since
from desk.record import bring_episode, change_of
from desk.store import Db, Row, every
from model.period import Place
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
    opened: list[int] = []
    for row in rows:
        if row["until"] < started and row["site"] in unheard:
            continue
        opened += _release(ledger, row)
    return opened


def _release(ledger: Ledger, row: Row) -> list[int]:
    place = Place("", row["site"], row["device"], row["fault"])
    then = dataclasses.replace(ledger, now=min(row["until"], ledger.now))
    found = [bring_episode(then, episode) for episode in _standing(ledger.db, place)]
    release(ledger.db, row, ledger.now)
    return [number for number in found if number is not None]


def _standing(db: Db, place: Place) -> list[str]:
    """Return the episodes that run at a place and were raised."""
    rows = every(db, "SELECT id, change FROM episodes WHERE site = ? AND active = 1 AND opened = 1", place.site)
    return [row["id"] for row in rows if _is_of(row, place)]


def _is_of(row: Row, place: Place) -> bool:
    origin = change_of(row).origin
    return (origin.device, origin.fault) == (place.device, place.fault)

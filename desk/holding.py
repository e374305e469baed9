"""Whether a maintenance window holds a ticket back. `desk.record` asks this: import neither it nor who imports it.

What counts is when the fault was announced, not when the desk heard of it: work often cuts its own site off. What is
told only when the holding is over waits as if it had been held, and opens then, never before the desk heard of it.
Worked out from the time each time, so that nothing has to run for a window to end. While nobody knows what time it is
nothing is held: a window must not outlive its end because a clock was wrong after a reboot.
"""

from desk.ledger import Ledger
from desk.period_store import guards_after, keep_held, waiting_of, windows_after, windows_at
from desk.store import Site
from model.period import Place, Window, held_until, holding
from model.service.words import Trust


def held(ledger: Ledger, site: Site, device: str, fault: str, at: float) -> str:
    """Return the id of the window that holds back a ticket of a fault that was announced at a moment, "" for none.

    What is held is written down, so that it is looked at when the holding ends (`desk.release`).
    """
    window = window_of(ledger, site, device, fault, at)
    if window is None:
        return ""
    place = Place(site.region, site.id, device, fault)
    until = held_until(windows_after(ledger.db, at), guards_after(ledger.db, at), place, at)
    keep_held(ledger.db, window, place, ledger.now, until)
    return f"W{window.id}"


def window_of(ledger: Ledger, site: Site, device: str, fault: str, at: float) -> Window | None:
    """Return the window that holds a fault's ticket back at a moment; nothing is written down."""
    if ledger.trust is Trust.UNSYNCHRONISED or not ledger.planned:
        return None
    windows = windows_at(ledger.db, at)
    if not windows:
        return None
    return holding(windows, guards_after(ledger.db, at), Place(site.region, site.id, device, fault), at)


def over_since(ledger: Ledger, site: Site, device: str, fault: str, at: float) -> float | None:
    """Return as of when the ticket opens of a fault that stood when its holding ended, at a moment or before.

    None where nothing was held, or somebody has looked since.
    """
    return waiting_of(ledger.db, site.id, device, fault, at)

"""What a new ticket has to do with what was before it: a recurrence, the device's entitlement, momentary alarms.

The rules are `model.service.history`'s; here is where the store finds what they ask for.
"""

import msgspec

from desk.kept import decoded
from desk.ledger import Ledger
from desk.store import Db, Site, every
from model.contract import Contract
from model.service.history import Listed, Past, Tally, cover, momentary, past, recurrence
from model.service.words import Cover

_LISTED = msgspec.json.Decoder(Listed)
_TALLY = msgspec.json.Decoder(Tally)
_LATEST = 5  # closed tickets of a device and fault that are looked at


def earlier(ledger: Ledger, site: Site, device: str, fault: str, onset: float) -> Past | None:
    """Return the closed ticket that a new one of the same device and fault is a recurrence of."""
    rows = every(
        ledger.apart,
        "SELECT record FROM tickets WHERE site = ? AND device = ? AND fault = ? AND state = 'closed'"
        " AND merged_into = 0 ORDER BY number DESC LIMIT ?",
        site.id,
        device,
        fault,
        _LATEST,
    )
    if not rows:
        return None
    contract = ledger.contracts(site.contract)
    found = [each for each in (past(decoded(row["record"])) for row in rows) if each is not None]
    calendar = ledger.calendars(contract.calendar)
    return recurrence(found, device, fault, onset, years=contract.recurrence.years, calendar=calendar)


def cover_of(ledger: Ledger, site: Site, device: str) -> Cover:
    """Return what a device is entitled to now, by the list that was made of the site's devices."""
    contract = ledger.contracts(site.contract)
    listed = listed_device(ledger.apart, site.id, device)
    return cover(listed, contract.entitlement, ledger.calendars(contract.calendar), ledger.now)


def listed_device(db: Db, site: str, device: str) -> Listed | None:
    """Return a device of the contract's list."""
    row = db.execute("SELECT body FROM listed WHERE site = ? AND device = ?", (site, device)).fetchone()
    return _LISTED.decode(row[0]) if row else None


def list_device(db: Db, site: str, device: str, listed: Listed) -> None:
    """Put a device on the contract's list, or say anew what stands there; open tickets stay as they are."""
    db.execute(
        "INSERT INTO listed VALUES (?, ?, ?) ON CONFLICT (site, device) DO UPDATE SET body = excluded.body",
        (site, device, msgspec.json.encode(listed)),
    )


def count_momentary(ledger: Ledger, contract: Contract, condition: str, episode: str, at: float) -> bool:
    """Count an alarm that ended before its delay at a time; says whether it makes the contract's momentary fault."""
    row = ledger.db.execute("SELECT tally FROM momentary WHERE condition = ?", (condition,)).fetchone()
    before = _TALLY.decode(row[0]) if row else Tally()
    tally, made = momentary(before, episode, at, contract.momentary)
    if tally != before:
        ledger.db.execute(
            "INSERT INTO momentary VALUES (?, ?) ON CONFLICT (condition) DO UPDATE SET tally = excluded.tally",
            (condition, msgspec.json.encode(tally)),
        )
    return made

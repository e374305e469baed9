"""The books proved: every ticket's entries are replayed, and what they add up to is what the store keeps of it."""

from collections.abc import Iterator

import msgspec

from desk.kept import TICKET, entries_of
from desk.store import Db, Row, every
from model.service.record import Record
from model.service.step import BrokenAuditError, replay


def check_books(db: Db) -> list[str]:
    """Return what is wrong with the tickets of a store, a sentence each; nothing when the books are right."""
    wrong: list[str] = []
    for number in every(db, "SELECT number FROM tickets ORDER BY number"):
        for row in every(db, "SELECT * FROM tickets WHERE number = ?", number["number"]):
            wrong += _of_ticket(db, row)
    lost = "SELECT ticket, count(*) AS times FROM {} WHERE ticket NOT IN (SELECT number FROM tickets) GROUP BY ticket"
    for table in ("entries", "fired"):
        wrong += [f"{table}: {row['times']} rows of no ticket {row['ticket']}" for row in every(db, lost.format(table))]
    return wrong


def _of_ticket(db: Db, row: Row) -> Iterator[str]:
    number = row["number"]
    seqs = [each["seq"] for each in every(db, "SELECT seq FROM entries WHERE ticket = ? ORDER BY seq", number)]
    if seqs != list(range(1, len(seqs) + 1)) or not seqs:
        yield f"ticket {number}: its entries are {seqs or 'none'}, not one after another"
        return
    try:
        record = replay(entries_of(db, number))
    except BrokenAuditError as error:
        yield f"ticket {number}: {error}"
        return
    if record is None or row["record"] != msgspec.json.encode(record):
        yield f"ticket {number}: its entries do not add up to its record"
        return
    if row["entries"] != len(seqs):
        yield f"ticket {number}: {len(seqs)} entries, the row says {row['entries']}"
    yield from (f"ticket {number}: {name} is {row[name]!r}" for name in _unlike(row, record))
    fired = {f"{each['clock']} {each['step']}" for each in every(db, "SELECT * FROM fired WHERE ticket = ?", number)}
    if fired != set(record.fired) or len(record.fired) != len(fired):
        yield f"ticket {number}: fired are {sorted(fired)}, its record says {sorted(record.fired)}"


def _unlike(row: Row, record: Record) -> Iterator[str]:
    """Name the columns that are not what the record says."""
    said = {name: getattr(record.ticket, name) for name in TICKET} | {
        "device": record.device,
        "fault": record.fault,
        "start": record.start,
        "onset": record.onset,
        "paused": record.paused,
        "workaround": record.workaround is not None,
        "cover": record.cover,
        "handling": record.handling or "",
        "merged_into": record.merged_into,
    }
    return (name for name, value in said.items() if row[name] != value)

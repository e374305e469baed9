"""What the store keeps of tickets: entries, rows made from records, keys of what has fired. Only the ledger writes."""

import msgspec

from desk.store import Db, Value, every
from desk.store import Row as Stored
from model.service.entry import Act, Acts, Entry, Fired
from model.service.record import Record
from model.service.row import Row
from model.service.words import Side, Trust
from model.ticket import Ticket

_ACT: msgspec.json.Decoder[Acts] = msgspec.json.Decoder(Acts)
_RECORD = msgspec.json.Decoder(Record)
_ENCODE = msgspec.json.Encoder().encode
TICKET = tuple(Ticket.__struct_fields__)
ROW = tuple(name for name in Row.__struct_fields__ if name != "number")
_NAMES = ", ".join(f'"{name}"' for name in (*TICKET, *ROW))
_INSERT = f"INSERT INTO tickets ({_NAMES}) VALUES ({', '.join('?' * len((*TICKET, *ROW)))})"  # noqa: S608 - constants
_CHANGED = tuple(name for name in TICKET if name not in {"number", "condition", "site"})
_SET = ", ".join(f'"{name}" = ?' for name in (*_CHANGED, *ROW))
_UPDATE = f"UPDATE tickets SET {_SET} WHERE number = ?"  # noqa: S608 - constants
_ENTRY = (
    "INSERT INTO entries (ticket, seq, at, who, source, side, trust, what, did, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_LINES = (
    "SELECT ticket, seq, at, who, source, side, trust, did, body,"
    " (SELECT site FROM tickets WHERE number = entries.ticket) AS site FROM entries"
)


class Line(msgspec.Struct, frozen=True):
    """An entry with its place in the ticket and what it did, in the words of the audit."""

    ticket: int
    seq: int
    entry: Entry
    did: tuple[str, ...]


def record_of(db: Db, number: int) -> Record | None:
    """Return a ticket's record, None when there is no such ticket."""
    row = db.execute("SELECT record FROM tickets WHERE number = ? AND entries > 0", (number,)).fetchone()
    return _RECORD.decode(row[0]) if row else None


def decoded(record: bytes) -> Record:
    """Return a record as a row keeps it."""
    return _RECORD.decode(record)


def entries_of(db: Db, number: int) -> tuple[Entry, ...]:
    """Return a ticket's entries in their order."""
    return tuple(line.entry for line in lines_of(db, number))


def lines_of(db: Db, number: int) -> tuple[Line, ...]:
    """Return a ticket's entries in their order, with what they did."""
    return tuple(_line(row) for row in every(db, f"{_LINES} WHERE ticket = ? ORDER BY seq", number))


def lines_among(db: Db, most: int) -> list[tuple[str, Line]]:
    """Return the last entries of all tickets in their order, each with its site."""
    rows = every(db, f"{_LINES} ORDER BY id DESC LIMIT ?", most)
    return [(row["site"], _line(row)) for row in reversed(rows)]


def next_number(db: Db) -> int:
    """Return the number that the next ticket gets; the one writer makes it."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tickets'").fetchone()
    return int(row[0]) + 1 if row else 1


def keep_entry(db: Db, record: Record, entry: Entry, did: tuple[str, ...]) -> None:
    """Append an entry; `record` is the one after it."""
    number, act = record.ticket.number, entry.act
    db.execute(
        _ENTRY,
        (
            number,
            record.entries,
            entry.at,
            entry.who,
            entry.source,
            entry.side,
            entry.trust,
            _tag(act),
            " ".join(did),
            _ENCODE(act),
        ),
    )
    if isinstance(act, Fired):  # the key is unique here too: whatever the record says, nothing fires twice
        key = (number, act.effect.clock, act.effect.step, entry.at)
        db.execute("INSERT INTO fired (ticket, clock, step, at) VALUES (?, ?, ?, ?)", key)


def keep_row(db: Db, record: Record, row: Row, *, new: bool) -> None:
    """Write a ticket's row as its record says."""
    ticket = record.ticket
    own = tuple(getattr(row, name) for name in ROW)
    if new:
        values: tuple[Value, ...] = (*(getattr(ticket, name) for name in TICKET), *own)
        db.execute(_INSERT, values)
    else:
        values = (*(getattr(ticket, name) for name in _CHANGED), *own, ticket.number)
        db.execute(_UPDATE, values)


def keep_told(db: Db, ticket: Ticket, did: tuple[str, ...], now: float) -> None:
    """Put out for the connectors what happened to a ticket."""
    db.execute(
        "INSERT INTO connector_outbox (at, ticket, reason, body) VALUES (?, ?, ?, ?)",
        (now, ticket.number, did[0], _ENCODE(ticket)),
    )


def _tag(act: Act) -> str:
    return str(type(act).__struct_config__.tag)


def _line(row: Stored) -> Line:
    entry = Entry(
        row["at"], row["who"], _ACT.decode(row["body"]), row["source"], Side(row["side"]), Trust(row["trust"])
    )
    return Line(row["ticket"], row["seq"], entry, tuple(row["did"].split()))

"""Who hears that it is over: whoever was told of a ticket, once, by the way by which they were told of it.

Told is also who may have been, or may yet be: a message is on its way, it was handed over when the desk was killed, or
it was never answered. What is said of the end waits behind it, and is dropped when it did not arrive.
Whoever was told of a ticket that was merged hears when the one that took it in is over.
"""

from desk.kept import record_of
from desk.store import Db, every, one
from model.service.record import Record
from model.telling import What

_TOLD = "what <> ? AND state IN ('sent', 'perhaps', 'taken')"
_HEARD = "what = ? AND ticket = ? AND state IN ('sent', 'perhaps', 'taken', 'waiting')"
_HEARERS = f"""SELECT person, channel FROM notices WHERE ticket IN (%s) GROUP BY person, channel
    HAVING max(CASE WHEN {_TOLD} THEN id END) > coalesce(max(CASE WHEN {_HEARD} THEN id END), 0)"""  # noqa: S608
_KNOWS = f"SELECT 1 FROM notices WHERE ticket IN (%s) AND person = ? AND channel = ? AND {_TOLD} LIMIT 1"  # noqa: S608


def hearers(db: Db, record: Record) -> list[tuple[str, str]]:
    """Return who must hear that a ticket is over: person and channel, told of it since they last heard that."""
    family = _family(db, record)
    sql = _HEARERS % ", ".join("?" * len(family))
    rows = every(db, sql, *family, What.OVER, What.OVER, record.ticket.number)
    return [(row["person"], row["channel"]) for row in rows]


def knows(db: Db, number: int, person: str, channel: str) -> bool:
    """Say whether somebody was told of a ticket, or may have been, by a channel."""
    record = record_of(db, number)
    if record is None:
        return False
    family = _family(db, record)
    return one(db, _KNOWS % ", ".join("?" * len(family)), *family, person, channel, What.OVER) is not None


def _family(db: Db, record: Record) -> tuple[int, ...]:
    """Return a ticket with all that were merged into it, and into those."""
    found = {record.ticket.number: None}
    rest = list(record.took_in)
    while rest:
        number = rest.pop()
        if number not in found:
            found[number] = None
            taken = record_of(db, number)
            rest += taken.took_in if taken is not None else ()
    return tuple(found)

"""Rows that wait to be written together: many rows of a table are one statement, which costs a fraction of theirs.

Theory. A thread gives the interpreter away with each statement and has to get it back; in a storm that costs as much as
the row. So what the rest of a batch does not read waits (`Later.put`) until somebody may ask for it (`flush`): the
ledger's `db` is flushed before it is given, and only statements that read nothing of these tables go by its `apart`.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

MOST = 50  # rows of one statement: SQLite takes 32,766 values


class Into(NamedTuple):
    """A statement that inserts rows: its table and columns, how many values a row has, what follows the values.

    `keyed`: a row changes the one that has its first value; one statement may not do so twice (PostgreSQL).
    """

    table: str
    values: int
    conflict: str = ""
    keyed: bool = False


AUDIT = Into("audit (at, who, source, what, site, ticket, episode, detail)", 8)
CHILDREN = Into("ticket_children", 4, "ON CONFLICT DO NOTHING")
JOINED = Into("ticket_episodes", 3, "ON CONFLICT DO NOTHING")
RECEIPTS = Into("receipts", 5)
EPISODES = Into(
    "episodes (id, condition, site, agent, revision, active, state, opened, explained_by, onset, changed, change)",
    12,
    "ON CONFLICT (id) DO UPDATE SET agent = excluded.agent, revision = excluded.revision, active = excluded.active,"
    " state = excluded.state, opened = excluded.opened, explained_by = excluded.explained_by,"
    " changed = excluded.changed, change = excluded.change, ended_by = ''",
    keyed=True,
)

Values = Sequence[str | int | float | bytes | None]


class Later:
    """The rows of one transaction that wait. Whoever rolls back to a savepoint calls `forget`."""

    def __init__(self) -> None:
        self._rows: dict[Into, list[Values]] = {}

    def put(self, into: Into, row: Values) -> None:
        """Have a row written with the next flush, after those that were put before it."""
        self._rows.setdefault(into, []).append(row)

    def flush(self, db: sqlite3.Connection) -> None:
        """Write what waits, table by table in the order in which each was first named."""
        if self._rows:
            rows, self._rows = self._rows, {}
            for into, every in rows.items():
                write(db, into, every)

    def forget(self) -> None:
        """Drop what waits."""
        self._rows.clear()


def write(db: sqlite3.Connection, into: Into, rows: Sequence[Values]) -> None:
    """Write rows now."""
    for first in range(0, len(rows), MOST):
        part = rows[first : first + MOST]
        if into.keyed and len({row[0] for row in part}) < len(part):
            for one in part:
                db.execute(_sql(into, 1), tuple(one))
        else:
            db.execute(_sql(into, len(part)), tuple(chain.from_iterable(part)))


@lru_cache(maxsize=5 * MOST)
def _sql(into: Into, rows: int) -> str:
    one = f"({', '.join('?' * into.values)})"
    return f"INSERT INTO {into.table} VALUES {', '.join([one] * rows)} {into.conflict}"  # noqa: S608 - constants

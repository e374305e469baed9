"""Who was told of a ticket, of what, by which way, and whether it arrived."""

import msgspec

from desk.store import Db, every

MOST = 40  # the newest that a page shows
_SQL = (
    "SELECT n.person, n.channel, n.what, n.at, n.state, m.over, m.tries, m.why FROM notices n"
    " LEFT JOIN messages m ON m.id = n.message WHERE n.ticket = ? ORDER BY n.id DESC LIMIT ?"
)


class Call(msgspec.Struct, frozen=True):
    """A notice to somebody.

    `state`: waiting, taken (its message is on its way), sent at `over`, failed, dropped (over before it was told), or
    perhaps (it was handed over, never answered, and is over).

    `why` is why the last try failed, "" for none. Times are the desk's Unix seconds.
    """

    person: str
    channel: str
    what: str
    at: float
    state: str
    over: float | None
    tries: int
    why: str


def calls_of(db: Db, ticket: int) -> list[Call]:
    """Return who was told of a ticket, the newest first."""
    return [
        Call(row["person"], row["channel"], row["what"], row["at"], row["state"], row["over"], row["tries"] or 0,
             row["why"] or "")
        for row in every(db, _SQL, ticket, MOST)
    ]  # fmt: skip

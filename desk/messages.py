"""Who is told what, second half: one person's notices by one channel become a message, sent until it arrives.

Theory. A message is made in one transaction, as the bytes that are sent, with a name of its own; its notices are taken
by it. Only then is it sent, and however often that is tried, bytes and name are the same: after a crash in between it
is sent again, and whoever gets it twice can tell (the Message-ID of a mail, the id of a webhook). What is over by
then is not sent again: who may have got it hears that it is over (`desk.endings`). One message at a time to a person by
a channel, and a pause between two: what comes meanwhile goes into the next, so that ten thousand tickets at once are
two messages and not ten thousand. A worse level than that of what goes before waits for neither.

    state     left by
    sending   accepted by the other side -> sent; refused for good or tried too often -> failed; over before the next
              try -> dropped; never handed over when quiet hours begin -> dropped, its notices wait for their end
"""

import uuid
from collections.abc import Callable

import msgspec

from connectors.unsent import UnsentError
from desk.endings import knows
from desk.ledger import Ledger
from desk.letters import Letter, Line, Writer
from desk.notices import TRIES, left, needed, reached, unreached
from desk.store import Db, Row, every, one
from model.roster import Roster, quiet_until
from model.telling import DOCUMENTS, What

MOST = 5000  # notices of one message
GIVE_UP = 12  # tries, in about two hours
LONGEST = 1200.0  # seconds between two tries
_ASKS_RECORD = frozenset({What.WARN, *DOCUMENTS})
_TICKET_OPEN = "open"
_READY = """SELECT * FROM (SELECT person, channel, min(level) AS level FROM notices
        WHERE state = 'waiting' AND after <= ? GROUP BY person, channel) AS n
    WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.person = n.person AND m.channel = n.channel
        AND m.level <= n.level AND m.state = 'sending')
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.person = n.person AND m.channel = n.channel
        AND m.level <= n.level AND m.made > ? AND m.made <= ?)"""
_HELD = "UPDATE notices SET after = ? WHERE state = 'waiting' AND person = ? AND channel = ? AND after <= ?"


class Outgoing(msgspec.Struct, frozen=True):
    """A message on its way: its number here, its name for the receiver, to whom, how often it was tried.

    `perhaps`: it was handed over before, and nobody knows whether it arrived.
    """

    id: int
    name: str
    person: str
    channel: str
    made: float
    tries: int
    perhaps: bool
    letter: Letter


def back_off(tries: int) -> float:
    """Return the seconds to wait after so many failed tries: 5, 10, 20 ... 20 minutes."""
    return float(min(5.0 * 2 ** (tries - 1), LONGEST))


def gather(ledger: Ledger, roster: Roster, link: str) -> int:
    """Make a message for everyone who has something to hear now; returns how many were made."""
    now, made = ledger.now, 0
    for row in every(ledger.db, _READY, now, now - roster.apart, now):
        rest = quiet_until(roster, row["person"], now, row["level"])
        if rest is None:
            made += _message(ledger, roster, link, row["person"], row["channel"])
        else:  # it waited behind something else until the quiet hours began
            ledger.db.execute(_HELD, (rest, row["person"], row["channel"], now))
    return made


def due(db: Db, now: float, most: int = 16) -> list[Outgoing]:
    """Return the messages to be sent now, worst first."""
    sql = "SELECT * FROM messages WHERE state = 'sending' AND next <= ? ORDER BY level, next, id LIMIT ?"
    return [
        Outgoing(row["id"], row["name"], row["person"], row["channel"], row["made"], row["tries"],
                 bool(row["perhaps"]), msgspec.json.decode(row["body"], type=Letter))
        for row in every(db, sql, now, most)
    ]  # fmt: skip


def set_out(db: Db, roster: Roster, out: Outgoing, now: float) -> bool:
    """Note that a message is handed over now, and say whether it is: not what is over by now, nor in quiet hours."""
    if one(db, "SELECT 1 FROM messages WHERE id = ? AND state = 'sending'", out.id) is None:
        return False
    if not _matters(db, out.id):
        _end(db, out, now, "dropped", "perhaps" if out.perhaps else "dropped")
        return False
    rest = quiet_until(roster, out.person, now, out.letter.level)
    if rest is None:
        db.execute("UPDATE messages SET perhaps = 1 WHERE id = ?", (out.id,))
        return True
    if out.perhaps:  # its bytes must not change any more
        db.execute("UPDATE messages SET next = ? WHERE id = ?", (rest, out.id))
    else:
        sql = "UPDATE notices SET state = 'waiting', message = NULL, after = ? WHERE message = ?"
        db.execute(sql, (rest, out.id))
        _end(db, out, now, "dropped", "waiting")
    return False


def arrived(db: Db, out: Outgoing, now: float) -> None:
    """Note that the other side took a message."""
    db.execute("UPDATE messages SET state = 'sent', over = ?, why = '' WHERE id = ?", (now, out.id))
    db.execute("UPDATE notices SET state = 'sent' WHERE message = ?", (out.id,))
    sql = "UPDATE reach SET reached = ?, failing = NULL, tries = 0, why = '' WHERE person = ? AND channel = ?"
    db.execute(sql, (now, out.person, out.channel))
    reached(db, out.id)


def lost(db: Db, out: Outgoing, error: UnsentError, now: float) -> bool:
    """Note that a message did not arrive: it is tried again, or given up; returns whether it is given up."""
    why, permanent, wait = str(error), error.permanent, error.wait
    perhaps = out.perhaps or error.perhaps
    tries = out.tries + 1
    hopeless = permanent or tries >= GIVE_UP
    over = hopeless or not _matters(db, out.id)
    pause = max(back_off(tries), min(wait or 0.0, LONGEST))
    db.execute(
        "UPDATE messages SET tries = ?, why = ?, next = ?, perhaps = ? WHERE id = ?",
        (tries, why, now + pause, perhaps, out.id),
    )
    if over:
        _end(db, out, now, "failed" if hopeless else "dropped", "perhaps" if perhaps else "failed")
    counted = TRIES if hopeless else 1
    db.execute(
        "UPDATE reach SET failing = coalesce(failing, ?), tries = tries + ?, why = ? WHERE person = ? AND channel = ?",
        (now, counted, why, out.person, out.channel),
    )
    if over or tries >= TRIES:
        unreached(db, out.id, now)
    return over


def _matters(db: Db, message: int) -> bool:
    """Say whether anything that a message tells still stands: else it is not tried again."""
    documents = ", ".join(f"'{what}'" for what in sorted(DOCUMENTS))
    sql = (
        "SELECT 1 FROM notices n JOIN tickets t ON t.number = n.ticket WHERE n.message = ?"  # noqa: S608 - constants
        f" AND ((t.state = 'open') <> (n.what = '{What.OVER}') OR n.what IN ({documents})) LIMIT 1"
    )
    return one(db, sql, message) is not None


def _end(db: Db, out: Outgoing, now: float, state: str, became: str) -> None:
    """Send a message no more; `became` is what its notices are now."""
    db.execute("UPDATE messages SET state = ?, over = ? WHERE id = ?", (state, now, out.id))
    db.execute("UPDATE notices SET state = ? WHERE message = ?", (became, out.id))


def forget_messages(db: Db, before: float) -> None:
    """Drop what was told before a time; nothing that is still on its way."""
    db.execute("DELETE FROM occasions WHERE at < ? AND again IS NULL", (before,))
    db.execute("DELETE FROM notices WHERE at < ? AND state NOT IN ('waiting', 'taken')", (before,))
    db.execute("DELETE FROM messages WHERE made < ? AND state <> 'sending'", (before,))


def forget_gone(db: Db, roster: Roster) -> None:
    """Drop the state of ways to people that the roster does not have any more."""
    known = {(person.id, str(channel)) for person in roster.people.values() for channel in person.channels}
    kept = every(db, "SELECT person, channel FROM reach")
    gone = [(row["person"], row["channel"]) for row in kept if (row["person"], row["channel"]) not in known]
    db.executemany("DELETE FROM reach WHERE person = ? AND channel = ?", gone)


def _message(ledger: Ledger, roster: Roster, link: str, person: str, channel: str) -> bool:
    """Make one person's message of what still stands; says whether there was anything."""
    db, now = ledger.db, ledger.now
    rows = _waiting(db, person, channel, now)
    standing, over = _parted(rows, lambda row: _stands(ledger, row))
    _mark(db, over, "dropped")
    who = roster.people.get(person)
    if not standing:
        return False
    if who is None or channel not in map(str, who.channels):
        _mark(db, standing, "failed")
        left(db, [row["id"] for row in standing], now)
        return False
    lines = [Line(row["ticket"], What(row["what"]), row["clock"], row["step"], row["due"]) for row in standing]
    levels = {row["ticket"]: row["ticket_level"] for row in standing}
    letter = Writer(ledger, who.language, link, roster.calendar.zone).letter(lines, levels)
    made = db.execute(
        "INSERT INTO messages (name, person, channel, made, level, state, next, body)"
        " VALUES (?, ?, ?, ?, ?, 'sending', ?, ?) RETURNING id",
        (uuid.uuid4().hex, person, channel, now, letter.level, now, msgspec.json.encode(letter)),
    ).fetchone()
    _mark(db, standing, "taken", made[0])
    db.execute(
        "INSERT INTO reach (person, channel, last) VALUES (?, ?, ?)"
        " ON CONFLICT (person, channel) DO UPDATE SET last = excluded.last",
        (person, channel, now),
    )
    return True


def _mark(db: Db, rows: list[Row], state: str, message: int | None = None) -> None:
    values = [(state, message, row["id"]) for row in rows]
    db.executemany("UPDATE notices SET state = ?, message = ? WHERE id = ?", values)


def _waiting(db: Db, person: str, channel: str, now: float) -> list[Row]:
    """Return what waits for a person: what may be told now, and all else of the same tickets."""
    here = "n.state = 'waiting' AND n.person = ? AND n.channel = ?"
    return every(
        db,
        "SELECT n.*, t.state AS ticket_state, t.level AS ticket_level, t.merged_into"  # noqa: S608 - constants
        f" FROM notices n JOIN tickets t ON t.number = n.ticket WHERE {here} AND (n.after <= ? OR n.ticket IN"
        f" (SELECT n.ticket FROM notices n WHERE {here} AND n.after <= ?)) ORDER BY n.at, n.id LIMIT ?",
        *(person, channel, now, person, channel, now, MOST),
    )


def _stands(ledger: Ledger, row: Row) -> bool:
    what = What(row["what"])
    if what in _ASKS_RECORD:
        return needed(ledger, row["ticket"], what, row["clock"])
    if what is What.OVER:
        return row["ticket_state"] != _TICKET_OPEN and knows(ledger.db, row["ticket"], row["person"], row["channel"])
    return row["ticket_state"] == _TICKET_OPEN and not row["merged_into"]


def _parted(rows: list[Row], good: Callable[[Row], bool]) -> tuple[list[Row], list[Row]]:
    kept: list[Row] = []
    rest: list[Row] = []
    for row in rows:
        (kept if good(row) else rest).append(row)
    return kept, rest

"""Who is told what, first half: occasions, written with what caused them, become notices for the people on duty.

Theory. `told` is a hook of the ledger: an occasion is in the same transaction as its entry, or neither is. It names no
people: who is on duty is asked when they are told, not when it happened. `call` takes the occasions whose time has
come and goes up their ladder (`model.telling`): the first rung with anybody on it who was not told of this before gets
notices, one a channel, each (ticket, clock, step, person, channel) once. In quiet hours an occasion waits for their end
when all who would be told have them, and only then is it asked who is on duty: another shift may have begun.
An occasion comes again for the next rung when nobody took the ticket in time, or as soon as nobody of the rungs before
could be reached. When nobody is on duty it comes again until somebody is; that is said on the System page.
"""

from dataclasses import dataclass, field

from desk.endings import hearers
from desk.kept import record_of
from desk.ledger import Ledger
from desk.store import Db, Row, every, one
from model.roster import LEVEL_OF_NO_REST, Roster, Swap, people, quiet_until
from model.service.clocks import outcomes
from model.service.entry import Entry
from model.service.record import Record
from model.telling import OF_THE_TICKET, What, ladder, occasion, stands, taken, waits_for_taker

MOST = 2000  # occasions of one transaction
TRIES = 3  # after so many a person is taken as not reached, while it is tried on
OFF_DUTY, UNREACHED, NO_RULE = "off_duty", "unreached", "no_rule"  # why there is nobody
NO_NEED = "no_need"  # nobody was told before it was over
LOOK_AGAIN = 300.0  # seconds until it is asked again who is on duty, when nobody was
_UNREACHED = """UPDATE occasions AS o SET again = ?, unreached = 1 WHERE (ticket, clock, step) IN (
    SELECT n.ticket, n.clock, n.step FROM notices n JOIN messages m ON m.id = ?
    WHERE n.message = m.id OR (n.state = 'waiting' AND n.person = m.person AND n.channel = m.channel)
) AND what <> 'over' AND NOT EXISTS (
    SELECT 1 FROM notices n LEFT JOIN messages m ON m.id = n.message
    LEFT JOIN reach r ON r.person = n.person AND r.channel = n.channel
    WHERE n.ticket = o.ticket AND n.clock = o.clock AND n.step = o.step AND (n.state = 'sent'
        OR (n.state = 'waiting' AND coalesce(r.tries, 0) < ?) OR (n.state = 'taken' AND m.tries < ?))
)"""

_LEFT = """UPDATE occasions AS o SET again = ?, unreached = 1, rung = max(rung - 1, -1)
    WHERE (ticket, clock, step) = (SELECT ticket, clock, step FROM notices WHERE id = ?) AND what <> 'over'
    AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.ticket = o.ticket AND n.clock = o.clock AND n.step = o.step
        AND n.state IN ('sent', 'waiting', 'taken'))"""
_WAKE = """UPDATE occasions SET again = ? WHERE rung = -1 AND again > ?
    AND ticket IN (SELECT ticket FROM occasions WHERE again <= ? AND level = ?)"""


@dataclass(frozen=True)
class Called:
    """What a call goes by: the ledger of the transaction, the roster, substitutes, who failed to be reached lately.

    All of a call is one moment: who is meant by a name, and until when somebody is left in peace, is asked once.
    """

    ledger: Ledger
    roster: Roster
    swaps: tuple[Swap, ...]
    failing: frozenset[tuple[str, str]]
    meant: dict[str, tuple[str, ...]] = field(default_factory=dict)
    quiet: dict[tuple[str, int], float] = field(default_factory=dict)

    def people(self, name: str) -> tuple[str, ...]:
        """Return whom a role, a team or a person means now."""
        if name not in self.meant:
            self.meant[name] = people(self.roster, name, self.ledger.now, self.swaps)
        return self.meant[name]

    def after(self, person: str, level: int) -> float:
        """Return from when on somebody may be told of a level."""
        key = person, level
        if key not in self.quiet:
            now = self.ledger.now
            self.quiet[key] = quiet_until(self.roster, person, now, level) or now
        return self.quiet[key]


def told(ledger: Ledger, before: Record | None, after: Record, entry: Entry) -> None:
    """Write down the occasion of an entry, if it is one; a hook of the ledger."""
    found = occasion(before, after, entry)
    if found is None:
        return
    what, effect = found
    ledger.apart.execute(
        "INSERT INTO occasions (ticket, clock, step, what, level, role, at, due, again)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (effect.ticket, effect.clock, effect.step, what, after.ticket.level, effect.to, entry.at, effect.due, entry.at),
    )


def call(ledger: Ledger, roster: Roster | None, most: int = MOST) -> int:
    """Turn the occasions whose time has come into notices; returns how many there were.

    Without a roster nobody is told: what comes meanwhile is over when there is one.
    """
    db, now = ledger.db, ledger.now
    if roster is None:
        return db.execute("UPDATE occasions SET again = NULL WHERE again IS NOT NULL").rowcount
    db.execute(_WAKE, (now, now, now, LEVEL_OF_NO_REST))  # what is held of a ticket is told with its level 1
    rows = every(db, "SELECT * FROM occasions WHERE again <= ? ORDER BY again, id LIMIT ?", now, most)
    if rows:
        called = Called(ledger, roster, swaps_after(db, now), failing(db))
        for row in rows:
            _step(called, row)
    return len(rows)


def unreached(db: Db, message: int, now: float) -> None:
    """Bring back the occasions of a message that did not arrive, and of what waits behind it for the same person.

    Not those of which somebody else was reached, or may yet be by a way that has not failed so often.
    """
    db.execute(_UNREACHED, (now, message, TRIES, TRIES))


def left(db: Db, notices: list[int], now: float) -> None:
    """Bring back the occasions of notices for people who are on the roster no more: their team is asked anew."""
    db.executemany(_LEFT, [(now, each) for each in notices])


def reached(db: Db, message: int) -> None:
    """Note that somebody was reached by a message after all."""
    db.execute(
        "UPDATE occasions SET nobody = '' WHERE nobody = ? AND (ticket, clock, step) IN"
        " (SELECT ticket, clock, step FROM notices WHERE message = ?)",
        (UNREACHED, message),
    )


def swaps_after(db: Db, now: float) -> tuple[Swap, ...]:
    """Return the substitutes that stand now or will, in the order in which they were said."""
    sql = 'SELECT absent, stand_in, "start", "end" FROM swaps WHERE withdrawn IS NULL AND "end" > ? ORDER BY id'
    return tuple(Swap(*row) for row in every(db, sql, now))


def failing(db: Db) -> frozenset[tuple[str, str]]:
    """Return the people's channels by which the last tries failed, so many of them that nobody waits for the next."""
    sql = "SELECT person, channel FROM reach WHERE failing IS NOT NULL AND tries >= ?"
    return frozenset((row["person"], row["channel"]) for row in every(db, sql, TRIES))


def needed(ledger: Ledger, number: int, what: What, clock: str) -> bool:
    """Say whether people still need to hear of something that happened to a ticket, or to a clock of it."""
    record = record_of(ledger.db, number)
    if record is None:
        return False
    contract = ledger.contracts(record.terms.contract)
    now = outcomes(record, contract, ledger.calendars, ledger.now) if what is What.WARN else ()
    return stands(what, clock, record, now)


def _step(called: Called, row: Row) -> None:
    """Take an occasion one rung further, or end it."""
    what, level = What(row["what"]), row["level"]
    if what is What.OVER:
        return _ended(called, row)
    rungs = ladder(called.roster, what, level, row["role"])
    if row["rung"] >= 0 and not _goes_on(called, row, what):
        return _leave(called, row, again=None)
    if row["again"] > row["at"] and not needed(called.ledger, row["ticket"], what, row["clock"]):
        return _leave(called, row, again=None, nobody=NO_NEED)
    if not rungs:
        return _leave(called, row, again=None, nobody=NO_RULE)
    anybody = False
    for rung in range(row["rung"] + 1, len(rungs)):
        on = called.people(rungs[rung])
        anybody |= bool(on)
        if rest := _resting(called, row, on):
            return _leave(called, row, again=rest)
        after = _notify(called, row, on)
        if after is not None:
            pause = waits_for_taker(called.roster, what, level)
            more = pause is not None and rung + 1 < len(rungs)
            return _leave(called, row, rung=rung, again=after + pause if pause is not None and more else None)
    if anybody or row["rung"] >= 0:
        lost = bool(row["unreached"]) or row["rung"] < 0
        return _leave(called, row, rung=len(rungs), again=None, nobody=UNREACHED if lost else "")
    return _leave(called, row, again=called.ledger.now + LOOK_AGAIN, nobody=OFF_DUTY)


def _goes_on(called: Called, row: Row, what: What) -> bool:
    """Say whether the next rung is told: it still stands, and nobody took it or nobody could be reached."""
    record = record_of(called.ledger.db, row["ticket"])
    if record is None or not needed(called.ledger, row["ticket"], what, row["clock"]):
        return False
    if taken(record, row["at"]):  # somebody knows of the ticket; that a limit is near or over they may not
        return bool(row["unreached"]) and what not in OF_THE_TICKET
    return True


def _resting(called: Called, row: Row, on: tuple[str, ...]) -> float | None:
    """Return when the first of people may be told, where all have quiet hours and the ticket was never of level 1."""
    first = min((called.after(name, row["level"]) for name in on), default=0.0)
    if first <= called.ledger.now:
        return None
    sql = "SELECT 1 FROM occasions WHERE ticket = ? AND level = ? LIMIT 1"
    return None if one(called.ledger.db, sql, row["ticket"], LEVEL_OF_NO_REST) else first


def _ended(called: Called, row: Row) -> None:
    """Write notices that a ticket is open no more, for who was told of it."""
    ledger, roster = called.ledger, called.roster
    rule, record = roster.rule(row["level"]), record_of(ledger.db, row["ticket"])
    if record is not None and (rule is None or rule.over) and stands(What.OVER, "", record, ()):
        for name, channel in hearers(ledger.db, record):
            if name in roster.people:
                _write(called, row, (name, channel), called.after(name, row["level"]))
    _leave(called, row, again=None)


def _notify(called: Called, row: Row, on: tuple[str, ...]) -> float | None:
    """Write notices for people, by every channel of theirs; from when on they may be told, None when nobody new is.

    Somebody by whose every channel the last messages failed gets theirs too, but does not count: the next is told.
    """
    start = None
    for name in on:
        person = called.roster.people[name]
        after = called.after(name, row["level"])
        for channel in person.channels:
            new = _write(called, row, (name, str(channel)), after)
            if new and (name, str(channel)) not in called.failing:
                start = after if start is None else min(start, after)
    return start


def _write(called: Called, row: Row, to: tuple[str, str], after: float) -> bool:
    """Write a notice of an occasion for a person by a channel; says whether it is new."""
    cursor = called.ledger.db.execute(
        "INSERT INTO notices (ticket, clock, step, person, channel, what, level, at, due, after, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting') ON CONFLICT DO NOTHING",
        (row["ticket"], row["clock"], row["step"], *to, row["what"], row["level"], row["at"], row["due"], after),
    )
    return cursor.rowcount > 0


def _leave(
    called: Called, row: Row, *, again: float | None, rung: int | None = None, nobody: str | None = None
) -> None:
    called.ledger.db.execute(
        "UPDATE occasions SET rung = ?, again = ?, unreached = 0, nobody = ? WHERE id = ?",
        (row["rung"] if rung is None else rung, again, nobody or "", row["id"]),
    )

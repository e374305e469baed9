"""Who is on duty and who cannot be reached, for pages and programs; substitutes as people say them."""

from enum import StrEnum

from desk.ledger import Ledger
from desk.notices import NO_RULE, OFF_DUTY, TRIES, UNREACHED
from desk.people import People
from desk.store import Db, Row, audit, every, one
from model.roster import Duty, Roster, Swap, duties, gaps
from model.roster_protocol import DutyNow, RosterNow, SaySwap, SwapNow, TeamNow, Unreachable, Untold

LONGEST = 92 * 86_400.0  # seconds that one substitute is for
_MOST = 100  # lines of a list
_DAY = 86_400.0


class NotSwapped(StrEnum):
    """Why a substitute is not written down."""

    NO_ROSTER = "no_roster"
    NO_PERSON = "no_person"
    ITSELF = "itself"
    TIMES = "times"  # it ends before it begins, is over already, or lasts longer than `LONGEST`


def roster_now(db: Db, people: People, now: float, *, at: float = 0.0, days: float = 7) -> RosterNow:
    """Return the roster at a moment (0: now) and for the days after it, with what is wrong now."""
    file, at = people.file, at or now
    if file is None:
        return RosterNow(at, now, "", people.problem, "")
    roster = file.roster
    rows = every(db, 'SELECT * FROM swaps WHERE withdrawn IS NULL AND "end" > ? ORDER BY id', min(at, now))
    swaps = [Swap(row["absent"], row["stand_in"], row["start"], row["end"]) for row in rows]
    return RosterNow(
        at=at,
        now=now,
        digest=roster.digest,
        problem=people.problem,
        zone=roster.calendar.zone,
        teams=tuple(_team(roster, team, at, days, swaps) for team in roster.teams),
        swaps=tuple(_swap(row) for row in rows),
        unreachable=unreachable(db, roster),
        untold=untold(db),
        waiting=waiting(db),
    )


def unreachable(db: Db, roster: Roster | None) -> tuple[Unreachable, ...]:
    """Return whom the last messages did not reach, the longest first; not those who left the roster."""
    sql = "SELECT * FROM reach WHERE failing IS NOT NULL AND tries >= ? ORDER BY failing"
    people = roster.people if roster else {}
    return tuple(
        Unreachable(row["person"], people[row["person"]].name, row["channel"], row["failing"], row["tries"], row["why"])
        for row in every(db, sql, TRIES)
        if row["person"] in people and row["channel"] in map(str, people[row["person"]].channels)
    )


def untold(db: Db) -> tuple[Untold, ...]:
    """Return what nobody was told of open tickets, the newest first."""
    sql = (
        "SELECT o.ticket, o.what, o.level, o.nobody, o.at FROM occasions o JOIN tickets t ON t.number = o.ticket"
        " WHERE o.nobody IN (?, ?, ?) AND t.state = 'open' ORDER BY o.at DESC LIMIT ?"
    )
    return tuple(Untold(*row) for row in every(db, sql, OFF_DUTY, UNREACHED, NO_RULE, _MOST))


def waiting(db: Db) -> int:
    """Return how much waits: for the end of quiet hours, for the pause between two messages, for an answer."""
    row = one(
        db,
        "SELECT (SELECT count(*) FROM notices WHERE state IN ('waiting', 'taken'))"
        " + (SELECT count(*) FROM occasions WHERE rung < 0 AND again IS NOT NULL AND nobody = '') AS n",
    )
    return int(row["n"]) if row else 0


def say_swap(ledger: Ledger, people: People, said: SaySwap, source: str) -> SwapNow | NotSwapped:
    """Write down a substitute and return it, or why not."""
    if people.file is None:
        return NotSwapped.NO_ROSTER
    known = people.file.roster.people
    if said.absent not in known or said.stand_in not in known:
        return NotSwapped.NO_PERSON
    if said.absent == said.stand_in:
        return NotSwapped.ITSELF
    if not ledger.now < said.end or not said.start < said.end <= said.start + LONGEST:
        return NotSwapped.TIMES
    row = ledger.db.execute(
        'INSERT INTO swaps (absent, stand_in, "start", "end", reason, at, who, source)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (said.absent, said.stand_in, said.start, said.end, said.reason[:200], ledger.now, said.by, source),
    ).fetchone()
    audit(
        ledger.db, at=ledger.now, who=said.by, source=source, what="substitute", site="",
        detail={"number": row[0], "absent": said.absent, "stand_in": said.stand_in, "start": said.start,
                "end": said.end, "reason": said.reason[:200]},
    )  # fmt: skip
    kept = one(ledger.db, "SELECT * FROM swaps WHERE id = ?", row[0])
    assert kept is not None  # noqa: S101 - written above
    return _swap(kept)


def withdraw_swap(ledger: Ledger, number: int, who: str, source: str) -> SwapNow | None:
    """Take back a substitute that stands; None when there is no such one."""
    row = one(ledger.db, 'SELECT * FROM swaps WHERE id = ? AND withdrawn IS NULL AND "end" > ?', number, ledger.now)
    if row is None:
        return None
    ledger.db.execute("UPDATE swaps SET withdrawn = ?, withdrawn_by = ? WHERE id = ?", (ledger.now, who, number))
    audit(
        ledger.db, at=ledger.now, who=who, source=source, what="substitute_withdrawn", site="",
        detail={"number": number, "absent": row["absent"], "stand_in": row["stand_in"]},
    )  # fmt: skip
    return _swap(row)


def _team(roster: Roster, team: str, at: float, days: float, swaps: list[Swap]) -> TeamNow:
    found = roster.teams[team]
    end = at + days * _DAY
    ahead = duties(roster, team, at, end, swaps)
    # a duty that runs now is shown from its own beginning to its own end
    around = duties(roster, team, at - 2 * _DAY, at + 2 * _DAY, swaps)
    now = tuple(_duty(roster, each) for each in around if each.start <= at < each.end)
    return TeamNow(
        team,
        found.title,
        now,
        tuple(_duty(roster, each) for each in ahead),
        gaps(roster, team, at, end, swaps) if found.always else (),
        found.always,
    )


def _duty(roster: Roster, duty: Duty) -> DutyNow:
    return DutyNow(duty.person, roster.people[duty.person].name, duty.start, duty.end, duty.instead_of)


def _swap(row: Row) -> SwapNow:
    return SwapNow(
        row["id"], row["absent"], row["stand_in"], row["start"], row["end"], row["reason"], row["at"], row["who"],
        row["source"],
    )  # fmt: skip

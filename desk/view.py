"""What pages and programs see of a ticket: the ticket, what proves it, what it explains, and the next clock."""

from collections.abc import Iterable

import msgspec

from desk.kept import decoded
from desk.record import SITE_SILENT, change_of
from desk.settings import Contracts
from desk.store import Db, Row, Site, Value, every, one, sites
from desk.tickets import ticket_from
from desk.titles import title_of
from model.alarm import Alarm, AlarmState, Kind
from model.change import Change, Origin
from model.contract import Contract
from model.rule import Evidence, Meaning
from model.service.record import Record
from model.ticket import Ticket, TicketState

MOST = 500  # tickets a page shows
_SELECT = """SELECT t.*, e.change AS change, e.state AS alarm_state,
    (SELECT count(*) FROM episodes x WHERE x.active = 1 AND x.explained_by <> ''
        AND x.explained_by = t.condition) AS explains
    FROM tickets t LEFT JOIN episodes e ON e.id = t.episode"""


class Due(msgspec.Struct, frozen=True):
    """A limit of the contract: due at a Unix time of the desk, `left` seconds from now (less than 0: over).

    `limit` is how many seconds there are from the ticket's start; `clock` the limit's name with its level.
    """

    milestone: str
    due: float
    left: float
    limit: float
    clock: str = ""


class TicketView(msgspec.Struct, frozen=True):
    """A ticket with everything that a line of the board tells. Times are the desk's Unix seconds.

    `code` is what the contract calls the level. `onset_wall` is the onset by the agent's own clock. `agent_level` and
    `agent_digest` are what the agent proposed; `digest` is the desk's contract. `next` is the soonest clock that is not
    over, or the last that is; None while all are paused or ended. `late` counts the limits not kept. `unsure`: nobody
    knows when it opened.
    """

    ticket: Ticket
    code: str
    site: Site
    device: str
    device_name: str
    scope: str
    fault: str
    title: dict[str, str]
    case_title: dict[str, str]
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]
    onset: float
    onset_wall: float
    alarm_state: str
    explains: int
    last_words: dict[str, str]
    contract: str
    digest: str
    agent_level: int
    agent_code: str
    agent_contract: str
    agent_digest: str
    next: Due | None
    late: int
    paused: bool
    workaround: bool
    waits_for_word: bool
    unsure: bool
    merged_into: int

    @property
    def left(self) -> float:
        """Seconds to the next clock; endless without one, so that it sorts last."""
        return self.next.left if self.next else float("inf")

    @property
    def silent(self) -> bool:
        """Say whether this is the desk's own ticket for a silent site."""
        return self.fault == SITE_SILENT

    @property
    def other_digest(self) -> bool:
        """Say whether the agent works by another text of the contract than the desk."""
        return bool(self.agent_digest) and self.agent_digest != self.digest

    @property
    def other_level(self) -> bool:
        """Say whether the agent proposed another level than the ticket has."""
        return bool(self.agent_level) and self.agent_level != self.ticket.level


def next_due(row: Row, now: float) -> Due | None:
    """Return the clock that a ticket's row names: the soonest that runs, else the last that is over."""
    due, clock = row["due"], row["due_clock"]
    if due is None or row["state"] == TicketState.CLOSED:
        return None
    milestone = clock.rpartition("/")[0]
    return Due(milestone, due, due - now, max(1.0, due - row["start"]), clock)


def board(db: Db, contracts: Contracts, now: float, own: frozenset[str] | None = None) -> list[TicketView]:
    """Return the open tickets, least time left first; when there are more than MOST, the worst of them."""
    return listed(db, contracts, now, state=TicketState.OPEN, own=own)


def listed(
    db: Db,
    contracts: Contracts,
    now: float,
    *,
    state: str = "",
    site: str = "",
    limit: int = MOST,
    own: frozenset[str] | None = None,
    opened: tuple[float, float] | None = None,
) -> list[TicketView]:
    """Return tickets by state and site ("" for all, `own`: of these sites alone), least time left first.

    `opened`: those that opened from the first of two times and before the second.

    At most `limit`: of open ones the worst and oldest are kept, of all others the newest.
    """
    sql, values = tickets_query(state, site, opened)
    rows = every(db, sql, *values, limit if own is None else 2**62)
    if own is not None:
        rows = [row for row in rows if row["site"] in own][:limit]
    known = {each.id: each for each in sites(db)}
    views = [_view(db, contracts, known, row, now) for row in rows]
    return sorted(views, key=lambda view: (view.left, view.ticket.level, view.ticket.opened))


def tickets_query(state: str, site: str, opened: tuple[float, float] | None = None) -> tuple[str, tuple[Value, ...]]:
    """Return the query of tickets by state, site and opening, and its values but for the limit."""
    terms: list[tuple[str, Value]] = [
        (f"t.{name} = ?", value) for name, value in (("state", state), ("site", site)) if value
    ]
    if opened:
        terms += [("t.opened >= ?", opened[0]), ("t.opened < ?", opened[1])]
    where = f" WHERE {' AND '.join(term for term, _ in terms)}" if terms else ""
    order = "t.level, t.opened" if state == TicketState.OPEN else "t.number DESC"
    return f"{_SELECT}{where} ORDER BY {order} LIMIT ?", tuple(value for _, value in terms)


def single(db: Db, contracts: Contracts, number: int, now: float) -> TicketView | None:
    """Return one ticket."""
    row = one(db, f"{_SELECT} WHERE t.number = ?", number)
    return _view(db, contracts, {each.id: each for each in sites(db)}, row, now) if row else None


def contracts_of(db: Db, contracts: Contracts, numbers: Iterable[int]) -> dict[int, Contract]:
    """Return the contracts that tickets follow, by number."""
    found: dict[int, Contract] = {}
    for number in numbers:
        row = one(db, "SELECT record FROM tickets WHERE number = ?", number)
        if row is not None:
            found[number] = contracts(decoded(row["record"]).terms.contract)
    return found


def codes_of(db: Db, contracts: Contracts, numbers: Iterable[int]) -> dict[int, str]:
    """Return what their contracts call the levels of tickets, by number."""
    found: dict[int, str] = {}
    for number in numbers:
        row = one(db, "SELECT level, record FROM tickets WHERE number = ?", number)
        if row is not None:
            found[number] = contracts(decoded(row["record"]).terms.contract).code(row["level"])
    return found


def _view(db: Db, contracts: Contracts, known: dict[str, Site], row: Row, now: float) -> TicketView:
    ticket, record = ticket_from(row), decoded(row["record"])
    change = change_of(row) if row["change"] is not None else _of_people(record)
    origin, alarm = change.origin, change.alarm
    site = known.get(ticket.site) or Site(ticket.site, ticket.site, record.terms.contract)
    contract = contracts(record.terms.contract)
    return TicketView(
        ticket=ticket,
        code=contract.code(ticket.level),
        site=site,
        device=record.device,
        device_name=origin.device_name,
        scope=origin.scope,
        fault=record.fault,
        title=origin.title,
        case_title=change.case_title,
        evidence=alarm.evidence,
        missing=alarm.missing,
        onset=record.onset,
        onset_wall=alarm.onset_wall,
        alarm_state=alarm.state,
        explains=row["explains"],
        last_words=latest_title(db, alarm.explained_by) if record.fault == SITE_SILENT else {},
        contract=contract.name,
        digest=contract.digest,
        agent_level=alarm.level,
        agent_code=contract.code(alarm.level) if origin.contract == contract.name else str(alarm.level),
        agent_contract=origin.contract,
        agent_digest=origin.digest,
        next=next_due(row, now),
        late=row["late"],
        paused=record.paused,
        workaround=record.workaround is not None,
        waits_for_word=bool(row["waits_for_word"]),
        unsure=record.unsure,
        merged_into=record.merged_into,
    )


def _of_people(record: Record) -> Change:
    """Return what stands in for the alarm of a ticket that a person opened."""
    meaning = record.meaning or Meaning.INDIRECT
    origin = Origin(record.ticket.site, record.device, "", record.fault, record.device, title_of(record.fault), meaning)
    alarm = Alarm(record.ticket.condition, onset_wall=record.onset)
    return Change(Kind.RAISED, alarm, AlarmState.NORMAL, origin, {}, record.onset, 0.0, "")


def latest_title(db: Db, condition: str) -> dict[str, str]:
    """Return the title of a condition's latest alarm, {} for none."""
    row = condition and one(
        db, "SELECT change FROM episodes WHERE condition = ? ORDER BY changed DESC LIMIT 1", condition
    )
    return change_of(row).origin.title if row else {}

"""What pages and programs see of a ticket: the ticket, what proves it, what it explains, and the next clock."""

import msgspec

from desk.record import SITE_SILENT, change_of
from desk.settings import Contracts
from desk.store import Db, Row, Site, every, one, sites
from desk.tickets import ticket_from
from model.level import Contract, clocks
from model.rule import Evidence
from model.ticket import Ticket, TicketState

MOST = 500  # tickets a page shows
ACCEPT = "accept"  # the milestone that an acknowledgement reaches
_SELECT = """SELECT t.*, e.change AS change, e.onset AS onset, e.state AS alarm_state,
    (SELECT count(*) FROM episodes x WHERE x.active = 1 AND x.explained_by <> ''
        AND x.explained_by = t.condition) AS explains
    FROM tickets t LEFT JOIN episodes e ON e.id = t.episode"""


class Due(msgspec.Struct, frozen=True):
    """A milestone of the contract: due at a Unix time of the desk, `left` seconds from now (less than 0: over)."""

    milestone: str
    due: float
    left: float
    limit: float


class TicketView(msgspec.Struct, frozen=True):
    """A ticket with everything that a line of the board tells. Times are the desk's Unix seconds.

    `onset_wall` is the onset by the agent's own clock. `agent_level` and `agent_digest` are what the agent proposed;
    `digest` is the desk's contract. `next` is the soonest clock that is not over, or the last that is; `dues` are all.
    """

    ticket: Ticket
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
    agent_contract: str
    agent_digest: str
    next: Due | None
    dues: tuple[Due, ...]

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


def dues(contract: Contract, ticket: Ticket, region: str, fault: str, now: float) -> tuple[Due, ...]:
    """Return the ticket's clocks, soonest first; what an acknowledgement has reached is left out."""
    return tuple(
        Due(clock.milestone, ticket.opened + clock.limit, ticket.opened + clock.limit - now, clock.limit)
        for clock in clocks(contract, ticket.level, region, fault)
        if not (ticket.acknowledged is not None and clock.milestone == ACCEPT)
    )


def next_due(all_dues: tuple[Due, ...]) -> Due | None:
    """Return the soonest clock that still runs, else the last of those that are over."""
    running = [due for due in all_dues if due.left >= 0]
    return min(running, key=lambda due: due.left) if running else max(all_dues, key=lambda due: due.due, default=None)


def board(db: Db, contracts: Contracts, now: float) -> list[TicketView]:
    """Return the open tickets, least time left first; when there are more than MOST, the worst of them."""
    return listed(db, contracts, now, state=TicketState.OPEN)


def listed(
    db: Db, contracts: Contracts, now: float, *, state: str = "", site: str = "", limit: int = MOST
) -> list[TicketView]:
    """Return tickets by state and site ("" for all), least time left first.

    At most `limit`: of open ones the worst and oldest are kept, of all others the newest.
    """
    sql, values = tickets_query(state, site)
    rows = every(db, sql, *values, limit)
    known = {each.id: each for each in sites(db)}
    views = [_view(db, contracts, known, row, now) for row in rows]
    return sorted(views, key=lambda view: (view.left, view.ticket.level, view.ticket.opened))


def tickets_query(state: str, site: str) -> tuple[str, tuple[str, ...]]:
    """Return the query of tickets by state and site, and its values but for the limit."""
    terms = [(f"t.{name} = ?", value) for name, value in (("state", state), ("site", site)) if value]
    where = f" WHERE {' AND '.join(term for term, _ in terms)}" if terms else ""
    order = "t.level, t.opened" if state == TicketState.OPEN else "t.number DESC"
    return f"{_SELECT}{where} ORDER BY {order} LIMIT ?", tuple(value for _, value in terms)


def single(db: Db, contracts: Contracts, number: int, now: float) -> TicketView | None:
    """Return one ticket."""
    row = one(db, f"{_SELECT} WHERE t.number = ?", number)
    return _view(db, contracts, {each.id: each for each in sites(db)}, row, now) if row else None


def _view(db: Db, contracts: Contracts, known: dict[str, Site], row: Row, now: float) -> TicketView:
    ticket = ticket_from(row)
    change = change_of(row)
    origin, alarm = change.origin, change.alarm
    site = known.get(ticket.site) or Site(ticket.site, ticket.site, origin.contract)
    contract = contracts(site.contract)
    running = dues(contract, ticket, site.region, origin.fault, now) if ticket.state is TicketState.OPEN else ()
    return TicketView(
        ticket=ticket,
        site=site,
        device=origin.device,
        device_name=origin.device_name,
        scope=origin.scope,
        fault=origin.fault,
        title=origin.title,
        case_title=change.case_title,
        evidence=alarm.evidence,
        missing=alarm.missing,
        onset=row["onset"],
        onset_wall=alarm.onset_wall,
        alarm_state=alarm.state,
        explains=row["explains"],
        last_words=latest_title(db, alarm.explained_by) if origin.fault == SITE_SILENT else {},
        contract=contract.name,
        digest=contract.digest,
        agent_level=alarm.level,
        agent_contract=origin.contract,
        agent_digest=origin.digest,
        next=next_due(running),
        dues=running,
    )


def latest_title(db: Db, condition: str) -> dict[str, str]:
    """Return the title of a condition's latest alarm, {} for none."""
    row = condition and one(
        db, "SELECT change FROM episodes WHERE condition = ? ORDER BY changed DESC LIMIT 1", condition
    )
    return change_of(row).origin.title if row else {}

"""Tickets of a version-2 file: each gets the entries that its row stands for, and then follows as every other.

That version kept a row and wrote into the audit what happened; the audit stays as it is. The entries are made from what
the row says: when it opened, who has it, whether it is shelved, how it was resolved, when it closed. A closed one
closed by the rule of its time, on good readings alone, and asks for nothing more; an open one goes on by its contract.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from desk.ledger import Ledger, found
from desk.record import change_of
from desk.store import Row, Site, every, site_of
from desk.tickets import ticket_from
from model.alarm import Alarm, AlarmState
from model.rule import Meaning
from model.service.entry import Acknowledged, AlarmSeen, Closed, Entry, Opened, Terms, bare, terms_of
from model.service.words import Cover, Side
from model.ticket import Ticket, TicketState

SOURCE = "version 2"


def carry_over(ledger: Ledger, most: int = 500) -> int:
    """Give entries to tickets that have none; returns to how many. Call it until it has found fewer than `most`."""
    rows = every(
        ledger.db,
        "SELECT t.*, e.change, e.revision, e.onset AS seen_onset, e.agent FROM tickets t"
        " LEFT JOIN episodes e ON e.id = t.episode WHERE t.entries = 0 ORDER BY t.number LIMIT ?",
        most,
    )
    for row in rows:
        found(ledger, tuple(_entries(ledger, row)))
    return len(rows)


def _entries(ledger: Ledger, row: Row) -> Iterator[Entry]:
    ticket = ticket_from(row)
    alarm = _alarm(row, ticket)
    yield Entry(ticket.opened, "agent" if row["agent"] else "desk", _opened(ledger, row, alarm), SOURCE, Side.SYSTEM)
    if ticket.acknowledged is not None:
        yield Entry(ticket.acknowledged, ticket.acknowledged_by, Acknowledged(), SOURCE)
    if ticket.shelved:
        shelved = replace(alarm, revision=alarm.revision + 1, state=AlarmState.SHELVED)
        yield _seen(ticket, shelved, ticket.acknowledged or ticket.opened)
    if ticket.resolved is not None:
        state = AlarmState.SUPPRESSED if ticket.explained_by else AlarmState.NORMAL
        over = replace(alarm, revision=alarm.revision + 1, state=state, active=bool(ticket.explained_by))
        yield _seen(ticket, replace(over, explained_by=ticket.explained_by), ticket.resolved)
    if ticket.state is TicketState.CLOSED:
        yield Entry(ticket.closed or ledger.now, "desk", Closed(), SOURCE, Side.SYSTEM)


def _alarm(row: Row, ticket: Ticket) -> Alarm:
    """Return the alarm that opened a ticket, so early that what the file has of its episode may follow."""
    return Alarm(
        ticket.condition,
        AlarmState.UNACKNOWLEDGED,
        ticket.case,
        ticket.level,
        ticket.provisional,
        ticket.episode,
        max(1, (row["revision"] or 1) - 1),
        active=True,
        opened=True,
    )


def _seen(ticket: Ticket, alarm: Alarm, at: float) -> Entry:
    return Entry(at, "agent", AlarmSeen(bare(alarm), ticket.level, ticket.provisional, at), SOURCE, Side.SYSTEM)


def _opened(ledger: Ledger, row: Row, alarm: Alarm) -> Opened:
    ticket = ticket_from(row)
    site = site_of(ledger.db, ticket.site) or Site(ticket.site, ticket.site, "")
    device, _, fault = ticket.condition.removeprefix(f"{ticket.site}/").split("/", 2)
    meaning: Meaning | None = None
    if row["change"] is not None:
        origin = change_of(row).origin
        device, fault, meaning = origin.device, origin.fault, origin.meaning
    return Opened(
        number=ticket.number,
        site=ticket.site,
        condition=ticket.condition,
        device=device,
        fault=fault,
        level=ticket.level,
        terms=_terms(ledger, site, ticket),
        onset=row["seen_onset"] if row["seen_onset"] is not None else ticket.opened,
        alarm=bare(alarm),
        provisional=ticket.provisional,
        case=ticket.case,
        meaning=meaning,
        region=site.region,
        cover=Cover.UNKNOWN,
    )


def _terms(ledger: Ledger, site: Site, ticket: Ticket) -> Terms:
    contract = ledger.contracts(site.contract)
    terms = terms_of(contract, ledger.calendars(contract.calendar).digest)
    if ticket.level not in terms.levels:
        terms = replace(terms, levels=())  # the contract's levels were others then
    return replace(terms, words={}) if ticket.state is TicketState.CLOSED else terms

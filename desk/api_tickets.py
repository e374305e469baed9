"""Tickets for programs: the list, one ticket, its entries, what people say of it, one opened by hand."""

from starlette.requests import Request
from starlette.responses import Response

from desk.api_acts import language_of, number_of, say
from desk.api_lists import MOST, QUERY, listed, whole
from desk.api_opening import open_by_hand
from desk.api_view import entries_page, ticket_now
from desk.core import Desk
from desk.gate import person_of
from desk.live import BOARD, commands_of
from desk.operation import Operation, Query
from desk.store import Db
from desk.tickets import Actor, take
from desk.users import sites_of
from desk.web import ProblemError, address_of, desk_of, good_name, message_of, reply
from model.protocol import PREFIX
from model.refusal_words import REFUSALS
from model.service.step import Stepped
from model.service.words import Refusal
from model.ticket_protocol import EntryList, OpenByHand, Say, Take, TicketList, TicketNow

TICKETS = f"{PREFIX}/tickets"
TICKET = f"{TICKETS}/{{number:ticket}}"
NO_TICKET = (404, "no_ticket")
UNREADABLE = (400, "malformed, time, who, side, key")


async def tickets(request: Request) -> Response:
    """List tickets: filters, order and page are in the query."""
    desk, asked = desk_of(request), dict(request.query_params)
    zone, incarnation = desk.settings.timezone, desk.store.incarnation
    person = await person_of(request)
    found = await desk.store.read(
        lambda db: listed(desk.ledger(db), asked, zone, incarnation, own=sites_of(db, person))
    )
    return reply(found)


async def ticket(request: Request) -> Response:
    """Give one ticket."""
    return reply(await ticket_of(desk_of(request), number_of(request)))


async def entries(request: Request) -> Response:
    """Give what was written down of a ticket, in order."""
    number = number_of(request)
    asked = request.query_params
    after, limit = whole(asked, "after", 2**63 - 1), whole(asked, "limit", MOST, 500, least=1)
    desk, language = desk_of(request), language_of(request)
    found = await desk.store.read(lambda db: entries_page(desk.ledger(db), number, language, after=after, limit=limit))
    if found is None:
        raise _none(number)
    return reply(found)


async def acknowledge(request: Request) -> Response:
    """Take a ticket. One that somebody has keeps its first; the answer says who it is."""
    desk = desk_of(request)
    asked = await message_of(request, Take)
    number = number_of(request)
    await acknowledged(desk, number, Actor(good_name(asked.by), address_of(request)), asked.level)
    return reply(await ticket_of(desk, number))


async def acknowledged(desk: Desk, number: int, actor: Actor, seen: int) -> bool:
    """Take a ticket for a person and wake the agent's long poll; says whether this was the first to take it.

    `seen` is the level that the person saw, 0 for any. Raises a ProblemError, `worse`, when it is worse by now.
    """

    def write(db: Db) -> Stepped | None:
        return take(desk.ledger(db), number, actor, seen=seen)

    stepped = await desk.store.write(write)
    if stepped is None or stepped.record is None:
        raise _none(number)
    if stepped.refused is Refusal.WORSE or stepped.refused is Refusal.CLOSED:
        raise ProblemError(409, stepped.refused, REFUSALS[stepped.refused]["en"])
    if stepped.refused is None:
        desk.hub.announce(BOARD, commands_of(stepped.record.ticket.site))
    return stepped.refused is None


async def ticket_of(desk: Desk, number: int) -> TicketNow:
    """Return a ticket as programs see it. Raises a ProblemError, `no_ticket`, when there is none."""
    found = await desk.store.read(lambda db: ticket_now(desk.ledger(db), number))
    if found is None:
        raise _none(number)
    return found


OPERATIONS = (
    Operation(
        "GET", TICKETS, "List tickets", TicketList, tickets, query=QUERY, refuses=((400, "malformed"),),
    ),
    Operation(
        "POST", TICKETS, "Open a ticket for a fault that no alarm has told", TicketNow, open_by_hand, OpenByHand,
        refuses=(UNREADABLE, (404, "no_site"), (409, "open_already, key_reused"), (422, "refusals")),
        once=True, gives_status=201,
    ),
    Operation("GET", TICKET, "One ticket, with every clock", TicketNow, ticket, refuses=(NO_TICKET,)),
    Operation(
        "GET", f"{TICKET}/entries", "What was written down of a ticket, in order", EntryList, entries,
        query=(
            Query("after", "with a higher seq than this: the next page", "integer", 0),
            Query("limit", f"at most so many, up to {MOST}", "integer", 500),
        ),
        refuses=((400, "malformed"), NO_TICKET),
    ),
    Operation(
        "POST", f"{TICKET}/acts", "Say something of a ticket", TicketNow, say, Say,
        refuses=((400, f"{UNREADABLE[1]}, no_such_act"), NO_TICKET, (409, "refusals, key_reused"), (422, "refusals")),
        once=True,
    ),
    Operation(
        "POST", f"{TICKET}/acknowledge", "Take a ticket; one that somebody has keeps its first", TicketNow,
        acknowledge, Take, refuses=((400, "malformed, who"), NO_TICKET, (409, "worse, closed")),
    ),
)  # fmt: skip


def _none(number: int) -> ProblemError:
    return ProblemError(404, "no_ticket", f"There is no ticket {number}.")

"""Who is told of each entry, in the transaction that writes it: `Desk.ledger` hands these to the ledger."""

from desk.children import gather_children
from desk.incidents import follow_ticket
from desk.ledger import Hook
from desk.notices import told
from desk.stands_on import open_what_stands_on
from desk.tickets import tell_agent

HOOKS: tuple[Hook, ...] = (tell_agent, told, follow_ticket, gather_children, open_what_stands_on)

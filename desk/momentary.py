"""Alarms that ended before their delay: at the contract's count they are a fault of their own, with a ticket.

Nobody was told of such an alarm, and no alarm stands when the count is reached: so the ticket has no alarm of its own,
and people close it. While it is not closed another count of the same alarm adds nothing.
"""

from desk.before import count_momentary, cover_of, earlier
from desk.ledger import Ledger, open_ticket, terms_for
from desk.store import Site
from desk.tickets import standing, taken_in
from model.alarm import Kind
from model.change import Change, condition_key
from model.level import assign
from model.rule import Meaning
from model.service.entry import Opened
from model.service.history import failed_before


def condition_of(change: Change, fault: str) -> str:
    """Return the condition of an alarm's momentary fault: one for each alarm that comes and goes."""
    origin = change.origin
    scope = origin.fault if origin.scope == "-" else f"{origin.scope}:{origin.fault}"
    return condition_key(origin.site, origin.device, scope, fault)


def passed(ledger: Ledger, site: Site, change: Change, at: float) -> int | None:
    """Count an alarm that ended before its delay; returns the ticket that it opens, None for none.

    In a maintenance window nothing counts: what comes and goes there is the work.
    """
    contract = ledger.contracts(site.contract)
    rule, device = contract.momentary, change.origin.device
    if change.kind is not Kind.MOMENTARY or rule is None:
        return None
    if not count_momentary(ledger, contract, change.alarm.condition, change.alarm.episode, at):
        return None
    fault, _, case = rule.fault.partition("/")
    condition = condition_of(change, fault)
    if standing(ledger.db, site.id, condition) or taken_in(ledger.db, site.id, condition):
        return None
    given = assign(contract, fault, case, Meaning.INDIRECT)
    before = earlier(ledger, site, device, fault, at)
    act = Opened(
        number=0,
        site=site.id,
        condition=condition,
        device=device,
        fault=fault,
        case=case,
        level=given.level,
        terms=terms_for(ledger, site),
        onset=at,
        provisional=given.provisional,
        meaning=Meaning.INDIRECT,
        region=site.region,
        cover=cover_of(ledger, site, device),
        recurrence_of=before.number if before else 0,
        failed_repairs=failed_before(before),
    )
    return open_ticket(ledger, site, act, "desk", "")

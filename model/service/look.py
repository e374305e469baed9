"""What time asks of a ticket at a moment: warnings, breaches, upgrades, telling people, documents that are owed.

Theory. `look` works out everything that could ever fire from the record as it stands, each with its moment, and
returns what is due and has not fired. What took place is written down (`Fired`) in the same transaction; the key
(ticket, clock, step) is unique there, so that two who look at once fire it once. A look that comes late finds the same
as one that came in time. While the desk's clock is not sure nothing fires, and the look says so; afterwards it goes on
by the true time. Paused clocks have no moments.
"""

from collections.abc import Callable, Iterator
from math import floor, isinf

import msgspec

from model.calendar import Calendar
from model.contract import Contract, EscalationStep, Milestone
from model.due import Span, due, spent
from model.limits import Calendars, Due
from model.service.clocks import DIFFICULT, outcomes, running, times
from model.service.documents import Later, owed
from model.service.effect import Effect, Kind
from model.service.entry import Entry, Fired
from model.service.outcome import Outcome, Stand
from model.service.record import Record
from model.service.step import step
from model.service.words import Side, Trust

WARN_SHARE = 0.75  # of a limit; ours: no contract says when to warn


class Seen(msgspec.Struct, frozen=True):
    """What is due now, earliest first, and when to look again (Unix seconds).

    `frozen` says why nothing fires although `held` things are due: the desk's clock is not sure. `outcomes` are the
    clocks as they stood then.
    """

    effects: tuple[Effect, ...]
    again: float | None
    frozen: Trust | None = None
    held: int = 0
    outcomes: tuple[Outcome, ...] = ()


def look(
    record: Record,
    contract: Contract,
    calendars: Calendars,
    now: float,
    trust: Trust = Trust.SURE,
    *,
    warn: float = WARN_SHARE,
) -> Seen:
    """Return what a ticket asks for at a moment. Raises LookupError when the contract's calendar is not there."""
    fired = set(record.fired)
    limits = () if record.closed else running(record, contract, calendars)
    stands = outcomes(record, contract, calendars, now, limits)
    found = [
        (at, effect)
        for at, effect in _everything(record, contract, calendars, (limits, stands), warn)
        if f"{effect.clock} {effect.step}" not in fired
    ]
    found.sort(key=lambda each: (each[0], each[1].clock, each[1].step))
    ready = tuple(effect for at, effect in found if at <= floor(now))
    again = min((at for at, _ in found if at > floor(now)), default=None)
    if trust is Trust.SURE and record.unsure:
        trust = Trust.UNSYNCHRONISED  # it opened at a time that nobody knows
    if trust is not Trust.SURE:
        return Seen((), again, trust, len(ready), stands)
    return Seen(ready, again, outcomes=stands)


def settle(
    record: Record, contract: Contract, calendars: Calendars, now: float, trust: Trust = Trust.SURE
) -> tuple[Record, tuple[Entry, ...], Seen]:
    """Return the record after everything that is due at a moment, the entries to append, and the last look.

    An upgrade starts other clocks, which may be over at once: so it looks until nothing is due.
    """
    entries: list[Entry] = []
    seen = look(record, contract, calendars, now, trust)
    while seen.effects:
        entry = Entry(now, "desk", Fired(seen.effects[0]), side=Side.SYSTEM)
        after = step(record, entry).record
        if after is None or after is record:
            break
        record, entries = after, [*entries, entry]
        seen = look(record, contract, calendars, now, trust)
    return record, tuple(entries), seen


def _everything(
    record: Record,
    contract: Contract,
    calendars: Calendars,
    clocks: tuple[tuple[Due, ...], tuple[Outcome, ...]],
    warn: float,
) -> Iterator[Later]:
    if record.merged_into:
        return
    yield from owed(record, contract, calendars)
    if record.closed:
        return
    limits, stands = clocks
    part = _parts(record, limits, calendars(contract.calendar))
    for outcome in stands:
        yield from _of_clock(record, contract, outcome, part, warn)
    yield from _since_opening(record, contract, calendars)
    yield from _lasting(record, contract)
    if record.failed_repairs >= contract.replacement.repairs:
        yield record.last, Effect(record.ticket.number, "repairs", "replace", Kind.REPLACE, record.last)


def _of_clock(
    record: Record, contract: Contract, outcome: Outcome, part: Callable[[Outcome, float], float | None], warn: float
) -> Iterator[Later]:
    """A clock that runs warns, is breached, raises the level and tells people."""
    if outcome.stand not in {Stand.RUNNING, Stand.LATE} or outcome.due is None:
        return
    number, clock, limit = record.ticket.number, outcome.clock, outcome.due
    over = limit + 1  # exactly at its time a limit is kept
    at = part(outcome, warn) if outcome.stand is Stand.RUNNING else None
    again = _agreed_again(record, outcome)
    if at is not None and at < over:
        yield at, Effect(number, clock, f"warn{again}", Kind.WARN, at, limit)
    yield over, Effect(number, clock, f"breach{again}", Kind.BREACH, limit, limit)
    upgrade = contract.upgrade
    worse = [level for level in contract.levels if level < record.ticket.level]
    if upgrade and outcome.milestone in upgrade.on and outcome.level == record.ticket.level and worse:
        yield over, Effect(number, clock, "upgrade", Kind.UPGRADE, limit, limit, level=max(worse))
    if outcome.end is None:
        for order, escalation in enumerate(contract.escalation):
            if escalation.share is not None and _for(escalation, outcome):
                at = part(outcome, escalation.share)
                if at is not None:
                    yield at, _told(record, clock, (order, escalation), at, limit)


def _agreed_again(record: Record, outcome: Outcome) -> str:
    """Return what tells the effects of a limit that was agreed on anew from those of the one before, "" for a first."""
    agreed = record.workaround
    if outcome.limit != DIFFICULT or agreed is None or agreed.agreed == agreed.at:
        return ""
    return f" {floor(agreed.known_as or agreed.agreed)}"


def _for(escalation: EscalationStep, outcome: Outcome) -> bool:
    levels = not escalation.levels or outcome.level in escalation.levels
    return levels and escalation.limit in {"", outcome.limit}


def _told(record: Record, clock: str, told: tuple[int, EscalationStep], at: float, limit: float | None) -> Effect:
    order, escalation = told
    step_name = f"tell {order} {escalation.to}"
    return Effect(record.ticket.number, clock, step_name, Kind.ESCALATE, at, limit, to=escalation.to)


def _parts(record: Record, limits: tuple[Due, ...], calendar: Calendar) -> Callable[[Outcome, float], float | None]:
    """Return how to find the moment at which a share of a clock's limit is over."""
    spans = {each.limit.name: each.limit.span for each in limits}

    def part(outcome: Outcome, share: float) -> float | None:
        if outcome.start is None or outcome.due is None:
            return None
        if outcome.limit == DIFFICULT or outcome.limit not in spans:
            span = Span(spent(outcome.start, outcome.due, "second", calendar, record.pauses))
        else:
            span = spans[outcome.limit]
        at = due(
            outcome.start, msgspec.structs.replace(span, amount=floor(span.amount * share)), calendar, record.pauses
        )
        return None if isinf(at) else float(at)

    return part


def _since_opening(record: Record, contract: Contract, calendars: Calendars) -> Iterator[Later]:
    """Tell people so long after the opening while the fault is not restored, pauses apart."""
    if Milestone.RESTORE in record.marks:
        return
    calendar = calendars(contract.calendar)
    for order, escalation in enumerate(contract.escalation):
        if escalation.seconds is None or (escalation.levels and record.ticket.level not in escalation.levels):
            continue
        at = float(due(record.start, Span(escalation.seconds), calendar, record.pauses))
        if not isinf(at):
            yield at, _told(record, "open", (order, escalation), at, None)


def _lasting(record: Record, contract: Contract) -> Iterator[Later]:
    """An interruption that lasts so long is of a worse level, whoever waits for whom; exactly so long counts."""
    restored = record.marks.get(Milestone.RESTORE)
    for order, rule in enumerate(contract.lasting):
        begin = float(floor(times(record).get(rule.after, record.start)))
        at = begin + rule.seconds
        over = restored is not None and (not restored.sure or floor(restored.when) < at)
        if record.meaning is rule.meaning and rule.level < record.ticket.level and not over:
            number = record.ticket.number
            yield at, Effect(number, f"lasting/{rule.level}", f"rule {order}", Kind.LASTING, at, level=rule.level)

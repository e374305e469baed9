"""What people say of tickets: mostly what comes next, sometimes too early, too late, twice, or nothing of the kind."""

import random
from collections.abc import Iterator

from model.contract import Contract, Handling, Milestone, Start
from model.service.entry import (
    Acknowledged,
    Acts,
    AskedFor,
    Charged,
    Closed,
    Complained,
    ConditionSaid,
    Confirmed,
    CustomerSaid,
    Dated,
    Delivered,
    Entitled,
    Excused,
    Handled,
    Judged,
    LevelAgreed,
    LevelSet,
    Linked,
    MergedInto,
    Paused,
    Reached,
    Repaired,
    RepairFailed,
    Resumed,
    Started,
    TakenBack,
    WorkaroundOnly,
)
from model.service.record import Record
from model.service.words import Cover, Side, Tie, Waiting
from model.ticket import TicketState

HOUR, DAY = 3600.0, 86_400.0
M = Milestone
Said = tuple[Acts, Side]
ENGINEERS = ("Li Wei", "Wang Fang", "Zhang Min", "Chen Jie", "Liu Yang", "Zhao Lei")
CUSTOMERS = ("Customer duty", "Customer manager")


def visit(record: Record, contract: Contract, now: float, chance: random.Random, others: tuple[int, ...]) -> list[Said]:
    """Return what somebody says who looks at a ticket now; `others` are tickets of the site that are not closed."""
    said = list(_papers(record, contract, now, chance) if record.closed else _next(record, now, chance))
    if not record.closed and chance.random() < 0.3:
        said.append(_unusual(record, contract, now, chance, others))
    if said and chance.random() < 0.1:
        said.append(said[-1])  # twice
    return said


def who(side: Side, chance: random.Random) -> str:
    """Return a name of a side."""
    return chance.choice(CUSTOMERS if side is Side.CUSTOMER else ENGINEERS)


def _when(record: Record, now: float, chance: random.Random) -> float | None:
    """When it happened, as a person says it: now, a while ago, sometimes before the opening or not yet."""
    kind = chance.random()
    if kind < 0.6:
        return None
    if kind < 0.95:
        return max(record.start, now - chance.random() * min(2 * HOUR, max(0.0, now - record.start)))
    return record.start - 60.0 if kind < 0.975 else now + 600.0


def _next(record: Record, now: float, chance: random.Random) -> Iterator[Said]:
    """What comes next in a ticket's life."""
    if record.unsure and chance.random() < 0.7:
        yield Dated(record.start - chance.choice((0.0, 60.0)), record.onset - 60.0), Side.SERVICE
    if any(halt.end is None for halt in record.halts) and chance.random() < 0.6:
        yield Resumed(_when(record, now, chance)), Side.SERVICE
        return
    if record.ticket.acknowledged is None and record.ticket.state is TicketState.OPEN:
        yield Acknowledged(chance.choice((0, record.ticket.level))), Side.SERVICE
        return
    missing = [each for each in (M.ACCEPT, M.RESPOND, M.DEPART, M.ARRIVE) if each not in record.marks]
    if missing and chance.random() < 0.8:
        yield Reached(missing[0], _when(record, now, chance)), Side.SERVICE
        return
    if record.standing and not any(end is None for _, end in record.explained):
        return
    for milestone in (M.RESTORE, M.RESOLVE):
        if milestone not in record.marks:
            yield Reached(milestone, _when(record, now, chance)), Side.SERVICE
        elif not record.counts(milestone):
            missing_side = Side.SERVICE if Side.SERVICE not in record.marks[milestone].sides else Side.CUSTOMER
            yield Confirmed(milestone), missing_side
    yield Closed(), Side.SERVICE


def _unusual(record: Record, contract: Contract, now: float, chance: random.Random, others: tuple[int, ...]) -> Said:
    """What is said now and then; much of it is refused."""
    other = chance.choice(others) if others else record.ticket.number
    waits, when = chance.choice(tuple(Waiting)), _when(record, now, chance)
    later = now + chance.choice((-1.0, 1.0, 3.0)) * DAY
    choices: tuple[tuple[int, Acts, Side], ...] = (
        (12, Paused(waits, chance.choice(("waits", "waits", "")), when), Side.SERVICE),
        (3, Resumed(), Side.SERVICE),
        (5, WorkaroundOnly("no spare part", later, "Customer manager"), Side.SERVICE),
        (3, WorkaroundOnly("no spare part"), Side.SERVICE),
        (6, LevelSet(chance.choice(sorted(contract.levels)), chance.choice(("agreed on site", ""))), Side.SERVICE),
        (6, LevelAgreed(record.ticket.level), Side.SERVICE),
        (6, LevelAgreed(record.ticket.level), Side.CUSTOMER),
        (4, MergedInto(other, "the same fault"), Side.SERVICE),
        (4, Linked(chance.choice(tuple(Tie)), other), Side.SERVICE),
        (8, Repaired(chance.choice(("fan", "rectifier", "")), chance.random() < 0.2), Side.SERVICE),
        (4, RepairFailed("it came back"), Side.SERVICE),
        (4, Handled(chance.choice(tuple(Handling))), Side.SERVICE),
        (4, Started(chance.choice(tuple(Start)), _when(record, now, chance)), Side.CUSTOMER),
        (3, ConditionSaid(chance.choice((*contract.conditions, "rain"))), Side.SERVICE),
        (2, Entitled(chance.choice(tuple(Cover)), "the list"), Side.SERVICE),
        (3, TakenBack(chance.choice((M.RESTORE, M.RESOLVE)), "not so"), Side.CUSTOMER),
        (4, Reached(chance.choice(tuple(M)), _when(record, now, chance)), Side.SERVICE),
        (3, Complained(f"c{chance.randrange(9)}", _event(contract, chance), "late"), Side.CUSTOMER),
        (3, AskedFor(_document(contract, chance)), Side.CUSTOMER),
        (3, Closed(), chance.choice((Side.SERVICE, Side.CUSTOMER))),
    )  # fmt: skip
    weights = [weight for weight, _, _ in choices]
    _, act, side = chance.choices(choices, weights)[0]
    return act, side


def _papers(record: Record, contract: Contract, now: float, chance: random.Random) -> Iterator[Said]:
    """What is appended after closing; some try to change what is over."""
    late = [each.clock for each in record.outcomes if each.stand == "late"]
    open_complaints = [each for each in record.complaints if each.proven is None]
    kind = chance.random()
    if open_complaints:
        yield Judged(open_complaints[0].id, chance.random() < 0.5, "looked into"), Side.SERVICE
    elif late and contract.excuses and kind < 0.3:
        excuse = chance.choice(contract.excuses).key
        yield Excused(chance.choice(late), excuse, chance.choice(("Customer manager", ""))), Side.SERVICE
    elif kind < 0.5:
        yield CustomerSaid(chance.random() < 0.9, "Customer manager"), Side.CUSTOMER
    elif kind < 0.6:
        yield Complained(f"c{chance.randrange(9)}", _event(contract, chance), "after closing"), Side.CUSTOMER
    elif kind < 0.8:
        yield Delivered(_document(contract, chance), signed_by=chance.choice(("", "Customer manager"))), Side.SERVICE
    elif kind < 0.85:
        yield Charged(_event(contract, chance), "said by a person"), Side.CUSTOMER
    elif kind < 0.9:
        yield LevelAgreed(record.ticket.level), chance.choice((Side.SERVICE, Side.CUSTOMER))
    else:  # all refused: it is over
        yield (
            chance.choice((Reached(M.ARRIVE), Paused(Waiting.OTHER, "too late"), Closed(), LevelSet(1, "x"))),
            Side.SERVICE,
        )


def _event(contract: Contract, chance: random.Random) -> str:
    return chance.choice([each.event for each in contract.penalties] or ["none"])


def _document(contract: Contract, chance: random.Random) -> str:
    return chance.choice([each.name for each in contract.documents] or ["none"])

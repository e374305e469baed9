"""What a maintenance contract says of one fault: its level, how long it may stand before it is one, and its clocks.

The contract's values are in `model.contract`; which limits run for a ticket and when they are due in `model.limits`.
`clocks` are those that count seconds from the opening alone.
"""

import msgspec

from model.contract import Clock, Contract, OpenPoint, Setting
from model.rule import Case, Meaning, Rule

__all__ = ["Assignment", "Clock", "Contract", "OpenPoint", "Setting", "assign", "clocks", "delays", "level_of"]


class Assignment(msgspec.Struct, frozen=True):
    """A fault's level under a contract; provisional where the contract does not list the fault."""

    level: int
    provisional: bool
    reason: str


def assign(contract: Contract, fault: str, case: str, meaning: Meaning) -> Assignment:
    """Return the level of a fault's case: the listed case's, the listed fault's, else the general definition's.

    The last is provisional, unless the contract has one level only and there is nothing to confirm.
    """
    for key in (f"{fault}/{case}", fault):
        if key in contract.faults:
            return Assignment(contract.faults[key], provisional=False, reason=f"listed as {key}")
    provisional = len(contract.levels) != 1
    return Assignment(contract.general[meaning], provisional=provisional, reason=f"general definition: {meaning}")


def level_of(contract: Contract, rule: Rule, case: Case) -> Assignment:
    """Return the level of a rule's case under a contract."""
    return assign(contract, rule.fault, case.name, case.meaning or rule.meaning)


def delays(contract: Contract, case: Case, level: int) -> tuple[float, float]:
    """Return a case's on-delay and off-delay in seconds: its own, else the contract's for the level."""
    on = contract.on_delays.get(level, 0.0) if case.on_delay is None else case.on_delay
    return on, contract.off_delay if case.off_delay is None else case.off_delay


def clocks(contract: Contract, level: int, region: str, fault: str) -> tuple[Clock, ...]:
    """Return the clocks that run for a ticket, soonest first; one named for the fault stands before the level's."""
    here = [c for c in contract.clocks if c.level == level and c.region in {"", region} and c.fault in {"", fault}]
    named = {c.milestone for c in here if c.fault}
    return tuple(sorted((c for c in here if c.fault or c.milestone not in named), key=lambda c: c.limit))

"""What a maintenance contract says of a fault: its level, how long it may stand before it is one, and the clocks.

In YAML (config/contracts/*.yaml):

    title: {en: Transmission equipment, zh: 传输设备维护}
    levels: {1: {en: Level 1, zh: 一级故障}, ...}
    general: {interruption: 1, danger: 2, degraded: 3, indirect: 4}     # for faults that are not listed: provisional
    faults: {network.management_down: 2, subrack.cooling/over_temperature: 2, ...}
    settings: {subrack.cooling: {temperature: 45}}                      # the contract's layer over the rules' defaults
    delays: {on: [60s, 120s, 180s, 240s], off: 20s}
    regions: {west_east: {en: West and east Guangdong, zh: 粤西、粤东}, ...}
    clocks: [{level: 1, region: west_east, milestone: depart, limit: 1h}, ...]
    open: [{key: clocks, en: "...", zh: "..."}]                         # what the text leaves open, and our choice
"""

import msgspec

from model.rule import Case, Meaning, Rule

Setting = float | str | bool


class Clock(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit in seconds from the opening of a ticket to a milestone; "" stands for every region or fault."""

    level: int
    milestone: str
    limit: float
    region: str = ""
    fault: str = ""


class OpenPoint(msgspec.Struct, frozen=True):
    """What the contract's text leaves open and what was chosen, in the reader's language."""

    key: str
    text: dict[str, str]


class Contract(msgspec.Struct, frozen=True):
    """A maintenance contract; `digest` names its exact content (SHA-256, first 16 hexadecimal digits)."""

    name: str
    title: dict[str, str]
    levels: dict[int, dict[str, str]]
    general: dict[Meaning, int]
    on_delays: dict[int, float]
    off_delay: float
    faults: dict[str, int] = {}
    settings: dict[str, dict[str, Setting]] = {}
    regions: dict[str, dict[str, str]] = {}
    clocks: tuple[Clock, ...] = ()
    open: tuple[OpenPoint, ...] = ()
    digest: str = ""


class Assignment(msgspec.Struct, frozen=True):
    """A fault's level under a contract; provisional where the contract does not list the fault."""

    level: int
    provisional: bool
    reason: str


def assign(contract: Contract, fault: str, case: str, meaning: Meaning) -> Assignment:
    """Return the level of a fault's case: the listed case's, the listed fault's, else the general definition's."""
    for key in (f"{fault}/{case}", fault):
        if key in contract.faults:
            return Assignment(contract.faults[key], provisional=False, reason=f"listed as {key}")
    return Assignment(contract.general[meaning], provisional=True, reason=f"general definition: {meaning}")


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

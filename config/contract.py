"""Maintenance contracts from config/contracts/*.yaml, in the shape that `model.level` describes.

A contract may say `extends: NAME`; then each key it writes takes the place of that contract's key. The digest is over
what a contract says, not how its file looks: a comment does not change it.
"""

import functools
import hashlib
import json
from typing import Annotated, Any, Literal

import msgspec

from config import shipped
from config.advice import nearest, show
from config.convert import Conversion
from config.fault_rules import FaultRule, Title, load_faults, read_setting
from config.node import ConfigError, Node, Table
from config.scalars import Form, Seconds
from config.schema import Delays
from model.level import Clock, Contract, OpenPoint, Setting
from model.rule import Meaning

Level = Annotated[int, msgspec.Meta(ge=1, le=9)]
Limit = Annotated[Seconds, msgspec.Meta(gt=0, description="more than 0s", examples=["2h"])]
Milestone = Literal["accept", "depart", "arrive", "restore", "resolve"]


class ClockText(msgspec.Struct, frozen=True):
    """One limit, from the opening of a ticket to a milestone."""

    level: Level
    milestone: Milestone
    limit: Limit
    region: str = ""
    fault: str = ""


class OpenText(msgspec.Struct, frozen=True):
    """What the contract's text leaves open, and our choice."""

    key: str
    en: str
    zh: str


class ContractText(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as it is written."""

    title: Title
    levels: dict[Level, Title]
    general: dict[Meaning, Level]
    delays: Delays
    faults: dict[str, Level] = {}
    settings: dict[str, Node] = {}
    regions: dict[str, Title] = {}
    clocks: tuple[ClockText, ...] = ()
    open: tuple[OpenText, ...] = ()


class ContractFile(msgspec.Struct, frozen=True):
    """A contract, and its settings as they stand in the file, for whoever asks where a value comes from."""

    contract: Contract
    settings: dict[str, Node]


@functools.cache
def load_contract(name: str) -> ContractFile:
    """Return the shipped contract of that name. Raises KeyError for no such name, ConfigError for a bad file."""
    node = shipped.read_shipped("contracts", name)
    if isinstance(node, Table) and "extends" in node.fields:
        node = _extended(node)
    return parse_contract(node, name, load_faults())


def parse_contract(node: Node, name: str, faults: dict[str, FaultRule]) -> ContractFile:
    """Return a contract, checked. Raises ConfigError with every problem."""
    conversion = Conversion()
    text: ContractText | None = conversion.value(node, ContractText)
    if text is None or conversion.problems:
        raise ConfigError(conversion.problems)
    _check(text, conversion)
    settings = check_settings(text.settings, faults, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    contract = Contract(
        name=name,
        title=text.title.both(),
        levels={level: title.both() for level, title in text.levels.items()},
        general=text.general,
        on_delays=dict(zip(sorted(text.levels), text.delays.on, strict=True)),
        off_delay=text.delays.off or 0.0,
        faults=text.faults,
        settings=settings,
        regions={region: title.both() for region, title in text.regions.items()},
        clocks=tuple(Clock(c.level, c.milestone, c.limit, c.region, c.fault) for c in text.clocks),
        open=tuple(OpenPoint(point.key, {"en": point.en, "zh": point.zh}) for point in text.open),
    )
    return ContractFile(msgspec.structs.replace(contract, digest=_digest(contract)), text.settings)


def check_settings(
    layer: dict[str, Node], faults: dict[str, FaultRule], conversion: Conversion
) -> dict[str, dict[str, Setting]]:
    """Return one layer's settings by fault, checked against the rules; problems are added to the conversion's."""
    found: dict[str, dict[str, Setting]] = {}
    for fault, node in layer.items():
        if fault not in faults:
            conversion.fail(node, f"there is no fault {show(fault)}; {nearest(fault, faults)}")
            continue
        written: dict[str, Any] = conversion.value(node, dict[str, Node]) or {}
        for name, value in written.items():
            if (read := read_setting(faults[fault], name, value, conversion)) is not None:
                found.setdefault(fault, {})[name] = read[1]
    return found


def _extended(node: Table) -> Table:
    """Return a contract's file with the keys it does not write taken from the one it extends."""
    own = {key: value for key, value in node.fields.items() if key != "extends"}
    conversion = Conversion()
    base_name = conversion.value(node.fields["extends"], Annotated[str, Form(_shipped_name)])
    if conversion.problems:
        raise ConfigError(conversion.problems)
    base = shipped.read_shipped("contracts", base_name)
    if not isinstance(base, Table) or "extends" in base.fields:
        raise ConfigError([node.fields["extends"].problem("a contract that extends another cannot be extended")])
    keys = {key: place for key, place in node.keys.items() if key != "extends"}
    return msgspec.structs.replace(node, fields={**base.fields, **own}, keys={**base.keys, **keys})


def _shipped_name(text: str) -> str:
    known = shipped.names("contracts")
    if text not in known:
        raise ValueError(f"there is no contract {show(text)}; {nearest(text, known)}")
    return text


def _check(text: ContractText, conversion: Conversion) -> None:
    if len(text.delays.on) != len(text.levels) or text.delays.off is None:
        conversion.complain(text, "delays", f"write {len(text.levels)} delays on, one for each level, and one off")
    if missing := [meaning.value for meaning in Meaning if meaning not in text.general]:
        conversion.complain(text, "general", f"the level of {', '.join(missing)} is missing")
    for key, levels in (("general", text.general.values()), ("faults", text.faults.values())):
        for level in set(levels) - text.levels.keys():
            conversion.complain(text, key, f"there is no level {level}; the levels are {sorted(text.levels)}")
    for clock in text.clocks:
        if clock.level not in text.levels:
            conversion.complain(
                clock, "level", f"there is no level {clock.level}; the levels are {sorted(text.levels)}"
            )
        if clock.region and clock.region not in text.regions:
            conversion.complain(
                clock, "region", f"there is no region {show(clock.region)}; {nearest(clock.region, text.regions)}"
            )


def _digest(contract: Contract) -> str:
    """Return the SHA-256 of what a contract says, first 16 hexadecimal digits."""
    said = json.dumps(msgspec.to_builtins(contract, str_keys=True), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]

"""Maintenance contracts from config/contracts/*.yaml, into `model.contract`. The keys: `config.contract_text`.

A contract may say `extends: NAME`; then each key it writes takes the place of that contract's key. The digest is over
what a contract says, not how its file looks: a comment does not change it.
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import msgspec

from config import shipped
from config.advice import nearest, show
from config.contract_build import build
from config.contract_checks import check, check_rivals
from config.contract_text import ContractText
from config.convert import Conversion
from config.fault_rules import FaultRule, load_faults, read_setting
from config.node import ConfigError, Node, Table
from config.reader import read
from config.scalars import Form
from model.contract import Contract, Setting


class ContractFile(msgspec.Struct, frozen=True):
    """A contract, and its settings as they stand in the file, for whoever asks where a value comes from."""

    contract: Contract
    settings: dict[str, Node]


@functools.cache
def load_contract(name: str) -> ContractFile:
    """Return the shipped contract of that name. Raises KeyError for no such name, ConfigError for a bad file."""
    return parse_contract(shipped.read_shipped("contracts", name), name, load_faults())


def read_contract(path: Path) -> ContractFile:
    """Return the contract in a file of one's own; its name is the file's. Raises ConfigError for a bad file.

    It may name a calendar of one's own: NAME.yaml in the folder `calendars` beside it.
    """
    calendars = frozenset(each.stem for each in (path.parent / "calendars").glob("*.yaml"))
    return parse_contract(read(path), path.stem, load_faults(), calendars)


def find_contract(name: str, folder: Path | None = None) -> ContractFile:
    """Return the contract of that name: NAME.yaml of one's own in `folder`, else the shipped one.

    Raises KeyError for no such name, ConfigError for a bad file.
    """
    own = folder / f"{name}.yaml" if folder is not None else None
    return read_contract(own) if own is not None and own.is_file() else load_contract(name)


def parse_contract(
    node: Node, name: str, faults: dict[str, FaultRule], calendars: frozenset[str] = frozenset()
) -> ContractFile:
    """Return a contract, checked; `calendars` are those of one's own. Raises ConfigError with every problem."""
    if isinstance(node, Table) and "extends" in node.fields:
        node = _extended(node)
    conversion = Conversion()
    text: ContractText | None = conversion.value(node, ContractText)
    if text is None:
        raise ConfigError(conversion.problems)
    check(text, faults, conversion, calendars)
    settings = check_settings(text.settings, faults, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    contract = build(text, name, settings)
    check_rivals(text, contract, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
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


def _digest(contract: Contract) -> str:
    """Return the SHA-256 of what a contract says, first 16 hexadecimal digits."""
    said = json.dumps(msgspec.to_builtins(contract, str_keys=True), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]

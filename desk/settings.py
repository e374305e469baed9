"""What a desk is told before it starts. Defaults are values; times in seconds."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from config.contract import load_contract
from config.node import ConfigError
from model.level import Contract
from model.rule import Meaning

_GENERAL = {Meaning.INTERRUPTION: 1, Meaning.DANGER: 2, Meaning.DEGRADED: 3, Meaning.INDIRECT: 4}
Contracts = Callable[[str], Contract]  # a contract by its name; raises LookupError when there is none that is good


def shipped(name: str) -> Contract:
    """Return a contract that comes with the program. Raises LookupError for no such name and for a bad file."""
    try:
        return load_contract(name).contract
    except KeyError:
        raise LookupError("there is no such contract") from None
    except ConfigError as error:
        raise LookupError(str(error)) from error


def with_stand_in(contracts: Contracts) -> Contracts:
    """Return contracts among which none is missing: in place of one, the general definitions alone.

    Its tickets are provisional and have no clocks; a site whose contract is not here must still be heard.
    """

    def named(name: str) -> Contract:
        try:
            return contracts(name)
        except LookupError:
            return Contract(name, {}, {}, _GENERAL, {}, off_delay=20.0)

    return named


class DeskSettings(msgspec.Struct, frozen=True):
    """Where a desk listens, where it keeps its file, and how long it waits for what.

    `contract`, `region` and `timezone` are what a site gets that is enrolled without its own; timezone "" is the desk
    host's. `grace` is how long after its start the desk calls no site silent; `missed` heartbeats make one silent.
    Receipts and what is put out for connectors are kept for `receipts_for` and `told_for`.
    """

    state: Path
    host: str = "127.0.0.1"
    port: int = 8061
    title: str = ""
    contract: str = "telecom-transmission"
    region: str = ""
    timezone: str = ""
    grace: float = 60.0
    missed: int = 3
    sweep: float = 1.0
    close_after: float = 1800.0
    code_life: float = 86_400.0
    receipts_for: float = 30 * 86_400.0
    told_for: float = 30 * 86_400.0
    waiting: int = 10_000
    body_limit: int = 16 * 1024 * 1024
    body_seconds: float = 20.0
    streams: int = 500

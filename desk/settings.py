"""What a desk is told before it starts. Defaults are values; times in seconds."""

import functools
from collections.abc import Callable
from pathlib import Path

import msgspec

from config.calendar import load_calendar, read_calendar
from config.contract import find_contract, load_contract
from config.node import ConfigError
from config.shipped import names
from model.calendar import ALWAYS, Calendar
from model.contract import Contract
from model.limits import Calendars
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


def contracts_in(folder: Path | None) -> Contracts:
    """Return contracts of one's own (NAME.yaml in a folder) before the shipped ones; each is read once."""
    if folder is None:
        return shipped

    @functools.cache
    def named(name: str) -> Contract:
        try:
            return find_contract(name, folder).contract
        except KeyError:
            raise LookupError("there is no such contract") from None
        except ConfigError as error:
            raise LookupError(str(error)) from error

    return named


def contract_names(folder: Path | None) -> frozenset[str]:
    """Return the names of the contracts that there are: one's own in a folder and the shipped ones."""
    own = folder.glob("*.yaml") if folder is not None else ()
    return names("contracts") | {path.stem for path in own}


def calendars_in(folder: Path | None) -> Calendars:
    """Return calendars: `calendars/NAME.yaml` of one's own in a folder before the shipped ones; each is read once.

    `calendars/days.yaml` are one's own days over every shipped calendar. "" is always.
    """
    own = folder / "calendars" if folder is not None else None

    @functools.cache
    def named(name: str) -> Calendar:
        if not name:
            return ALWAYS
        path, days = (own / f"{name}.yaml", own / "days.yaml") if own is not None else (None, None)
        days = days if days is not None and days.is_file() else None
        try:
            return read_calendar(path, days) if path is not None and path.is_file() else load_calendar(name, days)
        except KeyError:
            raise LookupError("there is no such calendar") from None
        except ConfigError as error:
            raise LookupError(str(error)) from error

    return named


def always_for_missing(calendars: Calendars) -> Calendars:
    """Return calendars among which none is missing: in place of one, every hour counts. The desk's log says so."""

    def named(name: str) -> Calendar:
        try:
            return calendars(name)
        except LookupError:
            return ALWAYS

    return named


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

    `store` is the address of a PostgreSQL database, "" for the file in `state`.
    `contract`, `region` and `timezone` are what a site gets that is enrolled without its own; timezone "" is the desk
    host's. `grace` is how long after its start the desk calls no site silent; `missed` heartbeats make one silent.
    Receipts and what is put out for connectors are kept for `receipts_for` and `told_for`. `contracts` is a folder of
    contracts and calendars of one's own, `roster` the file of who is told what. A resolved ticket closes by itself
    `close_after` its end, where nobody's word is asked for. `clock_kept_by_host`: what runs this machine sets its clock
    right, though the kernel knows of no time server.
    """

    state: Path
    store: str = ""
    contracts: Path | None = None
    roster: Path | None = None
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
    clock_kept_by_host: bool = False
    body_limit: int = 16 * 1024 * 1024
    body_seconds: float = 20.0
    streams: int = 500

"""`roundsman doctor`: what is wrong at a site and what to do, while the agent runs or does not.

A check is a function of the site that gives findings; `CHECKS` is all of them. Nothing is written, no port is opened
and no device is asked: what the running agent has read is its own word.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.control import ControlError, ask
from agent.credentials import Credentials
from agent.journal import MIGRATIONS
from agent.words_doctor import SAID
from config.node import ConfigError
from config.site import Site
from connectors.desk import DeskError
from model.finding import Finding, found
from runtime.clock import synchronised
from runtime.trust import CertificateError
from runtime.writer import reader

Check = Callable[[Site], Iterable[Finding]]
LITTLE = 256 << 20  # bytes free
DEEP = 1000  # events that wait
_AFTER_ALL = 2**53  # a command's id that none reaches: the desk is asked, and gives nothing


def folder(site: Site) -> Iterator[Finding]:
    """The state folder is there, may be written, and its disk has room."""
    state = site.agent.state
    if not state.is_dir():
        yield _finding("no_folder", path=state)
        return
    if not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        yield _finding("not_writable", path=state)
    free = shutil.disk_usage(state).free
    if free < LITTLE:
        yield _finding("little_room", path=state, free=free >> 20)
    for path in sorted(state.glob("*.damaged-*")):
        if not path.name.endswith(("-wal", "-shm")):
            yield _finding("put_aside", path=path)


def journal(site: Site) -> Iterator[Finding]:
    """The journal is sound, of this program's version, and not too much waits in it."""
    path = site.agent.state / "journal.db"
    if not path.is_file() or not os.access(path, os.R_OK):
        return
    try:
        with closing(reader(path)) as db:
            why = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            meta = {str(key): str(value) for key, value in db.execute("SELECT key, value FROM meta")}
    except sqlite3.Error as error:
        why, version, meta = str(error), 0, {}
    if why != "ok":
        yield _finding("damaged", path=path, why=" ".join(why.split()))
    if version > len(MIGRATIONS):
        yield _finding("newer", path=path, version=version, known=len(MIGRATIONS))
    waits = int(meta.get("seq", 0)) - int(meta.get("acked", 0))
    if waits > DEEP and site.desk is not None:
        yield _finding("behind", count=waits)


def running(site: Site) -> Iterator[Finding]:
    """The agent runs, takes traps, and its devices answer."""
    try:
        status = _asked(site, "status")
        readings = _asked(site, "read")
    except ControlError as error:
        yield _finding("not_running", why=error)
        return
    if status["trouble"]:
        yield _finding("traps", why=status["trouble"])
    for device in readings["devices"]:
        if not device["reachable"]:
            yield _finding("device", device=device["device"], why=device.get("error") or "no answer")


def ports(site: Site) -> Iterator[Finding]:
    """Each serial port is there and may be used."""
    for line in site.lines:
        if not isinstance(line.port, Path):
            continue
        if not line.port.exists():
            yield _finding("no_port", line=line.id, port=line.port)
        elif not os.access(line.port, os.R_OK | os.W_OK):
            yield _finding("closed_port", line=line.id, port=line.port)


def desk(site: Site) -> Iterator[Finding]:
    """The desk is named, answers, and knows the token."""
    if site.desk is None:
        yield _finding("no_desk", file=site.file)
        return
    try:
        asyncio.run(_desk_asked(site, site.desk.url, site.desk.token_file))
    except (ConfigError, CertificateError) as error:
        yield _finding("token_file", why=" ".join(str(error).split()))
    except DeskError as error:
        what = "refused" if error.permanent else "unreached"
        yield _finding(what, url=site.desk.url, why=error, site=site.id)


def clock(_: Site) -> Iterator[Finding]:
    """The machine follows a time server."""
    if synchronised() is False:
        yield _finding("unsynchronised")


CHECKS: tuple[Check, ...] = (folder, journal, running, ports, desk, clock)


def examine(site: Site, checks: tuple[Check, ...] = CHECKS) -> list[Finding]:
    """Return what is wrong, the worst first. A check that fails is a finding itself and stops no other."""
    return sorted((each for check in checks for each in _done(check, site)), key=lambda each: -each.weight)


def _done(check: Check, site: Site) -> list[Finding]:
    try:
        return list(check(site))
    except Exception as error:
        return [_finding("check_failed", check=check.__name__, why=f"{type(error).__name__}: {error}")]


def _finding(what: str, **fill: object) -> Finding:
    return found(SAID, what, **fill)


def _asked(site: Site, do: str) -> Any:
    return asyncio.run(ask(site.agent.control, do))


async def _desk_asked(site: Site, url: str, token_file: Path) -> None:
    async with Credentials(site, token_file).client(url) as client:
        await client.commands(_AFTER_ALL, wait=0)

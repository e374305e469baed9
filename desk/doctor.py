"""`roundsman desk doctor`: what is wrong with an installation and what to do, while the desk runs or does not.

A check is a function of a `Patient` that gives findings; `CHECKS` is all of them, in the order in which findings of one
weight are shown. What a finding says, and how much it weighs, is in `desk.words_doctor`. A check that fails is a
finding itself and stops no other. Nothing is written.
"""

import contextlib
import dataclasses
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from desk import doctor_file, doctor_people, doctor_running, doctor_sites
from desk.keeping import DATABASE
from desk.local import LocalError, read_local
from desk.patient import Finding, Patient, finding
from runtime.lock import is_locked
from runtime.writer import reader

Check = Callable[[Patient], Iterable[Finding]]
CHECKS: tuple[Check, ...] = (
    doctor_file.there,
    doctor_file.broken_off,
    doctor_file.sound,
    doctor_file.version,
    doctor_running.runs,
    doctor_running.answers,
    doctor_running.unit,
    doctor_file.books,
    doctor_file.incidents,
    doctor_file.room,
    doctor_file.modes,
    doctor_sites.contracts,
    doctor_sites.agents,
    doctor_sites.behind,
    doctor_sites.quarantine,
    doctor_people.roster,
    doctor_people.untold,
    doctor_people.servers,
    doctor_file.certificates,
    doctor_file.backed_up,
)


def examine(
    state: Path,
    *,
    roster: Path | None = None,
    contracts: Path | None = None,
    reach: bool = False,
    backups_within: float = 2 * 86_400.0,
    checks: tuple[Check, ...] = CHECKS,
) -> list[Finding]:
    """Return what is wrong, the worst first; roster and contracts are those of the desk's last start unless given."""
    local = None
    with contextlib.suppress(LocalError):
        local = read_local(state)
    patient = Patient(
        state,
        time.time(),
        roster or (Path(local.roster) if local and local.roster else None),
        contracts or (Path(local.contracts) if local and local.contracts else None),
        reach,
        backups_within,
        running=is_locked(state),
        local=local,
    )
    with _opened(patient) as opened:
        found = [each for check in checks for each in _done(check, opened)]
    return sorted(found, key=lambda each: -each.weight)  # a stable sort: the order of the checks stays


@contextlib.contextmanager
def _opened(patient: Patient) -> Iterator[Patient]:
    path = patient.state / DATABASE
    try:
        db = reader(path) if path.is_file() else None
        if db is not None:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except (OSError, sqlite3.Error) as error:
        yield dataclasses.replace(patient, unreadable=str(error))
        return
    if db is None:
        yield patient
        return
    with closing(db):
        yield dataclasses.replace(patient, db=db)


def _done(check: Check, patient: Patient) -> list[Finding]:
    try:
        return list(check(patient))
    except Exception as error:
        return [finding("check_failed", check=check.__name__, why=f"{type(error).__name__}: {error}")]

"""Checks of the desk's file and folder: sound, of this program's version, its books, room, modes, backups."""

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from desk.certificates import RENEWED_BEFORE, certificates_of
from desk.incidents import rebuilt
from desk.keeping import DATABASE, LAST, RESTORING, Last
from desk.patient import Finding, Patient, finding
from desk.placing import is_elsewhere
from desk.proof import check_books
from desk.schema import MIGRATIONS
from desk.words_doctor import span
from runtime.trust import CertificateError

LITTLE, NONE = 1 << 30, 64 << 20  # bytes free: to be seen to, and none to speak of
_TABLES = {  # what follows from the tickets' entries (`desk.incidents.rebuilt`), but for numbers that a restore moved
    "incident_tickets": "SELECT ticket, site, onset, ended FROM incident_tickets ORDER BY ticket, onset",
    "outages": "SELECT ticket, contract, region, cause, site, onset, lead, ended FROM outages ORDER BY ticket",
}


def there(patient: Patient) -> Iterator[Finding]:
    """There is a desk's file, and it may be read."""
    try:
        found = (patient.state / DATABASE).is_file()
    except PermissionError:
        yield finding("not_yours", path=patient.state)
        return
    if is_elsewhere(patient.state):
        yield finding("elsewhere")
    elif not found:
        yield finding("no_desk", state=patient.state)
    elif not os.access(patient.state / DATABASE, os.R_OK):
        yield finding("not_yours", path=patient.state / DATABASE)


def broken_off(patient: Patient) -> Iterator[Finding]:
    """No restore waits to be finished."""
    if (patient.state / RESTORING).exists():
        yield finding("broken_off")


def sound(patient: Patient) -> Iterator[Finding]:
    """Every page of the file is what it should be."""
    why = patient.unreadable
    if patient.db is not None:
        try:
            why = str(patient.db.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.Error as error:
            why = str(error)
    if why not in {"", "ok"}:
        yield finding("damaged", why=" ".join(why.split()))


def version(patient: Patient) -> Iterator[Finding]:
    """The file is of this program's version."""
    number = _version(patient)
    if number > len(MIGRATIONS):
        yield finding("newer", version=number, known=len(MIGRATIONS))
    elif 0 < number < len(MIGRATIONS):
        yield finding("older", version=number, known=len(MIGRATIONS))


def books(patient: Patient) -> Iterator[Finding]:
    """Every ticket's entries add up to its row."""
    if patient.db is not None and is_current(patient):
        wrong = check_books(patient.db)
        if wrong:
            yield finding("books", count=len(wrong), why=wrong[0])


def incidents(patient: Patient) -> Iterator[Finding]:
    """What is kept of incidents is what the entries give."""
    if patient.db is None or not is_current(patient):
        return
    with closing(rebuilt(patient.db)) as fresh:
        for table, sql in _TABLES.items():
            if [tuple(row) for row in fresh.execute(sql)] != [tuple(row) for row in patient.db.execute(sql)]:
                yield finding("incidents", table=table)


def room(patient: Patient) -> Iterator[Finding]:
    """The disk has room for what comes."""
    if not patient.state.is_dir():
        return
    disk = shutil.disk_usage(patient.state)
    free, percent = disk.free >> 20, round(100 * disk.free / disk.total)
    if disk.free < NONE:
        yield finding("no_room", state=patient.state, free=free)
    elif disk.free < LITTLE:
        yield finding("little_room", state=patient.state, free=free, percent=percent)


def modes(patient: Patient) -> Iterator[Finding]:
    """Nobody but the desk's user may read what it keeps, and all of it is that user's."""
    if not patient.state.is_dir():
        return
    folder = patient.state.stat()
    for path in (patient.state, *sorted(patient.state.iterdir())):
        found = path.lstat()
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISLNK(found.st_mode):
            continue
        if mode & 0o077 and not _below(patient.state, folder, path):
            right = "700" if path.is_dir() else "600"
            yield finding("open_to_others", path=path, mode=f"{mode:o}", right=right)
        if found.st_uid != folder.st_uid:
            yield finding("owners", path=path, owner=found.st_uid, other=folder.st_uid)


def certificates(patient: Patient) -> Iterator[Finding]:
    """The desk's certificate and its CA are good for a while."""
    try:
        held = certificates_of(patient.state)
    except CertificateError as error:
        yield finding("bad_certificate", why=error)
        return
    if held is None:
        return
    for which, ends in ((f"{held.folder.name}/desk.pem", held.ends), ("CA", held.ca_ends)):
        # one that the desk makes itself is made anew that long before its end
        limit = RENEWED_BEFORE if held.told.given or which == "CA" else RENEWED_BEFORE / 2
        if ends and ends - patient.now < limit:
            what = "certificate_over" if ends < patient.now else "certificate_ends"
            yield finding(what, which=which, day=time.strftime("%Y-%m-%d", time.localtime(ends)))


def backed_up(patient: Patient) -> Iterator[Finding]:
    """There is a backup that is not too old."""
    if patient.db is None:
        return
    try:
        last = msgspec.json.decode((patient.state / LAST).read_bytes(), type=Last)
    except (OSError, msgspec.MsgspecError):
        yield finding("no_backup")
        return
    if not Path(last.path).exists() and Path(last.path).parent.is_dir():
        yield finding("backup_gone", path=last.path)
    elif patient.now - last.at > patient.backups_within:
        yield finding("old_backup", age=span(patient.now - last.at), path=last.path)


def is_current(patient: Patient) -> bool:
    """Say whether the file has the tables that this program knows."""
    return _version(patient) == len(MIGRATIONS)


def _version(patient: Patient) -> int:
    try:
        return int(patient.db.execute("PRAGMA user_version").fetchone()[0]) if patient.db is not None else 0
    except sqlite3.Error:
        return 0


def _below(state: Path, folder: os.stat_result, path: Path) -> bool:
    """Say whether a file is kept from others by its folder's mode."""
    return path != state and not stat.S_IMODE(folder.st_mode) & 0o011

"""A backup is whole or it is refused; a restore that is killed anywhere leaves the old desk or becomes the new one."""

import gzip
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from desk.core import FILE
from desk.keeping import KeepingError, check, held
from desk.keeping_backup import back_up, backups
from desk.keeping_restore import finish, restore
from desk.local import Local, write_local
from desk.proof import check_books
from desk.schema import MIGRATIONS
from desk.store import Db
from runtime.lock import lock_folder
from runtime.writer import StoreError, Writer
from tests.desk_world import a_desk
from tests.test_desk_ledger_carried import made as of_version_2

REFUSED = "take another|does not begin with a manifest"


def a_state(folder: Path, incarnation: str = "one", version: int = len(MIGRATIONS)) -> Path:
    """Make a state folder with a desk's file and a key beside it."""
    folder.mkdir(mode=0o700)
    (folder / FILE).touch(mode=0o600)
    Writer(folder / FILE, MIGRATIONS[:version]).close()
    ask(folder, f"INSERT INTO desk VALUES (1, '{incarnation}', 0)")
    (folder / "tls").mkdir(mode=0o700)
    (folder / "tls" / "key.pem").write_text(f"key of {incarnation}\n")
    return folder


def ask(state: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(state / FILE, isolation_level=None)) as db:
        return db.execute(sql).fetchall()


def incarnation(state: Path) -> str:
    ((found,),) = ask(state, "SELECT incarnation FROM desk")
    return str(found)


@pytest.mark.parametrize("place", [".", "backups", "backups/b.tar.gz"])
def test_a_backup_into_the_desks_own_folder_is_refused_each_would_hold_all_before_it(
    tmp_path: Path, place: str
) -> None:
    state = a_state(tmp_path / "state")
    (state / "backups").mkdir()
    (tmp_path / "link").symlink_to(state)
    for folder in (state, tmp_path / "link"):
        with pytest.raises(KeepingError, match="name a folder elsewhere"):
            back_up(state, folder / place)
    assert backups(state) == backups(state / "backups") == []


def test_a_backup_under_a_clock_that_was_set_back_stays_whatever_the_names_of_those_before(tmp_path: Path) -> None:
    state, folder = a_state(tmp_path / "state"), tmp_path / "backups"
    folder.mkdir()
    ahead = [back_up(state, folder, now=1_900_000_000.0 + at)[0] for at in range(3)]
    path, _ = back_up(state, folder, keep=2, now=1_800_000_000.0)
    assert backups(folder) == [path, ahead[-1]]


def test_a_backup_of_a_file_that_is_being_written_is_of_one_commit(tmp_path: Path) -> None:
    state = a_state(tmp_path / "state")
    writer, ending = Writer(state / FILE, MIGRATIONS), threading.Event()
    begun = threading.Event()

    def pair(db: Db) -> None:
        db.execute("INSERT INTO commands (site, at, expires, body) VALUES ('S1', 1, 1, zeroblob(20000))")
        db.execute("INSERT INTO connector_outbox (at, ticket, reason, body) VALUES (1, 1, 'x', x'00')")

    def write() -> None:
        while not ending.is_set():
            writer.put(pair).result(10)
            begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(10)
        for number in range(3):
            _, manifest = back_up(state, tmp_path / f"{number}.tar.gz")
            fresh = tmp_path / f"fresh-{number}"
            restore(tmp_path / f"{number}.tar.gz", fresh)
            count = "SELECT (SELECT count(*) FROM commands WHERE site <> ''), (SELECT count(*) FROM connector_outbox)"
            ((commands, rows),) = ask(fresh, count)
            assert commands == rows
            assert manifest.last["commands"] == commands
    finally:
        ending.set()
        thread.join()
        writer.close()


def test_what_a_backup_holds_is_private_and_comes_back_private(tmp_path: Path) -> None:
    state = a_state(tmp_path / "state")
    own = tmp_path / "etc"
    (own / "contracts" / "calendars").mkdir(parents=True)
    (own / "roster.yaml").write_text("not good yet\n")
    (own / "contracts" / "mine.yaml").write_text("contract: mine\n")
    (own / "contracts" / "calendars" / "days.yaml").write_text("days: {}\n")
    write_local(
        state, Local("http://127.0.0.1:1", "secret of one run", str(own / "roster.yaml"), str(own / "contracts"))
    )
    path, manifest = back_up(state, tmp_path / "b.tar.gz")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.path for each in manifest.members] == [
        "state/desk.sqlite", "state/tls/key.pem",
        "own/roster/roster.yaml", "own/contracts/calendars/days.yaml", "own/contracts/mine.yaml",
    ]  # fmt: skip
    assert manifest.own == {"roster": str(own / "roster.yaml"), "contracts": str(own / "contracts")}
    fresh = tmp_path / "fresh"
    done = restore(path, fresh)
    assert (fresh / "tls" / "key.pem").read_text() == "key of one\n"
    assert (Path(done.own) / "contracts" / "mine.yaml").read_text() == "contract: mine\n"
    assert {each.stat().st_mode & 0o077 for each in (fresh, *fresh.rglob("*"))} == {0}
    assert incarnation(fresh) not in {"", "one"}


def test_a_folder_of_backups_keeps_the_newest(tmp_path: Path) -> None:
    state, folder = a_state(tmp_path / "state"), tmp_path / "backups"
    left = folder / ".backup-killed"
    left.mkdir(parents=True)
    os.utime(left, (0.0, 0.0))
    (folder / "desk-notes.txt").write_text("mine")
    for at in range(5):
        back_up(state, folder, keep=2, now=1_800_000_000.0 + at * 3600)
    assert [path.name for path in backups(folder)] == ["desk-20270115T110000Z.tar.gz", "desk-20270115T120000Z.tar.gz"]
    assert (folder / "desk-notes.txt").exists()
    assert not left.exists()
    with pytest.raises(KeepingError, match="is there already"):
        back_up(state, backups(folder)[0])
    with pytest.raises(KeepingError, match="there is no desk in"):
        back_up(folder, tmp_path / "none.tar.gz")


def test_a_file_that_is_damaged_is_not_backed_up(tmp_path: Path) -> None:
    state = a_state(tmp_path / "state")
    raw = bytearray((state / FILE).read_bytes())
    for page in range(4096 * 6, len(raw), 4096):
        raw[page : page + 64] = b"\xff" * 64
    (state / FILE).write_bytes(raw)
    with pytest.raises(KeepingError, match=r"is damaged|malformed"):
        back_up(state, tmp_path / "b.tar.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


def test_a_backup_that_was_cut_changed_or_is_none_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    good, _ = back_up(a_state(tmp_path / "state"), tmp_path / "b.tar.gz")
    there = a_state(tmp_path / "there", "two")
    raw = good.read_bytes()
    bad = tmp_path / "bad.tar.gz"
    inside = bytearray(gzip.decompress(raw))
    place = inside.index(b"key of one")
    inside[place : place + 3] = b"KEY"
    for content in (raw[: len(raw) // 2], raw[: len(raw) * 3 // 4], b"", b"hello", gzip.compress(bytes(inside))):
        bad.write_bytes(content)
        with pytest.raises(KeepingError, match=REFUSED):
            check(bad)
        with pytest.raises(KeepingError, match=REFUSED):
            restore(bad, there)
        assert incarnation(there) == "two"
    assert check(good).incarnation == "one"


@pytest.mark.parametrize("name", ["state/../../out", "/etc/out", "state/tls/more"])
def test_a_backup_with_what_its_manifest_does_not_name_is_refused(tmp_path: Path, name: str) -> None:
    good, _ = back_up(a_state(tmp_path / "state"), tmp_path / "b.tar.gz")
    bad = tmp_path / "bad.tar.gz"
    with tarfile.open(good) as old, tarfile.open(bad, "w:gz") as new:
        for entry in old:
            new.addfile(entry, old.extractfile(entry))
        added = tarfile.TarInfo(name)
        added.size = 3
        new.addfile(added, io.BytesIO(b"abc"))
    with pytest.raises(KeepingError, match="which its manifest does not name"):
        restore(bad, tmp_path / "fresh")
    assert not (tmp_path / "out").exists()


def test_a_desk_that_runs_is_not_written_over_and_two_desks_share_no_folder(tmp_path: Path) -> None:
    state = a_state(tmp_path / "state")
    good, _ = back_up(state, tmp_path / "b.tar.gz")
    lock = lock_folder(state)
    with pytest.raises(KeepingError, match=r"a desk runs in .*: stop it first"):
        restore(good, state)
    with pytest.raises(StoreError, match="a desk already runs"), held(state):
        pass
    os.close(lock)
    assert Path(restore(good, state).aside, FILE).exists()


def test_a_clock_that_is_before_the_backup_is_refused(tmp_path: Path) -> None:
    good, _ = back_up(a_state(tmp_path / "state"), tmp_path / "b.tar.gz")
    with pytest.raises(KeepingError, match="set the clock first"):
        restore(good, tmp_path / "fresh", now=time.time() - 86_400.0)


def test_numbers_go_on_after_those_that_the_old_file_gave(tmp_path: Path) -> None:
    state = a_state(tmp_path / "state")
    ask(state, "INSERT INTO sqlite_sequence VALUES ('tickets', 1300)")
    good, _ = back_up(state, tmp_path / "b.tar.gz")
    assert restore(good, tmp_path / "fresh").next_ticket == 2001
    assert restore(good, a_state(tmp_path / "begun-anew", "another")).next_ticket == 2001
    ask(state, "UPDATE sqlite_sequence SET seq = 1317")
    done = restore(good, state)
    assert done.next_ticket == 1318
    assert incarnation(Path(done.aside)) == "one"
    ask(state, "UPDATE sqlite_sequence SET seq = 2500 WHERE name = 'tickets'")
    assert restore(good, state).next_ticket == 2501  # the same backup once more: not what it gave meanwhile


@pytest.mark.parametrize("version", [1, 2])
async def test_a_backup_of_every_released_version_is_restored_and_its_desk_starts(tmp_path: Path, version: int) -> None:
    state = a_state(tmp_path / "state", version=version)
    writer = Writer(state / FILE, MIGRATIONS[:version])
    writer.put(of_version_2).result(10)
    writer.close()
    good, manifest = back_up(state, tmp_path / "b.tar.gz")
    assert (manifest.schema, manifest.tickets) == (version, 6)
    fresh = tmp_path / "fresh"
    assert restore(good, fresh).tickets == 6
    async with a_desk(fresh) as world:
        assert [row["number"] for row in await world.tickets()] == [1, 2, 3, 4, 5, 6]
        assert await world.desk.store.read(check_books) == []


@pytest.mark.parametrize("version", [1, 2])
async def test_a_file_of_every_released_version_is_carried_forward_with_all_it_has(
    tmp_path: Path, version: int
) -> None:
    state = a_state(tmp_path / "state", version=version)
    writer = Writer(state / FILE, MIGRATIONS[:version])
    writer.put(of_version_2).result(10)
    writer.close()
    async with a_desk(state) as world:
        assert len(await world.tickets()) == 6
        assert await world.desk.store.read(check_books) == []
    assert ask(state, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert incarnation(state) == "one"


def test_what_a_newer_program_wrote_is_refused_with_what_to_do(tmp_path: Path) -> None:
    state = a_state(tmp_path / "state")
    ask(state, "PRAGMA user_version=99")
    with pytest.raises(StoreError, match="is of version 99, this program knows 3: install the newer program again"):
        Writer(state / FILE, MIGRATIONS)
    good, _ = back_up(state, tmp_path / "b.tar.gz")
    with pytest.raises(KeepingError, match=r"made by the newer program .*: install that one"):
        restore(good, tmp_path / "fresh")
    raw = msgspec.json.encode({"format": 2, "anything": "else"})
    with tarfile.open(tmp_path / "new.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(raw)
        archive.addfile(entry, io.BytesIO(raw))
    with pytest.raises(KeepingError, match=r"newer program \(format 2\)"):
        check(tmp_path / "new.tar.gz")


def test_a_restore_that_is_killed_anywhere_leaves_the_old_desk_or_becomes_the_new_one(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    good, _ = back_up(a_state(tmp_path / "state", "new"), tmp_path / "b.tar.gz")
    ends: list[str] = []
    for number in range(1, 60):
        there = a_state(tmp_path / f"there-{number}", "old")
        inject = f"inject=rename,unlink,rmdir:signal=SIGKILL:when={number}"
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,unlink,rmdir", "-e", inject]
        roundsman = [sys.executable, "-B", "-m", "roundsman", "desk", "restore", str(good), "--state", str(there)]
        done = subprocess.run([*command, *roundsman], capture_output=True, check=False)
        ends.append(_after_the_kill(there))
        if done.returncode == 0:
            break
    assert ends[0] == "old"
    assert ends[-1] == "new"
    assert "finished" in ends
    assert ends == sorted(ends, key=("old", "finished", "new").index)


def _after_the_kill(state: Path) -> str:
    """Say what a state folder is after a restore was killed, by what a desk and the command make of it."""
    if (state / "restoring.json").exists():
        with pytest.raises(StoreError, match="restore --finish` ends"), held(state):
            pass
        done = finish(state)
        assert incarnation(Path(done.aside)) == "old"
        assert (Path(done.aside) / "tls" / "key.pem").read_text() == "key of old\n"
        became = "finished"
    else:
        became = "old" if incarnation(state) == "old" else "new"
    with held(state):
        key = (state / "tls" / "key.pem").read_text()
    assert key == ("key of old\n" if became == "old" else "key of new\n")
    if became != "old":
        assert incarnation(state) not in {"old", "new"}
        assert ask(state, "PRAGMA integrity_check") == [("ok",)]
    return became

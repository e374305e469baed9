"""The desk on a real PostgreSQL: copied to, killed, cut off in the middle of a commit; nothing is lost or doubled."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from desk.copying import COPIED, copy
from desk.doctor import examine
from desk.enrol import enrol
from desk.keeping import KeepingError
from desk.keeping_backup import back_up
from desk.local import read_local
from desk.placing import DATABASE
from desk.proof import check_books
from desk.schema import MIGRATIONS
from desk.store import opened
from desk.store_postgres import PostgresStore
from roundsman.cli import run
from runtime.dialect import translated
from runtime.postgres import Connection
from runtime.postgres_writer import PostgresWriter
from runtime.writer import StoreError
from tests.desk_world import Hands, a_desk, change, cleared
from tests.peers.house import free_port, until
from tests.stores import Server, of_a_file

NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One that keeps what it promised."""
    made = Server()
    yield made
    made.remove()


@pytest.fixture
def address(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    name = "d" + re.sub(r"\W", "", request.node.name.lower())[-50:]
    server.ask("postgres", f"CREATE DATABASE {name}")
    yield server.address(name)
    server.ask("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(address: str) -> Iterator[PostgresStore]:
    opened = PostgresStore(address, now=NOW)
    yield opened
    opened.close()


def note(store: PostgresStore, what: str) -> Any:
    sql = "INSERT INTO audit (at, who, source, what, site, episode, detail) VALUES (1.0, 'x', '', ?, 'S', '', x'')"
    return store.writer.put(lambda db: db.execute(sql, (what,)).rowcount)


def noted(store: PostgresStore) -> list[str]:
    rows = store.writer.put(lambda db: db.execute("SELECT what FROM audit ORDER BY id").fetchall()).result()
    return [what for (what,) in rows]


@of_a_file
async def test_a_copied_desk_is_the_same_one_and_goes_on(tmp_path: Path, address: str) -> None:
    clock = Hands()
    async with a_desk(tmp_path, clock) as world:
        agent = await world.agent()
        await agent.send(change(), change(fault="fan.stopped", episode="e2"))
        incarnation, before = world.desk.store.incarnation, await world.tickets()
        audit = await world.audit()
    done = copy(tmp_path, address)
    assert (done.incarnation, done.rows["tickets"], done.rows["entries"]) == (incarnation, 2, 2)
    assert (tmp_path / COPIED).exists()
    assert not (tmp_path / DATABASE).exists()
    async with a_desk(tmp_path, clock, store=address) as world:
        agent.world = world
        assert await world.tickets() == before
        assert await world.audit() == audit
        answer = await agent.send(change(), change(fault="fan.stopped", episode="e2"), first=1)
        assert answer.json() == {"incarnation": incarnation, "acked": 2, "refused": []}
        await agent.send(cleared(change()), change(fault="door.open", episode="e3"))
        assert [(row["number"], row["state"]) for row in await world.tickets()] == [
            (1, "resolved"), (2, "open"), (3, "open"),
        ]  # fmt: skip
        with pytest.raises(sqlite3.IntegrityError):
            await world.desk.store.write(lambda db: db.execute("DELETE FROM audit"))


@of_a_file
@pytest.mark.parametrize(("lang", "said"), [("en", "1 tickets, and their books add up"), ("zh", "共1张工单，账目无误")])
async def test_the_command_copies_and_says_what_it_did(
    lang: str, said: str, tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["desk", "copy", address, "--state", str(tmp_path / "none")]) == 1
    async with a_desk(tmp_path) as world:
        await (await world.agent()).send(change())
    assert run(["desk", "copy", "--state", str(tmp_path)]) == 1
    assert "name the database" in capsys.readouterr().err
    assert run(["desk", "copy", address, "--state", str(tmp_path), "--lang", lang]) == 0
    assert said in capsys.readouterr().out
    assert run(["desk", "copy", address, "--state", str(tmp_path)]) == 1
    assert "there is no desk's file" in capsys.readouterr().err


@of_a_file
async def test_a_desk_is_copied_once_and_is_never_in_two_places(tmp_path: Path, address: str) -> None:
    for name in ("one", "two"):
        async with a_desk(tmp_path / name) as world:
            await (await world.agent()).send(change())
    copy(tmp_path / "one", address)
    with pytest.raises(StoreError, match="the database is not empty: desk has rows"):
        copy(tmp_path / "two", address)
    assert (tmp_path / "two" / DATABASE).exists()
    with pytest.raises(StoreError, match="start it with --store"):
        async with a_desk(tmp_path / "one"):
            pass
    with pytest.raises(StoreError, match="there is a desk's file"):
        async with a_desk(tmp_path / "two", store=address):
            pass


async def test_doctor_and_backup_say_that_the_data_is_elsewhere(tmp_path: Path, address: str) -> None:
    async with a_desk(tmp_path, store=address):
        pass
    assert [each.what for each in examine(tmp_path) if each.what in {"elsewhere", "no_desk"}] == ["elsewhere"]
    with pytest.raises(KeepingError, match="back that up with pg_dump"):
        back_up(tmp_path, tmp_path / "backup")


def test_a_second_desk_is_refused_while_the_first_one_lives(address: str, store: PostgresStore) -> None:
    with pytest.raises(StoreError, match="another desk writes into this database"):
        PostgresStore(address, now=NOW)
    store.close()
    PostgresStore(address, now=NOW).close()


async def test_a_database_of_an_older_version_is_brought_forward(tmp_path: Path, address: str, server: Server) -> None:
    name = address.partition("@/")[2].partition("?")[0]
    PostgresWriter(address, MIGRATIONS[:2]).close()
    assert server.ask(name, "SELECT version FROM schema_version") == [(2,)]
    async with a_desk(tmp_path, store=address) as world:
        await (await world.agent()).send(change())
        assert len(await world.tickets()) == 1
    assert server.ask(name, "SELECT version FROM schema_version") == [(len(MIGRATIONS),)]


def test_a_database_of_a_newer_program_is_left_alone(address: str, server: Server) -> None:
    PostgresWriter(address, (*MIGRATIONS, "CREATE TABLE of_the_future (n INTEGER) STRICT;\n")).close()
    with pytest.raises(StoreError, match="install the newer program"):
        PostgresStore(address, now=NOW)


async def test_a_database_that_is_not_there_makes_nothing_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        async with a_desk(tmp_path, store=f"postgresql://desk@/x?host={tmp_path}"):
            pass
    async with a_desk(tmp_path, store=""):
        pass  # it may begin with a file yet


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no postgresql://"):
        opened(tmp_path / DATABASE, "mysql://x", now=NOW, waiting=10)
    with pytest.raises(StoreError, match="No such file or directory"):
        opened(tmp_path / DATABASE, f"postgresql://desk@/x?host={tmp_path}", now=NOW, waiting=10)


def test_a_job_that_fails_takes_nothing_of_the_others_with_it(store: PostgresStore) -> None:
    good = note(store, "before")
    bad = store.writer.put(lambda db: db.execute("INSERT INTO desk VALUES (1, 'again', 0.0)"))
    also = note(store, "after")
    assert (good.result(10), also.result(10)) == (1, 1)
    with pytest.raises(sqlite3.IntegrityError):
        bad.result(10)
    assert noted(store) == ["before", "after"]


def test_a_server_that_is_killed_and_comes_back_has_all_that_was_promised(store: PostgresStore, server: Server) -> None:
    promised = [note(store, f"{n}") for n in range(200)]
    promised[50].result(30)
    server.kill()
    more = [note(store, f"{n}") for n in range(200, 210)]
    server.start()
    kept, failed = [], []
    for n, each in enumerate([*promised, *more]):
        try:
            each.result(60)
            kept.append(f"{n}")
        except StoreError:
            failed.append(f"{n}")
    assert noted(store) == kept
    assert len(kept) > 50
    assert failed == []  # it was back before the writer gave up


async def test_who_reads_while_the_server_starts_again_is_answered(store: PostgresStore, server: Server) -> None:
    ask = lambda db: db.execute("SELECT count(*) AS n FROM audit").fetchone()["n"]  # noqa: E731
    assert await store.read(ask) == 0
    server.stop()
    with pytest.raises(StoreError, match="the database does not answer"):
        await store.read(ask)
    server.start()
    assert await store.read(ask) == 0


class Between:
    """What stands between desk and server, and cuts the line at a COMMIT: before the server hears it, or after."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self.cut = str(server.folder / ".s.PGSQL.5432"), ""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        self._open: list[socket.socket] = [self._listening]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._server)
            self._open += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other, one is near), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, asks: bool) -> None:
        try:
            while piece := one.recv(65536):
                if asks and self.cut and b"COMMIT" in piece:
                    how, self.cut = self.cut, ""
                    if how == "after":
                        other.sendall(piece)
                        self._answered(other)
                    break
                other.sendall(piece)
        except OSError:
            pass
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _answered(self, far: socket.socket) -> None:
        """Wait until the server has committed: it is seen by another."""
        for _ in range(2000):
            rows = self._server_asked("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")
            if rows[0][0] == 0:
                return

    def _server_asked(self, sql: str) -> list[Any]:
        connection = Connection(f"postgresql://desk@/postgres?host={Path(self._server).parent}")
        try:
            found: list[Any] = connection.execute(sql).fetchall()
        finally:
            connection.close()
        return found


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_line_cut_in_the_middle_of_a_commit_loses_and_doubles_nothing(
    when: str, address: str, server: Server, tmp_path: Path
) -> None:
    between = Between(server, tmp_path)
    store = PostgresStore(address.replace(str(server.folder), str(tmp_path)), now=NOW)
    try:
        assert note(store, "first").result(30) == 1
        between.cut = when
        assert note(store, "cut").result(30) == 1
        assert note(store, "next").result(30) == 1
        assert between.cut == ""
        assert noted(store) == ["first", "cut", "next"]
    finally:
        store.close()
        between.close()


def test_a_writer_whose_place_another_took_writes_no_more(address: str, server: Server) -> None:
    first = PostgresStore(address, now=NOW)
    name = address.partition("@/")[2].partition("?")[0]
    server.ask("postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.ask("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?", name)
    waits = note(first, "late")
    server.ask("postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    waits.result(30)
    server.ask(name, "UPDATE writer SET name = 'another'")
    server.ask("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ?", name)
    with pytest.raises(StoreError, match="another desk has written into it meanwhile"):
        note(first, "too late").result(30)
    first.close()


@contextmanager
def a_process(state: Path, address: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """A real desk on the database, whose address it has from its environment."""
    (state / "local.json").unlink(missing_ok=True)
    words = [sys.executable, "-m", "roundsman", "desk", "--state", str(state), "--listen", f"127.0.0.1:{free_port()}"]
    process = subprocess.Popen(words, env={**os.environ, "ROUNDSMAN_STORE": address}, stderr=subprocess.DEVNULL)
    try:
        until(lambda: (state / "local.json").exists() or process.poll() is not None, "the desk answers")
        with httpx.Client(base_url=read_local(state).url, trust_env=False, timeout=30) as client:
            yield process, client
    finally:
        process.kill()
        process.wait(20)


class Storm:
    """An agent that sends batches of faults, and goes on after the last that the desk has taken."""

    def __init__(self, state: Path, client: httpx.Client) -> None:
        code = enrol(state, "S1", contract="telecom-transmission", region="prd").partition("#")[2]
        answer = client.post("/api/v1/enrol", json={"code": code, "agent": "agent-0001", "version": "1"})
        self.headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        self.events = [{"seq": n, "age": 0.0, "body": change(device=f"ups{n}", episode=f"e{n}")} for n in range(1, 401)]
        self.acked = 0

    def send(self, client: httpx.Client, most: int = 10) -> None:
        request = {"agent": "agent-0001", "epoch": "one", "oldest": 1, "wall": 0.0,
                   "events": self.events[self.acked : self.acked + most]}  # fmt: skip
        answer = client.post("/api/v1/events", content=msgspec.json.encode(request), headers=self.headers)
        if answer.status_code == 200:
            self.acked = answer.json()["acked"]


@pytest.mark.parametrize("killed", ["desk", "server"])
def test_a_storm_in_which_desk_or_server_is_killed_is_taken_whole_and_once(
    killed: str, address: str, server: Server, tmp_path: Path
) -> None:
    with a_process(tmp_path, address) as (process, client):
        storm = Storm(tmp_path, client)
        while storm.acked < 100:
            storm.send(client)
        flying = threading.Thread(target=_sent, args=(storm, client))
        flying.start()
        if killed == "desk":
            process.send_signal(signal.SIGKILL)
        else:
            server.kill()
            server.start()
        flying.join(60)
        if killed == "server":
            while storm.acked < 400:
                storm.send(client, 50)
    if killed == "desk":
        with a_process(tmp_path, address) as (_, client):
            while storm.acked < 400:
                storm.send(client, 50)
    connection = Connection(address)
    rows = connection.execute("SELECT condition, count(*) FROM tickets GROUP BY condition").fetchall()
    assert (len(rows), {count for _, count in rows}) == (400, {1})
    assert connection.execute("SELECT count(*), max(seq) FROM receipts").fetchone() == (400, 400)
    assert (
        connection.execute("SELECT count(*) FROM fired GROUP BY ticket, clock, step HAVING count(*) > 1").fetchall()
        == []
    )
    assert check_books(connection) == []  # type: ignore[arg-type]  # asked as SQLite's is
    connection.close()


def _sent(storm: Storm, client: httpx.Client) -> None:
    with suppress(httpx.HTTPError):
        for _ in range(30):
            storm.send(client)


def test_the_sql_of_one_is_the_sql_of_the_other() -> None:
    assert translated("SELECT max(a, ?), max(b), '?' FROM t WHERE \"end\" > ?") == (
        "SELECT greatest(a, $1), max(b), '?' FROM t WHERE \"end\" > $2"
    )
    assert translated("SELECT ?2, ?1, CAST(t.record AS TEXT)") == "SELECT $2, $1, convert_from(t.record, 'UTF8')"
    assert translated("CREATE TABLE a (n INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT, b BLOB DEFAULT x'') STRICT") == (
        'CREATE TABLE a (n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, t TEXT COLLATE "C",'
        " b BYTEA DEFAULT '\\x'::BYTEA)"
    )

"""The courier: killed and started again, a roster that changes under it, a transaction that does not happen."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import httpx
import msgspec
import pytest

from desk.enrol import enrol
from desk.ledger import append
from desk.messages import GIVE_UP, back_off
from desk.store import Db
from model.service.entry import LevelSet
from tests.desk_world import change
from tests.peers.house import PATIENCE, until
from tests.post_office import a_mail_server, a_receiver
from tests.told_world import an_office, roster_file


class Running:
    """A desk in a process of its own, and one agent that speaks to it."""

    def __init__(self, folder: Path, roster: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.state, self.log = folder / "state", folder / "desk.log"
        self.words = ["desk", "--state", str(self.state), "--listen", f"127.0.0.1:{port}", "--roster", str(roster)]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "roundsman", *self.words]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        until(self.answers, "the desk's first answer")

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/healthz").status_code == 200
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait(PATIENCE)

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def outage(self) -> None:
        code = enrol(self.state, "S1", name="Hall 1", contract="telecom-transmission", region="prd").partition("#")[2]
        answer = self.client.post("/api/v1/enrol", json={"code": code, "agent": "agent-0001", "version": "1"})
        event = {"seq": 1, "age": 0.0, "body": change(fault="mains.lost", episode="e1")}
        body = {"agent": "agent-0001", "epoch": "one", "oldest": 1, "wall": 0.0, "events": [event]}
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        taken = self.client.post("/api/v1/events", content=msgspec.json.encode(body), headers=headers)
        assert taken.json()["acked"] == 1, taken.text


def _deaf_all_day(text: str) -> str:
    """Whoever has the first shift has it all day; the server takes their mail and never says so."""
    text = text.replace("quiet: 22:00-07:00\n", "").replace("zhang@example.com", "deaf@example.com")
    return text.replace("who: li, hours: 20:00-08:00", "who: zhang, hours: 20:00-08:00")


def test_a_desk_killed_while_it_sends_sends_the_same_message_again(tmp_path: Path) -> None:
    with a_mail_server(tmp_path) as post, a_receiver() as receiver, contextlib.ExitStack() as stack:
        desk = stack.enter_context(Running(tmp_path, roster_file(tmp_path, post, receiver, _deaf_all_day)))
        desk.outage()
        until(lambda: post.to("deaf@example.com"), "the first try")
        desk.end(signal.SIGKILL)
        desk.start()
        until(lambda: len(post.to("deaf@example.com")) > 1, "the second try")
        desk.end(signal.SIGKILL)
        first, second = post.to("deaf@example.com")[:2]
        assert first["headers"] == second["headers"]
        assert first["text"] == second["text"]
        assert first["headers"]["Message-ID"].endswith("@example.com>")


def test_a_desk_that_is_told_to_stop_does_not_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    with a_mail_server(tmp_path) as post, a_receiver() as receiver, contextlib.ExitStack() as stack:
        desk = stack.enter_context(Running(tmp_path, roster_file(tmp_path, post, receiver, _deaf_all_day)))
        desk.outage()
        until(lambda: post.to("deaf@example.com"), "the first try")
        begun = time.monotonic()
        desk.end(signal.SIGTERM)
        assert time.monotonic() - begun < 15


def test_a_desk_starts_with_a_roster_that_cannot_be_used_and_takes_the_one_that_can(tmp_path: Path) -> None:
    with a_mail_server(tmp_path) as post, a_receiver() as receiver, contextlib.ExitStack() as stack:
        roster = roster_file(tmp_path, post, receiver, lambda text: text.replace("apart:", "apert:"))
        desk = stack.enter_context(Running(tmp_path, roster))
        said = desk.client.get("/api/v1/roster").json()
        assert 'unknown key; did you mean "apart"?' in said["problem"]
        assert said["digest"] == ""
        roster_file(tmp_path, post, receiver, str)
        until(lambda: desk.client.get("/api/v1/roster").json()["digest"], "the roster is read")
        assert desk.client.get("/api/v1/roster").json()["problem"] == ""
        desk.end(signal.SIGTERM)
        assert "the roster cannot be used" in desk.log.read_text()


# --- in the test's own time -----------------------------------------------------------------------------------------


async def test_a_bad_roster_leaves_the_one_before_in_force(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        path = office.world.desk.people.path
        assert path is not None
        path.write_text("people: none at all\n", encoding="utf-8")
        await office.fault()
        await office.carry()
        assert len(office.told("zhang")) == 1
        assert "people" in office.world.desk.people.problem


async def test_who_leaves_the_roster_before_being_told_is_not_told_and_the_next_is(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 23:00") as office:
        await office.fault()
        await office.carry()  # held for li until the morning
        path = office.world.desk.people.path
        assert path is not None
        path.write_text(path.read_text().replace("mail: li@example.com, ", ""), encoding="utf-8")
        await office.on(8 * 3600)
        assert office.told("li") == []
        assert [body["person"] for body in office.receiver.bodies()] == ["li"]  # by the way that is left


async def test_what_is_rolled_back_tells_nobody(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.fault()
        await office.carry()
        desk = office.world.desk

        def fails(db: Db) -> None:
            append(desk.ledger(db), 1, "boss", "test", LevelSet(1, "the customer called"))
            assert db.execute("SELECT count(*) FROM occasions").fetchone()[0] > 1
            raise LookupError("after all of it")

        with pytest.raises(LookupError):
            await desk.store.write(fails)
        assert len(await office.rows("SELECT * FROM occasions")) == 1


async def test_a_message_is_given_up_after_its_last_try_and_said(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00", lambda text: text.replace("zhang@", "busy@")) as office:
        await office.fault()
        await office.carry()
        for tries in range(1, GIVE_UP):
            await office.on(back_off(tries))
        (message,) = await office.rows("SELECT * FROM messages WHERE person = 'zhang'")
        assert (message["state"], message["tries"]) == ("failed", GIVE_UP)
        await office.on(86_400)
        assert [row["tries"] for row in await office.rows("SELECT tries FROM messages WHERE id = 1")] == [GIVE_UP]


async def test_a_server_that_hangs_delays_nobody_else(tmp_path: Path) -> None:
    def hung(text: str) -> str:
        return text.replace("zhang@example.com", "deaf@example.com").replace("hours: 20:00-08:00", "hours: 00:00-24:00")

    async with an_office(tmp_path, "2026-11-20 12:00", hung) as office:
        await office.fault()
        await office.courier.look()
        await asyncio.to_thread(until, lambda: office.told("li"), "li is told")
        (message,) = await office.rows("SELECT state FROM messages WHERE person = 'zhang'")
        assert message["state"] == "sending"
        await office.courier.end()


async def test_without_a_roster_nobody_is_told_and_nothing_is_told_late(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        people = office.world.desk.people
        file, people.path, people.file = people.file, None, None
        await office.fault()
        await office.carry()
        people.file = file
        await office.on(3600)
        assert office.post.mails == []


async def test_what_was_told_long_ago_is_forgotten_and_what_waits_is_not(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.fault()
        await office.carry()
        office.courier._forget_due = 0.0
        await office.on(31 * 86_400)
        kept = await office.rows("SELECT what FROM occasions WHERE what = 'opened'")
        assert kept == []
        assert await office.rows("SELECT * FROM messages WHERE id = 1") == []

"""One desk, one site's agent, and the card that makes its faults, in a folder of their own on loopback."""

import http.client
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.crash.card import POLLS, READY, SHELVES, SILENT
from tests.crash.processes import ROUNDSMAN, Child, Forked, HarnessError, Started, until
from tests.crash.proxy import Proxy

Rows = list[tuple[Any, ...]]
SITE = "crash-1"
RESTS = 0.2  # seconds of a poll's consequences: many times what they take
SITE_FILE = """\
site: {{id: crash-1, name: Crash site, contract: demo}}
agent: {{state: {state}, metrics: "127.0.0.1:{metrics}", control: {control}}}
desk: {{url: "http://127.0.0.1:{desk}", token_file: desk.token}}
credentials: {{card: {{version: 2c, community_file: community}}}}
snmp:
  every: 1s
  devices:
    - {{id: shelves, address: 127.0.0.1, port: {card}, credential: card, definition: subrack, timeout: 1s}}
rules:
  subrack.cooling: {{flapping: told{rule}}}
"""


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 that was free a moment ago, outside the range that the kernel gives to clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class World:
    """A context: leaving it ends every process. `cold` starts programs anew instead of forking them."""

    def __init__(self, folder: Path, *, cold: bool = False, proxied: bool = False, extra: str = "") -> None:
        self.folder = folder
        self.cold = cold
        self.agent_state, self.desk_state = folder / "agent", folder / "desk"
        self.ports = {name: free_port() for name in ("desk", "metrics")} | {"card": free_port(socket.SOCK_DGRAM)}
        self.site_file = folder / "site.yaml"
        self.desk: Child | None = None
        self.agent: Child | None = None
        self.starts = {"agent": 0, "desk": 0}
        self._switches = folder / "switches"
        self._card: subprocess.Popen[bytes] | None = None
        self._proxy: Proxy | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._switches.write_bytes(bytes(SHELVES + 3))
        (folder / "community").write_text("public\n")
        (folder / "community").chmod(0o600)
        self._proxied = proxied
        self.through = free_port() if proxied else self.ports["desk"]
        self.write_site(extra)

    def write_site(self, extra: str = "", *, rule: str = "") -> None:
        """Write the site file; `through` is the port where the agent finds the desk."""
        text = SITE_FILE.format(
            state=self.agent_state,
            control=self.folder / "control.sock",
            metrics=self.ports["metrics"],
            desk=self.through,
            card=self.ports["card"],
            rule=f", {rule}" if rule else "",
        )
        self.site_file.write_text(text + extra)

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _begin(self) -> None:
        command = [sys.executable, "-m", "tests.crash.card", str(self._switches), str(self.ports["card"])]
        self._card = subprocess.Popen(command)
        if self._proxied:
            self._proxy = Proxy(self.folder, self.through, self.ports["desk"])
        self.start_desk()
        self.until_desk_answers()
        self.join()
        until("the card answers", lambda: self._switches.read_bytes()[READY])

    def end(self) -> None:
        """End every process."""
        self.kill_agent()
        self.kill_desk()
        if self._proxy is not None:
            self._proxy.end()
        if self._card is not None:
            self._card.kill()
            self._card.wait()

    @property
    def proxy(self) -> Proxy:
        """The bad line, of a world that has one."""
        if self._proxy is None:
            raise HarnessError("this world has no proxy")
        return self._proxy

    def join(self) -> None:
        """Enrol the site with the running desk and give the agent its token."""
        line = self.command(
            "desk", "enrol", SITE, "--state", str(self.desk_state), "--contract", "demo", "--region", "rest"
        ).split("\n")[0]
        redeemed = line.replace(f":{self.ports['desk']}#", f":{self.through}#")
        self.command("join", redeemed, "--site", str(self.site_file))

    def command(self, *words: str) -> str:
        """Run a command of roundsman to its end and return what it printed."""
        done = subprocess.run([ROUNDSMAN, *words], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise HarnessError(f"roundsman {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    # --- the two that are killed ---------------------------------------------------------------------------------

    def start_desk(self, *, cold: bool | None = None) -> None:
        """Start the desk where it was."""
        listen = f"127.0.0.1:{self.ports['desk']}"
        self.desk = self._start("desk", ["desk", "--state", str(self.desk_state), "--listen", listen], cold=cold)

    def start_agent(self, *, cold: bool | None = None) -> None:
        """Start the agent."""
        self.agent = self._start("agent", ["agent", "--site", str(self.site_file)], cold=cold)

    def start(self) -> None:
        """Start what does not run, the desk first."""
        if self.desk is None or not self.desk.alive():
            self.start_desk()
            self.until_desk_answers()
        if self.agent is None or not self.agent.alive():
            self.start_agent()

    def kill_desk(self) -> None:
        """kill -9."""
        if self.desk is not None:
            self.desk.kill()
            self.desk = None

    def kill_agent(self) -> None:
        """kill -9."""
        if self.agent is not None:
            self.agent.kill()
            self.agent = None

    def _start(self, name: str, words: Sequence[str], *, cold: bool | None) -> Child:
        self.starts[name] += 1
        kind = Started if (self.cold if cold is None else cold) else Forked
        return kind(words, self.folder / f"{name}.log")

    def until_desk_answers(self) -> None:
        """Wait until the desk takes connections."""
        until("the desk answers", self._desk_listens)

    def _desk_listens(self) -> bool:
        if self.desk is not None and not self.desk.alive():
            raise HarnessError(f"the desk ended by itself: see {self.folder / 'desk.log'}")
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as asking:
            return asking.connect_ex(("127.0.0.1", self.ports["desk"])) == 0

    # --- what happens to it --------------------------------------------------------------------------------------

    def switch(self, shelf: int, *, stopped: bool) -> None:
        """Stop or start the fan of a shelf, from 0."""
        with self._switches.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), bytes((stopped,)), shelf)

    def silence(self, *, silent: bool) -> None:
        """Make the card deaf, or let it answer again."""
        self.switch(SILENT, stopped=silent)

    def polled(self) -> int:
        """Return how many polls the card has answered, modulo 256."""
        return self._switches.read_bytes()[POLLS]

    def stopped(self) -> list[bool]:
        """Return which fans stand."""
        return [bool(octet) for octet in self._switches.read_bytes()[:SHELVES]]

    def acknowledge(self, number: int, by: str) -> bool:
        """Take a ticket; False when the desk did not answer that this person has it."""
        asking = http.client.HTTPConnection("127.0.0.1", self.ports["desk"], timeout=5)
        try:
            headers = {"Content-Type": "application/json"}
            asking.request("POST", f"/api/v1/tickets/{number}/acknowledge", json.dumps({"by": by}), headers)
            answer = asking.getresponse()
            told = answer.read()
            return answer.status == 200 and json.loads(told)["acknowledged_by"] == by
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asking.close()

    def series(self) -> dict[str, float]:
        """Return the agent's /metrics page: each series as it is written there."""
        asking = http.client.HTTPConnection("127.0.0.1", self.ports["metrics"], timeout=2)
        try:
            asking.request("GET", "/metrics")
            lines = asking.getresponse().read().decode().splitlines()
        finally:
            asking.close()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    # --- what is on the disk -------------------------------------------------------------------------------------

    @property
    def agent_file(self) -> Path:
        """Where the agent's alarms and outbox are."""
        return self.agent_state / "journal.db"

    @property
    def desk_file(self) -> Path:
        """Where the desk's tickets are."""
        return self.desk_state / "desk.sqlite"

    def journal(self, sql: str, *values: Any) -> Rows:
        """Ask the agent's file one thing."""
        with looking(self.agent_file) as ask:
            return ask(sql, *values)

    def books(self, sql: str, *values: Any) -> Rows:
        """Ask the desk's file one thing."""
        with looking(self.desk_file) as ask:
            return ask(sql, *values)

    def meta(self) -> dict[str, str]:
        """Return the agent's position: epoch, seq, acked, cursor."""
        return dict(self.journal("SELECT key, value FROM meta"))

    def cursor(self, epoch: str) -> int:
        """Return how far the desk has an epoch."""
        found = self.books("SELECT seq FROM cursors WHERE epoch = ?", epoch)
        return int(found[0][0]) if found else 0

    def standing(self) -> list[bool]:
        """Return which shelves have a running alarm in the agent's file."""
        alarms = {c: json.loads(a) for c, a in self.journal("SELECT condition, alarm FROM alarms")}
        return [bool(alarms.get(condition(shelf), {}).get("active")) for shelf in range(SHELVES)]

    def ticket(self, shelf: int) -> tuple[int, str] | None:
        """Return number and state of the ticket of a shelf that is not closed."""
        found = self.books(
            "SELECT number, state FROM tickets WHERE condition = ? AND state <> 'closed'", condition(shelf)
        )
        return (int(found[0][0]), str(found[0][1])) if found else None

    def settled(self) -> bool:
        """Say whether agent and desk know all that the card shows and each other's words."""
        if self.standing() != self.stopped():
            return False
        meta = self.meta()  # after the alarms: what is told of them is in it
        wanted = self.books("SELECT max(id) FROM commands")[0][0] or 0
        return (
            meta["seq"] == meta["acked"]
            and self.cursor(meta["epoch"]) == int(meta["seq"])
            and int(meta["cursor"]) >= wanted
        )

    def settle(self, seconds: float = 20.0) -> str:
        """Start everything anew and wait until all is known; returns what is missing, "" when nothing is."""
        self.kill_agent()
        self.kill_desk()
        self.start()
        polls = self.polled()
        try:
            until("the agent polls", lambda: self.polled() != polls, seconds)
            until("all is settled", self.settled, seconds)
            time.sleep(RESTS)
            until("all stays settled", self.settled, seconds)
        except HarnessError:
            meta = self.meta()
            return (
                f"not settled within {seconds:g} s: the card shows {self.stopped()}, the agent {self.standing()};"
                f" outbox {meta['acked']} of {meta['seq']}, the desk has {self.cursor(meta['epoch'])}"
            )
        return ""


def condition(shelf: int) -> str:
    """Return the condition of a shelf, from 0."""
    return f"{SITE}/shelves/subrack={shelf + 1}/subrack.cooling"


@contextmanager
def looking(path: Path) -> Iterator[Callable[..., Rows]]:
    """Give what asks a SQLite file, without the right to write it: all that is asked in one look is of one commit."""
    asking = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0, isolation_level=None)
    try:
        asking.execute("BEGIN")  # of WAL: the first question fixes what the others see
        yield lambda sql, *values: asking.execute(sql, values).fetchall()
    finally:
        asking.close()

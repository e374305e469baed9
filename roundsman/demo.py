"""The demo: a simulated power room here, a real desk and a real agent as processes of their own, and their story.

Without a person (`--for`), the demo takes the ticket itself, as the click does, and judges the story: mains fails, a
ticket opens at the level that the contract says, it is acknowledged there and at the agent, mains returns, it resolves.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.control import ControlError, ask
from config.contract import load_contract
from config.rulebook import RuleBook
from config.site import load_site
from desk.enrol import enrol
from desk.local import LocalError, acknowledge, read_local, tickets
from model.level import level_of
from roundsman.commands.join import join
from roundsman.output import CommandError, language, said
from simulator.command import site_section
from simulator.room import PowerRoom
from simulator.scenario import Scenario, load

SITE, CONTRACT, REGION, FAULT = "demo", "demo", "west_east", "mains.lost"
START_LIMIT = 20.0  # seconds the desk or the agent may take to start
LOOK = 0.25  # seconds between looks at the tickets

Tell = Callable[[str, dict[str, Any]], None]


@dataclass
class Story:
    """What has been seen of the story, in its order; `level` is what the contract says."""

    level: int
    number: int = 0
    opened_at: int = 0
    seen: list[str] = field(default_factory=list)

    STEPS = ("mains_fails", "ticket_opened", "acknowledged", "acknowledged_at_site", "mains_returns", "resolved")

    @property
    def complete(self) -> bool:
        """Say whether everything happened, and at the right level."""
        return self.opened_at == self.level and set(self.STEPS) <= set(self.seen)

    @property
    def wrong(self) -> str:
        """Return what is missing, in words."""
        missing = [step for step in self.STEPS if step not in self.seen]
        if missing:
            return f"not seen in the time that --for gives: {', '.join(missing)}"
        return "" if self.complete else f"the ticket opened at level {self.opened_at}; the contract says {self.level}"


class Demo:
    """One run. `tell` gets each step's name and what there is to say of it."""

    def __init__(self, folder: Path, scenario: str, tell: Tell, *, port: int = 8061) -> None:
        self.folder = folder.absolute()
        self._tell = tell
        self._port = port
        self._story: Scenario = load(scenario)
        self._room = PowerRoom(self.folder)
        self._children: list[Process] = []

    async def run(self, seconds: float | None) -> Story | None:
        """Play for so long, or until cancelled when None; returns the judged story, None when nobody asked for it."""
        self._prepare()
        try:
            began = time.monotonic()
            await self._room.start(self._story)
            url = await self._start()
            story = Story(expected_level(self.folder / "site.yaml"))
            title = said({"en": self._story.title.en, "zh": self._story.title.zh})
            self._tell("page", {"url": url, "metrics": f"http://{self._metrics}/metrics", "scenario": title})
            async with _beside(self._narrate(story)):
                if seconds is None:
                    await self._children_end()
                else:
                    await self._play(story, began + seconds)
        finally:
            await self._end()
        return story if seconds is not None else None

    # --- setting up ----------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Begin with an empty folder: the demo keeps nothing from run to run."""
        self._lock = _alone(self.folder)
        marker = self.folder / ".roundsman-demo"
        if self.folder.exists() and any(self.folder.iterdir()) and not marker.exists():
            raise CommandError(f"{self.folder} holds something that is not a demo's; choose another with --folder.")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        marker.touch()

    async def _start(self) -> str:
        """Start desk and agent, join them, and return the page's address."""
        self._metrics = f"127.0.0.1:{_free(9961)}"
        state = self.folder / "desk"
        listen = f"127.0.0.1:{_free(self._port)}"
        self._children.append(await self._child("desk", "--state", str(state), "--listen", listen))
        await self._until((state / "local.json").exists, "desk")
        url = read_local(state).url
        site = self._write_site(url)
        line = await asyncio.to_thread(enrol, state, SITE, name="Demo power room", contract=CONTRACT, region=REGION)
        await asyncio.to_thread(join, site, line)
        self._children.append(await self._child("agent", "--site", str(site)))
        await self._until((self.folder / "agent" / "control.sock").exists, "agent")
        return url

    def _write_site(self, url: str) -> Path:
        community = self.folder / "community"
        community.touch(0o600)
        community.write_text("public\n", encoding="ascii")
        path = self.folder / "site.yaml"
        path.write_text(
            f"site: {{id: {SITE}, name: Demo power room, contract: {CONTRACT}, region: {REGION}}}\n"
            f'desk: {{url: "{url}", token_file: desk.token}}\n'
            f"agent: {{state: agent, metrics: {self._metrics}, control: agent/control.sock}}\n"
            "host: {every: 5s}\n" + site_section(self._room, community, language()),
            encoding="utf-8",
        )
        return path

    async def _child(self, command: str, *words: str) -> Process:
        """Start a roundsman command; what it says goes to COMMAND.log."""
        with (self.folder / f"{command}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "roundsman", command, *words, stdout=log, stderr=log, start_new_session=True
            )

    async def _until(self, there: Callable[[], bool], name: str) -> None:
        """Wait until a child has made its file; a child that ends first is told with its own words."""
        child, end = self._children[-1], time.monotonic() + START_LIMIT
        while not await asyncio.to_thread(there):
            if child.returncode is not None or time.monotonic() > end:
                said = await asyncio.to_thread((self.folder / f"{name}.log").read_text, errors="replace")
                raise CommandError(f"The {name} did not start:\n{said.strip()[-2000:]}")
            await asyncio.sleep(0.05)

    async def _children_end(self) -> None:
        """Go on until desk or agent ends by itself, which is an error."""
        waits = [asyncio.ensure_future(child.wait()) for child in self._children]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        raise CommandError(f"The desk or the agent ended; the logs in {self.folder} say why.")

    async def _end(self) -> None:
        for child in reversed(self._children):
            if child.returncode is None:
                child.terminate()
        for child in self._children:
            try:
                await asyncio.wait_for(child.wait(), 10)
            except TimeoutError:
                child.kill()
        with contextlib.suppress(RuntimeError):
            await self._room.stop()
        os.close(self._lock)

    # --- the story -----------------------------------------------------------------------------------------------

    async def _narrate(self, story: Story) -> None:
        async for step in self._room.play():
            story.seen.append(step.what)
            self._tell(step.what, {"at": step.at, "title": said({"en": step.title.en, "zh": step.title.zh})})

    async def _play(self, story: Story, end: float) -> None:
        """Look at the tickets until the story is complete or the time is over; take the ticket when it opens."""
        while time.monotonic() < end and not story.complete:
            await asyncio.sleep(LOOK)
            with contextlib.suppress(LocalError):
                rows = await asyncio.to_thread(tickets, self.folder / "desk", every=True)
                for row in rows:
                    if row["fault"] == FAULT and story.number in {0, row["number"]}:
                        await self._follow(story, row)

    async def _follow(self, story: Story, row: dict[str, Any]) -> None:
        def step(name: str, **more: Any) -> None:
            if name not in story.seen:
                story.seen.append(name)
                self._tell(name, {"at": round(self._room.now(), 1), "ticket": row["number"], **more})

        if not story.number:
            story.number, story.opened_at = row["number"], row["level"]
            step("ticket_opened", level=row["level"], contract_says=story.level, title=said(row["title"]))
            await asyncio.to_thread(acknowledge, self.folder / "desk", row["number"], "demo")
        if row["acknowledged"]:
            step("acknowledged", by=row["acknowledged_by"])
            if "acknowledged_at_site" not in story.seen and await self._taken_at_site(row["condition"]):
                step("acknowledged_at_site")
        if row["state"] != "open":
            step("resolved")

    async def _taken_at_site(self, condition: str) -> bool:
        """Ask the agent whether the desk's acknowledgement has reached its alarm."""
        try:
            rows = await ask(self.folder / "agent" / "control.sock", "alarms", all=True)
        except ControlError:
            return False
        return any(row["condition"] == condition and row["acknowledged_by"] for row in rows)


def _alone(folder: Path) -> int:
    """Take the folder for this demo alone, by a lock beside it; returns the lock's descriptor."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder.with_name(folder.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise CommandError(f"A demo already runs in {folder}: end it, or choose another --folder.") from None
    return lock


def expected_level(path: Path) -> int:
    """Return the level that the demo's contract gives to lost mains, from its file and the rule's."""
    site = load_site(path)
    device = next(site.devices)
    rule = next(rule for rule in RuleBook(site).rules(device) if rule.fault == FAULT)
    return level_of(load_contract(CONTRACT).contract, rule, rule.cases[0]).level


def _free(wanted: int) -> int:
    """Return the port that is wanted, or a free one when somebody has it."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                trial.bind(("127.0.0.1", port))
                return int(trial.getsockname()[1])
    raise CommandError("No port is free on 127.0.0.1.")


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run work beside the block and end it with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

"""A duty operator's night at a real desk: the desk, an agent that tells of one fault, and somebody at a browser."""

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from desk.enrol import enrol
from model.alarm import AlarmState, Kind
from tests.browser import Browser
from tests.desk_process import a_desk_process
from tests.desk_world import change
from tests.peers.house import until

PASSWORD = "correct horse battery staple"
SITE = "hall-1"


@dataclass
class Told:
    """An agent as the desk knows it, without a site behind it: it tells what a test says."""

    url: str
    token: str
    agent: str
    epoch: str = field(default_factory=lambda: str(uuid.uuid4()))
    seq: int = 0

    def tell(self, **alarm: Any) -> None:
        """Send one Change of the site's fault."""
        self.seq += 1
        event = {"seq": self.seq, "age": 0.0, "body": change(SITE, **alarm)}
        body = {"agent": self.agent, "epoch": self.epoch, "oldest": 1, "wall": 0.0, "events": [event]}
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.post(f"{self.url}/api/v1/events", content=msgspec.json.encode(body), headers=headers)
        assert answer.status_code == 200, answer.text
        assert not answer.json()["refused"], answer.text

    def fails(self, fault: str = "mains.lost", episode: str = "e1", **more: Any) -> None:
        """Tell that something fails."""
        self.tell(fault=fault, episode=episode, digest="", **more)

    def is_well(self, fault: str = "mains.lost", episode: str = "e1") -> None:
        """Tell that it is well again."""
        state = AlarmState.NORMAL
        self.tell(fault=fault, episode=episode, revision=2, state=state, kind=Kind.CLEARED, active=False, case="")


@dataclass
class Night:
    """The desk's address and state folder, and the site's agent."""

    url: str
    state: Path
    agent: Told

    def link(self, name: str, role: str = "operator") -> str:
        """Make an account and return the one-time link that it begins with."""
        words = ("desk", "user", "add", name, "--role", role, "--state", str(self.state))
        done = subprocess.run([sys.executable, "-m", "roundsman", *words], capture_output=True, text=True, check=True)
        return re.findall(r"http://\S+/welcome/\S+", done.stdout)[0]


@contextmanager
def a_night(folder: Path) -> Iterator[Night]:
    """Run a desk with one site."""
    with a_desk_process(folder / "desk") as url:
        code = enrol(folder / "desk", SITE, name="Hall 1", contract="telecom-transmission", region="prd",
                     timezone="Asia/Shanghai").partition("#")[2]  # fmt: skip
        agent = str(uuid.uuid4())
        answer = httpx.post(f"{url}/api/v1/enrol", json={"code": code, "agent": agent, "version": "1"})
        assert answer.status_code == 200, answer.text
        yield Night(url, folder / "desk", Told(url, answer.json()["token"], agent))


@dataclass
class Operator:
    """Somebody at a browser, who does what a hand would do and waits for what an eye would see."""

    page: Browser
    pictures: Path | None = None
    problems: list[str] = field(default_factory=list)

    def sees(self, selector: str) -> Any:
        """Wait until something is on the page, and return its text."""
        script = f"(document.querySelector({selector!r}) || {{}}).innerText"
        return until(lambda: self.page.value(script), selector)

    def sees_not(self, selector: str) -> None:
        """Wait until something is on the page no more."""
        until(lambda: self.page.value(f"!document.querySelector({selector!r})"), f"no {selector}")

    def presses(self, selector: str) -> None:
        """Press a button or a link that can be seen."""
        until(lambda: self.page.value(f"!!document.querySelector({selector!r})"), selector)
        self.page.value(f"document.querySelector({selector!r}).click()")

    def steps(self, form: str) -> None:
        """Send a form of the ticket's page, wherever it is folded away, and wait for the page that answers."""
        self.page.value("window.before = true")
        until(lambda: self.page.value(f"!!document.getElementById({form!r})"), form)
        self.page.value(
            f"(f => {{for (let d = f; d; d = d.parentElement) if (d.tagName === 'DETAILS') d.open = true;"
            f" f.querySelector('button').click()}})(document.getElementById({form!r}))"
        )
        until(lambda: self.page.value("!window.before && document.readyState === 'complete'"), f"after {form}")
        refused = self.page.value("(document.querySelector('.refused') || {}).innerText")
        assert not refused, refused

    def fills(self, selector: str, text: str) -> None:
        """Put words into a field."""
        self.page.value(f"document.querySelector({selector!r}).value = {text!r}")

    def looks(self, name: str) -> None:
        """Keep a picture, and ask axe what a reader who cannot see well would stumble over."""
        self.page.promise("Promise.all(document.getAnimations().map(a => a.finished.catch(() => 0))).then(() => 0)")
        if self.pictures is not None:
            self.page.picture(self.pictures / f"{name}.png")
        self.page.value((Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8"))
        found = self.page.promise("axe.run(document, {resultTypes: ['violations']})")
        self.problems += [
            f"{name}: {each['id']} ({each['impact']}): {each['nodes'][0]['html'][:120]}"
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ]

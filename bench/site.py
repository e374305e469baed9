"""A site of its own on loopback: a real desk, an agent joined to it, cards, in a folder that is thrown away."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import cards, usm
from bench.processes import BenchError, Child, answers, python

SITE = "bench"
ROUNDSMAN = Path(sys.executable).with_name("roundsman")
SECRETS = {"community": "public", "auth": usm.AUTH_PASS, "privacy": usm.PRIVACY_PASS}
CREDENTIALS = {
    "2c": "{version: 2c, community_file: community}",
    "3": f"{{version: 3, user: {usm.USER}, auth_protocol: sha1, auth_key_file: auth,"
    " privacy_protocol: aes128, privacy_key_file: privacy}",
}


@dataclass
class Place:
    """Where a site's agent and desk keep and answer."""

    folder: Path
    metrics: int
    desk_port: int
    desk: Child

    @property
    def books(self) -> Path:
        """The desk's file."""
        return self.folder / "desk" / "desk.sqlite"

    @property
    def modules(self) -> Path:
        """Where the agent writes its loaded modules on SIGUSR1."""
        return self.folder / "modules.json"

    def agent(self, *, until_up: bool = True) -> Child:
        """Start the agent, with its state as it was left."""
        words = python("bench.installed", str(self.modules), "agent", "--site", str(self.folder / "site.yaml"))
        child = Child("agent", words, self.folder)
        if until_up:
            child.until(lambda: answers(self.metrics))
        return child


@contextmanager
def site(devices: str) -> Iterator[Place]:
    """Make a site with these sections of a site file; its desk runs and its agent has joined, but does not run."""
    with TemporaryDirectory(prefix="roundsman-bench-") as name:
        folder = Path(name)
        desk, metrics = free_port(), free_port()
        listen = f"127.0.0.1:{desk}"
        with Child("desk", [str(ROUNDSMAN), "desk", "--state", f"{folder}/desk", "--listen", listen], folder) as child:
            child.until((folder / "desk" / "local.json").exists)
            head = (
                f"site: {{id: {SITE}, name: Site of the bench, contract: demo, region: rest}}\n"
                f'agent: {{state: agent, metrics: "127.0.0.1:{metrics}", control: agent/control.sock}}\n'
                f'desk: {{url: "http://{listen}", token_file: desk.token}}\n'
            )
            for secret, text in SECRETS.items():
                (folder / secret).touch(0o600)
                (folder / secret).write_text(f"{text}\n", encoding="ascii")
            (folder / "site.yaml").write_text(head + host_section(10), encoding="utf-8")
            line = _run(
                "desk", "enrol", SITE, "--contract", "demo", "--region", "rest", "--state", f"{folder}/desk"
            ).splitlines()[0]
            _run("join", line, "--site", f"{folder}/site.yaml")
            # Only now: the bench's own definitions are known to its agent alone.
            (folder / "site.yaml").write_text(head + devices, encoding="utf-8")
            yield Place(folder, metrics, desk, child)


def _run(*words: str) -> str:
    done = subprocess.run([ROUNDSMAN, *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise BenchError(f"roundsman {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def host_section(every: int) -> str:
    """Return the section that watches this machine."""
    return f"host: {{every: {every}s}}\n"


def cards_section(count: int, port: int, every: str, definition: str = "auto", *, version: str = "2c") -> str:
    """Return the sections that watch so many cards of the bench, by version 2c or 3."""
    lines = [
        f"    - {{id: card-{card}, address: {cards.address(card)}, port: {port}, credential: card,"
        f" definition: {definition}, timeout: 2s}}\n"
        for card in range(count)
    ]
    return f"credentials: {{card: {CREDENTIALS[version]}}}\nsnmp:\n  every: {every}\n  devices:\n" + "".join(lines)


def target(card: int, port: int, module: str = "ups", version: str = "2c") -> str:
    """Return the path of snmp_exporter that reads a card."""
    return f"/snmp?module={module}{'-v3' if version == '3' else ''}&target={cards.address(card)}:{port}"


@contextmanager
def playing(table: str, count: int) -> Iterator[tuple[Child, int]]:
    """Play cards; gives the process and its port."""
    with (
        TemporaryDirectory(prefix="roundsman-cards-") as name,
        Child("cards", python("bench.cards", table, str(count)), Path(name), talk=True) as child,
    ):
        yield child, int(child.words.readline() or 0)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

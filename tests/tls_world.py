"""A real desk and a real agent that speak TLS with each other, as processes."""

import contextlib
import json
import os
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from runtime.trust import trusting
from tests.peers.house import PATIENCE, House, until


class TlsHouse(House):
    """Desk and agent of one site; the site knows the desk as 127.0.0.1."""

    def __init__(self, folder: Path, *names: str, init: tuple[str, ...] = ()) -> None:
        super().__init__(folder, "host: {}\n")
        self.state = folder / "desk"
        text = self.site_file.read_text().replace("http://127.0.0.1", "https://127.0.0.1")
        self.site_file.write_text(text)
        self.init(*(names or ("127.0.0.1",)), *init)

    @property
    def url(self) -> str:
        """Where the desk answers."""
        return f"https://127.0.0.1:{self.port}"

    def init(self, *words: str) -> str:
        """Run `roundsman desk init`."""
        return self.run("desk", "init", *words, "--state", str(self.state))

    def ca(self) -> str:
        """Return the CA's certificate."""
        return (self.state / "tls" / "ca.pem").read_text()

    def line(self) -> str:
        """Return a fresh join line."""
        return self.run(
            "desk", "enrol", "house", "--state", str(self.state), "--contract", "demo", "--region", "west_east"
        ).strip()

    def said(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a roundsman command, whatever becomes of it."""
        return subprocess.run(
            [sys.executable, "-m", "roundsman", *words],
            capture_output=True, text=True, timeout=PATIENCE, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def joining(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run `roundsman join`, whatever becomes of it."""
        return self.said("join", line, "--site", str(self.site_file))

    def client(self, **more: Any) -> httpx.Client:
        """Return a client that trusts the desk's CA alone."""
        return httpx.Client(base_url=self.url, verify=trusting(self.ca()), trust_env=False, timeout=10, **more)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return what stands in the desk's file."""
        with contextlib.closing(sqlite3.connect(f"file:{self.state / 'desk.sqlite'}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql)]

    def audit(self) -> list[str]:
        """Return the words of the audit about the site's agent, in order."""
        sql = "SELECT what FROM audit WHERE what LIKE 'token%' OR what IN ('revoked', 'enrolled', 'code_made')"
        return [row["what"] for row in self.rows(f"{sql} ORDER BY id")]

    def beats(self, after: float = 0.0) -> float | None:
        """Return when the desk last heard the agent, None while that is not after a time."""
        (row,) = self.rows("SELECT max(heartbeat) AS at FROM agents WHERE retired IS NULL")
        return row["at"] if row["at"] and row["at"] > after else None

    def heard_anew(self) -> None:
        """Wait until the desk hears the agent after now."""
        before = self.beats() or 0.0
        until(lambda: self.beats(before), "a heartbeat")

    def kept(self) -> dict[str, str]:
        """Return the tokens that the agent keeps."""
        found: dict[str, str] = json.loads((self.folder / "agent" / "desk" / "token.json").read_bytes())
        return found


@contextlib.contextmanager
def tls_house(folder: Path, *names: str, init: tuple[str, ...] = ()) -> Iterator[TlsHouse]:
    """Give a desk that runs with its own CA; the agent is the test's to join and start."""
    folder.mkdir(exist_ok=True)
    here = TlsHouse(folder, *names, init=init)
    try:
        here.start_desk()
        yield here
    finally:
        for process in here.processes.values():
            process.kill()
            process.wait()


def serial_of(port: int, ca: str) -> str:
    """Return the serial of the certificate that a new connection is shown."""
    import socket

    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        trusting(ca).wrap_socket(plain, server_hostname="127.0.0.1") as spoken,
    ):
        found = spoken.getpeercert()
        assert found
        return str(found["serialNumber"])


def context_up_to(version: ssl.TLSVersion, ca: str) -> ssl.SSLContext:
    """Return a client's context that speaks no newer version."""
    context = trusting(ca)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context

"""A real desk is killed within a window and started after its end: the ticket opens as of the end."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from desk.enrol import enrol
from desk.local import LocalError, read_local
from tests.desk_world import change
from tests.peers.house import free_port, until

T = TypeVar("T")
PATIENCE = 30.0


@contextlib.contextmanager
def a_process(state: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    (state / "local.json").unlink(missing_ok=True)
    words = [sys.executable, "-m", "roundsman", "desk", "--state", str(state), "--listen", f"127.0.0.1:{free_port()}"]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)

    def address() -> str | None:
        assert process.poll() is None
        with contextlib.suppress(LocalError):
            return read_local(state).url
        return None

    try:
        with httpx.Client(base_url=until(address), trust_env=False, timeout=10) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()


def post(client: httpx.Client, path: str, body: Any, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = client.post(f"/api/v1/{path}", content=msgspec.json.encode(body), headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


def tickets(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/tickets").json()["tickets"]
    return found


def test_a_desk_killed_within_a_window_opens_the_ticket_as_of_the_windows_end(tmp_path: Path) -> None:
    with a_process(tmp_path) as (process, client):
        line = enrol(tmp_path, "S1", contract="telecom-transmission", region="prd", timezone="Asia/Shanghai")
        code = {"code": line.partition("#")[2], "agent": "agent-0001", "version": "1"}
        token = post(client, "enrol", code)["token"]
        end = time.time() + 2.0
        window = {"by": "Li", "work": "change the rectifier", "where": "site:S1", "end": end}
        assert post(client, "windows", window)["state"] == "in_force"
        events = [{"seq": 1, "age": 0.0, "body": change()}]
        post(
            client, "events", {"agent": "agent-0001", "epoch": "one", "oldest": 1, "wall": 0.0, "events": events}, token
        )
        assert tickets(client) == []
        process.kill()
        process.wait()
    until(lambda: time.time() > end)
    with a_process(tmp_path) as (_, client):
        beat = {"agent": "agent-0001", "epoch": "one", "version": "1", "last_seq": 1, "depth": 0, "oldest_age": 0.0}
        post(client, "heartbeat", {**beat, "wall": 0.0, "interval": 30.0}, token)
        (ticket,) = until(lambda: tickets(client))
        assert ticket["opened"] == end
        assert 90.0 < ticket["opened"] - ticket["onset"] < 93.0
        (held,) = client.get("/api/v1/windows/1").json()["held"]
        assert held["ticket"] == ticket["number"]

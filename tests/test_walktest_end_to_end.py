"""A walk-test of a simulated power room, by the commands: real desk, real agent, mains that fail again and again."""

import csv
import io
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.house import free_port, until

FAILS = "".join(
    f"  - {{at: {at}s, do: {what}, title: {{en: {what}, zh: {what}}}}}\n"
    for start in range(25, 400, 40)
    for at, what in ((start, "mains_fails"), (start + 20, "mains_returns"))
)
MAINS = "demo/ups-1/-/mains.lost"


@contextmanager
def room(folder: Path) -> Iterator[Path]:
    """Play the room with desk and agent; gives the desk's state folder."""
    (folder / "story.yaml").write_text(f"title: {{en: Mains, zh: 市电}}\nsteps:\n{FAILS}")
    words = ["--port", str(free_port()), "--folder", str(folder / "demo"), "--scenario", str(folder / "story.yaml")]
    with (
        (folder / "demo.log").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", "roundsman", "demo", *words], stdout=log, stderr=log) as process,
    ):
        try:
            until((folder / "demo" / "agent" / "control.sock").exists, "the agent")
            yield folder / "demo" / "desk"
        finally:
            process.terminate()
            process.wait(30)


def say(state: Path, *words: str, ok: bool = True) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "roundsman", *words, "--state", str(state), "--lang", "en"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) is ok, done.stderr.decode()
    return (done.stdout if ok else done.stderr).decode()


def walk(state: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(say(state, "walktest", "show", "demo", "--json"))
    return found


def mains(state: Path) -> dict[str, Any]:
    """What the desk saw of the mains; {} for nothing."""
    found = [item for item in walk(state)["items"] if item["key"] == MAINS]
    return (found[0].get("seen") or {}) if found else {}


def leave_the_rest(state: Path) -> None:
    """Say of everything that has no result that it is for later."""
    left = [item["key"] for item in walk(state)["items"] if not item.get("result")]
    if left:
        say(state, "walktest", "mark", "demo", *left, "--by", "Li Na", "--result", "not-testable", "--note", "later")


def tickets(state: Path) -> list[str]:
    rows = [json.loads(line) for line in say(state, "tickets", "--json").splitlines()]
    return [row["fault"] for row in rows]


def test_the_room_is_walked_signed_and_what_stands_then_is_a_ticket(tmp_path: Path) -> None:
    with room(tmp_path) as state:
        say(state, "walktest", "open", "demo", "--by", "Li Na", "--for", "1h")
        until(lambda: mains(state).get("cleared"), "the mains failed and came back", patience=120.0)
        assert "mains.lost" not in tickets(state)
        say(state, "walktest", "mark", "demo", MAINS, "--by", "Li Na")
        listed = walk(state)
        assert {"ups-1/battery.charge", "demo/ups-1/-/device.unreachable", "demo/-/-/site.silent"} <= {
            item["key"] for item in listed["items"]
        }
        charge = next(item for item in listed["items"] if item["key"] == "ups-1/battery.charge")
        assert charge["seen"]["value"] < charge["seen"]["first"]
        refused = say(state, "walktest", "mark", "demo", "demo/ups-1/-/device.unreachable", "--by", "Li Na", ok=False)
        assert "The desk has not seen it" in refused
        leave_the_rest(state)
        before = mains(state)["times"]
        until(
            lambda: mains(state).get("stands") and mains(state)["times"] > before,
            "the mains fail again",
            patience=120.0,
        )
        leave_the_rest(state)  # a site that was slow to answer has told of more meanwhile
        say(state, "walktest", "sign", "demo", "--by", "Li Na", "--witness", "Zhao Min")
        until(lambda: "mains.lost" in tickets(state), "its ticket")
        signed = walk(state)
        assert signed["state"] == "signed"
        rest = len(signed["items"]) - 1
        assert signed["counts"] == {"open": 0, "passed": 1, "failed": 0, "not_testable": rest}
        assert "never changes again" in say(state, "walktest", "mark", "demo", MAINS, "--by", "Li Na", ok=False)
        rows = list(csv.reader(io.StringIO(say(state, "walktest", "csv", "demo").removeprefix("\ufeff"))))
        assert rows[0][0] == "No."
        assert ["Customer's witness", "Zhao Min"] in rows
        assert ["SHA-256", signed["digest"]] in rows
        url = json.loads((state / "local.json").read_text())["url"]
        with urllib.request.urlopen(f"{url}/sites/demo/walktests/{signed['number']}?show=record", timeout=20) as page:
            text = page.read().decode()
        assert all(word in text for word in ("Zhao Min", "Li Na", signed["digest"], "Battery charge"))

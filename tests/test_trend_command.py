"""`roundsman trend` asks a real agent for what it has on its disk, across a restart."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SITE = """
site: {id: s1, name: Site 1, contract: demo}
agent: {state: state, metrics: "127.0.0.1:9978", control: control.sock}
host: {every: 1s}
"""


def command(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "roundsman", *words, "--site", str(folder / "site.yaml")]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"LANG": "C"})


@contextmanager
def agent(folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    (folder / "site.yaml").write_text(SITE)
    line = [sys.executable, "-m", "roundsman", "agent", "--site", str(folder / "site.yaml")]
    running = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def until_kept(folder: Path, at_least: int) -> list[dict[str, str]]:
    """Ask until so many samples are kept."""
    for _ in range(60):
        asked = command(folder, "trend", "host/memory.utilisation", "--since", "1h", "--csv")
        rows = list(csv.DictReader(io.StringIO(asked.stdout)))
        if len(rows) >= at_least:
            return rows
    raise AssertionError(asked.stderr)


def test_what_an_agent_kept_is_there_after_it_was_killed(tmp_path: Path) -> None:
    with agent(tmp_path) as running:
        before = until_kept(tmp_path, 3)
        running.send_signal(signal.SIGKILL)
        running.wait()
    with agent(tmp_path):
        after = until_kept(tmp_path, len(before))
        assert after[: len(before)] == before
        lines = command(tmp_path, "trend", "--since", "1h").stdout.splitlines()
        assert "host/memory.utilisation" in lines
        refused = command(tmp_path, "trend", "host")
        assert (refused.returncode, "fits several points" in refused.stderr) == (1, True)
        one = json.loads(command(tmp_path, "trend", "memory.util", "--json").stdout.splitlines()[0])
        assert set(one) == {"time", "value", "low", "high", "unit", "quality"}

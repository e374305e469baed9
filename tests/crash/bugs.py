"""Bugs planted on a copy: a harness that does not find each of them, every time, proves nothing.

`bugs/NAME.patch` is a unified diff below a sentence, the scenario that finds it and what that must say.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent / "bugs"
ROOMS = (
    "agent",
    "collectors",
    "config",
    "connectors",
    "desk",
    "model",
    "probes",
    "roundsman",
    "runtime",
    "simulator",
    "wire",
)
LONGEST = 240.0  # seconds one scenario may take


@dataclass(frozen=True)
class Bug:
    """A bug, the scenario that finds it, and a pattern of what it must find."""

    name: str
    sentence: str
    scenario: str
    finds: str
    patch: Path


def planted() -> list[Bug]:
    """Return every bug that can be planted."""
    return [_bug(path) for path in sorted(FOLDER.glob("*.patch"))]


def plant(bug: Bug, folder: Path) -> None:
    """Copy the tree into a folder and plant the bug there; CalledProcessError when the patch no longer fits."""
    for room in (*ROOMS, "tests/crash"):
        shutil.copytree(TREE / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tests" / "__init__.py").touch()
    subprocess.run(
        ["patch", "--batch", "--fuzz=0", "-p1", "-i", str(bug.patch)], cwd=folder, check=True, capture_output=True
    )


def missed(bug: Bug, folder: Path) -> str:
    """Run the bug's scenario on a copy with the bug; return why it was not found, "" when it was."""
    try:
        plant(bug, folder)
    except subprocess.CalledProcessError as error:
        return f"the patch no longer fits: {error.stdout.decode()}"
    command = [sys.executable, "-m", "tests.crash", "--scenario", bug.scenario, "--quiet"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    if done.returncode == 0:
        return "the harness found nothing wrong"
    if done.returncode != 1 or not re.search(bug.finds, done.stdout):
        return f"the harness found something else ({done.returncode}): {done.stdout}{done.stderr}"
    return ""


def _bug(path: Path) -> Bug:
    sentence, scenario, finds = path.read_text(encoding="utf-8").split("\n")[:3]
    return Bug(path.stem, sentence, scenario.removeprefix("scenario: "), finds.removeprefix("finds: "), path)

"""The demo judges its own story: desk, agent and simulated power room as their users start them."""

import json
import subprocess
import sys
from pathlib import Path

from roundsman.demo import Story
from tests.peers.house import free_port

SHORT = """
title: {en: Mains fails for a short time, zh: 市电短时停电}
steps:
  - {at: 12s, do: mains_fails, title: {en: Mains fails, zh: 市电停电}}
  - {at: 24s, do: mains_returns, title: {en: Mains returns, zh: 市电恢复}}
"""
QUIET = """
title: {en: Nothing happens, zh: 平安无事}
steps:
  - {at: 1s, do: mains_returns, title: {en: Mains is there, zh: 市电正常}}
"""


def play(folder: Path, scenario: str, seconds: int) -> tuple[int, list[dict[str, object]]]:
    (folder / "story.yaml").write_text(scenario)
    words = ["--for", f"{seconds}s", "--json", "--port", str(free_port()), "--folder", str(folder / "demo")]
    done = subprocess.run(
        [sys.executable, "-m", "roundsman", "demo", *words, "--scenario", str(folder / "story.yaml")],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_story_plays_by_itself_and_is_right(tmp_path: Path) -> None:
    status, told = play(tmp_path, SHORT, 120)
    steps = {str(each["step"]): each for each in told}
    assert list(steps) == ["page", *Story.STEPS, "verdict"]
    assert steps["ticket_opened"]["level"] == steps["ticket_opened"]["contract_says"] == 2
    assert steps["verdict"] == {"step": "verdict", "ok": True, "why": ""}
    assert status == 0


def test_a_story_without_its_ticket_is_told_as_wrong(tmp_path: Path) -> None:
    status, told = play(tmp_path, QUIET, 15)
    assert status == 1
    assert told[-1]["ok"] is False
    assert "ticket_opened" in str(told[-1]["why"])


def test_a_ticket_at_another_level_than_the_contracts_is_wrong() -> None:
    story = Story(level=2, number=1, opened_at=3, seen=list(Story.STEPS))
    assert not story.complete
    assert story.wrong == "the ticket opened at level 3; the contract says 2"

"""The bench runs, at sizes so small that its figures mean nothing: what it says is checked, never how fast it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.figures import Budget, Figure, Peer, Spread, table
from bench.rows import ROWS

ROOT = Path(__file__).parent.parent


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", "--tiny", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_measured_and_says_what_it_has_no_peer_for(name: str) -> None:
    done = bench("--json", "--only", name)
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert figures
    for figure in figures:
        assert figure["row"] == name
        assert figure["unit"]
        assert figure["ours"]["least"] <= figure["ours"]["median"] <= figure["ours"]["most"]
        for peer in figure["peers"]:
            assert (peer["spread"] is None) == bool(peer["note"])


def test_a_ratio_is_ours_over_theirs_and_a_missing_peer_is_named() -> None:
    figure = Figure(
        "cost",
        "ms",
        Spread.of([3.0, 1.0, 2.0]),
        (Peer("theirs", Spread.of([4.0])), Peer("absent", None, "not installed")),
        Budget(0.5, of_ratio=True),
    )
    assert figure.verdict == "met: ratio at most 0.5"
    shown = table([("row", figure)])
    assert "2 (1..3)" in shown
    assert "0.50" in shown
    assert "not installed" in shown


def test_a_budget_that_is_not_met_is_said() -> None:
    assert Figure("cost", "s", Spread.of([1.6]), budget=Budget(1.5)).verdict == "NOT met: at most 1.5"


def test_a_budget_of_a_ratio_says_nothing_without_its_peer() -> None:
    alone = Figure("cost", "s", Spread.of([1.6]), (Peer("absent", None, "not installed"),), Budget(0.5, of_ratio=True))
    assert alone.verdict == ""


def test_the_document_tells_what_every_row_means() -> None:
    told = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
    assert [name for name in ROWS if f"\n| `{name}` | " not in told] == []

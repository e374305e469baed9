"""Clients alone, no rules and no text: CPU of a varbind in a GET of twenty, ours beside C's, Rust's and Python's."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import peers, usm
from bench.cards import address
from bench.exporter import ups_objects
from bench.figures import Figure, Spread
from bench.processes import ROOT, BenchError
from bench.rows.walk import VERSIONS
from bench.site import playing
from bench.sizes import Sizes

TOGETHER = (1, 50)
SLOW = 10  # pysnmp is asked for so many times fewer
NO_LIBRARY = "no C compiler or no libsnmp-dev"


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Ask one client after the other, so many times in turns."""
    figures = []
    with TemporaryDirectory(prefix="roundsman-peer-") as folder, playing("ups", max(TOGETHER)) as (_, port):
        library = _compiled(Path(folder))
        clients: dict[str, Callable[[str, int, int], list[str]] | None] = {
            "ours": _module("ours", port),
            "net-snmp's library, in C": _library(library, port) if library else None,
            "gufo-snmp": _module("gufo", port) if importlib.util.find_spec("gufo") else None,
            "pysnmp": _module("pysnmp", port) if importlib.util.find_spec("pysnmp") else None,
        }
        for version in VERSIONS:
            for sessions in TOGETHER:
                costs: dict[str, list[float]] = {name: [] for name in clients}
                for turn in range(sizes.runs):
                    tell(f"version {version}, {sessions} at a time, run {turn + 1} of {sizes.runs}")
                    for name, words in clients.items():
                        if words is not None:
                            requests = max(sessions, sizes.requests // (SLOW if name == "pysnmp" else 1))
                            costs[name].append(_cost(words(version, sessions, requests), requests))
                figures.append(_figure(version, sessions, costs))
    return figures


def _figure(version: str, sessions: int, costs: dict[str, list[float]]) -> Figure:
    notes = {"net-snmp's library, in C": NO_LIBRARY}
    others = [
        peers.peer(name, found, notes.get(name, peers.NOT_INSTALLED)) for name, found in costs.items() if name != "ours"
    ]
    what = f"SNMP {version}, GET of {len(ups_objects())}, {sessions} in flight: CPU per varbind"
    return Figure(what, "µs", Spread.of(costs["ours"]), tuple(others))


def _cost(words: list[str], requests: int) -> float:
    """Return the microseconds of CPU of one varbind."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(words[:4])}: {done.stderr.strip()[-500:]}")
    return float(done.stdout) / requests / len(ups_objects()) * 1e6


def _module(who: str, port: int) -> Callable[[str, int, int], list[str]]:
    def words(version: str, sessions: int, requests: int) -> list[str]:
        return [sys.executable, "-m", "bench.clients", who, version, str(port), str(sessions), str(requests)]

    return words


def _library(program: Path, port: int) -> Callable[[str, int, int], list[str]]:
    def words(version: str, sessions: int, requests: int) -> list[str]:
        head = [str(program), version, str(port), str(sessions), str(requests)]
        places = [address(card) for card in range(sessions)]
        return [*head, usm.USER, usm.AUTH_PASS, usm.PRIVACY_PASS, *places, "--", *ups_objects()]

    return words


def _compiled(folder: Path) -> Path | None:
    """Return the client in C, None where it cannot be made."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    program = folder / "netsnmp"
    words = [compiler, "-O2", "-o", str(program), str(ROOT / "bench" / "netsnmp.c"), "-lnetsnmp"]
    return None if subprocess.run(words, capture_output=True, check=False).returncode else program

"""How well the shipped definitions read recorded devices, against what another monitoring system expects of each.

    python -m bench.recordings                   every recording, by `roundsman read` over the network; a line a family
    python -m bench.recordings --fast            the same in this process, without a network, in seconds
    python -m bench.recordings --fast apc_ats    one recording, with every value that differs
    python -m bench.recordings --fast --definition my.yaml apc_ats

A number matches when the same OID is reported with the same number in the same unit, a state when its severity is the
same.  What the expectation itself gets wrong stands in bench/exceptions/*.txt, a line each: RECORDING OID-REGEX REASON.
The recordings are test data beside the checkout (ROUNDSMAN_RECORDINGS); nothing of them ships.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from agent.rows import reading_rows
from bench.truth import Expected, expected
from collectors.snmp.library import Library, shipped
from collectors.snmp.meaning import as_number
from collectors.snmp.recording import read_from, read_recording
from tests.peers.snmp import Agent, snmpsim

HERE = Path(__file__).resolve().parent
SENTINELS = frozenset({-2147483648, 2147483647, 4294967295, 65535, 32767, -32768})
Row = dict[str, Any]


def folder() -> Path:
    """Return where the recordings are; ends the program when there are none."""
    place = Path(os.environ.get("ROUNDSMAN_RECORDINGS", HERE.parent.parent / "shared" / "recordings")) / "snmp"
    if not place.is_dir():
        raise SystemExit(f"No recordings at {place}; name their folder with ROUNDSMAN_RECORDINGS.")
    return place


@cache
def exceptions() -> list[tuple[str, str, str]]:
    """Return what is known to differ: recording, regular expression of the OID, reason."""
    lines = [line for path in sorted((HERE / "exceptions").glob("*.txt")) for line in path.read_text().splitlines()]
    split = [line.split(None, 2) for line in lines if line.strip() and not line.startswith("#")]
    return [(recording, oid, reason) for recording, oid, reason in split]


@dataclass
class Score:
    """What came of one recording."""

    numbers: int = 0
    numbers_right: int = 0
    states: int = 0
    states_right: int = 0
    excused: int = 0
    unrecorded: int = 0
    sentinels: int = 0
    invented: int = 0
    differing: list[str] = field(default_factory=list)

    def add(self, other: "Score") -> None:
        """Count another's figures too."""
        for name in (
            "numbers",
            "numbers_right",
            "states",
            "states_right",
            "excused",
            "unrecorded",
            "sentinels",
            "invented",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def judge(name: str, rows: list[Row], error: str = "") -> Score:
    """Compare the rows of `roundsman read --json` with what is expected of a recording."""
    score = Score()
    objects = read_recording(folder() / "snmpsim" / f"{name}.snmprec").objects
    by_oid: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_oid[row["source"]].append(row)
        if row["source"] not in objects:
            score.invented += 1
            score.differing.append(f"invented  {row['source']} {row['point']}")
        elif isinstance(row["value"], float | int) and as_number(objects.get(row["source"], (0, None))[1]) in SENTINELS:
            score.sentinels += 1
            score.differing.append(f"sentinel  {row['source']} {row['point']} {row['value']}")
    for row in expected(folder(), name):
        _count(score, name, row, by_oid.get(row.oid, []), recorded=row.oid in objects)
    if error:
        score.differing.append(error)
    return score


def _count(score: Score, name: str, row: Expected, ours: list[Row], *, recorded: bool) -> None:
    right = any(map(row.fits, ours))
    excuse = (
        "" if right else next((why for who, oid, why in exceptions() if who == name and re.fullmatch(oid, row.oid)), "")
    )
    if not recorded and not right:
        score.unrecorded += 1
    elif excuse:
        score.excused += 1
    elif row.is_state:
        score.states += 1
        score.states_right += right
    else:
        score.numbers += 1
        score.numbers_right += right
    if not right and not excuse and recorded:
        said = ", ".join(f"{each['value']} {each['severity'] or each['unit']}" for each in ours) or "nothing"
        score.differing.append(f"{row.kind:12} {row.oid} {row.label!r}: expected {row.says}, we say {said}")


def fast(name: str, definitions: Library, definition: str) -> Score:
    """Judge a recording read in this process."""
    recording = read_recording(folder() / "snmpsim" / f"{name}.snmprec")
    batch, seen = read_from(recording, definitions, definition=definition)
    rows = [{key: getattr(row, key) for key in row.__struct_fields__} for row in reading_rows(batch.readings, 0.0)]
    said = f"recognised as {', '.join(seen.definitions) or 'nothing'}" if seen else ""
    return judge(name, rows, " ".join(filter(None, (said, batch.error))))


def real(name: str, agent: Agent) -> Score:
    """Judge a recording served by snmpsim and read by the command."""
    command = [sys.executable, "-m", "roundsman", "read", "--snmp", f"{agent.host}:{agent.port}", "--community", name]
    ran = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False, timeout=120)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    failed = f"exit {ran.returncode}: {ran.stderr.strip()[-200:]}" if ran.returncode or ran.stderr else ""
    return judge(name, rows, failed)


def scores(names: list[str], args: argparse.Namespace) -> Iterator[tuple[str, Score]]:
    """Yield each recording's score, in order."""
    if args.fast:
        definitions, definition = shipped(), "auto"
        if args.definition:
            definition = args.definition.stem
            definitions = Library({definition: args.definition.read_text}, definitions)
        yield from ((name, fast(name, definitions, definition)) for name in names)
        return
    with (
        tempfile.TemporaryDirectory() as scratch,
        snmpsim(Path(scratch), names) as agent,
        ThreadPoolExecutor(2) as pool,
    ):
        yield from zip(names, pool.map(lambda name: real(name, agent), names), strict=True)


def main() -> int:
    """Print a line a family and the whole; 1 when below what the project promises."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fast", action="store_true", help="in this process, without a network")
    parser.add_argument("--definition", type=Path, metavar="FILE", help="read with this definition file (with --fast)")
    parser.add_argument("--differing", action="store_true", help="print every value that differs")
    parser.add_argument("names", nargs="*", metavar="RECORDING", help="recordings (all)")
    args = parser.parse_args()
    known = sorted(path.stem for path in (folder() / "snmpsim").glob("*.snmprec"))
    if wrong := [name for name in args.names if name not in known]:
        raise SystemExit(f"No recording {wrong[0]!r}; there are: {', '.join(known)}")
    total = Score()
    print(f"{'RECORDING':38} {'NUMBERS':>11} {'STATES':>11} {'EXCUSED':>8} {'NOT RECORDED':>13}")
    for name, score in scores(args.names or known, args):
        _line(name, score)
        total.add(score)
        if args.differing or args.names:
            print(*(f"    {line}" for line in score.differing), sep="\n")
    _line("all", total)
    print(f"sentinels shown as values: {total.sentinels}   readings of objects that are not there: {total.invented}")
    right = total.numbers_right + total.states_right + total.excused + total.unrecorded
    values = total.numbers + total.states + total.excused + total.unrecorded
    print(f"{right} of {values} expected values: {100 * right / max(values, 1):.1f} %")
    return 0 if right >= 0.97 * values and total.states_right >= 0.95 * total.states else 1


def _line(name: str, score: Score) -> None:
    print(
        f"{name:38} {score.numbers_right:5}/{score.numbers:5} {score.states_right:5}/{score.states:5} "
        f"{score.excused:8} {score.unrecorded:13}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

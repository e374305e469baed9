"""How well the shipped definitions read recorded devices, against what another monitoring system expects of each.

    python -m bench.recordings                   every recording, by `roundsman read` over the network; a line a family
    python -m bench.recordings --fast            the same in this process, without a network, in seconds
    python -m bench.recordings --fast apc_ats    one recording, with every value that differs
    python -m bench.recordings --fast --definition my.yaml apc_ats

A number matches when the same OID is reported with the same number (to a thousandth; a power factor above 1 is percent)
in the same unit, a state when its severity is the same.  A state whose expectation names no severity is not judged, and
counts nowhere.  What the expectation itself gets wrong stands in bench/exceptions/*.txt, a line each: RECORDING
OID-REGEX REASON.  Two shares are printed: of all that is judged, and of that without the exceptions and what was not
recorded.
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
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from agent.rows import reading_rows
from bench.truth import Expected, expected
from collectors.snmp.definition import Column, Definition, Object
from collectors.snmp.library import Library, begins, shipped
from collectors.snmp.meaning import as_number
from collectors.snmp.recording import read_from, read_recording
from tests.peers.snmp import Agent, snmpsim
from wire.snmp import Value

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
    unjudged: int = 0
    aside: int = 0  # right, but only in a reading that is set aside
    sentinels: int = 0
    invented: int = 0
    differing: list[str] = field(default_factory=list)

    @property
    def right(self) -> int:
        """Values that are right."""
        return self.numbers_right + self.states_right

    @property
    def judged(self) -> int:
        """Values that are right, wrong, excused, or of objects that the recording lacks."""
        return self.numbers + self.states + self.excused + self.unrecorded

    def add(self, other: "Score") -> None:
        """Count another's figures too."""
        for each in fields(self):
            if each.name != "differing":
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def judge(name: str, rows: list[Row], error: str = "", no_less: Collection[str] = ()) -> Score:
    """Compare the rows of `roundsman read --json` with what is expected of a recording.

    `no_less` are OIDs below which the definitions call -1 "not available"; elsewhere it may be a measurement.
    """
    score = Score()
    objects = read_recording(folder() / "snmpsim" / f"{name}.snmprec").objects
    by_oid: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_oid[row["source"]].append(row)
        if row["source"] not in objects:
            score.invented += 1
            score.differing.append(f"invented  {row['source']} {row['point']}")
        elif isinstance(row["value"], float | int) and _is_sentinel(objects[row["source"]][1], row["source"], no_less):
            score.sentinels += 1
            score.differing.append(f"sentinel  {row['source']} {row['point']} {row['value']}")
    for each in expected(folder(), name):
        _count(score, name, each, by_oid.get(each.oid, []), recorded=each.oid in objects)
    if error:
        score.differing.append(error)
    return score


def _is_sentinel(sent: Value, source: str, no_less: Collection[str]) -> bool:
    number = as_number(sent)
    return number in SENTINELS or (number == -1 and any(begins(oid, source) for oid in no_less))


def _no_less(definition: Definition) -> Iterator[str]:
    """Yield the OIDs of objects and columns for which -1 means "not available"."""
    placed: list[tuple[str, Object | Column]] = [(each.oid, each) for each in definition.objects]
    placed += [(f"{table.entry}.{each.column}", each) for table in definition.tables for each in table.columns]
    yield from (oid for oid, each in placed if -1 in (definition.absent if each.absent is None else each.absent))


def _count(score: Score, name: str, row: Expected, ours: list[Row], *, recorded: bool) -> None:
    if not row.is_judged:
        score.unjudged += 1
        score.differing.append(f"not judged   {row.oid} {row.label!r}: no severity is expected of {row.number}")
        return
    right = any(map(row.fits, ours))
    score.aside += right and not any(row.fits(each) for each in ours if each["preferred"])
    excuse = (
        "" if right else next((why for who, oid, why in exceptions() if who == name and re.fullmatch(oid, row.oid)), "")
    )
    if not recorded and not right:
        score.unrecorded += 1
        score.differing.append(f"not recorded {row.oid} {row.label!r}: expected {row.says}")
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
    serving = [definitions[each] for each in (seen.definitions if seen else ())]
    no_less = [oid for each in serving for oid in _no_less(each)]
    return judge(name, rows, " ".join(filter(None, (said, batch.error))), no_less)


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
    print(f"right only in a reading set aside: {total.aside}   not judged, without a severity: {total.unjudged}")
    plain = total.numbers + total.states
    print(f"{total.right} of {total.judged} expected values: {100 * total.right / max(total.judged, 1):.1f} %")
    share = 100 * total.right / max(plain, 1)
    print(f"{total.right} of {plain} without exceptions and what is not recorded: {share:.1f} %")
    return 0 if total.right >= 0.97 * plain and total.states_right >= 0.95 * total.states else 1


def _line(name: str, score: Score) -> None:
    print(
        f"{name:38} {score.numbers_right:5}/{score.numbers:5} {score.states_right:5}/{score.states:5} "
        f"{score.excused:8} {score.unrecorded:13}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

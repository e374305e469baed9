"""A serial line that spoils one byte in a hundred: is a value ever taken for another slave's, and is one ever wrong?"""

import json
import math
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.figures import Budget, Figure, Peer, Spread
from bench.processes import ROOT, BenchError, python
from bench.sizes import Sizes
from bench.wires import Line, ours

Tell = Callable[[str], None]
CORRUPT = "0.01"
LINES = 8
UNDETECTED = 1.0 / 65536
"""Of frames with two and more spoilt bytes, those that a CRC of 16 bits lets pass; it tells any single one."""


def measure(sizes: Sizes, tell: Tell) -> list[Figure]:
    """Read at the wire's pace of 115200 baud, eight lines at once; then many more in a time of its own."""
    paced = Line(baud=115200, extra=("--corrupt", CORRUPT))
    tell(f"{LINES} lines that corrupt 1 % of all bytes, {3 * sizes.trouble:g} s")
    lines = [Line(paced.baud, extra=(*paced.extra, "--seed", str(seed))) for seed in range(1, LINES + 1)]
    with ThreadPoolExecutor(LINES) as pool:
        found = list(pool.map(lambda each: ours(each, f"{3 * sizes.trouble:g}s"), lines))
    figures = _figures("paced at 115200", [(each.read, each.counts) for each in found])
    tell(f"{sizes.spoilt} requests in a time of their own")
    said = _virtual(sizes.spoilt)
    return figures + _figures("unpaced", [(said, said["counts"])])


def _virtual(requests: int) -> dict[str, Any]:
    words = python("bench.virtual", str(requests), CORRUPT, "1")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise BenchError(f"bench.virtual: {done.stderr.strip()[-500:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _figures(name: str, found: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> list[Figure]:
    """Return what was taken wrongly, of what a reader said and its line counted."""
    asked = sum(counts["asked"] for _, counts in found)
    expected = sum(counts["badly_touched"] for _, counts in found) * UNDETECTED
    what = f"{name}, 1 % corrupted bytes, {asked} requests"
    wrong, foreign = (Spread.of([float(sum(read[kind] for read, _ in found))]) for kind in ("wrong", "foreign"))
    rate = Peer("the check sum's own rate", Spread.of([expected]))
    return [
        Figure(f"{what}: taken for another slave's", "answers", foreign, budget=Budget(0.0)),
        # Rare events come singly: three standard deviations above what is expected, and one is always possible.
        Figure(f"{what}: wrong", "answers", wrong, (rate,), Budget(math.ceil(expected + 3 * math.sqrt(expected)))),
    ]

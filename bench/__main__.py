"""`python -m bench`: run the rows, print the table. `--json` prints an object a line, `--only NAME` runs one row."""

import argparse
import json
import os
import sys
from functools import partial

from bench.figures import Figure, table
from bench.processes import BenchError
from bench.rows import ROWS
from bench.sizes import FAST, TINY, Sizes


def main() -> int:
    """Measure; returns 1 when a row could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What Roundsman costs, beside its peers.")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="NAME", help=f"one of: {', '.join(ROWS)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--tiny", action="store_true", help="few devices, one run: to see that it works")
    parser.add_argument("--fast", action="store_true", help="one run of fewer: figures to work with, not to tell")
    args = parser.parse_args()
    sizes = TINY if args.tiny else FAST if args.fast else Sizes()
    figures: list[tuple[str, Figure]] = []
    failed = 0
    _tell(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; an idle machine gives the best figures")
    for name in args.only or ROWS:
        try:
            found = ROWS[name](sizes, partial(_tell_of, name))
        except (BenchError, OSError) as error:
            _tell(f"{name}: not measured: {error}")
            failed += 1
            continue
        figures += [(name, figure) for figure in found]
    if args.json:
        for name, figure in figures:
            print(json.dumps(figure.row(name), ensure_ascii=False))
    else:
        print(table(figures))
        print("\nOurs and theirs: median (least..most). Ratio: ours over theirs, by the medians.")
    _tell(f"load average {os.getloadavg()[0]:.1f}")
    return 1 if failed else 0


def _tell_of(name: str, text: str) -> None:
    _tell(f"{name}: {text}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m fuzz [TARGET]`: atheris (libFuzzer) on the codecs, from valid messages, by mutators that know their form.

The targets are SNMP (`fuzz/snmp.py`) and what is spoken on a serial line: Modbus RTU and TCP, YD/T 1363, and the reader
of both directions (`fuzz/line.py`). The last lines say how many were run, how many got through, and what libFuzzer
covered. A failing input is kept in a file.
"""

import argparse
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

TARGETS = {"snmp": "fuzz.snmp", **dict.fromkeys(("modbus", "modbus-tcp", "ydt1363", "traffic"), "fuzz.line")}


def main() -> int:
    """Run in a process of its own, which libFuzzer ends as it likes; returns 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz the codecs.")
    parser.add_argument("target", nargs="?", choices=TARGETS, default="snmp")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="0: another each time")
    parser.add_argument("--oracle", type=int, default=20, metavar="N", help="ask the peer about each Nth; 0: never")
    parser.add_argument("--findings", type=Path, default=Path("var/fuzz"), help="where a failing input is kept")
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    kind = importlib.import_module(TARGETS[args.target])
    if args.corpus is not None:
        fuzz(args, kind)
    args.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="roundsman-fuzz-") as corpus:
        for place, seed in enumerate(kind.seeds_of(args.target)):
            (Path(corpus) / str(place)).write_bytes(seed)
        words = [sys.executable, "-m", "fuzz", *sys.argv[1:], "--corpus", corpus]
        return subprocess.run(words, check=False).returncode


def fuzz(args: argparse.Namespace, kind: Any) -> None:
    """Let libFuzzer run; it ends the process."""
    words = [
        f"-runs={args.runs}",
        f"-seed={args.seed}",
        f"-max_len={kind.LONGEST}",
        "-timeout=10",
        "-print_final_stats=1",
    ]
    words += [f"-artifact_prefix={args.findings}/", str(args.corpus)]
    target = kind.target_of(args.target, args.runs, args.oracle)
    atheris.Setup([sys.argv[0], *words], target, custom_mutator=kind.mutator_of(args.target))
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())

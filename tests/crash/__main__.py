"""`python -m tests.crash`: see the package."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from shutil import rmtree

from tests.crash import bugs
from tests.crash.jobs import Job, run
from tests.crash.processes import HarnessError, die_with_parent, warm
from tests.crash.random_kills import random_kills
from tests.crash.scenarios import SCENARIOS, play
from tests.crash.syscalls import every_write
from tests.crash.world import World

GOOD, WRONG, NO_RESULT = 0, 1, 2
PART_KILLS, PART_COLD, PART_STEP = 60, 4, 9  # what CI does of it
Work = Callable[[Path], list[str]]


def arguments() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="kills at random instants (1000)")
    parser.add_argument("--cold", type=int, default=50, help="of these, programs that were started anew (50)")
    parser.add_argument("--part", action="store_true", help="a part of everything, as CI does")
    parser.add_argument("--seed", type=int, default=0, help="of the random kills; 0: the time")
    parser.add_argument("--scenario", choices=SCENARIOS, help="this scenario alone")
    parser.add_argument("--bug", choices=[bug.name for bug in bugs.planted()], help="plant this bug; good when found")
    parser.add_argument("--random", action="store_true", help="the random kills alone")
    parser.add_argument("--writes", choices=("agent", "desk"), help="each write and sync syscall of one of them alone")
    parser.add_argument("--step", type=int, default=1, help="with --writes: every so many of them")
    parser.add_argument("--first", type=int, default=1, help="with --writes: from which one on (1)")
    parser.add_argument("--quiet", action="store_true", help="print what is wrong and nothing else")
    return parser


def main() -> int:
    """Run everything, or the one part that was named."""
    args = arguments().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(NO_RESULT))
    say = _silent if args.quiet else print
    if args.scenario:
        return _alone(args.scenario, lambda folder: _played(folder, args.scenario))
    if args.writes:
        return _alone(f"writes of the {args.writes}", lambda folder: _writes(folder, args, say))
    if args.random:
        seed = args.seed or time.time_ns() % 1_000_000
        return _alone("random kills", lambda folder: random_kills(folder, args.kills, args.cold, seed, say))
    if args.bug:
        bug = next(each for each in bugs.planted() if each.name == args.bug)
        return _alone(bug.name, lambda folder: [why] if (why := bugs.missed(bug, folder)) else [], warmly=False)
    return _everything(args)


def _everything(args: argparse.Namespace) -> int:
    began = time.monotonic()
    kills, cold, step = (PART_KILLS, PART_COLD, PART_STEP) if args.part else (args.kills, args.cold, 1)
    failed = run(list(_jobs(kills, cold, step, args.seed or time.time_ns() % 1_000_000)))
    for job in failed:
        print(f"\n{job.name}: python -m tests.crash {' '.join(job.words)}", *job.said, sep="\n    ")
    print(f"\n{'FAILED' if failed else 'good'}: {kills} random kills, {cold} of them cold starts, each write and sync")
    print(f"syscall of an episode's life{f' (one in {step})' if step > 1 else ''}, {len(SCENARIOS)} scenarios,")
    print(f"{len(bugs.planted())} planted bugs, in {time.monotonic() - began:.0f} s")
    return WRONG if failed else GOOD


def _jobs(kills: int, cold: int, step: int, seed: int) -> Iterable[Job]:
    for lane in (0, 1):
        words = ["--random", "--kills", str((kills + lane) // 2), "--cold", str((cold + lane) // 2)]
        yield Job(f"random kills {lane + 1}", [*words, "--seed", str(seed + lane)])
    for victim, lanes in (("desk", 2), ("agent", 1)):  # the desk writes three times as often
        for lane in range(lanes):
            words = ["--writes", victim, "--first", str(1 + lane * step), "--step", str(step * lanes)]
            yield Job(f"writes of the {victim} {lane + 1}", words)
    for name in SCENARIOS:
        if step > 1 and name == "torn-transaction":
            continue  # without a bug it is the first third of the writes of the agent
        yield Job(name, ["--scenario", name])
    for bug in bugs.planted():
        yield Job(f"bug {bug.name}", ["--bug", bug.name])


def _alone(name: str, work: Work, *, warmly: bool = True) -> int:
    """Do one part in a folder of its own; the folder of a part that fails is kept."""
    die_with_parent()
    folder = Path(tempfile.mkdtemp(prefix="roundsman-crash-"))
    try:
        if warmly:
            warm()
        wrong = work(folder)
    except HarnessError as error:
        print(f"{name}: no result: {error}. The folder: {folder}")
        return NO_RESULT
    except (KeyboardInterrupt, SystemExit):
        rmtree(folder)
        raise
    if not wrong:
        rmtree(folder)
        return GOOD
    print(*wrong, sep="\n")
    print(f"The files as they were are in {folder}; the logs too.")
    print(f"The agent's: sqlite3 {folder}/agent/journal.db 'SELECT seq, body FROM outbox'")
    print(f"The desk's: sqlite3 {folder}/desk/desk.sqlite 'SELECT * FROM audit'")
    return WRONG


def _played(folder: Path, name: str) -> list[str]:
    with World(folder, proxied=True) as world:
        return play(world, name)


def _writes(folder: Path, args: argparse.Namespace, say: Callable[[str], None]) -> list[str]:
    with World(folder) as world:
        return every_write(world, args.writes, first=args.first, step=args.step, say=say)


def _silent(_: str) -> None:
    """Say nothing."""


if __name__ == "__main__":
    sys.exit(main())

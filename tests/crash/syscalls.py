"""kill -9 at each write and sync syscall of one episode's life: a fault begins, is taken, ends.

strace is attached to a running, idle agent or desk and kills it as it enters the K-th syscall that writes its file, for
K = 1, 2, ... until a whole life passes without a kill. Then all is started anew without strace, settles, and the books
are checked.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from tests.crash.books import Truth, check
from tests.crash.processes import Child, HarnessError, until
from tests.crash.world import World

WRITES = "pwrite64,pwritev,fdatasync,fsync,ftruncate,unlink,unlinkat,rename,fallocate"
LIVES = 8.0  # seconds one life may take when nobody is killed
Say = Callable[[str], None]


class Tracer:
    """strace on a child that runs already; `ended` once it has killed its victim."""

    def __init__(self, child: Child, place: int, log: os.PathLike[str]) -> None:
        if shutil.which("strace") is None:
            raise HarnessError("strace is not installed: apt-get install strace")
        inject = f"inject={WRITES}:signal=SIGKILL:when={place}"
        command = ["strace", "-f", "-p", str(child.pid), "-e", f"trace={WRITES}", "-e", inject, "-o", os.fspath(log)]
        self._strace = subprocess.Popen(command, stderr=subprocess.PIPE)
        self._attach()

    def _attach(self) -> None:
        stderr = self._strace.stderr
        if stderr is None or b"attached" not in (said := stderr.readline()):
            self.end()
            raise HarnessError(f"strace did not attach: {said.decode() if stderr else ''}")

    def end(self) -> None:
        """Let the child go."""
        self._strace.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._strace.wait(5)
        self._strace.kill()
        self._strace.wait()
        if self._strace.stderr:
            self._strace.stderr.close()


def every_write(
    world: World,
    victim: str,
    *,
    life: str = "whole",
    most: int = 1000,
    step: int = 1,
    say: Say | None = None,
    truth: Truth | None = None,
) -> list[str]:
    """Kill agent or desk at each of its writes; `step` above 1 takes a fixed part. Returns what is wrong."""
    truth = truth or Truth()
    world.start()
    until("the first words are over", world.settled)
    for place in range(1, most + 1, step):
        killed = _one(world, victim, place, whole=life == "whole")
        missing = world.settle()
        wrong = ([missing] if missing else []) + check(world, truth)
        if wrong:
            return [f"the {victim} killed at write {place} of one episode's life: {each}" for each in wrong]
        if say and place % 10 < step:
            say(f"{victim}: killed at write {place}")
        if not killed:
            if say:
                say(f"{victim}: an episode's life has {place - 1} writes at most")
            return []
    return []


def _one(world: World, victim: str, place: int, *, whole: bool) -> bool:
    """Live one life with death at its write `place`; say whether death came."""
    child = world.agent if victim == "agent" else world.desk
    if child is None:
        raise HarnessError(f"no {victim} runs")
    tracer = Tracer(child, place, world.folder / "strace.log")
    try:
        _life(world, child, whole=whole)
    finally:
        tracer.end()
    return not child.alive()


def _life(world: World, child: Child, *, whole: bool) -> None:
    """Raise, take, clear; go on as soon as each is known everywhere, give up as soon as the victim is dead."""
    shelf = next(number for number, stopped in enumerate(world.stopped()) if not stopped)

    def so(true: Callable[[], bool]) -> bool:
        end = time.monotonic() + LIVES
        while child.alive() and not true():
            if time.monotonic() > end:
                raise HarnessError(f"a life came to no end within {LIVES:g} s")
            time.sleep(0.01)
        return child.alive()

    world.switch(shelf, stopped=True)
    if so(world.settled) and whole:
        found = world.ticket(shelf)
        if found and world.acknowledge(found[0], f"crash-{time.monotonic_ns()}"):
            so(world.settled)
    world.switch(shelf, stopped=False)
    if whole:
        so(world.settled)

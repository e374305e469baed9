"""kill -9 at each write and sync syscall of one episode's life: a fault begins, is taken, ends.

strace is attached to a running, idle agent or desk and kills it as it enters the K-th call of one kind, for K = 1, 2, 3
and so on until whole lives pass without a kill. After each kill all is started anew without strace and settles, the
fault as it was when the kill came, and the books are checked.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.crash.books import check
from tests.crash.processes import Child, HarnessError, until
from tests.crash.world import World

CALLS = ("pwrite64", "pwritev", "fdatasync", "fsync", "ftruncate", "unlink", "rename")  # what writes or syncs a file
SURE = 2  # lives in a row without a kill that end a kind: a busy one may write less
LIVES = 20.0  # seconds one life may take when nobody is killed
Say = Callable[[str], None]


class Tracer:
    """strace on a child that runs already. `what` becomes of a call: strace's words after `inject=CALL:`."""

    def __init__(self, child: Child, call: str, what: str, log: os.PathLike[str]) -> None:
        if shutil.which("strace") is None:
            raise HarnessError("strace is not installed: apt-get install strace")
        inject = f"inject={call}:{what}"
        command = ["strace", "-f", "-p", str(child.pid), "-e", f"trace={call}", "-e", inject, "-o", os.fspath(log)]
        self._strace = subprocess.Popen(command, stderr=subprocess.PIPE)
        self._attach()

    def _attach(self) -> None:
        said = self._strace.stderr.readline() if self._strace.stderr else b""
        if b"attached" not in said:
            self.end()
            raise HarnessError(f"strace did not attach: {said.decode()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

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
    world: World, victim: str, *, whole: bool = True, first: int = 1, step: int = 1, say: Say | None = None
) -> list[str]:
    """Kill agent or desk at each of its writes and syncs; `first` and `step` take a fixed part.

    Returns what is wrong.
    """
    world.start()
    until("the first words are over", world.settled)
    for call in CALLS:
        place, survived, kills = first, 0, 0
        while survived < SURE:
            killed = _one(world, victim, call, place, whole=whole)
            missing = world.settle()
            if wrong := ([missing] if missing else []) + check(world):
                return [f"the {victim} killed at {call} {place} of one episode's life: {each}" for each in wrong]
            _end_faults(world)
            kills, survived = kills + killed, 0 if killed else survived + 1
            place += step if killed else 0
            survived = SURE if not killed and kills == 0 else survived
        if say and kills:
            say(f"{victim}: killed at {kills} calls of {call}, to number {place - step} of one episode's life")
    return []


def _one(world: World, victim: str, call: str, place: int, *, whole: bool) -> bool:
    """Live one life with death at a call; say whether death came."""
    child = world.agent if victim == "agent" else world.desk
    if child is None:
        raise HarnessError(f"no {victim} runs")
    with Tracer(child, call, f"signal=SIGKILL:when={place}", world.folder / "strace.log"):
        _life(world, child, whole=whole)
    return not child.alive()


def _end_faults(world: World) -> None:
    """Start every fan, and the agent anew so that it looks at once."""
    if not any(world.stopped()):
        return
    for shelf, stopped in enumerate(world.stopped()):
        if stopped:
            world.switch(shelf, stopped=False)
    world.kill_agent()
    world.start()
    until("the faults are over", world.settled)


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
    if not so(world.settled) or not whole:
        return
    found = world.ticket(shelf)
    if found is None:
        raise HarnessError("the ticket is missing")
    if not world.acknowledge(found[0], f"crash-{time.monotonic_ns()}"):
        until("what does not answer is dead", lambda: not child.alive())
    if so(world.settled):
        world.switch(shelf, stopped=False)
        so(world.settled)

"""How agent and desk are started and ended: forked from a warm parent, or cold as an operator starts them.

Every child dies with the process that made it, and is ended by its own id.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)
ROUNDSMAN = Path(sys.executable).with_name("roundsman")


class HarnessError(Exception):
    """The harness itself could not go on: says nothing about what it tests."""


class Child(Protocol):
    """A running agent or desk."""

    pid: int

    def kill(self) -> None:
        """kill -9, and wait until it is gone; also for one that is dead already."""
        ...

    def alive(self) -> bool:
        """Say whether it still runs."""
        ...


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def until(what: str, true: Callable[[], object], seconds: float = 30.0, every: float = 0.01) -> None:
    """Wait until something is so; raises HarnessError when it is not within the time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise HarnessError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


class Forked:
    """A child forked from this process, warm, that runs the real command line."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self._gone = False
        self.pid = os.fork()
        if self.pid == 0:
            _become(words, log)

    def kill(self) -> None:
        if not self._gone:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self._gone = True

    def alive(self) -> bool:
        if not self._gone and os.waitpid(self.pid, os.WNOHANG)[0]:
            self._gone = True
        return not self._gone


class Started:
    """A child that is a program of its own: the real `roundsman`."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        with log.open("ab") as out:
            command = ["setpriv", "--pdeathsig", "KILL", "--", str(ROUNDSMAN), *words]
            self._child = subprocess.Popen(command, stdout=out, stderr=out)
        self.pid = self._child.pid

    def kill(self) -> None:
        self._child.kill()
        self._child.wait()

    def alive(self) -> bool:
        return self._child.poll() is None


def warm() -> None:
    """Import what agent and desk import, so that a fork starts at once; no thread may be running yet."""
    for name in ("roundsman.cli", "roundsman.commands.agent", "roundsman.commands.desk", "collectors.snmp.engine"):
        import_module(name)
    for name in ("uvicorn.protocols.http.h11_impl", "uvicorn.lifespan.off", "uvicorn.loops.auto", "encodings.idna"):
        import_module(name)
    import_module("collectors.snmp.library").shipped()


def _become(words: Sequence[str], log: Path) -> None:
    """Be the command, and never return to the parent's code."""
    status = 70
    try:
        die_with_parent()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        status = import_module("roundsman.cli").run(list(words))
    except BaseException as problem:
        os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
    finally:
        os._exit(status)

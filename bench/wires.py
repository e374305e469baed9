"""A line of the bench: `roundsman simulate line` in a process of its own, the readers beside it, what both counted."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.definitions import REGISTERS
from bench.processes import ROOT, BenchError, Child, python
from bench.site import ROUNDSMAN

OURS = "roundsman"
PEERS = {
    "pymodbus": "pymodbus sync",
    "pymodbus-async": "pymodbus async",
    "minimalmodbus": "minimalmodbus",
    "collectd": "collectd's modbus plugin",
}
FIFO = 16

_COLLECTD = """\
Interval 1
BaseDir "{folder}"
PIDFile "{folder}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin modbus
LoadPlugin csv
<Plugin csv>
  DataDir "{folder}/csv"
</Plugin>
<Plugin modbus>
{data}
<Host "bench">
  Device "{port}"
  Baudrate {baud}
  Interval 1
{slaves}
</Host>
</Plugin>
"""
_DATA = '<Data "r{n}">\n  RegisterBase {n}\n  RegisterType Uint16\n  RegisterCmd ReadHolding\n  Type gauge\n</Data>'


@dataclass(frozen=True)
class Line:
    """What hangs on a line, and how bad it is: `extra` are options of `roundsman simulate line`."""

    baud: int = 9600
    modbus: tuple[int, ...] = tuple(range(1, 9))
    ydt: tuple[int, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """Return the options of the command."""
        ydt = ["--ydt", _listed(self.ydt)] if self.ydt else []
        return ["--baud", str(self.baud), "--modbus", _listed(self.modbus), *ydt, "--fifo", str(FIFO), *self.extra]

    def least(self) -> float:
        """Return the seconds that one read of every Modbus slave takes at the least, with 5 ms turnaround."""
        character = 10.0 / self.baud
        gap = 3.5 * character if self.baud <= 19200 else 0.00175
        return len(self.modbus) * ((13 + 2 * REGISTERS) * character + max(0.005, gap) + gap)


class Running:
    """A line that runs."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.port: str = json.loads(child.words.readline() or b"{}").get("port", "")
        if not self.port:
            raise BenchError(f"the line did not come up: {child.log.read_text()[-500:]}")

    def counts(self) -> dict[str, Any]:
        """Return what was counted so far."""
        found: dict[str, Any] = json.loads(self.child.say("counts"))
        return found


@dataclass(frozen=True)
class Outcome:
    """What the line counted (`counts`) and what its reader said (`read`); `cpu` is the reader's, in seconds."""

    counts: dict[str, Any]
    read: dict[str, Any]
    cpu: float

    @property
    def answered(self) -> float:
        """Per cent of the requests that were answered."""
        return 100.0 * float(self.counts["answered"]) / max(1, int(self.counts["asked"]))

    @property
    def cycle(self) -> float:
        """Seconds of a cycle, by the reader: their mean."""
        found: list[float] = self.read["seconds"]
        return sum(found) / max(1, len(found))

    @property
    def milliseconds(self) -> float:
        """CPU milliseconds for each request."""
        return self.cpu * 1e3 / max(1, int(self.counts["asked"]))


@contextmanager
def running(line: Line) -> Iterator[Running]:
    """Run a line."""
    words = [str(ROUNDSMAN), "simulate", "line", "--json", *line.words]
    with TemporaryDirectory(prefix="roundsman-line-") as name, Child("line", words, Path(name), talk=True) as child:
        yield Running(child)


def read(who: str, line: Line, cycles: int | str, seconds: float = 0.0) -> Outcome | None:
    """Let somebody read a line for so many cycles (ours: or `60s`), collectd for so many seconds.

    None where it is not installed.
    """
    with running(line) as there:
        if who == "collectd":
            return _collectd(line, there, seconds)
        words = python("bench.reader", who, there.port, str(line.baud), str(cycles), _listed(line.modbus))
        done = subprocess.run(
            [*words, _listed(line.ydt)], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
        )
        if "No module named" in done.stderr:
            return None
        if done.returncode:
            raise BenchError(f"{who} on the line: {done.stderr.strip()[-500:]}")
        said = json.loads(done.stdout)
        return Outcome(there.counts(), said, said["cpu"])


def ours(line: Line, cycles: int | str) -> Outcome:
    """Let our engine read a line."""
    outcome = read(OURS, line, cycles)
    if outcome is None:
        raise BenchError("a library that our engine needs is not installed")
    return outcome


def _collectd(line: Line, there: Running, seconds: float) -> Outcome | None:
    program = shutil.which("collectd") or shutil.which("collectd", path="/usr/sbin")
    if program is None or not Path("/usr/lib/collectd/modbus.so").exists():
        return None
    collected = "\n".join(f'    Collect "r{n}"' for n in range(REGISTERS))
    slaves = "\n".join(f'  <Slave {unit}>\n    Instance "s{unit}"\n{collected}\n  </Slave>' for unit in line.modbus)
    data = "\n".join(_DATA.format(n=n) for n in range(REGISTERS))
    with TemporaryDirectory(prefix="roundsman-peer-") as name:
        config = Path(name) / "collectd.conf"
        config.write_text(_COLLECTD.format(folder=name, data=data, port=there.port, baud=line.baud, slaves=slaves))
        with Child("collectd", [program, "-f", "-C", str(config)], Path(name)) as child:
            time.sleep(seconds)
            return Outcome(there.counts(), {}, child.cpu())


def _listed(addresses: Sequence[int]) -> str:
    return ",".join(str(address) for address in addresses)

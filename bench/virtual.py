"""Our engine on a simulated line in a time of its own: nothing waits, so that 100,000 requests take a minute.

    python -m bench.virtual REQUESTS SHARE SEED

Everything is real but the clock and the port: the engine's devices, exchanges and codecs on one side, the simulated
pair with its slaves on the other. SHARE of all bytes are corrupted, both ways, and one slave often answers too late.
Prints what `bench.reader` prints, and the line's `counts`.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import definitions
from bench.reader import Read
from collectors.line import device as line_device
from collectors.line import exchange as line_exchange
from collectors.line.device import PolledDevice
from collectors.line.exchange import Exchange
from collectors.line.stats import LineStats
from collectors.line.timing import Timing
from config.schema import Line, LineDevice
from model.point import Quality
from simulator.line_slaves import plain
from simulator.pair import Pair
from simulator.trouble import Trouble

BAUD = 115200
LATE_UNIT = 8
UNITS = range(1, LATE_UNIT + 1)
TIMEOUT = 0.05


class Clock:
    """Stands in for the module `time`: goes on only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.now

    def clock_gettime(self, _: int) -> float:
        """Return the same seconds, whatever clock is asked."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let so much time go by."""
        self.now += seconds

    CLOCK_BOOTTIME = 7


class VirtualPort:
    """A port whose other end is the pair itself: waiting for bytes moves the clock to where they are."""

    latency = 0.0

    def __init__(self, pair: Pair, clock: Clock) -> None:
        self._pair = pair
        self._clock = clock
        self._pending = b""
        pair.begin(clock.now)

    def close(self) -> None:
        """Leave the line as it is."""

    def write(self, octets: bytes, seconds: float) -> None:  # noqa: ARG002  # a port may be slow; this one is not
        """Let the client speak."""
        self._pending = self._heard()
        self._pair.speak(octets, self._clock.now)

    def read(self, seconds: float) -> bytes:
        """Return what has come within so many seconds, as soon as there is something."""
        limit = self._clock.now + seconds
        found, self._pending = self._pending + self._heard(), b""
        while not found and (due := self._pair.due()) <= limit:
            self._clock.now = max(self._clock.now, due)
            found = self._heard()
        if not found:
            self._clock.now = limit
        return found

    def _heard(self) -> bytes:
        return b"".join(part.octets for part in self._pair.act(self._clock.now))


@contextmanager
def clocked(clock: Clock) -> Iterator[None]:
    """Let the engine's modules live in this time."""
    modules = (line_device, line_exchange)
    real = [vars(module)["time"] for module in modules]
    for module in modules:
        vars(module)["time"] = clock
    try:
        yield
    finally:
        for module, time in zip(modules, real, strict=True):
            vars(module)["time"] = time


def read(
    requests: int,
    corrupted: float,
    seed: int,
    *,
    late: bool = True,
    baud: int = BAUD,
    babble: float = 0.0,
    silent: Sequence[int] = (),
) -> tuple[Read, Pair]:
    """Poll eight slaves, one after the other, until so many requests were heard; the last one is often `late`.

    Somebody babbles for that share of the time; `silent` slaves are dead, and asked in each cycle all the same.
    """
    definitions.add()
    clock = Clock()
    slaves = [plain(unit) for unit in UNITS]
    slow = {f"modbus-{LATE_UNIT}": (0.005, 3 * TIMEOUT)} if late else {}
    pair = Pair(slaves, baud=baud, slow=slow, trouble=Trouble(corrupted=corrupted, babble=babble), seed=seed)
    pair.silent |= {f"modbus-{unit}" for unit in silent}
    devices = tuple(
        LineDevice(id=f"modbus-{unit}", protocol="modbus", address=unit, definition=definitions.TWENTY)
        for unit in UNITS
    )
    line = Line(id="virtual", port=Path("/dev/null"), baud=baud, timeout=TIMEOUT, devices=devices)
    polled = [PolledDevice(line, each, LineStats(line.id)) for each in devices]
    done = Read()
    with clocked(clock):
        exchange = Exchange(VirtualPort(pair, clock), Timing.of(line), clock.monotonic)
        while pair.tally.asked < requests:
            began = clock.now
            for unit, each in zip(UNITS, polled, strict=True):
                batch = each.poll(exchange)
                good = [reading for reading in batch.readings if reading.quality is Quality.GOOD]
                done.lost += not batch.reachable
                done.take(unit, {int(dict(one.point.index)["block"]) - 1: float(one.value or 0) for one in good})
            done.seconds.append(clock.now - began)
    return done, pair


def main() -> None:
    """Read and print."""
    done, pair = read(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps(vars(done) | {"counts": pair.tally.told()}), flush=True)


if __name__ == "__main__":
    main()

"""`roundsman simulate line`: one paced line with devices of your own choice, and its counts when it ends."""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.bus import LineDevice, PacedLine
from simulator.gateway import Gateway
from simulator.line_slaves import plain, plant
from simulator.modbus import HOLDING, crc
from simulator.pair import OtherMaster
from simulator.replay import Replayed, read_frames
from simulator.room import link_to
from simulator.trouble import NO_TROUBLE, Trouble
from simulator.uart import Parity

OTHER_MASTER_READS = 10


@dataclass(frozen=True, slots=True)
class Unplugged:
    """When the adapter is pulled and when it is back, under another name; seconds from the start."""

    after: float
    back: float


@dataclass(frozen=True, slots=True)
class LineOptions:
    """What hangs on the line and how it behaves; times in seconds.

    `dead`, `slow` and `twins` name devices by address: what has that address in either protocol.  `other_master` is how
    often another master asks one of the Modbus units, `replay` a file of recorded requests and answers.  `tcp` is a
    port of 127.0.0.1 on which a device server stands in front of the line: 0 for any, None for none.
    """

    baud: int = 9600
    parity: Parity = "none"
    stop_bits: int = 1
    turnaround: float = 0.005
    modbus: tuple[int, ...] = ()
    ydt: tuple[int, ...] = ()
    registers: int = 256
    dead: tuple[int, ...] = ()
    slow: dict[int, tuple[float, float]] = field(default_factory=dict)
    twins: tuple[int, ...] = ()
    other_master: float = 0.0
    replay: Path | None = None
    trouble: Trouble = NO_TROUBLE
    unplugged: Unplugged | None = None
    link: Path | None = None
    tcp: int | None = None
    fifo: int = 4
    seed: int = 1
    precise: bool = True
    stop_after: float | None = None

    def devices(self) -> list[LineDevice]:
        """Return the devices, `modbus-1` and `ydt-1`; a twin answers at the same address as its first.

        Raises OSError or ValueError for a file to replay that cannot be used.
        """
        found: list[LineDevice] = [plain(unit, registers=self.registers) for unit in self.modbus]
        found += [plant(address) for address in self.ydt]
        found += [Replayed("replayed", read_frames(self.replay))] if self.replay is not None else []
        found += [plain(unit, f"modbus-{unit}-twin") for unit in self.twins if unit in self.modbus]
        found += [plant(address, f"ydt-{address}-twin") for address in self.twins if address in self.ydt]
        return found

    def line(self) -> PacedLine:
        """Return the line, not yet open."""
        units = [unit for unit in self.modbus if unit not in self.dead] or list(self.modbus)
        bodies = [bytes([unit, HOLDING, 0, 0, 0, OTHER_MASTER_READS]) for unit in units]
        frames = tuple(body + crc(body) for body in bodies)
        made = PacedLine(
            self.devices(),
            baud=self.baud,
            parity=self.parity,
            stop_bits=self.stop_bits,
            turnaround=self.turnaround,
            slow={name: times for address, times in self.slow.items() for name in _named(address)},
            trouble=self.trouble,
            others=OtherMaster(self.other_master, frames) if self.other_master and frames else None,
            fifo=self.fifo,
            seed=self.seed,
            precise=self.precise,
        )
        made.silent.update(name for address in self.dead for name in _named(address))
        return made


def _named(address: int) -> tuple[str, ...]:
    return (f"modbus-{address}", f"ydt-{address}", f"modbus-{address}-twin", f"ydt-{address}-twin")


def simulate_line(options: LineOptions, *, as_json: bool = False, say: Callable[[str], None] = print) -> None:
    """Run a line until SIGINT, SIGTERM or `stop_after`; say its port first and its counts at the end.

    With `as_json` each is an object in one line, and every line on standard input is answered with the counts so far.
    Raises OSError for a link that cannot be made or a port that is taken, ValueError for a file of no frames.
    """
    if options.tcp is not None and options.unplugged is not None:
        raise ValueError("a device server has its adapter within; take --tcp or --unplug")
    line = options.line()
    ending, end = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(end, b"x"))
    gateway = Gateway(options.tcp) if options.tcp is not None else None
    port = line.open()
    try:
        if gateway is not None:
            gateway.start(port)
        line.start()
        _linked(options.link, port)
        where = {"port": port, "link": str(options.link or ""), "tcp": gateway.port if gateway else None}
        say(json.dumps(where) if as_json else _where(options, port, gateway))
        _until_end(options, line, ending, say if as_json else None)
        say(json.dumps(line.tally.told()) if as_json else _told(line))
    finally:
        if gateway is not None:
            gateway.stop()
        line.stop()
        if options.link is not None:
            options.link.unlink(missing_ok=True)


def _linked(link: Path | None, port: str) -> None:
    if link is not None:
        link_to(link, port)


def _until_end(options: LineOptions, line: PacedLine, ending: int, say: Callable[[str], None] | None) -> None:
    """Wait for the end; pull the adapter and bring it back in the meantime, and answer who asks for the counts."""
    began = time.monotonic()
    plugs: list[tuple[float, Callable[[], None]]] = []
    if options.unplugged is not None:
        plugs = [
            (began + options.unplugged.after, lambda: _unplug(options, line)),
            (began + options.unplugged.back, lambda: _replug(options, line)),
        ]
    until = began + options.stop_after if options.stop_after is not None else None
    watched: list[int] = [ending] if say is None else [ending, sys.stdin.fileno()]
    while True:
        moments = [*(at for at, _ in plugs[:1]), *([until] if until is not None else [])]
        wait = max(0.0, min(moments) - time.monotonic()) if moments else None
        ready: Sequence[int] = select.select(watched, [], [], wait)[0]
        now = time.monotonic()
        if ending in ready or (until is not None and now >= until):
            return
        if ready and say is not None:
            if sys.stdin.readline():
                say(json.dumps(line.tally.told()))
            else:
                watched = [ending]
        if plugs and now >= plugs[0][0]:
            plugs.pop(0)[1]()


def _unplug(options: LineOptions, line: PacedLine) -> None:
    if options.link is not None:
        options.link.unlink(missing_ok=True)
    line.stop()


def _replug(options: LineOptions, line: PacedLine) -> None:
    taken = os.openpty()  # whoever took the old name in the meantime
    try:
        port = line.open()
    finally:
        for descriptor in taken:
            os.close(descriptor)
    line.start()
    _linked(options.link, port)


def _where(options: LineOptions, port: str, gateway: Gateway | None) -> str:
    sign = {"none": "N", "even": "E", "odd": "O"}[options.parity]
    shown = f"{options.link} -> {port}" if options.link is not None else port
    tcp = f", and 127.0.0.1:{gateway.port} in front of it" if gateway is not None else ""
    hung = {"Modbus": options.modbus, "YD/T": options.ydt}
    devices = "; ".join(f"{kind} {_few(addresses)}" for kind, addresses in hung.items() if addresses) or "nothing"
    return f"{shown} ({options.baud} 8{sign}{options.stop_bits}{tcp}): {devices}. Ctrl-C ends it."


def _few(addresses: Sequence[int]) -> str:
    return ", ".join(str(address) for address in addresses)


def _told(line: PacedLine) -> str:
    told = line.tally.told()
    by_device = ", ".join(f"{name} {count}" for name, count in told.pop("by_device").items())
    rows = [f"{name.replace('_', ' '):28} {_shown(value)}" for name, value in told.items()]
    return "\n".join([*rows, f"{'answers of':28} {by_device or 'nobody'}"])


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)

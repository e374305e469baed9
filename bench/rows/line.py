"""A serial line: how much longer a cycle takes than its bytes and gaps must, on the simulator's paced line.

The least time is counted on the line itself: every byte heard and answered, the turnaround and the gap of each
exchange; nothing of the reader is asked for it.
"""

import asyncio
import subprocess
from collections.abc import Callable

from bench import peers
from bench.figures import Budget, Figure, Spread
from bench.processes import ROOT, BenchError, python
from bench.sizes import Sizes
from simulator.bus import LineDevice, PacedLine
from simulator.room import PowerRoom


class Counted:
    """A device on the line, with a count of what was said with it."""

    def __init__(self, device: LineDevice, heard: list[int]) -> None:
        self._device = device
        self._heard = heard

    @property
    def name(self) -> str:
        """Say what the device is called."""
        return self._device.name

    def answer(self, frame: bytes) -> bytes | None:
        """Answer as the device does."""
        reply = self._device.answer(frame)
        if reply is not None:
            self._heard.append(len(frame) + len(reply))
        return reply


def measure(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    """Read the room's line, by our engine and by pymodbus in turns."""
    return asyncio.run(_measured(sizes, tell))


async def _measured(sizes: Sizes, tell: Callable[[str], None]) -> list[Figure]:
    ratios: dict[str, list[float]] = {"roundsman": [], "pymodbus": []}
    for turn in range(sizes.runs):
        for who in ratios:
            tell(f"run {turn + 1} of {sizes.runs}, {sizes.cycles} cycles of {who}")
            ratios[who] += await _ratio(who, sizes.cycles)
    peer = peers.peer("pymodbus sync, the Modbus devices alone", ratios["pymodbus"])
    ours = Spread.of(ratios["roundsman"])
    return [Figure("RS-485 cycle at 9600 over its wire time", "ratio", ours, (peer,), Budget(1.02))]


async def _ratio(who: str, cycles: int) -> list[float]:
    """Return cycle time over wire time; nothing where the reader is not installed."""
    heard: list[int] = []
    room = PowerRoom()
    room.line.devices = [Counted(device, heard) for device in room.line.devices]
    await room.start()
    try:
        words = python("bench.reader", who, room.line_port, str(cycles))
        done = await asyncio.to_thread(subprocess.run, words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    finally:
        await room.stop()
    if "No module named 'pymodbus'" in done.stderr:
        return []
    if done.returncode:
        raise BenchError(f"{who} on the line: {done.stderr.strip()[-500:]}")
    return [float(done.stdout) / _wire_time(room.line, heard)]


def _wire_time(line: PacedLine, heard: list[int]) -> float:
    """Return the least seconds: each byte's, and each exchange's turnaround and gap."""
    return sum(octets * line.character + max(line.turnaround, line.gap) + line.gap for octets in heard)

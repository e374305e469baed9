"""Reads a line for the bench, as a process of its own: the same registers by whatever client is named.

    python -m bench.reader {roundsman,pymodbus,pymodbus-async,minimalmodbus} PORT BAUD CYCLES MODBUS [YDT]

MODBUS and YDT are addresses (`1,2,3`); CYCLES may be seconds (`60s`) or both, what is over first (`40,20s`). Prints an
object: `cpu` seconds of all cycles, the `seconds` of each, `values` that were read; answers taken that have a `wrong`
one, and of these `foreign`: all of another slave; `lost`: slaves not read in a cycle; `waited`: requests for whose
answer ours waited in vain; `reached`: cycles in which each was read. Registers tell their slave and their place: a
value is known to be wrong by itself.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import definitions

TIMEOUT = 0.5
LEAST_EVERY = 0.001  # seconds: shorter than any cycle, so that each follows the other


class Enough:
    """When to stop: after so many cycles or so many seconds."""

    def __init__(self, text: str) -> None:
        parts = text.split(",")
        self.cycles = next((int(part) for part in parts if part.isdigit()), sys.maxsize)
        self.seconds = next((float(part.removesuffix("s")) for part in parts if part.endswith("s")), None)
        self._until = time.monotonic() + self.seconds if self.seconds is not None else None

    def reached(self, cycles: int) -> bool:
        """Tell whether so many cycles, by now, are enough."""
        return cycles >= self.cycles or (self._until is not None and time.monotonic() > self._until)


@dataclass
class Read:
    """What came of it."""

    cpu: float = 0.0
    values: int = 0
    wrong: int = 0
    foreign: int = 0
    lost: int = 0
    waited: int = 0
    seconds: list[float] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=Counter)

    def take(self, unit: int, found: dict[int, float]) -> None:
        """Count the registers of one slave, by their address."""
        self.values += len(found)
        self.wrong += any(value != (unit << 8 | address) for address, value in found.items())
        others = {int(value) - address for address, value in found.items()}
        self.foreign += len(others) == 1 and others != {unit << 8}
        self.reached[f"modbus-{unit}"] += bool(found)


async def roundsman(port: str, baud: int, until: Enough, modbus: list[int], ydt: list[int]) -> Read:
    """Let our engine read, cycle by cycle."""
    from collectors.line import engine
    from collectors.line.stats import LineStats
    from config.schema import Line, LineDevice
    from model.point import Batch, Quality

    definitions.add()
    done, enough = Read(), asyncio.Event()

    def emit(batch: Batch) -> None:
        kind, _, unit = batch.device.partition("-")
        if not unit:
            return  # the line itself has a batch too
        good = [each for each in batch.readings if each.quality is Quality.GOOD]
        done.lost += not batch.reachable
        if kind == "modbus":
            done.take(int(unit), {int(dict(each.point.index)["block"]) - 1: float(each.value or 0) for each in good})
        else:
            done.values += len(good)
            done.reached[batch.device] += bool(good)

    def report(stats: LineStats) -> None:
        done.seconds.append(stats.cycle_seconds)
        done.waited = sum(slave.timeouts for slave in stats.slaves.values())
        if len(done.seconds) >= until.cycles:
            enough.set()

    devices = [
        LineDevice(id=f"modbus-{unit}", protocol="modbus", address=unit, definition=definitions.TWENTY)
        for unit in modbus
    ]
    devices += [
        LineDevice(id=f"ydt-{address}", protocol="ydt1363", address=address, definition="power-plant")
        for address in ydt
    ]
    line = Line(id="line", port=Path(port), baud=baud, every=LEAST_EVERY, timeout=TIMEOUT, devices=tuple(devices))
    before = time.process_time()
    running = asyncio.create_task(engine.run([line], emit, report))
    over = asyncio.create_task(enough.wait())
    await asyncio.wait((running, over), timeout=until.seconds, return_when=asyncio.FIRST_COMPLETED)
    done.cpu = time.process_time() - before
    running.cancel()
    over.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return done


def pymodbus(port: str, baud: int, until: Enough, modbus: list[int]) -> Read:
    """Let pymodbus read, synchronously, as its documentation shows it."""
    from pymodbus import ModbusException
    from pymodbus.client import ModbusSerialClient

    client = ModbusSerialClient(port, baudrate=baud, timeout=TIMEOUT, retries=0)
    client.connect()

    def one(unit: int) -> list[int]:
        try:
            answer = client.read_holding_registers(0, count=definitions.REGISTERS, device_id=unit)
        except ModbusException:
            client.connect()
            return []
        return [] if answer.isError() else list(answer.registers)

    return _cycled(one, until, modbus)


async def pymodbus_async(port: str, baud: int, until: Enough, modbus: list[int]) -> Read:
    """Let pymodbus read, asynchronously."""
    from pymodbus import ModbusException
    from pymodbus.client import AsyncModbusSerialClient

    client = AsyncModbusSerialClient(port, baudrate=baud, timeout=TIMEOUT, retries=0)
    await client.connect()
    done, before = Read(), time.process_time()
    while not until.reached(len(done.seconds)):
        began = time.monotonic()
        for unit in modbus:
            try:
                answer = await client.read_holding_registers(0, count=definitions.REGISTERS, device_id=unit)
            except ModbusException:
                await client.connect()
                answer = None
            found = [] if answer is None or answer.isError() else answer.registers
            done.lost += not found
            done.take(unit, dict(enumerate(found)))
        done.seconds.append(time.monotonic() - began)
    done.cpu = time.process_time() - before
    client.close()
    return done


def minimalmodbus(port: str, baud: int, until: Enough, modbus: list[int]) -> Read:
    """Let minimalmodbus read."""
    import minimalmodbus as library

    slaves = {unit: library.Instrument(port, unit) for unit in modbus}
    for slave in slaves.values():
        slave.serial.baudrate, slave.serial.timeout = baud, TIMEOUT

    def one(unit: int) -> list[int]:
        try:
            return list(slaves[unit].read_registers(0, definitions.REGISTERS))
        except OSError:  # what it raises for no answer and for a wrong one
            return []

    return _cycled(one, until, modbus)


def _cycled(one: Callable[[int], list[int]], until: Enough, modbus: list[int]) -> Read:
    done, before = Read(), time.process_time()
    while not until.reached(len(done.seconds)):
        began = time.monotonic()
        for unit in modbus:
            found = one(unit)
            done.lost += not found
            done.take(unit, dict(enumerate(found)))
        done.seconds.append(time.monotonic() - began)
    done.cpu = time.process_time() - before
    return done


def main() -> None:
    """Read and print."""
    who, port, baud, until = sys.argv[1], sys.argv[2], int(sys.argv[3]), Enough(sys.argv[4])
    modbus, ydt = ([int(part) for part in text.split(",") if part] for text in (*sys.argv[5:7], "")[:2])
    if who == "roundsman":
        done = asyncio.run(roundsman(port, baud, until, modbus, ydt))
    elif who == "pymodbus-async":
        done = asyncio.run(pymodbus_async(port, baud, until, modbus))
    else:
        done = {"pymodbus": pymodbus, "minimalmodbus": minimalmodbus}[who](port, baud, until, modbus)
    print(json.dumps(vars(done)), flush=True)


if __name__ == "__main__":
    main()

"""Reads a line for the bench and prints the seconds that all cycles took.

    python -m bench.reader {roundsman,pymodbus} PORT CYCLES

Both ask the battery monitor (unit 2) and the meter (unit 3); roundsman asks the rectifier plant (YD/T 1363) too.
"""

import asyncio
import sys
import time
from pathlib import Path

from collectors.line import engine
from collectors.line.stats import LineStats
from config.schema import Line, LineDevice

EVERY = 2.5  # seconds: longer than a cycle takes, so that one ends before the next begins


async def roundsman(port: str, cycles: int) -> float:
    """Let our engine read, cycle by cycle."""
    took: list[float] = []
    enough = asyncio.Event()

    def report(stats: LineStats) -> None:
        took.append(stats.cycle_seconds)
        if len(took) >= cycles:
            enough.set()

    devices = (
        LineDevice(id="plant", name="Plant", protocol="ydt1363", address=1, definition="power-plant", every=EVERY),
        LineDevice(id="battery", protocol="modbus", address=2, definition="block-battery-monitor", every=EVERY),
        LineDevice(id="meter", protocol="modbus", address=3, definition="eastron-sdm630", every=EVERY),
    )
    line = Line(id="line", port=Path(port), every=EVERY, devices=devices)
    running = asyncio.create_task(engine.run([line], lambda _: None, report))
    await enough.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return sum(took)


def pymodbus(port: str, cycles: int) -> float:
    """Let pymodbus read the same registers of the two Modbus devices, in as few requests as they allow."""
    from pymodbus.client import ModbusSerialClient

    client = ModbusSerialClient(port, baudrate=9600, timeout=0.5, retries=0)
    client.connect()
    began = time.monotonic()
    for _ in range(cycles):
        answers = [
            client.read_holding_registers(0, count=5, device_id=2),
            client.read_holding_registers(16, count=24, device_id=2),
            client.read_input_registers(0, count=76, device_id=3),
            client.read_input_registers(0x156, count=2, device_id=3),
        ]
        if any(answer.isError() for answer in answers):
            raise SystemExit("pymodbus: a reply was lost")
    took = time.monotonic() - began
    client.close()  # type: ignore[no-untyped-call]  # pymodbus has no types there
    return took


def main() -> None:
    """Read and print."""
    who, port, cycles = sys.argv[1], sys.argv[2], int(sys.argv[3])
    took = asyncio.run(roundsman(port, cycles)) if who == "roundsman" else pymodbus(port, cycles)
    print(took, flush=True)


if __name__ == "__main__":
    main()

"""Devices of a line read once, without an engine: the port is opened and listened to once for all of them."""

import asyncio
import os
from collections.abc import Callable, Sequence

from collectors.line.definition import Definition
from collectors.line.device import PolledDevice
from collectors.line.engine import listen
from collectors.line.exchange import Exchange
from collectors.line.port import Port, PortError, StoppedError
from collectors.line.ports import exchange_on, open_port
from collectors.line.stats import LineStats
from config.schema import Line, LineDevice
from model.point import Batch

Told = Callable[[LineDevice], object]


async def read_once(line: Line, device: LineDevice, definition: Definition | None = None) -> Batch:
    """Open the line, read one device once, close the line. What goes wrong is in the batch.

    `definition` stands in for the one the device names.
    """
    return (await _read(line, [(device, definition)], _untold))[0]


async def read_all_once(line: Line, devices: Sequence[LineDevice], told: Told | None = None) -> list[Batch]:
    """Open the line, read these devices of it once, one after the other, close the line.

    Returns a batch for each, in their order; what goes wrong is in the batches. `told` is called with each device
    before it is asked, from another thread. Who cancels this waits no longer than for a frame under way.
    """
    return await _read(line, [(device, None) for device in devices], told or _untold)


async def _read(line: Line, wanted: Sequence[tuple[LineDevice, Definition | None]], told: Told) -> list[Batch]:
    stats, wake = LineStats(line.id), os.eventfd(0)
    reader = asyncio.ensure_future(asyncio.to_thread(_one_after_the_other, line, stats, wanted, told, wake))
    try:
        return await asyncio.shield(reader)
    except asyncio.CancelledError:
        os.eventfd_write(wake, 1)
        await asyncio.wait([reader])
        raise
    finally:
        os.close(wake)


def _one_after_the_other(
    line: Line,
    stats: LineStats,
    wanted: Sequence[tuple[LineDevice, Definition | None]],
    told: Told,
    wake: int,
) -> list[Batch]:
    asked = [(device, PolledDevice(line, device, stats, definition)) for device, definition in wanted]
    batches: list[Batch] = []
    opened: tuple[Port, Exchange] | None = None
    failed = ""
    try:
        for device, polled in asked:
            told(device)
            try:
                if failed:
                    batches.append(polled.absent(failed))
                    continue
                opened = opened or _opened(line, wake)
                batches.append(polled.poll(opened[1], patient=True))
            except PortError as error:
                batches.append(polled.absent(str(error)))
                if opened is None:
                    failed = str(error)  # of all that are left: to try it again would take its while each time
                else:
                    opened[0].close()
                    opened = None  # the next device has it opened anew: it may be this one's answer that ended it
    except StoppedError:
        pass  # nobody waits for the batches any more
    finally:
        if opened is not None:
            opened[0].close()
    return batches


def _opened(line: Line, wake: int) -> tuple[Port, Exchange]:
    """Open the port and listen before the first word. Raises PortError, StoppedError."""
    port = open_port(line, wake)
    try:
        listen(port, line)
    except BaseException:
        port.close()
        raise
    return port, exchange_on(port, line)


def _untold(_: LineDevice) -> None:
    """Take what nobody asked for."""

"""From a line's configuration to its open port, and to the exchange that speaks on it."""

from collectors.line.exchange import Exchange
from collectors.line.port import Port
from collectors.line.ports.serial import SerialPort
from collectors.line.timing import Timing
from config.schema import Line


def open_port(line: Line, wake: int | None = None) -> Port:
    """Open the line's port. Raises PortError, and StoppedError when descriptor `wake` became readable meanwhile."""
    return SerialPort(line, wake)


def exchange_on(port: Port, line: Line) -> Exchange:
    """Return what asks the line's devices on its open port."""
    return Exchange(port, Timing.of(line))

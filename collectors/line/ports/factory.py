"""From a line's configuration to its open port, and to the exchange that speaks on it."""

from pathlib import Path

from collectors.line.exchange import Exchange
from collectors.line.port import Port
from collectors.line.ports.modbus_tcp import ModbusTcpExchange
from collectors.line.ports.rfc2217 import Rfc2217Port
from collectors.line.ports.serial import SerialPort
from collectors.line.ports.tcp import TcpPort
from collectors.line.timing import Timing
from config.line_port import MODBUS_TCP, RFC2217, TCP, DeviceServer
from config.schema import Line

NETWORK: dict[str, type[TcpPort]] = {TCP: TcpPort, RFC2217: Rfc2217Port, MODBUS_TCP: TcpPort}


def open_port(line: Line, wake: int | None = None) -> Port:
    """Open the line's port. Raises PortError, and StoppedError when descriptor `wake` became readable meanwhile."""
    if isinstance(line.port, Path):
        return SerialPort(line, wake)
    return NETWORK[line.port.kind](line, wake)


def exchange_on(port: Port, line: Line) -> Exchange:
    """Return what asks the line's devices on its open port."""
    if isinstance(port, TcpPort) and isinstance(line.port, DeviceServer) and line.port.kind == MODBUS_TCP:
        return ModbusTcpExchange(port, Timing.of(line))
    return Exchange(port, Timing.of(line))

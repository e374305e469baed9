"""What the parts of a line must agree on: its port's kind with its other keys and devices, its devices' addresses."""

from collections.abc import Iterable
from pathlib import Path

from config.advice import show
from config.convert import Conversion
from config.line_port import MODBUS_TCP, TCP, DeviceServer
from config.schema import Line, LineDevice

ADDRESSES = {"modbus": (1, 247), "ydt1363": (0, 254)}
ITSELF = 255
"""The address by which a device that speaks Modbus TCP is asked itself, not a line behind it."""

OWN = ("rs485",)
"""Keys that only a port of this machine uses."""
GATEWAYS = ("baud", "parity", "stop_bits", "pause", "unit_pause", "shared", "read_flags")
"""Keys of the line behind a Modbus TCP gateway, which the gateway has to itself."""


def check_lines(conversion: Conversion, lines: Iterable[Line]) -> None:
    """Check each line, and that no two have the same port."""
    ports: dict[str, Line] = {}
    for line in lines:
        _check_keys(conversion, line)
        _check_devices(conversion, line)
        if line.port is None:
            continue
        before = ports.setdefault(_reached(line.port), line)
        if before is not line:
            _complain_of_twice(conversion, line, before)


def _reached(port: Path | DeviceServer) -> str:
    """Return what the port reaches in the end: two names of one adapter, two ways to speak to one server."""
    return str(port.address).lower() if isinstance(port, DeviceServer) else str(port.resolve())


def _complain_of_twice(conversion: Conversion, line: Line, before: Line) -> None:
    number = conversion.node_of(before).at("port").place.line
    advice = "each needs its own"
    if isinstance(line.port, DeviceServer):
        advice = "it serves one connection, so put the devices of both under one line"
    conversion.complain(
        line, "port", f"{show(str(line.port))} is used by another line already (line {number}); {advice}"
    )


def _check_keys(conversion: Conversion, line: Line) -> None:
    """Refuse the keys that this kind of port does not use: who writes them expects something of them."""
    if not isinstance(line.port, DeviceServer):
        return
    written = conversion.node_of(line).fields
    for key in OWN:
        if key in written:
            conversion.complain(line, key, "is for a serial port of this machine; leave it out")
    for key in GATEWAYS if line.port.kind == MODBUS_TCP else ():
        if key in written:
            conversion.complain(line, key, "is the business of the Modbus TCP gateway; set it there and leave it out")


def _check_devices(conversion: Conversion, line: Line) -> None:
    gateway = isinstance(line.port, DeviceServer) and line.port.kind == MODBUS_TCP
    taken: dict[int, LineDevice] = {}
    for device in line.devices:
        if device.protocol is None:
            continue
        if gateway and device.protocol != "modbus":
            message = f"a Modbus TCP gateway carries modbus only; what passes all bytes on is {TCP}://HOST:PORT"
            conversion.complain(device, "protocol", message)
        if device.address is None:
            continue
        least, most = ADDRESSES[device.protocol]
        if not least <= device.address <= most and not (gateway and device.address == ITSELF):
            also = f", or {ITSELF} for the device itself" if gateway else ""
            message = f"{device.address} is no {device.protocol} address; write one from {least} to {most}{also}"
            conversion.complain(device, "address", message)
        elif (other := taken.setdefault(device.address, device)) is not device:
            message = f"{device.address} is the address of {other.id} already; each device of a line needs its own"
            conversion.complain(device, "address", message)

"""Where a line is reached: a serial device of this machine, or a device server or gateway in the network.

/dev/serial/by-id/NAME      an adapter or UART of this machine, by its whole path
tcp://HOST:PORT             a device server that passes bytes on as they are
rfc2217://HOST:PORT         a device server that is told the line's settings (RFC 2217)
modbus-tcp://HOST:PORT      a Modbus TCP gateway, or a device that speaks Modbus TCP itself
"""

import re
from pathlib import Path
from typing import Annotated

import msgspec

from config.advice import either, nearest, show
from config.scalars import Address, Form, address

TCP, RFC2217, MODBUS_TCP = "tcp", "rfc2217", "modbus-tcp"
KINDS = (TCP, RFC2217, MODBUS_TCP)
EXAMPLE_PORTS = {TCP: 4001, RFC2217: 7000, MODBUS_TCP: 502}
LINKS = Path("/dev/serial")
"""Where udev keeps the names that stay with an adapter (by-id) or with its socket (by-path)."""


class DeviceServer(msgspec.Struct, frozen=True):
    """A line's port in the network: how it is spoken to (one of KINDS) and where."""

    kind: str
    address: Address

    def __str__(self) -> str:
        return f"{self.kind}://{self.address}"


def line_port(text: str) -> Path | DeviceServer:
    """Read a port; ValueError says what is wrong and what would be right."""
    kind, slashes, rest = text.partition("://")
    if slashes:
        return _device_server(text, kind, rest)
    kind, colon, rest = text.partition(":")
    if colon and kind in KINDS:
        raise ValueError(f"{show(text)} lacks its two slashes; write {kind}://{rest.strip('/') or 'HOST:PORT'}")
    if not re.fullmatch(r"/\S+", text):
        kinds = either(f"{kind}://HOST:PORT" for kind in KINDS)
        raise ValueError(
            f"{show(text)} is no port; write a serial port's whole path, for example /dev/ttyUSB0, or {kinds}"
        )
    return Path(text)


def _device_server(text: str, kind: str, rest: str) -> DeviceServer:
    if kind not in KINDS:
        raise ValueError(f"{show(kind)} is no kind of port; {nearest(kind, KINDS)}")
    bare, _, number = rest.rpartition(":")
    if ":" in bare and not bare.startswith("["):
        raise ValueError(f"{show(text)} has an IPv6 address; write it in brackets: {kind}://[{bare}]:{number}")
    try:
        return DeviceServer(kind, address(rest))
    except ValueError as error:
        what = str(error).partition(";")[0].replace(show(rest), show(text))
        raise ValueError(f"{what}; write for example {kind}://192.0.2.10:{EXAMPLE_PORTS[kind]}") from error


def advice_on(port: Path | DeviceServer, links: Path | None = None) -> str:
    """Return what is worth saying of a port that is accepted all the same, or nothing."""
    if isinstance(port, DeviceServer):
        return ""
    links = links or LINKS
    if better := lasting_name(port, links):
        return f"{port} goes to whichever adapter comes first; write {better}, which stays with this one"
    if port.is_relative_to(links) and not port.exists():
        there = [str(link) for link in sorted(port.parent.iterdir())] if port.parent.is_dir() else []
        return f"{port} is not there now; there is {', '.join(there) or 'no adapter with such a name'}"
    return ""


def lasting_name(path: Path, links: Path) -> Path | None:
    """Return the link that stays with this adapter (by-id) or its socket (by-path); None: none, or `path` is one."""
    if path.is_relative_to(links):
        return None
    target = path.resolve()
    for folder in (links / "by-id", links / "by-path"):
        for link in sorted(folder.iterdir()) if folder.is_dir() else ():
            if link.resolve() == target:
                return link
    return None


LinePort = Annotated[Path | DeviceServer, Form(line_port, "/dev/ttyUSB0")]

"""The UDP sockets of the engine, one for each family, and where a datagram goes to or came from."""

import asyncio
import errno
import ipaddress
import os
import socket
from collections.abc import Callable

Address = tuple[str, int] | tuple[str, int, int, int]
"""As the socket has it: IPv4 (address, port); IPv6 (address without its scope, port, 0, number of the interface)."""

_DRAIN = 64  # datagrams read before others on the loop have their turn
_RECEIVE_BUFFER = 4_194_304  # octets; the kernel gives what it allows
_MOST = 65_535
_MOST_INTERFACES = 0xFFFF_FFFF


def literal(host: str, port: int) -> Address | None:
    """Return where a written address leads, None when it is a name. Raises OSError for a scope that is no interface."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    return located(host, port)


def located(written: str, port: int) -> Address:
    """Return where an IPv4 or IPv6 address leads. Raises OSError for a scope that is no interface."""
    found = ipaddress.ip_address(written)
    if isinstance(found, ipaddress.IPv4Address):
        return str(found), port
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped), port
    number = _interface(found.scope_id) if found.scope_id and _is_of_a_link(found) else 0
    return socket.inet_ntop(socket.AF_INET6, found.packed), port, 0, number


def _is_of_a_link(address: ipaddress.IPv6Address) -> bool:
    """Say whether an address is one of a link; others are answered without a scope, whatever was written."""
    return address.is_link_local or address.packed[:2] == b"\xff\x02"


def _interface(scope: str) -> int:
    """Return the number of an interface; raises OSError for one that cannot be."""
    if not (scope.isascii() and scope.isdigit()):
        return socket.if_nametoindex(scope)
    if int(scope) > _MOST_INTERFACES:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    return int(scope)


class Sockets:
    """What the engine sends and receives by.

    `received` is called with each datagram and its source; it tells whether more may be waiting that is worth reading.
    `drained` is called after a burst.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        received: Callable[[bytes, Address], bool],
        drained: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._received = received
        self._drained = drained
        self._open: dict[int, socket.socket] = {}

    def send(self, datagram: bytes, address: Address) -> None:
        """Send one datagram; raises OSError when it cannot even be handed to the kernel."""
        family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
        (self._open.get(family) or self._opened(family)).sendto(datagram, address)

    def close(self) -> None:
        """Close them."""
        for each in self._open.values():
            self._loop.remove_reader(each)
            each.close()
        self._open.clear()

    def _opened(self, family: socket.AddressFamily) -> socket.socket:
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind(("0.0.0.0" if family == socket.AF_INET else "::", 0))
        except OSError:
            opened.close()
            raise
        self._open[family] = opened
        self._loop.add_reader(opened, self._readable, opened, family == socket.AF_INET6)
        return opened

    def _readable(self, opened: socket.socket, scoped: bool) -> None:
        for _ in range(_DRAIN):
            try:
                datagram, source = opened.recvfrom(_MOST)
            except OSError:  # nothing more to read
                break
            if scoped:
                source = (source[0].partition("%")[0], source[1], 0, source[3])
            if not self._received(datagram, source):
                break
        self._drained()

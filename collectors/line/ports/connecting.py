"""A TCP connection to a device server: a name looked up, addresses tried in turn, and a stop heeded all the while."""

import errno
import math
import os
import select
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from collectors.line.port import PortError, StoppedError
from config.line_port import DeviceServer

CONNECT_SECONDS = 5.0
"""Longest for looking up a name and for connecting to one of its addresses."""
MOST_ADDRESSES = 4
"""Addresses of one name that are tried."""

IDLE, BETWEEN, PROBES = 10, 5, 3
"""Keep-alive of an idle connection: first after so many seconds, then each so many, lost after so many in vain."""
UNACKNOWLEDGED_MS = 20_000
"""Milliseconds that bytes may stay unacknowledged before the connection counts as lost (the kernel's own: 15 min)."""

_GONE = "broke the connection off; another program may be connected to it"
_FAR = "cannot be reached; check its address, its power and the network"
_WORDS = {
    errno.ECONNREFUSED: "refuses to connect; check the port's number and mode, and that nobody else is connected",
    errno.ECONNRESET: _GONE,
    errno.EPIPE: _GONE,
    errno.ETIMEDOUT: "does not answer; check its address, its power and the network",
    errno.EHOSTUNREACH: _FAR,
    errno.EHOSTDOWN: _FAR,
    errno.ENETUNREACH: "is in a network that this machine knows no way to; check its address and the routes",
    errno.EACCES: "may not be reached from this machine; check its firewall",
    errno.EPERM: "may not be reached from this machine; check its firewall",
    errno.EINVAL: "is an address that this machine cannot use; a link-local one needs its interface: fe80::1%eth0",
}
_Found = list[tuple[Any, ...]]


def plainly(name: str, error: OSError) -> str:
    """Say in plain words what is wrong with a connection, and what to do."""
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return f"{name}: no name server answers; write an IP address, or check the network"
        return f"{name}: nobody knows this name; check its spelling, or write an IP address"
    return f"{name} {_WORDS.get(error.errno or 0) or (error.strerror or str(error)).lower()}"


def connect(server: DeviceServer, wake: int | None) -> socket.socket:
    """Return a connected, non-blocking socket. Raises PortError, and StoppedError when `wake` becomes readable."""
    until = time.monotonic() + CONNECT_SECONDS
    try:
        found = _addresses(server, wake, until)[:MOST_ADDRESSES]
        for left in range(len(found), 0, -1):
            family, kind, number, _, where = found[-left]
            try:
                return _connected(socket.socket(family, kind, number), where, (until - time.monotonic()) / left, wake)
            except OSError:
                if left == 1:
                    raise
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    except OSError as error:
        raise PortError(plainly(str(server), error)) from error


def wait_for(events: int, descriptor: int, wake: int | None, seconds: float) -> bool:
    """Wait so long for events of a descriptor; tell whether they came. Raises StoppedError."""
    waiting = select.poll()
    waiting.register(descriptor, events)
    if wake is not None:
        waiting.register(wake, select.POLLIN)
    happened = waiting.poll(max(0, math.ceil(seconds * 1000)))
    if any(each == wake for each, _ in happened):
        raise StoppedError
    return bool(happened)


def _addresses(server: DeviceServer, wake: int | None, until: float) -> _Found:
    """Return what the name stands for; a name server that hangs is waited for in a thread, which is then left alone."""
    host, port = server.address.host, server.address.port
    with suppress(socket.gaierror):  # it is a name
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    answer: list[_Found | OSError] = []
    ours, theirs = os.pipe()

    def look_up() -> None:
        try:
            answer.append(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            answer.append(error)
        finally:
            os.close(theirs)  # the other end hears it

    threading.Thread(target=look_up, name=f"name {host}", daemon=True).start()
    try:
        wait_for(select.POLLIN, ours, wake, until - time.monotonic())
    finally:
        os.close(ours)
    if not answer:
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")
    if isinstance(answer[0], OSError):
        raise answer[0]
    return answer[0]


def _connected(opened: socket.socket, where: Any, seconds: float, wake: int | None) -> socket.socket:
    """Connect the socket within so many seconds, or close it. Raises OSError, StoppedError."""
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, BETWEEN)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        _finish(opened, where, seconds, wake)
    except BaseException:
        opened.close()
        raise
    return opened


def _finish(opened: socket.socket, where: Any, seconds: float, wake: int | None) -> None:
    number = opened.connect_ex(where)
    if number == errno.EINPROGRESS:
        if not wait_for(select.POLLOUT, opened.fileno(), wake, seconds):
            raise TimeoutError(errno.ETIMEDOUT, "no answer")
        number = opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))

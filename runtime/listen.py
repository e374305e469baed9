"""UDP ports: opened here, or handed over by systemd under a name (sd_listen_fds(3)), which needs no right for 162."""

import errno
import os
import socket
from collections.abc import Mapping

_FIRST = 3  # SD_LISTEN_FDS_START
RECEIVE_BUFFER = 4_194_304  # octets; the kernel gives what it allows


def handed_over(name: str, environment: Mapping[str, str] = os.environ) -> socket.socket | None:
    """Return a copy of the datagram socket that systemd handed over under this name, None when there is none."""
    if environment.get("LISTEN_PID") != str(os.getpid()) or not environment.get("LISTEN_FDS", "").isdigit():
        return None
    names = environment.get("LISTEN_FDNAMES", "").split(":")[: int(environment["LISTEN_FDS"])]
    if name not in names:
        return None
    return socket.socket(fileno=os.dup(_FIRST + names.index(name)))


def udp(host: str, port: int) -> socket.socket:
    """Open a UDP port; the address :: takes IPv4 too. Raises OSError that names the port and what to do.

    `host` is an IP address: a name is refused, for looking it up may take half a minute.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        )[0]
    except socket.gaierror:
        raise OSError(errno.EINVAL, f"UDP {host}:{port} cannot be opened: {host} is no IP address of here") from None
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        opened.bind(address)
    except OSError as error:
        opened.close()
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        advice = "; below 1024 it needs roundsman-traps.socket" if isinstance(error, PermissionError) else ""
        raise OSError(error.errno, f"UDP {shown} cannot be opened: {error.strerror}{advice}") from None
    return opened

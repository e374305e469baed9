"""What a service tells systemd: ready, reloading, stopping, alive (sd_notify(3)). Silent when nobody listens."""

import os
import socket
import time


def notify(*lines: str) -> bool:
    """Send assignment lines such as `READY=1`; returns False when no service manager listens.

    A socket that is named but cannot be reached raises OSError: the service manager would kill us later without a word.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.connect(address)
        channel.sendall("\n".join(lines).encode())
    return True


def reloading() -> bool:
    """Say that the configuration is read again; `notify("READY=1")` ends it."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_seconds() -> float | None:
    """Return the longest time systemd waits for `WATCHDOG=1`, or None when it does not watch this process."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    owner = os.environ.get("WATCHDOG_PID", "")
    if not limit.isdigit() or (owner and owner != str(os.getpid())):
        return None
    return int(limit) / 1e6

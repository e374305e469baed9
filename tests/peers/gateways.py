"""Device servers and gateways in front of a line: ser2net, socat, and servers that misbehave on purpose."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from pymodbus.framer import FramerRTU

from tests.peers.line import Slave

Serve = Callable[[socket.socket, "Server"], None]
"""Takes one connection; it is closed when this returns."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Look again each hundredth of a second."""
    pause = threading.Event()
    for _ in range(int(seconds * 100)):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to pass")


def is_listening(port: int) -> bool:
    """Tell whether anyone listens there, without taking the one connection that is served."""
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    rows = [row.split() for table in tables if table.exists() for row in table.read_text().splitlines()[1:]]
    return any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows)


class Ser2net:
    """Debian's ser2net: `port` passes bytes on, `telnet` speaks RFC 2217; both for the same terminal."""

    def __init__(self, folder: Path, terminal: Path, baud: int = 9600) -> None:
        if shutil.which("ser2net") is None:
            pytest.skip("ser2net is not installed")
        self.port, self.telnet = free_port(), free_port()
        self._file = folder / "ser2net.yaml"
        device = os.path.realpath(terminal)
        self._file.write_text(
            f"connection: &raw\n  accepter: tcp(nodelay),127.0.0.1,{self.port}\n"
            f"  connector: serialdev,{device},{baud}n81,local\n"
            f"connection: &told\n  accepter: telnet(rfc2217),tcp(nodelay),127.0.0.1,{self.telnet}\n"
            f"  connector: serialdev,{device},57600n81,local\n"
        )
        self.start()

    def start(self) -> None:
        command = ["ser2net", "-n", "-u", "-c", os.fspath(self._file)]
        self._running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: is_listening(self.port) and is_listening(self.telnet))

    def stop(self) -> None:
        self._running.terminate()
        self._running.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextlib.contextmanager
def socat(terminal: Path) -> Iterator[int]:
    """socat as a device server for one connection after the other; yields its port."""
    if shutil.which("socat") is None:
        pytest.skip("socat is not installed")
    port = free_port()
    command = ["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,nodelay", f"FILE:{terminal},raw,echo=0"]
    with subprocess.Popen(command) as running:
        wait_until(lambda: is_listening(port))
        yield port
        running.terminate()


class Server:
    """A TCP server in threads. `connections` counts them; `stop` closes all, `start` listens again at the same port."""

    def __init__(self, serve: Serve, host: str = "127.0.0.1") -> None:
        self.serve = serve
        self.connections = 0
        self.port = 0
        self._host = host
        self.start()

    def start(self) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._listening = socket.create_server((self._host, self.port), family=family)
        self.port = self._listening.getsockname()[1]
        self.stopping = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        self.stopping.set()
        for each in (self._listening, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.stopping.is_set():
            self.stop()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.serve(connection, self)


def silent(connection: socket.socket, _: Server) -> None:
    """Take everything and say nothing."""
    while connection.recv(4096):
        pass


def raw(slave: Slave) -> Serve:
    """A device server with one slave behind it; each packet is a request."""

    def serve(connection: socket.socket, _: Server) -> None:
        while frame := connection.recv(4096):
            if reply := slave(frame):
                connection.sendall(reply)

    return serve


Answer = Callable[[int, bytes], bytes | None]
"""Takes a request's number and its unit and PDU; gives whole bytes to send, or None."""


def gateway(answer: Answer) -> Serve:
    """A Modbus TCP gateway that asks one thing at a time."""

    def serve(connection: socket.socket, _: Server) -> None:
        with connection.makefile("rb") as stream:
            while len(header := stream.read(6)) == 6:
                number, _protocol, length = struct.unpack(">HHH", header)
                if said := answer(number, stream.read(length)):
                    connection.sendall(said)

    return serve


def mbap(number: int, body: bytes) -> bytes:
    return struct.pack(">HHH", number, 0, len(body)) + body


def asked_of(slave: Slave, body: bytes) -> bytes | None:
    """Ask a slave of a serial line; returns unit and PDU of its reply."""
    reply = slave(body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))
    return reply[:-2] if reply else None

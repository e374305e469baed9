"""A serial device server in front of a line: bytes of one TCP client go to the port, the port's bytes to the client."""

import contextlib
import os
import select
import socket
import threading


class Gateway:
    """Listens on 127.0.0.1; serves one client at a time, as cheap device servers do: the next one waits."""

    def __init__(self, port: int = 0) -> None:
        self._listening = socket.create_server(("127.0.0.1", port), backlog=1)
        self.port = int(self._listening.getsockname()[1])
        self._wake_read, self._wake_write = os.pipe()
        self._thread: threading.Thread | None = None

    def start(self, terminal: str) -> None:
        """Serve the line behind this terminal, in a thread."""
        self._thread = threading.Thread(target=self._serve, args=(terminal,), name="device server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close everything; a client sees its connection end."""
        os.write(self._wake_write, b"x")
        if self._thread is not None:
            self._thread.join()
        self._listening.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _serve(self, terminal: str) -> None:
        serial = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
        try:
            while self._wake_read not in (
                ready := select.select([self._listening.fileno(), self._wake_read], [], [])[0]
            ):
                if self._listening.fileno() in ready:
                    client, _ = self._listening.accept()
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with client, contextlib.suppress(ConnectionError):
                        if self._between(client, serial):
                            return
        finally:
            os.close(serial)

    def _between(self, client: socket.socket, serial: int) -> bool:
        """Carry bytes until the client has gone; returns whether the server is to stop."""
        while True:
            ready = select.select([client.fileno(), serial, self._wake_read], [], [])[0]
            if self._wake_read in ready:
                return True
            if serial in ready:
                octets = os.read(serial, 4096)
                client.sendall(octets)
            if client.fileno() in ready:
                octets = client.recv(4096)
                if not octets:
                    return False
                os.write(serial, octets)

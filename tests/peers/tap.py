"""A third ear on a line: what a master and a bus say to each other, copied byte by byte to whoever listens."""

import os
import select
import threading
import tty
from pathlib import Path
from typing import Self


class Tap:
    """Between a master, which opens `master`, and a bus's port; `ear` is the port of who listens.

    What the ear's owner would send goes to nobody and is kept in `sent`.
    """

    def __init__(self, bus: Path) -> None:
        self._bus = bus
        self.sent = bytearray()

    def __enter__(self) -> Self:
        self._far = os.open(self._bus, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._far)
        self._near, self._master = os.openpty()
        self._copy, self._ear = os.openpty()
        for end in (self._master, self._ear):
            tty.setraw(end)
        self.master, self.ear = os.ttyname(self._master), os.ttyname(self._ear)
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._wake_write, b"x")
        self._thread.join()
        for end in (self._far, self._near, self._master, self._copy, self._ear, self._wake_read, self._wake_write):
            os.close(end)

    def _pass_on(self) -> None:
        over = {self._near: self._far, self._far: self._near}
        while True:
            ready = select.select([*over, self._copy, self._wake_read], [], [])[0]
            if self._wake_read in ready:
                return
            for end in ready:
                octets = os.read(end, 4096)
                if end == self._copy:
                    self.sent += octets
                    continue
                os.write(over[end], octets)
                os.write(self._copy, octets)

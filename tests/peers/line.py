"""Peers at the other end of a line, none of which knows wire/ or collectors/.

`PacedBus` is a pseudo-terminal that spends the real time on every byte, and hears two requests without a gap between
them as one. On it hang Modbus slaves framed by pymodbus, and a small YD/T 1363 slave written from the standard.
"""

import os
import select
import shutil
import struct
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

Slave = Callable[[bytes], bytes | None]
"""Takes a whole request as heard; gives the reply, or None when it is not meant or will not answer."""


class ModbusPeer:
    """A Modbus RTU slave by pymodbus: registers by function (3, 4) and address; an unknown address is refused."""

    def __init__(self, unit: int, registers: dict[int, dict[int, int]]) -> None:
        self.unit = unit
        self.registers = registers
        self.asked: list[tuple[int, int, int]] = []
        self._framer = FramerRTU(DecodePDU(True))

    def __call__(self, frame: bytes) -> bytes | None:
        _, pdu = self._framer.handleFrame(frame, self.unit, 0) if frame and frame[0] == self.unit else (0, None)
        if pdu is None:
            return None
        if pdu.function_code not in {3, 4}:
            return self._framer.buildFrame(ExceptionResponse(pdu.function_code, 1, device_id=self.unit))
        function, first, count = pdu.function_code, pdu.address, pdu.count
        self.asked.append((function, first, count))
        known = self.registers.get(function, {})
        if not all(place in known for place in range(first, first + count)):
            return self._framer.buildFrame(ExceptionResponse(function, 2, device_id=self.unit))
        response = {3: ReadHoldingRegistersResponse, 4: ReadInputRegistersResponse}[function]
        words = [known[place] for place in range(first, first + count)]
        return self._framer.buildFrame(response(registers=words, dev_id=self.unit))


class YdtPeer:
    """A YD/T 1363 slave: INFO by (CID1, CID2); what it does not have is refused with RTN 04."""

    def __init__(self, address: int, infos: dict[tuple[int, int], bytes], ver: int = 0x21) -> None:
        self.address = address
        self.infos = infos
        self.ver = ver
        self.asked: list[tuple[int, int]] = []

    def __call__(self, frame: bytes) -> bytes | None:
        text = frame.decode("ascii", "replace")
        if not (text.startswith("~") and text.endswith("\r")) or int(text[3:5], 16) != self.address:
            return None
        if (0x10000 - sum(frame[1:-5])) % 0x10000 != int(text[-5:-1], 16):
            return None
        key = (int(text[5:7], 16), int(text[7:9], 16))
        self.asked.append(key)
        info = self.infos.get(key)
        return ydt_frame(self.ver, self.address, key[0], 0 if info is not None else 4, info or b"")


def ydt_frame(ver: int, adr: int, cid1: int, code: int, info: bytes) -> bytes:
    """Write a frame as the standard says, digit by digit."""
    lenid = 2 * len(info)
    check = 16 - (lenid // 256 + lenid // 16 % 16 + lenid % 16) % 16
    body = f"{ver:02X}{adr:02X}{cid1:02X}{code:02X}{check % 16:X}{lenid:03X}" + "".join(f"{each:02X}" for each in info)
    total = sum(ord(sign) for sign in body) % 65536
    return f"~{body}{(65536 - total) % 65536:04X}\r".encode()


def float_le(*numbers: float) -> bytes:
    return b"".join(struct.pack("<f", number) for number in numbers)


def float_registers(first: int, *numbers: float) -> dict[int, int]:
    """IEEE 754, high byte and high register first, from register `first` on."""
    words = struct.unpack(f">{2 * len(numbers)}H", b"".join(struct.pack(">f", number) for number in numbers))
    return {first + at: word for at, word in enumerate(words)}


@dataclass
class Heard:
    """A request on the bus: when its first byte came, how long the line had been silent before, its bytes."""

    at: float
    silence: float
    frame: bytes


@dataclass
class PacedBus:
    """A line of `baud`, 8N1, with slaves on it. `path` stays the same through `unplug` and `plug`."""

    folder: Path
    slaves: list[Slave]
    baud: int = 9600
    turnaround: float = 0.005
    echo: bool = False
    spoil: Callable[[bytes], bytes] = bytes
    heard: list[Heard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.folder / "line"
        self.char = 10 / self.baud
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.plug()

    def plug(self) -> None:
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        self._theirs = theirs
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(theirs))
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Take the adapter away: its device hangs up, and its link is gone."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self.path.unlink(missing_ok=True)
        os.close(self._theirs)
        os.close(self._ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._stop.is_set():
            self.unplug()

    def _serve(self) -> None:
        quiet_since = time.monotonic()
        while not self._stop.is_set():
            if not select.select([self._ours], [], [], 0.02)[0]:
                continue
            at = time.monotonic()
            frame = os.read(self._ours, 4096)
            silence, end = at - quiet_since, at + len(frame) * self.char
            self.heard.append(Heard(at, silence, frame))
            if self.echo:
                self._send(frame, at)
            quiet_since = end
            # A slave that hears no gap takes two frames for one, and answers neither.
            if silence < (3.5 * self.char if self.baud <= 19200 else 0.00175) * 0.99:
                continue
            reply = next((said for slave in self.slaves if (said := slave(frame))), None)
            if reply:
                reply = self.spoil(reply)
                quiet_since = self._send(reply, end + self.turnaround)

    def _send(self, octets: bytes, start: float) -> float:
        """Give each byte when the wire has brought it whole; return when the last one was given."""
        sent, now = 0, start
        while sent < len(octets) and not self._stop.is_set():
            now = time.monotonic()
            ready = min(len(octets), int((now - start) / self.char + 1e-6))
            if ready > sent:
                os.write(self._ours, octets[sent:ready])
                sent = ready
            else:
                time.sleep(max(0.0, start + (sent + 1) * self.char - time.monotonic()))
        return now


@dataclass
class LateLine:
    """A line with one slave that takes `delay` seconds for every answer, and forgets no question.

    `in_turn`: it takes up a question only when it has answered the one before; else it answers each `delay` after it.
    """

    slave: Slave
    delay: float
    in_turn: bool = False
    deaf_to: int = 0
    heard: list[tuple[float, bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = Path(os.ttyname(self._theirs))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._theirs)
        os.close(self._ours)

    def _serve(self) -> None:
        due: list[tuple[float, bytes]] = []
        while not self._stop.is_set():
            wait = due[0][0] - time.monotonic() if due else 0.05
            if select.select([self._ours], [], [], min(0.05, max(0.0, wait)))[0]:
                now, frame = time.monotonic(), os.read(self._ours, 4096)
                self.heard.append((now, frame))
                if self.deaf_to:
                    self.deaf_to -= 1
                elif reply := self.slave(frame):
                    begins = max(now, due[-1][0]) if due and self.in_turn else now
                    due.append((begins + self.delay, reply))
            while due and due[0][0] <= time.monotonic():
                os.write(self._ours, due.pop(0)[1])


@contextmanager
def joined_ttys(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Two pseudo-terminals joined by socat, for peers that open a port: what one end writes the other reads."""
    if shutil.which("socat") is None:
        pytest.skip("socat is not installed")
    ours, theirs = folder / "ours", folder / "theirs"
    ends = [f"pty,raw,echo=0,link={path}" for path in (ours, theirs)]
    with subprocess.Popen(["socat", "-d", "-d", *ends], stderr=subprocess.PIPE) as socat:
        assert socat.stderr is not None
        try:
            while b"starting data transfer" not in (said := socat.stderr.readline()):
                assert said, "socat ended"
            yield ours, theirs
        finally:
            socat.terminate()

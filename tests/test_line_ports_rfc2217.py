"""Device servers that are told the line's settings: ser2net, pyserial's own server, and some that are none."""

import os
import select
import socket
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
import serial.rfc2217

from collectors.line.port import PortError, StoppedError
from collectors.line.ports import exchange_on, open_port, rfc2217
from collectors.line.question import Question
from config.line_port import line_port
from config.schema import Line
from tests.peers.gateways import Ser2net, Server, raw, silent
from tests.peers.line import ModbusPeer, PacedBus
from wire.modbus import Reply, ReplyReader, Request

FULL = {3: {place: 0xFF00 + place for place in range(60)}}
"""Registers whose high byte is 255, the byte that Telnet doubles."""


def question(unit: int = 2, first: int = 0, count: int = 20) -> Question:
    request = Request(unit, 3, first, count)
    return Question(f"{first}+{count}", request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5)


def line(port: int, **keys: object) -> Line:
    return Line(id="line-1", port=line_port(f"rfc2217://127.0.0.1:{port}"), devices=(), **keys)  # type: ignore[arg-type]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, [ModbusPeer(2, FULL)]) as paced:
        yield paced


def test_ser2net_sets_the_line_and_carries_every_byte(bus: PacedBus, tmp_path: Path) -> None:
    with Ser2net(tmp_path, bus.path) as server:
        here = line(server.telnet, baud=9600, parity="even", stop_bits=2)
        port = open_port(here)
        settings = termios.tcgetattr(bus._theirs)  # a pseudo-terminal keeps all but the parity
        assert settings[4] == termios.B9600  # ser2net's own setting for it is 57600
        assert settings[2] & termios.CSTOPB
        exchange = exchange_on(port, here)
        for first in range(5):
            answer = exchange.ask(question(first=first)).answer
            assert isinstance(answer, Reply)
            assert answer.registers[0] == 0xFF00 + first
        port.close()


class Terminal(serial.Serial):
    """A pseudo-terminal: it has no wires but those for data."""

    cts = dsr = ri = cd = False
    _update_rts_state = _update_dtr_state = lambda self: None


def pyserial_s_server(path: str) -> Server:
    """The server that pyserial's documentation shows, for a terminal."""

    def serve(connection: socket.socket, server: Server) -> None:
        with Terminal(path, 57600, timeout=0) as terminal:
            told = serial.rfc2217.PortManager(terminal, Connection(connection))
            while not server.stopping.is_set():
                ready = select.select([connection, terminal.fileno()], [], [], 0.05)[0]
                if connection in ready:
                    octets = connection.recv(4096)
                    if not octets:
                        return
                    terminal.write(b"".join(told.filter(octets)))
                if terminal.fileno() in ready:
                    connection.sendall(b"".join(told.escape(terminal.read(4096))))

    return Server(serve)


class Connection:
    def __init__(self, connection: socket.socket) -> None:
        self.write = connection.sendall


def test_pyserial_s_own_server_is_told_and_asked(bus: PacedBus) -> None:
    with pyserial_s_server(os.fspath(bus.path)) as server:
        here = line(server.port)  # no parity: glibc refuses it on a pseudo-terminal
        port = open_port(here)
        assert termios.tcgetattr(bus._theirs)[4] == termios.B9600  # the server opened it with another
        exchange = exchange_on(port, here)
        assert all(isinstance(exchange.ask(question(first=first)).answer, Reply) for first in range(5))
        port.close()


def test_a_server_that_passes_bytes_on_is_told_from_one_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2217, "SET_UP_SECONDS", 0.2)
    for serve in (silent, raw(lambda frame: b"\x02\x03\x00")):
        with Server(serve) as server, pytest.raises(PortError, match=r"does not speak RFC 2217; .* write tcp://"):
            open_port(line(server.port))


def test_a_server_that_sets_another_speed_is_told() -> None:
    def stubborn(connection: socket.socket, _: Server) -> None:
        connection.sendall(bytes.fromhex("fffb00 fffd00 fffd2c fffa2c6500004b00fff0"))
        while connection.recv(4096):
            pass

    told = r"does not set baud 9600: it stays at 19200; set the line in the server and write tcp://"
    with Server(stubborn) as server, pytest.raises(PortError, match=told):
        open_port(line(server.port))


def test_a_server_that_closes_while_it_is_told_is_dead() -> None:
    told = "another program may be connected to it"
    with Server(lambda connection, server: None) as server, pytest.raises(PortError, match=told):
        open_port(line(server.port))


def test_a_stop_ends_the_setting_up_at_once() -> None:
    wake = os.eventfd(0)
    with Server(silent) as server:
        timer = threading.Timer(0.05, os.eventfd_write, (wake, 1))
        timer.start()
        started = time.monotonic()
        with pytest.raises(StoppedError):
            open_port(line(server.port), wake)
        assert time.monotonic() - started < rfc2217.SET_UP_SECONDS
        timer.join()
    os.close(wake)


def test_the_settings_are_told_again_on_every_new_connection(bus: PacedBus, tmp_path: Path) -> None:
    with Ser2net(tmp_path, bus.path) as server:
        here = line(server.telnet)
        port = open_port(here)
        exchange = exchange_on(port, here)
        assert isinstance(exchange.ask(question()).answer, Reply)
        server.stop()
        server.start()
        outcome = exchange.ask(question())
        outcome = outcome if outcome.answer else exchange.ask(question())  # it may be lost in the middle
        assert isinstance(outcome.answer, Reply)
        assert termios.tcgetattr(bus._theirs)[4] == termios.B9600
        port.close()

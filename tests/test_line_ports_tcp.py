"""Device servers that pass bytes on: real ones, and the ways in which connections fail."""

import errno
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.line.port import PortError, StoppedError
from collectors.line.ports import connecting, exchange_on, open_port
from collectors.line.ports.tcp import MOST_LOSSES, TcpPort
from collectors.line.question import Question
from collectors.line.timing import Timing
from config.line_port import line_port
from config.schema import Line
from tests.peers.gateways import Ser2net, Server, raw, silent, socat
from tests.peers.line import ModbusPeer, PacedBus, YdtPeer
from wire.modbus import Reply, ReplyReader, Request
from wire.ydt1363 import AnswerReader, Frame
from wire.ydt1363 import Request as YdtRequest

REGISTERS = {3: {place: 1000 + place for place in range(60)}}


def question(unit: int = 2, first: int = 0, count: int = 20) -> Question:
    request = Request(unit, 3, first, count)
    return Question(f"{first}+{count}", request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5)


def line(port: int | str, **keys: object) -> Line:
    where = port if isinstance(port, str) else f"tcp://127.0.0.1:{port}"
    return Line(id="line-1", port=line_port(where), devices=(), **keys)  # type: ignore[arg-type]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, [ModbusPeer(2, REGISTERS), YdtPeer(1, {(0x41, 0x41): b"\x00\x01\x02"})]) as paced:
        yield paced


def test_ser2net_carries_both_protocols_with_the_gap_before_every_request(bus: PacedBus, tmp_path: Path) -> None:
    request = YdtRequest(0x21, 1, 0x41, 0x41)
    ydt = Question("analog", request.encode(), lambda: AnswerReader(request), 4113)
    with Ser2net(tmp_path, bus.path) as server:
        port = open_port(line(server.port))
        exchange = exchange_on(port, line(server.port))
        for _ in range(10):
            assert isinstance(exchange.ask(question(count=4)).answer, Reply)
            assert exchange.ask(ydt).answer == Frame(0x21, 1, 0x41, 0, b"\x00\x01\x02")
        port.close()
    gap = Timing.of(line(server.port)).gap
    assert min(heard.silence for heard in bus.heard[1:]) >= gap * 0.99


def test_socat_is_a_device_server_too(bus: PacedBus) -> None:
    with socat(bus.path) as number:
        port = open_port(line(number))
        answer = exchange_on(port, line(number)).ask(question(first=5, count=3)).answer
        port.close()
    assert isinstance(answer, Reply)
    assert answer.registers == (1005, 1006, 1007)


def test_a_server_in_an_ipv6_network_is_asked() -> None:
    with Server(raw(ModbusPeer(2, REGISTERS)), host="::1") as server:
        here = line(f"tcp://[::1]:{server.port}")
        port = open_port(here)
        assert isinstance(exchange_on(port, here).ask(question()).answer, Reply)
        port.close()


def test_a_host_name_is_tried_at_each_of_its_addresses() -> None:
    # "localhost" is ::1 and 127.0.0.1; nobody listens at the first.
    with Server(raw(ModbusPeer(2, REGISTERS))) as server:
        here = line(f"tcp://localhost:{server.port}")
        port = open_port(here)
        assert isinstance(exchange_on(port, here).ask(question()).answer, Reply)
        port.close()


def test_an_answer_in_pieces_far_apart_is_taken_for_networks_are_slow() -> None:
    peer = ModbusPeer(2, REGISTERS)

    def in_pieces(connection: socket.socket, server: Server) -> None:
        while frame := connection.recv(4096):
            reply = peer(frame) or b""
            for start in range(0, len(reply), 20):
                server.stopping.wait(0.2)
                connection.sendall(reply[start : start + 20])

    with Server(in_pieces) as server:
        port = open_port(line(server.port))
        assert isinstance(exchange_on(port, line(server.port)).ask(question()).answer, Reply)
        assert 0.0 < port.latency <= 2.0
        port.close()


def test_a_server_that_refuses_is_told_with_what_to_do() -> None:
    with Server(silent) as server:
        pass
    with pytest.raises(PortError, match=f"^tcp://127.0.0.1:{server.port} refuses to connect; check the port's number"):
        open_port(line(server.port))


def test_a_name_that_nobody_knows_is_told() -> None:
    with pytest.raises(PortError, match=r": (nobody knows this name; check|no name server answers; write)"):
        open_port(line("tcp://no-such-name.invalid:4001"))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ECONNRESET, "broke the connection off; another program may be connected to it"),
        (errno.ETIMEDOUT, "does not answer; check its address, its power and the network"),
        (errno.EHOSTUNREACH, "cannot be reached; check its address, its power and the network"),
        (errno.ENETUNREACH, "is in a network that this machine knows no way to; check its address and the routes"),
        (errno.EPERM, "may not be reached from this machine; check its firewall"),
    ],
)
def test_each_failure_of_the_network_has_its_sentence(number: int, words: str) -> None:
    name = "tcp://192.0.2.7:4001"
    assert connecting.plainly(name, OSError(number, os.strerror(number))) == f"{name} {words}"


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose waiting room is full: connecting to it takes for ever, as to a host that drops what comes."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]
        for each in waiting:
            each.close()


def test_a_server_that_does_not_answer_is_given_up_in_time(full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(PortError, match="does not answer; check its address, its power and the network"):
        open_port(line(full))
    assert time.monotonic() - started < 3.0


def test_a_stop_ends_connecting_at_once(full: int) -> None:
    wake = os.eventfd(1)
    with pytest.raises(StoppedError):
        open_port(line(full), wake)
    os.close(wake)


def test_a_stop_ends_looking_up_a_name_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wake, hung = os.eventfd(0), threading.Event()
    real = socket.getaddrinfo

    def hang(host: str, port: int, *rest: object, **keys: object) -> object:
        if keys.get("flags"):
            return real(host, port, *rest, **keys)  # type: ignore[arg-type]
        os.eventfd_write(wake, 1)
        hung.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(StoppedError):
        open_port(line("tcp://moxa.example.org:4001"), wake)
    assert time.monotonic() - started < connecting.CONNECT_SECONDS
    hung.set()
    os.close(wake)


def test_a_server_that_closes_after_each_answer_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    peer = ModbusPeer(2, REGISTERS)

    def once(connection: socket.socket, _: Server) -> None:
        connection.sendall(peer(connection.recv(4096)) or b"")

    with Server(once) as server:
        port = open_port(line(server.port))
        exchange = exchange_on(port, line(server.port))
        assert all(isinstance(exchange.ask(question(first=first)).answer, Reply) for first in range(12))
        port.close()
    (record,) = caplog.records  # once, however often it does so
    assert record.getMessage().startswith(f"line line-1: tcp://127.0.0.1:{server.port} ")
    assert record.getMessage().endswith("another program may be connected to it; connected anew")


def test_a_device_whose_questions_end_the_connection_keeps_no_other_from_being_read() -> None:
    peer = ModbusPeer(2, REGISTERS)

    def fall_over(connection: socket.socket, _: Server) -> None:
        while (frame := connection.recv(4096)) and frame[0] == 2:
            connection.sendall(peer(frame) or b"")

    with Server(fall_over) as server:
        port = open_port(line(server.port))
        exchange = exchange_on(port, line(server.port))
        for _ in range(4):
            outcome = exchange.ask(question(unit=9), 0.1)
            assert (outcome.answer, outcome.heard) == (None, False)
            assert isinstance(exchange.ask(question()).answer, Reply)
        port.close()


def test_a_server_that_closes_at_once_is_told() -> None:
    told = "closed the connection at once; another program may be connected to it"
    with Server(lambda connection, server: None) as server, pytest.raises(PortError, match=told):
        open_port(line(server.port))


def test_a_server_that_closes_at_every_question_is_dead_in_the_end() -> None:
    with Server(lambda connection, server: (connection.recv(4096), None)[1]) as server:
        port = open_port(line(server.port))
        exchange = exchange_on(port, line(server.port))
        for _ in range(MOST_LOSSES):
            assert exchange.ask(question(), 0.01).answer is None
        with pytest.raises(PortError, match="another program may be connected to it"):
            exchange.ask(question(), 0.01)
        port.close()


def test_a_server_that_went_away_is_dead_and_says_so_once_connecting_fails() -> None:
    with Server(raw(ModbusPeer(2, REGISTERS))) as server:
        port = open_port(line(server.port))
        exchange = exchange_on(port, line(server.port))
        assert isinstance(exchange.ask(question()).answer, Reply)
        server.stop()
        with pytest.raises(PortError, match="refuses to connect"):
            exchange.ask(question())
        port.close()


def test_a_connection_that_stays_silent_is_made_anew_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with Server(silent) as server:
        port = TcpPort(line(server.port), silent=0.05)
        exchange = exchange_on(port, line(server.port))
        while server.connections < 3:
            assert exchange.ask(question(), 0.01).answer is None
        server.serve = raw(ModbusPeer(2, REGISTERS))  # for those that come from now on
        while (outcome := exchange.ask(question(), 0.01)).answer is None:
            pass
        assert isinstance(outcome.answer, Reply)
        port.close()
    (record,) = caplog.records
    assert re.search(r" is connected and silent for [0-9]+ s; connected anew$", record.getMessage())
    assert record.levelno == logging.WARNING


def test_reading_ends_at_once_when_the_program_stops() -> None:
    wake = os.eventfd(0)
    with Server(silent) as server:
        port = open_port(line(server.port), wake)
        os.eventfd_write(wake, 1)
        with pytest.raises(StoppedError):
            port.read(60.0)
        port.close()
    os.close(wake)


def test_an_idle_connection_is_kept_alive_and_lost_bytes_are_noticed() -> None:
    with Server(silent) as server:
        port = TcpPort(line(server.port))
        option = port._socket.getsockopt
        assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert option(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
        port.close()


def test_a_server_that_takes_no_bytes_is_dead() -> None:
    with Server(lambda connection, server: (server.stopping.wait(30), None)[1]) as server:
        port = open_port(line(server.port))
        with pytest.raises(PortError, match="takes no bytes; check the network and the server"):
            port.write(bytes(30_000_000), 0.2)
        port.close()

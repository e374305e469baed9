"""Modbus TCP gateways: pymodbus' server as it is, and gateways that answer late, wrongly, in pieces or not at all."""

import asyncio
import random
import socket
import threading
import time
from typing import Self

import pytest
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from collectors.line.exchange import Outcome
from collectors.line.port import PortError
from collectors.line.ports import exchange_on, modbus_tcp, open_port
from collectors.line.question import Question
from config.line_port import line_port
from config.schema import Line
from tests.peers.gateways import Server, asked_of, free_port, gateway, mbap
from tests.peers.line import ModbusPeer
from wire.modbus import Refusal, Reply, ReplyReader, Request

REGISTERS = {3: {place: 1000 + place for place in range(60)}}
OTHERS = {3: {place: 2000 + place for place in range(60)}}


def question(unit: int = 2, first: int = 0, count: int = 20) -> Question:
    request = Request(unit, 3, first, count)
    return Question(f"{first}+{count}", request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5)


def line(port: int) -> Line:
    return Line(id="line-1", port=line_port(f"modbus-tcp://127.0.0.1:{port}"), devices=())


class Asking:
    """An exchange on its open port."""

    def __init__(self, port: int) -> None:
        self.port = open_port(line(port))
        self.exchange = exchange_on(self.port, line(port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.port.close()

    def __call__(self, unit: int = 2, first: int = 0, count: int = 20, wait: float = 1.0) -> Outcome:
        return self.exchange.ask(question(unit, first, count), wait)


def registers(outcome: Outcome) -> tuple[int, ...]:
    assert isinstance(outcome.answer, Reply)
    return outcome.answer.registers


async def test_units_behind_pymodbus_server_are_read_refused_and_told_to_be_silent() -> None:
    number = free_port()
    units = [
        SimDevice(unit, [SimData(0, values=[unit * 100 + at for at in range(10)], datatype=DataType.REGISTERS)])
        for unit in (2, 3, 9, 255)
    ]

    def nobody_is_9(sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        return ExceptionResponse(3, 11, device_id=9) if sending and pdu.dev_id == 9 else pdu

    server = ModbusTcpServer(units, address=("127.0.0.1", number), trace_pdu=nobody_is_9)
    await server.serve_forever(background=True)

    def ask() -> None:
        with Asking(number) as asking:
            for unit in (2, 3, 255, 2):
                outcome = asking(unit, 1, 3)
                assert registers(outcome) == (unit * 100 + 1, unit * 100 + 2, unit * 100 + 3)
                assert (outcome.mismatches, outcome.noise, outcome.echo, outcome.heard) == (0, 0, False, True)
            assert asking(3, 50, 3).answer == Refusal(3, 3, 2)
            nobody = asking(9)
            assert (nobody.answer, nobody.heard) == (None, False)
            assert registers(asking(3, 1, 1)) == (301,)

    try:
        await asyncio.to_thread(ask)
    finally:
        await server.shutdown()


@pytest.mark.parametrize("code", [10, 11])
def test_a_gateway_whose_slave_is_silent_is_well_itself(code: int) -> None:
    with Server(gateway(lambda number, body: mbap(number, bytes((body[0], body[1] | 0x80, code))))) as server:
        with Asking(server.port) as asking:
            started = time.monotonic()
            outcome = asking(wait=20.0)
            assert (outcome.answer, outcome.heard) == (None, False)
            assert time.monotonic() - started < 10.0  # the gateway's word is enough; nothing more is waited for
            assert asking().answer is None
        assert server.connections == 1


def test_an_answer_in_single_bytes_is_put_together() -> None:
    peer = ModbusPeer(2, REGISTERS)

    def serve(connection: socket.socket, server: Server) -> None:
        while request := connection.recv(4096):
            for byte in mbap(int.from_bytes(request[:2], "big"), asked_of(peer, request[6:]) or b""):
                connection.sendall(bytes((byte,)))

    with Server(serve) as server, Asking(server.port) as asking:
        assert registers(asking(first=3, count=20))[:2] == (1003, 1004)


@pytest.mark.parametrize("wrong", ["number", "unit", "function", "length"])
def test_an_answer_to_something_else_is_dropped(wrong: str) -> None:
    peer, other = ModbusPeer(2, REGISTERS), ModbusPeer(3, OTHERS)

    def answer(number: int, body: bytes) -> bytes:
        right = asked_of(peer, body) or b""
        alien = {
            "number": mbap(number + 1, b"\x02\x03\x28" + bytes(40)),
            "unit": mbap(number, asked_of(other, b"\x03" + body[1:]) or b""),
            "function": mbap(number, b"\x02\x04\x28" + bytes(40)),
            "length": mbap(number, b"\x02\x03\x02\x00\x00"),
        }[wrong]
        return alien + mbap(number, right)

    with Server(gateway(answer)) as server, Asking(server.port) as asking:
        outcome = asking()
        assert registers(outcome)[0] == 1000
        assert outcome.noise in {43, 5}


def test_numbers_go_round_and_none_is_used_twice_in_a_row() -> None:
    peer, numbers = ModbusPeer(2, REGISTERS), []

    def answer(number: int, body: bytes) -> bytes:
        numbers.append(number)
        return mbap(number, asked_of(peer, body) or b"")

    with Server(gateway(answer)) as server, Asking(server.port) as asking:
        asking.exchange._number = 0xFFFD  # type: ignore[attr-defined]
        for _ in range(4):
            assert registers(asking())[0] == 1000
    assert numbers == [0xFFFE, 0xFFFF, 1, 2]


def test_a_late_answer_is_told_by_its_number_and_never_taken_for_another_question_s() -> None:
    peer = ModbusPeer(2, REGISTERS)
    held: list[bytes] = []

    def answer(number: int, body: bytes) -> bytes | None:
        reply = mbap(number, asked_of(peer, body) or b"")
        if not held:
            held.append(reply)
            return None
        return held[0] + reply  # the first one's answer comes just before the second's

    with Server(gateway(answer)) as server, Asking(server.port) as asking:
        assert asking(first=0, wait=0.05).answer is None
        outcome = asking(first=30)
        assert registers(outcome)[0] == 1030
        assert outcome.noise == 43


def test_a_late_answer_to_the_same_question_is_as_good_as_a_second_one() -> None:
    peer = ModbusPeer(2, REGISTERS)
    held: list[bytes] = []

    def answer(number: int, body: bytes) -> bytes | None:
        held.append(mbap(number, asked_of(peer, body) or b""))
        return held[0] if len(held) == 2 else None

    with Server(gateway(answer)) as server, Asking(server.port) as asking:
        assert asking(wait=0.05).answer is None
        assert registers(asking(wait=5.0))[0] == 1000


def test_a_slave_is_not_called_dead_because_its_gateway_still_waits_for_another() -> None:
    peer = ModbusPeer(2, REGISTERS)
    gives_up = threading.Event()

    def answer(number: int, body: bytes) -> bytes:
        if body[0] == 9:  # nobody is there: the gateway waits, and only then takes up what has come meanwhile
            gives_up.wait(10)
            return mbap(number, bytes((9, 0x83, 11)))
        return mbap(number, asked_of(peer, body) or b"")

    with Server(gateway(answer)) as server, Asking(server.port) as asking:
        assert asking(unit=9, wait=0.01).answer is None
        timer = threading.Timer(1.0, gives_up.set)  # far longer than what the next one may take itself
        timer.start()
        assert registers(asking(wait=0.01))[0] == 1000
        timer.join()


def test_the_next_slave_waits_no_longer_than_a_gateway_can_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_tcp, "GATEWAY_SECONDS", 0.3)
    with Server(gateway(lambda number, body: None)) as server, Asking(server.port) as asking:
        assert asking(unit=9, wait=0.01).answer is None
        started = time.monotonic()
        assert asking(unit=8, wait=0.01).answer is None
        assert time.monotonic() - started < 3.0


def test_a_stream_that_is_no_modbus_tcp_is_told_with_what_to_do() -> None:
    def babble(connection: socket.socket, _: Server) -> None:
        while connection.recv(4096):
            connection.sendall(b"\x02\x03\x28" + bytes(range(42)))

    told = r"sends what is no Modbus TCP; if it passes bytes on .*, write tcp://"
    with Server(babble) as server, Asking(server.port) as asking, pytest.raises(PortError, match=told):
        asking()


def test_an_answer_that_stops_in_the_middle_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_tcp, "STUCK_SECONDS", 0.05)
    peer = ModbusPeer(2, REGISTERS)
    begun = gateway(lambda number, body: mbap(number, asked_of(peer, body) or b"")[:20] if number == 1 else None)
    told = "stopped in the middle of an answer"
    with Server(begun) as server, Asking(server.port) as asking, pytest.raises(PortError, match=told):
        asking(wait=0.1)


def test_a_gateway_that_closes_after_each_answer_loses_nothing() -> None:
    peer = ModbusPeer(2, REGISTERS)

    def once(connection: socket.socket, _: Server) -> None:
        request = connection.recv(4096)
        connection.sendall(mbap(int.from_bytes(request[:2], "big"), asked_of(peer, request[6:]) or b""))

    with Server(once) as server, Asking(server.port) as asking:
        assert [registers(asking(first=first))[0] for first in range(8)] == list(range(1000, 1008))


def test_a_question_that_ends_the_connection_is_silence_and_is_over_at_once() -> None:
    peer = ModbusPeer(2, REGISTERS)

    def fall_over(connection: socket.socket, _: Server) -> None:
        while (request := connection.recv(4096)) and request[6] == 2:
            connection.sendall(mbap(int.from_bytes(request[:2], "big"), asked_of(peer, request[6:]) or b""))

    with Server(fall_over) as server, Asking(server.port) as asking:
        started = time.monotonic()
        for _ in range(4):
            assert asking(unit=9, wait=20.0).answer is None
            assert registers(asking())[0] == 1000
        assert time.monotonic() - started < 15.0


def test_a_gateway_that_breaks_off_every_answer_is_asked_twice_and_no_more() -> None:
    asked = []

    def break_off(connection: socket.socket, _: Server) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(asked[-1][:4])

    with Server(break_off) as server, Asking(server.port) as asking:
        assert asking(wait=20.0).answer is None
        assert asking(wait=20.0).answer is None
    assert len(asked) <= 5


def test_what_a_gateway_began_on_a_lost_connection_does_not_spoil_the_next() -> None:
    peer = ModbusPeer(2, REGISTERS)

    def serve(connection: socket.socket, server: Server) -> None:
        while request := connection.recv(4096):
            reply = mbap(int.from_bytes(request[:2], "big"), asked_of(peer, request[6:]) or b"")
            connection.sendall(reply if server.connections > 1 else reply[:15])
            if server.connections == 1:
                return

    with Server(serve) as server, Asking(server.port) as asking:
        assert asking().answer is None
        assert registers(asking())[0] == 1000


class Moody:
    """A gateway that answers as chance has it, until it is `calm`."""

    def __init__(self) -> None:
        self.calm = False
        self._chance = random.Random(20260801)
        self._late = b""
        self._peer = ModbusPeer(2, REGISTERS)

    def __call__(self, connection: socket.socket, _: Server) -> None:
        while request := connection.recv(4096):
            number = int.from_bytes(request[:2], "big")
            right = mbap(number, asked_of(self._peer, request[6:]) or b"")
            others = {
                "number": mbap(number ^ 0x0101, right[6:]),
                "silent": mbap(number, b"\x02\x83\x0b"),
                "half": right[:11],
                "late": b"",
                "close": b"",
            }
            mood = "well" if self.calm else self._chance.choice(("well", "well", "well", "well", *others))
            connection.sendall(others.get(mood, self._late + right))
            self._late = right if mood == "late" else b"" if mood == "well" else self._late
            if mood in {"half", "close"}:
                return


def test_a_gateway_that_fails_in_every_way_at_random_brings_no_wrong_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_tcp, "GATEWAY_SECONDS", 0.05)
    answered, moody = 0, Moody()
    with Server(moody) as server, Asking(server.port) as asking:
        for at in range(120):
            outcome = asking(first=at % 40, count=10, wait=0.001)
            if outcome.answer is not None:
                answered += 1
                assert registers(outcome) == tuple(range(1000 + at % 40, 1010 + at % 40))
        moody.calm = True
        assert any(asking(first=7, count=2, wait=2.0).answer for _ in range(3))
    assert 40 < answered < 120

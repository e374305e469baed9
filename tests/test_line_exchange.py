"""One question and its answer on a paced line: gap, time-outs, noise, echo, late replies."""

import itertools
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.line.exchange import Echo, Exchange
from collectors.line.port import PortError
from collectors.line.ports import open_port
from collectors.line.question import Question
from collectors.line.timing import Timing
from config.schema import Line
from tests.peers.line import ModbusPeer, PacedBus, YdtPeer
from wire.modbus import Refusal, Reply, ReplyReader, Request
from wire.ydt1363 import AnswerReader, Frame
from wire.ydt1363 import Request as YdtRequest

REGISTERS = {3: {place: 1000 + place for place in range(60)}}


def question(unit: int = 2, first: int = 0, count: int = 20) -> Question:
    request = Request(unit, 3, first, count)
    return Question(f"{first}+{count}", request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5)


def line(bus: PacedBus, timeout: float = 0.3) -> Line:
    return Line(id="l", port=bus.path, baud=bus.baud, timeout=timeout, devices=())


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, [ModbusPeer(2, REGISTERS), YdtPeer(1, {(0x41, 0x41): b"\x00\x01\x02"})]) as paced:
        yield paced


@pytest.fixture
def exchange(bus: PacedBus) -> Iterator[Exchange]:
    port = open_port(line(bus))
    yield Exchange(port, Timing.of(line(bus)))
    port.close()


def test_a_question_is_answered_with_its_registers(exchange: Exchange) -> None:
    outcome = exchange.ask(question(first=5, count=3))
    assert isinstance(outcome.answer, Reply)
    assert outcome.answer.registers == (1005, 1006, 1007)
    assert (outcome.mismatches, outcome.noise, outcome.echo) == (0, 0, False)


def test_both_protocols_take_turns_on_one_line(exchange: Exchange) -> None:
    request = YdtRequest(0x21, 1, 0x41, 0x41)
    ydt = Question("analog", request.encode(), lambda: AnswerReader(request), 4113)
    for _ in range(5):
        assert isinstance(exchange.ask(question(count=2)).answer, Reply)
        assert exchange.ask(ydt).answer == Frame(0x21, 1, 0x41, 0, b"\x00\x01\x02")


@pytest.mark.parametrize("baud", [9600, 19200, 115200])
def test_the_gap_stands_before_every_request_and_no_reply_is_lost(tmp_path: Path, baud: int) -> None:
    with PacedBus(tmp_path, [ModbusPeer(2, REGISTERS)], baud=baud) as bus:
        port, timing = open_port(line(bus)), Timing.of(line(bus))
        exchange = Exchange(port, timing)
        assert all(exchange.ask(question(count=4)).answer for _ in range(40))
        port.close()
    assert min(heard.silence for heard in bus.heard[1:]) >= timing.gap * 0.99


def test_exchanges_follow_one_another_at_the_speed_of_the_wire(bus: PacedBus, exchange: Exchange) -> None:
    exchange.ask(question())
    starts = [time.monotonic()]
    for _ in range(15):
        exchange.ask(question())
        starts.append(time.monotonic())
    typical = statistics.median(after - before for before, after in itertools.pairwise(starts))
    least = Timing.of(line(bus)).exchange(8 + 45)
    assert least * 0.99 <= typical <= least * 1.10  # the line's own bench holds it to 1.02


def test_silence_ends_when_the_first_byte_is_overdue_after_our_own_last_byte(bus: PacedBus, exchange: Exchange) -> None:
    started = time.monotonic()
    outcome = exchange.ask(question(unit=9))
    took = time.monotonic() - started
    assert (outcome.answer, outcome.heard) == (None, False)
    assert 8 * bus.char + 0.3 <= took <= 8 * bus.char + 0.6


def test_an_answer_that_breaks_off_ends_the_wait_early(bus: PacedBus, exchange: Exchange) -> None:
    bus.spoil = lambda reply: reply[:20]
    started = time.monotonic()
    outcome = exchange.ask(question())
    assert (outcome.answer, outcome.heard) == (None, True)
    assert time.monotonic() - started < 0.2


def test_a_spark_before_the_answer_does_not_shorten_the_wait(bus: PacedBus, exchange: Exchange) -> None:
    bus.turnaround = 0.15
    bus.spoil = lambda reply: reply
    bus.slaves.insert(0, lambda frame: (os.write(bus._ours, b"\x00"), None)[1])
    outcome = exchange.ask(question(count=2))
    assert isinstance(outcome.answer, Reply)
    assert outcome.noise == 1


def test_a_wrong_check_sum_is_no_answer_and_is_counted(bus: PacedBus, exchange: Exchange) -> None:
    bus.spoil = lambda reply: reply[:-1] + bytes((reply[-1] ^ 1,))
    outcome = exchange.ask(question())
    assert (outcome.answer, outcome.mismatches) == (None, 1)
    bus.spoil = bytes
    assert isinstance(exchange.ask(question()).answer, Reply)


def test_an_answer_wrapped_in_zeros_is_found(bus: PacedBus, exchange: Exchange) -> None:
    bus.spoil = lambda reply: b"\x00" + reply + b"\x00\x00"
    outcome = exchange.ask(question(count=3))
    assert isinstance(outcome.answer, Reply)
    assert outcome.answer.registers == (1000, 1001, 1002)


def test_what_trails_an_answer_is_dropped_before_the_next_request(bus: PacedBus, exchange: Exchange) -> None:
    bus.spoil = lambda reply: reply + b"\x00\x00"
    before = exchange.ask(question(count=3))
    exchange.settle()
    outcome = exchange.ask(question(count=3))
    assert isinstance(outcome.answer, Reply)
    assert before.noise + outcome.noise >= 2


def test_a_refusal_is_an_answer(exchange: Exchange) -> None:
    assert exchange.ask(question(first=100)).answer == Refusal(2, 3, 2)


def test_a_reply_that_comes_too_late_is_never_taken_for_the_next_one(bus: PacedBus, exchange: Exchange) -> None:
    bus.turnaround = 0.31  # after the time-out, before the silence that follows it is over
    assert exchange.ask(question(first=0, count=2)).answer is None
    bus.turnaround = 0.005
    outcome = exchange.ask(question(first=10, count=2))
    assert isinstance(outcome.answer, Reply)
    assert outcome.answer.registers == (1010, 1011)
    assert outcome.noise == 9


def test_our_own_echo_is_stripped_and_told(bus: PacedBus, exchange: Exchange) -> None:
    bus.echo = True
    outcome = exchange.ask(question(count=2))
    assert isinstance(outcome.answer, Reply)
    assert outcome.echo
    assert outcome.noise == 0
    assert (exchange.ask(question(unit=9)).answer, exchange.ask(question(unit=9)).heard) == (None, False)


def test_an_echo_that_could_be_an_answer_is_not_one() -> None:
    request = Request(1, 1, 0x0300, 20)  # echoed, this reads as a reply of three bytes with a right check sum
    assert ReplyReader(request).feed(request.rtu()) is not None
    echo = Echo(request.rtu())
    assert [echo.strip(bytes((octet,))) for octet in request.rtu()] == [b""] * 8
    assert echo.found
    assert echo.strip(b"\x01\x01") == b"\x01\x01"


def test_bytes_that_only_begin_like_an_echo_are_kept() -> None:
    echo = Echo(b"\x01\x03\x00\x00")
    assert echo.strip(b"\x01\x03") == b""
    assert echo.strip(b"\x02\xaa") == b"\x01\x03\x02\xaa"
    assert not echo.found
    other = Echo(b"\x01\x03\x00\x00")
    other.strip(b"\x01\x03")
    assert other.rest() == b"\x01\x03"


def test_a_port_that_is_not_there_or_is_no_port_says_so_plainly(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="is not there"):
        open_port(Line(id="l", port=tmp_path / "none", devices=()))
    (tmp_path / "file").write_text("")
    with pytest.raises(PortError, match="is no serial port"):
        open_port(Line(id="l", port=tmp_path / "file", devices=()))


def test_a_port_is_open_for_one_alone(bus: PacedBus) -> None:
    port = open_port(line(bus))
    with pytest.raises(PortError, match="is in use by another program"):
        open_port(line(bus))
    port.close()
    open_port(line(bus)).close()


def test_a_port_whose_other_end_is_gone_is_an_error_at_once(bus: PacedBus) -> None:
    port = open_port(line(bus))
    bus.unplug()
    with pytest.raises(PortError, match="hung up"):
        port.read(5.0)
    port.close()

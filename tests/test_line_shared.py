"""Lines that another master speaks on: we listen first, and speak between its exchanges or not at all."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.line import read_once
from collectors.line.exchange import Exchange
from collectors.line.others import ANSWER, COURTESY, FOREIGN, Others
from collectors.line.ports import open_port
from collectors.line.question import Question
from collectors.line.timing import Timing
from config.schema import Line, LineDevice
from tests.line_world import METER, Rounds, line, meter, running
from tests.peers.line import ModbusPeer, PacedBus, ydt_frame
from wire.modbus import ReplyReader, Request

ASKED = Request(7, 3, 0, 2).rtu()
SAID = ModbusPeer(7, {3: {0: 1, 1: 2}})(ASKED)
YDT = ydt_frame(0x20, 1, 0x40, 0x44, b"")


def test_a_request_that_is_not_ours_and_its_answer_are_another_master_s() -> None:
    others = Others()
    others.hear(ASKED, 1.0)
    assert (others.frames, others.present) == (1, False)
    others.hear(SAID or b"", 1.1)
    assert (others.frames, others.present) == (2, True)


def test_a_late_answer_of_our_own_slave_is_nobody_else_s() -> None:
    others = Others()
    for at in range(10):
        others.hear(SAID or b"", float(at))
    assert (others.frames, others.present) == (0, False)
    before = Others()
    for at in range(2):
        before.hear(SAID or b"", float(at), spoken=False)  # we have not asked anybody
    assert before.present


def test_one_frame_of_text_shows_a_master_and_noise_none() -> None:
    others = Others()
    others.hear(bytes(range(256)) * 4, 1.0)
    others.hear(b"", 2.0)
    assert not others.present
    others.hear(YDT, 3.0)
    assert others.present


def test_on_a_shared_pair_we_wait_for_the_answer_and_a_little_longer() -> None:
    others = Others(shared=True)
    others.hear(ASKED, 10.0)
    assert others.free_at(hurried=False) == others.free_at(hurried=True) == 10.0 + ANSWER
    others.hear(SAID or b"", 10.2)
    assert others.free_at(hurried=False) == 10.2 + COURTESY
    assert others.free_at(hurried=True) < 10.2


class OtherMaster:
    """Asks its slave once in `every` seconds, and notes from when until when the pair was theirs."""

    def __init__(self, bus: PacedBus, every: float) -> None:
        self._bus = bus
        self._every = every
        self._stop = threading.Event()
        self.exchanges: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def _speak(self) -> None:
        while not self._stop.wait(self._every):
            began = time.monotonic()
            os.write(self._bus._ours, ASKED)
            self._stop.wait(0.03)
            os.write(self._bus._ours, SAID or b"")
            self.exchanges.append((began, time.monotonic()))

    @contextmanager
    def speaking(self) -> Iterator["OtherMaster"]:
        self._thread.start()
        yield self
        self.end()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, [ModbusPeer(3, METER)], baud=115200) as paced:
        yield paced


async def test_a_line_that_another_master_speaks_on_is_not_spoken_on_until_that_one_is_gone(bus: PacedBus) -> None:
    with OtherMaster(bus, 0.1).speaking() as other:
        async with running(line(bus, meter())) as rounds:
            told = await rounds.until(lambda batch: not batch.reachable)
            assert told.error == FOREIGN
            assert bus.heard == []
            other.end()
            await rounds.until(lambda batch: batch.reachable)
    assert rounds.states[0] == ("line-1", "foreign")
    assert rounds.states[-1] == ("line-1", "open")


async def test_reading_once_does_not_speak_where_another_master_does(bus: PacedBus) -> None:
    with OtherMaster(bus, 0.1).speaking():
        batch = await read_once(line(bus, meter()), meter())
    assert batch.error == FOREIGN
    assert bus.heard == []


async def test_another_master_that_begins_later_is_counted_and_said_once(
    bus: PacedBus, caplog: pytest.LogCaptureFixture
) -> None:
    def counted(rounds: Rounds) -> bool:
        return rounds.stats.foreign_frames >= 6

    async with running(line(bus, meter())) as rounds:
        await rounds.until(lambda batch: batch.reachable)
        with OtherMaster(bus, 0.11).speaking():
            await rounds.until(lambda _: counted(rounds))
    assert [record.getMessage() for record in caplog.records if FOREIGN in record.getMessage()] == [
        f"line line-1: {FOREIGN}"
    ]


def test_on_a_shared_pair_we_never_speak_into_an_exchange_of_the_other_master(bus: PacedBus) -> None:
    device = LineDevice(id="meter", protocol="modbus", address=3, definition="eastron-sdm630")
    here = Line(id="l", port=bus.path, baud=bus.baud, shared=True, devices=(device,))
    port = open_port(here)
    exchange, request = Exchange(port, Timing.of(here)), Request(3, 4, 0, 10)
    exchange.others = Others(shared=True)
    question = Question("q", request.rtu(), lambda: ReplyReader(request), 25, 3)
    with OtherMaster(bus, 0.15).speaking() as other:
        answers = [exchange.ask(question).answer for _ in range(25)]
    port.close()
    ours = [heard.at for heard in bus.heard]
    assert not [at for at in ours if any(began <= at <= ended for began, ended in other.exchanges)]
    assert len([answer for answer in answers if answer]) >= 23
    assert exchange.others.frames >= 2

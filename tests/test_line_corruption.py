"""A line that spoils bytes, in a time of its own: no value is ever taken for another slave's, none is wrong.

The engine's devices, exchanges and codecs are real, and so is the simulated pair; only the clock is not.
"""

from pathlib import Path

import pytest

from bench.virtual import BAUD, UNITS, Clock, VirtualPort, clocked, read
from collectors.line.exchange import Exchange
from collectors.line.question import Question
from collectors.line.timing import Timing
from config.schema import Line
from simulator.line_slaves import plain
from simulator.pair import Pair
from wire.modbus import ReplyReader, Request


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_one_byte_in_a_hundred_corrupted_no_slave_gets_another_s_values(seed: int) -> None:
    done, pair = read(1500, 0.01, seed)
    # About 130 frames have two spoilt bytes and more; that a check sum lets one of them pass is a matter of 1 in 500,
    # and the seed is fixed.
    assert (done.foreign, done.wrong) == (0, 0)
    assert pair.tally.badly_touched > 50
    assert all(done.reached[f"modbus-{unit}"] > 50 for unit in UNITS)


def test_a_line_that_spoils_nothing_loses_nothing() -> None:
    done, pair = read(400, 0.0, 1, late=False)
    assert (done.foreign, done.wrong, done.lost) == (0, 0, 0)
    assert pair.tally.answered == pair.tally.asked
    assert pair.tally.gap_violations == 0


def test_when_every_tenth_byte_is_corrupted_what_is_read_is_right_all_the_same() -> None:
    done, pair = read(1500, 0.1, 2)
    assert (done.foreign, done.wrong) == (0, 0)
    assert pair.tally.touched > 3000


@pytest.mark.parametrize("baud", [9600, 115200])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_beside_two_dead_devices_and_a_babbler_each_living_one_is_read_in_every_cycle(seed: int, baud: int) -> None:
    done, _ = read(800, 0.0, seed, late=False, baud=baud, babble=0.1, silent=(3, 6))
    cycles = len(done.seconds)
    assert cycles > 20
    assert {unit: done.reached[f"modbus-{unit}"] for unit in UNITS if unit not in {3, 6}} == dict.fromkeys(
        (1, 2, 4, 5, 7, 8), cycles
    )
    assert (done.foreign, done.wrong) == (0, 0)


def test_a_program_that_was_late_once_does_not_stay_late() -> None:
    clock, pair = Clock(), Pair([plain(1)], baud=BAUD)
    here, request = Line(id="l", port=Path("/dev/null"), baud=BAUD, devices=()), Request(1, 3, 0, 20)
    question = Question("q", request.rtu(), lambda: ReplyReader(request), request.reply_bytes + 5, 1)
    with clocked(clock):
        exchange = Exchange(VirtualPort(pair, clock), Timing.of(here), clock.monotonic)
        exchange.meanwhile = lambda: clock.sleep(0.2)  # its first exchanges fall into a busy start
        assert exchange.ask(question).answer
        exchange.meanwhile = lambda: None
        took = [exchange.ask(question).seconds for _ in range(12)]
    assert took[0] < 0.15
    assert max(took[-5:]) < 1.02 * Timing.of(here).exchange(8 + 45)

"""What is heard on a line is put in order and in books, and its setting is found by listening; time is an argument."""

from itertools import pairwise
from random import Random

import pytest

from collectors.line.listening import BYTES, Listening, Spoken, Tuner
from collectors.line.search import Setting, settings
from simulator.modbus import crc
from simulator.uart import misheard
from tests.peers.line import ydt_frame

CHAR = 10 / 9600


def modbus(*body: int) -> bytes:
    return bytes(body) + crc(bytes(body))


ASK = modbus(2, 3, 0, 0, 0, 2)
ANSWER = modbus(2, 3, 4, 0, 1, 0, 2)
REFUSAL = modbus(2, 0x83, 2)
YDT_ASK = ydt_frame(0x21, 1, 0x41, 0x41, b"")
YDT_ANSWER = ydt_frame(0x21, 1, 0x41, 0, b"\0" * 9)


def heard(listening: Listening, *said: tuple[bytes, float]) -> list[Spoken]:
    """Listen to bytes that begin at these times; each is read at its end."""
    spoken = [each for octets, at in said for each in listening.feed(octets, at + len(octets) * CHAR)]
    return spoken + listening.feed(b"", said[-1][1] + 5.0)


def test_frames_have_the_silence_before_them_and_answers_the_time_that_they_took() -> None:
    listening = Listening(Setting(), 0.0)
    asked_until, answered_until = 1.0 + 8 * CHAR, 1.05 + 9 * CHAR
    first, second, third = heard(listening, (ASK, 1.0), (ANSWER, 1.05), (ASK, 2.0))
    assert (first.began, first.ended) == (pytest.approx(1.0), pytest.approx(asked_until))
    assert (first.gap, first.took) == (None, None)
    assert second.gap == second.took == pytest.approx(1.05 - asked_until)
    assert third.gap == pytest.approx(2.0 - answered_until)
    assert third.took is None


def test_frames_that_were_read_at_once_keep_their_order_and_their_times_on_the_wire() -> None:
    listening = Listening(Setting(), 0.0)
    first, second = listening.feed(ASK + ANSWER, 1.0)
    assert (first.octets, second.octets) == (ASK, ANSWER)
    assert second.ended == pytest.approx(1.0)
    assert first.ended == pytest.approx(1.0 - len(ANSWER) * CHAR)
    assert second.gap == pytest.approx(0.0, abs=1e-9)


def test_noise_stands_where_it_was_heard_and_is_counted() -> None:
    listening = Listening(Setting(), 0.0)
    spoken = heard(listening, (b"\xff\xfe", 1.0), (ASK, 1.5), (b"\x00" + ANSWER, 1.6))
    assert [each.octets if each.heard is None else "frame" for each in spoken] == [
        b"\xff\xfe",
        "frame",
        b"\x00",
        "frame",
    ]
    assert (listening.noise, listening.frames) == (3, 2)


@pytest.mark.parametrize("seed", range(20))
def test_every_byte_is_told_once_and_in_order_whatever_noise_stands_around_the_frames(seed: int) -> None:
    random = Random(seed)
    listening, at, spoken, said = Listening(Setting(), 0.0), 0.0, list[Spoken](), b""
    for _ in range(60):
        at += random.choice((0.001, 0.02, 0.3))
        noise = random.randbytes(random.randrange(6))
        frame = random.choice((ASK, ANSWER, REFUSAL, YDT_ASK, YDT_ANSWER, YDT_ASK[1:], YDT_ANSWER[5:]))
        octets = random.choice((noise, frame, noise + frame, frame[:-3], frame[3:]))
        said += octets
        for place in range(0, len(octets), 7):
            part = octets[place : place + 7]
            at += len(part) * CHAR
            spoken += listening.feed(part, at)
    spoken += listening.feed(b"", at + 5.0)
    assert b"".join(each.octets for each in spoken) == said
    assert all(before.ended <= after.began + 1e-6 for before, after in pairwise(spoken))
    assert listening.noise == sum(len(each.octets) for each in spoken if each.heard is None)
    assert listening.frames > 10


def test_the_books_tell_who_was_asked_what_and_how_he_answered() -> None:
    listening = Listening(Setting(), 0.0)
    said = [(ASK, 1.0), (ANSWER, 1.1), (ASK, 2.0), (REFUSAL, 2.3), (ASK, 3.0), (YDT_ASK, 4.0), (YDT_ANSWER, 4.2)]
    heard(listening, *said)
    slave, plant = listening.speakers["modbus", 2], listening.speakers["ydt1363", 1]
    assert (slave.requests, slave.responses, slave.refusals) == (3, 2, 1)
    assert slave.functions == {3: 3}
    assert slave.shortest == pytest.approx(0.1 - 8 * CHAR)
    assert slave.longest == pytest.approx(0.3 - 8 * CHAR)
    assert slave.median == pytest.approx(0.2 - 8 * CHAR)
    assert (plant.requests, plant.responses, plant.refusals, plant.functions) == (1, 1, 0, {0x41: 1})
    characters = sum(len(octets) for octets, _ in said)
    assert listening.utilisation(10.0) == pytest.approx(characters * CHAR / 10.0)


def test_a_refusal_in_yd_t_is_one_and_a_wrong_check_sum_is_counted() -> None:
    listening = Listening(Setting(), 0.0)
    wrong = ANSWER[:-1] + bytes((ANSWER[-1] ^ 1,))
    heard(listening, (YDT_ASK, 1.0), (ydt_frame(0x21, 1, 0x41, 4, b""), 1.1), (ASK, 2.0), (wrong, 2.1))
    assert listening.speakers["ydt1363", 1].refusals == 1
    assert listening.mismatches == 1


def test_the_cycle_is_the_time_after_which_the_same_is_asked_and_a_second_try_is_none() -> None:
    listening = Listening(Setting(), 0.0)
    other = modbus(3, 3, 0, 0, 0, 2)
    rounds = [(frame, start + at) for start in (0.0, 5.0, 10.0) for frame, at in ((ASK, 0.0), (ASK, 0.5), (other, 1.0))]
    heard(listening, *rounds)
    assert listening.cycle == pytest.approx(5.0, abs=0.6)
    alone = Listening(Setting(), 0.0)
    heard(alone, *((ASK, float(second)) for second in range(4)))
    assert alone.cycle == pytest.approx(1.0)


@pytest.mark.parametrize("spoken", [2400, 4800, 9600, 19200, 38400, 115200])
@pytest.mark.parametrize("frames", [(ASK, ANSWER), (YDT_ASK, YDT_ANSWER)], ids=["modbus", "ydt1363"])
def test_the_speed_of_a_line_is_found_by_listening(spoken: int, frames: tuple[bytes, ...]) -> None:
    tuner, at = Tuner(settings(parities=("none",))), 0.0
    for _ in range(200):
        for frame in frames:
            at += 0.3
            tuner.feed(misheard(frame, spoken, tuner.setting.baud), at)
            if tuner.found:
                assert tuner.found == Setting(spoken)
                assert at < 30
                return
    raise AssertionError("not found in a minute")


def test_a_long_answer_that_was_joined_midway_is_waited_for() -> None:
    tuner = Tuner(settings(parities=("none",)))
    tuner.feed(ydt_frame(0x21, 1, 0x46, 0, b"\x12" * 200)[100:], 1.0)
    assert tuner.setting == Setting(9600)
    tuner.feed(YDT_ASK, 2.0)
    assert tuner.found == Setting(9600)


def test_noise_makes_no_setting_right_and_a_spark_makes_none_wrong() -> None:
    tuner = Tuner(settings(parities=("none",)))
    tuner.feed(b"\x00", 1.0)
    assert tuner.setting == Setting(9600)
    tuner.feed(bytes(range(128, 128 + BYTES)), 1.05)
    assert tuner.setting == Setting(19200)
    assert (tuner.found, tuner.kept) == (None, [])


def test_one_frame_of_modbus_may_be_chance_and_two_are_not() -> None:
    tuner = Tuner(settings(parities=("none",)))
    tuner.feed(ASK, 1.0)
    assert tuner.found is None
    tuner.feed(ANSWER, 1.1)
    assert tuner.found == Setting(9600)
    assert b"".join(octets for octets, _ in tuner.kept) == ASK + ANSWER

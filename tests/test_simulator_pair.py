"""The pair of wires in a time that the tests give: who hears what and when, what goes wrong, what is counted."""

import math

import pytest

from simulator.line_slaves import plain, register
from simulator.modbus import crc
from simulator.pair import OtherMaster, Pair
from simulator.trouble import Trouble
from simulator.uart import character_bits, levels, misheard

CHARACTER = 10 / 9600
GAP = 3.5 * CHARACTER
TURNAROUND = 0.005
EDGE = 1e-6


def read(unit: int, count: int, first: int = 0) -> bytes:
    body = bytes([unit, 3, 0, first, 0, count])
    return body + crc(body)


def reply(unit: int, count: int) -> bytes:
    words = b"".join(register(unit, address).to_bytes(2, "big") for address in range(count))
    body = bytes([unit, 3, 2 * count]) + words
    return body + crc(body)


def pair(*units: int, **options: object) -> Pair:
    return Pair([plain(unit) for unit in units], **options)  # type: ignore[arg-type]


def heard(line: Pair, until: float) -> bytes:
    return b"".join(part.octets for part in line.act(until))


def settled(line: Pair, frame: bytes, at: float = 0.0, wait: float = 1.0) -> bytes:
    line.speak(frame, at)
    return heard(line, at + wait)


# --- Time ---


def test_an_answer_is_whole_when_request_turnaround_and_its_own_bytes_have_taken_their_time():
    line = pair(2)
    line.speak(read(2, 20), 0.0)
    whole = (8 + 45) * CHARACTER + TURNAROUND
    parts = line.act(whole - EDGE)
    assert len(b"".join(part.octets for part in parts)) == 44
    last = line.act(whole + EDGE)
    assert b"".join(part.octets for part in parts + last) == reply(2, 20)
    assert last[-1].ends
    assert last[-1].due == pytest.approx(whole)


def test_a_device_that_is_quicker_than_the_gap_answers_after_the_gap():
    line = pair(2, turnaround=0.0)
    line.speak(read(2, 1), 0.0)
    assert heard(line, (8 + 7) * CHARACTER + GAP - EDGE)[:7] == reply(2, 1)[:4]
    assert heard(line, (8 + 7) * CHARACTER + GAP + EDGE) == reply(2, 1)[4:]


def test_above_19200_baud_the_gap_stays_what_it_is():
    line = pair(2, baud=115200, turnaround=0.0)
    line.speak(read(2, 1), 0.0)
    assert heard(line, 15 * 10 / 115200 + 0.00175 - EDGE) != reply(2, 1)
    assert line.tally.by_device == {}
    heard(line, 15 * 10 / 115200 + 0.00175 + EDGE)
    assert line.tally.by_device == {"modbus-2": 1}


@pytest.mark.parametrize(("parity", "stop_bits", "bits"), [("none", 1, 10), ("even", 1, 11), ("odd", 2, 12)])
def test_parity_and_stop_bits_make_a_character_longer(parity: str, stop_bits: int, bits: int):
    line = pair(2, parity=parity, stop_bits=stop_bits)
    assert character_bits(parity, stop_bits) == bits  # type: ignore[arg-type]
    line.speak(read(2, 20), 0.0)
    line.act(math.nextafter(1.0, 2.0))
    assert line.tally.last_at == pytest.approx((53 + 3.5) * bits / 9600 + TURNAROUND)


def test_the_least_time_is_that_of_the_formula():
    line = pair(1, 2)
    at = 0.0
    for unit, count in ((1, 20), (2, 3), (1, 125)):
        settled(line, read(unit, count), at)
        at += 1.0
    assert line.tally.least_seconds == pytest.approx(
        sum((13 + 2 * n) * CHARACTER + max(TURNAROUND, GAP) + GAP for n in (20, 3, 125))
    )
    assert line.tally.busy_seconds == pytest.approx(sum((13 + 2 * n) * CHARACTER for n in (20, 3, 125)))


def test_bytes_that_the_client_writes_in_pieces_follow_each_other_on_the_wire():
    line = pair(2)
    line.speak(read(2, 1)[:3], 0.0)
    line.speak(read(2, 1)[3:], 0.0001)
    assert heard(line, 1.0) == reply(2, 1)
    assert line.tally.last_at == pytest.approx(15 * CHARACTER + TURNAROUND + GAP)


# --- Frames and silence ---


def test_requests_without_a_gap_between_them_are_one_garbled_frame():
    line = pair(2)
    assert settled(line, read(2, 1) + read(2, 1)) == b""
    assert (line.tally.asked, line.tally.unanswered, line.tally.gap_violations) == (1, 1, 0)


@pytest.mark.parametrize(("silence", "violations", "answers"), [(GAP - 0.0001, 1, 1), (GAP + 0.0001, 0, 2)])
def test_a_request_too_soon_after_an_answer_is_counted_and_not_heard(silence: float, violations: int, answers: int):
    line = pair(2)
    line.speak(read(2, 1), 0.0)
    end = 15 * CHARACTER + TURNAROUND
    line.act(end + silence)
    line.speak(read(2, 1), end + silence)
    line.act(1.0)
    assert (line.tally.gap_violations, line.tally.answered) == (violations, answers)


def test_a_client_that_talks_into_an_answer_spoils_no_more_than_it_covers():
    line = pair(2)
    line.speak(read(2, 20), 0.0)
    begun = heard(line, 8 * CHARACTER + TURNAROUND + 8.01 * CHARACTER)
    line.speak(b"\x00", 8 * CHARACTER + TURNAROUND + 10.5 * CHARACTER)
    rest = heard(line, 1.0)
    assert begun == reply(2, 20)[:8]
    found, whole = begun + rest, reply(2, 20)
    assert found != whole
    assert found[:10] == whole[:10]
    assert found[12:] == whole[12:]
    assert line.tally.collisions == 1


def test_a_device_whose_answer_is_still_to_come_hears_no_other_request():
    line = pair(2, slow={"modbus-2": (0.3, 0.3)})
    line.speak(read(2, 1), 0.0)
    assert heard(line, 0.2) == b""
    line.speak(read(2, 3), 0.2)
    assert heard(line, 1.0) == reply(2, 1)
    assert (line.tally.answered, line.tally.unanswered) == (1, 1)


# --- What goes wrong ---


def test_with_an_echo_the_client_hears_itself_and_then_the_answer():
    line = pair(2, trouble=Trouble(echo=True))
    line.speak(read(2, 1), 0.0)
    assert heard(line, 4 * CHARACTER + EDGE) == read(2, 1)[:4]
    assert heard(line, 1.0) == read(2, 1)[4:] + reply(2, 1)


def test_a_dead_device_is_silent_and_its_neighbours_are_not():
    line = pair(2, 3)
    line.silent.add("modbus-2")
    assert settled(line, read(2, 1)) == b""
    assert settled(line, read(3, 1), 2.0) == reply(3, 1)
    assert (line.tally.asked, line.tally.answered, line.tally.unanswered) == (2, 1, 0)


def test_a_slow_device_takes_its_own_time_between_two_bounds():
    line = pair(2, 3, slow={"modbus-2": (0.1, 0.4)})
    took = []
    for turn in range(30):
        settled(line, read(2, 1), float(turn))
        took.append(line.tally.last_at - turn - 15 * CHARACTER - GAP)
    assert min(took) >= 0.1
    assert max(took) <= 0.4
    assert max(took) - min(took) > 0.15
    settled(line, read(3, 1), 40.0)
    assert line.tally.last_at == pytest.approx(40.0 + 15 * CHARACTER + TURNAROUND + GAP)


def test_two_devices_with_one_address_garble_each_other():
    twin = Pair([plain(2), plain(2, "twin")], slow={"twin": (0.006, 0.006)})
    found = settled(twin, read(2, 20))
    assert len(found) == 90
    assert reply(2, 20) not in found
    assert twin.tally.collisions == 1
    assert twin.tally.garbled > 80


def test_another_master_asks_too_and_the_client_hears_it_and_its_answer():
    line = pair(2, others=OtherMaster(0.5, (read(2, 1), read(9, 1))))
    assert heard(line, 0.7) == read(2, 1) + reply(2, 1)
    assert heard(line, 1.2) == read(9, 1)
    assert (line.tally.frames_of_others, line.tally.asked, line.tally.least_seconds) == (2, 0, 0.0)


def test_a_request_into_another_master_s_collides():
    line = pair(2, others=OtherMaster(0.5, (read(2, 1),)))
    line.act(0.5 + 2 * CHARACTER)
    line.speak(read(2, 3), 0.5 + 2 * CHARACTER)
    assert reply(2, 3) not in heard(line, 0.9)
    assert line.tally.collisions == 1


def test_stray_bytes_stand_at_both_ends_of_an_answer():
    line = pair(2, trouble=Trouble(stray=0.999999))
    found = settled(line, read(2, 4))
    before, _, after = found.partition(reply(2, 4))
    assert 1 <= len(before) <= 3
    assert 1 <= len(after) <= 3


def test_bytes_are_corrupted_lost_and_doubled_as_often_as_is_said():
    line = pair(2, trouble=Trouble(corrupted=0.02, lost=0.01, doubled=0.01))
    length = 0
    for turn in range(400):
        length += len(settled(line, read(2, 100), float(turn)))
    said = line.tally.bytes_from_client + line.tally.bytes_from_devices
    assert line.tally.touched == pytest.approx(0.04 * said, rel=0.1)
    assert length == pytest.approx(line.tally.bytes_from_devices, rel=0.01)  # as many are doubled as are lost
    assert line.tally.answered < 400 * 0.8


def test_spikes_come_at_their_rate():
    line = pair(2, trouble=Trouble(spikes=5.0))
    assert len(heard(line, 200.0)) == pytest.approx(1000, rel=0.15)


def test_a_babbling_device_speaks_for_its_share_of_time():
    line = pair(2, trouble=Trouble(babble=0.1, babble_bytes=30))
    heard(line, 600.0)
    assert line.tally.busy_seconds == pytest.approx(60.0, rel=0.1)
    assert line.tally.bytes_of_noise == pytest.approx(60.0 / CHARACTER, rel=0.1)


def test_the_same_seed_gives_the_same_trouble():
    def story(seed: int) -> list[bytes]:
        line = pair(2, trouble=Trouble(corrupted=0.05, stray=0.3, spikes=1.0, babble=0.05), seed=seed)
        return [settled(line, read(2, 20), float(turn)) for turn in range(50)]

    assert story(7) == story(7)
    assert story(7) != story(8)


# --- Another speed ---


def test_a_byte_heard_at_twice_its_speed_is_made_of_its_doubled_bits():
    # 55H is 0 10101010 1 on the line; doubled, the first ten bits are 00 11 00 11 00: a start bit, then 0 1100110.
    assert levels(b"\x55") == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
    assert misheard(b"\x55", 9600, 19200)[:1] == b"\x66"


def test_a_quiet_byte_heard_too_slowly_is_one_edge():
    # 00H is nine bits low; at a quarter of the speed that is two and a quarter: start, one low, the rest high.
    assert misheard(b"\x00", 9600, 2400) == b"\xfe"


@pytest.mark.parametrize("speed", [1200, 2400, 4800, 19200, 38400, 115200])
def test_a_client_of_another_speed_is_heard_as_garbage(speed: int):
    line = pair(2)
    line.speak(read(2, 20), 0.0, speed)
    assert heard(line, 2.0) == b""
    assert (line.tally.asked, line.tally.answered, line.tally.unanswered) == (1, 0, 1)
    assert settled(line, read(2, 20), 3.0) == reply(2, 20)


def test_the_same_speed_is_heard_as_it_is():
    assert misheard(bytes(range(256)), 9600, 9600) == bytes(range(256))

"""The client's side of RFC 2217: what is said, what is taken, and bytes that no server should send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.rfc2217 import ComPort, Settings, TelnetError, command, escaped

SETTINGS = Settings(9600, "even", 2)
AGREED = bytes.fromhex("fffb00 fffd00 fffd2c")  # WILL BINARY, DO BINARY, DO COM-PORT
# IAC SB COM-PORT command+100 value IAC SE, as RFC 2217 writes them: baud 9600, 8 data bits, even, 2 stop bits
CONFIRMED = bytes.fromhex("fffa2c6500002580fff0 fffa2c6608fff0 fffa2c6703fff0 fffa2c6802fff0")


def test_the_options_are_offered_at_once() -> None:
    said = ComPort(SETTINGS).pending
    for each in ("fffb2c", "fffb00", "fffd00", "fffb03", "fffd03"):  # WILL COM-PORT, WILL and DO of both others
        assert bytes.fromhex(each) in said


def test_the_settings_are_told_as_the_standard_writes_them_once_the_server_agrees() -> None:
    port = ComPort(SETTINGS)
    assert port.pending
    assert not port.pending
    port.feed(AGREED)
    said = port.pending
    for each in ("fffa2c0100002580fff0", "fffa2c0208fff0", "fffa2c0303fff0", "fffa2c0402fff0", "fffa2c0c03fff0"):
        assert bytes.fromhex(each) in said  # SET-BAUDRATE, -DATASIZE, -PARITY, -STOPSIZE, PURGE-DATA
    assert not port.ready


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_it_is_ready_once_each_setting_is_confirmed_in_pieces_of_any_size(size: int) -> None:
    port, stream = ComPort(SETTINGS), AGREED + CONFIRMED
    for start in range(0, len(stream), size):
        assert not port.ready
        assert port.feed(stream[start : start + size]) == b""
    assert port.ready


@given(st.binary(max_size=60), st.integers(0, 59))
def test_the_line_s_bytes_come_through_whatever_they_are(octets: bytes, cut: int) -> None:
    port, sent = ComPort(SETTINGS), escaped(octets)
    assert port.feed(sent[:cut]) + port.feed(sent[cut:]) == octets


def test_a_byte_of_255_is_sent_twice_in_values_too() -> None:
    assert command(1, b"\xff") == bytes.fromhex("fffa2c01fffffff0")


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (bytes.fromhex("fffe2c"), "refuses RFC 2217"),
        (bytes.fromhex("fffe00"), "binary"),
        (bytes.fromhex("fffc00"), "binary"),
        (AGREED + command(101, (19200).to_bytes(4, "big")), "does not set baud 9600: it stays at 19200"),
        (AGREED + command(103, b"\x01"), "does not set parity even: it stays at none"),
        (AGREED + command(104, b"\x01"), "does not set stop bits 2: it stays at 1"),
    ],
)
def test_a_server_that_will_not_is_told_in_plain_words(came: bytes, told: str) -> None:
    with pytest.raises(TelnetError, match=told):
        ComPort(SETTINGS).feed(came)


def test_other_options_are_refused_once_however_often_they_are_offered() -> None:
    port = ComPort(SETTINGS)
    assert port.pending
    port.feed(bytes.fromhex("fffb01 fffd18") * 100)  # WILL ECHO, DO TERMINAL-TYPE
    said = port.pending
    assert bytes.fromhex("fffe01") in said
    assert bytes.fromhex("fffc18") in said
    assert len(said) == 6


def test_a_server_may_ask_for_silence_and_take_it_back() -> None:
    port = ComPort(SETTINGS)
    port.feed(command(108, b""))
    assert port.suspended
    port.feed(command(109, b""))
    assert not port.suspended


def test_a_server_says_what_it_is_and_asks_what_we_are() -> None:
    port = ComPort(SETTINGS)
    port.feed(command(100, b"ser2net") + command(0, b""))
    assert port.signature == "ser2net"
    assert command(0, b"roundsman") in port.pending


def test_states_of_lines_and_modems_are_no_bytes_of_the_line() -> None:
    assert ComPort(SETTINGS).feed(b"a" + command(107, b"\xb0") + b"b" + command(106, b"\x60") + b"c") == b"abc"


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_whatever_comes_only_one_error_leaves_it_and_little_is_said(pieces: list[bytes]) -> None:
    port, said = ComPort(SETTINGS), 0
    for piece in pieces:
        try:
            port.feed(piece)
        except TelnetError:
            return
        said += len(port.pending)
    assert said < 300 + 4 * sum(map(len, pieces))


def test_a_sub_negotiation_without_an_end_is_held_in_little_room() -> None:
    port = ComPort(SETTINGS)
    port.feed(bytes.fromhex("fffa2c64") + b"a" * 100_000 + bytes.fromhex("fff0"))
    assert len(port.signature) <= 512

"""The codecs of a serial line against mangled bytes: a part of `make fuzz`, with a fixed seed; and what work it is."""

import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fuzz import line
from tests.operations import operations
from wire.modbus import ModbusError, ReplyReader, Request
from wire.modbus_identity import IdentityReader, IdentityRequest
from wire.modbus_tcp import MbapReader
from wire.traffic import TrafficReader
from wire.ydt1363 import FrameReader

ROOT = Path(__file__).parent.parent
GETS_THROUGH = {"modbus": 150, "modbus-tcp": 150, "ydt1363": 1000, "traffic": 1000}


@pytest.mark.parametrize("target", line.KINDS)
def test_from_three_thousand_mangled_inputs_comes_a_frame_or_the_one_refusal(target: str, tmp_path: Path) -> None:
    words = [target, "--runs", "3000", "--seed", "3", "--oracle", "10", "--findings", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = re.search(r"^3000 runs: .*?(\d+) frames\b", done.stdout, re.MULTILINE)
    assert told is not None, done.stdout
    assert int(told[1]) > GETS_THROUGH[target]


@pytest.mark.parametrize("target", line.KINDS)
def test_every_seed_is_a_frame_and_what_is_checked_holds_for_it(target: str) -> None:
    seeds, check = line.KINDS[target]
    for octets in seeds():
        assert check(octets, True) == "frames"


def test_a_reader_that_finds_what_brute_force_does_not_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = line.modbus_seeds()[5]
    assert line.check_modbus(reply, True) == "frames"
    monkeypatch.setattr(ReplyReader, "feed", lambda self, octets: None)
    with pytest.raises(AssertionError):
        line.check_modbus(b"\x00\x00\x00" + reply, True)


READERS: dict[str, Callable[[], Callable[[bytes], object]]] = {
    "replies": lambda: ReplyReader(Request(9, 3, 0, 125)).feed,
    "short replies": lambda: ReplyReader(Request(3, 3, 0, 1)).feed,
    "identification": lambda: IdentityReader(IdentityRequest(9)).feed,
    "tcp": lambda: MbapReader().feed,
    "text": lambda: FrameReader().feed,
    "traffic": lambda: partial(TrafficReader().feed, at=1.0),
}
PATTERNS = {
    "heads of long frames": b"\x03\xfa",
    "heads of replies": b"\x09\x03\xfa",
    "one byte": b"\x03",
    "heads of identifications": b"\x09\x2b\x0e\x01",
    "identifications without objects": b"\x09\x2b\x0e\x01\x00\x00\x00\x00",
    "heads of writes": b"\t\x10\0\0\0{\xf6",
    "start marks": b"~",
    "text without end": b"0",
    "short text": b"~00\r",
    "text of a frame's length": b"~" + b"0" * 16 + b"\r",
    "heads of tcp frames": b"\0\0\0\0\0\x03\x01\x03",
    "whole frames": line.modbus_seeds()[4],
}
MOST = 5000
"""Steps of the interpreter for each byte, at most: two check sums of 256 bytes and what is around them."""


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_the_last_three_hundred_bytes_are_no_more_work_than_those_before_whatever_they_are(
    reader: Callable[[], Callable[[bytes], object]], pattern: bytes
) -> None:
    def fed(length: int) -> int:
        feed, octets = reader(), (pattern * length)[:length]

        def all_of_it() -> None:
            for at in range(length):
                try:
                    feed(octets[at : at + 1])
                except ModbusError:
                    return

        return operations(all_of_it)

    first, second, third = fed(300), fed(600), fed(900)  # the longest frame of Modbus has 256
    assert third <= 900 * MOST
    assert third - second <= 1.1 * (second - first) + 2000

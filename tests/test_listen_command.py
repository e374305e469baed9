"""`roundsman listen`: masters that we did not write are heard with their slaves, and not a byte is sent."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import minimalmodbus
import pytest
import serial

from simulator.bus import PacedLine
from simulator.line_devices import devices
from simulator.modbus import crc
from simulator.pair import OtherMaster
from simulator.plant import Plant
from tests.peers.line import ModbusPeer, PacedBus
from tests.peers.tap import Tap
from tests.said import said

REGISTERS = {3: {number: 100 + number for number in range(10)}}


def ask(unit: int, function: int = 3, count: int = 4) -> bytes:
    body = bytes((unit, function, 0, 0, 0, count))
    return body + crc(body)


def a_line(*frames: bytes, baud: int = 9600, every: float = 0.15) -> PacedLine:
    """A line with the room's devices and another master, which asks these frames in turn."""
    room = Plant()
    return PacedLine(devices(lambda: room.snapshot(10.0)), baud=baud, idle=0.05, others=OtherMaster(every, frames))


@contextmanager
def supervised(*frames: bytes, baud: int = 9600) -> Iterator[str]:
    """The path of such a line."""
    line = a_line(*frames, baud=baud)
    path = line.open()
    line.start()
    try:
        yield path
    finally:
        line.stop()


@contextmanager
def mbpoll(port: str, *words: str) -> Iterator[None]:
    """Debian's mbpoll as the master that is there already."""
    if shutil.which("mbpoll") is None:
        pytest.skip("mbpoll is not installed")
    command = ["mbpoll", "-m", "rtu", "-b", "9600", "-P", "none", "-l", "100", *words, port]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as master:
        try:
            yield
        finally:
            master.terminate()


@contextmanager
def minimal(port: str) -> Iterator[None]:
    """minimalmodbus as the master that is there already; it asks unit 5 again and again."""
    over = threading.Event()
    with contextlib.closing(serial.Serial(port, 9600, timeout=0.3)) as opened:
        instrument = minimalmodbus.Instrument(opened, 5)

        def poll() -> None:
            while not over.wait(0.05):
                with contextlib.suppress(minimalmodbus.ModbusException):
                    instrument.read_registers(0, 4)

        thread = threading.Thread(target=poll)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.fixture
def tap(tmp_path: Path) -> Iterator[Tap]:
    with PacedBus(tmp_path, [ModbusPeer(5, REGISTERS)], baud=9600) as bus, Tap(bus.path) as tapped:
        yield tapped


def rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_mbpoll_and_its_slave_are_heard_in_both_directions_and_nothing_is_sent(tap: Tap) -> None:
    with mbpoll(tap.master, "-a", "5", "-0", "-r", "0", "-c", "4", "-t", "4"):
        status, out, err = said("listen", tap.ear, "--for", "2.5")
    assert status == 0
    assert "Frames are right at 9600 8N1." in err
    assert re.search(r"Modbus +>   5  read holding registers 0 to 3$", out, re.MULTILINE)
    assert re.search(r"Modbus +<   5  read holding registers: 100 101 102 103  \([0-9]+ ms\)$", out, re.MULTILINE)
    assert re.search(r"^Modbus +5 +[0-9]+ +[0-9]+ +0 ", out, re.MULTILINE)
    assert tap.sent == b""


def test_a_slave_that_is_not_there_is_asked_and_never_answers(tap: Tap) -> None:
    with mbpoll(tap.master, "-a", "9", "-0", "-r", "0", "-c", "2", "-o", "0.1"):
        status, out, _ = said("listen", tap.ear, "--baud", "9600", "--json", "--for", "2")
    assert status == 0
    *frames, books = rows(out)
    assert {(row["unit"], row["side"]) for row in frames} == {(9, "request")}
    (speaker,) = books["speakers"]
    assert (speaker["address"], speaker["answers"]) == (9, 0)
    assert speaker["requests"] == len(frames) >= 3


def test_each_frame_is_one_json_object_with_the_fields_of_decode() -> None:
    with supervised(ask(2), b"~210141410000FDB2\r", ask(3)) as path:
        status, out, _ = said("listen", path, "--baud", "9600", "--json", "--for", "2")
    assert status == 0
    *frames, books = rows(out)
    asked = next(row for row in frames if row["protocol"] == "modbus" and row["unit"] == 2)
    assert (asked["side"], asked["function_name"], asked["address"], asked["count"]) == (
        "request", "read holding registers", 0, 4
    )  # fmt: skip
    assert asked["frame"] == ask(2).hex()
    refused = next(row for row in frames if row.get("exception"))
    assert (refused["unit"], refused["exception_name"]) == (3, "illegal function")
    plant = next(row for row in frames if row["protocol"] == "ydt1363" and row["side"] == "response")
    assert plant["class_name"] == "rectifiers"
    assert plant["semantic"]["values"][0]["quantity"] == "rectifier.voltage"
    assert 0 < plant["answer_seconds"] < 0.2
    again = books["cycle_seconds"]
    assert books["kind"] == "summary"
    assert again == pytest.approx(0.45, abs=0.1)
    assert 0.1 < books["utilisation"] < 0.6
    assert {(each["protocol"], each["address"]) for each in books["speakers"]} == {
        ("modbus", 2), ("modbus", 3), ("ydt1363", 1)
    }  # fmt: skip


def test_the_lines_name_values_and_the_summary_names_classes() -> None:
    with supervised(ask(2), b"~210141410000FDB2\r") as path:
        status, out, _ = said("listen", path, "--baud", "9600", "--for", "1.5")
    assert status == 0
    assert re.search(r"YD/T 1363  >   1  41H rectifiers, analog values, float \(41H\)$", out, re.MULTILINE)
    assert re.search(r"YD/T 1363  <   1  41H rectifiers: Output voltage 5[0-9.]+ V, Module current", out)
    assert re.search(r"^YD/T 1363  1 .* 41H rectifiers$", out, re.MULTILINE)
    assert re.search(
        r"s at 9600 8N1: [0-9]+ frames, 0 with a wrong check sum, 0 bytes of noise; the same is asked", out
    )


@pytest.mark.parametrize("baud", [4800, 19200])
def test_the_speed_of_a_line_is_found_by_itself(baud: int) -> None:
    with supervised(ask(2), ask(3, 4, 6), baud=baud) as path:
        status, out, err = said("listen", path, "--for", "6")
    assert status == 0
    assert f"Frames are right at {baud} 8N1." in err
    assert f"s at {baud} 8N1:" in out


def test_at_a_wrong_speed_bytes_are_noise_and_the_advice_says_so() -> None:
    with supervised(ask(2), baud=4800) as path:
        status, out, err = said("listen", path, "--baud", "9600", "--for", "1")
    assert status == 1
    assert "noise" in out
    assert re.search(r"[0-9]+ bytes were heard in 1 s, and no frame\. Another speed or parity, A and B swapped", err)


def test_a_silent_line_ends_with_1_and_says_what_to_look_at() -> None:
    line = PacedLine((), idle=0.05)
    path = line.open()
    line.start()
    try:
        status, out, err = said("listen", path, "--for", "0.5")
    finally:
        line.stop()
    assert (status, out) == (1, "")
    assert "Nothing was heard in" in err
    assert "check A, B and the plug" in err


def test_listening_that_is_ended_prints_its_summary(tap: Tap) -> None:
    command = [sys.executable, "-m", "roundsman", "listen", tap.ear, "--baud", "9600"]
    with minimal(tap.master), subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        while "read holding registers" not in (row := listening.stdout.readline()):  # it may begin within a frame
            assert row, "it ended by itself"
        listening.send_signal(signal.SIGINT)
        out, _ = listening.communicate(timeout=20)
    assert listening.returncode == 0
    assert "PROTOCOL" in out
    assert "at 9600 8N1" in out
    assert tap.sent == b""


def test_an_adapter_that_is_pulled_out_is_said_after_what_was_heard() -> None:
    line = a_line(ask(2))
    path = line.open()
    line.start()
    command = [sys.executable, "-m", "roundsman", "listen", path, "--baud", "9600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listening:
        assert listening.stdout is not None
        heard = next(said for said in listening.stdout if "Modbus" in said)  # it may begin within a frame
        line.stop()
        out, err = listening.communicate(timeout=20)
    assert listening.returncode == 1
    assert " 2 " in heard
    assert "at 9600 8N1" in out
    assert f"{path} hung up." in err


def test_scan_line_hears_mbpoll_and_minimalmodbus_and_refuses_without_a_byte(tap: Tap) -> None:
    with mbpoll(tap.master, "-a", "5", "-0", "-r", "0", "-c", "2"):
        status, _, err = said("scan", "line", tap.ear, "--listen", "2")
    assert status == 1
    assert "Another master speaks on this line: 9600 8N1, Modbus address 5" in err
    with minimal(tap.master):
        status, _, err = said("scan", "line", tap.ear, "--listen", "2")
    assert status == 1
    assert "Another master speaks on this line: 9600 8N1, Modbus address 5" in err
    assert tap.sent == b""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("modbus-tcp://192.0.2.1:502",),
            "modbus-tcp://192.0.2.1:502 is a gateway, which passes on nothing but answers",
        ),
        (("/dev/none",), "/dev/none is not there"),
        (("none",), 'PORT "none" is no port'),
        (("/dev/none", "--baud", "fast"), "--baud fast cannot be; write one of 300"),
        (("/dev/none", "--for", "0"), "--for 0 cannot be; write a number above 0."),
    ],
)
def test_what_cannot_be_is_refused_in_words(words: tuple[str, ...], says: str) -> None:
    status, out, err = said("listen", *words)
    assert (status, out) == (1, "")
    assert says in err
    assert "Traceback" not in err
    assert "Nothing was heard" not in err
    assert os.linesep in err

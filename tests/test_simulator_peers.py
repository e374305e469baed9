"""`roundsman simulate line` as others use it: pymodbus, minimalmodbus and mbpoll at its port, none of which is ours."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import minimalmodbus
import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

ROUNDSMAN = Path(sys.executable).with_name("roundsman")


class Simulated:
    """The command, running: where its line is, and its counts."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self.where = self._said()
        self.port = str(self.where["port"])

    def _said(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        found: dict[str, Any] = json.loads(self._child.stdout.readline())
        return found

    def counts(self) -> dict[str, Any]:
        assert self._child.stdin is not None
        print(file=self._child.stdin, flush=True)
        return self._said()


@contextmanager
def line(*words: str) -> Iterator[Simulated]:
    command = [str(ROUNDSMAN), "simulate", "line", "--json", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield Simulated(child)
        finally:
            child.terminate()
            child.wait(10)


def values(unit: int, count: int, first: int = 0) -> list[int]:
    return [unit << 8 | address for address in range(first, first + count)]


def test_pymodbus_reads_every_slave_its_bits_and_its_identity():
    with line("--modbus", "1-4", "--ydt", "1", "--baud", "19200") as simulated:
        client = ModbusSerialClient(simulated.port, baudrate=19200, timeout=1.0, retries=2)
        assert client.connect()
        for unit in (1, 2, 3, 4):
            assert client.read_holding_registers(10, count=20, device_id=unit).registers == values(unit, 20, 10)
            assert client.read_input_registers(0, count=3, device_id=unit).registers == values(unit, 3)
        assert client.read_coils(0, count=10, device_id=2).bits[:10] == [False, True] * 5
        assert client.read_discrete_inputs(1, count=3, device_id=2).bits[:3] == [True, False, True]
        told = client.read_device_information(device_id=3)
        assert told.information == {0: b"Roundsman", 1: b"plain slave", 2: b"1.0"}
        refused = client.read_holding_registers(250, count=10, device_id=1)
        client.close()
        assert refused.exception_code == 2
        assert simulated.counts()["gap_violations"] == 0


def test_minimalmodbus_reads_it_and_hears_nothing_at_another_speed(tmp_path: Path):
    with line("--modbus", "5", "--parity", "even", "--link", str(tmp_path / "line")) as simulated:
        slave = minimalmodbus.Instrument(str(simulated.where["link"]), 5)
        slave.serial.baudrate, slave.serial.timeout = 9600, 1.0
        assert slave.read_registers(0, 20) == values(5, 20)
        slave.serial.baudrate, slave.serial.timeout = 4800, 0.3
        with pytest.raises(OSError):  # noqa: PT011  # its no answer and its wrong answer are both one
            slave.read_registers(0, 20)
        slave.serial.close()
        told = simulated.counts()
        assert (told["answered"], told["unanswered"]) == (1, 1)


def test_mbpoll_reads_it():
    if shutil.which("mbpoll") is None:
        pytest.skip("mbpoll is not installed")
    with line("--modbus", "7") as simulated:
        place = ["-t", "4", "-0", "-r", "3", "-c", "4", "-1", "-q"]
        words = ["mbpoll", "-m", "rtu", "-a", "7", "-b", "9600", "-P", "none", *place]
        done = subprocess.run([*words, simulated.port], capture_output=True, text=True, timeout=20, check=False)
        assert [row.split()[-1] for row in done.stdout.splitlines() if row.startswith("[")] == [
            str(value) for value in values(7, 4, 3)
        ]


def test_a_device_server_stands_in_front_of_it():
    with line("--modbus", "1", "--tcp", "0") as simulated:
        client = ModbusTcpClient("127.0.0.1", port=simulated.where["tcp"], framer=FramerType.RTU, timeout=2.0)
        assert client.connect()
        assert client.read_holding_registers(0, count=5, device_id=1).registers == values(1, 5)
        client.close()


def test_the_counts_tell_the_least_time_and_the_window_of_what_was_said():
    with line("--modbus", "1", "--turnaround", "0.02") as simulated:
        client = ModbusSerialClient(simulated.port, baudrate=9600, timeout=1.0)
        client.connect()
        for _ in range(4):
            client.read_holding_registers(0, count=20, device_id=1)
        client.close()
        told = simulated.counts()
        assert told["least_seconds"] == pytest.approx(4 * (53 * 10 / 9600 + 0.02 + 35 / 9600))
        assert told["window_seconds"] > 0.999 * told["least_seconds"]
        assert told["by_device"] == {"modbus-1": 4}
        assert told["late_microseconds_median"] is not None


def where_to(link: Path) -> Path | None:
    try:
        return link.readlink()
    except FileNotFoundError:
        return None


def test_an_adapter_that_is_pulled_comes_back_under_another_name_and_the_link_follows(tmp_path: Path):
    link = tmp_path / "line"
    with line("--modbus", "1", "--link", str(link), "--unplug", "0.2:0.6") as simulated:
        first = link.readlink()
        deadline = time.monotonic() + 10.0
        seen: list[Path | None] = [first]
        while time.monotonic() < deadline and seen[-1] in {first, None}:
            now = where_to(link)
            if now != seen[-1]:
                seen.append(now)
        assert seen[1] is None
        assert seen[2] != first
        client = ModbusSerialClient(str(link), baudrate=9600, timeout=1.0, retries=2)
        assert client.connect()
        assert client.read_holding_registers(0, count=5, device_id=1).registers == values(1, 5)
        client.close()
        assert str(simulated.where["port"]) == str(first)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_its_counts_and_takes_its_link_away(number: signal.Signals, tmp_path: Path):
    command = [str(ROUNDSMAN), "simulate", "line", "--modbus", "1-2", "--link", str(tmp_path / "line")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        child.send_signal(number)
        rest, _ = child.communicate(timeout=20)
    assert said.startswith(f"{tmp_path}/line -> /dev/pts/")
    assert said.endswith("(9600 8N1): Modbus 1, 2. Ctrl-C ends it.\n")
    assert "answers of                   nobody" in rest
    assert child.returncode == 0
    assert not (tmp_path / "line").is_symlink()


def test_the_document_tells_every_option():
    told = (Path(__file__).parents[1] / "docs" / "simulator.md").read_text(encoding="utf-8")
    done = subprocess.run(
        [str(ROUNDSMAN), "simulate", "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    _, _, group = done.stdout.partition("simulate line:")
    options = set(re.findall(r"^  (--[a-z0-9-]+)", group, re.MULTILINE))
    assert len(options) > 20
    assert {option for option in options if f"`{option}" not in told} == set()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--corrupt", "1.5"), "write a share"),
        (("--modbus", "1-300"), "write addresses 0 to 255"),
        (("--modbus", "1", "--replay", "/nowhere"), "The line cannot be set up"),
        (("--tcp", "0", "--unplug", "1:2"), "take --tcp or --unplug"),
    ],
)
def test_what_cannot_be_is_said(words: tuple[str, ...], told: str):
    done = subprocess.run(
        [str(ROUNDSMAN), "simulate", "line", *words], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode in {1, 2}
    assert told in done.stderr

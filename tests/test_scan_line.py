"""`roundsman scan line`: who hangs on a line is found and recognised, and the section it prints is read at once."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.line.search import Found, Setting
from roundsman.lines.section import section
from simulator.bus import LineDevice, PacedLine
from simulator.line_devices import devices, meter, rectifier
from simulator.modbus import HOLDING, ModbusSlave, crc
from simulator.pair import OtherMaster
from simulator.plant import Plant
from simulator.trouble import Trouble
from tests.peers.line import LateLine, ModbusPeer, PacedBus
from tests.said import said

USUAL = Setting()
QUICK = ("--listen", "0.3", "--timeout", "0.05")


class Noting:
    """A device on the line that answers nothing and notes everything."""

    name = "noting"

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def answer(self, frame: bytes) -> bytes | None:
        self.heard.append(frame)
        return None


@contextmanager
def line_of(
    *hanging: LineDevice, baud: int = 9600, others: OtherMaster | None = None, echo: bool = False
) -> Iterator[str]:
    line = PacedLine(hanging, baud=baud, idle=0.05, others=others, trouble=Trouble(echo=echo))
    path = line.open()
    line.start()
    try:
        yield path
    finally:
        line.stop()


def room() -> tuple[LineDevice, ...]:
    plant = Plant()
    return devices(lambda: plant.snapshot(10.0))


def a_meter() -> LineDevice:
    plant = Plant()
    return meter(lambda: plant.snapshot(10.0))


def a_rectifier(address: int) -> LineDevice:
    plant = Plant()
    return rectifier(lambda: plant.snapshot(10.0), address=address)


def site(folder: Path, section: str) -> str:
    file = folder / "site.yaml"
    file.write_text(f"site: {{id: a, name: A, contract: demo}}\nagent: {{control: none.sock}}\n{section}")
    return str(file)


def test_a_mixed_line_is_found_recognised_and_its_section_is_a_good_site_file_that_reads(tmp_path: Path) -> None:
    noting = Noting()
    with line_of(noting, *room()) as path:
        status, out, err = said("scan", "line", path, "--baud", "9600", "--addresses", "1-3", *QUICK)
        assert status == 0
        assert "at most" in err
        assert "9600 8N1: Modbus 3: eastron-sdm630" in err
        assert "3 devices answered at 9600 8N1" in out
        assert "{id: power-plant-1, protocol: ydt1363, address: 1, definition: power-plant}" in out
        assert "ROUNDSMAN SIMULATOR SIMPLANT48; classes 40H, 42H, 41H" in out
        assert "{id: eastron-sdm630-3, protocol: modbus, address: 3, definition: eastron-sdm630}" in out
        assert "{id: block-battery-monitor-2, protocol: modbus, address: 2, definition: block-battery-monitor}" in out
        status, checked, err = said("check", site(tmp_path, out))
        assert (status, err) == (0, "")
        assert "is good" in checked
        status, read, err = said("read", "--once", "--site", site(tmp_path, out))
        assert (status, err) == (0, "")
        assert "power-plant-1" in read
        assert re.search(r"eastron-sdm630-3 .* mains.frequency", read)
    assert asked_for(noting.heard) <= {("modbus", 1), ("modbus", 3), ("modbus", 4), ("modbus", 43)} | {
        ("ydt1363", command) for command in (0x41, 0x42, 0x50, 0x51, 0x43, 0x44)
    }


def asked_for(frames: list[bytes]) -> set[tuple[str, int]]:
    """What was asked: Modbus functions and commands of YD/T 1363 (CID2), of every frame that is one."""
    found = set[tuple[str, int]]()
    for frame in frames:
        if frame[:1] == b"~" and frame[-1:] == b"\r":
            found.add(("ydt1363", int(frame[7:9], 16)))
        elif len(frame) >= 4 and crc(frame[:-2]) == frame[-2:]:
            found.add(("modbus", frame[1]))
    return found


def test_a_search_sends_nothing_but_reads_and_clears_no_flag() -> None:
    noting = Noting()
    with line_of(noting, *room()) as path:
        said("scan", "line", path, "--baud", "9600", "--addresses", "1-2", "--json", *QUICK)
    assert asked_for(noting.heard) == {
        ("modbus", 3), ("modbus", 4), ("modbus", 43), ("ydt1363", 0x41), ("ydt1363", 0x42), ("ydt1363", 0x50),
        ("ydt1363", 0x51),
    }  # fmt: skip


def test_a_line_at_another_speed_is_found_and_its_section_says_the_speed(tmp_path: Path) -> None:
    with line_of(a_meter(), a_rectifier(2), baud=4800) as path:
        status, out, err = said(
            "scan", "line", path, "--baud", "9600,4800", "--parity", "none", "--addresses", "2,3", *QUICK
        )
        assert status == 0
        assert "baud: 4800" in out
        assert "parity" not in out
        assert "eastron-sdm630-3" in out
        assert "power-plant-2" in out
        assert "4800 8N1" in err
        status, _, err = said("read", "--once", "--site", site(tmp_path, out))
        assert (status, err) == (0, "")


def test_who_no_definition_knows_is_told_with_what_it_says_of_itself_and_the_section_is_a_comment() -> None:
    stranger = ModbusSlave("x", 7, {HOLDING: lambda: [1, 2, 3]}, identity=("Acme", "AC-7", "2.1"))
    with line_of(stranger) as path:
        status, out, _ = said(
            "scan", "line", path, "--baud", "9600", "--protocol", "modbus", "--addresses", "6-8", *QUICK
        )
    assert status == 0
    assert "# not recognised, Modbus address 7: Acme AC-7 2.1" in out
    assert all(row.startswith("#") for row in out.splitlines())
    assert "docs/devices.md" in out


def test_each_device_is_one_json_object(tmp_path: Path) -> None:
    with PacedBus(tmp_path, [ModbusPeer(5, {4: dict.fromkeys(range(10), 7)})]) as bus:
        words = ("--baud", "9600", "--protocol", "modbus", "--addresses", "5", "--json")
        status, out, _ = said("scan", "line", str(bus.path), *words, *QUICK)
    assert status == 0
    row = json.loads(out)
    assert (row["protocol"], row["address"], row["baud"], row["parity"]) == ("modbus", 5, 9600, "none")
    assert (row["recognised"], row["definitions"], row["ids"]) == (False, [], [])
    assert row["says"] == "function 3, 1 from 0: illegal address"


def test_a_slave_slower_than_a_knock_is_found_and_its_line_gets_time() -> None:
    with LateLine(ModbusPeer(3, {3: {0: 1}}), delay=0.4) as late:
        words = ("--baud", "9600", "--parity", "none", "--protocol", "modbus", "--addresses", "2-5", *QUICK)
        status, out, _ = said("scan", "line", str(late.path), *words)
    assert status == 0
    assert "Modbus address 3" in out
    assert "timeout: 2s" in out


def test_a_line_with_echo_is_searched_all_the_same_and_said() -> None:
    with line_of(a_meter(), echo=True) as path:
        words = ("--baud", "9600", "--protocol", "modbus", "--addresses", "3", *QUICK)
        status, out, err = said("scan", "line", path, *words)
    assert status == 0
    assert "eastron-sdm630-3" in out
    assert "echo" in err


def found_at(address: int, *definitions: str, setting: Setting = USUAL, sure: bool = True, says: str = "") -> Found:
    return Found(setting, "modbus", address, definitions=definitions, says=says, sure=sure)


def test_a_guess_stands_in_the_section_as_a_comment_with_the_advice_to_compare(tmp_path: Path) -> None:
    port = Path("/dev/none")
    out = section(port, [found_at(1, "eastron-sdm630"), found_at(2, "renke-rs-ws", sure=False, says="answered")])
    assert "      # - {id: renke-rs-ws-2, protocol: modbus, address: 2, definition: renke-rs-ws}" in out
    assert "# perhaps: its few numbers would fit others too, compare what is read; answered" in out
    assert said("check", site(tmp_path, out))[0] == 0


def test_two_of_one_kind_have_two_ids_and_who_is_at_another_speed_is_told_in_a_comment(tmp_path: Path) -> None:
    slow = Setting(2400, "even")
    found = [found_at(1, "xy-md02", "xy-md02"), found_at(7, "xy-md02", setting=slow)]
    out = section(Path("/dev/none"), found)
    assert "id: xy-md02-1," in out
    assert "id: xy-md02-1-2," in out
    assert "# Not in the section, as a line has one speed: Modbus address 7 at 2400 8E1 (xy-md02)." in out
    only = section(Path("/dev/none"), found[1:])
    assert "    baud: 2400\n    parity: even\n" in only
    assert said("check", site(tmp_path, only))[0] == 0


def test_what_a_device_says_of_itself_cannot_leave_its_comment() -> None:
    out = section(Path("/dev/none"), [found_at(1, says="Acme\nlines: []\x1b[2J")])
    assert len(out.splitlines()) == 8
    assert "\x1b" not in out
    assert all(row.startswith("#") for row in out.splitlines())


def test_two_devices_with_one_address_are_told_as_that() -> None:
    twins = [
        ModbusSlave(name, 5, {HOLDING: lambda value=value: [value] * 4}) for name, value in (("x", 7), ("y", 0x5A5A))
    ]
    with line_of(*twins, a_meter()) as path:
        words = ("--baud", "9600", "--parity", "none", "--protocol", "modbus", "--addresses", "3-6", *QUICK)
        status, out, err = said("scan", "line", path, *words)
    assert status == 0
    assert "eastron-sdm630-3" in out
    assert re.search(
        r"^9600 8N1: Modbus 5 brings [0-9]+ bytes that make no answer: two devices with this", err, re.MULTILINE
    )


def test_nobody_ends_with_1_and_says_what_to_look_at() -> None:
    with line_of() as path:
        words = ("--baud", "9600", "--parity", "none", "--addresses", "1", *QUICK)
        status, out, err = said("scan", "line", path, *words)
    assert (status, out) == (1, "")
    assert f"Nobody answered on {path}. Check that the devices have power" in err


def other(*frames: bytes, every: float = 0.2) -> OtherMaster:
    return OtherMaster(every, tuple(frames))


def modbus_read(unit: int) -> bytes:
    body = bytes((unit, 3, 0, 0, 0, 10))
    return body + crc(body)


def test_another_master_is_heard_first_and_the_search_refuses_without_a_byte_sent() -> None:
    noting = Noting()
    with line_of(noting, *room(), others=other(modbus_read(2), b"~210141410000FDB2\r")) as path:
        status, out, err = said("scan", "line", path, "--addresses", "1-3", "--listen", "2")
        asked = list(noting.heard)
    assert (status, out) == (1, "")
    assert "Another master speaks on this line: 9600 8N1, Modbus address 2 and YD/T 1363 address 1" in err
    assert "--force" in err
    assert f"roundsman listen {path}" in err
    assert {each for each in asked if crc(each[:-2]) == each[-2:]} == {modbus_read(2)}


def test_another_master_at_another_speed_is_named_with_it() -> None:
    with line_of(*room(), baud=4800, others=other(modbus_read(2), every=0.3)) as path:
        status, _, err = said("scan", "line", path, "--baud", "9600,19200,4800", "--listen", "2")
    assert status == 1
    assert "Another master speaks on this line: 4800 8N1, Modbus address 2" in err


def test_with_force_the_search_goes_on_beside_the_other_master_at_his_setting_first() -> None:
    with line_of(a_meter(), baud=4800, others=other(modbus_read(9), every=2.0)) as path:
        words = (
            "--baud",
            "9600,4800",
            "--protocol",
            "modbus",
            "--addresses",
            "3",
            "--listen",
            "3",
            "--timeout",
            "0.05",
        )
        status, out, err = said("scan", "line", path, *words, "--force")
    assert status == 0
    assert "Going on beside: 4800 8N1, Modbus address 9" in err
    assert "    shared: yes" in out
    assert "eastron-sdm630-3" in out


def test_a_port_that_the_agent_has_is_refused_with_its_line(tmp_path: Path) -> None:
    with line_of() as path, socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "control.sock"))
        agent.listen()
        (tmp_path / "site.yaml").write_text(
            "site: {id: a, name: A, contract: demo}\nagent: {control: control.sock}\n"
            f"lines:\n  - id: power\n    port: {path}\n    devices:\n"
            "      - {id: m, protocol: modbus, address: 3, definition: eastron-sdm630}\n"
        )
        for words in (("scan", "line"), ("listen",)):
            status, out, err = said(*words, path, "--site", str(tmp_path / "site.yaml"))
            assert (status, out) == (1, "")
            assert f"{path} is in use by the running agent: line power of {tmp_path / 'site.yaml'}." in err
            assert "systemctl stop roundsman-agent" in err


def test_a_search_that_is_ended_prints_what_it_found_until_then() -> None:
    with line_of(a_rectifier(0)) as path:
        words = ["scan", "line", path, "--baud", "9600", "--protocol", "ydt1363", "--listen", "0.3"]
        command = [sys.executable, "-m", "roundsman", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as scan:
            assert scan.stderr is not None
            while "power-plant" not in (row := scan.stderr.readline()):
                assert row, "ended before it found anything"
            scan.send_signal(signal.SIGINT)
            out, err = scan.communicate(timeout=20)
    assert scan.returncode == 130
    assert out.startswith("# Not complete: the search was ended early.\n")
    assert "power-plant-0" in out
    assert "Ended early." in err
    assert "Traceback" not in err


def test_an_adapter_that_is_pulled_out_leaves_what_was_found_until_then() -> None:
    line = PacedLine(room())
    path = line.open()
    line.start()
    words = ("--baud", "9600", "--protocol", "modbus", "--listen", "0")
    command = [sys.executable, "-m", "roundsman", "scan", "line", path, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as searching:
        assert searching.stderr is not None
        while "eastron-sdm630" not in (row := searching.stderr.readline()):
            assert row, "the search ended without the meter"
        line.stop()
        out, err = searching.communicate(timeout=20)
    assert searching.returncode == 1
    assert out.startswith("# Not complete: the search was ended early.")
    assert "eastron-sdm630-3" in out
    assert err.endswith(f"{path} hung up.\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("/dev/none", "--baud", "9601"), "--baud 9601 cannot be; write one of 300, 600"),
        (("/dev/none", "--parity", "mark"), "--parity mark cannot be; write one of none, even, odd."),
        (("/dev/none", "--addresses", "5-1"), "--addresses 5-1 cannot be; addresses go from 0 to 254"),
        (("/dev/none", "--addresses", "a"), "--addresses a cannot be; write for example 1-32"),
        (("/dev/none", "--addresses", "1-255"), "--addresses 1-255 cannot be; addresses go from 0 to 254"),
        (("/dev/none", "--timeout", "nan"), "--timeout nan cannot be; write seconds, 0 or more."),
        (("ttyUSB0",), 'PORT "ttyUSB0" is no port; write a serial port\'s whole path'),
        (("/dev/none",), "/dev/none is not there"),
    ],
)
def test_what_cannot_be_is_refused_in_words(words: tuple[str, ...], says: str) -> None:
    status, out, err = said("scan", "line", *words, "--listen", "0")
    assert (status, out) == (1, "")
    assert err.splitlines()[-1].startswith(says)


def test_scan_says_where_lines_are_scanned_and_scan_line_what_it_never_does() -> None:
    assert "roundsman scan line PORT" in said("scan", "--help")[1]
    status, out, _ = said("scan", "line", "--help")
    assert status == 0
    assert "usage: roundsman scan line" in out
    assert "clears flags" in out


def test_a_thread_of_the_line_is_not_left_behind() -> None:
    with line_of(a_meter()) as path:
        before = threading.active_count()
        said("scan", "line", path, "--baud", "9600", "--protocol", "modbus", "--addresses", "3", *QUICK)
        assert threading.active_count() == before

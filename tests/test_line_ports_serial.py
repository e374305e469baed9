"""Serial ports: for us alone, dead when they die, found again by their link, and what is advised of their names."""

import errno
import fcntl
import os
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from collectors.line.port import Port, PortError, StoppedError
from collectors.line.ports import open_port
from collectors.line.ports import serial as serial_port
from collectors.line.ports.serial import locked_by
from config.line_port import DeviceServer, advice_on, lasting_name, line_port
from config.scalars import Address
from config.schema import Line
from tests.peers.line import PacedBus

NOBODY = 65534


def line(path: Path, **keys: object) -> Line:
    return Line(id="line-1", port=path, devices=(), **keys)  # type: ignore[arg-type]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, []) as paced:
        yield paced


@pytest.fixture
def port(bus: PacedBus) -> Iterator[Port]:
    opened = open_port(line(bus.path))
    yield opened
    opened.close()


def test_a_port_of_ours_is_kept_from_programs_that_lock(bus: PacedBus, port: Port) -> None:
    with pytest.raises(serial.SerialException, match="exclusively lock"):
        serial.Serial(os.fspath(bus.path), exclusive=True)


def test_a_port_of_ours_is_kept_from_programs_that_do_not_lock(bus: PacedBus, port: Port) -> None:
    terminal = os.path.realpath(bus.path)
    Path(terminal).chmod(0o666)
    user = NOBODY if os.getuid() == 0 else None  # the superuser may open what is exclusive
    said = subprocess.run(["dd", f"of={terminal}", "count=0"], user=user, cwd="/", capture_output=True, check=False)
    assert b"Device or resource busy" in said.stderr


def test_a_port_that_another_program_has_locked_is_told(bus: PacedBus) -> None:
    other = serial.Serial(os.fspath(bus.path), exclusive=True)
    with other, pytest.raises(PortError, match="is in use by another program"):
        open_port(line(bus.path))
    open_port(line(bus.path)).close()


def test_a_port_with_a_lock_file_of_a_living_process_is_told(
    bus: PacedBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_port, "LOCK_FILES", tmp_path)
    file = tmp_path / f"LCK..{Path(os.path.realpath(bus.path)).name}"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        file.write_text(f"{other.pid:10d}\n")
        with pytest.raises(PortError, match=rf"is in use by another program \(process {other.pid}\)"):
            open_port(line(bus.path))
    open_port(line(bus.path)).close()  # the process has ended; its file is stale


@pytest.mark.parametrize("content", [b"", b"minicom", b"\xff\xfe\0\0", b"9" * 100, b"-1"])
def test_a_lock_file_that_names_no_process_locks_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "LCK..ttyUSB0").write_bytes(content)
    assert locked_by(Path("/dev/ttyUSB0"), tmp_path) is None


def test_our_own_lock_file_does_not_lock_us_out(tmp_path: Path) -> None:
    (tmp_path / "LCK..ttyUSB0").write_text(str(os.getpid()))
    assert locked_by(Path("/dev/ttyUSB0"), tmp_path) is None


def test_a_port_that_was_let_go_may_be_opened_by_others(bus: PacedBus) -> None:
    open_port(line(bus.path)).close()
    with serial.Serial(os.fspath(bus.path), exclusive=True) as other:
        assert other.is_open


def test_an_adapter_that_comes_back_under_another_number_is_found_by_its_link(bus: PacedBus) -> None:
    first = os.path.realpath(bus.path)
    opened = open_port(line(bus.path))
    held = os.openpty()  # takes the number that is free next
    bus.unplug()
    with pytest.raises(PortError, match="hung up"):
        opened.read(10.0)
    opened.close()
    with pytest.raises(PortError, match="is not there"):
        open_port(line(bus.path))
    kept = os.openpty()  # and this one the number that was ours
    bus.plug()
    assert os.path.realpath(bus.path) != first
    again = open_port(line(bus.path))
    os.write(bus._ours, b"back")
    assert again.read(5.0) == b"back"
    again.close()
    for each in (*held, *kept):
        os.close(each)


def test_reading_ends_at_once_when_the_program_stops(bus: PacedBus) -> None:
    wake = os.eventfd(0)
    opened = open_port(line(bus.path), wake)
    timer = threading.Timer(0.05, os.eventfd_write, (wake, 1))
    timer.start()
    with pytest.raises(StoppedError):
        opened.read(60.0)
    opened.close()
    timer.join()
    os.close(wake)


def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PortError, match="is no serial port"):
        open_port(line(tmp_path / "file"))


def test_a_driver_that_cannot_switch_direction_is_told_and_used(
    bus: PacedBus, caplog: pytest.LogCaptureFixture
) -> None:
    open_port(line(bus.path, rs485="rts_high")).close()
    (record,) = caplog.records
    assert record.getMessage() == f"line line-1: the driver of {bus.path} does not switch RS-485 direction"


@pytest.mark.parametrize(("key", "flags"), [("rts_high", 0b011), ("rts_low", 0b101)])
def test_the_driver_is_told_which_way_to_switch(
    bus: PacedBus, monkeypatch: pytest.MonkeyPatch, key: str, flags: int
) -> None:
    # struct serial_rs485 of linux/serial.h: enabled 1, RTS on while sending 2, RTS on after sending 4
    told, real = [], fcntl.ioctl

    def ioctl(descriptor: int, request: int, *rest: object) -> object:
        if request == 0x542F:  # TIOCSRS485
            told.append(struct.unpack_from("=I", bytes(rest[0]))[0])  # type: ignore[call-overload]
            return 0
        return 0 if request == 0x542E else real(descriptor, request, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    open_port(line(bus.path, rs485=key)).close()
    assert [each & 0b111 for each in told] == [flags]


def test_a_line_without_the_key_leaves_the_driver_alone(bus: PacedBus, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, real = [], fcntl.ioctl

    def ioctl(descriptor: int, request: int, *rest: object) -> object:
        asked.append(request)
        return real(descriptor, request, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    open_port(line(bus.path)).close()
    assert termios.TIOCEXCL in asked
    assert not {0x542E, 0x542F} & set(asked)


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """A /dev/serial as udev makes it, for two adapters of which one has no serial number."""
    for number in (0, 1):
        (tmp_path / f"ttyUSB{number}").touch()
    for folder, name, number in (("by-id", "usb-FTDI_A1", 0), ("by-path", "pci-1:1", 0), ("by-path", "pci-1:2", 1)):
        (tmp_path / "serial" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "serial" / folder / name).symlink_to(tmp_path / f"ttyUSB{number}")
    return tmp_path / "serial"


def test_the_name_that_stays_with_an_adapter_goes_before_that_of_its_socket(links: Path) -> None:
    assert lasting_name(links.parent / "ttyUSB0", links) == links / "by-id" / "usb-FTDI_A1"
    assert lasting_name(links.parent / "ttyUSB1", links) == links / "by-path" / "pci-1:2"
    assert lasting_name(links.parent / "ttyS0", links) is None
    assert lasting_name(links / "by-path" / "pci-1:1", links) is None


def test_advice_names_what_stays_and_what_is_there(links: Path) -> None:
    plain, usb = links.parent / "ttyUSB0", links / "by-id" / "usb-FTDI_A1"
    assert advice_on(plain, links) == (
        f"{plain} goes to whichever adapter comes first; write {usb}, which stays with this one"
    )
    assert advice_on(usb, links) == ""
    gone = links / "by-id" / "usb-FTDI_A2"
    assert advice_on(gone, links) == f"{gone} is not there now; there is {usb}"
    assert advice_on(Path("/dev/ttyS0"), links) == ""
    assert advice_on(DeviceServer("tcp", Address("192.0.2.7", 4001)), links) == ""


@pytest.mark.parametrize(
    "text",
    [
        "/dev/serial/by-id/usb-FTDI_USB-RS485-if00-port0",
        "tcp://192.0.2.7:4001",
        "tcp://[2001:db8::7]:4001",
        "tcp://[fe80::1%eth0]:4001",
        "rfc2217://moxa-1.example.org:7000",
        "modbus-tcp://192.0.2.7:502",
    ],
)
def test_a_port_is_read_and_written_alike(text: str) -> None:
    assert str(line_port(text)) == text


@pytest.mark.parametrize(
    "text", ["", "COM3", "ttyUSB0", "/dev/tty USB0", "tcp://", "tcp://:4001", "tcp:///dev/ttyUSB0"]
)
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"; write "):
        line_port(text)


def test_errors_of_the_system_are_sentences() -> None:
    for number, words in ((errno.EACCES, "add it to the group"), (errno.EIO, "hung up"), (errno.EBUSY, "in use")):
        assert words in serial_port._plainly("/dev/ttyUSB0", OSError(number, "x"))

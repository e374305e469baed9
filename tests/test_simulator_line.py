"""The paced line and its devices, asked by peers that share no code with them: pymodbus, libmodbus, typed frames."""

import ctypes
import ctypes.util
import fcntl
import os
import select
import struct
import termios
import time
from collections.abc import Iterator

import pytest
import serial
from pymodbus.client import ModbusSerialClient
from pymodbus.client.mixin import ModbusClientMixin

from simulator.bus import PacedLine
from simulator.line_devices import devices
from simulator.modbus import crc
from simulator.plant import Plant
from simulator.ydt import checksum, length

CHARACTER = 10 / 9600
GAP = 3.5 * CHARACTER
TURNAROUND = 0.005


class Line:
    """A line with the three devices over one plant whose time stands still unless a test moves it."""

    def __init__(self) -> None:
        self.plant = Plant()
        self.now = 10.0
        self.paced = PacedLine(devices(lambda: self.plant.snapshot(self.now)))
        self.port = self.paced.open()
        self.paced.start()

    def mains_off(self) -> None:
        self.plant.set_mains(self.now, on=False)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.paced.stop()


@pytest.fixture
def modbus(line: Line) -> Iterator[ModbusSerialClient]:
    client = ModbusSerialClient(line.port, baudrate=9600, timeout=1.0, retries=0)
    assert client.connect()
    yield client
    client.close()


@pytest.fixture
def port(line: Line) -> Iterator[serial.Serial]:
    with serial.Serial(line.port, 9600, timeout=0.5) as opened:
        yield opened


def frame(body: bytes) -> bytes:
    return body + crc(body)


def hear_nothing(port: serial.Serial) -> bool:
    """Tell whether the line stays silent for half a second (the port's own timeout)."""
    return port.read(1) == b""


def keep_silence() -> None:
    """Wait for twice the 3.5 characters that part two frames: the time is the bus's own rule."""
    select.select([], [], [], 2 * GAP)


def exchange(port: serial.Serial, request: bytes) -> bytes:
    """Send a typed YD/T frame and return the reply up to its CR."""
    port.write(request)
    return port.read_until(b"\r")


def info(reply: bytes) -> bytes:
    """Return the INFO of a good reply from address 1, its check sums computed the standard's way."""
    text = reply[1:-1].decode()
    assert reply[:1] == b"~"
    assert text[:4] == "2101"
    assert text[6:8] == "00"
    assert (sum(text[:-4].encode()) + int(text[-4:], 16)) % 65536 == 0
    lenid = int(text[9:12], 16)
    assert (sum(int(digit, 16) for digit in text[8:12])) % 16 == 0
    assert len(text[12:-4]) == lenid
    return bytes.fromhex(text[12:-4])


def floats(body: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(body) // 4}f", body)


# --- Modbus, by pymodbus and libmodbus ---


def test_pymodbus_reads_the_battery_monitor(line: Line, modbus: ModbusSerialClient):
    room = line.plant.snapshot(line.now)
    head = modbus.read_holding_registers(0, count=6, device_id=2).registers
    blocks = modbus.read_holding_registers(16, count=24, device_id=2).registers
    assert head[0] == round(room.bus_volts * 10)
    assert head[1:] == [2, 252, 1000, 24, 0]
    assert [mv / 1000 for mv in blocks] == pytest.approx(list(room.block_volts), abs=0.001)


def test_a_discharging_battery_has_a_negative_current_and_a_dead_sensor_8000h(line: Line, modbus: ModbusSerialClient):
    line.mains_off()
    line.plant.battery_sensor_dead = True
    registers = modbus.read_holding_registers(0, count=4, device_id=2).registers
    amps = ModbusClientMixin.convert_from_registers(registers[1:2], ModbusClientMixin.DATATYPE.INT16)
    assert amps == round(line.plant.battery.amps * 10)
    assert amps < -400
    assert registers[2] == 0x8000


def test_pymodbus_reads_the_meter(line: Line, modbus: ModbusSerialClient):
    room = line.plant.snapshot(line.now)
    floats_from = ModbusClientMixin.convert_from_registers
    kind = ModbusClientMixin.DATATYPE.FLOAT32
    first = floats_from(modbus.read_input_registers(0x0000, count=18, device_id=3).registers, kind)
    assert isinstance(first, list)
    assert first[:3] == pytest.approx(room.mains_volts, abs=0.01)
    assert first[3:6] == pytest.approx(room.mains_amps, abs=0.01)
    total = floats_from(modbus.read_input_registers(0x0034, count=2, device_id=3).registers, kind)
    assert total == pytest.approx(sum(first[6:9]), rel=1e-5)
    assert floats_from(modbus.read_input_registers(0x0046, count=2, device_id=3).registers, kind) == pytest.approx(
        room.mains_hertz, abs=0.01
    )
    assert floats_from(modbus.read_input_registers(0x0156, count=2, device_id=3).registers, kind) == pytest.approx(
        room.energy_kwh, abs=0.01
    )


@pytest.mark.parametrize(
    ("unit", "function", "block", "exception"),
    [
        (3, "read_holding_registers", (0, 2), 1),
        (2, "read_input_registers", (0, 2), 1),
        (2, "read_coils", (0, 1), 1),
        (2, "read_holding_registers", (39, 2), 2),
        (3, "read_input_registers", (0x0158, 2), 2),
        (3, "read_input_registers", (0, 82), 3),
    ],
)
def test_what_a_device_does_not_have_is_an_exception(
    modbus: ModbusSerialClient, unit: int, function: str, block: tuple[int, int], exception: int
):
    reply = getattr(modbus, function)(block[0], count=block[1], device_id=unit)
    assert reply.isError()
    assert reply.exception_code == exception


def test_libmodbus_reads_the_battery_monitor(line: Line):
    name = ctypes.util.find_library("modbus")
    if name is None:
        pytest.skip("libmodbus is not installed")
    library = ctypes.CDLL(name, use_errno=True)
    library.modbus_new_rtu.restype = ctypes.c_void_p
    link = ctypes.c_void_p(library.modbus_new_rtu(line.port.encode(), 9600, ctypes.c_char(b"N"), 8, 1))
    try:
        assert library.modbus_set_slave(link, 2) == 0
        assert library.modbus_connect(link) == 0
        registers = (ctypes.c_uint16 * 40)()
        assert library.modbus_read_registers(link, 0, 40, registers) == 40
        assert registers[4] == 24
        assert sum(registers[16:40]) / 1000 == pytest.approx(registers[0] / 10, abs=0.2)
    finally:
        library.modbus_close(link)
        library.modbus_free(link)


def test_the_check_bytes_are_those_of_the_standard():
    # MODBUS over Serial Line 1.02, appendix B: 02 07 gives 41 12.
    assert crc(b"\x02\x07") == b"\x41\x12"


# --- The bus itself ---


def test_an_exchange_takes_its_time_on_the_wire(modbus: ModbusSerialClient):
    began = time.monotonic()
    rounds = 5
    for _ in range(rounds):
        assert not modbus.read_holding_registers(0, count=40, device_id=2).isError()
    took = (time.monotonic() - began) / rounds
    wire = (8 + 5 + 80) * CHARACTER + TURNAROUND
    assert wire <= took < 3 * wire  # the upper bound is generous: the machine may be busy


def test_no_byte_of_a_reply_is_there_before_its_time(port: serial.Serial):
    began = time.monotonic()
    port.write(frame(bytes([2, 3, 0, 0, 0, 40])))
    heard = reads = 0
    while heard < 85:
        assert select.select([port.fileno()], [], [], 1.0)[0]
        heard += len(os.read(port.fileno(), 200))
        reads += 1
        assert time.monotonic() - began >= (8 + heard) * CHARACTER + TURNAROUND
    assert reads >= 3


def test_two_requests_without_silence_between_them_are_one_garbled_frame(line: Line, port: serial.Serial):
    request = frame(bytes([2, 3, 0, 0, 0, 4]))
    port.write(request + request)
    assert hear_nothing(port)
    assert line.paced.unanswered == 1


def test_a_request_right_after_a_reply_is_garbled(line: Line, port: serial.Serial):
    request = frame(bytes([2, 3, 0, 0, 0, 4]))
    for answered in range(1, 21):  # on a busy machine this test itself may be late, and its request then is in order
        port.write(request)
        assert len(port.read(13)) == 13
        port.write(request)
        if hear_nothing(port):
            assert (line.paced.answered, line.paced.unanswered) == (2 * answered - 1, 1)
            return
        assert len(port.read(12)) == 12
        keep_silence()
    raise AssertionError("20 requests came right after a reply, and each was answered")


def test_after_the_silence_of_a_failed_exchange_the_line_works_again(port: serial.Serial):
    request = frame(bytes([2, 3, 0, 0, 0, 4]))
    port.write(request + request)
    assert hear_nothing(port)
    port.write(request)
    assert len(port.read(13)) == 13


def test_who_talks_while_a_device_answers_spoils_the_answer(port: serial.Serial):
    port.write(frame(bytes([2, 3, 0, 0, 0, 40])))
    begun = port.read(10)
    port.write(b"\x00")
    rest = port.read(75)
    assert begun[:3] == bytes([2, 3, 80])
    assert crc((begun + rest)[:-2]) != (begun + rest)[-2:]


@pytest.mark.parametrize(
    "request_frame",
    [frame(bytes([9, 3, 0, 0, 0, 4])), bytes([2, 3, 0, 0, 0, 4, 0, 0]), b"\x02", b"~", b"\r", b"~21" * 30],
    ids=["unknown unit", "wrong check bytes", "one byte", "only a start", "only an end", "starts"],
)
def test_what_is_for_nobody_gets_no_answer(port: serial.Serial, request_frame: bytes):
    port.write(request_frame)
    assert hear_nothing(port)


def test_a_device_that_is_silent_does_not_answer_and_its_neighbours_do(line: Line, modbus: ModbusSerialClient):
    line.paced.silent.add("meter")
    with serial.Serial(line.port, 9600, timeout=0.5) as port:
        port.write(frame(bytes([3, 4, 0, 0, 0, 2])))
        assert hear_nothing(port)
    assert not modbus.read_holding_registers(0, count=4, device_id=2).isError()
    line.paced.silent.discard("meter")
    assert not modbus.read_input_registers(0, count=2, device_id=3).isError()


def test_a_client_that_keeps_the_silence_loses_no_reply(port: serial.Serial):
    request = frame(bytes([2, 3, 0, 0, 0, 4]))
    for _ in range(40):
        port.write(request)
        reply = port.read(13)
        assert reply == frame(reply[:-2])
        assert reply[:3] == bytes([2, 3, 8])
        select.select([], [], [], 1.05 * GAP)


def test_an_exclusive_owner_that_closes_leaves_the_line_to_the_next():
    plant = Plant()
    paced = PacedLine(devices(lambda: plant.snapshot(1.0)), idle=0.01)
    port = paced.open()
    owner = os.open(port, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(owner, termios.TIOCEXCL)
    taken = exclusive(owner)
    paced.start()
    deadline = time.monotonic() + 5.0
    while exclusive(owner) and time.monotonic() < deadline:
        select.select([], [], [], 0.01)
    left = exclusive(owner)
    os.close(owner)
    paced.stop()
    assert (taken, left) == (True, False)


def exclusive(terminal: int) -> bool:
    """Ask the kernel (TIOCGEXCL) whether the terminal is refused to whoever opens it next."""
    return bool(struct.unpack("i", fcntl.ioctl(terminal, 0x80045440, struct.pack("i", 0)))[0])


def test_a_line_that_is_taken_away_hangs_up():
    line = Line()
    with serial.Serial(line.port, 9600, timeout=1.0) as port:
        line.paced.stop()
        with pytest.raises(serial.SerialException):
            port.read(1)


# --- YD/T 1363, by typed frames ---


def test_the_check_sums_are_those_of_the_standard():
    # The standard's own example (translations misprint ABCDFE as ABCEFE), and LENID 18 of its text.
    assert checksum(b"1203400456ABCDFE") == b"FC72"
    assert length(18) == b"D012"


def test_the_ac_distribution_tells_volts_hertz_and_amps(line: Line, port: serial.Serial):
    body = info(exchange(port, b"~210140410000FDB3\r"))
    room = line.plant.snapshot(line.now)
    assert (body[0], body[1], body[18]) == (0, 1, 0)
    assert floats(body[2:18]) == pytest.approx((*room.mains_volts, room.mains_hertz), rel=1e-5)
    assert floats(body[19:]) == pytest.approx(room.mains_amps, rel=1e-5)


def test_the_modules_tell_voltage_amps_and_temperature(line: Line, port: serial.Serial):
    body = info(exchange(port, b"~210141410000FDB2\r"))
    room = line.plant.snapshot(line.now)
    assert floats(body[1:5])[0] == pytest.approx(room.bus_volts, rel=1e-5)
    assert body[5] == 3
    for number, module in enumerate(room.modules):
        part = body[6 + 9 * number : 15 + 9 * number]
        assert floats(part[:4])[0] == pytest.approx(module.amps, rel=1e-5)
        assert part[4] == 1
        assert floats(part[5:])[0] == pytest.approx(module.celsius, rel=1e-5)
    assert len(body) == 6 + 27


def test_the_dc_distribution_tells_voltage_load_and_battery(line: Line, port: serial.Serial):
    body = info(exchange(port, b"~210142410000FDB1\r"))
    room = line.plant.snapshot(line.now)
    assert body[1] == 1
    assert floats(body[2:10]) == pytest.approx((room.bus_volts, room.load_amps), rel=1e-5)
    assert body[10] == 1
    assert floats(body[11:15])[0] == pytest.approx(room.battery_amps, rel=1e-5)
    assert body[15:] == b"\x00\x00"


def test_without_mains_the_phases_are_below_their_limit_and_the_modules_off(line: Line, port: serial.Serial):
    assert info(exchange(port, b"~210140440000FDB0\r")).hex() == "00" + "0101" + "00000000" + "0000" + "000000"
    line.mains_off()
    keep_silence()
    assert info(exchange(port, b"~210140440000FDB0\r")).hex() == "00" + "0101" + "01010101" + "0000" + "000000"
    keep_silence()
    assert info(exchange(port, b"~210141430000FDB0\r")).hex() == "00" + "03" + "01010000" * 3


def test_dataflag_tells_of_an_unread_alarm_until_it_is_read(line: Line, port: serial.Serial):
    flags = []
    line.mains_off()
    for request in (b"~210140410000FDB3\r", b"~210140440000FDB0\r", b"~210140410000FDB3\r", b"~210141410000FDB2\r"):
        keep_silence()
        flags.append(info(exchange(port, request))[0])
    assert flags == [0x01, 0x00, 0x00, 0x10]


def test_a_failed_module_is_named_by_its_alarm_byte(line: Line, port: serial.Serial):
    line.plant.faulty_modules.add(2)
    flag, *rest = info(exchange(port, b"~210141440000FDAF\r"))
    assert flag == 0x10  # this module's state has changed too, and was not read yet
    assert bytes(rest).hex() == "03" + "0000" + "0000" + "0100"


@pytest.mark.parametrize(
    ("request_frame", "code"),
    [
        (b"~210140410000FDB4\r", "02"),
        (b"~21014041E0000000\r", "02"),
        (b"~210140410002FDB1\r", "03"),
        (b"~210140420000FDB2\r", "04"),
        (b"~210160410000FDB1\r", "04"),
    ],
    ids=["wrong check sum", "wrong check sum and length", "wrong length", "no such command", "no such class"],
)
def test_a_bad_request_gets_its_return_code(port: serial.Serial, request_frame: bytes, code: str):
    reply = exchange(port, request_frame).decode()
    assert reply[7:9] == code
    assert reply[9:13] == "0000"


def test_another_address_is_silent(port: serial.Serial):
    port.write(b"~210240410000FDB2\r")
    assert hear_nothing(port)


def test_version_address_and_maker_are_answered(port: serial.Serial):
    assert exchange(port, b"~2101404F0000FD9E\r")[:9] == b"~21014000"
    keep_silence()
    assert exchange(port, b"~210140500000FDB3\r")[:9] == b"~21014000"
    keep_silence()
    maker = info(exchange(port, b"~210140510000FDB2\r"))
    assert (maker[:10], maker[12:]) == (b"SIMPLANT48", b"ROUNDSMAN SIMULATOR ")

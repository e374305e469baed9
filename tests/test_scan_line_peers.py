"""`roundsman scan line` on slaves and device servers that we did not write: pymodbus' servers, socat."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulator.bus import PacedLine
from simulator.line_devices import meter
from simulator.plant import Plant
from tests.peers.gateways import Ser2net, free_port
from tests.peers.line import float_registers, joined_ttys
from tests.said import said

WHO = ModbusDeviceIdentification({0: "Acme", 1: "AC-7", 2: "2.1"})
METER = dict.fromkeys(range(80), 0) | float_registers(0, 230.5, 231.5, 229.5) | float_registers(0x46, 50.0)


def registers() -> SimData:
    return SimData(0, values=[word for _, word in sorted(METER.items())], datatype=DataType.REGISTERS)


@asynccontextmanager
async def served(server: ModbusSerialServer | ModbusTcpServer) -> AsyncIterator[None]:
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()


async def test_pymodbus_s_serial_server_is_found_with_what_it_says_of_itself(tmp_path: Path) -> None:
    with joined_ttys(tmp_path) as (ours, theirs):
        devices = [SimDevice(3, [registers()]), SimDevice(6, [registers()])]
        server = ModbusSerialServer(devices, port=os.fspath(theirs), baudrate=9600, identity=WHO)
        async with served(server):
            words = ("--baud", "9600", "--protocol", "modbus", "--addresses", "3,6", "--listen", "0.3", "--json")
            status, out, _ = await asyncio.to_thread(said, "scan", "line", str(ours), *words)
    assert status == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["address"] for row in rows] == [3, 6]
    assert rows[0]["identity"] == {"vendor": "Acme", "product": "AC-7", "revision": "2.1"}
    assert rows[0]["says"].startswith("Acme AC-7 2.1")


async def test_units_behind_a_modbus_tcp_gateway_are_found_and_no_speed_is_looked_for() -> None:
    server = ModbusTcpServer([SimDevice(2, [registers()])], address=("127.0.0.1", 0), identity=WHO)
    async with served(server):
        assert server.transport is not None
        number = server.transport.sockets[0].getsockname()[1]
        port = f"modbus-tcp://127.0.0.1:{number}"
        status, out, err = await asyncio.to_thread(said, "scan", "line", port, "--addresses", "2")
    assert status == 0
    assert "1 setting to try" in err
    assert "Listening" not in err
    assert f"port: {port}" in out or f'port: "{port}"' in out
    assert "Acme AC-7 2.1" in out
    assert "baud" not in out  # the gateway's own business, and refused in a site file


async def test_what_is_found_behind_a_gateway_may_be_pasted_as_it_is(tmp_path: Path) -> None:
    server = ModbusTcpServer([SimDevice(2, [registers()])], address=("127.0.0.1", 0))
    async with served(server):
        assert server.transport is not None
        port = f"modbus-tcp://127.0.0.1:{server.transport.sockets[0].getsockname()[1]}"
        status, out, _ = await asyncio.to_thread(said, "scan", "line", port, "--addresses", "2")
        assert (status, "eastron-sdm630-2" in out) == (0, True)
        site = tmp_path / "site.yaml"
        site.write_text("site: {id: a, name: A, contract: demo}\nagent: {control: none.sock}\n" + out)
        assert said("check", os.fspath(site))[0] == 0
        status, out, err = await asyncio.to_thread(said, "read", "--once", "--site", os.fspath(site))
    assert (status, err) == (0, "")
    assert "231.5 V" in out


@pytest.mark.parametrize("words", [("--addresses", "0", "--protocol", "modbus"), ("--protocol", "ydt1363")])
def test_a_search_that_would_ask_nobody_is_refused(words: tuple[str, ...]) -> None:
    port = f"modbus-tcp://127.0.0.1:{free_port()}"
    status, _, err = said("scan", "line", port, *words)
    assert status == 1
    assert f"{words[0]} {words[1]} cannot be" in err


def test_a_line_behind_a_raw_tcp_device_server_is_found(tmp_path: Path) -> None:
    room = Plant()
    line = PacedLine([meter(lambda: room.snapshot(10.0))], idle=0.05)
    path = line.open()
    line.start()
    command = ["socat", "-d", "-d", "TCP4-LISTEN:0,bind=127.0.0.1", f"{path},raw,echo=0"]
    try:
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
            assert server.stderr is not None
            while "listening on" not in (row := server.stderr.readline()):
                assert row, "socat ended"
            port = "tcp://" + row.rsplit(maxsplit=1)[-1].replace("AF=2 ", "")
            words = ("--protocol", "modbus", "--addresses", "3", "--listen", "0.3")
            status, out, err = said("scan", "line", port, *words)
            server.terminate()
    finally:
        line.stop()
    assert status == 0
    assert "1 setting to try" in err
    assert "eastron-sdm630-3" in out
    assert port in out


def test_a_device_server_that_is_told_the_settings_has_them_looked_for(tmp_path: Path) -> None:
    room = Plant()
    line = PacedLine([meter(lambda: room.snapshot(10.0))], idle=0.05)
    path = line.open()
    line.start()
    try:
        with Ser2net(tmp_path, Path(path), baud=4800) as server:
            port = f"rfc2217://127.0.0.1:{server.telnet}"
            words = ("--protocol", "modbus", "--addresses", "3", "--baud", "4800,9600", "--listen", "0.3")
            status, out, err = said("scan", "line", port, *words)
    finally:
        line.stop()
    assert status == 0
    assert "6 settings to try" in err
    assert "eastron-sdm630-3" in out
    assert "baud: 9600" in out

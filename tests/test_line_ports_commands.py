"""`roundsman check` and `roundsman read` with every kind of port."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import line_port as config_port
from tests.peers.gateways import Ser2net, Server, asked_of, free_port, gateway, mbap
from tests.peers.line import ModbusPeer, PacedBus
from tests.said import said

MONITOR = {3: {0: 540, 1: 0xFFF6, 2: 251, 3: 995, 4: 2, 5: 0, 16: 13500, 17: 13502}}


def site(folder: Path, port: str, more: str = "") -> str:
    path = folder / "site.yaml"
    path.write_text(
        "site: {id: a, name: A, contract: demo}\nagent: {control: none.sock}\nlines:\n"
        f"  - id: line-1\n    port: {port}\n{more}"
        "    devices: [{id: battery-1, protocol: modbus, address: 2, definition: block-battery-monitor}]\n"
    )
    return os.fspath(path)


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    with PacedBus(tmp_path, [ModbusPeer(2, MONITOR)]) as paced:
        yield paced


@pytest.fixture(params=["serial", "tcp", "rfc2217", "modbus-tcp"])
def port(request: pytest.FixtureRequest, bus: PacedBus, tmp_path: Path) -> Iterator[str]:
    peer = ModbusPeer(2, MONITOR)
    if request.param == "serial":
        yield os.fspath(bus.path)
    elif request.param == "modbus-tcp":
        with Server(gateway(lambda number, body: mbap(number, asked_of(peer, body) or b""))) as server:
            yield f"modbus-tcp://localhost:{server.port}"
    else:
        with Ser2net(tmp_path, bus.path) as server:
            yield f"{request.param}://127.0.0.1:{server.port if request.param == 'tcp' else server.telnet}"


def test_check_accepts_and_read_reads_each_kind(port: str, tmp_path: Path) -> None:
    file = site(tmp_path, port)
    status, out, err = said("check", file)
    assert (status, err) == (0, "")
    assert out.startswith(f"{file} is good: site a, contract demo, 1 device, ")
    status, out, err = said("read", "--site", file, "--once")
    assert (status, err) == (0, "")
    assert "54" in next(row for row in out.splitlines() if "battery.voltage" in row)


@pytest.mark.parametrize("kind", ["tcp", "rfc2217", "modbus-tcp"])
def test_read_says_what_to_do_where_nobody_listens(tmp_path: Path, kind: str) -> None:
    where = f"{kind}://127.0.0.1:{free_port()}"
    status, _, err = said("read", "--site", site(tmp_path, where), "--once")
    assert status == 1
    assert f"battery-1 does not answer: {where} refuses to connect; check the port's number and mode" in err


def test_a_device_that_is_silent_is_said_once(bus: PacedBus, tmp_path: Path) -> None:
    file = Path(site(tmp_path, os.fspath(bus.path)))
    file.write_text(file.read_text().replace("address: 2", "address: 9"))
    status, _, err = said("read", "--site", os.fspath(file), "--once")
    assert (status, err) == (1, f"battery-1 does not answer (address 9 on {bus.path})\n")


def test_check_names_the_link_that_stays_with_an_adapter(
    bus: PacedBus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "by-id").mkdir()
    link = tmp_path / "by-id" / "usb-FTDI_A1"
    link.symlink_to(os.path.realpath(bus.path))
    monkeypatch.setattr(config_port, "LINKS", tmp_path)
    plain = os.path.realpath(bus.path)
    status, _, err = said("check", site(tmp_path, plain))
    assert status == 0
    words = f"goes to whichever adapter comes first; write {link}, which stays with this one"
    assert err == f"Advice: line line-1: {plain} {words}.\n"


def test_two_names_of_one_adapter_are_one_port(bus: PacedBus, tmp_path: Path) -> None:
    terminal = os.path.realpath(bus.path)
    file = site(tmp_path, terminal, f"    devices: []\n  - id: line-2\n    port: {bus.path}\n")
    status, _, err = said("check", file)
    assert status != 0
    assert "site.yaml:8: lines[1].port: " in err
    assert "is used by another line already (line 5); each needs its own" in err

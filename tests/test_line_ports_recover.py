"""Lines in the network as the agent runs them: whatever happens to a port, it is read again, and the log says so."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.line.ports import modbus_tcp, tcp
from config.line_port import line_port
from config.schema import Line, LineDevice
from model.point import Batch, Quality
from tests.line_world import METER, MONITOR, PLANT, meter, monitor, plant, running, values
from tests.peers.gateways import Ser2net, Server, asked_of, gateway, mbap, raw, silent
from tests.peers.line import ModbusPeer, PacedBus, YdtPeer

Wanted = Callable[[Batch], bool]
ENGINE = "collectors.line.engine"


def line(port: str, *devices: LineDevice, **keys: object) -> Line:
    return Line(id="line-1", port=line_port(port), timeout=0.2, devices=devices, **keys)  # type: ignore[arg-type]


def is_read(device: str) -> Wanted:
    return lambda batch: batch.device == device and batch.reachable


def is_lost(device: str) -> Wanted:
    return lambda batch: batch.device == device and not batch.reachable


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of the line; what its devices refuse is another matter."""
    return [text for text in (record.getMessage() for record in caplog.records) if text.startswith("line ")]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[PacedBus]:
    slaves = [YdtPeer(1, dict(PLANT)), ModbusPeer(2, MONITOR), ModbusPeer(3, METER)]
    with PacedBus(tmp_path, slaves, baud=19200) as paced:
        yield paced


@pytest.mark.parametrize("kind", ["tcp", "rfc2217"])
async def test_a_device_server_that_is_restarted_is_read_again(
    bus: PacedBus, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, ENGINE)
    with Ser2net(tmp_path, bus.path, baud=19200) as server:
        where = f"{kind}://127.0.0.1:{server.port if kind == 'tcp' else server.telnet}"
        async with running(line(where, plant(), monitor(), meter(), baud=19200)) as rounds:
            found = values(await rounds.until(is_read("plant-1")))
            assert (found["dc_bus.voltage"], found["rectifier.status[rectifier=2]"]) == (53.4, "off")
            await rounds.until(is_read("battery-1"))
            await rounds.until(is_read("meter-1"))
            server.stop()
            lost = await rounds.until(lambda batch: "refuses to connect" in batch.error and batch.device == "meter-1")
            assert {reading.quality for reading in lost.readings} == {Quality.UNAVAILABLE}
            server.start()
            for device in ("plant-1", "battery-1", "meter-1"):
                await rounds.until(is_read(device))
            await rounds.until(lambda batch: rounds.stats.reopens == 1)
    assert f"line line-1: {where} is open again" in said(caplog)
    refused = [text for text in said(caplog) if "refuses to connect" in text]
    assert len(refused) == 1  # however often it was tried


async def test_a_gateway_that_drops_connections_is_read_without_a_gap(caplog: pytest.LogCaptureFixture) -> None:
    peer = ModbusPeer(2, MONITOR)

    def serve(connection: socket.socket, server: Server) -> None:
        for _ in range(3):  # answers, and then it is gone
            request = connection.recv(4096)
            connection.sendall(mbap(int.from_bytes(request[:2], "big"), asked_of(peer, request[6:]) or b""))

    with Server(serve) as server:
        async with running(line(f"modbus-tcp://127.0.0.1:{server.port}", monitor(every=0.02))) as rounds:
            await rounds.polls("battery-1", 12)
        assert all(batch.reachable for batch in rounds.seen if batch.device == "battery-1")
        assert server.connections >= 4
    (told,) = said(caplog)
    assert told.endswith("; connected anew")


async def test_a_gateway_that_babbles_is_told_once_and_read_when_it_has_come_to_its_senses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, ENGINE)

    def babble(connection: socket.socket, _: Server) -> None:
        while connection.recv(4096):
            connection.sendall(b"~20014A00" * 4)

    peer = ModbusPeer(2, MONITOR)
    with Server(babble) as server:
        where = f"modbus-tcp://127.0.0.1:{server.port}"
        async with running(line(where, monitor())) as rounds:
            for _ in range(3):
                await rounds.until(lambda batch: "sends what is no Modbus TCP" in batch.error)
            while server.connections < 3:
                await rounds.polls("battery-1", 1)
            server.serve = gateway(lambda number, body: mbap(number, asked_of(peer, body) or b""))
            await rounds.until(is_read("battery-1"))
            await rounds.until(lambda batch: rounds.stats.reopens == 1)
    warned = [text for text in said(caplog) if "open again" not in text]
    assert len(warned) == 1
    assert said(caplog)[-1] == f"line line-1: {where} is open again"


@pytest.mark.parametrize("kind", ["tcp", "modbus-tcp"])
async def test_a_server_that_another_program_has_is_told_once_and_read_when_it_is_free(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    peer = ModbusPeer(2, MONITOR)
    with Server(lambda connection, server: None) as server:  # how most refuse a second connection
        where = f"{kind}://127.0.0.1:{server.port}"
        async with running(line(where, monitor())) as rounds:
            while server.connections < 3:
                await rounds.until(is_lost("battery-1"))
            free = gateway(lambda number, body: mbap(number, asked_of(peer, body) or b""))
            server.serve = free if kind == "modbus-tcp" else raw(peer)
            await rounds.until(is_read("battery-1"))
            await rounds.until(lambda batch: rounds.stats.reopens == 1)
    assert said(caplog) == [
        f"line line-1: {where} closed the connection at once; another program may be connected to it",
        f"line line-1: {where} is open again",
    ]


async def test_a_server_that_takes_a_connection_and_says_nothing_is_connected_anew_until_it_speaks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tcp, "SILENT_QUESTIONS", 1)
    monkeypatch.setattr(tcp, "SILENT_SECONDS", 0.05)
    peer = ModbusPeer(2, MONITOR)
    with Server(silent) as server:
        devices = [monitor(f"battery-{number}", number, every=0.05) for number in range(2, 8)]
        async with running(line(f"modbus-tcp://127.0.0.1:{server.port}", *devices)) as rounds:
            while server.connections < 2:
                await rounds.until(is_lost("battery-2"))
            server.serve = gateway(lambda number, body: mbap(number, asked_of(peer, body) or b""))
            await rounds.until(is_read("battery-2"), seconds=60.0)
    assert any(text.endswith("; connected anew") and "silent for" in text for text in said(caplog))


async def test_one_dead_slave_behind_a_gateway_spoils_nothing_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modbus_tcp, "GATEWAY_SECONDS", 1.0)
    living = {2: ModbusPeer(2, MONITOR), 3: ModbusPeer(3, METER)}

    def answer(number: int, body: bytes) -> bytes:
        if body[0] not in living:
            return mbap(number, bytes((body[0], body[1] | 0x80, 11)))
        return mbap(number, asked_of(living[body[0]], body) or b"")

    with Server(gateway(answer)) as server:
        here = line(f"modbus-tcp://127.0.0.1:{server.port}", meter("dead-1", 9), monitor(), meter())
        async with running(here) as rounds:
            await rounds.polls("meter-1", 6)
        assert server.connections == 1
    assert all(batch.reachable for batch in rounds.seen if batch.device in {"battery-1", "meter-1"})
    dead = [batch for batch in rounds.seen if batch.device == "dead-1"]
    assert {batch.error for batch in dead} == {f"does not answer (address 9 on {here.port})"}


async def test_stopping_does_not_wait_for_a_gateway(caplog: pytest.LogCaptureFixture) -> None:
    asked = threading.Event()

    def hear(connection: socket.socket, _: Server) -> None:
        while connection.recv(4096):
            asked.set()

    with Server(hear) as server:
        patient = Line(
            id="line-1", port=line_port(f"modbus-tcp://127.0.0.1:{server.port}"), timeout=30.0, devices=(monitor(),)
        )
        async with running(patient):
            assert await asyncio.to_thread(asked.wait, 10)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 5.0
    assert "does not stop" not in caplog.text

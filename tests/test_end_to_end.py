"""From real devices to tickets: this host, net-snmp, a recorded UPS, a Modbus peer; desk and agent as processes."""

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.peers.house import House, house, until
from tests.peers.line import joined_ttys
from tests.peers.snmp import Agent, free_port, snmpd, snmpsim

METER = """
import asyncio, sys
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

async def serve():
    words = [int(word) for word in sys.argv[2].split(",")]
    block = SimData(0, values=words, datatype=DataType.REGISTERS)
    server = ModbusSerialServer([SimDevice(3, [block])], port=sys.argv[1], baudrate=9600)
    await server.serve_forever(background=True)
    print("serving", flush=True)
    await asyncio.Event().wait()

asyncio.run(serve())
"""


@contextmanager
def modbus_meter(port: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A three-phase meter of pymodbus' own server: 231.5 V on every phase, 50 Hz."""
    words = [0] * 400
    for register, value in {0: 231.5, 2: 231.5, 4: 231.5, 70: 50.0}.items():
        words[register : register + 2] = struct.unpack(">HH", struct.pack(">f", value))
    command = [sys.executable, "-c", METER, os.fspath(port), ",".join(map(str, words))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"serving\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, dict[str, object]]]:
    folder = tmp_path_factory.mktemp("house")
    recording = _a_recorded_ups()
    with ExitStack() as stack:
        ours, theirs = stack.enter_context(joined_ttys(folder))
        peers: dict[str, object] = {"folder": folder, "recording": recording, "tty": theirs}
        peers["meter"] = stack.enter_context(modbus_meter(theirs))
        card_folder, ups_folder = folder / "card", folder / "ups"
        card_folder.mkdir()
        ups_folder.mkdir()
        card = stack.enter_context(snmpd(card_folder))
        ups = stack.enter_context(snmpsim(ups_folder, [recording]))
        peers |= {"card": card, "ups": ups}
        (folder / "public").write_text("public\n")
        (folder / "recorded").write_text(f"{recording}\n")
        for secret in ("public", "recorded"):
            (folder / secret).chmod(0o600)
        yield stack.enter_context(house(folder, _site(card, ups, ours))), peers


def _a_recorded_ups() -> str:
    from tests.recordings import recordings

    folder = recordings() / "snmp" / "snmpsim"
    named = [
        p.stem for p in sorted(folder.glob("*.snmprec")) if "\n1.3.6.1.2.1.33.1.4.1.0|" in p.read_text(errors="replace")
    ]
    assert named, "no recording has the UPS-MIB"
    return named[0]


def _site(card: Agent, ups: Agent, tty: Path) -> str:
    return f"""
credentials:
  public: {{version: 2c, community_file: public}}
  recorded: {{version: 2c, community_file: recorded}}
host: {{every: 2s}}
snmp:
  every: 1s
  devices:
    - {{id: card, address: 127.0.0.1, port: {card.port}, credential: public, timeout: 1s, retries: 1}}
    - {{id: ups, address: 127.0.0.1, port: {ups.port}, credential: recorded, timeout: 1s, retries: 1}}
lines:
  - id: line
    port: {tty}
    baud: 9600
    every: 1s
    devices: [{{id: meter, protocol: modbus, address: 3, definition: eastron-sdm630}}]
rules:
  device.restarted: {{enabled: false}}
"""


def test_this_host_is_watched(stage: tuple[House, dict[str, object]]) -> None:
    here, _ = stage
    rows = until(lambda: here.readings("host"))
    assert rows["memory.size"]["value"] == pytest.approx(
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), rel=0.01
    )
    assert {"device", "point", "quantity", "index", "unit", "value", "quality", "source", "preferred"} <= set(
        rows["memory.size"]
    )


def test_the_recorded_ups_is_read_by_its_standard(stage: tuple[House, dict[str, object]]) -> None:
    here, _ = stage
    rows = until(lambda: {k: v for k, v in here.readings("ups").items() if v["source"].startswith("1.3.6.1.2.1.33.")})
    assert {"output.status", "battery.status"} <= {row["quantity"] for row in rows.values()}


def test_the_modbus_peer_is_read(stage: tuple[House, dict[str, object]]) -> None:
    here, _ = stage
    rows = until(lambda: here.readings("meter"))
    assert rows["mains.voltage[phase=1]"]["value"] == pytest.approx(231.5)
    assert rows["mains.frequency"]["value"] == pytest.approx(50.0)
    assert 'roundsman_mains_voltage_volts{device="meter",phase="2"' in here.metrics()


def _silent(here: House, device: str) -> list[dict[str, object]]:
    return [t for t in here.tickets() if t["device"] == device and t["fault"] == "device.unreachable"]


def _open_then_resolved(here: House, device: str, numbers: list[object]) -> None:
    rows = here.readings(device)
    assert {row["quality"] for point, row in rows.items() if point != "device.reachable"} == {"unavailable"}
    assert all(row["value"] is None for point, row in rows.items() if point != "device.reachable")
    assert [t["number"] for t in _silent(here, device)] == numbers
    assert f'roundsman_device_up{{device="{device}"}} 0' in here.metrics()


def test_stopping_net_snmp_opens_one_ticket_and_starting_it_again_resolves_it(
    stage: tuple[House, dict[str, object]], tmp_path: Path
) -> None:
    here, peers = stage
    card = peers["card"]
    assert isinstance(card, Agent)
    until(lambda: here.readings("card").get("device.reachable", {}).get("value") == "yes")
    card.process.kill()
    card.process.wait()
    opened = until(lambda: [t for t in _silent(here, "card") if t["state"] == "open"])
    _open_then_resolved(here, "card", [opened[0]["number"]])
    with snmpd(tmp_path, port=card.port):
        until(lambda: [t["state"] for t in _silent(here, "card")] == ["resolved"])


def test_stopping_the_recorded_ups_opens_one_ticket_and_starting_it_again_resolves_it(
    stage: tuple[House, dict[str, object]], tmp_path: Path
) -> None:
    here, peers = stage
    ups = peers["ups"]
    assert isinstance(ups, Agent)
    until(lambda: here.readings("ups").get("output.status"))
    ups.process.kill()
    ups.process.wait()
    opened = until(lambda: [t for t in _silent(here, "ups") if t["state"] == "open"])
    _open_then_resolved(here, "ups", [opened[0]["number"]])
    with snmpsim(tmp_path, [str(peers["recording"])], port=ups.port):
        until(lambda: [t["state"] for t in _silent(here, "ups")] == ["resolved"])


def test_stopping_the_modbus_peer_opens_one_ticket_and_starting_it_again_resolves_it(
    stage: tuple[House, dict[str, object]],
) -> None:
    here, peers = stage
    meter, tty = peers["meter"], peers["tty"]
    assert isinstance(meter, subprocess.Popen)
    assert isinstance(tty, Path)
    until(lambda: here.readings("meter").get("mains.frequency"))
    meter.kill()
    meter.wait()
    opened = until(lambda: [t for t in _silent(here, "meter") if t["state"] == "open"])
    _open_then_resolved(here, "meter", [opened[0]["number"]])
    with modbus_meter(tty):
        until(lambda: [t["state"] for t in _silent(here, "meter")] == ["resolved"])


def test_prometheus_scrapes_the_agent_and_promtool_has_nothing_to_say(
    stage: tuple[House, dict[str, object]], tmp_path: Path
) -> None:
    here, _ = stage
    if shutil.which("promtool") is None or shutil.which("prometheus") is None:
        pytest.skip("Prometheus is not installed")
    until(lambda: here.readings("host"))
    said = subprocess.run(
        ["promtool", "check", "metrics"], input=here.metrics(), capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    port = free_port()
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n"
        f"  - {{job_name: roundsman, static_configs: [{{targets: ['127.0.0.1:{here.metrics_port}']}}]}}\n"
    )
    command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    with subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL) as server:
        try:
            query = f"http://127.0.0.1:{port}/api/v1/query?query=roundsman_device_up"
            answer = until(lambda: _answered(query))
            assert {row["metric"]["device"] for row in answer} >= {"host"}
        finally:
            server.terminate()


def _answered(url: str) -> list[dict[str, dict[str, str]]]:
    import json
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            result: list[dict[str, dict[str, str]]] = json.load(reply)["data"]["result"]
            return result
    except (OSError, urllib.error.URLError):
        return []


def test_the_agent_ends_in_order_when_asked(stage: tuple[House, dict[str, object]]) -> None:
    here, _ = stage
    assert here.stop("agent") == 0
    assert "Traceback" not in here.log("agent")


def test_the_example_site_runs_and_says_what_it_cannot_reach(tmp_path: Path) -> None:
    example = subprocess.run(
        [sys.executable, "-m", "roundsman", "example"], capture_output=True, text=True, check=True
    ).stdout
    here = House(tmp_path, "")
    for default, ours in (
        ("/var/lib/roundsman", "agent"),
        ("127.0.0.1:9961", f"127.0.0.1:{here.metrics_port}"),
        ("/run/roundsman/control.sock", "agent/control.sock"),
        ("http://127.0.0.1:8061", f"http://127.0.0.1:{here.port}"),
        ("192.0.2.10", "127.0.0.1"),
        ("port: 161", f"port: {free_port()}"),
    ):
        assert default in example
        example = example.replace(default, ours, 1)
    here.site_file.write_text(example)
    for secret in ("desk.token", "ups-community"):
        (tmp_path / secret).write_text("a secret\n")
        (tmp_path / secret).chmod(0o600)
    try:
        here.start_agent()
        assert until(lambda: here.readings("host"))["memory.size"]["quality"] == "good"
        silent = ("ups-1", "plant-1", "battery-1")
        until(lambda: all(f'roundsman_device_up{{device="{name}"}} 0' in here.metrics() for name in silent))
        assert "roundsman_desk_up 0" in here.metrics()
        assert here.stop("agent") == 0
    finally:
        for process in here.processes.values():
            process.kill()

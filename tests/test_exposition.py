"""The /metrics page, compared with a golden one.

After an intended change: `python -m tests.test_exposition > tests/golden/metrics.txt`.
"""

import re
import shutil
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.engine_metrics import engine_lines, outbox_lines
from agent.exposition import Exposition, OwnText, alarm_lines, device_lines, metric_name
from agent.metrics_server import MOST_CONNECTIONS, MetricsServer
from agent.outbox import OutboxStats
from agent.own_metrics import OwnMetrics
from agent.rounds import Rounds
from collectors.line.stats import LineStats, SlaveStats
from collectors.snmp.engine import Counts
from collectors.snmp.traps.receiver import TrapCounts
from model.point import Point, Quality, Reading, Severity, State, point_id
from model.quantity import Kind, Quantity

GOLDEN = Path(__file__).parent / "golden" / "metrics.txt"


def reading(
    device: str,
    quantity: Quantity,
    value: float | str | None,
    label: str,
    quality: Quality = Quality.GOOD,
    **index: str,
) -> Reading:
    states = tuple(State(word, Severity.OK) for word in quantity.states)
    pairs = tuple(index.items())
    return Reading(Point(device, point_id(quantity, pairs), quantity, label, pairs, states=states), value, 0, quality)


READINGS = [
    reading("meter-1", Quantity.MAINS_VOLTAGE, 230.12, "L1", phase="1"),
    reading("meter-1", Quantity.MAINS_VOLTAGE, 0.0, "L2", phase="2"),
    reading("meter-1", Quantity.MAINS_VOLTAGE, None, "L3", Quality.UNAVAILABLE, phase="3"),
    reading("meter-1", Quantity.MAINS_ENERGY, 1234.5, "Energy"),
    reading("battery-1", Quantity.BATTERY_CHARGE, 85.7, "State of charge"),
    reading("battery-1", Quantity.BATTERY_TEMPERATURE, -5.5, "Temperature", Quality.UNCERTAIN),
    reading("room", Quantity.DOOR_STATUS, "open", 'Door "A"\\\n', door="1"),
    reading("room", Quantity.AMBIENT_HUMIDITY, 45.0, "Humidity", Quality.STALE),
    reading("host", Quantity.NETWORK_RECEIVED, 1e15, "eth0", interface="eth0"),
    reading("host", Quantity.LOAD_AVERAGE, 0.5, "Load", minutes="1"),
]


def page() -> str:
    own = generate_latest(OwnMetrics("1.2.3").registry).decode()
    heads = [line for line in own.splitlines() if line.startswith(("# HELP roundsman", "# TYPE roundsman"))]
    devices = device_lines([("meter-1", True, 1.25, 0.17), ("battery-1", False, 61.0, 0.5), ("new", None, 0.0, 0.0)])
    alarms = alarm_lines([("meter-1", "-", "mains.lost", "unacknowledged", 2)])
    meter = SlaveStats("meter-1", up=True, polls=12, answers=11, timeouts=1)
    line = LineStats("line-1", open=True, cycles=12, cycle_seconds=0.75, utilisation=0.4, slaves={"meter-1": meter})
    traps = TrapCounts(
        listening=1, received=12, accepted=2, over_budget=7, unknown=3, last={"meter-1": (100.5, "1.3.6")}
    )
    engines = engine_lines(Rounds({"line-1": line}, Counts(sent=100, answered=99, received=104, silences=1), traps))
    outbox = outbox_lines(OutboxStats(sent=7, failures=2, depth=3, oldest_wall=90.0), 100.0)
    return "\n".join(heads) + "\n" + devices + alarms + outbox + engines + Exposition().text(READINGS)


def test_the_page_is_the_golden_one() -> None:
    assert page() == GOLDEN.read_text(encoding="utf-8")


def test_a_line_in_the_network_has_no_least_time_and_no_ratio_to_it() -> None:
    lines = {name: LineStats(name, wired=name == "serial", cycles=1, ratio=1.1) for name in ("far", "serial")}
    text = engine_lines(Rounds(lines))
    assert 'roundsman_line_cycle_ratio{line="serial"} 1.1' in text
    assert 'roundsman_line_cycles_total{line="far"} 1' in text
    assert 'roundsman_line_cycle_ratio{line="far"}' not in text
    assert 'roundsman_line_wire_seconds_total{line="far"}' not in text


def test_every_metric_of_the_agent_itself_has_its_line_in_the_documents() -> None:
    told = set(re.findall(r"^\| `(\S+)` \|", (GOLDEN.parents[2] / "docs" / "metrics.md").read_text(), re.MULTILINE))
    readings = set(re.findall(r"^# TYPE (\S+)", Exposition().text(READINGS), re.MULTILINE))
    assert told == set(re.findall(r"^# TYPE (\S+)", page(), re.MULTILINE)) - readings


def test_another_parser_reads_the_same_values() -> None:
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(Exposition().text(READINGS))
        for sample in family.samples
    }
    assert samples["roundsman_mains_energy_joules_total", (("device", "meter-1"), ("name", "Energy"))] == 1234.5 * 3600
    assert samples[
        "roundsman_battery_charge_ratio", (("device", "battery-1"), ("name", "State of charge"))
    ] == pytest.approx(0.857)
    door = {key[1]: value for key, value in samples.items() if key[0] == "roundsman_door_status"}
    assert sorted(door.values()) == [0.0, 1.0]
    assert all(("name", 'Door "A"\\\n') in labels for labels in door)


def test_absent_is_absent_never_zero() -> None:
    text = Exposition().text(READINGS)
    assert 'phase="3"' not in text
    assert "humidity" not in text
    assert 'phase="2",name="L2"} 0\n' in text


def test_a_duplicate_source_that_is_set_aside_is_not_shown() -> None:
    aside = Point("ups", "x", Quantity.BATTERY_CHARGE, "Other", preferred=False)
    assert Exposition().text([Reading(aside, 50.0, 0)]) == ""


def test_every_quantity_has_a_name_of_its_own_that_promtool_likes() -> None:
    names = {metric_name(quantity) for quantity in Quantity}
    assert len(names) == len(Quantity)
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    every = [
        reading("d", quantity, quantity.states[0] if quantity.states else 1.0, "x")
        for quantity in Quantity
        if quantity.kind is not Kind.STATE or quantity.states
    ]
    said = subprocess.run(
        ["promtool", "check", "metrics"], input=Exposition().text(every), capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def test_the_own_metrics_are_written_as_the_library_writes_them() -> None:
    own = OwnMetrics('1.2 "3"\\')
    own.registry.unregister(own.processes)  # its numbers change from one page to the next
    text = OwnText(own.registry)
    assert text.text().encode() == generate_latest(own.registry)
    for device in ("ups-1", 'a "b"\\\n'):
        own.batches.labels(device).inc(1e7)
        own.collect.labels(device).observe(0.3)
    own.loop_lag.set(float("inf"))
    own.rules.observe(1e-5)
    for _ in range(2):
        assert text.text().encode() == generate_latest(own.registry)


def test_silent_scrapers_keep_nobody_from_the_page() -> None:
    server = MetricsServer("127.0.0.1", 0, OwnMetrics("1").registry, lambda: "extra 1\n")
    with ExitStack() as silent:
        silent.callback(server.close)
        for _ in range(MOST_CONNECTIONS + 3):
            silent.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as reply:
                assert reply.read().endswith(b"extra 1\n")


def test_one_that_speaks_while_it_makes_room_for_another_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def text() -> list[str]:
        busy.set()
        return ["extra 1\n" * 2_000_000] if go_on.wait(10) else []  # too much to be sent at once

    server = MetricsServer("127.0.0.1", 0, OwnMetrics("1").registry, text)
    with ExitStack() as kept:
        kept.callback(server.close)
        address = ("127.0.0.1", server.port)
        silent = [kept.enter_context(socket.create_connection(address, timeout=5)) for _ in range(MOST_CONNECTIONS)]
        asking = kept.enter_context(socket.create_connection(address, timeout=5))
        asking.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert busy.wait(10)
        kept.enter_context(socket.create_connection(address, timeout=5))
        for each in silent[1:3]:
            each.sendall(b"GET")
        go_on.set()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as reply:
            assert reply.read().endswith(b"extra 1\n")
    assert "failed" not in caplog.text


def test_a_slow_scraper_gets_its_page_whole_and_holds_up_no_other() -> None:
    long = "x" * 99 + "\n"
    server = MetricsServer("127.0.0.1", 0, OwnMetrics("1").registry, lambda: [long] * 200_000)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\n")
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=20) as reply:
                assert reply.read().endswith(long.encode())
            slow.sendall(b"\r\n")
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=20) as reply:
                size = len(reply.read())
            whole = b"".join(iter(lambda: slow.recv(65_536), b""))
            assert len(whole.partition(b"\r\n\r\n")[2]) >= size - 200  # its own numbers are a few digits longer
    finally:
        server.close()


def test_the_server_answers_metrics_and_nothing_else() -> None:
    server = MetricsServer("127.0.0.1", 0, OwnMetrics("1").registry, lambda: "extra 1\n")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as reply:
            assert reply.read().endswith(b"extra 1\n")
            assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/admin", timeout=5)
    finally:
        server.close()


def asked(octets: bytes, text: Callable[[], Iterable[str]] = lambda: ["extra 1\n"]) -> bytes:
    """Return all that a server answers to these octets."""
    server = MetricsServer("127.0.0.1", 0, OwnMetrics("1").registry, text)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as asking:
            asking.sendall(octets)
            asking.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: asking.recv(65_536), b""))
    finally:
        server.close()


def test_a_head_is_answered_with_the_size_of_the_page_and_no_page() -> None:
    head, _, body = asked(b"HEAD /metrics?x=1 HTTP/1.1\r\nHost: agent\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert int(re.search(rb"Content-Length: (\d+)", head)[1]) > 1000  # type: ignore[index]
    assert body == b""


@pytest.mark.parametrize(
    "octets",
    [b"", b"\r\n\r\n", b"GET\r\n\r\n", b"\xff" * 20_000, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200],
)
def test_what_is_no_request_is_answered_with_nothing(octets: bytes) -> None:
    with suppress(ConnectionResetError):
        assert asked(octets) == b""


def test_only_get_and_head_are_answered() -> None:
    assert asked(b"POST /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404 ")


def test_a_page_that_fails_is_a_server_error_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> list[str]:
        raise RuntimeError("no page today")

    assert asked(b"GET / HTTP/1.1\r\n\r\n", fails).startswith(b"HTTP/1.1 500 ")
    assert "no page today" in caplog.text


def test_the_server_listens_on_ipv6_too() -> None:
    server = MetricsServer("::1", 0, OwnMetrics("1").registry, lambda: ["extra 1\n"])
    try:
        with urllib.request.urlopen(f"http://[::1]:{server.port}/metrics", timeout=5) as reply:
            assert reply.status == 200
    finally:
        server.close()


if __name__ == "__main__":
    print(page(), end="")

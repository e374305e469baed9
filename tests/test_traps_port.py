"""The trap port: budgets, what systemd hands over, and an agent that has no traps and does not pay for them."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.snmp.traps.gate import SOURCE_BURST, TOTAL_BURST, Drop, Gate, Sender, Source, shown
from collectors.snmp.traps.notification import next_boots
from collectors.snmp.traps.turns import Turns
from config.node import ConfigError
from config.schema import Traps
from config.site import load_site
from runtime.listen import udp
from tests.peers import traps
from tests.peers.house import House, until
from tests.peers.snmp import Agent, free_port, snmpd


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sender(device: str, address: str) -> Sender:
    return Sender(device=device, address=address, secrets=(b"public",))


def gate(clock: Callable[[], float], sources: int = 1) -> Gate:
    made = Gate(clock)
    made.know({f"192.0.2.{at}": (sender(f"ups-{at}", f"192.0.2.{at}"),) for at in range(1, sources + 1)})
    return made


def admitted(at: Gate, address: str, times: int) -> int:
    return sum(isinstance(at.admit((address, 162)), Source) for _ in range(times))


def test_a_source_may_send_a_burst_and_then_one_a_second() -> None:
    clock = Clock()
    at = gate(clock)
    assert admitted(at, "192.0.2.1", 1000) == SOURCE_BURST
    assert at.admit(("192.0.2.1", 162)) is Drop.OVER_BUDGET
    clock.now += 3.0
    assert admitted(at, "192.0.2.1", 1000) == 3
    clock.now += 3600.0
    assert admitted(at, "192.0.2.1", 1000) == SOURCE_BURST


def test_a_source_that_floods_takes_nothing_of_anothers_budget() -> None:
    at = gate(Clock(), sources=2)
    admitted(at, "192.0.2.1", 100_000)
    assert admitted(at, "192.0.2.2", 100) == SOURCE_BURST


def test_all_sources_together_have_a_budget() -> None:
    clock = Clock()
    at = gate(clock, sources=250)
    assert sum(admitted(at, f"192.0.2.{each}", 1) for each in range(1, 251)) == TOTAL_BURST
    clock.now += 1.0
    assert sum(admitted(at, f"192.0.2.{each}", 1) for each in range(1, 251)) == 20


def test_an_address_of_no_device_is_refused_and_costs_no_budget() -> None:
    at = gate(Clock())
    assert {at.admit((f"198.51.100.{each}", 162)) for each in range(250)} == {Drop.UNKNOWN}
    assert admitted(at, "192.0.2.1", 100) == SOURCE_BURST


def test_a_source_seen_over_ipv6_is_the_same_source() -> None:
    at = gate(Clock())
    mapped = sum(isinstance(at.admit(("::ffff:192.0.2.1", 162, 0, 0)), Source) for _ in range(6))
    assert mapped + admitted(at, "192.0.2.1", 100) == SOURCE_BURST


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (("fe80::1%eth0", 162, 0, 2), "fe80::1%2"),
        (("fe80::1", 162, 0, 3), "fe80::1%3"),
        (("2001:db8::1", 162, 0, 3), "2001:db8::1"),
        (("::ffff:192.0.2.1", 162, 0, 0), "192.0.2.1"),
        (("192.0.2.1", 162), "192.0.2.1"),
    ],
)
def test_a_source_has_one_text_and_its_link_where_addresses_repeat(address: tuple[object, ...], text: str) -> None:
    assert shown(address) == text


def test_a_look_at_host_names_gives_no_new_budget() -> None:
    at = gate(Clock())
    admitted(at, "192.0.2.1", 100)
    at.know({"192.0.2.1": (sender("ups-1", "192.0.2.1"),), "192.0.2.7": (sender("ups-7", "192.0.2.7"),)})
    assert at.admit(("192.0.2.1", 162)) is Drop.OVER_BUDGET
    assert admitted(at, "192.0.2.7", 1) == 1


def test_every_start_is_counted_and_the_count_outlives_its_file_and_a_wrong_clock(tmp_path: Path) -> None:
    file, wall = tmp_path / "trap-boots", 1_577_836_800.0 + 60.0 * 1000
    assert [next_boots(file, wall), next_boots(file, wall), next_boots(file, 0.0)] == [1000, 1001, 1002]
    file.write_text("spoilt", encoding="ascii")
    assert next_boots(file, wall + 600.0) == 1010


def test_a_full_disk_costs_the_count_and_not_the_traps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wall = 1_577_836_800.0 + 60.0 * 1000
    (tmp_path / "trap-boots.new").symlink_to("/dev/full")
    assert next_boots(tmp_path / "trap-boots", wall) == 1000
    assert next_boots(tmp_path / "not there" / "trap-boots", wall) == 1000
    assert "No space left on device" in caplog.messages[0]
    assert len(caplog.messages) == 2


def test_a_trap_port_is_opened_at_an_ip_address_and_no_name_is_looked_up() -> None:
    with pytest.raises(OSError, match=r"UDP localhost:162 cannot be opened: localhost is no IP address"):
        udp("localhost", 162)
    with udp("::1", 0) as six, udp("127.0.0.1", 0) as four:
        assert (six.getsockname()[0], four.getsockname()[0]) == ("::1", "127.0.0.1")


def test_a_source_with_much_to_say_costs_another_one_turn() -> None:
    turns: Turns[str] = Turns(20)
    assert [turns.put("192.0.2.1", f"flood {at}") for at in range(19)] == [True] * 19
    assert turns.put("192.0.2.2", "other")
    assert not turns.put("192.0.2.3", "one too many")
    assert [turns.take() for _ in range(4)] == ["flood 0", "other", "flood 1", "flood 2"]
    assert turns.put("192.0.2.3", "there is room again")
    turns.end()
    assert turns.take() is None


def test_a_socket_of_systemd_is_taken_by_its_name(tmp_path: Path) -> None:
    """The real hand-over, by systemd's own tool; it starts the program when the first datagram comes."""
    if shutil.which("systemd-socket-activate") is None:
        pytest.skip("systemd-socket-activate is not installed (Debian package systemd)")
    port = free_port()
    program = (
        "from runtime.listen import handed_over as h; t = h('traps'); print(h('other'), t.recv(9), t.getsockname()[1])"
    )
    command = ["systemd-socket-activate", "--datagram", "-l", f"127.0.0.1:{port}", "--fdname=traps"]
    with subprocess.Popen(
        [*command, sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as activated:
        assert activated.stderr is not None
        assert "Listening" in activated.stderr.readline()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(b"a trap", ("127.0.0.1", port))
        said, _ = activated.communicate(timeout=60)
    assert said == f"None b'a trap' {port}\n"


# -- in the agent -----------------------------------------------------------------------------------------------------

BATCHES = 'roundsman_batches_total{collector="card"}'
ONLY_POLLS = """
import asyncio, sys
from agent.service import Agent
from config.site import load_site
from runtime.listen import udp

async def main():
    agent = Agent(load_site(sys.argv[1]))
    take = agent.take
    agent.take = lambda batch: (take(batch), agent.stop())
    await agent.run()
    print(agent.metrics.batches.labels("card")._value.get())

asyncio.run(main())
print([name for name in sys.modules if name.startswith(("pysnmp", "pyasn1", "collectors.snmp.traps"))])
"""


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("card")) as running:
        yield running


def site(folder: Path, card: Agent, traps: str) -> House:
    """Return an agent's site with one card that is read once an hour; `traps` stands below snmp."""
    here = House(folder, "")
    here.site_file.write_text(
        "site: {id: house, name: House, contract: demo, region: west_east}\n"
        f"agent: {{state: agent, metrics: 127.0.0.1:{here.metrics_port}, control: agent/control.sock}}\n"
        "credentials:\n"
        "  public: {version: 2c, community_file: public}\n"
        "  for-traps: {version: 2c, community_file: for-traps}\n"
        "  eve: {version: 3, user: eve, auth_protocol: sha256, auth_key_file: auth-key,"
        " privacy_protocol: aes128, privacy_key_file: privacy-key}\n"
        f"snmp:\n  every: 1h\n{traps}"
        f"  devices: [{{id: card, address: 127.0.0.1, port: {card.port}, credential: public}}]\n"
    )
    for secret in ("public", "for-traps", "auth-key", "privacy-key"):
        (folder / secret).write_text(f"{secret}\n")
        (folder / secret).chmod(0o600)
    return here


@contextlib.contextmanager
def agent(here: House) -> Iterator[House]:
    try:
        here.start_agent()
        yield here
    finally:
        here.stop("agent", kill=True)


def value(here: House, series: str) -> float:
    """Return a series of the agent's own page, 0 while it is not there."""
    return next((float(line.rpartition(" ")[2]) for line in here.metrics().splitlines() if line.startswith(series)), 0)


def test_a_trap_has_its_device_read_at_once_and_goes_on_after_a_reload(tmp_path: Path, card: Agent) -> None:
    port = free_port()
    here = site(tmp_path, card, f"  traps: {{listen: 127.0.0.1:{port}, credentials: [for-traps, eve]}}\n")
    with agent(here):
        until(lambda: value(here, BATCHES) == 1 and value(here, "roundsman_traps_listening") == 1)
        traps.send(tmp_path, port, "-v", "2c", "-c", "public")
        until(lambda: value(here, BATCHES) == 2)
        traps.send(tmp_path, port, "-v", "1", "-c", "for-traps")
        until(lambda: value(here, BATCHES) == 3)
        assert value(here, "roundsman_traps_accepted_total") == 2
        assert 'roundsman_traps_last_timestamp_seconds{device="card"} ' in here.metrics()
        here.processes["agent"].send_signal(signal.SIGHUP)
        until(lambda: value(here, "roundsman_traps_listening") == 1 and not value(here, "roundsman_traps_accepted"))
        eve = [
            "-v",
            "3",
            "-u",
            "eve",
            "-l",
            "authPriv",
            "-a",
            "SHA-256",
            "-A",
            "auth-key",
            "-x",
            "AES",
            "-X",
            "privacy-key",
        ]
        informed = traps.send(tmp_path, port, *eve, inform=True)
        assert informed.returncode == 0, informed.stderr
        until(lambda: value(here, "roundsman_traps_accepted_total") == 1)
        traps.send(tmp_path, port, *eve, "-e", "0x8000000001020304")
        until(lambda: value(here, "roundsman_traps_accepted_total") == 2)
    assert (tmp_path / "agent" / "trap-boots").exists()


def test_a_trap_port_that_is_taken_is_told_and_polling_goes_on(tmp_path: Path, card: Agent) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with agent(site(tmp_path, card, f"  traps: {{listen: 127.0.0.1:{port}}}\n")) as here:
            until(lambda: value(here, BATCHES) == 1)
            assert "roundsman_traps_listening 0" in here.metrics()
    assert f"UDP 127.0.0.1:{port} cannot be opened: Address already in use; polling goes on" in here.log("agent")


def test_an_agent_without_traps_does_not_load_what_they_need(tmp_path: Path, card: Agent) -> None:
    here = site(tmp_path, card, "")
    done = subprocess.run(
        [sys.executable, "-c", ONLY_POLLS, str(here.site_file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == ["1.0", "[]"], done.stderr


def test_every_default_is_taken_from_an_empty_map_and_no_key_means_no_traps(tmp_path: Path, card: Agent) -> None:
    assert load_site(site(tmp_path, card, "  traps: {}\n").site_file).traps == Traps()
    assert load_site(site(tmp_path, card, "").site_file).traps is None


def test_a_credential_of_traps_that_is_not_there_is_named(tmp_path: Path, card: Agent) -> None:
    with pytest.raises(ConfigError, match=r'snmp\.traps\.credentials: there is no credential "for-trap"; .*for-traps'):
        load_site(site(tmp_path, card, "  traps: {credentials: [for-trap]}\n").site_file)

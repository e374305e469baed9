"""`roundsman scan`: what answers is found and recognised, and the section it prints is a good site file."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from roundsman.commands.scan import addresses
from roundsman.output import CommandError
from tests.peers.snmp import Agent, snmpd
from tests.said import said

UPS = {
    "1.3.6.1.2.1.1.2.0": ("object_id", "1.3.6.1.2.1.33"),
    "1.3.6.1.2.1.1.5.0": ("octet_str", '"UPS Room 2: \\"A\\""'),
    "1.3.6.1.2.1.33.1.1.2.0": ("octet_str", '"Acme 3000"'),
    "1.3.6.1.2.1.33.1.2.4.0": ("integer", "97"),
}
STRANGER = {
    "1.3.6.1.2.1.1.2.0": ("object_id", "1.3.6.1.4.1.99999.7"),
    "1.3.6.1.4.1.99999.1.1.0": ("integer", "5"),
}


@pytest.fixture(scope="module")
def ups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("ups"), objects=UPS) as agent:
        yield agent


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("stranger"), objects=STRANGER) as agent:
        yield agent


def test_a_network_is_scanned_and_the_section_it_prints_is_a_good_site_file(ups: Agent, tmp_path: Path) -> None:
    status, out, err = said("scan", "127.0.0.0/29", "--port", str(ups.port), "--timeout", "0.5", "--rate", "50")
    assert status == 0
    assert "6 of 6 asked, 1 found" in err
    assert "# 1 of 6 addresses answered." in out
    assert 'name: "UPS Room 2: \\"A\\"", address: "127.0.0.1"' in out
    assert re.search("# Acme 3000: rfc1628-ups, [0-9]+ readings", out)
    (tmp_path / "snmp-community").write_text("public")
    (tmp_path / "site.yaml").write_text("site: {id: a, name: A, contract: demo}\n" + out)
    status, checked, err = said("check", str(tmp_path / "site.yaml"))
    assert (status, err) == (0, "")
    assert "1 device," in checked


def test_a_device_that_no_definition_knows_is_told_with_what_it_has(stranger: Agent) -> None:
    status, out, _ = said("scan", f"127.0.0.1:{stranger.port}", "--json")
    assert status == 0
    row = json.loads(out)
    assert row["recognised"] is False
    assert row["sys_object_id"] == "1.3.6.1.4.1.99999.7"
    assert "1.3.6.1.4.1.99999" in row["has"]
    _, out, _ = said("scan", f"127.0.0.1:{stranger.port}")
    assert "not recognised" in out
    assert "sysObjectID 1.3.6.1.4.1.99999.7" in out


def test_nothing_that_answers_ends_with_1_and_says_what_to_look_at() -> None:
    status, out, err = said("scan", "127.0.0.1:9", "--timeout", "0.1")
    assert (status, out) == (1, "")
    assert "Nothing answered at 1 addresses. Check that SNMP is switched on" in err


def test_no_community_but_the_one_given_is_tried(ups: Agent) -> None:
    status, _, err = said("scan", f"127.0.0.1:{ups.port}", "--community", "secret", "--timeout", "0.2")
    assert status == 1
    assert "0 found" in err


def test_a_networks_own_and_broadcast_address_are_left_out_and_no_address_stands_twice() -> None:
    assert addresses(["192.0.2.0/30", "192.0.2.1", "ups.example.org"]) == ["192.0.2.1", "192.0.2.2", "ups.example.org"]


@pytest.mark.parametrize(("place", "says"), [("192.0.2.0/33", "is no network"), ("10.0.0.0/8", "scan at most 4096")])
def test_a_place_that_cannot_be_scanned_is_refused(place: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        addresses([place])


def test_two_devices_of_one_name_get_two_ids(ups: Agent, tmp_path: Path) -> None:
    with snmpd(tmp_path, objects=UPS) as other:
        _, out, _ = said("scan", f"127.0.0.1:{ups.port}", f"127.0.0.1:{other.port}", "--json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["ups-room-2-a", "ups-room-2-a-2"]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--port", "99999"), "--port 99999 is no port; write one from 1 to 65535."),
        (("--port", "-5"), "--port -5 is no port"),
        (("--port", "0"), "--port 0 is no port"),
        (("--rate", "nan"), "--rate nan cannot be; write a number above 0."),
        (("--rate", "inf"), "--rate inf cannot be"),
        (("--rate", "0"), "--rate 0 cannot be"),
        (("--timeout", "nan"), "--timeout nan cannot be"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_words(option: tuple[str, str], says: str) -> None:
    status, out, err = said("scan", "127.0.0.1", *option)
    assert (status, out) == (1, "")
    assert err.startswith(says)
    assert err.count("\n") == 1


def test_a_places_own_port_counts_even_when_it_is_161(ups: Agent) -> None:
    places = ("127.0.0.1:161", "[::1]:161", "127.0.0.2")
    _, _, err = said("scan", *places, "--port", str(ups.port), "--timeout", "0.1", "--json")
    assert "3 of 3 asked" in err
    assert f"127.0.0.1:{ups.port}" not in err


def test_the_same_address_and_port_is_asked_once(ups: Agent) -> None:
    here = str(ups.port)
    status, out, err = said("scan", "127.0.0.1", f"127.0.0.1:{here}", "localhost", "127.0.0.1/32", "--port", here)
    assert status == 0
    assert "1 of 1 asked" in err
    assert out.count("address:") == 1


def test_the_section_says_how_to_make_the_file_of_the_community(ups: Agent, tmp_path: Path) -> None:
    place = f"127.0.0.1:{ups.port}"
    _, out, _ = said("scan", place)
    assert "#     install -m 600 /dev/stdin snmp-community <<< 'the community'" in out
    (tmp_path / "mine").write_text("public")
    (tmp_path / "mine").chmod(0o600)
    _, out, _ = said("scan", place, "--community-file", str(tmp_path / "mine"))
    assert "install" not in out


def test_a_scan_that_is_ended_prints_what_it_found_until_then(ups: Agent) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        places = [f"127.0.0.1:{ups.port}", f"127.0.0.1:{silent.getsockname()[1]}"]
        command = [sys.executable, "-m", "roundsman", "scan", *places, "--timeout", "60"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as scan:
            assert scan.stderr is not None
            found = scan.stderr.readline()
            scan.send_signal(signal.SIGINT)
            out, err = scan.communicate(timeout=20)
    assert f"127.0.0.1:{ups.port}" in found
    assert scan.returncode == 130
    assert re.search("^# Not complete: only 1 of 2 addresses were asked, 1 answered.$", out, re.MULTILINE)
    assert 'address: "127.0.0.1"' in out
    assert "Ended early: 1 of 2 addresses were asked." in err
    assert "Traceback" not in err

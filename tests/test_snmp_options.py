"""How a card that no site file names is spoken to: the options of read, scan and devices draft."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.node import ConfigError
from config.scalars import Address
from roundsman.cli import run
from roundsman.output import CommandError
from roundsman.snmp_options import at, card_address, snmp_card, snmp_options
from tests.peers.snmp import Agent, snmpd
from tests.snmp_v3 import OBJECTS, lines, user
from wire.user import User


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    snmp_options(parser)
    return parser.parse_args(words)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[str, str]:
    auth, privacy = tmp_path / "auth", tmp_path / "privacy"
    for path, phrase in ((auth, "authentication sha1"), (privacy, "privacy aes128")):
        path.write_text(phrase + "\n")
        path.chmod(0o600)
    return str(auth), str(privacy)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("192.0.2.1", Address("192.0.2.1", 161)),
        ("192.0.2.1:1161", Address("192.0.2.1", 1161)),
        ("ups-1.example.org", Address("ups-1.example.org", 161)),
        ("ups-1:1161", Address("ups-1", 1161)),
        ("2001:db8::1", Address("2001:db8::1", 161)),
        ("[2001:db8::1]", Address("2001:db8::1", 161)),
        ("[2001:db8::1]:1161", Address("2001:db8::1", 1161)),
        ("[fe80::1%eth0]:1161", Address("fe80::1%eth0", 1161)),
    ],
)
def test_a_place_is_a_host_with_or_without_a_port(written: str, place: Address) -> None:
    assert card_address(written) == place


@pytest.mark.parametrize("written", ["", ":161", "ups:0", "ups:x", "192.0.2.300", "[::1", "2001:db8::1:x", "a b"])
def test_what_is_no_place_is_refused_in_words(written: str) -> None:
    with pytest.raises(CommandError, match="write HOST, HOST:PORT or"):
        card_address(written)


def test_version_2c_with_public_is_what_is_meant_without_options() -> None:
    card = at(snmp_card(parsed()), "192.0.2.1")
    assert (card.device, card.address, card.port) == ("192.0.2.1", "192.0.2.1", 161)
    assert (card.version, card.community, card.user) == ("2c", b"public", None)


def test_a_user_has_sha1_and_aes128_where_only_keys_are_named(keys: tuple[str, str]) -> None:
    words = ("--version", "3", "--user", "u", "--auth-key-file", keys[0], "--privacy-key-file", keys[1])
    assert snmp_card(parsed(*words, "--context", "room 2")).user == User(
        name="u",
        auth="sha1",
        auth_pass="authentication sha1",
        privacy="aes128",
        privacy_pass="privacy aes128",
        context="room 2",
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--version 3", "--version 3 needs --user."),
        ("--version 3 --user u --auth-protocol sha256", "--auth-protocol needs --auth-key-file."),
        ("--version 3 --user u --privacy-key-file KEY", "privacy needs authentication"),
        ("--version 3 --user u --auth-key-file SHORT", "authentication key is shorter than 8 signs"),
        ("--version 3 --user u --community public", "--community goes with --version 1 or 2c."),
        ("--user u --auth-protocol sha1", "--user, --auth-protocol goes with --version 3."),
    ],
)
def test_options_that_do_not_go_together_are_refused_in_words(
    tmp_path: Path, keys: tuple[str, str], words: str, says: str
) -> None:
    (tmp_path / "short").write_text("short")
    (tmp_path / "short").chmod(0o600)
    files = words.replace("KEY", keys[0]).replace("SHORT", str(tmp_path / "short"))
    with pytest.raises(CommandError, match=says):
        snmp_card(parsed(*files.split()))


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        snmp_card(parsed("--version", "3", "--user", "u", "--auth-key-file", str(tmp_path / "none")))


def test_weak_protocols_are_used_with_a_warning(keys: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--version", "3", "--user", "u", "--auth-key-file", keys[0], "--privacy-key-file", keys[1])
    snmp_card(parsed(*words, "--auth-protocol", "md5", "--privacy-protocol", "des"))
    assert capsys.readouterr().err.splitlines() == [
        "Warning: md5 can be broken; use sha256 or better where the card has it.",
        "Warning: des can be broken; use aes128 or better where the card has it.",
    ]


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("six"), objects=OBJECTS, lines=lines(), host="::1") as running:
        yield running


def test_read_reads_a_card_at_an_ipv6_address_in_version_3(
    six: Agent, keys: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["read", "--json", "--snmp", f"[::1]:{six.port}", "--definition", "rfc1628-ups", "--version", "3"]
    words += ["--user", user().name, "--auth-key-file", keys[0], "--privacy-key-file", keys[1]]
    assert run(words) == 0
    rows = {row["point"]: row["value"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["battery.charge"] == 97.0


def test_check_warns_of_weak_protocols_in_a_site_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: {id: a, name: A, contract: demo}\n"
        "credentials: {old: {version: 3, user: u, auth_protocol: md5, auth_key_file: k}}\n"
        "snmp: {devices: [{id: ups, address: '::1', credential: old}]}\n"
    )
    assert run(["check", str(tmp_path / "site.yaml")]) == 0
    assert "Warning: credentials.old: md5 can be broken; use sha256 or better" in capsys.readouterr().err


def test_a_site_file_reads_a_card_in_version_3(
    tmp_path: Path, six: Agent, keys: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: {id: a, name: A, contract: demo}\nagent: {control: none.sock}\n"
        f"credentials: {{new: {{version: 3, user: {user().name}, auth_protocol: sha1, auth_key_file: auth,\n"
        "  privacy_protocol: aes128, privacy_key_file: privacy}}\n"
        f"snmp: {{devices: [{{id: ups, address: '::1', port: {six.port}, credential: new,\n"
        "  definition: rfc1628-ups}]}\n"
    )
    assert run(["read", "--json", "--once", "--site", str(tmp_path / "site.yaml")]) == 0
    rows = {row["point"]: row["value"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["battery.charge"] == 97.0


@pytest.mark.parametrize("words", [("check",), ("read", "--once", "--site")], ids=str)
def test_a_pass_phrase_that_is_too_short_is_told_where_it_is_named(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "k").write_text("short")
    (tmp_path / "site.yaml").write_text(
        "site: {id: a, name: A, contract: demo}\nagent: {control: none.sock}\n"
        "credentials: {new: {version: 3, user: u, auth_protocol: sha1, auth_key_file: k}}\n"
        "snmp: {devices: [{id: ups, address: '::1', credential: new}]}\n"
    )
    assert run([*words, str(tmp_path / "site.yaml")]) == 1
    said = f"{tmp_path / 'k'} holds a pass phrase that is shorter than 8 signs"
    assert f"site.yaml:3: credentials.new.auth_key_file: {said}" in capsys.readouterr().err

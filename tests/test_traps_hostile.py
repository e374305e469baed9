"""Traps that are no traps, too large, or changed on their way: none costs more than a look, none proves anything."""

import contextlib
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pysnmp.proto.rfc3412 import MsgAndPduDispatcher

from collectors.snmp.traps import receiver
from collectors.snmp.traps.claim import LARGEST, MOST_BINDINGS, claim
from collectors.snmp.traps.notification import shared
from tests.peers import traps
from tests.trap_port import ENGINE_ID, PHRASE, SENDER_ENGINE, USERS, as_user, in_version_3, receiving, sender
from wire import snmp
from wire.ber import MalformedError
from wire.user import User


def scoped(bound: int, user: User, kind: int = snmp.TRAP) -> bytes:
    return in_version_3(traps.notification(bound, kind), user, bytes.fromhex(SENDER_ENGINE[2:]))


LARGE = {
    "version 2c": snmp.wrap(snmp.V2C, b"public", traps.notification(MOST_BINDINGS + 1)),
    "version 3 in the clear": scoped(MOST_BINDINGS + 1, USERS["authNoPriv"]),
    "version 3 encrypted": scoped(MOST_BINDINGS + 1, USERS["authPriv"]),
    "many octets": snmp.wrap(snmp.V2C, b"public", traps.notification(3, value=bytes(LARGEST))),
    "nested": snmp.wrap(snmp.V2C, b"public", traps.notification(3, value=bytes(200), tag=0x30)),
}


@pytest.mark.parametrize("large", LARGE.values(), ids=LARGE)
async def test_a_trap_larger_than_any_card_sends_is_refused_before_pysnmp(
    large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = (b"public", USERS["authNoPriv"], USERS["authPriv"])
    read: list[bytes] = []
    receive = MsgAndPduDispatcher.receive_message

    def receiving_of_pysnmp(*what: Any) -> None:
        read.append(what[-1])
        receive(*what)

    monkeypatch.setattr(MsgAndPduDispatcher, "receive_message", receiving_of_pysnmp)
    async with receiving(sender(*users)) as it:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(large, ("127.0.0.1", it.port))
            await it.until("malformed", 1)
            largest = scoped(MOST_BINDINGS, USERS["authPriv"])
            sending.sendto(largest, ("127.0.0.1", it.port))
        assert await it.hinted() == "ups-1"
    assert read == [largest]
    assert it.counts.wrong == 0


def test_no_secret_stands_in_what_is_logged() -> None:
    secrets = (b"public", USERS["authPriv"])
    datagram = snmp.wrap(snmp.V2C, b"public", traps.notification(2))
    letter = receiver._Letter(datagram, ("192.0.2.1", 1), claim(datagram), secrets, (("ups-1",), ("ups-1",)))
    for shown in (claim(datagram), letter, sender(*secrets), snmp.decode(datagram)):
        assert not any(secret in repr(shown) for secret in ("public", PHRASE, "battery staple"))


def read_all(datagrams: Iterable[bytes], secret: bytes | User) -> list[str | None]:
    """Give datagrams to pysnmp as the receiver does; returns what was proved of those that look like a notification."""
    engine, oids = shared(ENGINE_ID, None), []
    for datagram in datagrams:
        with contextlib.suppress(MalformedError):
            oids.append(engine.take(datagram, claim(datagram), [secret], 0.0).oid)
    return oids


def changed(datagram: bytes) -> Iterator[bytes]:
    """Give the datagram with each octet changed in three ways, and cut at each octet."""
    for at, octet in enumerate(datagram):
        for other in (octet ^ 1, octet ^ 0x80, 0xFF):
            yield datagram[:at] + bytes((other,)) + datagram[at + 1 :]
        yield datagram[:at]


@pytest.mark.parametrize("version", ["1", "2c"])
def test_a_trap_with_any_octet_changed_stops_nothing(tmp_path: Path, version: str) -> None:
    good = traps.recorded(tmp_path, "-v", version, "-c", "public")
    read_all(changed(good), b"public")
    assert read_all([good], b"public") != [None]


def test_a_version_3_trap_with_any_octet_changed_proves_nothing(tmp_path: Path) -> None:
    good = traps.recorded(tmp_path, *as_user(USERS["authPriv"]))
    assert set(read_all((each for each in changed(good) if each != good), USERS["authPriv"])) == {None}
    assert read_all([good], USERS["authPriv"]) == [traps.ON_BATTERY]

"""Traps: a hint polls a device at once, and whoever floods gets no more than a budget."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collectors.snmp.engine import Engine
from collectors.snmp.target import Target
from collectors.snmp.traps import receiver
from collectors.snmp.traps.envelope import LARGEST, envelope
from collectors.snmp.traps.gate import Sender
from collectors.snmp.traps.notification import shared
from collectors.snmp.traps.receiver import TrapCounts
from model.point import Batch
from runtime import listen
from tests.peers import traps
from tests.peers.snmp import Agent, free_port, snmpd
from wire.ber import MalformedError
from wire.user import User

UPS = "1.3.6.1.2.1.33.1"
OBJECTS = {f"{UPS}.2.1.0": ("integer", "2"), f"{UPS}.2.4.0": ("integer", "97")}


def target(device: str, port: int, *, address: str = "127.0.0.1", every: float = 60.0, timeout: float = 2.0) -> Target:
    return Target(
        device=device, address=address, port=port, community=b"public", every=every, timeout=timeout, retries=0
    )


class Polling:
    """An engine under way, and its batches as they come."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self.engine = Engine(self.batches.put_nowait)

    async def until(self, fits: Callable[[Batch], bool], *, seconds: float = 20) -> Batch:
        async with asyncio.timeout(seconds):
            while True:
                batch = await self.batches.get()
                if fits(batch):
                    return batch

    async def of(self, device: str, *, reachable: bool = True, seconds: float = 20) -> Batch:
        return await self.until(lambda b: b.device == device and b.reachable is reachable, seconds=seconds)


@contextlib.asynccontextmanager
async def polling(*targets: Target) -> AsyncIterator[Polling]:
    it = Polling()
    task = asyncio.create_task(it.engine.run(list(targets)))
    try:
        yield it
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("snmpd"), objects=OBJECTS) as running:
        yield running


# -- the hint ---------------------------------------------------------------------------------------------------------


async def test_a_hint_polls_a_device_at_once(card: Agent) -> None:
    async with polling(target("ups-1", card.port), target("ups-2", card.port)) as it:
        first = await it.of("ups-1")
        await it.of("ups-2")
        assert it.engine.hint("ups-1")
        again = await it.of("ups-1", seconds=5)
    assert again.time - first.time < 5  # its interval is 60 s


async def test_a_hint_leaves_the_regular_polls_of_a_device_when_they_were(card: Agent) -> None:
    """The other device's polls lie half an interval after those of the first, which is hinted at then."""
    async with polling(target("ups-1", card.port, every=2.0), target("half", card.port, every=2.0)) as it:
        for _ in range(2):
            before = await it.of("ups-1")
        await it.of("half")
        it.engine.hint("ups-1")
        hinted, regular = await it.of("ups-1"), await it.of("ups-1")
    assert 0.5 < hinted.time - before.time < 1.5
    assert regular.time - before.time == pytest.approx(2.0, abs=0.5)


async def test_hints_during_a_poll_are_one_poll_right_after_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.setblocking(False)
        loop = asyncio.get_running_loop()
        async with polling(target("ups-1", silent.getsockname()[1], timeout=0.3)) as it:
            await asyncio.wait_for(loop.sock_recv(silent, 4096), 5)
            for _ in range(5):
                assert it.engine.hint("ups-1")
            assert it.batches.empty()
            for _ in range(2):
                await it.of("ups-1", reachable=False, seconds=5)
            with pytest.raises(TimeoutError):
                await it.of("ups-1", reachable=False, seconds=1)


async def test_a_hint_tries_a_silent_device_at_once_and_ends_its_wait(tmp_path: Path) -> None:
    port = free_port()
    async with polling(target("ups-1", port, every=2.0, timeout=0.1)) as it:
        for _ in range(4):  # the wait is 16 s by now
            it.engine.hint("ups-1")
            await it.of("ups-1", reachable=False)
        with snmpd(tmp_path, objects=OBJECTS, port=port):
            it.engine.hint("ups-1")
            back = await it.of("ups-1", seconds=5)
            regular = await it.of("ups-1", seconds=10)
    assert regular.time - back.time < 4


async def test_a_hint_for_a_device_that_is_not_there_says_so(card: Agent) -> None:
    async with polling(target("ups-1", card.port)) as it:
        await it.of("ups-1")
        assert not it.engine.hint("ups-9")
    assert not it.engine.hint("ups-1")


# -- the receiver -----------------------------------------------------------------------------------------------------

ENGINE_ID = bytes.fromhex("80004fb8050102030405060708")
PHRASE = "correct horse"
SENDER_ENGINE = "0x8000000001020304"
USERS = {
    "noAuthNoPriv": User(name="bob"),
    "authNoPriv": User(name="ann", auth="sha256", auth_pass=PHRASE),
    "authPriv": User(name="eve", auth="sha1", auth_pass=PHRASE, privacy="aes128", privacy_pass="battery staple"),
    "aes256": User(name="ivy", auth="sha512", auth_pass=PHRASE, privacy="aes256", privacy_pass="battery staple"),
}
WORDS = {"sha1": "SHA", "sha256": "SHA-256", "sha512": "SHA-512", "aes128": "AES", "aes256": "AES-256"}


def as_user(user: User, *, engine: str | None = SENDER_ENGINE, **instead: str) -> list[str]:
    """Return snmptrap's options for a user; `instead` has other keys than are right."""
    how = ["-v", "3", "-u", user.name]
    how += ["-l", "authPriv" if user.privacy else "authNoPriv" if user.auth else "noAuthNoPriv"]
    if user.auth:
        how += ["-a", WORDS[user.auth], "-A", instead.get("auth_pass", user.auth_pass)]
    if user.privacy:
        how += ["-x", WORDS[user.privacy], "-X", instead.get("privacy_pass", user.privacy_pass)]
    return [*how, *(["-e", engine] if engine else [])]


class Told(TrapCounts):
    """Counts that say when they change."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        super().__init__()

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        self.changed.set()


class Receiving:
    """A receiver under way, and its hints as they come."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.counts = Told()
        self.hints: asyncio.Queue[str] = asyncio.Queue()

    def hint(self, device: str) -> bool:
        self.hints.put_nowait(device)
        return True

    async def hinted(self) -> str:
        async with asyncio.timeout(20):
            return await self.hints.get()

    async def until(self, field: str, count: int) -> None:
        """Wait until so many of that kind are counted."""
        async with asyncio.timeout(20):
            while getattr(self.counts, field) < count:
                self.counts.changed.clear()
                await self.counts.changed.wait()


@contextlib.asynccontextmanager
async def receiving(*senders: Sender, host: str = "127.0.0.1") -> AsyncIterator[Receiving]:
    with listen.udp(host, 0) as free:
        it = Receiving(free.getsockname()[1])
    opened = partial(listen.udp, host, it.port)
    engine = partial(shared, ENGINE_ID, None)
    task = asyncio.create_task(receiver.run(opened, senders, it.hint, it.counts, engine))
    await it.until("listening", 1)
    try:
        yield it
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def sender(*secrets: bytes | User, device: str = "ups-1", address: str = "127.0.0.1") -> Sender:
    return Sender(device=device, address=address, secrets=secrets or (b"public",))


async def sent(folder: Path, it: Receiving, *how: str, **where: Any) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(partial(traps.send, folder, it.port, *how, **where))


@pytest.mark.parametrize(
    ("version", "oid"), [("1", f"{traps.APC}.0.5"), ("2c", traps.ON_BATTERY)], ids=["version 1", "version 2c"]
)
async def test_a_trap_of_a_device_is_a_hint_whatever_agent_addr_it_bears(
    tmp_path: Path, version: str, oid: str
) -> None:
    async with receiving(sender()) as it:
        await sent(tmp_path, it, "-v", version, "-c", "public")
        assert await it.hinted() == "ups-1"
    assert it.counts.last["ups-1"][1] == oid
    assert (it.counts.received, it.counts.accepted) == (1, 1)


@pytest.mark.parametrize("level", USERS)
async def test_a_version_3_trap_is_proved_with_the_keys_of_the_engine_it_names(tmp_path: Path, level: str) -> None:
    async with receiving(sender(USERS[level])) as it:
        await sent(tmp_path, it, *as_user(USERS[level]))
        assert await it.hinted() == "ups-1"
    assert it.counts.last["ups-1"][1] == traps.ON_BATTERY


async def test_an_inform_of_version_2c_is_acknowledged(tmp_path: Path) -> None:
    async with receiving(sender()) as it:
        done = await sent(tmp_path, it, "-v", "2c", "-c", "public", inform=True)
        assert done.returncode == 0, done.stderr
        assert await it.hinted() == "ups-1"


@pytest.mark.parametrize("level", USERS)
async def test_an_inform_of_version_3_finds_our_engine_and_is_acknowledged(tmp_path: Path, level: str) -> None:
    async with receiving(sender(USERS[level])) as it:
        done = await sent(tmp_path, it, *as_user(USERS[level], engine=None), inform=True)
        assert done.returncode == 0, done.stderr
        assert await it.hinted() == "ups-1"
    assert it.counts.discoveries >= 1
    assert it.counts.wrong == 0


@pytest.mark.parametrize(
    "how",
    [
        ["-v", "2c", "-c", "private"],
        as_user(User(name="mallory", auth="sha1", auth_pass=PHRASE)),
        as_user(USERS["authPriv"], auth_pass="wrong horse"),
        as_user(User(name="eve", auth="sha1", auth_pass=PHRASE)),
        as_user(User(name="eve")),
    ],
    ids=["community", "user", "key", "level without privacy", "level without authentication"],
)
async def test_a_trap_with_wrong_credentials_is_counted_and_no_hint(tmp_path: Path, how: list[str]) -> None:
    async with receiving(sender(b"public", USERS["authPriv"])) as it:
        await sent(tmp_path, it, *how)
        await it.until("wrong", 1)
        assert it.hints.empty()
        await sent(tmp_path, it, *as_user(USERS["authPriv"]))  # and the right one after it is one
        assert await it.hinted() == "ups-1"
    assert (it.counts.received, it.counts.accepted, it.counts.wrong) == (2, 1, 1)


async def test_an_inform_with_a_wrong_key_is_not_acknowledged(tmp_path: Path) -> None:
    async with receiving(sender(USERS["authPriv"])) as it:
        done = await sent(tmp_path, it, *as_user(USERS["authPriv"], engine=None, auth_pass="wrong horse"), inform=True)
        assert done.returncode != 0
        assert it.hints.empty()


async def test_a_trap_from_an_address_of_no_device_is_counted_and_not_believed(tmp_path: Path) -> None:
    async with receiving(sender()) as it:
        await sent(tmp_path, it, "-v", "2c", "-c", "public", source="127.0.0.9")
        await it.until("unknown", 1)
    assert it.hints.empty()
    assert it.counts.accepted == 0


async def test_devices_at_one_address_are_told_apart_by_their_credentials(tmp_path: Path) -> None:
    two = (sender(b"one", device="ups-1"), sender(b"two", device="ups-2"), sender(b"two", device="ups-3"))
    async with receiving(*two) as it:
        await sent(tmp_path, it, "-v", "2c", "-c", "two")
        assert {await it.hinted(), await it.hinted()} == {"ups-2", "ups-3"}
        assert it.hints.empty()


async def test_a_device_with_a_host_name_is_known_by_its_addresses(tmp_path: Path) -> None:
    async with receiving(sender(address="localhost")) as it:
        while it.hints.empty():  # until the name has been looked up
            await sent(tmp_path, it, "-v", "2c", "-c", "public")
        assert await it.hinted() == "ups-1"


@pytest.mark.parametrize(("to", "address"), [("::1", "::1"), ("127.0.0.1", "127.0.0.1")], ids=["IPv6", "IPv4"])
async def test_a_port_of_both_families_hears_both(tmp_path: Path, to: str, address: str) -> None:
    async with receiving(sender(address=address), host="::") as it:
        await sent(tmp_path, it, "-v", "2c", "-c", "public", to=to, source=address, inform=True)
        assert await it.hinted() == "ups-1"


async def test_what_is_no_trap_is_counted_and_the_next_trap_is_read(tmp_path: Path) -> None:
    good = await asyncio.to_thread(traps.recorded, tmp_path, "-v", "2c", "-c", "public")
    junk = [b"", b"\x30", good[:-1], good + b"\0", b"\xff" * 3000, good[:-3] + b"\xff\xff\xff", bytes(LARGEST + 1)]
    async with receiving(sender()) as it:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
            for datagram in junk:
                noise.sendto(datagram, ("127.0.0.1", it.port))
            noise.sendto(good, ("127.0.0.1", it.port))
        assert await it.hinted() == "ups-1"
    assert (it.counts.malformed, it.counts.accepted) == (len(junk), 1)


async def test_a_port_that_cannot_be_had_is_told_and_tried_again(tmp_path: Path, caplog: Any) -> None:
    with listen.udp("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        it = Receiving(port)
        opened, engine = partial(listen.udp, "127.0.0.1", port), partial(shared, ENGINE_ID, None)
        task = asyncio.create_task(receiver.run(opened, [sender()], it.hint, it.counts, engine, retry=0.01))
        it.counts.changed.clear()
        await asyncio.wait_for(it.counts.changed.wait(), 20)
        assert it.counts.listening == 0
        assert it.counts.trouble == caplog.messages[0]
    await it.until("listening", 1)
    task.cancel()
    told = f"traps are not received: UDP 127.0.0.1:{port} cannot be opened: Address already in use; polling goes on"
    assert caplog.messages[0] == told
    assert it.counts.trouble == ""


# -- hostile octets ---------------------------------------------------------------------------------------------------


def read_all(datagrams: Iterable[bytes], secret: bytes | User) -> list[str | None]:
    """Give datagrams to pysnmp as the receiver does; returns what was proved of those that look like a notification."""
    engine, oids = shared(ENGINE_ID, None), []
    for datagram in datagrams:
        with contextlib.suppress(MalformedError):
            oids.append(engine.take(datagram, envelope(datagram), secret, 0.0).oid)
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

"""The engine on a real socket: against net-snmp, and against peers that misbehave as the net does."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.snmp.engine import RAREST_SECONDS, Counts, pause, read_once, recognise_once, run
from collectors.snmp.plan import SYS_OBJECT_ID, SYS_UPTIME, Recognition
from collectors.snmp.target import Target
from model.point import Batch, Quality
from tests.peers.snmp import Agent, free_port, snmpd
from tests.under_way import under_way
from wire import ber, snmp
from wire.refusal import Refusal
from wire.snmp import Absent, Message, Pdu, VarBind

UPS = "1.3.6.1.2.1.33.1"
OBJECTS = {
    f"{UPS}.2.1.0": ("integer", "2"),
    f"{UPS}.2.4.0": ("integer", "97"),
    f"{UPS}.2.5.0": ("integer", "2184"),
    f"{UPS}.3.3.1.3.1": ("integer", "231"),
    f"{UPS}.6.1.0": ("uinteger", "0"),
}


def target(port: int, *, device: str = "ups-1", every: float = 0.2, timeout: float = 0.3, retries: int = 1) -> Target:
    return Target(
        device=device,
        address="127.0.0.1",
        port=port,
        community=b"public",
        every=every,
        timeout=timeout,
        retries=retries,
    )


class Watching:
    """An engine under way, and its batches as they come."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()
        self.seen: list[Recognition] = []
        self.counts = Counts()

    async def until(self, fits: Callable[[Batch], bool], *, seconds: float = 20) -> Batch:
        async with asyncio.timeout(seconds):
            while True:
                batch = await self.batches.get()
                if fits(batch):
                    return batch


@contextlib.asynccontextmanager
async def watching(*targets: Target) -> AsyncIterator[Watching]:
    it = Watching()
    async with under_way(run(targets, it.batches.put_nowait, recognised=it.seen.append, counts=it.counts)):
        yield it


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("snmpd"), objects=OBJECTS) as running:
        yield running


async def test_net_snmp_is_read_once_with_its_oids_as_sources(agent: Agent) -> None:
    batch = await read_once(target(agent.port, timeout=5))
    assert batch.reachable
    by_id = {reading.point.id: reading for reading in batch.readings}
    assert by_id["battery.voltage"].value == 218.4
    assert by_id["battery.voltage"].point.source == f"{UPS}.2.5.0"
    assert by_id["input.voltage[phase=1]"].value == 231.0
    assert by_id["alarm.status[alarm=onBattery]"].value == "clear"
    assert by_id["device.uptime"].value is not None


async def test_net_snmp_that_speaks_version_1_alone_is_read(tmp_path: Path) -> None:
    lines = ["com2sec only1 default one", "group only1 v1 only1", "view all included .1"]
    lines += ["access only1 '' any noauth exact all none none"]
    with snmpd(tmp_path, objects=OBJECTS, lines=lines) as old:
        one = Target(device="ups-1", address="127.0.0.1", port=old.port, community=b"one", timeout=0.5, retries=1)
        batch = await read_once(one)
    assert batch.reachable
    assert {r.point.id: r.value for r in batch.readings}["battery.charge"] == 97.0


async def test_a_host_name_is_looked_up(agent: Agent) -> None:
    named = Target(device="ups-1", address="localhost", port=agent.port, community=b"public")
    assert (await read_once(named)).reachable


async def test_a_host_name_that_means_nothing_is_unreachable_and_says_so() -> None:
    named = Target(device="ups-1", address="no-such-card.invalid", community=b"public")
    batch = await read_once(named)
    assert not batch.reachable
    assert batch.error.startswith("no-such-card.invalid has no address")


async def test_what_a_device_is_is_told_when_it_is_met(agent: Agent) -> None:
    _, recognition = await recognise_once(target(agent.port, timeout=5))
    assert recognition is not None
    assert "rfc1628-ups" in recognition.definitions
    assert recognition.sys_object_id == "1.3.6.1.4.1.8072.3.2.10"


async def test_a_wrong_community_is_silence(agent: Agent) -> None:
    wrong = Target(device="ups-1", address="127.0.0.1", port=agent.port, community=b"wrong", timeout=0.1, retries=1)
    batch, recognition = await recognise_once(wrong)
    assert not batch.reachable
    assert recognition is None
    assert batch.error == f"no answer from 127.0.0.1:{agent.port} in 2 x 0.1 s, nor in version 1"


async def test_an_agent_that_stops_makes_all_unavailable_and_one_that_starts_again_is_read(tmp_path: Path) -> None:
    port = free_port()
    with snmpd(tmp_path, objects=OBJECTS, port=port):
        async with watching(target(port)) as it:
            before = await it.until(lambda batch: batch.reachable)
    async with watching(target(port)) as it:
        with snmpd(tmp_path, objects=OBJECTS, port=port) as running:
            met = await it.until(lambda batch: batch.reachable)
            running.process.kill()
            lost = await it.until(lambda batch: not batch.reachable and len(batch.readings) > 1)
        with snmpd(tmp_path, objects=OBJECTS, port=port):
            again = await it.until(lambda batch: batch.reachable)
    points = {reading.point.id for reading in before.readings}
    assert {reading.point.id for reading in met.readings} == points
    assert {reading.point.id for reading in lost.readings} == points
    assert {reading.quality for reading in lost.readings} == {Quality.UNAVAILABLE}
    assert {reading.point.id for reading in again.readings} == points


async def test_alarms_of_a_card_whose_count_of_alarms_is_gone_are_unavailable_and_never_clear(tmp_path: Path) -> None:
    alarm = {f"{UPS}.6.1.0": ("uinteger", "1"), f"{UPS}.6.2.1.2.1": ("object_id", f"{UPS}.6.3.2")}
    here = msgspec.structs.replace(target(free_port(), timeout=2), definition="rfc1628-ups")

    def on_battery(batch: Batch) -> list[float | str | None]:
        return [each.value for each in batch.readings if each.point.id == "alarm.status[alarm=onBattery]"]

    async with watching(here) as it:
        with snmpd(tmp_path, objects=OBJECTS | alarm, port=here.port):
            assert on_battery(await it.until(lambda batch: batch.reachable)) == ["active"]
        gone = {oid: value for oid, value in OBJECTS.items() if oid != f"{UPS}.6.1.0"}
        with snmpd(tmp_path, objects=gone, port=here.port):
            after = [await it.until(lambda batch: batch.reachable) for _ in range(5)]
    assert [on_battery(batch) for batch in after] == [[None]] * 5


async def test_dead_devices_cost_the_living_nothing(agent: Agent) -> None:
    silent = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(50)]
    for each in silent:
        each.bind(("127.0.0.1", 0))
    dead = [target(each.getsockname()[1], device=f"dead-{at}") for at, each in enumerate(silent)]
    try:
        async with watching(target(agent.port, device="alive"), *dead) as it:
            alive = [await it.until(lambda batch: batch.device == "alive") for _ in range(12)]
    finally:
        for each in silent:
            each.close()
    assert all(batch.reachable for batch in alive)
    gaps = [later.time - earlier.time for earlier, later in pairwise(alive)]
    assert max(gaps) < 1.5  # fifty waits of 0.3 s one after the other would be 15 s


@pytest.mark.parametrize(("unanswered", "seconds"), [(0, 15), (1, 15), (2, 30), (3, 60), (4, 60), (5000, 60)], ids=str)
def test_a_silent_card_is_asked_half_as_often_each_time_but_once_a_minute(unanswered: int, seconds: float) -> None:
    assert pause(15.0, unanswered) == seconds
    assert pause(600.0, unanswered) == 600.0
    assert RAREST_SECONDS == 60.0


async def test_an_error_in_what_takes_the_batches_ends_the_engine_with_it(agent: Agent) -> None:
    def broken(batch: Batch) -> None:
        raise LookupError(batch.device)

    with pytest.raises(LookupError, match="ups-1"):
        async with asyncio.timeout(10):
            await run([target(agent.port)], broken)


# -- peers that misbehave ---------------------------------------------------------------------------------------------

Send = Callable[[bytes], None]
CARD = {SYS_OBJECT_ID: "1.3.6.1.4.1.99999", SYS_UPTIME: 100}


class Misbehaving(asyncio.DatagramProtocol):
    """A card on loopback whose answers are sent, changed or doubled by `deliver`."""

    def __init__(self, deliver: Callable[[bytes, Send, Send], None]) -> None:
        self.deliver = deliver
        self.elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = snmp.decode(data).pdu
        binds = tuple(bound(bind.oid) for bind in asked.varbinds)
        reply = snmp.encode(Message(snmp.V2C, b"public", Pdu(snmp.RESPONSE, asked.request_id, 0, 0, binds)))
        self.deliver(reply, lambda octets: self.transport.sendto(octets, addr), lambda o: self._other(o, addr))

    def _other(self, octets: bytes, addr: tuple[str, int]) -> None:
        self.elsewhere.sendto(octets, addr)


def bound(oid: str) -> VarBind:
    value = CARD.get(oid, Absent.NO_SUCH_OBJECT)
    if isinstance(value, Absent):
        return VarBind(oid, value.value, value)
    return VarBind(oid, ber.OBJECT_IDENTIFIER if isinstance(value, str) else snmp.TIME_TICKS, value)


@contextlib.asynccontextmanager
async def misbehaving(deliver: Callable[[bytes, Send, Send], None]) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(lambda: Misbehaving(deliver), local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
        peer.elsewhere.close()


async def test_a_reply_that_comes_twice_counts_once() -> None:
    def twice(reply: bytes, send: Send, other: Send) -> None:
        send(reply)
        send(reply)

    async with misbehaving(twice) as port, watching(target(port, timeout=5)) as it:
        for _ in range(3):
            assert (await it.until(lambda batch: True)).reachable
        assert it.counts.refused[Refusal.STALE] >= it.counts.sent - 1
        assert it.counts.silences == 0


async def test_a_reply_from_elsewhere_is_dropped() -> None:
    async with misbehaving(lambda reply, send, other: other(reply)) as port, watching(target(port)) as it:
        assert not (await it.until(lambda batch: True)).reachable
        assert it.counts.refused[Refusal.FOREIGN] >= 2


async def test_a_reply_to_nothing_that_was_asked_is_dropped() -> None:
    def wrong(reply: bytes, send: Send, other: Send) -> None:
        message = snmp.decode(reply)
        pdu = Pdu(message.pdu.kind, message.pdu.request_id ^ 1, 0, 0, message.pdu.varbinds)
        send(snmp.encode(Message(message.version, message.community, pdu)))

    async with misbehaving(wrong) as port, watching(target(port)) as it:
        assert not (await it.until(lambda batch: True)).reachable
        assert it.counts.refused[Refusal.STALE] >= 2


async def test_garbage_before_a_reply_is_dropped_and_the_reply_counts() -> None:
    def garbage(reply: bytes, send: Send, other: Send) -> None:
        for junk in (b"", b"\x30", reply[:-1], reply + b"\0", b"\xff" * 2000):
            send(junk)
        send(reply)

    async with misbehaving(garbage) as port, watching(target(port, timeout=5)) as it:
        batch = await it.until(lambda batch: True)
        assert batch.reachable
        assert batch.error.startswith("not recognised: no definition serves sysObjectID 1.3.6.1.4.1.99999")
        assert it.counts.malformed >= 5
        assert it.counts.refused[Refusal.TRUNCATED] >= 3
        assert it.counts.refused[Refusal.OVERSIZED] >= 1


async def test_a_request_that_comes_back_as_it_went_is_no_reply() -> None:
    async def asked_back(port: int) -> Batch:
        return await read_once(target(port, timeout=0.1))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mirror:
        mirror.bind(("127.0.0.1", 0))
        mirror.setblocking(False)
        loop = asyncio.get_running_loop()

        async def reflect() -> None:
            while True:
                octets, source = await loop.sock_recvfrom(mirror, 4096)
                await loop.sock_sendto(mirror, octets, source)

        reflecting = asyncio.create_task(reflect())
        batch = await asked_back(mirror.getsockname()[1])
        reflecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reflecting
    assert not batch.reachable

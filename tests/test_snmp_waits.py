"""The poller's manners: how long it waits, what it repeats, how it treats the dead, and where it finds a name."""

import asyncio
import collections
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.snmp import names as names_module
from collectors.snmp.contact import FIRST_WAIT, LEAST_WAIT, Patience
from collectors.snmp.engine import DEAD_AFTER, MOST_PROBES, Engine
from collectors.snmp.names import DOUBT_SECONDS, KEEP_SECONDS, MOST_DOUBTFUL, MOST_LOOKUPS, Names
from collectors.snmp.sockets import literal
from collectors.snmp.target import Target
from model.point import Batch
from tests.peers.proxy import Relay, relayed
from tests.peers.snmp import Agent, snmpd
from tests.snmp_v3 import OBJECTS, charge, polled, polling
from tests.under_way import under_way


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("waits"), objects=OBJECTS) as running:
        yield running


def card(port: int, **more: Any) -> Target:
    settings: dict[str, Any] = {"address": "127.0.0.1", "community": b"public", "definition": "rfc1628-ups"}
    settings |= {"timeout": 2.0, "retries": 0, "every": 0.05} | more
    return Target(device="ups-1", port=port, **settings)


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_the_wait_follows_what_a_card_takes_and_how_much_that_varies() -> None:
    patience = Patience()
    assert patience.wait == FIRST_WAIT
    patience.took(0.4)
    assert patience.wait == pytest.approx(0.4 + 4 * 0.2)
    for _ in range(50):
        patience.took(0.4)
    assert patience.wait == pytest.approx(0.4, abs=0.01)
    patience.took(2.0)
    assert patience.wait > 2.0


def test_a_fast_card_is_not_hurried_below_the_least_wait() -> None:
    patience = Patience()
    for _ in range(50):
        patience.took(0.001)
    assert patience.wait == LEAST_WAIT


async def test_a_datagram_lost_now_and_then_is_made_up_for_within_the_same_try(agent: Agent) -> None:
    heard: list[bytes] = []

    def lossy(reply: bytes, relay: Relay) -> list[bytes]:
        heard.append(reply)
        return [] if len(heard) % 4 == 3 else [reply]

    async with relayed(agent.port, lossy) as relay, polling(card(relay.port)) as it:
        batches = [await it.next() for _ in range(6)]
    assert [charge(batch) for batch in batches] == [97.0] * 6
    assert it.counts.silences == 0
    assert it.counts.repeats >= 2


async def test_a_card_that_turns_slow_is_given_its_whole_timeout(agent: Agent) -> None:
    late = 0.0

    def slow(reply: bytes, relay: Relay) -> list[bytes]:
        asyncio.get_running_loop().call_later(late, relay.send, reply)
        return []

    async with relayed(agent.port, slow) as relay, polling(card(relay.port)) as it:
        assert charge(await it.next()) == 97.0
        late = 3 * LEAST_WAIT
        batches = [await it.next() for _ in range(2)]
    assert [charge(batch) for batch in batches] == [97.0] * 2
    assert it.counts.silences == 0


# -- the dead ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def silent_ports(count: int) -> Iterator[list[int]]:
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in opened]


async def test_only_so_many_of_the_dead_are_asked_at_a_time_and_each_has_its_turn() -> None:
    batches: dict[str, int] = {}
    most = 0
    done = asyncio.Event()

    def emit(batch: Batch) -> None:
        nonlocal most
        most = max(most, len(engine._probes))
        batches[batch.device] = batches.get(batch.device, 0) + 1
        if len(batches) == 3 * MOST_PROBES and min(batches.values()) >= 4:
            done.set()

    engine = Engine(emit)
    with silent_ports(3 * MOST_PROBES) as ports:
        dead = [msgspec.structs.replace(card(port, timeout=0.05), device=f"dead-{port}") for port in ports]
        task = asyncio.create_task(engine.run(dead))
        async with asyncio.timeout(30):
            await done.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert most == MOST_PROBES - 1  # it is counted when one has just ended


async def test_a_dead_card_that_waits_for_its_turn_is_tried_at_once_when_something_is_heard_of_it() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    engine = Engine(lambda batch: heard.put_nowait(batch.device))
    with silent_ports(3 * MOST_PROBES) as ports:
        dead = [msgspec.structs.replace(card(port, timeout=0.05), device=f"dead-{port}") for port in ports]
        task = asyncio.create_task(engine.run(dead))
        async with asyncio.timeout(30):
            while not engine._waiting:
                await heard.get()
            waiting = engine._waiting[-1][1]
            assert engine.hint(waiting.target.device)
            assert waiting in engine._probes
            assert all(each is not waiting for _, each in engine._waiting)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_silent_card_is_sent_nothing_twice() -> None:
    with silent_ports(1) as (port,):
        async with polling(card(port, timeout=0.3, version="1")) as it:
            for _ in range(3):
                assert not (await it.next()).reachable
            assert it.counts.repeats == 0


async def test_what_cannot_be_sent_is_told() -> None:
    batch, _ = await polled(card(161, address="255.255.255.255", timeout=0.05))
    assert batch.error.endswith("nothing could be sent: Permission denied")


# -- places and names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.1", ("192.0.2.1", 161)),
        ("::ffff:192.0.2.1", ("192.0.2.1", 161)),
        ("2001:DB8:0::1", ("2001:db8::1", 161, 0, 0)),
        ("fe80::1%lo", ("fe80::1", 161, 0, socket.if_nametoindex("lo"))),
        ("fe80::1%1", ("fe80::1", 161, 0, 1)),
        ("ff02::1%1", ("ff02::1", 161, 0, 1)),
        ("2001:db8::1%1", ("2001:db8::1", 161, 0, 0)),
        ("::1%lo", ("::1", 161, 0, 0)),
        ("ups-1.example.org", None),
    ],
)
def test_an_address_is_found_as_the_socket_has_it(written: str, address: object) -> None:
    assert literal(written, 161) == address


async def test_an_interface_that_is_not_there_is_told() -> None:
    batch, _ = await polled(card(161, address="fe80::1%nowhere0"))
    assert batch.error.startswith("fe80::1%nowhere0 has no address")


async def test_a_card_that_is_written_with_a_scope_it_does_not_have_is_read(tmp_path: Path) -> None:
    with snmpd(tmp_path, objects=OBJECTS, host="::1") as six:
        batch, _ = await polled(card(six.port, address="::1%lo"))
    assert charge(batch) == 97.0


async def batches_of_each(
    engine: Engine, batches: asyncio.Queue[Batch], targets: list[Target], wanted: dict[str, int]
) -> dict[str, list[Batch]]:
    """Let an engine poll until each device has had so many batches; return them."""
    seen: dict[str, list[Batch]] = {device: [] for device in wanted}
    async with under_way(engine.run(targets)), asyncio.timeout(20):
        while any(len(seen[device]) < number for device, number in wanted.items()):
            batch = await batches.get()
            seen[batch.device].append(batch)
    return seen


@pytest.mark.parametrize("address", ["fe80::1%\u00b2", "fe80::1%99999999999", "x" * 64 + ".example"])
async def test_an_address_that_nothing_can_be_sent_to_is_told_and_the_others_are_polled(
    agent: Agent, address: str
) -> None:
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    bad = msgspec.structs.replace(card(161, address=address), device="bad")
    seen = await batches_of_each(Engine(batches.put_nowait), batches, [bad, card(agent.port)], {"bad": 2, "ups-1": 5})
    assert all(batch.error.startswith(f"{address} has no address: ") for batch in seen["bad"])
    assert all(batch.reachable for batch in seen["ups-1"])


async def test_a_fault_of_ours_in_sending_is_the_batch_of_that_card_alone(agent: Agent) -> None:
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    engine = Engine(batches.put_nowait)
    broken = msgspec.structs.replace(card(1, community="no octets"), device="broken")
    seen = await batches_of_each(engine, batches, [broken, card(agent.port)], {"broken": 2, "ups-1": 3})
    assert all(batch.error.startswith("the poll failed: ") for batch in seen["broken"])
    assert all(batch.reachable for batch in seen["ups-1"])


class Resolver:
    """The edge of the process: what getaddrinfo says, and how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers: list[str] = ["::1", "127.0.0.1"]

    def __call__(self, host: str, port: int, *, type: int) -> list[Any]:  # noqa: A002 - its name there
        self.asked += 1
        if not self.answers:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in self.answers]
        places: list[Any] = [(each, 0, 0, 0) if ":" in each else (each, 0) for each in self.answers]
        return [(family, type, 17, "", place) for family, place in zip(families, places, strict=True)]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(names_module.socket, "getaddrinfo", made)
    return made


@contextlib.asynccontextmanager
async def known_names() -> AsyncIterator[tuple[Names, Clock]]:
    clock = Clock()
    names = Names(clock)
    try:
        yield names, clock
    finally:
        names.close()


async def settled(names: Names) -> None:
    while names._asking:
        await asyncio.wait(names._asking.values())


async def test_a_name_is_looked_up_once_for_all_who_ask_and_ipv4_comes_first(resolver: Resolver) -> None:
    async with known_names() as (names, _):
        assert names.known("card", 161, 0) is None
        found = await asyncio.gather(*(names.find("card", 161) for _ in range(5)))
        assert found == [("127.0.0.1", 161)] * 5
        assert resolver.asked == 1
        assert names.known("card", 162, 0) == ("127.0.0.1", 162)
        assert names.known("card", 161, 1) == ("::1", 161, 0, 0)  # a card that does not answer may be at the other


async def test_an_old_name_is_used_while_it_is_looked_up_anew(resolver: Resolver) -> None:
    async with known_names() as (names, clock):
        await names.find("card", 161)
        resolver.answers = ["192.0.2.7"]
        clock.now = KEEP_SECONDS - 1
        names.known("card", 161, 0)
        await settled(names)
        assert resolver.asked == 1
        clock.now = KEEP_SECONDS
        assert names.known("card", 161, 0) == ("127.0.0.1", 161)
        await settled(names)
        assert names.known("card", 161, 0) == ("192.0.2.7", 161)


async def test_a_card_that_is_silent_has_its_name_looked_up_sooner(resolver: Resolver) -> None:
    async with known_names() as (names, clock):
        await names.find("card", 161)
        clock.now = DOUBT_SECONDS
        names.known("card", 161, 0)
        await settled(names)
        assert resolver.asked == 1
        names.known("card", 161, 2)
        await settled(names)
        assert resolver.asked == 2


async def test_a_name_server_that_is_gone_takes_no_card_with_it(resolver: Resolver) -> None:
    async with known_names() as (names, clock):
        await names.find("card", 161)
        resolver.answers = []
        clock.now = 10 * KEEP_SECONDS
        names.known("card", 161, 0)
        await settled(names)
        assert names.known("card", 161, 0) == ("127.0.0.1", 161)
        with pytest.raises(OSError, match="Temporary failure"):
            await names.find("another", 161)


class Hanging:
    """A resolver that hangs for names that begin with "dead", until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *, type: int) -> list[Any]:  # noqa: A002 - its name there
        self.asked.append(host)
        if host.startswith("dead"):
            self.let_go.wait(30)
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return [(socket.AF_INET, type, 17, "", ("127.0.0.1", 0))]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    made = Hanging()
    monkeypatch.setattr(names_module.socket, "getaddrinfo", made)
    yield made
    made.let_go.set()


async def test_names_whose_lookups_hang_hold_up_neither_a_good_name_nor_the_end(hanging: Hanging) -> None:
    async with known_names() as (names, _), asyncio.timeout(10):
        hung = [asyncio.ensure_future(names.find(f"dead-{number}", 161)) for number in range(MOST_LOOKUPS - 1)]
        assert await names.find("good", 161) == ("127.0.0.1", 161)
    await asyncio.wait(hung)
    assert all(each.cancelled() for each in hung)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("name dead-"))


async def test_names_that_failed_before_leave_room_for_names_asked_for_the_first_time(hanging: Hanging) -> None:
    async with known_names() as (names, _), asyncio.timeout(20):
        dead = [f"dead-{number}" for number in range(2 * MOST_LOOKUPS)]
        hanging.let_go.set()
        await asyncio.gather(*(names.find(host, 161) for host in dead), return_exceptions=True)
        assert sorted(hanging.asked) == sorted(dead)
        hanging.let_go.clear()
        hung = [asyncio.ensure_future(names.find(host, 161)) for host in dead]
        assert await names.find("good", 161) == ("127.0.0.1", 161)
        assert len(hanging.asked) == len(dead) + MOST_DOUBTFUL + 1
        hanging.let_go.set()
        assert {type(each) for each in await asyncio.gather(*hung, return_exceptions=True)} == {socket.gaierror}


async def test_names_whose_lookups_hang_take_no_turn_of_the_silent_cards(hanging: Hanging) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    engine = Engine(lambda batch: heard.put_nowait(batch.device))
    with silent_ports(1) as (port,):
        named = [
            msgspec.structs.replace(card(port, address=f"dead-{number}"), device=f"dead-{number}")
            for number in range(MOST_PROBES + 8)
        ]
        silent = msgspec.structs.replace(card(port, timeout=0.05), device="silent")
        task = asyncio.create_task(engine.run([*named, silent]))
        hanging.let_go.set()
        polls: collections.Counter[str] = collections.Counter()
        async with asyncio.timeout(30):
            while len(polls) < len(named) + 1 or min(polls.values()) < DEAD_AFTER:
                polls[await heard.get()] += 1
            hanging.let_go.clear()
            while len(engine._resolving) < len(named):
                await heard.get()
            assert not engine._waiting
            before = polls["silent"]
            while polls["silent"] < before + 2:
                polls[await heard.get()] += 1
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

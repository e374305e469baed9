"""Version 3 against net-snmp's agent: every protocol, every wrong secret, agents that start anew or are replaced."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.snmp.engine import Engine
from collectors.snmp.target import Target
from model.point import Batch
from tests.peers.proxy import Relay, relayed
from tests.peers.snmp import Agent, snmpd
from tests.snmp_v3 import (
    ANOTHER,
    AUTHS,
    CHARGE,
    ENGINE,
    OBJECTS,
    PRIVACIES,
    card,
    charge,
    lines,
    polled,
    polling,
    proved,
    user,
)
from wire import snmp3
from wire.refusal import Refusal
from wire.user import AuthProtocol, PrivacyProtocol, User


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with snmpd(tmp_path_factory.mktemp("v3"), objects=OBJECTS, lines=lines()) as running:
        yield running


# -- every protocol ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("privacy", [None, *PRIVACIES])
@pytest.mark.parametrize("auth", AUTHS)
async def test_every_pair_of_protocols_reads_net_snmp(
    agent: Agent, auth: AuthProtocol, privacy: PrivacyProtocol | None
) -> None:
    batch, refused = await polled(card(agent.port, user(auth, privacy), timeout=5))
    assert charge(batch) == 97.0
    assert refused == {}


async def test_a_user_without_protocols_reads_net_snmp(agent: Agent) -> None:
    batch, refused = await polled(card(agent.port, user(None, None), timeout=5))
    assert charge(batch) == 97.0
    assert refused == {}


async def test_one_engine_reads_version_1_2c_and_3_beside_each_other(agent: Agent) -> None:
    place: dict[str, Any] = {"address": "127.0.0.1", "port": agent.port, "definition": "rfc1628-ups"}
    old, newer = (
        Target(device="v1", version="1", community=b"public", **place),
        Target(device="v2c", community=b"public", **place),
    )
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    task = asyncio.create_task(Engine(batches.put_nowait).run([card(agent.port, timeout=5, every=15.0), old, newer]))
    async with asyncio.timeout(20):
        read = [await batches.get() for _ in range(3)]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert {batch.device: charge(batch) for batch in read} == {"ups-1": 97.0, "v1": 97.0, "v2c": 97.0}


async def test_a_card_at_an_ipv6_address_is_read(tmp_path: Path) -> None:
    with snmpd(tmp_path, objects=OBJECTS, lines=lines(), host="::1") as six:
        batch, _ = await polled(card(six.port, address="::1", timeout=5))
        community = Target(device="ups-1", address="::1", port=six.port, community=b"public", timeout=5)
        again, _ = await polled(community)
    assert charge(batch) == charge(again) == 97.0


# -- wrong secrets ----------------------------------------------------------------------------------------------------

ONLY_CLEAR = "its digest is right, and it answers nothing encrypted: check the privacy protocol and key"
WRONG: list[tuple[str, dict[str, Any], Refusal | None, str]] = [
    ("user", {"name": "nobody"}, Refusal.REPORTED_UNKNOWN_USER, "it knows no user nobody"),
    (
        "authentication key",
        {"auth_pass": "not the same"},
        Refusal.REPORTED_WRONG_DIGEST,
        "it says that the digest is wrong: check the authentication protocol and its key",
    ),
    (
        "authentication protocol",
        {"auth": "sha256"},
        Refusal.REPORTED_WRONG_DIGEST,
        "it says that the digest is wrong: check the authentication protocol and its key",
    ),
    (
        "privacy key",
        {"privacy_pass": "not the same"},
        None,  # net-snmp says nothing; that the digest was right was found out
        ONLY_CLEAR,
    ),
    (
        "privacy protocol",
        {"privacy": "aes256"},
        None,
        ONLY_CLEAR,
    ),
    (
        "level",
        {"privacy": None, "privacy_pass": ""},
        Refusal.REPORTED_ACCESS,
        "it gives user u-sha1-aes128 nothing at this security level: check what that user may read there",
    ),
    (
        "no level at all",
        {"privacy": None, "privacy_pass": "", "auth": None, "auth_pass": ""},
        Refusal.REPORTED_ACCESS,
        "it gives user u-sha1-aes128 nothing at this security level: check what that user may read there",
    ),
    (
        "context",
        {"context": "room 9"},
        None,
        f"{ONLY_CLEAR}, or that it has the context room 9",
    ),
]


@pytest.mark.parametrize(("what", "change", "reason", "says"), WRONG, ids=[each[0] for each in WRONG])
async def test_what_is_wrong_of_ours_is_told_with_what_to_check(
    agent: Agent, what: str, change: dict[str, Any], reason: Refusal | None, says: str
) -> None:
    batch, refused = await polled(card(agent.port, msgspec.structs.replace(user(), **change), retries=2))
    assert not batch.reachable
    assert charge(batch) is None
    away = f"refused by 127.0.0.1:{agent.port}: {says}"
    silent = f"no answer from 127.0.0.1:{agent.port} in 3 x 0.3 s; {says}"
    assert batch.error == (away if reason is Refusal.REPORTED_ACCESS else silent)
    assert set(refused) == ({reason} if reason else set())


async def test_a_level_that_the_user_has_no_key_for_is_told(agent: Agent) -> None:
    plain = msgspec.structs.replace(user("sha1", None), privacy="aes128", privacy_pass="invented here")
    batch, refused = await polled(card(agent.port, plain))
    assert set(refused) == {Refusal.REPORTED_LEVEL}
    assert "refuses user u-sha1-None at this security level" in batch.error


# -- agents that start again, and that are replaced -------------------------------------------------------------------


@contextlib.contextmanager
def two_agents(folder: Path, *, engine_id: bytes, boots: int) -> Iterator[tuple[Agent, Agent]]:
    """The agent, and what stands in its place later."""
    (folder / "before").mkdir()
    (folder / "after").mkdir()
    with (
        snmpd(folder / "before", objects=OBJECTS, lines=lines(boots=100)) as before,
        snmpd(folder / "after", objects={CHARGE: ("integer", "55")}, lines=lines(engine_id, boots)) as after,
    ):
        yield before, after


AFTER = [
    pytest.param(ENGINE, 200, Refusal.REPORTED_NOT_IN_TIME_WINDOW, id="started anew, its boots counted"),
    pytest.param(ENGINE, 1, Refusal.REPORTED_NOT_IN_TIME_WINDOW, id="started anew, its boots forgotten"),
    pytest.param(ANOTHER, 1, Refusal.REPORTED_UNKNOWN_ENGINE, id="replaced"),
]


@pytest.mark.parametrize(("engine_id", "boots", "reason"), AFTER)
@pytest.mark.parametrize("who", [user("sha1", None), user("sha256", "aes128")], ids=str)
async def test_an_agent_that_starts_anew_or_is_replaced_is_agreed_with_again_within_the_poll(
    tmp_path: Path, engine_id: bytes, boots: int, reason: Refusal, who: User
) -> None:
    with two_agents(tmp_path, engine_id=engine_id, boots=boots) as (before, after):
        async with relayed(before.port) as relay, polling(card(relay.port, who, timeout=5)) as it:
            assert charge(await it.next()) == 97.0
            assert it.refused() == {}
            relay.forward_to = after.port
            batches = [await it.next() for _ in range(4)]
    assert all(batch.reachable for batch in batches)
    assert charge(batches[-1]) == 55.0
    assert it.refused() == {reason: 1}
    assert it.counts.silences == 0


async def test_a_card_that_comes_back_with_another_privacy_key_is_not_said_to_have_a_clock_that_is_wrong(
    tmp_path: Path,
) -> None:
    own = [f'createUser mine SHA "authentication" AES "{phrase}"' for phrase in ("privacy phrase", "another phrase")]
    agents = [
        [f"{name} 0x{ENGINE.hex()}" for name in ("exactEngineID", "oldEngineID")]
        + [f"engineBoots {boots}", made, "rouser mine priv"]
        for boots, made in zip((5, 9), own, strict=True)
    ]
    who = User(name="mine", auth="sha1", auth_pass="authentication", privacy="aes128", privacy_pass="privacy phrase")
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    with (
        snmpd(tmp_path / "before", lines=agents[0]) as before,
        snmpd(tmp_path / "after", lines=agents[1]) as after,
    ):
        target = msgspec.structs.replace(card(before.port, who), definition="auto")
        async with relayed(before.port) as relay, polling(msgspec.structs.replace(target, port=relay.port)) as it:
            assert (await it.next()).reachable
            relay.forward_to = after.port
            batches = [await it.next() for _ in range(4)]
    assert [batch.reachable for batch in batches] == [False] * 4
    assert batches[0].error.partition("; ")[2] == ONLY_CLEAR
    assert not any("clock" in batch.error for batch in batches)


async def test_requests_and_the_answers_that_were_believed_are_counted_alike(agent: Agent) -> None:
    def noise(reply: bytes, relay: Relay) -> list[bytes]:
        return [b"noise", reply[:-1], reply]

    async with relayed(agent.port, noise) as relay, polling(card(relay.port, timeout=5)) as it:
        for _ in range(3):
            assert (await it.next()).reachable
        assert it.counts.sent - 1 <= it.counts.answered <= it.counts.sent  # a next poll may have begun
        assert it.counts.received >= 3 * it.counts.answered


async def test_a_replaced_card_that_ignores_what_is_not_for_it_is_found_again(tmp_path: Path) -> None:
    def mute(reply: bytes, relay: Relay) -> list[bytes]:
        unknown = not proved(reply) and snmp3.read(relay.asked).engine_id == ENGINE and relay.forward_to == after.port
        return [] if unknown else [reply]

    with two_agents(tmp_path, engine_id=ANOTHER, boots=1) as (before, after):
        async with relayed(before.port, mute) as relay, polling(card(relay.port, timeout=0.2, retries=0)) as it:
            assert charge(await it.next()) == 97.0
            relay.forward_to = after.port
            while charge(batch := await it.next()) != 55.0:
                assert charge(batch) in {97.0, None}

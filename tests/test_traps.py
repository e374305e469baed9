"""The trap port: who is believed, what is acknowledged, and what is told."""

import asyncio
import socket
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collectors.snmp.traps import receiver
from collectors.snmp.traps.claim import LARGEST
from collectors.snmp.traps.notification import shared
from runtime import listen
from tests.peers import traps
from tests.trap_port import ENGINE_ID, PHRASE, USERS, Receiving, as_user, receiving, sender, sent
from wire.user import User


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


async def test_an_inform_with_a_wrong_key_is_counted_and_not_acknowledged(tmp_path: Path) -> None:
    async with receiving(sender(USERS["authPriv"])) as it:
        done = await sent(tmp_path, it, *as_user(USERS["authPriv"], engine=None, auth_pass="wrong horse"), inform=True)
        assert done.returncode != 0
        await it.until("wrong", 2)  # it is sent twice
    assert it.hints.empty()
    assert (it.counts.discoveries, it.counts.wrong, it.counts.accepted) == (1, 2, 0)


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


OTHER_KEYS = User(name="eve", auth="sha256", auth_pass="another phrase", privacy="aes128", privacy_pass="and another")
OTHER_PRIVACY = User(name="eve", auth="sha1", auth_pass=PHRASE, privacy="aes256", privacy_pass="and another")


@pytest.mark.parametrize("other", [OTHER_KEYS, OTHER_PRIVACY], ids=["all keys", "privacy key"])
async def test_devices_at_one_address_with_a_user_of_one_name_are_told_apart_by_their_keys(
    tmp_path: Path, other: User
) -> None:
    two = (sender(USERS["authPriv"], device="ups-1"), sender(other, device="ups-2"))
    said = ((other, "ups-2"), (USERS["authPriv"], "ups-1"), (other, "ups-2"))
    async with receiving(*two) as it:
        for user, device in said:
            await sent(tmp_path, it, *as_user(user))
            assert await it.hinted() == device
    assert (it.counts.accepted, it.counts.wrong) == (3, 0)


async def test_a_trap_may_bear_the_traps_own_user_where_the_device_has_one_of_that_name(tmp_path: Path) -> None:
    async with receiving(sender(USERS["authPriv"], OTHER_KEYS)) as it:
        await sent(tmp_path, it, *as_user(OTHER_KEYS))
        assert await it.hinted() == "ups-1"
        await sent(tmp_path, it, *as_user(OTHER_KEYS, engine=None), inform=True)
        assert await it.hinted() == "ups-1"


async def test_a_device_with_a_host_name_is_known_by_its_addresses(tmp_path: Path) -> None:
    async with receiving(sender(address="localhost")) as it:
        while it.hints.empty():  # until the name has been looked up
            await sent(tmp_path, it, "-v", "2c", "-c", "public")
        assert await it.hinted() == "ups-1"


async def test_a_host_name_that_hangs_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, look_up = threading.Event(), socket.getaddrinfo

    def resolver(name: Any, *rest: Any, **how: Any) -> Any:
        if str(name).endswith(".hangs"):
            answers.wait(60)
        return look_up(name, *rest, **how)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    hanging = [sender(device=f"ups-{at}", address=f"{at}.hangs") for at in range(20)]
    others = (sender(device="named", address="localhost"), sender(device="written", address="127.0.0.4"))
    try:
        async with receiving(*hanging, *others) as it:
            await sent(tmp_path, it, "-v", "2c", "-c", "public", source="127.0.0.4")
            assert await it.hinted() == "written"
            assert it.counts.unknown == 0
            while it.hints.empty():
                await sent(tmp_path, it, "-v", "2c", "-c", "public")
            assert await it.hinted() == "named"
    finally:
        answers.set()


WRITTEN = {
    "IPv6": ("::1", "::1"),
    "IPv6 at length": ("::1", "0:0:0:0:0:0:0:1"),
    "IPv6 of one link": ("::1", "::1%lo"),
    "IPv4": ("127.0.0.1", "127.0.0.1"),
    "IPv4 as IPv6": ("127.0.0.1", "::ffff:127.0.0.1"),
}


@pytest.mark.parametrize(("to", "address"), WRITTEN.values(), ids=WRITTEN)
async def test_a_port_of_both_families_hears_both_however_an_address_is_written(
    tmp_path: Path, to: str, address: str
) -> None:
    async with receiving(sender(address=address), host="::") as it:
        await sent(tmp_path, it, "-v", "2c", "-c", "public", to=to, source=to, inform=True)
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

"""A trap port for tests: a receiver under way, and who sends to it."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

from collectors.snmp.traps import receiver
from collectors.snmp.traps.gate import Sender
from collectors.snmp.traps.notification import shared
from collectors.snmp.traps.receiver import TrapCounts
from runtime import listen
from tests.peers import traps
from tests.under_way import under_way
from wire import snmp3
from wire.user import User
from wire.usm import Secure

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
    async with under_way(receiver.run(opened, senders, it.hint, it.counts, engine)):
        await it.until("listening", 1)
        yield it


def sender(*secrets: bytes | User, device: str = "ups-1", address: str = "127.0.0.1", every: float = 60.0) -> Sender:
    return Sender(device=device, address=address, secrets=secrets or (b"public",), every=every)


async def sent(folder: Path, it: Receiving, *how: str, **where: Any) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(partial(traps.send, folder, it.port, *how, **where))


def in_version_3(pdu: bytes, user: User, engine_id: bytes) -> bytes:
    """Return a notification as its sender's user writes it in version 3."""
    return snmp3.write(
        pdu,
        msg_id=1,
        level=user.level,
        engine_id=engine_id,
        boots=1,
        time=1,
        user=user.name.encode(),
        secure=Secure(user, engine_id),
        number=1,
        flags=0,
    )

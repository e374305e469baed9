"""Version 3 for tests: every user there can be at net-snmp's agent, and an engine that polls as one of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, get_args

from collectors.snmp.engine import Counts, Engine
from collectors.snmp.target import Target
from model.point import Batch
from tests.under_way import under_way
from wire import snmp3
from wire.refusal import Refusal
from wire.user import AuthProtocol, PrivacyProtocol, User
from wire.usm import Secure

CHARGE = "1.3.6.1.2.1.33.1.2.4.0"
OBJECTS = {CHARGE: ("integer", "97")}
ENGINE = bytes.fromhex("80001f8804") + b"roundsman"
ANOTHER = bytes.fromhex("80001f8804") + b"replaced"
THEIR_AUTH = {
    "md5": "MD5",
    "sha1": "SHA",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}
THEIR_PRIVACY = {
    "des": "DES",
    "aes128": "AES",
    "aes192": "AES-192",
    "aes256": "AES-256",
    "aes192c": "AES-192-C",
    "aes256c": "AES-256-C",
}
AUTHS: tuple[AuthProtocol, ...] = get_args(AuthProtocol)
PRIVACIES: tuple[PrivacyProtocol, ...] = get_args(PrivacyProtocol)


def user(auth: AuthProtocol | None = "sha1", privacy: PrivacyProtocol | None = "aes128") -> User:
    return User(
        name=f"u-{auth}-{privacy}",
        auth=auth,
        auth_pass=f"authentication {auth}" if auth else "",
        privacy=privacy,
        privacy_pass=f"privacy {privacy}" if privacy else "",
    )


def lines(engine_id: bytes = ENGINE, boots: int = 5) -> list[str]:
    """Every user there can be, as snmpd.conf makes them."""
    made = [f"{key} 0x{engine_id.hex()}" for key in ("exactEngineID", "oldEngineID")] + [f"engineBoots {boots}"]
    made += ["createUser u-None-None", "rouser u-None-None noauth"]
    for auth in AUTHS:
        known = f'{THEIR_AUTH[auth]} "authentication {auth}"'
        made += [f"createUser u-{auth}-None {known}", f"rouser u-{auth}-None auth"]
        for privacy in PRIVACIES:
            name = f"u-{auth}-{privacy}"
            made += [f'createUser {name} {known} {THEIR_PRIVACY[privacy]} "privacy {privacy}"', f"rouser {name} priv"]
    return made


def card(port: int, who: User | None = None, **more: Any) -> Target:
    settings = {"address": "127.0.0.1", "timeout": 0.3, "retries": 1, "every": 0.05} | more
    return Target(device="ups-1", port=port, version="3", user=who or user(), definition="rfc1628-ups", **settings)


class Polling:
    """An engine under way on one card."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.batches: asyncio.Queue[Batch] = asyncio.Queue()

    async def next(self) -> Batch:
        async with asyncio.timeout(20):
            return await self.batches.get()

    def refused(self) -> dict[Refusal, int]:
        return {reason: count for reason, count in self.counts.refused.items() if count}


@contextlib.asynccontextmanager
async def polling(target: Target) -> AsyncIterator[Polling]:
    it = Polling()
    engine = Engine(it.batches.put_nowait, counts=it.counts)
    async with under_way(engine.run([target])):
        yield it


async def polled(target: Target) -> tuple[Batch, dict[Refusal, int]]:
    async with polling(target) as it:
        return await it.next(), it.refused()


def charge(batch: Batch) -> float | str | None:
    return {reading.point.id: reading.value for reading in batch.readings}.get("battery.charge")


def secure(who: User | None = None, engine_id: bytes = ENGINE) -> Secure:
    return Secure(who or user(), engine_id)


def proved(datagram: bytes) -> bool:
    return snmp3.read(datagram).level > 0

"""One card to be polled: where it is, how it is spoken to, how often."""

from typing import Literal

import msgspec

from config.schema import Credential, SnmpDevice

AUTO = "auto"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A card. `every` and `timeout` are seconds, `retries` tries after the first; `definition` is a name or auto."""

    device: str
    address: str
    community: bytes
    port: int = 161
    version: Literal["1", "2c"] = "2c"
    definition: str = AUTO
    every: float = 15.0
    timeout: float = 2.0
    retries: int = 2

    def __repr__(self) -> str:
        return f"Target({self.device!r}, {self.address}:{self.port})"  # without the community


def target_of(device: SnmpDevice, credential: Credential, community: str) -> Target:
    """Return the card that a site file means; `community` is the text in the credential's file."""
    return Target(
        device=device.id,
        address=device.address,
        community=community.encode(),
        port=device.port,
        version=credential.version,
        definition=device.definition,
        every=device.every,
        timeout=device.timeout,
        retries=device.retries,
    )

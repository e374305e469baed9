"""One card to be polled: where it is, how it is spoken to, how often."""

from typing import Literal

import msgspec

from wire.user import User

AUTO = "auto"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A card. `every` and `timeout` are seconds, `retries` tries after the first; `definition` is a name or auto.

    `community` counts for versions 1 and 2c, `user` for version 3.
    """

    device: str
    address: str
    community: bytes = b""
    user: User | None = None
    port: int = 161
    version: Literal["1", "2c", "3"] = "2c"
    definition: str = AUTO
    aside: bool = False
    every: float = 15.0
    timeout: float = 2.0
    retries: int = 2

    def __post_init__(self) -> None:
        if (self.version == "3") != (self.user is not None):
            raise ValueError("version 3 has a user, and only version 3")

    def __repr__(self) -> str:
        return f"Target({self.device!r}, {self.place})"  # without the community

    @property
    def place(self) -> str:
        """The address and port as they are written, an IPv6 address in brackets."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

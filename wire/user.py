"""Who asks in SNMP version 3: a user, how it proves itself and how it is encrypted (RFC 3414, RFC 3826, RFC 7860).

The keys are made in `wire.usm`, which alone needs `cryptography`: whoever speaks no version 3 does not load it.
"""

from typing import Literal

import msgspec

AuthProtocol = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
PrivacyProtocol = Literal["des", "aes128", "aes192", "aes256", "aes192c", "aes256c"]

NO_AUTH_NO_PRIV, AUTH_NO_PRIV, AUTH_PRIV = 0, 1, 3  # the security level as its bits in msgFlags
WEAK = frozenset(("md5", "des"))
SHORTEST_PASS_PHRASE = 8  # signs, RFC 3414 section 11.2; net-snmp refuses less too


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a name, and a pass phrase for each protocol that is used.  Its repr shows none.

    Raises ValueError for privacy without authentication, a pass phrase missing or too short, a name too long.
    """

    name: str
    auth: AuthProtocol | None = None
    auth_pass: str = ""
    privacy: PrivacyProtocol | None = None
    privacy_pass: str = ""
    context: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.name.encode()) <= 32:
            raise ValueError("a user's name has 1 to 32 octets")
        if self.privacy and not self.auth:
            raise ValueError("privacy needs authentication; name an authentication protocol and its key too")
        for what, protocol, phrase in (
            ("authentication", self.auth, self.auth_pass),
            ("privacy", self.privacy, self.privacy_pass),
        ):
            if protocol and len(phrase.encode()) < SHORTEST_PASS_PHRASE:
                raise ValueError(f"the {what} key is shorter than {SHORTEST_PASS_PHRASE} signs")

    def __repr__(self) -> str:
        return f"User({self.name!r}, auth={self.auth}, privacy={self.privacy})"

    @property
    def level(self) -> int:
        """The security level that this user asks with and expects of every answer."""
        return AUTH_PRIV if self.privacy else AUTH_NO_PRIV if self.auth else NO_AUTH_NO_PRIV

    @property
    def weaknesses(self) -> tuple[str, ...]:
        """The weak protocols that this user names."""
        return tuple(protocol for protocol in (self.auth, self.privacy) if protocol in WEAK)


def weakness_text(protocol: str) -> str:
    """Say what is wrong with a weak protocol and what is right."""
    better = "sha256" if protocol == "md5" else "aes128"
    return f"{protocol} can be broken; use {better} or better where the card has it"

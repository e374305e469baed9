"""The user-based security of SNMP version 3: keys, digests, encryption (RFC 3414, RFC 3826, RFC 7860).

    secure = Secure(user, engine_id)          # the keys of this user at this engine
    digest = secure.digest(message)            # over the whole message, its digest field filled with zeros
    octets, salt = secure.encrypt(scoped, boots, time, number)
    scoped = secure.decrypt(octets, salt, boots, time)

A pass phrase becomes a key (`Ku`) by hashing a megabyte of its repetitions: kept, so that many cards with one pass
phrase cost it once.  A key localised to an engine (`Kul`) is one short hash more.

Privacy keys longer than the hash are stretched: `aes192` and `aes256` as the Blumenthal draft does
(draft-blumenthal-aes-usm-04, net-snmp), `aes192c` and `aes256c` as the Reeder draft does (Cisco and others).  MD5 and
DES are weak; they are used only where they are named.
"""

import hashlib
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hmac import HMAC

from wire.refusal import DecryptionError
from wire.user import AuthProtocol, PrivacyProtocol, User

DIGEST_OCTETS = {"md5": 12, "sha1": 12, "sha224": 16, "sha256": 24, "sha384": 32, "sha512": 48}  # RFC 7860 section 4
KEY_OCTETS = {"des": 16, "aes128": 16, "aes192": 24, "aes256": 32, "aes192c": 24, "aes256c": 32}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303 - where it is named
    "sha1": hashes.SHA1(),  # noqa: S303 - HMAC with SHA-1 is what RFC 3414 has, and stands
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_MEGABYTE = 1_048_576
_REEDER = frozenset(("aes192c", "aes256c"))


@lru_cache(1024)
def key_of(auth: AuthProtocol, phrase: str) -> bytes:
    """Return the key of a pass phrase, `Ku`: the hash of a megabyte of its repetitions (RFC 3414 A.2)."""
    octets = phrase.encode()
    if not octets:
        raise ValueError("an empty pass phrase has no key")
    return hashlib.new(auth, (octets * (_MEGABYTE // len(octets) + 1))[:_MEGABYTE]).digest()


def localise(auth: AuthProtocol, key: bytes, engine_id: bytes) -> bytes:
    """Return the key of one engine, `Kul` (RFC 3414 section 2.6)."""
    return hashlib.new(auth, key + engine_id + key).digest()


def privacy_key(auth: AuthProtocol, privacy: PrivacyProtocol, phrase: str, engine_id: bytes) -> bytes:
    """Return the localised privacy key, as long as the protocol wants it."""
    wanted = KEY_OCTETS[privacy]
    part = key = localise(auth, key_of(auth, phrase), engine_id)
    while len(key) < wanted:
        if privacy in _REEDER:  # the key becomes the pass phrase of what follows it
            part = localise(auth, _key_of_octets(auth, part), engine_id)
            key += part
        else:
            key += hashlib.new(auth, key).digest()
    return key[:wanted]


def _key_of_octets(auth: AuthProtocol, octets: bytes) -> bytes:
    return hashlib.new(auth, (octets * (_MEGABYTE // len(octets) + 1))[:_MEGABYTE]).digest()


class Secure:
    """A user's keys at one engine, and what is done with them."""

    __slots__ = ("_cipher", "_engine_id", "_mac", "_user", "digest_octets")

    def __init__(self, user: User, engine_id: bytes) -> None:
        self._user = user
        self._engine_id = engine_id
        self._cipher: tuple[bytes, AES | None] | None = None
        self.digest_octets = DIGEST_OCTETS[user.auth] if user.auth else 0
        self._mac = (
            HMAC(localise(user.auth, key_of(user.auth, user.auth_pass), engine_id), _HASHES[user.auth])
            if user.auth
            else None
        )

    def _encryption(self) -> tuple[bytes, AES | None]:
        """Return the privacy key, empty for a user without one, and AES with it where it is not for DES.

        Made when it is first wanted: it costs up to 2 ms, and a message may come to no more than its digest.
        """
        if self._cipher is None:
            user = self._user
            key = b""
            if user.auth and user.privacy:
                key = privacy_key(user.auth, user.privacy, user.privacy_pass, self._engine_id)
            self._cipher = key, AES(key) if key and user.privacy != "des" else None
        return self._cipher

    def digest(self, message: bytes) -> bytes:
        """Return the digest over a message whose digest field holds zeros; nothing for a user without one."""
        if self._mac is None:
            return b""
        mac = self._mac.copy()  # the key is worked in once
        mac.update(message)
        return mac.finalize()[: self.digest_octets]

    def proves(self, message: bytes, at: int, octets: int) -> bool:
        """Tell whether a message bears the digest of these keys, `octets` at offset `at`, in constant time."""
        if self._mac is None or octets != self.digest_octets:
            return False
        end = at + octets
        return bytes_eq(message[at:end], self.digest(message[:at] + bytes(octets) + message[end:]))

    def encrypt(self, scoped: bytes, boots: int, time: int, number: int) -> tuple[bytes, bytes]:
        """Return a scoped PDU encrypted, and the salt; `number` never comes twice with these keys."""
        key, aes = self._encryption()
        if aes is not None:
            salt = (number & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "big")
            encryptor = Cipher(aes, CFB(_aes_vector(boots, time, salt))).encryptor()
            return encryptor.update(scoped), salt
        salt = (boots & 0xFFFF_FFFF).to_bytes(4, "big") + (number & 0xFFFF_FFFF).to_bytes(4, "big")
        encryptor = _des(key, salt).encryptor()
        return encryptor.update(scoped + bytes(-len(scoped) % 8)), salt

    def decrypt(self, octets: bytes, salt: bytes, boots: int, time: int) -> bytes:
        """Return the scoped PDU, with padding behind it where the protocol pads."""
        key, aes = self._encryption()
        if not key:
            raise DecryptionError("encrypted, and the user has no privacy key")
        if len(salt) != 8:
            raise DecryptionError(f"a salt of {len(salt)} octets where eight belong")
        if aes is not None:
            return Cipher(aes, CFB(_aes_vector(boots, time, salt))).decryptor().update(octets)
        if len(octets) % 8:
            raise DecryptionError(f"{len(octets)} octets are no whole number of blocks")
        return _des(key, salt).decryptor().update(octets)


def _des(key: bytes, salt: bytes) -> Cipher[CBC]:
    """DES by TripleDES with three times the same key; the key's second half is the pre-IV (RFC 3414 8.1.1.1)."""
    key, before = key[:8], key[8:16]
    return Cipher(TripleDES(key * 3), CBC(bytes(a ^ b for a, b in zip(before, salt, strict=True))))


def _aes_vector(boots: int, time: int, salt: bytes) -> bytes:
    """RFC 3826 section 3.1.2.1."""
    return (boots & 0xFFFF_FFFF).to_bytes(4, "big") + (time & 0xFFFF_FFFF).to_bytes(4, "big") + salt

"""Version 3 for the bench's cards: the envelope that an agent puts around its answers (RFC 3412, RFC 3414, RFC 3826).

SHA-1 and AES-128 for one user, which is every peer's common ground. It shares nothing with wire/. A card without
the right keys, boots or time in a request answers with the report that the standard asks for.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Callable
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from tests.crash.ber import items

USER, AUTH_PASS, PRIVACY_PASS = "bench", "authentication key", "privacy key, another"
BOOTS = 7
WINDOW = 150  # seconds, RFC 3414 section 2.2.3
AUTH, PRIVACY, REPORTABLE = 1, 2, 4
NOT_IN_TIME_WINDOWS, UNKNOWN_USER_NAMES, UNKNOWN_ENGINE_IDS, WRONG_DIGESTS = 2, 3, 4, 5  # usmStats
VERSION_3 = b"\x02\x01\x03"
BEGAN = int(time.monotonic()) - 1000  # up for a while


class Engine:
    """One card's engine: its id, and the keys of the user at it."""

    def __init__(self, number: int) -> None:
        self.id = b"\x80\x00\x7e\xd9\x04bench" + number.to_bytes(2, "big")
        self._auth = _localised(AUTH_PASS, self.id)
        self._aes = AES(_localised(PRIVACY_PASS, self.id)[:16])
        self._head = (_tlv(4, self.id), _tlv(4, self.id) + b"\x04\x00", _integer(BOOTS))

    def reply(self, datagram: bytes, answer: Callable[[bytes], bytes]) -> bytes:
        """Return the answer to a version 3 request; `answer` gives the answer to one of version 2c."""
        _, header, parameters, body = items(next(items(datagram))[1])
        msg_id, _, flags, _ = items(header[1])
        engine_id, boots, at_time, user, digest, salt = items(next(items(parameters[1]))[1])
        asked = int.from_bytes(msg_id[1], "big"), user[1]
        if engine_id[1] != self.id:
            return self._report(asked, UNKNOWN_ENGINE_IDS, proved=False)
        if user[1] != USER.encode():
            return self._report(asked, UNKNOWN_USER_NAMES, proved=False)
        if not flags[1][0] & AUTH or not self._proves(datagram, digest[1]):
            return self._report(asked, WRONG_DIGESTS, proved=False)
        theirs = int.from_bytes(boots[1], "big"), int.from_bytes(at_time[1], "big")
        if theirs[0] != BOOTS or abs(theirs[1] - _time()) > WINDOW:
            return self._report(asked, NOT_IN_TIME_WINDOWS, proved=True)
        scoped = body[1]
        if flags[1][0] & PRIVACY:
            cipher = Cipher(self._aes, CFB(_vector(*theirs, salt[1])))
            scoped = next(items(cipher.decryptor().update(scoped)))[1]
        _, _, pdu = items(scoped)
        answered = next(items(answer(_version_2c(_tlv(*pdu)))))[1]
        *_, reply = items(answered)
        return self._message(asked, flags[1][0] & (AUTH | PRIVACY), _tlv(*reply))

    def _report(self, asked: tuple[int, bytes], stat: int, *, proved: bool) -> bytes:
        name = _tlv(6, bytes((43, 6, 1, 6, 3, 15, 1, 1, stat, 0)))
        binds = _tlv(0x30, _tlv(0x30, name + _tlv(0x41, b"\x01")))
        return self._message(asked, AUTH if proved else 0, _tlv(0xA8, _integer(0) * 3 + binds))

    def _message(self, asked: tuple[int, bytes], level: int, pdu: bytes) -> bytes:
        engine, context, boots = self._head
        now, salt = _time(), b""
        body = _tlv(0x30, context + pdu)
        if level & PRIVACY:
            salt = os.urandom(8)
            body = _tlv(4, Cipher(self._aes, CFB(_vector(BOOTS, now, salt))).encryptor().update(body))
        header = _tlv(0x30, _integer(asked[0]) + _integer(65_507) + bytes((4, 1, level)) + _integer(3))
        digest = bytes(12) if level & AUTH else b""
        fields = engine + boots + _integer(now) + _tlv(4, asked[1]) + _tlv(4, digest) + _tlv(4, salt)
        whole = _tlv(0x30, VERSION_3 + header + _tlv(4, _tlv(0x30, fields)) + body)
        if not digest:
            return whole
        at = len(whole) - len(body) - len(_tlv(4, salt)) - 12
        return whole[:at] + self._digest(whole) + whole[at + 12 :]

    def _proves(self, datagram: bytes, digest: bytes) -> bool:
        at = datagram.find(digest) if len(digest) == 12 else -1
        return at > 0 and self._digest(datagram[:at] + bytes(12) + datagram[at + 12 :]) == digest

    def _digest(self, message: bytes) -> bytes:
        return hmac.digest(self._auth, message, "sha1")[:12]


def _time() -> int:
    return int(time.monotonic()) - BEGAN


def _vector(boots: int, at_time: int, salt: bytes) -> bytes:
    return boots.to_bytes(4, "big") + at_time.to_bytes(4, "big") + salt


@lru_cache
def _key(phrase: str) -> bytes:
    return hashlib.sha1((phrase.encode() * (1_048_576 // len(phrase) + 1))[:1_048_576]).digest()


def _localised(phrase: str, engine_id: bytes) -> bytes:
    key = _key(phrase)
    return hashlib.sha1(key + engine_id + key).digest()


def _version_2c(pdu: bytes) -> bytes:
    return _tlv(0x30, b"\x02\x01\x01\x04\x00" + pdu)


def _integer(number: int) -> bytes:
    return _tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _tlv(tag: int, octets: bytes) -> bytes:
    size = len(octets)
    return bytes((tag, size) if size < 0x80 else (tag, 0x82, size >> 8, size & 0xFF)) + octets

"""Passwords: which are good, and their argon2id hashes (RFC 9106), made one at a time beside the loop.

19 MiB and two passes are OWASP's least for argon2id: a desk of 100 MB must be able to check one at any time.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from desk.web import ProblemError

T = TypeVar("T")
LEAST, MOST = 10, 200  # characters
WAITING = 20  # at once; more are asked to come again
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_COMMON = ("password", "passw0rd", "qwerty", "roundsman", "admin", "letmein", "welcome", "iloveyou", "1234567890",
           "abcdefghij", "123123", "woaini", "a123456", "zxcvbn", "asdfgh", "888888", "666666", "5201314")  # fmt: skip


class Passwords:
    """Hashes and checks one password at a time, so that many at once cost time and not memory."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk passwords")
        self._waiting = 0
        self._nobodys = _HASHER.hash("nobody has this password")

    async def hashed(self, password: str) -> str:
        """Return what is kept of a password."""
        return await self._done(lambda: _HASHER.hash(_normal(password)))

    async def fits(self, kept: str, password: str) -> bool:
        """Say whether a password is the one of which `kept` was kept; "" takes as long, and none fits."""
        return await self._done(lambda: _fits(kept or self._nobodys, password)) and bool(kept)

    async def _done(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise ProblemError(503, "busy", "Too many sign in at once: try again in a second.", retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let the worker go."""
        self._worker.shutdown(wait=False, cancel_futures=True)


def wrong_with(password: str, name: str) -> str:
    """Return what is wrong with a new password: short, long, name, common; "" when it is good."""
    plain = _normal(password).casefold()
    if len(plain) < LEAST:
        return "short"
    if len(plain) > MOST:
        return "long"
    rest = plain.replace(_normal(name).casefold(), "")
    if len(rest) < LEAST // 2:
        return "name"
    for word in _COMMON:
        rest = rest.replace(word, "")
    return "common" if len(rest) < LEAST // 2 or len(set(plain)) < LEAST // 2 else ""


def needs_another(kept: str) -> bool:
    """Say whether a hash was made with other parameters than are used now."""
    return _HASHER.check_needs_rehash(kept)


def _fits(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def _normal(text: str) -> str:
    """Return a text in one form (NFKC): keyboards write the same letter in several."""
    return unicodedata.normalize("NFKC", text)

"""A request that carries a key is done once: what comes again with the key gets the answer that the first one got.

Key, effect and answer are one transaction. The same key with another request is refused (409); keys are kept for 30
days. What was not decided at all (a body that cannot be read, a desk that is busy) keeps no key.
"""

import hashlib
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.store import Db, one
from desk.web import ProblemError
from model.ticket_protocol import KEY, LONGEST_KEY

KEPT_FOR = 30 * 86_400.0
REPLAYED = "Idempotency-Replayed"


class Answer(msgspec.Struct, frozen=True):
    """An answer as it is sent: HTTP status and JSON. `again` says that an earlier request got it."""

    status: int
    body: bytes
    again: bool = False


class Keyed(msgspec.Struct, frozen=True):
    """A request's key ("" for none) and what it asks, as a hash of method, address and body."""

    key: str
    hash: bytes


def keyed(request: Request, body: bytes) -> Keyed:
    """Return a request's key. Raises a ProblemError, `key`, for one that cannot be kept."""
    key = request.headers.get(KEY, "").strip()
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise ProblemError(400, "key", f"{KEY} has at most {LONGEST_KEY} printable ASCII characters.")
    asked = f"{request.method} {request.url.path}\n".encode() + body
    return Keyed(key, hashlib.sha256(asked).digest())


def once(db: Db, request: Keyed, now: float, do: Callable[[], Answer]) -> Answer:
    """Do what a request asks, or return the answer that it got before; inside the caller's transaction.

    Raises a ProblemError, `key_reused`, when the key was another request's.
    """
    if not request.key:
        return do()
    db.execute("DELETE FROM requests WHERE at < ?", (now - KEPT_FOR,))
    before = one(db, "SELECT hash, status, body FROM requests WHERE key = ?", request.key)
    if before is not None:
        if before["hash"] != request.hash:
            raise ProblemError(409, "key_reused", f"This {KEY} was another request's: use a new one.")
        return Answer(before["status"], before["body"], again=True)
    answer = do()
    db.execute("INSERT INTO requests VALUES (?, ?, ?, ?, ?)",
               (request.key, now, request.hash, answer.status, answer.body))  # fmt: skip
    return answer


def reply_with(answer: Answer) -> Response:
    """Return an answer as a response; one that was given before says so."""
    headers = {REPLAYED: "true"} if answer.again else {}
    return Response(answer.body, answer.status, media_type="application/json", headers=headers)

"""Webhooks: a message as JSON, POSTed and signed as the Standard Webhooks specification 1.0 says.

The headers are `webhook-id` (the same however often a message is sent: who gets it twice drops the second),
`webhook-timestamp` (Unix seconds of this try) and `webhook-signature`: `v1,` and the base64 of the HMAC-SHA-256, by the
shared secret, of `id.timestamp.body`. A secret that begins with `whsec_` is base64 behind that, as the specification
writes them; any other is taken as it stands. A redirection is not followed: the words are for the named address alone.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ssl
from pathlib import Path

import httpx

from connectors.unsent import UnsentError, plain

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LONGEST = 30.0  # seconds that all of it may take, however slowly the receiver talks
LONGEST_PAUSE = 1200.0  # seconds that a receiver may ask us to wait
_MOST = 800  # bytes of an answer that are read
_LONGEST = 200  # characters of a receiver's reason
_PREFIX = "whsec_"
_AGAIN = frozenset({408, 409, 425, 429})


def key(secret: str) -> bytes:
    """Return what a secret signs with. Raises ValueError for `whsec_` with anything but base64 behind it."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("what stands behind whsec_ is not base64") from None


def signed(secret: str, name: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that name and sign a message at a Unix time."""
    content = f"{name}.{at}.".encode() + body
    digest = hmac.new(key(secret), content, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


async def post(url: str, secret: str, name: str, at: float, body: bytes, *, ca: Path | None = None) -> None:
    """Hand a message over. Raises UnsentError, permanent when the receiver refuses it for good."""
    host = httpx.URL(url).host
    try:
        headers = signed(secret, name, int(at), body)
        async with asyncio.timeout(LONGEST):
            code, asked, said = await _answer(url, headers, body, ca)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise UnsentError(f"no answer from {host}: {_reason(error)}") from None
    except httpx.HTTPError as error:
        raise UnsentError(f"no answer from {host}: {_reason(error)}", perhaps=True) from None
    except TimeoutError:
        raise UnsentError(f"no end of an answer from {host} in {LONGEST:.0f} s", perhaps=True) from None
    except (OSError, ValueError) as error:
        raise UnsentError(f"no way to {host}: {_reason(error)}") from None
    if 200 <= code < 300:
        return
    wait = min(float(asked), LONGEST_PAUSE) if asked.isascii() and asked.isdigit() else None
    raise UnsentError(
        f"the receiver answered {code} {said}".rstrip(), permanent=code < 500 and code not in _AGAIN, wait=wait
    )


async def _answer(url: str, headers: dict[str, str], body: bytes, ca: Path | None) -> tuple[int, str, str]:
    """Return the status, for how long the receiver asks us to wait, and the beginning of a refusal's reason."""
    verify = ssl.create_default_context(cafile=ca)
    async with (
        httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=verify) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        said = b""
        if not answer.is_success:  # taken is taken, whatever it goes on to say
            async for piece in answer.aiter_raw(_MOST):
                said = piece
                break
        text = plain(said.decode(errors="replace"))[:_LONGEST]
        return answer.status_code, answer.headers.get("retry-after", ""), text


def _reason(error: Exception) -> str:
    return plain(str(error) or type(error).__name__)[:_LONGEST]

"""Webhooks: a message as JSON, POSTed and signed as the Standard Webhooks specification 1.0 says.

The headers are `webhook-id` (the same however often a message is sent: who gets it twice drops the second),
`webhook-timestamp` (Unix seconds of this try) and `webhook-signature`: `v1,` and the base64 of the HMAC-SHA-256, by the
shared secret, of `id.timestamp.body`. A redirection is not followed: the words are for the named address alone.
"""

import base64
import hashlib
import hmac
import ssl
from pathlib import Path

import httpx

from connectors.unsent import UnsentError

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LONGEST_PAUSE = 1200.0  # seconds that a receiver may ask us to wait
_LONGEST = 200  # characters of a receiver's reason
_AGAIN = frozenset({408, 409, 425, 429})


def signed(secret: str, name: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that name and sign a message at a Unix time."""
    content = f"{name}.{at}.".encode() + body
    digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "application/json",
    }


async def post(url: str, secret: str, name: str, at: float, body: bytes, *, ca: Path | None = None) -> None:
    """Hand a message over. Raises UnsentError, permanent when the receiver refuses it for good."""
    try:
        verify = ssl.create_default_context(cafile=ca)
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=verify) as client:
            answer = await client.post(url, content=body, headers=signed(secret, name, int(at), body))
    except (httpx.HTTPError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise UnsentError(f"no answer from {httpx.URL(url).host}: {reason[:_LONGEST]}") from None
    if answer.is_success:
        return
    code = answer.status_code
    asked = answer.headers.get("retry-after", "")
    wait = min(float(asked), LONGEST_PAUSE) if asked.isascii() and asked.isdigit() else None
    said = " ".join(answer.text[:_LONGEST].split())
    raise UnsentError(
        f"the receiver answered {code} {said}".rstrip(), permanent=code < 500 and code not in _AGAIN, wait=wait
    )

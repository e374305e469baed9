"""What stands before every page and handler: who may ask from where, and what a page may load.

The desk has no people yet, so it is bound to loopback; a page of another site that is open in the same browser must
still not be able to press its buttons or, by a name that points here (DNS rebinding), read it.
"""

import functools
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.web import is_loopback

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            b" connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NAMES = frozenset(name for name, _ in _HEADERS)
_CACHE = b"cache-control"
_KEPT = b"public, max-age=31536000, immutable"  # pages name static files with their content's hash


def foreign(method: str, headers: Headers) -> str:
    """Return why a request is not to be answered, "" when it is."""
    host = headers.get("host", "")
    if not _is_ours(host):
        return "This desk answers on loopback only: open it as http://127.0.0.1."
    if method in _SAFE:
        return ""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return "This request comes from another site's page."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return "This request comes from another site's page."
    return ""


@functools.lru_cache(maxsize=64)
def _is_ours(host: str) -> bool:
    return is_loopback(urlsplit(f"//{host}").hostname or "")


class Guard:
    """Refuses foreign requests with 403 and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [each for each in message.get("headers", ()) if each[0] not in _NAMES]
                if all(name != _CACHE for name, _ in headers):
                    headers.append((_CACHE, _KEPT if scope["path"].startswith("/static/") else b"no-store"))
                message["headers"] = [*headers, *_HEADERS]
            await send(message)

        try:
            reason = foreign(scope["method"], Headers(scope=scope))
        except ValueError:
            reason = "The request's Host or Origin is not an address."
        app = PlainTextResponse(reason, 403) if reason else self.app
        await app(scope, receive, guarded)

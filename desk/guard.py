"""What stands before every page and handler: who may ask from where, and what a page may load.

The desk answers to its own names alone, loopback and those of its certificate: a page of another site that is open in
the same browser must not be able to press its buttons or, by a name that points here (DNS rebinding), read it.
"""

import functools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.core import Desk
from desk.listening import NOBODY_YET, answered_beyond
from desk.web import is_loopback

if TYPE_CHECKING:
    from desk.certificates import Certificates

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PROXIES = ("forwarded", "x-forwarded-for", "x-real-ip", "via")  # of whom this says nothing good, but that there is one
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
# Of a given certificate alone: browsers let nobody past a fault of one, and with a CA of the desk's own that changes
# (a new desk, a new CA) people would be shut out. It holds for every port of the host.
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_NAMES = frozenset(name for name, _ in _HEADERS)
_CACHE = b"cache-control"
_KEPT = b"public, max-age=31536000, immutable"  # pages name static files with their content's hash


def foreign(method: str, headers: Headers, scheme: str = "http", held: "Certificates | None" = None) -> str:
    """Return why a request is not to be answered, "" when it is."""
    host = headers.get("host", "")
    if not _is_ours(host) and not (held is not None and held.is_for(_hostname(host))):
        if held is None:
            return "This desk answers on loopback only: open it as http://127.0.0.1."
        return f"This desk is https://{held.told.names[0]}: it has no other name."
    if method in _SAFE:
        return ""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return "This request comes from another site's page."
    origin = headers.get("origin")
    if origin is not None and (urlsplit(origin).netloc, urlsplit(origin).scheme) != (host, scheme):
        return "This request comes from another site's page."
    return ""


@functools.lru_cache(maxsize=64)
def _is_ours(host: str) -> bool:
    return is_loopback(_hostname(host))


def _hostname(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


class Guard:
    """Refuses foreign requests with 403 and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        desk: Desk = scope["app"].state.desk
        held = desk.certificates
        own = (*_HEADERS, _HSTS) if held is not None and held.told.given else _HEADERS

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [each for each in message.get("headers", ()) if each[0] not in _NAMES]
                if all(name != _CACHE for name, _ in headers):
                    headers.append((_CACHE, _KEPT if scope["path"].startswith("/static/") else b"no-store"))
                message["headers"] = [*headers, *own]
            await send(message)

        headers = Headers(scope=scope)
        try:
            reason = foreign(scope["method"], headers, scope["scheme"], held)
        except ValueError:
            reason = "The request's Host or Origin is not an address."
        client = scope.get("client")
        passed_on = any(name in headers for name in _PROXIES)
        if not reason and not await answered_beyond(
            desk, scope["path"], client[0] if client else "", passed_on=passed_on
        ):
            reason = NOBODY_YET
        app = PlainTextResponse(reason, 403) if reason else self.app
        await app(scope, receive, guarded)

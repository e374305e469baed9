"""TLS of the desk: TLS 1.2 or newer, a certificate that is changed while it answers, and a word for plain HTTP.

A reload loads key and certificate into the context that listens: new connections get the new ones, those that stand go
on as they are, and none is refused meanwhile.
"""

import asyncio
import ssl
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from desk.certificates import Certificates, authority_of
from desk.connections import Connection
from runtime.trust import PLACE

_PLAIN = frozenset({"HTTP_REQUEST", "HTTPS_PROXY_REQUEST"})
_WORDS = "This desk answers with TLS: use https:// instead of http://.\n本值班台使用TLS，请用 https:// 打开。\n"
_BODY = _WORDS.encode()
_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: " + str(len(_BODY)).encode() + b"\r\n\r\n" + _BODY
)


class _Spoken(ssl.SSLObject):
    """One connection's TLS. Who speaks plain HTTP is told so in plain HTTP; nothing else is ever said in the clear."""

    outgoing: ssl.MemoryBIO
    told = False

    def do_handshake(self) -> None:
        """Shake hands."""
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason not in _PLAIN or self.told:
                raise
            self.told = True
            self.outgoing.read()  # an alert, which no client of plain HTTP could read
            self.outgoing.write(_ANSWER)
            raise ssl.SSLWantReadError from error  # asyncio sends what waits, and the client closes


class _Context(ssl.SSLContext):
    """A context whose connections know where their answers go."""

    sslobject_class = _Spoken

    def wrap_bio(self, incoming: Any, outgoing: Any, *args: Any, **named: Any) -> ssl.SSLObject:
        """Return one connection's TLS."""
        made = super().wrap_bio(incoming, outgoing, *args, **named)
        if isinstance(made, _Spoken):
            made.outgoing = outgoing
        return made


def listening_with(held: Certificates) -> ssl.SSLContext:
    """Return the context that the desk listens with; agents may show their certificates where they need them.

    Raises ssl.SSLError, OSError, CertificateError.
    """
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(held.chain)
    if held.told.agents_by_certificate:
        context.verify_mode = ssl.CERT_OPTIONAL  # people have none; `desk.web.badge_of` asks agents for theirs
        context.load_verify_locations(cadata=authority_of(held.folder.parent).pem.decode())
    return context


def reload(context: ssl.SSLContext, held: Certificates) -> None:
    """Give connections to come the certificate that is in the file now. Raises ssl.SSLError when it is not whole."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(held.chain)  # tried apart: a bad one must not be half taken
    context.load_cert_chain(held.chain)


class TlsConnection(Connection):
    """A connection whose requests carry the place that the agent's certificate says."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Read the certificate, which TLS has verified."""
        super().connection_made(transport)
        place, app = _place(transport.get_extra_info("peercert") or {}), self.app
        if place:
            self.app = _with_place(app, place)


def _place(certificate: dict[str, Any]) -> str:
    return next((value for kind, value in certificate.get("subjectAltName", ()) if kind == "URI"), "")


def _with_place(app: Any, place: str) -> ASGIApp:
    async def placed(scope: Scope, receive: Receive, send: Send) -> None:
        scope[PLACE] = place
        await app(scope, receive, send)

    return placed

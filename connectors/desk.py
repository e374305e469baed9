"""The client of our own desk: the words of model.protocol over HTTP.

One error leaves it, `DeskError`: `permanent` when asking the same again cannot help, `reason` the desk's word for it
(`conflict`, `busy`, ...), `retry_after` the seconds it asks us to wait.
"""

import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from model.protocol import (
    PREFIX,
    CommandsReply,
    DeskCa,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    EventsReply,
    EventsRequest,
    Heartbeat,
    HeartbeatReply,
    HoldToken,
    ReadingsReport,
    TokenReply,
    TrendReport,
)
from model.trend import HistoryReport

T = TypeVar("T")
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LIMITS = httpx.Limits(
    keepalive_expiry=60.0
)  # seconds: longer than from one heartbeat to the next, shorter than a desk's
LONGEST_WAIT = 25.0  # seconds a desk holds a long poll
LONGEST_PAUSE = 300.0  # seconds a desk may ask us to wait
_GARBAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class DeskError(Exception):
    """The desk did not do what was asked."""

    def __init__(
        self, message: str, *, permanent: bool = False, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.reason = reason
        self.retry_after = retry_after


class DeskClient:
    """Speaks to one desk with one token; use it as an async context.

    `others` are tokens that it may be known by as well: they are tried where the desk does not know the first.
    """

    def __init__(
        self, url: str, token: str, *, verify: ssl.SSLContext | bool = True, others: tuple[str, ...] = ()
    ) -> None:
        headers = {"Content-Type": "application/json"} | (_bearing(token) if token else {})
        self.token = token
        self._others = others
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/") + PREFIX,
            headers=headers,
            timeout=TIMEOUT,
            limits=LIMITS,
            verify=verify,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    def use(self, token: str, *others: str) -> None:
        """Speak with another token from now on; `others` are tried where the desk does not know it."""
        self.token, self._others = token, others
        self._http.headers.update(_bearing(token))

    async def ca(self) -> DeskCa:
        """Return the CA that agents of this desk trust; who answered is not proved by that."""
        return _decoded(await self._ask("GET", "/ca", None), DeskCa)

    async def hold(self, request: HoldToken, token: str) -> TokenReply:
        """Say, with a token that is not exchanged for another, which token is to be good from now on."""
        return _decoded(await self._ask("POST", "/token", request, headers=_bearing(token)), TokenReply)

    async def enrol(self, request: EnrolRequest) -> EnrolReply:
        """Redeem a one-time code for a token."""
        return _decoded(await self._ask("POST", "/enrol", request), EnrolReply)

    async def events(self, request: EventsRequest) -> EventsReply:
        """Hand over events; the reply comes after the desk's commit."""
        return _decoded(await self._ask("POST", "/events", request), EventsReply)

    async def heartbeat(self, beat: Heartbeat) -> HeartbeatReply:
        """Give a sign of life."""
        return _decoded(await self._ask("POST", "/heartbeat", beat), HeartbeatReply)

    async def commands(self, after: int, wait: float = LONGEST_WAIT) -> CommandsReply:
        """Wait for commands after a cursor; an empty reply when none came within `wait` seconds."""
        timeout = httpx.Timeout(10.0, connect=5.0, read=wait + 10.0)
        path = f"/commands?after={after}&wait={wait:g}"
        return _decoded(await self._ask("GET", path, None, within=timeout), CommandsReply)

    async def readings(self, report: ReadingsReport) -> None:
        """Hand over the readings as they stand."""
        await self._ask("POST", "/readings", report)

    async def trend(self, report: TrendReport) -> None:
        """Hand over a range of one point's history."""
        await self._ask("POST", "/trends", report)

    async def history(self, report: HistoryReport) -> None:
        """Hand over a range of one point's history, as it was asked for by `send_history`."""
        await self._ask("POST", "/history", report)

    async def _ask(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | None,
        *,
        within: httpx.Timeout = TIMEOUT,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        content = None if body is None else msgspec.json.encode(body)

        async def asked(headers: dict[str, str] | None) -> httpx.Response:
            return await self._http.request(method, path, content=content, timeout=within, headers=headers)

        try:
            reply = await asked(headers)
            if reply.status_code == 401 and headers is None:
                reply = await self._asked_with_another(asked) or reply
        except httpx.HTTPError as error:
            raise DeskError(f"no answer from {self._http.base_url}: {why_no_answer(error)}") from error
        if reply.is_success:
            return reply.content
        raise _refusal(reply)

    async def _asked_with_another(
        self, asked: Callable[[dict[str, str] | None], Awaitable[httpx.Response]]
    ) -> httpx.Response | None:
        """Ask with each other token; the one that the desk knows is used from then on."""
        for token in self._others:
            reply = await asked(_bearing(token))
            if reply.status_code != 401:
                self.use(token, *({self.token, *self._others} - {token}))
                return reply
        return None


def _bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def why_no_answer(error: BaseException) -> str:
    """Return why there was no answer; whom we did not believe is not who did not answer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not believed ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def _refusal(reply: httpx.Response) -> DeskError:
    try:
        told = msgspec.json.decode(reply.content, type=ErrorReply)
    except _GARBAGE:
        told = ErrorReply("http", f"the desk answered {reply.status_code} {reply.reason_phrase}")
    asked = reply.headers.get("retry-after", "")
    permanent = 400 <= reply.status_code < 500 and reply.status_code not in {408, 425, 429}
    pause = min(float(asked), LONGEST_PAUSE) if asked.isascii() and asked.isdigit() else None
    return DeskError(told.message, permanent=permanent, reason=told.error, retry_after=pause)


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except _GARBAGE as error:
        raise DeskError(f"the desk's answer cannot be read: {error}") from error

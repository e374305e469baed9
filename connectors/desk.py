"""The client of our own desk: the words of model.protocol over HTTP.

One error leaves it, `DeskError`: `permanent` when asking the same again cannot help, `reason` the desk's word for it
(`conflict`, `busy`, ...), `retry_after` the seconds it asks us to wait.
"""

import ssl
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from model.protocol import (
    PREFIX,
    CommandsReply,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    EventsReply,
    EventsRequest,
    Heartbeat,
    HeartbeatReply,
    ReadingsReport,
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
    """Speaks to one desk with one token; use it as an async context."""

    def __init__(self, url: str, token: str, *, verify: ssl.SSLContext | bool = True) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
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
        self, method: str, path: str, body: msgspec.Struct | None, *, within: httpx.Timeout = TIMEOUT
    ) -> bytes:
        content = None if body is None else msgspec.json.encode(body)
        try:
            reply = await self._http.request(method, path, content=content, timeout=within)
        except httpx.HTTPError as error:
            raise DeskError(f"no answer from {self._http.base_url}: {error or type(error).__name__}") from error
        if reply.is_success:
            return reply.content
        raise _refusal(reply)


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

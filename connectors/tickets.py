"""The client of people's programs: tickets of our desk, what is said of them, and the desk's refusals.

What is written carries a key, so that it may be sent again when the answer was lost: the desk does it once. One error
leaves the client, `connectors.desk.DeskError`: `reason` is the desk's word (`already`, `no_reason`, ...), its text a
sentence in the client's language that says what to do.
"""

import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from connectors.desk import LONGEST_PAUSE, DeskError, why_no_answer
from model.protocol import PREFIX
from model.service.words import Side
from model.ticket_protocol import (
    KEY,
    EntryList,
    EntryNow,
    ListedDevices,
    OpenByHand,
    Refused,
    Say,
    Sayable,
    SayListed,
    TicketLine,
    TicketList,
    TicketNow,
)

T = TypeVar("T")
TRIES = 3  # of one request, the first included
PAUSE = 0.3  # seconds before a request is sent again, and more each time, where the desk names none
LONGEST_WAIT = 5.0  # seconds that it waits at most
_AGAIN = frozenset({408, 425, 429, 502, 503, 504})
_NO_TEXT = {
    "en": "A text is not in UTF-8: look at the terminal's encoding.",
    "zh": "文字不是UTF-8编码，请检查终端编码。",
}
_GARBAGE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class TicketsClient:
    """Speaks to one desk for people; use it as a context.

    `language` is what refusals are said in: en, zh.

    `token` is a person's or a program's of the desk; `verify` what its certificate is known by.
    """

    def __init__(
        self,
        url: str,
        *,
        language: str = "en",
        token: str = "",
        timeout: float = 15.0,
        tries: int = TRIES,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        headers = {"Accept-Language": language, "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx.Client(
            base_url=url.rstrip("/") + PREFIX, headers=headers, timeout=timeout, trust_env=False, verify=verify
        )
        self._tries = tries
        self._language = "zh" if language == "zh" else "en"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def page(self, **filters: str | int) -> TicketList:
        """Return one page of tickets; the filters are those of GET /tickets (docs/api.md)."""
        return _decoded(self._ask("GET", "/tickets", query=filters), TicketList)

    def every(self, **filters: str | int) -> Iterator[TicketLine]:
        """Return all tickets that the filters let through, newest first, page by page."""
        page = self.page(order="number", **filters)
        while True:
            yield from page.tickets
            if page.before is None:
                return
            page = self.page(**{**filters, "before": page.before})

    def ticket(self, number: int) -> TicketNow:
        """Return one ticket with every clock."""
        return _decoded(self._ask("GET", f"/tickets/{number}"), TicketNow)

    def entries(self, number: int) -> Iterator[EntryNow]:
        """Return what was written down of a ticket, in order."""
        after: int | None = 0
        while after is not None:
            page = _decoded(self._ask("GET", f"/tickets/{number}/entries", query={"after": after}), EntryList)
            yield from page.entries
            after = page.after

    def say(
        self, number: int, act: Sayable | Mapping[str, object], by: str, *, side: Side = Side.SERVICE, key: str = ""
    ) -> TicketNow:
        """Say an act of a ticket for a person and return the ticket as it is then.

        An act of `model.service.entry`, or the same as an object, whose times may be text ("14:05").
        """
        told = dict(act) if isinstance(act, Mapping) else msgspec.to_builtins(act)
        return _decoded(self._ask("POST", f"/tickets/{number}/acts", Say(by, told, side), key=key), TicketNow)

    def open(self, fault: OpenByHand, *, key: str = "") -> TicketNow:
        """Open a ticket for a fault that no alarm has told."""
        return _decoded(self._ask("POST", "/tickets", fault, key=key), TicketNow)

    def listed(self, site: str) -> ListedDevices:
        """Return the contract's list of a site's devices."""
        return _decoded(self._ask("GET", f"/sites/{quote(site, safe='')}/listed"), ListedDevices)

    def list_device(self, site: str, said: SayListed, *, key: str = "") -> ListedDevices:
        """Put a device on the contract's list, or say anew what stands there; returns the list."""
        return _decoded(self._ask("POST", f"/sites/{quote(site, safe='')}/listed", said, key=key), ListedDevices)

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON of another address that is only read, such as /contracts."""
        content = self._ask("GET", path, query=query)
        try:
            return msgspec.json.decode(content)
        except _GARBAGE as error:
            raise DeskError(f"the desk's answer cannot be read: {error}") from error

    def post(self, path: str, body: msgspec.Struct, *, key: str = "") -> Any:
        """Say something at another address and return the JSON of the answer."""
        content = self._ask("POST", path, body, key=key)
        try:
            return msgspec.json.decode(content)
        except _GARBAGE as error:
            raise DeskError(f"the desk's answer cannot be read: {error}") from error

    def _ask(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        key: str = "",
    ) -> bytes:
        try:
            content = None if body is None else msgspec.json.encode(body)
        except UnicodeEncodeError as error:  # a terminal's bytes that are no UTF-8
            raise DeskError(_NO_TEXT[self._language], permanent=True, reason="malformed") from error
        headers = {KEY: key or str(uuid.uuid4())} if method != "GET" else {}
        problem = DeskError("the desk was not asked", retry_after=0.0)
        for again in range(self._tries):
            pause = PAUSE * again if problem.retry_after is None else problem.retry_after
            time.sleep(min(pause, LONGEST_WAIT))
            try:
                reply = self._http.request(method, path, content=content, headers=headers, params=dict(query or {}))
            except httpx.TransportError as error:
                problem = DeskError(f"no answer from {self._http.base_url}: {why_no_answer(error)}")
                continue
            if reply.is_success:
                return reply.content
            problem = _refusal(reply)
            if problem.permanent or reply.status_code not in _AGAIN:
                break
        raise problem


def _refusal(reply: httpx.Response) -> DeskError:
    try:
        told = msgspec.json.decode(reply.content, type=Refused)
    except _GARBAGE:
        told = Refused("http", f"the desk answered {reply.status_code} {reply.reason_phrase}")
    asked = reply.headers.get("retry-after", "")
    pause = min(float(asked), LONGEST_PAUSE) if asked.isascii() and asked.isdigit() else None
    permanent = reply.status_code < 500 and reply.status_code not in _AGAIN
    return DeskError(told.message, permanent=permanent, reason=told.error, retry_after=pause)


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except _GARBAGE as error:
        raise DeskError(f"the desk's answer cannot be read: {error}") from error

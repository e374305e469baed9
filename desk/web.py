"""Requests and replies: bodies within bounds, errors as a word and a sentence, who asks."""

import asyncio
import ipaddress
import unicodedata
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from desk.core import Badge, Desk, token_hash
from desk.problem_words import problem_words
from desk.unseen import unseen
from desk.words import preferred
from model.contract import Text
from model.protocol import ErrorReply
from runtime.trust import PLACE, place_of
from runtime.writer import BusyError, StoreError

T = TypeVar("T")
LONGEST_NAME = 100  # characters of a person's name
LONGEST_FORM = 16 * 1024
_NOBODY = frozenset({"agent", "desk", "代理", "值班台"})  # who the audit names for itself


class TicketNumber(IntegerConvertor):
    """A ticket's number in an address, `{number:ticket}`; Python reads no integer of thousands of digits."""

    regex = "[0-9]{1,40}"


register_url_convertor("ticket", TicketNumber())


class ProblemError(Exception):
    """A request that is not done: HTTP status, a word for programs, a sentence that says what to do.

    `both` is the sentence in both languages, where the word alone does not say enough.
    """

    def __init__(
        self, status: int, error: str, message: str, *, seq: int = 0, retry_after: int = 0, both: Text | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.seq = seq
        self.retry_after = retry_after
        self.both = both

    def sentence(self, language: str) -> str:
        """Return why, in a language."""
        return self.both[language] if self.both else problem_words(self.error, self.message, language)


def desk_of(request: Request) -> Desk:
    """Return the desk that answers this request."""
    desk: Desk = request.app.state.desk
    return desk


def reply(value: object, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def as_problem(error: Exception) -> ProblemError:
    """Return what went wrong as a ProblemError; what is none of ours is raised again."""
    if isinstance(error, BusyError):
        return ProblemError(503, "busy", "The desk has too much to write: try again in a second.", retry_after=1)
    if isinstance(error, OverflowError):  # the store's integers have 64 bits
        return ProblemError(400, "malformed", "A number is too large.")
    if isinstance(error, StoreError):
        return ProblemError(503, "store", f"{error} Nothing was taken; try again.", retry_after=5)
    if not isinstance(error, ProblemError):
        raise error
    return error


def problem_reply(request: Request, problem: ProblemError) -> Response:
    """Answer a program, and count it."""
    desk_of(request).meters.refusals.labels(problem.error).inc()
    sentence = problem.sentence(preferred("", request.headers.get("accept-language", "")))
    answer = reply(ErrorReply(problem.error, sentence, problem.seq), problem.status)
    if problem.retry_after:
        answer.headers["Retry-After"] = str(problem.retry_after)
    return answer


def good_name(name: str) -> str:
    """Return a person's name as it is kept. Raises a ProblemError, `who`, for one that no person has."""
    who = name.replace("\N{IDEOGRAPHIC SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ").strip()
    if wrong := unseen(who):
        both = {"en": f"The name {wrong['en']}", "zh": f"姓名{wrong['zh']}"}
        raise ProblemError(400, "who", both["en"], both=both)
    if not 0 < len(who) <= LONGEST_NAME or not who.isprintable():
        raise ProblemError(400, "who", f"Say who it is, in at most {LONGEST_NAME} characters that can be read.")
    if unicodedata.normalize("NFKC", who).casefold() in _NOBODY:
        raise ProblemError(400, "who", "`agent` and `desk` stand for themselves: give a person's name.")
    return who


async def form_of(request: Request) -> dict[str, str]:
    """Read the fields of a page's form, of bounded size and in bounded time."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise ProblemError(415, "form", "Send the form URL-encoded.")
    raw = await body_of(request, LONGEST_FORM)
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        raise ProblemError(400, "form", "This is no form of this desk.") from error


async def body_of(request: Request, most: int | None = None) -> bytes:
    """Read a body, of bounded size (bytes) and in bounded time; once it is read, as the gate left it."""
    kept: bytes | None = getattr(request.state, "body", None)
    if kept is not None:
        return kept
    settings = desk_of(request).settings
    most = settings.body_limit if most is None else most
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise ProblemError(413, "too_large", f"A body has at most {most} bytes: send less.")
                parts.append(part)
    except TimeoutError:
        raise ProblemError(408, "slow", f"The body took more than {settings.body_seconds:g} s.") from None
    except ClientDisconnect:
        raise ProblemError(400, "cut", "The body ended early.") from None
    return b"".join(parts)


def decoded(raw: bytes, kind: type[T]) -> T:
    """Decode a body of the protocol; unknown fields are ignored, so that versions may differ."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ProblemError(400, "malformed", f"This is no {kind.__name__}: {error}") from error


async def message_of(request: Request, kind: type[T]) -> T:
    """Read and decode a body of the protocol."""
    return decoded(await body_of(request), kind)


def bearer(request: Request) -> str:
    """Return the token that a request carries, "" for none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def badge_of(request: Request) -> Badge:
    """Return the agent that asks, by its token: site and agent are never taken from a body."""
    badge = desk_of(request).badges.get(token_hash(bearer(request)))
    if badge is None:
        raise ProblemError(401, "unknown_token", "The desk does not know this token: enrol the agent again.")
    held = desk_of(request).certificates
    by_certificate = held is not None and held.told.agents_by_certificate
    if by_certificate and request.scope.get(PLACE) != place_of(badge.site, badge.agent):
        raise ProblemError(401, "certificate", "The agent needs its own certificate here: enrol it again.")
    return badge


def address_of(request: Request) -> str:
    """Return where a request comes from, for the audit."""
    return request.client.host if request.client else ""


def is_loopback(host: str) -> bool:
    """Say whether a host, as a name or an address, is this machine alone."""
    name = host.strip("[]")
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback

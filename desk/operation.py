"""An operation of the desk's API: where it answers, what it takes and gives. Routes and documents are made from it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from model.ticket_protocol import Refused

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Query:
    """One word of an operation's query: `kind` is the JSON type, or a tuple of the words that it may be."""

    name: str
    says: str
    kind: str | tuple[str, ...] = "string"
    default: object = None


@dataclass(frozen=True)
class Operation:
    """What stands in OpenAPI of a path and method. `path` is written as Starlette's.

    `takes` is the body's type, `gives` the answer's (None: 204, no body); `refuses` what may go wrong, status to words.
    `once`: takes an Idempotency-Key. `open_to` says who may ask: everybody here, an agent with its token, this machine.
    """

    method: str
    path: str
    says: str
    gives: Any
    handler: Handler | None = None
    takes: Any = None
    query: tuple[Query, ...] = ()
    refuses: tuple[tuple[int, str], ...] = ()
    refusal: type = Refused
    gives_status: int = 200
    once: bool = False
    group: str = "tickets"
    open_to: str = ""


def routes(operations: Iterable[Operation]) -> tuple[Route, ...]:
    """Return the routes of the operations that have a handler."""
    return tuple(Route(each.path, each.handler, methods=[each.method]) for each in operations if each.handler)

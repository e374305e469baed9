"""The gate before every route: who asks, whether they may (desk.roles), and in whose name things are said.

A route without a line in the table is refused. What a person who is signed in sends carries their name, whatever
stands in it; a page's form carries the session's token. Agents' requests pass: their handler looks at their tokens.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from desk.core import token_hash
from desk.roles import ACCESS, MACHINE, Access, By, Person, Role, Way, Within, may
from desk.sessions import SEEN, who_is
from desk.store import one, site_of
from desk.users import refuse
from desk.web import LONGEST_FORM, ProblemError, bearer, body_of, desk_of
from desk.words import both
from model.protocol import PREFIX

Endpoint = Callable[[Request], Awaitable[Response]]
CSRF = "csrf"  # a form's field; a program in a page sends X-CSRF-Token
LOGIN = "/login"
_SAFE = frozenset({"GET", "HEAD"})
_FORM = "application/x-www-form-urlencoded"
_APPROVAL = "approved_by"  # said of another: who is known approves by themselves


def guarded(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Return routes behind the gate; of other kinds than a plain route only static files are let through."""
    return [_behind(route) for route in routes]


async def person_of(request: Request) -> Person:
    """Return who asks, looked up once a request."""
    known: Person | None = getattr(request.state, "person", None)
    if known is None:
        known = request.state.person = await _identified(request)
    return known


def cookie_name(request: Request, what: str = "session") -> str:
    """Return the name of a cookie of this desk: `__Host-` needs TLS; without it desks on other ports keep theirs."""
    if request.url.scheme == "https":
        return f"__Host-roundsman-{what}"
    return f"roundsman-{what}-{request.url.port or 80}"


def local_path(address: str) -> str:
    """Return an address of this desk's own pages, "/" for every other."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    own = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if own and not parts.scheme and not parts.netloc and len(address) <= 1000 else "/"


def _behind(route: BaseRoute) -> BaseRoute:
    if isinstance(route, Mount) and isinstance(route.app, StaticFiles):
        return route
    if not isinstance(route, Route):
        raise TypeError(f"the gate knows no such route: {route!r}")
    methods = sorted((route.methods or set()) - {"HEAD"})
    access = {method: ACCESS.get(f"{method} {route.path}") for method in methods}
    if all(each is not None and each.by is By.AGENTS for each in access.values()):
        return route

    async def gate(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        away = await _checked(request, access.get(method), f"{method} {route.path}")
        return away if away is not None else await route.endpoint(request)

    return Route(route.path, gate, methods=methods)


async def _checked(request: Request, access: Access | None, route: str) -> Response | None:
    """Return None when a request may pass, or where to go instead. Raises a ProblemError."""
    if access is None:
        raise refuse("no_entry")
    if access.by in {By.AGENTS, By.EVERYBODY}:
        return None
    person = await person_of(request)
    if access.by is By.MACHINE:
        if person.way is not Way.MACHINE:
            raise refuse("local")
        return None
    if person.way is Way.NOBODY:
        return _to_sign_in(request)
    if access.shut and person.way is Way.OPEN:
        raise refuse("no_people")
    _check_role(person, access.least)
    if not may(person, route):
        raise refuse("not_yours")
    said: dict[str, Any] = {}
    if person.signed and request.method not in _SAFE:
        said = await _said(request, person)
    _check_role(person, max(access.words.get(word, access.least) for word in _words(said)))
    await _check_bounds(request, person, access.within, said)
    return None


async def _identified(request: Request) -> Person:
    desk = desk_of(request)
    token, secret = bearer(request), request.cookies.get(cookie_name(request), "")
    if token and desk.secret and secrets.compare_digest(token.encode(), desk.secret.encode()):
        return MACHINE
    now = desk.timekeeper.now()
    person, used, number = await desk.store.read(lambda db: who_is(db, token, secret, now))
    by_itself = request.headers.get("hx-trigger") == "refresh" or request.url.path == "/live"
    if person.signed and now - used > SEEN and not by_itself:
        sql, of = ("tokens SET used", "id") if number else ("sessions SET seen", "hash")
        value = number or token_hash(secret)
        await desk.store.write(lambda db: db.execute(f"UPDATE {sql} = ? WHERE {of} = ?", (now, value)))
    return person


def _to_sign_in(request: Request) -> Response:
    path = request.url.path
    if path.startswith((PREFIX, "/metrics", "/live")):
        raise refuse("sign_in")
    current = urlsplit(request.headers.get("hx-current-url", ""))
    wanted = path + (f"?{request.url.query}" if request.url.query else "")
    if request.headers.get("hx-request"):
        wanted = current.path + (f"?{current.query}" if current.query else "")
    elif request.method not in _SAFE:
        wanted = "/"
    address = LOGIN if wanted == "/" else f"{LOGIN}?{urlencode({'next': local_path(wanted)})}"
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


async def _said(request: Request, person: Person) -> dict[str, Any]:
    """Return what somebody who is signed in sends, with their name in it; the handler reads the same.

    A page takes forms and a call JSON, whatever the sender calls it: what was looked at here is what is done there.
    """
    is_form = not request.url.path.startswith(PREFIX)
    if is_form and not request.headers.get("content-type", "").lower().startswith(_FORM):
        raise ProblemError(415, "form", "Send the form URL-encoded.")
    raw = await body_of(request, LONGEST_FORM if is_form else None)
    said: Any
    try:
        said = dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=25)) if is_form else (
            msgspec.json.decode(raw) if raw else {}
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "malformed", "The body cannot be read.") from error
    said = said if isinstance(said, dict) else {}
    given = request.headers.get("x-csrf-token", "") or (str(said.pop(CSRF, "")) if is_form else "")
    if person.way is Way.SESSION and not secrets.compare_digest(given.encode(), person.csrf.encode()):
        raise refuse(CSRF)
    said.pop(CSRF, None)
    if "by" in said or not is_form:
        said["by"] = person.name
    said.pop(_APPROVAL, None)
    request.state.body = urlencode(said).encode() if is_form else msgspec.json.encode(said)
    return dict(said)


def _words(said: dict[str, Any]) -> set[str]:
    """Return the words of what is said: of an act, and of a page's form."""
    act = said.get("act", "")
    what = act.get("what", "") if isinstance(act, dict) else act
    return {str(what).strip(), str(said.get("form", "")).strip().partition(" ")[0]}


def _check_role(person: Person, least: Role) -> None:
    if person.role < least:
        raise refuse("role", both(f"role.{least.word}"))


async def _check_bounds(request: Request, person: Person, within: Within, said: dict[str, Any]) -> None:
    """Refuse what is of another's site, as if it were not there."""
    if not person.bounded:
        return
    act = said.get("act")
    other = str((act if isinstance(act, dict) else said).get("number", "")).strip()  # a ticket that it is tied to
    numbers = [str(request.path_params["number"]), *([other] if other else [])] if within is Within.TICKET else []
    for number in numbers:
        if not (number.isascii() and number.isdigit() and len(number) < 19):  # however else a handler may read it
            raise ProblemError(404, "no_ticket", f"There is no ticket {number[:40]}.")
        if not await _has_ticket(request, person, int(number)):
            raise ProblemError(404, "no_ticket", f"There is no ticket {number}.")
    site = request.path_params.get("site") if within is Within.SITE else said.get("site")
    if within in {Within.SITE, Within.SAID} and not await _has_site(request, person, str(site)):
        raise ProblemError(404, "no_site", "There is no such site.")


async def _has_ticket(request: Request, person: Person, number: int) -> bool:
    row = await desk_of(request).store.read(lambda db: one(db, "SELECT site FROM tickets WHERE number = ?", number))
    return row is not None and await _has_site(request, person, row["site"])


async def _has_site(request: Request, person: Person, site: str) -> bool:
    found = await desk_of(request).store.read(lambda db: site_of(db, site))
    return found is not None and person.has(found.id, found.region)

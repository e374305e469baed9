"""Signing in and out, and the page behind a one-time link. A session is made anew at each sign-in.

The form of somebody who is not signed in carries a word that belongs to a cookie of its own, so that another site's
page cannot sign a browser in under a name of its choosing.
"""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.core import token_hash
from desk.gate import LOGIN, cookie_name, local_path, person_of
from desk.page import page, shown_for
from desk.passwords import Passwords, needs_another, wrong_with
from desk.roles import Way
from desk.sessions import BROWSER_KNOWN, LONGEST, begin, csrf_of, end, know_browser, knows_browser
from desk.store import Db, Row, one
from desk.throttle import failed, succeeded, wait_for
from desk.users import Actor, User, folded, linked, noted, set_password, sign_out_everywhere, user_named
from desk.web import address_of, desk_of, form_of

SEEN = 303
WRONG, SLOW = 403, 429
DOOR, BROWSER = "door", "browser"  # cookies: of the form before the session, of a browser that is known
LONGEST_FIELD = 1000
_WRONG = {"name": "users.name_in_it"}


async def login_page(request: Request) -> Response:
    """Ask for name and password."""
    after = local_path(request.query_params.get("next", "/"))
    person = await person_of(request)
    if person.way in {Way.OPEN, Way.SESSION}:
        return RedirectResponse(after, SEEN)
    return await _door(request, "login.html", after=after, name="")


async def sign_in(request: Request) -> Response:
    """Begin a session for whoever has the password, or say why not."""
    form = await form_of(request)
    desk, source = desk_of(request), address_of(request)
    name, password = (form.get(each, "")[:LONGEST_FIELD] for each in ("name", "password"))
    after, account = local_path(form.get("next", "/")), folded(name)[:100]
    if not _through_door(request, form):
        return await _door(request, "login.html", WRONG, after=after, name=name, why=("users.door", {}))
    now = desk.timekeeper.now()
    cookie = request.cookies.get(cookie_name(request, BROWSER), "")

    def look(db: Db) -> tuple[Row | None, str, float]:
        """Count the try as failed before it is made: many at once are not many free ones."""
        found = one(db, "SELECT * FROM users WHERE folded = ? AND disabled IS NULL", account)
        browser = token_hash(cookie) if found is not None and knows_browser(db, found["id"], cookie) else ""
        pause = wait_for(db, account, source, browser, now)
        if pause <= 0:
            failed(db, account, source, browser, now)
        return found, browser, pause

    found, browser, pause = await desk.store.write(look)
    if pause > 0:
        span = shown_for(request).span(max(1.0, pause))
        return await _door(request, "login.html", SLOW, after=after, name=name, why=("users.slow", {"span": span}))
    kept = found["password"] if found is not None else ""
    if found is None or not await passwords_of(request).fits(kept, password):
        known = Actor(found["name"] if found is not None else "desk", source, now)
        await desk.store.write(lambda db: noted(db, known, "sign_in_failed", ""))
        return await _door(request, "login.html", WRONG, after=after, name=name, why=("users.wrong", {}))
    again = await passwords_of(request).hashed(password) if needs_another(kept) else ""

    def enter(db: Db) -> tuple[str, str] | None:
        if one(db, "SELECT 1 FROM users WHERE id = ? AND password = ? AND disabled IS NULL", found["id"], kept) is None:
            return None  # another password was set meanwhile
        if again:
            db.execute("UPDATE users SET password = ? WHERE id = ?", (again, found["id"]))
        succeeded(db, account, source, browser)
        return entered(db, request, user_named(db, account), Actor(found["name"], source, now), cookie)

    secrets_ = await desk.store.write(enter)
    if secrets_ is None:
        return await _door(request, "login.html", WRONG, after=after, name=name, why=("users.wrong", {}))
    return with_cookies(request, RedirectResponse(after, SEEN), *secrets_)


async def sign_out(request: Request) -> Response:
    """End this session, or all of this account."""
    form, person = await form_of(request), await person_of(request)
    desk, source = desk_of(request), address_of(request)
    everywhere = bool(form.get("everywhere"))
    now = desk.timekeeper.now()

    def leave(db: Db) -> None:
        end(db, person.session)
        if everywhere:
            sign_out_everywhere(db, person.account)
        noted(db, Actor(person.name, source, now), "signed_out_everywhere" if everywhere else "signed_out", "")

    await desk.store.write(leave)
    answer = RedirectResponse(LOGIN, SEEN)
    drop_session(request, answer)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


async def welcome_page(request: Request) -> Response:
    """Ask for a password, for whom a one-time link was made."""
    return await _welcome(request)


async def welcome(request: Request) -> Response:
    """Set the password that a one-time link allows, and begin a session: the link is used."""
    form = await form_of(request)
    desk, code, now = desk_of(request), request.path_params["code"], desk_of(request).timekeeper.now()
    if not _through_door(request, form):
        return await _welcome(request, "users.door")
    user = await desk.store.read(lambda db: linked(db, code, now))
    password = form.get("password", "")[:LONGEST_FIELD]
    wrong = "" if user is None else wrong_new(password, form.get("again", ""), user.name)
    if user is None or wrong:
        return await _welcome(request, wrong)
    kept = await passwords_of(request).hashed(password)

    def enter(db: Db) -> tuple[str, str] | None:
        still = linked(db, code, now)
        if still is None:
            return None
        actor = Actor(still.name, address_of(request), now)
        set_password(db, still, kept, actor, "password_set")
        return entered(db, request, still, actor, "")

    secrets_ = await desk.store.write(enter)
    if secrets_ is None:
        return await _welcome(request)
    return with_cookies(request, RedirectResponse("/", SEEN), *secrets_)


def passwords_of(request: Request) -> Passwords:
    """Return what hashes and checks passwords."""
    passwords: Passwords = request.app.state.passwords
    return passwords


def wrong_new(password: str, again: str, name: str) -> str:
    """Return the word of what is wrong with a new password, "" when it is good."""
    wrong = wrong_with(password, name)
    if wrong:
        return _WRONG.get(wrong, f"users.{wrong}")
    return "users.not_same" if password != again else ""


def entered(db: Db, request: Request, user: User, actor: Actor, browser: str) -> tuple[str, str]:
    """Begin a session in place of the one that the browser had; returns its secret and the browser's."""
    before = request.cookies.get(cookie_name(request), "")
    if before:
        end(db, token_hash(before))
    secret = begin(db, user, actor, request.headers.get("user-agent", ""))
    return secret, know_browser(db, user.id, browser, actor.at)


def with_cookies(request: Request, answer: Response, secret: str, browser: str) -> Response:
    """Give a browser its session, and what it is known by."""
    _set(request, answer, "session", secret, LONGEST)
    _set(request, answer, BROWSER, browser, BROWSER_KNOWN)
    answer.delete_cookie(cookie_name(request, DOOR), secure=_secure(request))
    return answer


def drop_session(request: Request, answer: Response) -> None:
    """Take a browser's session away."""
    answer.delete_cookie(cookie_name(request), secure=_secure(request), httponly=True, samesite="lax")


def _set(request: Request, answer: Response, what: str, value: str, life: float) -> None:
    answer.set_cookie(
        cookie_name(request, what), value, max_age=int(life), httponly=True, samesite="lax", secure=_secure(request)
    )


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _through_door(request: Request, form: dict[str, str]) -> bool:
    cookie = request.cookies.get(cookie_name(request, DOOR), "")
    return bool(cookie) and secrets.compare_digest(form.get("csrf", "").encode(), csrf_of(cookie).encode())


async def _door(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Show a form for somebody who is not signed in."""
    cookie = request.cookies.get(cookie_name(request, DOOR), "")
    if len(cookie) != len(secrets.token_urlsafe(32)):
        cookie = secrets.token_urlsafe(32)
    values.setdefault("why", ("", {}))
    answer = await page(request, template, status, door=csrf_of(cookie), **values)
    _set(request, answer, DOOR, cookie, LONGEST)
    return answer


async def _welcome(request: Request, wrong: str = "") -> Response:
    desk, code = desk_of(request), request.path_params["code"]
    now = desk.timekeeper.now()
    user = await desk.store.read(lambda db: linked(db, code, now))
    status = 404 if user is None else WRONG if wrong else 200
    return await _door(request, "welcome.html", status, user=user, code=code, why=(wrong, {}))


ROUTES = (
    Route(LOGIN, login_page, methods=["GET"]),
    Route(LOGIN, sign_in, methods=["POST"]),
    Route("/logout", sign_out, methods=["POST"]),
    Route("/welcome/{code}", welcome_page, methods=["GET"]),
    Route("/welcome/{code}", welcome, methods=["POST"]),
)

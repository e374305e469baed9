"""One's own account: password, sessions, tokens of programs."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.gate import cookie_name, person_of
from desk.page import page, shown_for
from desk.roles import ROLES, Person
from desk.sessions import end, make_token, revoke_token, sessions_of, tokens
from desk.sign_in_page import LONGEST_FIELD, entered, passwords_of, with_cookies, wrong_new
from desk.store import Db, one
from desk.throttle import failed, succeeded, wait_for
from desk.users import Actor, User, folded, noted, set_password, user_named
from desk.web import ProblemError, address_of, desk_of, form_of

SEEN, NOT_DONE, SLOW = 303, 409, 429


async def account_page(request: Request) -> Response:
    """Show one's account."""
    return await _page(request)


async def change_account(request: Request) -> Response:
    """Do what a form of the page says."""
    form, person = await form_of(request), await person_of(request)
    _has_account(person)
    try:
        done = await _FORMS[form.get("form", "")](request, form, person)
    except KeyError:
        raise ProblemError(400, "form", "This is no form of this page.") from None
    except ProblemError as problem:
        if problem.status >= 500:
            raise
        return await _page(request, NOT_DONE, why=problem.sentence(shown_for(request).lang), form=form.get("form", ""))
    return done if done is not None else RedirectResponse("/account", SEEN)


async def _password(request: Request, form: dict[str, str], person: Person) -> Response | None:
    desk, source, now = desk_of(request), address_of(request), desk_of(request).timekeeper.now()
    before, fresh = (form.get(each, "")[:LONGEST_FIELD] for each in ("before", "password"))
    shown, account = shown_for(request), folded(person.name)

    def tried(db: Db) -> float:
        pause = wait_for(db, account, source, person.session, now)
        if pause <= 0:
            failed(db, account, source, person.session, now)
        return pause

    pause = await desk.store.write(tried)
    if pause > 0:
        why = shown.say("users.slow", span=shown.span(max(1.0, pause)))
        return await _page(request, SLOW, why=why, form="password")
    row = await desk.store.read(lambda db: one(db, "SELECT password FROM users WHERE id = ?", person.account))
    kept = row["password"] if row else ""
    if not await passwords_of(request).fits(kept, before):
        return await _page(request, NOT_DONE, why=shown.say("users.wrong"), form="password")
    await desk.store.write(lambda db: succeeded(db, account, source, person.session))
    if wrong := wrong_new(fresh, form.get("again", ""), person.name):
        return await _page(request, NOT_DONE, why=shown.say(wrong), form="password")
    hashed = await passwords_of(request).hashed(fresh)

    def change(db: Db) -> tuple[str, str]:
        user, actor = user_named(db, person.name), Actor(person.name, source, now)
        set_password(db, user, hashed, actor, "password_changed")
        return entered(db, request, user, actor, request.cookies.get(cookie_name(request, "browser"), ""))

    return with_cookies(request, RedirectResponse("/account?changed=1", SEEN), *await desk.store.write(change))


async def _end(request: Request, form: dict[str, str], person: Person) -> None:
    """End one of one's sessions."""
    desk, source, now = desk_of(request), address_of(request), desk_of(request).timekeeper.now()

    def leave(db: Db) -> None:
        if form.get("session", "") in {each.id for each in sessions_of(db, person.account, now)}:
            end(db, form["session"])
            noted(db, Actor(person.name, source, now), "signed_out", "")

    await desk.store.write(leave)


async def _token(request: Request, form: dict[str, str], person: Person) -> Response:
    """Make a token, and show it this once."""
    desk, source, now = desk_of(request), address_of(request), desk_of(request).timekeeper.now()
    days = form.get("days", "")

    def make(db: Db) -> str:
        actor = Actor(person.name, source, now)
        return make_token(
            db,
            form.get("name", "").strip(),
            form.get("role", ""),
            float(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0.0,
            actor,
            owner=user_named(db, person.name),
        )

    return await _page(request, fresh=await desk.store.write(make))


async def _revoke(request: Request, form: dict[str, str], person: Person) -> None:
    """Revoke one of one's tokens."""
    desk, source, now = desk_of(request), address_of(request), desk_of(request).timekeeper.now()
    number = form.get("token", "")
    known = int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0
    await desk.store.write(lambda db: revoke_token(db, known, Actor(person.name, source, now), person.account))


_FORMS: dict[str, Any] = {"password": _password, "end": _end, "token": _token, "revoke": _revoke}


async def _page(request: Request, status: int = 200, **values: Any) -> Response:
    desk, person = desk_of(request), await person_of(request)
    _has_account(person)
    now = desk.timekeeper.now()

    def look(db: Db) -> tuple[User, list[Any], list[Any]]:
        return user_named(db, person.name), sessions_of(db, person.account, now), tokens(db, now, person.account)

    user, sessions, own = await desk.store.read(look)
    values = {"why": "", "form": "", "fresh": ""} | values
    return await page(
        request,
        "account.html",
        status,
        user=user,
        sessions=sessions,
        tokens=own,
        roles=[word for word, role in ROLES.items() if role <= person.role],
        changed="changed" in request.query_params,
        **values,
    )


def _has_account(person: Person) -> None:
    if not person.session:
        raise ProblemError(403, "role", "This is for people who are signed in.")


ROUTES = (
    Route("/account", account_page, methods=["GET"]),
    Route("/account", change_account, methods=["POST"]),
)

"""The page of users: who has an account, with which role and bounds; invited, changed, disabled; tokens of programs."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk.gate import person_of
from desk.page import page, shown_for
from desk.roles import ROLES
from desk.sessions import make_token, revoke_token, tokens
from desk.store import Db, every
from desk.users import (
    Actor,
    Bounds,
    add_user,
    change_user,
    disable_user,
    enable_user,
    make_link,
    noted,
    sign_out_everywhere,
    user_named,
    users,
)
from desk.web import ProblemError, address_of, desk_of, form_of, good_name

SEEN, NOT_DONE = 303, 409


async def users_page(request: Request) -> Response:
    """Show the users."""
    return await _page(request)


async def change_users(request: Request) -> Response:
    """Do what a form of the page says; a link or token is shown in the answer, this once."""
    form, person = await form_of(request), await person_of(request)
    desk = desk_of(request)
    who = person.name or good_name(form.get("by") or "admin")
    actor = Actor(who, address_of(request), desk.timekeeper.now())
    try:
        code, secret = await desk.store.write(lambda db: do(db, form, actor))
    except ProblemError as problem:
        if problem.status >= 500:
            raise
        return await _page(request, NOT_DONE, why=problem.sentence(shown_for(request).lang), said=form)
    if code:
        return await _page(request, link=f"{base_of(request)}/welcome/{code}", whose=form.get("name", ""))
    return await _page(request, fresh=secret) if secret else RedirectResponse("/users", SEEN)


def base_of(request: Request) -> str:
    """Return where people reach this desk, as whoever asks does."""
    return f"{request.url.scheme}://{request.url.netloc}"


def do(db: Db, form: dict[str, str], actor: Actor) -> tuple[str, str]:
    """Do what a form says, in the caller's transaction; returns the code of a link and the secret of a token, or ""."""
    what, name, role = (form.get(each, "") for each in ("form", "name", "role"))
    bounds = Bounds(words(form.get("regions", "")), words(form.get("sites", "")))
    if what == "add":
        return add_user(db, name, role, bounds, actor), ""
    if what == "token":
        days = form.get("days", "")
        known = float(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0.0
        return "", make_token(db, name.strip(), role, known, actor, bounds=bounds)
    if what == "revoke":
        number = form.get("token", "")
        revoke_token(db, int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0, actor)
        return "", ""
    user = user_named(db, name)
    if what == "link":
        return make_link(db, user, actor), ""
    if what == "change":
        change_user(db, user, role, bounds, actor)
    elif what == "disable":
        disable_user(db, user, actor)
    elif what == "enable":
        enable_user(db, user, actor)
    elif what == "sign_out":
        sign_out_everywhere(db, user.id)
        noted(db, actor, "signed_out_everywhere", user.name)
    else:
        raise ProblemError(400, "form", "This is no form of this page.")
    return "", ""


def words(text: str) -> tuple[str, ...]:
    """Return names with commas between them."""
    return tuple(each for each in re.split(r"[\s,，、]+", text) if each)


async def _page(request: Request, status: int = 200, **values: Any) -> Response:
    desk = desk_of(request)
    now = desk.timekeeper.now()

    def look(db: Db) -> tuple[list[Any], list[Any], list[str]]:
        regions = every(db, "SELECT DISTINCT region FROM sites WHERE region <> '' ORDER BY region")
        return users(db), tokens(db, now), [row["region"] for row in regions]

    found, issued, regions = await desk.store.read(look)
    values = {"why": "", "said": {}, "link": "", "whose": "", "fresh": ""} | values
    return await page(request, "users.html", status, users=found, tokens=issued, regions=regions, roles=ROLES, **values)


ROUTES = (
    Route("/users", users_page, methods=["GET"]),
    Route("/users", change_users, methods=["POST"]),
)

"""Users and tokens for programs and this machine's commands: an administrator's, also while nobody signs in."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.operation import Handler, Operation
from desk.sessions import TokenLine, make_token, revoke_token, tokens
from desk.store import Db
from desk.users import (
    LINK_LIFE,
    Actor,
    Bounds,
    User,
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
from desk.web import address_of, desk_of, good_name, message_of, reply
from model.protocol import PREFIX, ErrorReply

T = TypeVar("T")
USERS, TOKENS = f"{PREFIX}/users", f"{PREFIX}/tokens"
USER = f"{USERS}/{{name}}"
_MAY_NOT = ((401, "sign_in"), (403, "role, no_people"))


class UserList(msgspec.Struct, frozen=True):
    """Every account."""

    users: list[User]


class AddUser(msgspec.Struct, frozen=True):
    """A person to be invited: a role of viewer, operator, engineer, manager, administrator; bounds, none for all."""

    name: str
    role: str
    regions: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    by: str = "admin"


class OneTimeLink(msgspec.Struct, frozen=True):
    """A link that lets its bearer set the password of an account once, until `expires` (Unix seconds)."""

    name: str
    link: str
    expires: float


class Said(msgspec.Struct, frozen=True):
    """Who says so, from this machine; of somebody who is signed in it is theirs."""

    by: str = "admin"


class ChangeUser(msgspec.Struct, frozen=True):
    """What is to be otherwise of an account; what is null stays."""

    role: str | None = None
    regions: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    disabled: bool | None = None
    by: str = "admin"


class TokenList(msgspec.Struct, frozen=True):
    """The tokens of programs, the newest first."""

    tokens: list[TokenLine]


class MakeToken(msgspec.Struct, frozen=True):
    """A token for a program. `days`: how long it is good."""

    name: str
    role: str
    days: float = 90.0
    regions: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    by: str = "admin"


class NewToken(msgspec.Struct, frozen=True):
    """A token's secret, this once."""

    name: str
    token: str


async def list_users(request: Request) -> Response:
    """List the accounts."""
    return reply(UserList(await desk_of(request).store.read(users)))


async def add(request: Request) -> Response:
    """Invite somebody."""
    said = await message_of(request, AddUser)
    bounds = Bounds(said.regions, said.sites)
    code = await _write(request, said.by, lambda db, actor: add_user(db, said.name, said.role, bounds, actor))
    return reply(_link(request, good_name(said.name), code), 201)


async def link(request: Request) -> Response:
    """Make another one-time link."""
    said, name = await message_of(request, Said), request.path_params["name"]
    code = await _write(request, said.by, lambda db, actor: make_link(db, user_named(db, name), actor))
    return reply(_link(request, name, code))


async def change(request: Request) -> Response:
    """Give somebody another role or bounds, or let them in no more, or again."""
    said, name = await message_of(request, ChangeUser), request.path_params["name"]

    def work(db: Db, actor: Actor) -> User:
        user = user_named(db, name)
        if said.disabled:
            disable_user(db, user, actor)
        elif said.disabled is not None:
            enable_user(db, user, actor)
        if said.role is not None or said.regions is not None or said.sites is not None:
            regions = user.regions if said.regions is None else said.regions
            sites = user.sites if said.sites is None else said.sites
            change_user(db, user, said.role or user.role, Bounds(regions, sites), actor)
        return user_named(db, name)

    return reply(await _write(request, said.by, work))


async def sign_out(request: Request) -> Response:
    """End all sessions of somebody."""
    said, name = await message_of(request, Said), request.path_params["name"]

    def work(db: Db, actor: Actor) -> User:
        user = user_named(db, name)
        sign_out_everywhere(db, user.id)
        noted(db, actor, "signed_out_everywhere", user.name)
        return user_named(db, name)

    return reply(await _write(request, said.by, work))


async def list_tokens(request: Request) -> Response:
    """List the tokens, those that are good no more too."""
    desk = desk_of(request)
    now = desk.timekeeper.now()
    return reply(TokenList(await desk.store.read(lambda db: tokens(db, now))))


async def add_token(request: Request) -> Response:
    """Make a token for a program."""
    said = await message_of(request, MakeToken)
    name, bounds = said.name.strip(), Bounds(said.regions, said.sites)
    secret = await _write(
        request, said.by, lambda db, actor: make_token(db, name, said.role, said.days, actor, bounds=bounds)
    )
    return reply(NewToken(name, secret), 201)


async def revoke(request: Request) -> Response:
    """Let a token be good no more."""
    said, number = await message_of(request, Said), request.path_params["number"]
    return reply(await _write(request, said.by, lambda db, actor: revoke_token(db, number, actor)))


async def _write(request: Request, by: str, work: Callable[[Db, Actor], T]) -> T:
    desk = desk_of(request)
    actor = Actor(good_name(by), address_of(request), desk.timekeeper.now())
    return await desk.store.write(lambda db: work(db, actor))


def _link(request: Request, name: str, code: str) -> OneTimeLink:
    desk = desk_of(request)
    return OneTimeLink(name, f"{desk.url}/welcome/{code}", desk.timekeeper.now() + LINK_LIFE)


def _of_users(  # noqa: PLR0917 - a line of the table below
    method: str, path: str, says: str, gives: type, handler: Handler, takes: type | None = None,
    refuses: tuple[tuple[int, str], ...] = (),
) -> Operation:  # fmt: skip
    made = takes in {AddUser, MakeToken}
    return Operation(
        method, path, says, gives, handler, takes, refuses=(*refuses, *_MAY_NOT), refusal=ErrorReply, group="users",
        gives_status=201 if made else 200, open_to="an administrator, or this machine's commands",
    )  # fmt: skip


_BAD, _NO_USER, _NO_TOKEN = (400, "malformed, who, no_role, bounds"), (404, "no_user"), (404, "no_token")
_BAD_TOKEN = (400, "malformed, who, no_role, bounds, token_name, token_days")
OPERATIONS = (
    _of_users("GET", USERS, "List the users", UserList, list_users),
    _of_users("POST", USERS, "Invite a user; the answer is their one-time link", OneTimeLink, add, AddUser,
              (_BAD, (409, "taken, first"))),
    _of_users("POST", f"{USER}/link", "Another one-time link for a user", OneTimeLink, link, Said,
              ((400, "malformed, who"), _NO_USER, (409, "disabled"))),
    _of_users("POST", f"{USER}/change", "Another role or bounds; disable or enable a user", User, change, ChangeUser,
              (_BAD, _NO_USER, (409, "last"))),
    _of_users("POST", f"{USER}/sign-out", "End all sessions of a user", User, sign_out, Said,
              ((400, "malformed, who"), _NO_USER)),
    _of_users("GET", TOKENS, "List the tokens of programs", TokenList, list_tokens),
    _of_users("POST", TOKENS, "Make a token for a program; it is shown this once", NewToken, add_token, MakeToken,
              (_BAD_TOKEN,)),
    _of_users("POST", f"{TOKENS}/{{number:ticket}}/revoke", "Revoke a token", TokenLine, revoke, Said,
              ((400, "malformed, who"), _NO_TOKEN)),
)  # fmt: skip

"""Accounts of people, in the caller's transaction: made, invited, changed. What is done is in the audit.

A name is what somebody signs in with and what is written beside what they do; two that read alike (case, width) are
one. A one-time link lets its bearer set the account's password; a new one takes the place of the one before.
"""

import secrets
import unicodedata

import msgspec

from desk.core import token_hash
from desk.roles import ADMINISTRATOR, ROLES, Person, Role
from desk.store import Db, Row, audit, every, one
from desk.web import ProblemError, good_name
from desk.words_users import USERS_PROBLEMS
from model.contract import Text

LINK_LIFE = 86_400.0
MOST_BOUNDS = 2000
_SELECT = """SELECT u.*, (SELECT expires FROM links l WHERE l.account = u.id) AS link,
    (SELECT count(*) FROM sessions s WHERE s.account = u.id) AS sessions FROM users u"""


class User(msgspec.Struct, frozen=True):
    """An account. Times are the desk's Unix seconds; `link`: until when a one-time link is good, None without one."""

    id: int
    name: str
    role: str
    regions: tuple[str, ...]
    sites: tuple[str, ...]
    state: str  # invited, active, disabled
    made: float
    made_by: str
    signed_in: float | None
    sessions: int
    link: float | None = None


class Bounds(msgspec.Struct, frozen=True):
    """To which regions and sites somebody is bound; none of both for no bounds."""

    regions: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


class Actor(msgspec.Struct, frozen=True):
    """Who changes something, when, and from where."""

    who: str
    source: str
    at: float


def refuse(word: str, more: str | Text = "") -> ProblemError:
    """Return the problem of a word of this room."""
    status, both = USERS_PROBLEMS[word]
    said = {lang: text.format(more if isinstance(more, str) else more[lang]) for lang, text in both.items()}
    return ProblemError(status, word, said["en"], both=said)


def folded(name: str) -> str:
    """Return a name in the form in which two are the same."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def role_of(word: str) -> Role:
    """Return a role by its word. Raises a ProblemError, `no_role`."""
    role = ROLES.get(word.strip().lower())
    if role is None:
        raise refuse("no_role")
    return role


def anybody(db: Db) -> bool:
    """Say whether the desk knows people."""
    return one(db, "SELECT 1 FROM users LIMIT 1") is not None


def users_exist(db: Db) -> bool:
    """Say whether somebody has a password."""
    return one(db, "SELECT 1 FROM users WHERE password <> '' AND disabled IS NULL LIMIT 1") is not None


def users(db: Db) -> list[User]:
    """Return every account by name."""
    return [_user(row) for row in every(db, f"{_SELECT} ORDER BY u.disabled IS NOT NULL, u.folded")]


def user_named(db: Db, name: str) -> User:
    """Return an account. Raises a ProblemError, `no_user`."""
    row = one(db, f"{_SELECT} WHERE u.folded = ?", folded(name))
    if row is None:
        raise refuse("no_user")
    return _user(row)


def checked(db: Db, bounds: Bounds) -> Bounds:
    """Return bounds without doubles. Raises a ProblemError, `bounds`, for what no site of the desk is or lies in."""
    sites = {row["id"]: row["region"] for row in every(db, "SELECT id, region FROM sites")}
    regions = set(sites.values()) - {""}
    unknown = [each for each in bounds.sites if each not in sites] + [
        each for each in bounds.regions if each not in regions
    ]
    if unknown or len(bounds.sites) + len(bounds.regions) > MOST_BOUNDS:
        raise refuse("bounds", ", ".join(each[:64] for each in unknown[:5]))
    return Bounds(tuple(dict.fromkeys(bounds.regions)), tuple(dict.fromkeys(bounds.sites)))


def add_user(db: Db, name: str, role: str, bounds: Bounds, actor: Actor) -> str:
    """Make an account and return the code of its one-time link."""
    name, given, bounds = good_name(name), role_of(role), checked(db, bounds)
    if not anybody(db) and (given is not ADMINISTRATOR or bounds.regions or bounds.sites):
        raise refuse("first")
    if one(db, "SELECT 1 FROM users WHERE folded = ?", folded(name)) is not None:
        raise refuse("taken")
    db.execute(
        "INSERT INTO users (name, folded, role, regions, sites, made, made_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (name, folded(name), given.word, listed(bounds.regions), listed(bounds.sites), actor.at, actor.who),
    )
    noted(db, actor, "user_added", name, role=given.word, regions=bounds.regions, sites=bounds.sites)
    return make_link(db, user_named(db, name), actor)


def make_link(db: Db, user: User, actor: Actor) -> str:
    """Return the code of a new one-time link of an account; the one before is good no more."""
    if user.state == "disabled":
        raise refuse("disabled")
    code = secrets.token_urlsafe(32)
    db.execute("DELETE FROM links WHERE account = ? OR expires <= ?", (user.id, actor.at))
    db.execute("INSERT INTO links VALUES (?, ?, ?)", (token_hash(code), user.id, actor.at + LINK_LIFE))
    noted(db, actor, "link_made", user.name)
    return code


def linked(db: Db, code: str, now: float) -> User | None:
    """Return the account of a one-time link that is good now."""
    row = one(
        db,
        f"{_SELECT} JOIN links k ON k.account = u.id WHERE k.hash = ? AND k.expires > ? AND u.disabled IS NULL",
        token_hash(code),
        now,
    )
    return _user(row) if row else None


def set_password(db: Db, user: User, kept: str, actor: Actor, what: str) -> None:
    """Keep another password: links, sessions and known browsers of before are good no more."""
    db.execute("UPDATE users SET password = ? WHERE id = ?", (kept, user.id))
    for table in ("links", "sessions", "browsers"):
        db.execute(f"DELETE FROM {table} WHERE account = ?", (user.id,))  # noqa: S608 - constants
    noted(db, actor, what, user.name)


def change_user(db: Db, user: User, role: str, bounds: Bounds, actor: Actor) -> None:
    """Give somebody another role or other bounds; it holds from their next request on."""
    given, bounds = role_of(role), checked(db, bounds)
    if given is not ADMINISTRATOR or bounds.regions or bounds.sites:
        _another_administrator(db, user)
    db.execute(
        "UPDATE users SET role = ?, regions = ?, sites = ? WHERE id = ?",
        (given.word, listed(bounds.regions), listed(bounds.sites), user.id),
    )
    noted(db, actor, "user_changed", user.name, role=given.word, regions=bounds.regions, sites=bounds.sites)


def disable_user(db: Db, user: User, actor: Actor) -> None:
    """Let somebody in no more: neither by a session or link nor by a token of theirs."""
    _another_administrator(db, user)
    db.execute("UPDATE users SET disabled = ? WHERE id = ?", (actor.at, user.id))
    sign_out_everywhere(db, user.id)
    db.execute("DELETE FROM links WHERE account = ?", (user.id,))
    noted(db, actor, "user_disabled", user.name)


def enable_user(db: Db, user: User, actor: Actor) -> None:
    """Let somebody in again."""
    db.execute("UPDATE users SET disabled = NULL WHERE id = ?", (user.id,))
    noted(db, actor, "user_enabled", user.name)


def sign_out_everywhere(db: Db, account: int, but: str = "") -> int:
    """End all sessions of an account but one, and return how many ended."""
    return db.execute("DELETE FROM sessions WHERE account = ? AND hash <> ?", (account, but)).rowcount


def noted(db: Db, actor: Actor, what: str, whom: str, **more: object) -> None:
    """Write down what was done to an account."""
    detail = {"reason": whom} | {name: value for name, value in more.items() if value}
    audit(db, at=actor.at, who=actor.who, source=actor.source, what=what, site="", detail=detail)


def sites_of(db: Db, person: Person) -> frozenset[str] | None:
    """Return the sites that are a person's, None for all."""
    if not person.bounded:
        return None
    rows = every(db, "SELECT id, region FROM sites")
    return frozenset(row["id"] for row in rows if person.has(row["id"], row["region"]))


def listed(words: tuple[str, ...]) -> str:
    """Return names as they are kept."""
    return msgspec.json.encode(words).decode()


def names(kept: str) -> tuple[str, ...]:
    """Return names that were kept."""
    return msgspec.json.decode(kept, type=tuple[str, ...])


def _another_administrator(db: Db, user: User) -> None:
    """Refuse to lose the last administrator of all sites who can sign in."""
    if user.role != ADMINISTRATOR.word or user.regions or user.sites or user.state == "disabled":
        return
    left = one(
        db,
        "SELECT 1 FROM users WHERE role = ? AND disabled IS NULL AND regions = '[]' AND sites = '[]' AND id <> ?"
        " AND password <> ''",
        ADMINISTRATOR.word,
        user.id,
    )
    if left is None:
        raise refuse("last")


def _user(row: Row) -> User:
    state = "disabled" if row["disabled"] is not None else "active" if row["password"] else "invited"
    return User(
        row["id"], row["name"], row["role"], names(row["regions"]), names(row["sites"]), state, row["made"],
        row["made_by"], row["signed_in"], row["sessions"], row["link"],
    )  # fmt: skip

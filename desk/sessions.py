"""Sessions of people who signed in, tokens of programs, and who somebody is by either: by what is in the store alone.

A session's secret is 256 random bits in a cookie, made at each sign-in and never taken from a browser; its hash is what
is kept. It ends with idleness, at its full age, by its owner, by an administrator, and with its account.
"""

import hashlib
import secrets

import msgspec

from desk.core import token_hash
from desk.roles import NOBODY, OPEN, ROLES, Person, Role, Way
from desk.store import Db, Row, every, one
from desk.users import Actor, Bounds, User, anybody, checked, listed, names, noted, refuse, role_of

IDLE = 12 * 3600.0  # a shift; what a page asks by itself is no sign of its reader
LONGEST = 7 * 86_400.0
SEEN = 60.0  # how exactly it is kept when a session was used
MOST_SESSIONS = 20  # of one account; the oldest ends
TOKEN_LONGEST = 400.0  # days
BROWSER_KNOWN = 90 * 86_400.0
_NO_BOUNDS = Bounds()
_LIVES = "s.seen > ? AND s.made > ? AND u.disabled IS NULL"


class SessionLine(msgspec.Struct, frozen=True):
    """A session as its owner sees it."""

    id: str
    made: float
    seen: float
    source: str
    browser: str


class TokenLine(msgspec.Struct, frozen=True):
    """A token of a program, without its secret. `owner` is whose it is, "" for a program's own."""

    id: int
    name: str
    owner: str
    role: str
    regions: tuple[str, ...]
    sites: tuple[str, ...]
    made: float
    made_by: str
    expires: float
    revoked: float | None
    used: float | None
    state: str  # good, expired, revoked


def csrf_of(secret: str) -> str:
    """Return what the forms of a session carry: it follows from the cookie, and the cookie not from it."""
    return hashlib.sha256(b"form " + secret.encode()).hexdigest()


def begin(db: Db, user: User, actor: Actor, browser: str) -> str:
    """Begin a session and return its secret."""
    secret = secrets.token_urlsafe(32)
    db.execute("DELETE FROM sessions WHERE seen <= ? OR made <= ?", (actor.at - IDLE, actor.at - LONGEST))
    db.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
        (token_hash(secret), user.id, actor.at, actor.at, actor.source, browser[:200]),
    )
    db.execute(
        "DELETE FROM sessions WHERE account = ? AND hash NOT IN"
        " (SELECT hash FROM sessions WHERE account = ? ORDER BY made DESC, seen DESC LIMIT ?)",
        (user.id, user.id, MOST_SESSIONS),
    )
    db.execute("UPDATE users SET signed_in = ? WHERE id = ?", (actor.at, user.id))
    noted(db, actor, "signed_in", "")
    return secret


def end(db: Db, hash_: str) -> None:
    """End a session."""
    db.execute("DELETE FROM sessions WHERE hash = ?", (hash_,))


def sessions_of(db: Db, account: int, now: float) -> list[SessionLine]:
    """Return an account's sessions that are not over, the last used first."""
    rows = every(
        db,
        f"SELECT s.* FROM sessions s JOIN users u ON u.id = s.account WHERE s.account = ? AND {_LIVES}"  # noqa: S608
        " ORDER BY s.seen DESC",
        account,
        now - IDLE,
        now - LONGEST,
    )
    return [SessionLine(row["hash"], row["made"], row["seen"], row["source"], row["browser"]) for row in rows]


def by_session(db: Db, secret: str, now: float) -> tuple[Person, float]:
    """Return who a cookie's secret says that somebody is, and when it was last used."""
    row = secret and one(
        db,
        f"SELECT u.*, s.seen, s.hash FROM sessions s JOIN users u ON u.id = s.account WHERE s.hash = ? AND {_LIVES}",  # noqa: S608
        token_hash(secret),
        now - IDLE,
        now - LONGEST,
    )
    if not row:
        return NOBODY, now
    return _person(row, Way.SESSION, ROLES[row["role"]], row["hash"], csrf_of(secret)), row["seen"]


def by_token(db: Db, secret: str, now: float) -> tuple[Person, int, float]:
    """Return who a token says that somebody is, the token's number, and when it was last used."""
    row = one(
        db,
        "SELECT * FROM tokens WHERE hash = ? AND expires > ? AND revoked IS NULL",
        token_hash(secret),
        now,
    )
    if row is None:
        return NOBODY, 0, now
    role, used = ROLES[row["role"]], row["used"] or 0.0
    if row["account"] is None:
        bounds = frozenset(names(row["regions"])), frozenset(names(row["sites"]))
        return Person(Way.TOKEN, role, f"{row['name']} (token {row['id']})", 0, *bounds), row["id"], used
    owner = one(db, "SELECT * FROM users WHERE id = ? AND disabled IS NULL", row["account"])
    if owner is None:
        return NOBODY, 0, now
    return _person(owner, Way.TOKEN, min(role, ROLES[owner["role"]])), row["id"], used


def who_is(db: Db, token: str, secret: str, now: float) -> tuple[Person, float, int]:
    """Return who asks, when session or token was last used, and the token's number; a token counts before a cookie."""
    if not anybody(db):
        return OPEN, now, 0
    if token:
        person, number, used = by_token(db, token, now)
        return person, used, number
    return *by_session(db, secret, now), 0


def make_token(
    db: Db, name: str, role: str, days: float, actor: Actor, *, bounds: Bounds = _NO_BOUNDS, owner: User | None = None
) -> str:
    """Return the secret of a new token: of a person, with at most their role and within their bounds, or a program."""
    given = role_of(role)
    if owner is not None:
        given, bounds = min(given, role_of(owner.role)), Bounds()
    bounds = checked(db, bounds)
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise refuse("token_name")
    if not 0 < days <= TOKEN_LONGEST:
        raise refuse("token_days", f"{TOKEN_LONGEST:g}")
    secret = "rt_" + secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO tokens (hash, name, account, role, regions, sites, made, made_by, expires)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            token_hash(secret), name, owner.id if owner else None, given.word, listed(bounds.regions),
            listed(bounds.sites), actor.at, actor.who, actor.at + days * 86_400.0,
        ),
    )  # fmt: skip
    noted(db, actor, "token_made", name, role=given.word, days=days)
    return secret


def revoke_token(db: Db, number: int, actor: Actor, owner: int | None = None) -> TokenLine:
    """Let a token be good no more; of one owner's when one is named. Raises a ProblemError, `no_token`."""
    found = next((each for each in tokens(db, actor.at, owner) if each.id == number), None)
    if found is None:
        raise refuse("no_token")
    db.execute("UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", (actor.at, number))
    noted(db, actor, "token_revoked", found.name)
    return next(each for each in tokens(db, actor.at, owner) if each.id == number)


def tokens(db: Db, now: float, owner: int | None = None) -> list[TokenLine]:
    """Return the tokens, of one owner when one is named, the newest first."""
    rows = every(
        db,
        "SELECT t.*, coalesce(u.name, '') AS owner FROM tokens t LEFT JOIN users u ON u.id = t.account"
        " WHERE CAST(? AS INTEGER) IS NULL OR t.account = ? ORDER BY t.id DESC LIMIT 500",
        owner,
        owner,
    )
    return [_token(row, now) for row in rows]


def know_browser(db: Db, account: int, secret: str, now: float) -> str:
    """Return a secret by which a browser is known to be somebody's, the one that it has if that is theirs."""
    db.execute("DELETE FROM browsers WHERE seen <= ?", (now - BROWSER_KNOWN,))
    if knows_browser(db, account, secret):
        db.execute("UPDATE browsers SET seen = ? WHERE hash = ?", (now, token_hash(secret)))
        return secret
    secret = secrets.token_urlsafe(32)
    db.execute("INSERT INTO browsers VALUES (?, ?, ?)", (token_hash(secret), account, now))
    return secret


def knows_browser(db: Db, account: int, secret: str) -> bool:
    """Say whether a browser was somebody's before."""
    sql = "SELECT 1 FROM browsers WHERE hash = ? AND account = ?"
    return bool(secret) and one(db, sql, token_hash(secret), account) is not None


def _person(row: Row, way: Way, role: Role, session: str = "", csrf: str = "") -> Person:
    bounds = frozenset(names(row["regions"])), frozenset(names(row["sites"]))
    return Person(way, role, row["name"], row["id"], *bounds, session=session, csrf=csrf)


def _token(row: Row, now: float) -> TokenLine:
    state = "revoked" if row["revoked"] is not None else "good" if row["expires"] > now else "expired"
    return TokenLine(
        row["id"], row["name"], row["owner"], row["role"], names(row["regions"]), names(row["sites"]), row["made"],
        row["made_by"], row["expires"], row["revoked"], row["used"], state,
    )  # fmt: skip

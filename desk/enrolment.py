"""Enrolment at the desk: a one-time code for a site, redeemed by one agent for its token.

Codes and tokens are random and kept as hashes alone. A code is bound to the first agent that redeems it: that agent may
ask again while the code lives (the answer may have been lost), nobody else may. A site has one agent: a new one retires
the one before.
"""

import re
import secrets

import msgspec

from desk.core import token_hash
from desk.store import Db, Site, audit, one
from model.protocol import EnrolRequest

JOIN = "roundsman-join:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_AGENT = re.compile(r"[A-Za-z0-9-]{8,64}")


class CodeError(Exception):
    """A code or agent that cannot be enrolled, and why."""


class Enrolled(msgspec.Struct, frozen=True):
    """An agent's place at a site, and its new token in clear, once."""

    site: str
    agent: str
    token: str


def good_site(site: str) -> bool:
    """Say whether a site's id may be used: it is part of every condition, address and file name."""
    return _NAME.fullmatch(site) is not None


def make_code(db: Db, site: Site, by: str, now: float, lives: float) -> str:
    """Keep the site's record as given and return a fresh one-time code for it."""
    db.execute(
        "INSERT INTO sites VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
        " contract = excluded.contract, region = excluded.region, timezone = excluded.timezone",
        (site.id, site.name, site.contract, site.region, site.timezone),
    )
    code = secrets.token_urlsafe(24)
    db.execute("INSERT INTO codes VALUES (?, ?, ?, NULL)", (token_hash(code), site.id, now + lives))
    db.execute("DELETE FROM codes WHERE expires < ?", (now - 30 * 86_400.0,))
    detail: dict[str, object] = {"contract": site.contract, "region": site.region, "name": site.name}
    audit(db, at=now, who=by, source="local", what="code_made", site=site.id, detail=detail)
    return code


def redeem(db: Db, asked: EnrolRequest, source: str, now: float) -> Enrolled:
    """Give an agent its token for the code's site; the agents that were there before are retired."""
    agent, code = asked.agent, asked.code
    if not _AGENT.fullmatch(agent):
        raise CodeError("an agent's id is a UUID")
    row = one(db, "SELECT site, expires, agent FROM codes WHERE hash = ?", token_hash(code))
    if row is None or row["expires"] < now or row["agent"] not in {None, agent}:
        raise CodeError("this code is unknown, used or too old: ask the desk for a new one")
    site = str(row["site"])
    other = one(db, "SELECT site FROM agents WHERE id = ?", agent)
    if other and other["site"] != site:
        raise CodeError("this agent is enrolled for another site")
    token = secrets.token_urlsafe(32)
    db.execute("UPDATE codes SET agent = ? WHERE hash = ?", (agent, token_hash(code)))
    others = "site = ? AND id <> ? AND retired IS NULL"
    db.execute(f"UPDATE agents SET retired = ?, next_token = '' WHERE {others}", (now, site, agent))  # noqa: S608
    db.execute(
        "INSERT INTO agents (id, site, token, enrolled, version, token_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET token = excluded.token, enrolled = excluded.enrolled, version = excluded.version,"
        " retired = NULL, token_at = excluded.token_at, next_token = ''",
        (agent, site, token_hash(token), now, asked.version[:64], now),
    )
    audit(db, at=now, who="agent", source=source, what="enrolled", site=site, detail={"agent": agent})
    return Enrolled(site, agent, token)


def join_line(url: str, code: str, fingerprint: str = "") -> str:
    """Return the one line that a site's person pastes: address, code and, where there is one, the CA's fingerprint."""
    return f"{JOIN}{url}#{code}" + (f".{fingerprint}" if fingerprint else "")

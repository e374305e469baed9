"""Tokens of agents, in the caller's transaction: another one taken up beside the old, asked for, revoked.

Theory. The agent makes its next token and keeps it before it says its hash here with the old token (`hold`): from then
on both are good. The first word with the next one ends the old one. Each word may be said again, so a crash of either
side, before or after any of them, leaves an agent that is known by a token it has.
"""

import re

import msgspec

from desk.core import Badge
from desk.store import Db, audit, every, one
from desk.tickets import command
from model.protocol import RotateToken

OLD = 90 * 86_400.0  # seconds after which an agent is asked for another token
ASKED_LIVES = 86_400.0  # seconds; an agent that did not do it is asked again then
_HASH = re.compile(r"[0-9a-f]{64}")
_STANDING = "SELECT id, site, token, next_token FROM agents WHERE {} AND retired IS NULL"


class TokenError(Exception):
    """A token that cannot be taken, and why."""


def hold(db: Db, badge: Badge, spoken: str, wanted: str, *, source: str, now: float) -> bool:
    """Take an agent's next token, by its hash, as good too; said with that token itself (`spoken`): as the only one.

    Returns whether it is the only one now. Raises TokenError.
    """
    row = one(db, _STANDING.format("id = ?"), badge.agent)
    if row is None or spoken not in {row["token"], row["next_token"]}:
        raise TokenError("the token is not known any more")
    if not _HASH.fullmatch(wanted):
        raise TokenError("a token's hash is SHA-256 in hexadecimal")
    detail: dict[str, object] = {"agent": badge.agent}
    if wanted == spoken:
        if row["token"] != wanted or row["next_token"]:
            sql = "UPDATE agents SET token = ?, next_token = '', token_at = ? WHERE id = ?"
            db.execute(sql, (wanted, now, badge.agent))
            audit(db, at=now, who="agent", source=source, what="token_changed", site=badge.site, detail=detail)
        return True
    if wanted == row["token"]:
        raise TokenError("this token was there before")
    if wanted != row["next_token"]:
        if one(db, "SELECT 1 FROM agents WHERE token = ? OR next_token = ?", wanted, wanted):
            raise TokenError("this token belongs to another agent")
        db.execute("UPDATE agents SET next_token = ? WHERE id = ?", (wanted, badge.agent))
        audit(db, at=now, who="agent", source=source, what="token_offered", site=badge.site, detail=detail)
    return False


def ask_for_another(db: Db, site: str, by: str, now: float) -> str:
    """Ask a site's agent for another token; returns the agent, "" when the site has none."""
    row = one(db, _STANDING.format("site = ?"), site)
    if row is None:
        return ""
    command(db, site, RotateToken(0), now, ASKED_LIVES)
    audit(db, at=now, who=by, source="local", what="token_asked", site=site, detail={"agent": row["id"]})
    return str(row["id"])


def ask_the_old(db: Db, now: float) -> list[str]:
    """Ask agents whose token is old for another one, each at most once a day; returns their sites."""
    body = msgspec.json.encode(RotateToken(0))
    rows = every(
        db,
        "SELECT site FROM agents WHERE retired IS NULL AND token_at < ? AND NOT EXISTS (SELECT 1 FROM commands c"
        " WHERE c.site = agents.site AND c.expires > ? AND c.body = ?) ORDER BY site LIMIT 100",
        now - OLD,
        now,
        body,
    )
    for row in rows:
        ask_for_another(db, row["site"], "desk", now)
    return [row["site"] for row in rows]


def revoke(db: Db, site: str, by: str, now: float) -> str:
    """End a site's agent's tokens and its unused join lines; returns the agent, "" when nothing was to be ended."""
    row = one(db, _STANDING.format("site = ?"), site)
    codes = db.execute("DELETE FROM codes WHERE site = ?", (site,)).rowcount
    if row is None and not codes:
        return ""
    db.execute("UPDATE agents SET retired = ?, next_token = '' WHERE site = ? AND retired IS NULL", (now, site))
    agent = str(row["id"]) if row else "-"
    audit(db, at=now, who=by, source="local", what="revoked", site=site, detail={"agent": agent, "lines": codes})
    return agent

"""What agents and this machine's commands ask about tokens, and the CA that agents trust."""

import secrets

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.core import Desk, token_hash
from desk.live import BOARD, commands_of
from desk.operation import Operation
from desk.tokens import TokenError, ask_for_another, hold, revoke
from desk.web import ProblemError, address_of, badge_of, bearer, desk_of, good_name, message_of, reply
from model.protocol import PREFIX, DeskCa, ErrorReply, HoldToken, TokenReply
from runtime.trust import CertificateError


class OfSite(msgspec.Struct, frozen=True):
    """The site that is meant, and who says so."""

    site: str
    by: str = "admin"


class AgentOfSite(msgspec.Struct, frozen=True):
    """A site and the UUID of its agent; "-" where only join lines were revoked."""

    site: str
    agent: str


async def hold_token(request: Request) -> Response:
    """Take an agent's next token, or end the one before."""
    desk = desk_of(request)
    badge = badge_of(request)
    asked = await message_of(request, HoldToken)
    spoken, source, now = token_hash(bearer(request)), address_of(request), desk.timekeeper.now()
    certificate = await certificate_for(desk, asked.csr, badge.site, badge.agent)
    try:
        alone = await desk.store.write(lambda db: hold(db, badge, spoken, asked.hash, source=source, now=now))
    except TokenError as error:
        raise ProblemError(409, "token", f"Not taken: {error}.") from error
    if desk.badges.get(spoken) != badge:
        raise ProblemError(401, "unknown_token", "The desk does not know this token: enrol the agent again.")
    if alone:
        heard = desk.heard.get(badge.agent)
        desk.welcome(asked.hash, badge, heard.interval if heard else 30.0)
    else:
        desk.expect(asked.hash, badge)
    return reply(TokenReply(certificate))


async def certificate_for(desk: Desk, csr: str, site: str, agent: str) -> str:
    """Return a certificate for an agent's request, "" where it asks for none or the desk has none to give."""
    if not csr or desk.certificates is None:
        return ""
    from desk.certificates import authority_of  # noqa: PLC0415 - a desk without TLS needs no such library

    try:
        made = authority_of(desk.settings.state).agent(csr, site, agent, desk.timekeeper.now())
    except CertificateError as error:
        raise ProblemError(400, "csr", f"No certificate: {error}.") from error
    return made.decode("ascii")


async def give_ca(request: Request) -> Response:
    """Give the CA's certificate: everybody may have it, and compares its fingerprint."""
    held = desk_of(request).certificates
    return reply(DeskCa(held.ca if held else "", held.fingerprint if held else ""))


async def revoke_site(request: Request) -> Response:
    """End a site's agent's tokens and its join lines: for this machine's own commands."""
    desk, asked, by = await _local(request)
    now = desk.timekeeper.now()
    agent = await desk.store.write(lambda db: revoke(db, asked.site, by, now))
    if not agent:
        raise ProblemError(404, "no_agent", f"Site {asked.site} has no agent and no join line.")
    desk.dismiss(asked.site)
    desk.hub.announce(BOARD, commands_of(asked.site))
    return reply(AgentOfSite(asked.site, agent))


async def rotate_site(request: Request) -> Response:
    """Ask a site's agent for another token: for this machine's own commands."""
    desk, asked, by = await _local(request)
    now = desk.timekeeper.now()
    agent = await desk.store.write(lambda db: ask_for_another(db, asked.site, by, now))
    if not agent:
        raise ProblemError(404, "no_agent", f"Site {asked.site} has no agent.")
    desk.hub.announce(commands_of(asked.site))
    return reply(AgentOfSite(asked.site, agent))


async def _local(request: Request) -> tuple[Desk, OfSite, str]:
    desk = desk_of(request)
    if not desk.secret or not secrets.compare_digest(bearer(request).encode(), desk.secret.encode()):
        raise ProblemError(401, "local", "Only this machine's own commands may do this.")
    asked = await message_of(request, OfSite)
    return desk, asked, good_name(asked.by)


_OPEN = "this machine's commands, by the secret in local.json"
OPERATIONS = (
    Operation(
        "POST", f"{PREFIX}/token", "Take up another token, or end the one before", TokenReply, hold_token, HoldToken,
        refuses=((400, "malformed, csr"), (401, "unknown_token, certificate"), (409, "token")), refusal=ErrorReply,
        group="agents", open_to="an agent, by its token",
    ),
    Operation("GET", f"{PREFIX}/ca", "Show the CA that agents trust", DeskCa, give_ca, group="agents"),
)  # fmt: skip
LOCAL = (
    Operation(
        "POST", f"{PREFIX}/local/revoke", "End a site's agent's tokens and its join lines", AgentOfSite, revoke_site,
        OfSite, refuses=((400, "who"), (401, "local"), (404, "no_agent")), refusal=ErrorReply, group="this machine",
        open_to=_OPEN,
    ),
    Operation(
        "POST", f"{PREFIX}/local/rotate", "Ask a site's agent for another token", AgentOfSite, rotate_site, OfSite,
        refuses=((400, "who"), (401, "local"), (404, "no_agent")), refusal=ErrorReply, group="this machine",
        open_to=_OPEN,
    ),
)  # fmt: skip

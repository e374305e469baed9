"""What this machine's own commands alone may ask, by the secret in the state folder."""

import secrets
import zoneinfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.core import Desk
from desk.enrolment import good_site, join_line, make_code
from desk.operation import Operation
from desk.store import Site, site_of
from desk.web import ProblemError, bearer, desk_of, good_name, message_of, reply
from model.protocol import PREFIX, ErrorReply
from runtime.writer import StoreError


class EnrolSite(msgspec.Struct, frozen=True):
    """A site to be joined; what is "" stays as it is, or is the desk's default for a new site."""

    site: str
    name: str = ""
    contract: str = ""
    region: str = ""
    timezone: str = ""
    by: str = "admin"


class JoinLine(msgspec.Struct, frozen=True):
    """A one-time line for `roundsman join`, good until `expires` (Unix seconds)."""

    join: str
    site: str
    expires: float


async def enrol_site(request: Request) -> Response:
    """Make a one-time code for a site: for this machine's own commands, by the secret in the state folder."""
    desk = desk_of(request)
    if not desk.secret or not secrets.compare_digest(bearer(request).encode(), desk.secret.encode()):
        raise ProblemError(401, "local", "Only this machine's own commands may enrol a site.")
    asked = await message_of(request, EnrolSite)
    if not good_site(asked.site):
        raise ProblemError(400, "site", "A site's id is 1 to 64 letters, digits, dots, dashes or underscores.")
    by = good_name(asked.by)
    known = await desk.store.read(lambda db: site_of(db, asked.site))
    site = _filled(desk, asked, known)
    if site.timezone and site.timezone not in zoneinfo.available_timezones():
        raise ProblemError(400, "timezone", f"There is no time zone {site.timezone!r}: try Asia/Shanghai.")
    try:
        desk.check_contract(site)
    except StoreError as error:
        raise ProblemError(400, "contract", f"{error}.") from error
    now, lives = desk.timekeeper.now(), desk.settings.code_life
    code = await desk.store.write(lambda db: make_code(db, site, by, now, lives))
    print_ = desk.certificates.fingerprint if desk.certificates else ""
    return reply(JoinLine(join_line(desk.url, code, print_), site.id, now + lives))


OPERATIONS = (
    Operation(
        "POST", f"{PREFIX}/local/enrol", "Make a one-time join line for a site", JoinLine, enrol_site, EnrolSite,
        refuses=((400, "site, timezone, contract, who"), (401, "local")), refusal=ErrorReply, group="this machine",
        open_to="this machine's commands, by the secret in local.json",
    ),
)  # fmt: skip


def _filled(desk: Desk, asked: EnrolSite, known: Site | None) -> Site:
    before = known or Site(asked.site, asked.site, desk.settings.contract, desk.settings.region, desk.settings.timezone)
    return Site(
        asked.site,
        asked.name.strip()[:120] or before.name,
        asked.contract or before.contract,
        asked.region or before.region,
        asked.timezone or before.timezone,
    )

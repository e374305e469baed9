"""The contract's list of a site's devices: what is served, and in warranty, is on it."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk.api_acts import Speaker, read_time, speaker_of
from desk.before import list_device
from desk.ledger import Ledger
from desk.once import Answer, keyed, once, reply_with
from desk.operation import Operation
from desk.store import Db, audit, every, site_of
from desk.web import ProblemError, body_of, decoded, desk_of, reply
from model.protocol import PREFIX, ErrorReply
from model.service.history import Listed
from model.service.words import Side
from model.ticket_protocol import Moment

PATH = f"{PREFIX}/sites/{{site}}/listed"
LONGEST = 120  # characters of a device or serial number


class SayListed(msgspec.Struct, frozen=True):
    """A device on the list: under contract from `begin` until `end`, in warranty from `warranty_begin` on."""

    by: str
    device: str
    serial: str = ""
    begin: Moment | None = None
    end: Moment | None = None
    warranty_begin: Moment | None = None


class ListedNow(msgspec.Struct, frozen=True):
    """A device on the list; Unix seconds, None where nothing was said."""

    device: str
    serial: str
    begin: float | None
    end: float | None
    warranty_begin: float | None


class ListedDevices(msgspec.Struct, frozen=True):
    """The list of a site."""

    site: str
    devices: tuple[ListedNow, ...]


async def listed(request: Request) -> Response:
    """Give the list of a site's devices."""
    site = request.path_params["site"]
    return reply(await desk_of(request).store.read(lambda db: _listed(db, site)))


async def say_listed(request: Request) -> Response:
    """Put a device on the list, or say anew what stands there; open tickets stay as they are."""
    desk, site = desk_of(request), request.path_params["site"]
    body = await body_of(request)
    asked = decoded(body, SayListed)
    key, speaker = keyed(request, body), speaker_of(request, asked.by, Side.SERVICE)
    if not 0 < len(asked.device) <= LONGEST or len(asked.serial) > LONGEST:
        raise ProblemError(400, "malformed", f"A device and its serial number have at most {LONGEST} characters.")

    def write(db: Db) -> Answer:
        ledger = desk.ledger(db)
        return once(db, key, ledger.now, lambda: _keep(ledger, speaker, site, asked))

    return reply_with(await desk.store.write(write))


OPERATIONS = (
    Operation(
        "GET", PATH, "The contract's list of a site's devices", ListedDevices, listed, refuses=((404, "no_site"),),
        refusal=ErrorReply, group="contracts",
    ),
    Operation(
        "POST", PATH, "Put a device on the contract's list", ListedDevices, say_listed, SayListed,
        refuses=((400, "malformed, time, who, key"), (404, "no_site"), (409, "key_reused")), refusal=ErrorReply,
        once=True, group="contracts",
    ),
)  # fmt: skip


def _keep(ledger: Ledger, speaker: Speaker, site: str, asked: SayListed) -> Answer:
    _listed(ledger.db, site)  # there is such a site
    begin, end, warranty = (
        None if said is None else read_time(ledger, speaker, site, said)
        for said in (asked.begin, asked.end, asked.warranty_begin)
    )
    if begin is not None and end is not None and end <= begin:
        raise ProblemError(400, "malformed", "The contract ends before it begins.")
    list_device(ledger.db, site, asked.device, Listed(asked.serial, begin, end, warranty))
    detail: dict[str, object] = {"device": asked.device, "serial": asked.serial, "begin": begin, "end": end}
    audit(ledger.db, at=ledger.now, who=speaker.who, source=speaker.source, what="listed", site=site, detail=detail)
    return Answer(200, msgspec.json.encode(_listed(ledger.db, site)))


def _listed(db: Db, site: str) -> ListedDevices:
    if site_of(db, site) is None:
        raise ProblemError(404, "no_site", f"There is no site {site[:64]!r}.")
    rows = every(db, "SELECT device, body FROM listed WHERE site = ? ORDER BY device", site)
    found = ((row["device"], msgspec.json.decode(row["body"], type=Listed)) for row in rows)
    return ListedDevices(
        site, tuple(ListedNow(name, each.serial, each.begin, each.end, each.warranty_begin) for name, each in found)
    )

"""The contract's list of a site's devices: what is served, and in warranty, is on it."""

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from desk.api_acts import Speaker, read_time, speaker_of
from desk.api_opening import name_of
from desk.before import list_device
from desk.ledger import Ledger
from desk.once import Answer, keyed, once, reply_with
from desk.operation import Operation
from desk.store import Db, audit, every, site_of
from desk.web import ProblemError, body_of, decoded, desk_of, reply
from model.protocol import PREFIX, ErrorReply
from model.service.history import Listed
from model.service.words import Side
from model.ticket_protocol import ListedDevices, ListedNow, SayListed

PATH = f"{PREFIX}/sites/{{site}}/listed"


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
    device, serial = name_of(asked.device, "device"), name_of(asked.serial, "serial")
    if not device:
        raise ProblemError(400, "malformed", "device is missing.")
    asked = replace(asked, device=device, serial=serial)

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
    detail: dict[str, object] = {
        "device": asked.device, "serial": asked.serial, "begin": begin, "end": end, "warranty_begin": warranty,
    }  # fmt: skip
    audit(ledger.db, at=ledger.now, who=speaker.who, source=speaker.source, what="listed", site=site, detail=detail)
    return Answer(200, msgspec.json.encode(_listed(ledger.db, site)))


def _listed(db: Db, site: str) -> ListedDevices:
    known = site_of(db, site)
    if known is None:
        raise ProblemError(404, "no_site", f"There is no site {site[:64]!r}.")
    rows = every(db, "SELECT device, body FROM listed WHERE site = ? ORDER BY device", site)
    found = ((row["device"], msgspec.json.decode(row["body"], type=Listed)) for row in rows)
    devices = tuple(ListedNow(name, each.serial, each.begin, each.end, each.warranty_begin) for name, each in found)
    return ListedDevices(site, devices, known.timezone)

"""The page on which a person opens a ticket for a fault that no alarm has told: first the site, then the fault.

People write what is wrong in their words, or choose the words of a known fault: then the contract knows its level.
"""

import functools
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from config.fault_rules import load_faults
from desk.api_acts import Speaker
from desk.api_opening import as_kept, opened_by_hand
from desk.gate import person_of
from desk.live import BOARD
from desk.offers import BY_SIDE, Field, Offer, level_options
from desk.once import Answer
from desk.page import page, shown_for, who_of
from desk.rounds import last_readings
from desk.saying import SHOWN, NotSaidError, plain
from desk.store import Db, Site, sites
from desk.titles import BY_HAND, title_of
from desk.view import TicketView, listed
from desk.web import ProblemError, address_of, desk_of, form_of, good_name
from desk.words import both
from model.contract import Contract, Text
from model.service.words import Side
from model.ticket_protocol import OpenByHand, Refused

OPENED = 201
SEEN = 303
NOT_SAID = 409
BY_CONTRACT = "0"


async def opening_page(request: Request) -> Response:
    """Ask for the site, or show the form for one."""
    return await _page(request, request.query_params.get("site", ""), {})


async def open_said(request: Request) -> Response:
    """Open the ticket that a form says, and show it; what is refused stands above the form."""
    form = await form_of(request)
    desk, shown = desk_of(request), shown_for(request)
    number, site = 0, form.get("site", "")
    try:
        asked = _asked(form, await _devices(request, site))
        who = good_name(who_of(request) or shown.say("nobody"))
        speaker = Speaker(who, address_of(request), asked.side, shown.lang, desk.settings.timezone)
        answer: Answer = await desk.store.write(lambda db: opened_by_hand(desk.ledger(db), speaker, asked))
        if answer.status == OPENED:
            desk.hub.announce(BOARD)
            return RedirectResponse(f"/tickets/{msgspec.json.decode(answer.body)['number']}", SEEN)
        refused = msgspec.json.decode(answer.body, type=Refused)
        why, number = refused.message, refused.ticket
    except NotSaidError as error:
        why = error.said[shown.lang] if error.said else shown.say("refused.form")
    except ProblemError as problem:
        if problem.status >= 500:
            raise
        word = None if problem.both else {"time": "refused.time", "malformed": "refused.form"}.get(problem.error)
        why = shown.say(word) if word else problem.sentence(shown.lang)
    return await _page(request, site, {"offer": "opening", "said": form, "why": why, "number": number}, NOT_SAID)


@functools.cache
def known_faults() -> dict[tuple[str, str], Text]:
    """Return the titles of faults with their cases ("" for none) that a person may choose."""
    found: dict[tuple[str, str], Text] = {}
    for fault, rule in load_faults().items():
        found[fault, ""] = title_of(fault)
        for case, text in rule.text.cases.items():
            if text.title is not None:
                found[fault, case] = text.title.both()
    return found | {(fault, ""): title for fault, title in BY_HAND.items()}


def fault_of(text: str) -> tuple[str, str]:
    """Return the fault and case that a title names, in either language; other words stand for themselves."""
    said = text.casefold()
    named = (key for key, title in known_faults().items() if said in {each.casefold() for each in title.values()})
    return next(named, (text, ""))


def _asked(form: dict[str, str], devices: dict[str, str]) -> OpenByHand:
    """Return what a form asks for. Raises NotSaidError, and a ProblemError for names that none can be."""
    said = {name: plain(text, name) for name, text in form.items()}
    fault, case = fault_of(said.get("fault", ""))
    device, since = said.get("device", ""), said.get("said", "")
    level = said.get("level") or BY_CONTRACT
    given = {
        "by": "",
        "site": form.get("site", ""),
        "fault": _without_strokes(fault),
        "case": case,
        "device": next((each for each, name in devices.items() if device in {name, each}), _without_strokes(device)),
        "level": int(level) if level.isascii() and level.isdigit() else level,
        "said": None if since in {"", said.get(SHOWN, "")} else since,
        "reported": said.get("reported") or None,
        "side": said.get("side") or Side.SERVICE,
    }
    try:
        asked = msgspec.convert(given, OpenByHand, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise NotSaidError("form") from error
    if asked.side is Side.SYSTEM:
        raise NotSaidError("form")
    return as_kept(asked)


def _without_strokes(text: str) -> str:
    """Return a name in which no stroke parts a condition: people write `fibre 1/2`."""
    return text.replace("/", "\N{FULLWIDTH SOLIDUS}")


async def _devices(request: Request, site: str) -> dict[str, str]:
    """Return the names of a site's devices, as far as it told them."""
    desk = desk_of(request)
    snapshot = await desk.store.read(lambda db: last_readings(db, site, desk.clock().wall))
    return {each.device.device: each.device.name for each in snapshot.devices} if snapshot else {}


async def _page(request: Request, site: str, refused: dict[str, Any], status: int = 200) -> Response:
    desk = desk_of(request)
    now, person = desk.clock().wall, await person_of(request)

    def look(db: Db) -> tuple[list[Site], Site | None, list[TicketView]]:
        known = [each for each in sites(db) if person.has(each.id, each.region)]
        one = next((each for each in known if site == each.id), None)
        one = one or next((each for each in known if site == each.name), None)
        return known, one, listed(db, desk.contracts, now, state="open", site=one.id) if one else []

    known, one, views = await desk.store.read(look)
    offer = _offer(one, desk.contracts(one.contract), await _devices(request, one.id)) if one else None
    return await page(
        request,
        "opening.html",
        status,
        shown=shown_for(request, one.timezone if one else ""),
        sites=known,
        site=one,
        asked=site,
        offer=offer,
        views=views,
        refused=refused,
    )


def _offer(site: Site, contract: Contract, devices: dict[str, str]) -> Offer:
    """Return the form of a site."""
    levels = ((BY_CONTRACT, both("opening.by_contract")), *level_options(contract, contract.levels))
    faults = tuple((fault, title) for (fault, _), title in known_faults().items())
    named = tuple((device, {"en": name}) for device, name in devices.items())
    fields = (
        Field("fault", "named", "opening.fault", faults, needed=True),
        Field("device", "named", "opening.device", named),
        Field("level", "pick", "opening.level", levels),
        Field("said", "when", "opening.said"),
        Field("reported", "until", "opening.reported"),
        Field("side", "pick", "opening.side", BY_SIDE.options),
    )
    return Offer("opening", "opened", "opening", "steps", (("site", site.id),), fields)


ROUTES = (
    Route("/tickets/new", opening_page, methods=["GET"]),
    Route("/tickets/new", open_said, methods=["POST"]),
)

"""Walk-tests for programs: opened, listed, ticked, extended, signed, cancelled; the record."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from desk import walktest_acts as people
from desk.gate import person_of
from desk.ledger import Ledger
from desk.live import BOARD, commands_of, readings_of
from desk.once import Answer, keyed, once, reply_with
from desk.operation import Operation, Query
from desk.period_acts import WordsError
from desk.shown import Shown
from desk.store import Db, sites
from desk.walktest_store import walk_numbered
from desk.walktest_view import walk_now, walks_now
from desk.web import ProblemError, address_of, body_of, decoded, desk_of, reply
from desk.words import preferred
from model.protocol import PREFIX
from model.ticket_protocol import Refused as RefusedMessage
from model.walktest import WalkNo
from model.walktest_protocol import CancelWalk, ExtendWalk, MarkItems, OpenWalk, SignWalk, WalkList, WalkNow
from model.walktest_words import WHOSE_WORDS_ARE_WRONG, WalkRefused

T = TypeVar("T")
Act = Callable[[Ledger, Any, str], people.Became]
WALKS = f"{PREFIX}/walktests"
OF_SITE = f"{PREFIX}/sites/{{site}}/walktests"
WALK = f"{OF_SITE}/{{number:ticket}}"


async def walktests(request: Request) -> Response:
    """List the walk-tests of the sites that the asker may see, the newest first."""
    return reply(await listed_for(request))


async def walktest(request: Request) -> Response:
    """Give one walk-test with its items."""
    return reply(await found_for(request))


async def open_walktest(request: Request) -> Response:
    """Open a walk-test."""
    site: str = request.path_params["site"]
    return await _write(request, OpenWalk, lambda ledger, *said: people.opening(ledger, site, *said), status=201)


async def mark_walktest(request: Request) -> Response:
    """Say of items what they came to."""
    return await _write(request, MarkItems, _of_one(request, people.mark))


async def extend_walktest(request: Request) -> Response:
    """Let a walk-test end later."""
    return await _write(request, ExtendWalk, _of_one(request, people.extend))


async def cancel_walktest(request: Request) -> Response:
    """End a walk-test without a signature."""
    return await _write(request, CancelWalk, _of_one(request, people.cancel))


async def sign_walktest(request: Request) -> Response:
    """Sign a walk-test."""
    return await _write(request, SignWalk, _of_one(request, people.sign))


def _of_one(request: Request, act: Callable[[Ledger, int, Any, str], people.Became]) -> Act:
    """Return an act on the walk-test that an address names; one of another site is none."""
    site, number = request.path_params["site"], request.path_params["number"]
    return lambda ledger, said, source: people.at_site(ledger, site, number) or act(ledger, number, said, source)


async def listed_for(request: Request) -> WalkList:
    """Return the walk-tests of the sites that the asker may see, of one site when it is named."""
    desk, person = desk_of(request), await person_of(request)
    site = request.path_params.get("site") or request.query_params.get("site", "")
    now = desk.timekeeper.now()

    def found(db: Db) -> WalkList:
        theirs = {each.id for each in sites(db) if person.has(each.id, each.region)}
        listed = walks_now(db, now, site)
        return WalkList(now, tuple(walk for walk in listed.walktests if walk.site in theirs))

    return await desk.store.read(found)


async def found_for(request: Request) -> WalkNow:
    """Return the walk-test that an address names. Raises a ProblemError, `no_such`, for none."""
    desk, number, site = desk_of(request), request.path_params["number"], request.path_params["site"]
    now = desk.timekeeper.now()

    def found(db: Db) -> WalkNow | None:
        walk = walk_numbered(db, number)
        return walk_now(db, walk, now) if walk and walk.site == site else None

    walk = await desk.store.read(found)
    if walk is None:
        raise ProblemError(404, WalkNo.NO_SUCH, WalkRefused(WalkNo.NO_SUCH).sentence(_language(request), str))
    return walk


async def _write(request: Request, kind: type[T], act: Act, status: int = 200) -> Response:
    """Do what a program asks, once a key; the answer is the walk-test as it is then, or a refusal."""
    desk = desk_of(request)
    body = await body_of(request)
    said, key, source = decoded(body, kind), keyed(request, body), address_of(request)

    def write(db: Db) -> tuple[Answer, str]:
        ledger = desk.ledger(db)
        told: list[str] = []

        def do() -> Answer:
            became = act(ledger, said, source)
            if isinstance(became, WalkRefused):
                shown = Shown(_language(request), ledger.now, became.zone or desk.settings.timezone)
                refused = RefusedMessage(became.no, became.sentence(shown.lang, shown.moment))
                return Answer(became.status, msgspec.json.encode(refused))
            told.append(became.site)
            again = walk_numbered(db, became.number) or became
            return Answer(status, msgspec.json.encode(walk_now(db, again, ledger.now)))

        answer = once(db, key, ledger.now, do)
        return answer, told[0] if told else ""

    try:
        answer, site = await desk.store.write(write)
    except WordsError as problem:
        raise ProblemError(problem.status, problem.error, problem.said[_language(request)]) from problem
    if site:
        desk.hub.announce(BOARD, readings_of(site), commands_of(site))
    return reply_with(answer)


def _language(request: Request) -> str:
    return preferred(request.query_params.get("lang", ""), request.headers.get("accept-language", ""))


_UNREADABLE = (400, "malformed, words, time, who, key")
_WRONG = ", ".join(no for no in WalkNo if no in WHOSE_WORDS_ARE_WRONG)
_AGAINST = ", ".join(no for no in WalkNo if no not in WHOSE_WORDS_ARE_WRONG and no is not WalkNo.NO_SUCH)
_REFUSED = ((409, f"{_AGAINST}, key_reused"), (422, _WRONG))
_NONE = (404, "no_such")
_OF = (Query("site", "only this site's"),)


def _says(path: str, says: str, handler: Any, takes: Any) -> Operation:
    """Return an operation by which somebody does something; it gives the walk-test as it is then."""
    opening = takes is OpenWalk
    refuses = (_UNREADABLE, _NONE, *_REFUSED)
    return Operation(
        "POST", path, says, WalkNow, handler, takes, refuses=refuses, once=True, group="walk-tests",
        gives_status=201 if opening else 200,
    )  # fmt: skip


OPERATIONS = (
    Operation("GET", WALKS, "List walk-tests", WalkList, walktests, query=_OF, group="walk-tests"),
    _says(OF_SITE, "Open a walk-test of a site or a device", open_walktest, OpenWalk),
    Operation("GET", WALK, "One walk-test with its list", WalkNow, walktest, refuses=(_NONE,), group="walk-tests"),
    _says(f"{WALK}/mark", "Tick items, or say why not", mark_walktest, MarkItems),
    _says(f"{WALK}/extend", "Let a walk-test end later", extend_walktest, ExtendWalk),
    _says(f"{WALK}/sign", "Sign a walk-test: its record stands for ever", sign_walktest, SignWalk),
    _says(f"{WALK}/cancel", "End a walk-test without a signature", cancel_walktest, CancelWalk),
)

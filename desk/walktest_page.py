"""The pages of walk-tests: those of a site, one with its list, the record to print, and what their forms say."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desk import walktest_acts as people
from desk.api_walktests import found_for, listed_for
from desk.ledger import Ledger
from desk.live import BOARD, commands_of, readings_of
from desk.page import page, remember, shown_for
from desk.period_acts import WordsError
from desk.rounds import last_readings
from desk.shown import Shown
from desk.store import Db, site_of
from desk.walktest_shown import csv_of, device_name, facts, item_name, moved_at, passable, said_text, seen_text
from desk.walktest_store import Walk, lines, walk_numbered
from desk.walktest_view import item_now
from desk.web import ProblemError, address_of, desk_of, form_of
from model.protocol import ReadingRow
from model.walktest import Moved, Result, State
from model.walktest_protocol import CancelWalk, ExtendWalk, ItemNow, MarkItems, OpenWalk, SignWalk, WalkNow
from model.walktest_words import WalkRefused

SEEN = 303
JUST_SEEN = 12  # items at the top of the page
SURE = 0.1  # part of its first value by which a number moved, for the top of the page
SHORT = 60  # items of a list that is shown whole
_CLOSED = frozenset({State.SIGNED, State.CANCELLED})


@dataclass(frozen=True)
class Group:
    """A device's items on a page, and how many of all it has have a result."""

    device: str
    name: str
    items: tuple[ItemNow, ...]
    done: int
    all: int


async def walktests_page(request: Request) -> Response:
    """Show the walk-tests of a site, or of all, and the form that opens one."""
    return await _list(request, {})


async def open_page(request: Request) -> Response:
    """Open a walk-test by the form."""
    desk, form, site = desk_of(request), await form_of(request), request.path_params["site"]
    asked = OpenWalk(form.get("by", ""), form.get("end", ""), form.get("device", ""), form.get("purpose", ""))
    became = await _done(request, lambda ledger, source: people.opening(ledger, site, asked, source))
    if isinstance(became, Walk):
        desk.hub.announce(BOARD, commands_of(site))
        return _named(RedirectResponse(f"/sites/{site}/walktests/{became.number}", SEEN), form)
    return await _list(request, {"form": "open", "said": form, "why": became[1]}, became[0])


async def walktest_page(request: Request) -> Response:
    """Show a walk-test."""
    return await _one(request, {})


async def say_of_walktest(request: Request) -> Response:
    """Do what a form of a walk-test's page says; what is refused stands on top of it."""
    desk, form, site = desk_of(request), await form_of(request), request.path_params["site"]
    number: int = request.path_params["number"]
    if form.get("form") == "who":
        return _named(_back(request), form)
    became = await _done(
        request,
        lambda ledger, source: people.at_site(ledger, site, number) or _said(ledger, number, form, source),
    )
    if not isinstance(became, Walk):
        return await _one(request, {"form": form.get("form", ""), "said": form, "why": became[1]}, became[0])
    desk.hub.announce(BOARD, readings_of(site), commands_of(site))
    return _named(_back(request), form)


async def record_csv(request: Request) -> Response:
    """Give a walk-test's list as a table: CSV in UTF-8, times in the site's zone."""
    walk = await found_for(request)
    named = {"Content-Disposition": f'attachment; filename="walktest-{walk.site}-T{walk.number}.csv"'}
    content = csv_of(walk, shown_for(request, walk.zone))
    return Response(content, media_type="text/csv; charset=utf-8", headers=named)


def _said(ledger: Ledger, number: int, form: dict[str, str], source: str) -> people.Became:
    """Do what the form named `form` says."""
    by, note = form.get("by", ""), form.get("note", "")
    name = form.get("form", "")
    if name in {"mark", "seen", "rest"}:
        keys = _keys(ledger.db, number, form)
        result = "passed" if name == "seen" else form.get("result", "")
        if result not in set(Result):
            raise ProblemError(400, "form", "This is no form of this page.")
        return people.mark(ledger, number, MarkItems(by, keys, Result(result), note), source)
    if name == "extend":
        return people.extend(ledger, number, ExtendWalk(by, form.get("end", ""), note), source)
    if name == "cancel":
        return people.cancel(ledger, number, CancelWalk(by, note), source)
    if name == "sign":
        return people.sign(ledger, number, SignWalk(by, form.get("witness", ""), note), source)
    raise ProblemError(400, "form", "This is no form of this page.")


def _keys(db: Db, number: int, form: dict[str, str]) -> tuple[str, ...]:
    """Return the items that a form is about: one; all of a device that the desk saw; all that is left of it."""
    if form["form"] == "mark":
        return (form.get("item", ""),)
    walk = walk_numbered(db, number)
    items = [item_now(line) for line in lines(db, walk)] if walk else []
    left = [item for item in items if item.device == form.get("device", "") and item.result is Result.OPEN]
    return tuple(item.key for item in left if form["form"] == "rest" or passable(item))


async def _done(request: Request, act: Any) -> Walk | tuple[int, str]:
    """Do an act in a transaction; returns status and sentence when it is refused."""
    desk, source = desk_of(request), address_of(request)
    lang = shown_for(request).lang
    try:
        became: people.Became = await desk.store.write(lambda db: act(desk.ledger(db), source))
    except WordsError as problem:
        return problem.status, problem.said[lang]
    except ProblemError as problem:
        if problem.status >= 500:
            raise
        return problem.status, problem.sentence(lang)
    if isinstance(became, WalkRefused):
        shown = shown_for(request, became.zone)
        return became.status, became.sentence(lang, shown.moment)
    return became


def _back(request: Request) -> Response:
    """Send a reader back to the walk-test's page as it was."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(
        f"/sites/{request.path_params['site']}/walktests/{request.path_params['number']}{query}", SEEN
    )


def _named(answer: Response, form: dict[str, str]) -> Response:
    """Keep who spoke in their browser: the next tick needs no name."""
    if by := form.get("by", "").strip()[:100]:
        remember(answer, "who", by)
    return answer


async def _list(request: Request, refused: dict[str, Any], status: int = 200) -> Response:
    desk, name = desk_of(request), request.path_params.get("site", "")
    site = await desk.store.read(lambda db: site_of(db, name)) if name else None
    if name and site is None:
        raise ProblemError(404, "no_site", "There is no such site.")
    listed = await listed_for(request)
    device = request.query_params.get("device", "")
    shown = shown_for(request, site.timezone if site else "")
    return await page(
        request, "walktests.html", status, shown=shown, site=site, walks=listed.walktests, refused=refused,
        device=device,
    )  # fmt: skip


async def _one(request: Request, refused: dict[str, Any], status: int = 200) -> Response:
    desk = desk_of(request)
    walk = await found_for(request)
    now = desk.timekeeper.now()
    snapshot = await desk.store.read(lambda db: last_readings(db, walk.site, now))
    rows = {
        f"{row.device}/{row.point}": row for each in (snapshot.devices if snapshot else ()) for row in each.readings
    }
    shown = shown_for(request, walk.zone)
    if request.query_params.get("show") == "record":
        writer = _Writer(shown, walk, {})
        return await page(
            request, "walktest_record.html", shown=shown, walk=walk, writer=writer, facts=facts(walk, shown)
        )
    device = request.query_params.get("device", "")
    return await page(
        request,
        "walktest.html",
        status,
        topic="" if walk.state in _CLOSED else readings_of(walk.site),
        shown=shown,
        walk=walk,
        goes_on=walk.state not in _CLOSED,
        just=_just(walk),
        groups=_groups(shown, walk, device, whole=request.query_params.get("show") == "all"),
        device=device,
        writer=_Writer(shown, walk, rows),
        refused=refused,
        local=shown.moment,
    )


def _just(walk: WalkNow) -> tuple[ItemNow, ...]:
    """Return the items that moved and have no result yet: faults and states before numbers, the last first."""
    left = [item for item in walk.items if item.result is Result.OPEN and moved_at(item) and _told(item)]
    return tuple(sorted(left, key=lambda item: (_numeric(item), -moved_at(item)))[:JUST_SEEN])


def _numeric(item: ItemNow) -> bool:
    return isinstance(item.seen, Moved) and isinstance(item.seen.first, int | float)


def _told(item: ItemNow) -> bool:
    """Say whether something was done to an item: faults and states tell, a number that moves by itself does not."""
    seen = item.seen
    if not isinstance(seen, Moved) or not isinstance(seen.first, int | float):
        return True
    return not isinstance(seen.value, int | float) or abs(seen.value - seen.first) > SURE * abs(seen.first)


def _groups(shown: Shown, walk: WalkNow, device: str, *, whole: bool) -> tuple[Group, ...]:
    """Return the devices; with their items where one is asked for, or all are few."""
    found: dict[str, list[ItemNow]] = {}
    for item in walk.items:
        found.setdefault(item.device, []).append(item)
    open_all = whole or len(walk.items) <= SHORT
    return tuple(
        Group(
            name,
            device_name(shown, items[0]),
            tuple(items) if name == device or (open_all and not device) else (),
            sum(item.result is not Result.OPEN for item in items),
            len(items),
        )
        for name, items in found.items()
    )


class _Writer:
    """Writes items for a page."""

    def __init__(self, shown: Shown, walk: WalkNow, rows: dict[str, ReadingRow]) -> None:
        self._shown = shown
        self._rows = rows
        self._day = shown.moment(walk.opened)[:10]

    def name(self, item: ItemNow) -> str:
        """Return an item's name."""
        return item_name(self._shown, item)

    def device(self, item: ItemNow) -> str:
        """Return its device's name."""
        return device_name(self._shown, item)

    def seen(self, item: ItemNow) -> str:
        """Return what the desk saw of it."""
        return seen_text(self._shown, item, self._day)

    def said(self, item: ItemNow) -> str:
        """Return what was said of it."""
        return said_text(self._shown, item)

    def now(self, item: ItemNow) -> str:
        """Return its value as it is now."""
        row = self._rows.get(item.key)
        return self._shown.reading(row) if row else ""

    def passable(self, item: ItemNow) -> bool:
        """Say whether it may be ticked as it is."""
        return passable(item)


_SITE = "/sites/{site}/walktests"
_WALK = f"{_SITE}/{{number:ticket}}"
ROUTES = (
    Route("/walktests", walktests_page, methods=["GET"]),
    Route(_SITE, walktests_page, methods=["GET"]),
    Route(_SITE, open_page, methods=["POST"]),
    Route(_WALK, walktest_page, methods=["GET"]),
    Route(_WALK, say_of_walktest, methods=["POST"]),
    Route(f"{_WALK}/record.csv", record_csv, methods=["GET"]),
)

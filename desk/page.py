"""How a page is made: the reader's language and name, what stands around it, and the template."""

import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from desk.frame import frame
from desk.gate import person_of
from desk.live import BOARD
from desk.looks import CSRF, WHO
from desk.looks import answer as reader_answer
from desk.roles import NOBODY, Person, Way, may
from desk.shown import MARKS, Shown, clean, whole
from desk.users import sites_of
from desk.web import desk_of
from desk.words import LANGUAGES, preferred

STATIC = Path(__file__).parent / "static"
YEAR = 31_536_000


def _harmless(value: object) -> object:
    """Clean every text on its way into a page; autoescape does the rest."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _static(name: str) -> str:
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_harmless,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["whole"] = lambda text: escape(whole(text))  # what people wrote: not cut
_TEMPLATES.globals.update(
    marks=MARKS,
    static={
        name: _static(name)
        for name in (
            "desk.css",
            "rooms.css",
            "ticket.css",
            "periods.css",
            "measure.css",
            "trend.css",
            "trend.js",
            "uplot.min.css",
            "uplot.min.js",
            "walktest.css",
            "users.css",
            "desk.js",
            "htmx.min.js",
            "htmx-sse.min.js",
            "icon.svg",
        )
    },
)


def who_of(request: Request) -> str:
    """Return the name of who is signed in; else the one that this browser gave for the person on duty, "" for none."""
    person: Person = getattr(request.state, "person", NOBODY)
    if person.signed:
        return person.name
    return clean(unquote(request.cookies.get("who", ""))).strip()[:100]


def shown_for(request: Request, zone: str = "") -> Shown:
    """Return how to write for this reader."""
    desk = desk_of(request)
    lang = preferred(
        request.query_params.get("lang", "") or request.cookies.get("lang", ""),
        request.headers.get("accept-language", ""),
    )
    return Shown(lang, desk.clock().wall, zone or desk.settings.timezone)


def address_in(request: Request, lang: str = "") -> str:
    """Return the path and query of a page, in another language when one is named; never another host.

    What is said once (`worse`) is left out: it would be said again with every look.
    """
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "worse"]
    if lang:
        pairs = [(name, value) for name, value in pairs if name != "lang"] + [("lang", lang)]
    return "/" + quote(request.url.path.lstrip("/"), safe="/") + (f"?{urlencode(pairs)}" if pairs else "")


async def page(request: Request, template: str, status: int = 200, *, topic: str = "", **values: Any) -> Response:
    """Return a template's page. `topic` is what its event stream listens to, "" for a page that does not change."""
    person = await person_of(request)
    own = {"who": who_of(request), "csrf": _hidden(person.csrf)}
    answer = HTMLResponse(await _text(request, template, topic=topic, **own, **values), status)
    if request.query_params.get("lang") in LANGUAGES:
        remember(answer, "lang", shown_for(request).lang)
    return answer


async def shared_page(request: Request, template: str, look: Callable[[], Awaitable[dict[str, Any]]]) -> Response:
    """Return a template's page that follows the board, made once for all who see the same; `look` gives its values."""
    person, shown, who = await person_of(request), shown_for(request), who_of(request)

    async def make() -> str:
        own = {"who": WHO if who else "", "csrf": CSRF if person.csrf else Markup()}
        return await _text(request, template, topic=BOARD, **own, **await look())

    rights = (person.way, person.role, person.regions, person.sites, bool(person.csrf), bool(who))
    key = (template, shown.lang, shown.zone, address_in(request), "worse" in request.query_params, *rights)
    seen = await desk_of(request).looks.look(key, make)
    answer = reader_answer(request, seen.for_reader(who, _hidden(person.csrf)))
    if request.query_params.get("lang") in LANGUAGES:
        remember(answer, "lang", shown.lang)
    return answer


async def _text(request: Request, template: str, *, topic: str, **values: Any) -> str:
    desk = desk_of(request)
    shown: Shown = values.pop("shown", None) or shown_for(request)
    person = await person_of(request)
    inside = person.way is not Way.NOBODY
    around = await desk.store.read(lambda db: frame(db, desk.contracts, sites_of(db, person))) if inside else None
    return _TEMPLATES.get_template(template).render(
        request=request,
        shown=shown,
        say=shown.say,
        frame=around,
        person=person,
        may=partial(may, person),
        desk=desk,
        topic=topic,
        here="/" + request.url.path.lstrip("/"),
        again=address_in(request),
        other_languages=[
            (lang, name, address_in(request, lang)) for lang, name in LANGUAGES.items() if lang != shown.lang
        ],
        worse="worse" in request.query_params,
        elsewhere=shown.offset() != shown_for(request).offset(),
        **values,
    )


def _hidden(token: str) -> Markup:
    """Return the field that each form of somebody who is signed in carries."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token) if token else Markup()


def remember(answer: Response, name: str, value: str) -> None:
    """Keep a reader's choice in their browser."""
    answer.set_cookie(name, quote(value), max_age=YEAR, httponly=True, samesite="strict")

"""Pages that many people look at are made once for all of them.

Theory. A change wakes every board that is open, and they all ask for the same page at once. What follows from the store
and from a reader's language, rights and sites is made once: it is good until the next news, and for FRESH seconds, as
the time that is left is in it. Whoever asks while it is being made waits for it. What is one reader's own (their name,
the token of their forms) is put into its places afterwards, and the whole is compressed once for each of them.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from desk.live import Hub

FRESH = 1.0  # seconds
CALM = 0.1  # seconds from the making of one look to that of the next
MOST = 64  # looks that are kept; the oldest goes
OWN = 100  # readers of one look whose own page is kept
LEAST = 1000  # bytes below which nothing is compressed
WHO, CSRF = Markup("\x01who\x01"), Markup("\x01csrf\x01")  # no text of a page has such a character: `shown.clean`


@dataclass
class Look:
    """A page as it is for many: its text with the places of what is a reader's own, and when it was made.

    `news` is how much news there was by then; `own` are readers' pages, plain and compressed, by name and token.
    """

    text: str
    made: float
    news: int
    own: dict[tuple[str, str], tuple[bytes, bytes]] = field(default_factory=dict)

    def for_reader(self, who: str, csrf: str) -> tuple[bytes, bytes]:
        """Return a reader's own page, plain and compressed."""
        key = (who, csrf)
        if key not in self.own:
            if len(self.own) >= OWN:
                self.own.clear()
            plain = self.text.replace(WHO, escape(who)).replace(CSRF, csrf).encode()
            self.own[key] = plain, gzip.compress(plain, 6, mtime=0)
        return self.own[key]


@dataclass
class _Place:
    """Where a key's look is, and who makes the next one since when."""

    look: Look | None = None
    making: "asyncio.Task[Look] | None" = None
    began: float = float("-inf")


class Looks:
    """The looks of one desk, by its clock (seconds). On the loop alone."""

    def __init__(self, hub: Hub, clock: Callable[[], float]) -> None:
        self._hub, self._clock = hub, clock
        self._places: dict[Hashable, _Place] = {}

    async def look(self, key: Hashable, make: Callable[[], Awaitable[str]]) -> Look:
        """Return a page that has all the news by now and is not old. Raises what `make` raises."""
        place, wanted = self._place(key), self._hub.news
        look = place.look
        while look is None or look.news < wanted or abs(self._clock() - look.made) > FRESH:
            if place.making is None:
                place.making = asyncio.create_task(self._make(place, make))
            look = await asyncio.shield(place.making)  # a reader who goes away takes nothing from the others
        return look

    def _place(self, key: Hashable) -> _Place:
        if key not in self._places and len(self._places) >= MOST:
            del self._places[next(iter(self._places))]
        return self._places.setdefault(key, _Place())

    async def _make(self, place: _Place, make: Callable[[], Awaitable[str]]) -> Look:
        """Make a page once the last one is old enough: a storm of news is one look."""
        time = asyncio.get_running_loop().time
        try:
            await asyncio.sleep(max(0.0, place.began + CALM - time()))
            place.began, made, news = time(), self._clock(), self._hub.news
            place.look = Look(await make(), made, news)
            return place.look
        finally:
            place.making = None


def answer(request: Request, pages: tuple[bytes, bytes], status: int = 200) -> Response:
    """Return a page as the reader's browser takes it."""
    plain, compressed = pages
    headers = {"Vary": "Accept-Encoding"}
    if len(plain) >= LEAST and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(compressed, status, headers | {"Content-Encoding": "gzip"}, "text/html")
    return Response(plain, status, headers, "text/html")

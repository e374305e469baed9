"""Host names of cards: looked up apart from the loop, kept between polls, and still good when the resolver is not.

A lookup cannot be ended: a resolver that hangs holds its thread for as long as it likes.  So each has a thread of its
own, that nobody waits for at the end, and only so many are under way; names that failed before have half of them.
"""

import asyncio
import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from collectors.snmp.sockets import Address, located

KEEP_SECONDS = 300.0  # that a name is not looked up again while its card answers
DOUBT_SECONDS = 30.0  # the same while it does not
MOST_LOOKUPS = 64  # under way; of these for names that failed when they were last looked up:
MOST_DOUBTFUL = 32


@dataclass(slots=True)
class _Known:
    addresses: tuple[str, ...]
    at: float


Found = tuple[str, ...] | Exception


class Names:
    """The addresses of host names. `clock` is any in seconds that never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Future[tuple[str, ...]]] = {}
        self._queued: deque[str] = deque()
        self._under_way: dict[str, bool] = {}  # and whether it had failed before
        self._failed: set[str] = set()

    def known(self, host: str, port: int, turn: int) -> Address | None:
        """Return where a name led when it was last looked up, None for a name never known.

        `turn` counts the polls without an answer: a card of several addresses is tried at each.  What is old is given
        all the same, and looked up again meanwhile.
        """
        known = self._known.get(host)
        if known is None:
            return None
        if self._clock() - known.at >= (DOUBT_SECONDS if turn else KEEP_SECONDS):
            self._ask(host)
        return located(known.addresses[turn % len(known.addresses)], port)

    async def find(self, host: str, port: int) -> Address:
        """Look a name up, together with whoever else asks for it. Raises OSError when it means nothing."""
        addresses = await asyncio.shield(self._ask(host))
        return located(addresses[0], port)

    def close(self) -> None:
        """Ask no more. What is under way ends by itself, and is told to nobody."""
        self._queued.clear()
        for asking in self._asking.values():
            asking.cancel()

    def _ask(self, host: str) -> asyncio.Future[tuple[str, ...]]:
        asking = self._asking.get(host)
        if asking is None:
            asking = self._asking[host] = asyncio.get_running_loop().create_future()
            self._queued.append(host)
            self._begin_lookups()
        return asking

    def _begin_lookups(self) -> None:
        """Begin what may be begun: those that failed before wait while there are too many of them."""
        waiting: deque[str] = deque()
        while self._queued and len(self._under_way) < MOST_LOOKUPS:
            host = self._queued.popleft()
            doubtful = host in self._failed
            if doubtful and sum(self._under_way.values()) >= MOST_DOUBTFUL:
                waiting.append(host)
                continue
            self._under_way[host] = doubtful
            loop = asyncio.get_running_loop()
            try:
                threading.Thread(target=self._look_up, args=(host, loop), name=f"name {host}", daemon=True).start()
            except RuntimeError as error:  # the system gives no more threads
                loop.call_soon(self._told, host, error)
        self._queued.extendleft(reversed(waiting))

    def _look_up(self, host: str, loop: asyncio.AbstractEventLoop) -> None:
        """Look a name up, in a thread; tell the loop, if it still runs."""
        found: Found
        try:
            found = _resolved(host)
        except Exception as error:  # whatever a resolver may raise is this name's, told to who asked
            found = error
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(self._told, host, found)

    def _told(self, host: str, found: Found) -> None:
        """Take what a lookup found."""
        del self._under_way[host]
        asking = self._asking.pop(host)
        if isinstance(found, tuple):
            self._known[host] = _Known(found, self._clock())
            self._failed.discard(host)
        else:
            self._failed.add(host)
            if host in self._known:
                self._known[host].at = self._clock()  # the old address stands; asked again after as long
        if not asking.done():
            if isinstance(found, tuple):
                asking.set_result(found)
            else:
                asking.set_exception(found)
                asking.exception()  # nobody need be waiting for it
        self._begin_lookups()


def _resolved(host: str) -> tuple[str, ...]:
    """Return a name's addresses, IPv4 first: cards have that, whatever the resolver would rather use."""
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
    ordered = sorted(found, key=lambda each: each[0] != socket.AF_INET)
    places = [
        f"{at[0]}%{at[3]}" if len(at) == 4 and at[3] and "%" not in str(at[0]) else str(at[0]) for *_, at in ordered
    ]
    return tuple(dict.fromkeys(places))

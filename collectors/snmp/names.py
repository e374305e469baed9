"""Host names of cards: looked up apart from the loop, kept between polls, and still good when the resolver is not."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from collectors.snmp.sockets import Address, located

KEEP_SECONDS = 300.0  # that a name is not looked up again while its card answers
DOUBT_SECONDS = 30.0  # the same while it does not
_THREADS = 4  # a resolver that hangs holds up names that were never known, and no card that was


@dataclass(slots=True)
class _Known:
    addresses: tuple[str, ...]
    at: float


class Names:
    """The addresses of host names. `clock` is any in seconds that never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Task[tuple[str, ...]]] = {}
        self._pool: ThreadPoolExecutor | None = None

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
        """Ask no more."""
        for task in self._asking.values():
            task.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, host: str) -> asyncio.Task[tuple[str, ...]]:
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = asyncio.get_running_loop().create_task(self._look_up(host))
            task.add_done_callback(lambda done: self._asked(host, done))
        return task

    def _asked(self, host: str, done: asyncio.Task[tuple[str, ...]]) -> None:
        del self._asking[host]
        if done.cancelled():
            return
        if done.exception() is None:
            self._known[host] = _Known(done.result(), self._clock())
        elif host in self._known:
            self._known[host].at = self._clock()  # the old address stands; asked again after as long

    async def _look_up(self, host: str) -> tuple[str, ...]:
        self._pool = self._pool or ThreadPoolExecutor(_THREADS, thread_name_prefix="snmp-names")
        found = await asyncio.get_running_loop().run_in_executor(self._pool, _resolved, host)
        return tuple(dict.fromkeys(found))


def _resolved(host: str) -> list[str]:
    """Return a name's addresses, IPv4 first: cards have that, whatever the resolver would rather use."""
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
    ordered = sorted(found, key=lambda each: each[0] != socket.AF_INET)
    return [
        f"{at[0]}%{at[3]}" if len(at) == 4 and at[3] and "%" not in str(at[0]) else str(at[0]) for *_, at in ordered
    ]

"""Host names of senders, each looked up in a thread of its own: one that hangs holds up no other, and no end."""

import asyncio
import contextlib
import socket
import threading

from collectors.snmp.traps.gate import shown

MOST_AT_ONCE = 64  # threads; a resolver may keep each of them for half a minute


async def look_up(name: str, turns: asyncio.Semaphore) -> frozenset[str]:
    """Return a name's addresses as a socket shows them. Raises OSError when it means nothing for now."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[frozenset[str]] = loop.create_future()

    def settle(addresses: frozenset[str], error: OSError | None) -> None:
        if found.done():  # nobody waits any more
            return
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(addresses)

    def ask() -> None:
        addresses, failed = frozenset[str](), None
        try:
            rows = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
            addresses = frozenset(shown(row[4]) for row in rows)
        except (OSError, UnicodeError) as error:
            failed = error if isinstance(error, OSError) else OSError(str(error))
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, addresses, failed)

    async with turns:
        threading.Thread(target=ask, name="trap-names", daemon=True).start()
        return await found

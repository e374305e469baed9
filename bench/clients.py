"""A client of SNMP asking the bench's cards, and the CPU seconds that its GETs took.

    python -m bench.clients {ours,gufo,pysnmp} {2c,3} PORT SESSIONS REQUESTS

Each session asks its own card for the UPS's twenty objects, one request in flight, as soon as the last is answered;
as many requests again go before, to warm up.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from bench import usm
from bench.cards import address
from bench.exporter import ups_objects

Ask = Callable[[], Awaitable[object]]
OBJECTS = ups_objects()


async def gufo(version: str, port: int, sessions: int) -> list[Ask]:
    """Return one asker for each session of gufo-snmp, its engine already found."""
    from functools import partial

    from gufo.snmp import Aes128Key, Sha1Key, User
    from gufo.snmp.aio import SnmpSession

    keys = Sha1Key(usm.AUTH_PASS.encode()), Aes128Key(usm.PRIVACY_PASS.encode())
    asking: list[Ask] = []
    for card in range(sessions):
        user = User(usm.USER, auth_key=keys[0], priv_key=keys[1]) if version == "3" else None
        session = SnmpSession(addr=address(card), port=port, community="public", user=user, timeout=10.0)
        if user is not None:
            await session.refresh()
        asking.append(partial(session.get_many, OBJECTS))
    return asking


async def pysnmp(version: str, port: int, sessions: int) -> list[Ask]:
    """Return one asker for each session of pysnmp: one engine of it, no MIB looked up."""
    from functools import partial

    from pysnmp.hlapi.v3arch import asyncio as hlapi

    engine = hlapi.SnmpEngine()
    who = (
        hlapi.UsmUserData(
            usm.USER,
            usm.AUTH_PASS,
            usm.PRIVACY_PASS,
            authProtocol=hlapi.USM_AUTH_HMAC96_SHA,
            privProtocol=hlapi.USM_PRIV_CFB128_AES,
        )
        if version == "3"
        else hlapi.CommunityData("public")
    )
    binds = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in OBJECTS]

    async def ask(card: object) -> None:
        error, status, _, found = await hlapi.get_cmd(engine, who, card, hlapi.ContextData(), *binds, lookupMib=False)
        if error or status or len(found) != len(OBJECTS):
            raise SystemExit(f"pysnmp: {error or status}")

    places = [await hlapi.UdpTransportTarget.create((address(card), port), timeout=10) for card in range(sessions)]
    return [partial(ask, place) for place in places]


async def together(asking: Sequence[Ask], requests: int) -> None:
    """Ask so many times in all, each session one at a time."""
    left = iter(range(requests))

    async def one(ask: Ask) -> None:
        for _ in left:
            await ask()

    await asyncio.gather(*(one(ask) for ask in asking))


async def measured(who: str, version: str, port: int, sessions: int, requests: int) -> float:
    """Return the CPU seconds of so many requests."""
    if who == "ours":
        from bench.ours import measured as of_ours

        return await of_ours(version, port, sessions, requests)
    asking = await {"gufo": gufo, "pysnmp": pysnmp}[who](version, port, sessions)
    await together(asking, requests)
    before = time.process_time()
    await together(asking, requests)
    return time.process_time() - before


def main() -> None:
    """Measure and print."""
    who, version, port, sessions, requests = sys.argv[1:]
    print(asyncio.run(measured(who, version, int(port), int(sessions), int(requests))), flush=True)


if __name__ == "__main__":
    main()

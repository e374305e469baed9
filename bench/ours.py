"""Our engine as a bare client: sockets, flights and sessions as at a site, with a poll that only asks and counts."""

import asyncio
import time

from bench import usm
from bench.cards import address
from bench.exporter import ups_objects
from collectors.snmp.engine import Engine
from collectors.snmp.exchange import Exchange, get_all, requests_for
from collectors.snmp.poll import Card
from collectors.snmp.target import Target
from model.point import Batch
from wire.snmp import GET
from wire.user import User

OBJECTS = ups_objects()


class Asked:
    """What stands in the place of a poll: one GET of everything, over and over."""

    def __init__(self, requests: int) -> None:
        self.seconds = 0.0
        self.done = asyncio.Event()
        self._asked = requests_for(GET, OBJECTS, len(OBJECTS))
        self._requests = requests
        self._count = 0
        self._began = 0.0

    def poll(self, card: Card, *_: object) -> Exchange[Batch]:
        """Ask once; raises RuntimeError when something is missing."""
        values = yield from get_all(self._asked, card.manners)
        if len(values) != len(OBJECTS):
            raise RuntimeError(f"{len(values)} of {len(OBJECTS)} objects")
        self._count += 1
        if self._count == self._requests:
            self._began = time.process_time()
        elif self._count == 2 * self._requests:
            self.seconds = time.process_time() - self._began
            self.done.set()
        return Batch(card.target.device, 0.0, ())


async def measured(version: str, port: int, sessions: int, requests: int) -> float:
    """Return the CPU seconds of so many GETs, after as many to warm up."""
    asked = Asked(requests)
    user = User(name=usm.USER, auth="sha1", auth_pass=usm.AUTH_PASS, privacy="aes128", privacy_pass=usm.PRIVACY_PASS)
    targets = [
        Target(
            device=f"card-{card}",
            address=address(card),
            port=port,
            version="3" if version == "3" else "2c",
            user=user if version == "3" else None,
            community=b"public",
            every=1e-6,
        )
        for card in range(sessions)
    ]
    running = asyncio.create_task(Engine(lambda _: None, poll=asked.poll).run(targets))
    await asyncio.wait((asyncio.create_task(asked.done.wait()), running), return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return asked.seconds

"""A desk with a contract of every kind of rule and a site, asked by the API as people's programs ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from desk.app import create_app
from desk.core import Desk
from desk.enrolment import make_code
from desk.kept import entries_of
from desk.ledger import record_of
from desk.settings import DeskSettings
from desk.store import Site
from model.contract import Contract
from model.service.record import Record
from model.service.step import replay
from tests.desk_world import Hands
from tests.service_world import CONTRACT
from tests.stores import store_of

CODED = msgspec.structs.replace(CONTRACT, name="coded", codes={1: "A", 2: "B", 3: "C"}, digest="d2")
KNOWN = {contract.name: contract for contract in (CONTRACT, CODED)}


def contracts(name: str) -> Contract:
    if name not in KNOWN:
        raise LookupError(f"there is no contract {name!r}")
    return KNOWN[name]


class ApiWorld:
    """A desk, its clock, and its API."""

    def __init__(self, desk: Desk, clock: Hands, client: httpx.AsyncClient) -> None:
        self.desk = desk
        self.clock = clock
        self.client = client

    async def site(self, site: str = "S1", contract: str = "test", timezone: str = "Asia/Shanghai") -> None:
        now = self.clock().wall
        kept = Site(site, f"Hall {site}", contract, "", timezone)
        await self.desk.store.write(lambda db: make_code(db, kept, "test", now, 3600.0))

    async def opened(self, fault: str = "mains.lost", **more: Any) -> int:
        """Open a ticket by hand and return its number."""
        body = {"by": "Li", "site": "S1", "fault": fault, "level": 2, **more}
        answer = await self.client.post("/api/v1/tickets", json=body)
        assert answer.status_code == 201, answer.text
        number: int = answer.json()["number"]
        return number

    async def say(
        self,
        ticket: int,
        what: Any,
        /,
        side: str = "service",
        *,
        by: str = "Li",
        key: str = "",
        lang: str = "en",
        **act: Any,
    ) -> httpx.Response:
        headers = {"Accept-Language": lang} | ({"Idempotency-Key": key} if key else {})
        body = {"by": by, "side": side, "act": {"what": what, **act}}
        return await self.client.post(f"/api/v1/tickets/{ticket}/acts", json=body, headers=headers)

    async def said(self, ticket: int, what: str, /, side: str = "service", **act: Any) -> dict[str, Any]:
        """Say an act that must be taken, and return the ticket."""
        answer = await self.say(ticket, what, side, **act)
        assert answer.status_code == 200, answer.text
        after: dict[str, Any] = answer.json()
        return after

    async def ticket(self, number: int) -> dict[str, Any]:
        answer = await self.client.get(f"/api/v1/tickets/{number}")
        assert answer.status_code == 200, answer.text
        ticket: dict[str, Any] = answer.json()
        return ticket

    async def books_agree(self, number: int) -> Record:
        """The record that is kept is what the entries add up to."""
        kept = await self.desk.store.read(lambda db: record_of(db, number))
        entries = await self.desk.store.read(lambda db: entries_of(db, number))
        assert kept is not None
        assert replay(entries) == kept
        return kept


@asynccontextmanager
async def an_api(folder: Path, clock: Hands | None = None) -> AsyncIterator[ApiWorld]:
    clock = clock or Hands()
    desk = Desk(DeskSettings(state=folder, store=store_of(folder), contract="test"), contracts, clock)
    await desk.open()
    transport = httpx.ASGITransport(create_app(desk))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        try:
            world = ApiWorld(desk, clock, client)
            await world.site()
            yield world
        finally:
            desk.close()

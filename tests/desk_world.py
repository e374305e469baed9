"""A desk with a clock in the test's hand, and an agent that speaks the protocol to it over ASGI."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from desk.app import create_app
from desk.core import Desk
from desk.enrolment import make_code
from desk.settings import Contracts, DeskSettings
from desk.store import Site, every
from model.alarm import Alarm, AlarmState, Kind, Now
from model.change import Change, Origin, Snapshot, condition_key
from model.contract import Contract, Limit, Milestone, Start
from model.due import Span
from model.rule import Evidence, Meaning
from tests.stores import store_of


def limit(milestone: Milestone, seconds: float, level: int, region: str = "") -> Limit:
    return Limit(name=milestone.value, milestone=milestone, span=Span(seconds), said=f"{seconds:g}s", after=Start.OPEN,
                 levels=(level,), region=region)  # fmt: skip


CONTRACT = Contract(
    name="practice",
    title={"en": "Practice", "zh": "练习"},
    levels={1: {"en": "Level 1", "zh": "一级"}, 2: {"en": "Level 2"}, 3: {"en": "Level 3"}, 4: {"en": "Level 4"}},
    general={Meaning.INTERRUPTION: 1, Meaning.DANGER: 2, Meaning.DEGRADED: 3, Meaning.INDIRECT: 4},
    on_delays={1: 60.0, 2: 120.0, 3: 180.0, 4: 240.0},
    off_delay=20.0,
    faults={"mains.lost": 2, "subrack.cooling/over_temperature": 2, "subrack.cooling/any_stopped": 4},
    regions={"east": {"en": "East", "zh": "东区"}},
    limits=(
        limit(Milestone.ACCEPT, 900.0, 2),
        limit(Milestone.DEPART, 3600.0, 2, region="east"),
        limit(Milestone.RESTORE, 7200.0, 2),
        limit(Milestone.RESOLVE, 864_000.0, 4),
    ),
    acknowledgement_stops=Milestone.ACCEPT,
    digest="d1d1d1d1d1d1d1d1",
)  # fmt: skip


def contracts(name: str) -> Contract:
    if name != CONTRACT.name:
        raise LookupError(f"there is no contract {name!r}")
    return CONTRACT


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = Now(boot=5000.0, wall=1_800_000_000.0)

    def __call__(self) -> Now:
        return self.now

    def on(self, seconds: float) -> None:
        self.now = Now(self.now.boot + seconds, self.now.wall + seconds)


class World:
    """A desk, its clock and its HTTP client."""

    def __init__(self, desk: Desk, clock: Hands, client: httpx.AsyncClient) -> None:
        self.desk = desk
        self.clock = clock
        self.client = client

    async def code(self, site: str = "S1", **record: str) -> str:
        fields = {
            "name": f"Site {site}",
            "contract": "practice",
            "region": "east",
            "timezone": "Asia/Shanghai",
            **record,
        }
        now = self.clock().wall
        return await self.desk.store.write(lambda db: make_code(db, Site(site, **fields), "test", now, 3600.0))

    async def agent(self, site: str = "S1", **record: str) -> "Speaker":
        agent = str(uuid.uuid4())
        body = {"code": await self.code(site, **record), "agent": agent, "version": "0.1.0"}
        answer = await self.client.post("/api/v1/enrol", json=body)
        assert answer.status_code == 200, answer.text
        return Speaker(self, agent, site, answer.json()["token"])

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return await self.desk.store.read(lambda db: [dict(row) for row in every(db, sql, *values)])

    async def tickets(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM tickets ORDER BY number")

    async def audit(self) -> list[str]:
        """The words of everything written down: of the audit and, of one moment after it, of tickets' entries."""
        rows = await self.rows(
            "SELECT at, 0 AS of_ticket, id, what FROM audit UNION ALL SELECT at, 1, id, did FROM entries"
            " ORDER BY at, of_ticket, id"
        )
        return [word for row in rows for word in row["what"].split()]


class Speaker:
    """An agent as the desk knows it: identity, token, epoch, next seq."""

    def __init__(self, world: World, agent: str, site: str, token: str) -> None:
        self.world = world
        self.agent = agent
        self.site = site
        self.headers = {"Authorization": f"Bearer {token}"}
        self.epoch = str(uuid.uuid4())
        self.seq = 0

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.world.client.post(f"/api/v1/{path}", content=msgspec.json.encode(body), headers=self.headers)

    async def send(self, *bodies: Any, first: int = 0, oldest: int = 1, age: float = 0.0) -> httpx.Response:
        """Send bodies with the next seqs, or from `first` on."""
        start = first or self.seq + 1
        events = [{"seq": start + n, "age": age, "body": body} for n, body in enumerate(bodies)]
        self.seq = max(self.seq, start + len(bodies) - 1)
        request = {"agent": self.agent, "epoch": self.epoch, "oldest": oldest, "wall": 0.0, "events": events}
        return await self.post("events", request)

    async def beat(self, interval: float = 30.0, **more: Any) -> httpx.Response:
        return await self.post(
            "heartbeat",
            {"agent": self.agent, "epoch": self.epoch, "version": "0.1.0", "last_seq": self.seq, "depth": 0,
             "oldest_age": 0.0, "wall": self.world.clock().wall - 7.0, "interval": interval, **more},
        )  # fmt: skip

    async def commands(self, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        answer = await self.world.client.get(
            "/api/v1/commands", params={"after": after, "wait": wait}, headers=self.headers, timeout=40
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["commands"]
        return found


def change(
    site: str = "S1",
    fault: str = "mains.lost",
    *,
    state: AlarmState = AlarmState.UNACKNOWLEDGED,
    kind: Kind = Kind.RAISED,
    device: str = "ups",
    meaning: Meaning = Meaning.DANGER,
    digest: str = CONTRACT.digest,
    title: str = "Mains lost",
    **alarm: Any,
) -> Change:
    """A Change of an alarm that was seen 90 s before and raised now."""
    given: dict[str, Any] = {
        "state": state, "case": "lost", "level": 2, "episode": "e1", "revision": 1, "active": True, "opened": True,
        "onset": 910.0, "onset_wall": 1_700_000_000.0,
        "evidence": (Evidence("mains.voltage", "Input L1", 0.0, "V", 176.0),),
    } | alarm  # fmt: skip
    full = Alarm(condition_key(site, device, "-", fault), **given)
    origin = Origin(site, device, "-", fault, "UPS of the hall", {"en": title, "zh": "市电中断"}, meaning,
                    contract="practice", digest=digest)  # fmt: skip
    return Change(kind, full, AlarmState.NORMAL, origin, {}, wall=1_700_000_090.0, boot=1000.0, boot_id="b")


def later(before: Change, kind: Kind, state: AlarmState, **alarm: Any) -> Change:
    """The next revision of the same episode."""
    after = replace(before.alarm, state=state, revision=before.alarm.revision + 1, **alarm)
    return replace(before, kind=kind, alarm=after, before=before.alarm.state)


def cleared(before: Change) -> Change:
    return later(before, Kind.CLEARED, AlarmState.RETURNED, active=False, case="")


def snapshot(*changes: Change, site: str = "S1") -> Snapshot:
    return Snapshot(site, changes, wall=1_700_000_090.0, boot=1000.0, boot_id="b")


@asynccontextmanager
async def a_desk(
    folder: Path, clock: Hands | None = None, *, known: Contracts = contracts, **settings: Any
) -> AsyncIterator[World]:
    clock = clock or Hands()
    settings = {"store": store_of(folder), "contract": "practice"} | settings
    desk = Desk(DeskSettings(state=folder, **settings), known, clock)
    await desk.open()
    transport = httpx.ASGITransport(create_app(desk))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        try:
            yield World(desk, clock, client)
        finally:
            desk.close()

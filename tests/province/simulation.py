"""The months of a province: a heap of moments, a real desk on its own clock, and a sweep every ten minutes."""

import asyncio
import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from desk.core import FILE, Desk
from desk.enrolment import make_code, redeem
from desk.events import take_events, unpack
from desk.ledger import append, record_of
from desk.record import Books, Told
from desk.settings import DeskSettings, shipped
from desk.silence import heard_again
from desk.store import Db, Site, every
from desk.sweep import Sweep
from desk.timekeeper import Timekeeper, keep, kept
from desk.timekeeping import Timekeeping, regain
from model.alarm import Now
from model.protocol import EnrolRequest, EventsRequest
from tests.province.people import DAY, HOUR, visit, who
from tests.province.sites import CHILDREN, MAINS, Agent, Part
from tests.province.weather import Switch, plan, switches

T0 = 1_788_192_000.0  # 2026-09-01 00:00 in China: National Day and its make-up days are within 90 days
TICK = 600.0  # seconds between two sweeps
CONTRACTS = {
    "telecom-transmission": 2 * ("gz_sz_dg", "prd", "west_east", "rest"),
    "maintenance-3-level": ("",),
    "outsourcing-abcd": ("",),
    "ltsa": ("outer_ring", "elsewhere"),
    "fire": ("same_city", "elsewhere"),
    "public-sector": ("",),
    "general-serious": ("",),
    "power-vendor": ("",),
}


@dataclass(frozen=True)
class Size:
    """How large a province, for how many days, and from which seed its chances are drawn."""

    sites: int = 200
    days: int = 90
    seed: int = 1


class Clock:
    """The desk machine's clocks: the true time, how far the wall clock is off, and when the machine booted."""

    def __init__(self) -> None:
        self.true = T0
        self.off = 0.0
        self.booted = T0 - 5000.0
        self.boot_id = "boot-1"

    def __call__(self) -> Now:
        return Now(self.true - self.booted, self.true + self.off)

    @property
    def site(self) -> Now:
        """The clocks of the sites, which nobody moves."""
        return Now(self.true - T0 + 1000.0, self.true)


Moment = Callable[[Db | None], None]  # what happens, with the desk's transaction, or None while it is away


@dataclass
class Province:
    """A province as it lives. `counted` tells what happened; `closed` what each ticket was when it closed."""

    size: Size
    folder: Path
    clock: Clock = field(default_factory=Clock)
    counted: Counter[str] = field(default_factory=Counter)
    closed: dict[int, bytes] = field(default_factory=dict)
    desk: Desk | None = None

    def __post_init__(self) -> None:
        self.chance = random.Random(self.size.seed)
        self.agents: list[Agent] = []
        self.visits: Counter[int] = Counter()
        self._heap: list[tuple[float, int, Moment]] = []
        self._order = itertools.count()
        self._known = 0
        self._closed_since = 0.0
        self._silent: set[str] = set()
        self._sweep: Sweep | None = None
        self._timekeeping: Timekeeping | None = None
        self._switches: list[Switch] = []

    @property
    def file(self) -> Path:
        """The desk's file."""
        return self.folder / FILE

    @property
    def end(self) -> float:
        """When it ends, in Unix seconds."""
        return T0 + self.size.days * DAY

    def at(self, when: float, moment: Moment) -> None:
        if when < self.end:
            heapq.heappush(self._heap, (max(when, self.clock.true), next(self._order), moment))

    # The desk: there, away, and with its clock.

    async def start(self) -> None:
        """Start the desk on its file; its time is what the clock and the file say."""
        settings = DeskSettings(state=self.folder, contract="telecom-transmission", streams=1)
        self.desk = desk = Desk(settings, shipped, self.clock)
        anchor = await desk.store.read(kept)
        desk.timekeeper = Timekeeper(anchor, self.clock, lambda: self.clock.boot_id, lambda: False)
        desk.clock = desk.timekeeper.both
        await desk.open()
        self._sweep, self._timekeeping = Sweep(desk), Timekeeping(desk)
        self.counted["starts of the desk"] += 1

    async def stop(self) -> None:
        """End the desk; it keeps its time for the next start."""
        assert self.desk is not None
        time = self.desk.timekeeper
        await self.desk.store.write(lambda db: keep(db, time.anchor(), time.note()))
        self.desk.close()
        self.desk = self._sweep = self._timekeeping = None

    async def enrol(self) -> None:
        """Enrol every site under one of the contracts."""
        assert self.desk is not None
        pairs = sorted((name, region) for name, regions in CONTRACTS.items() for region in regions)
        for place in range(self.size.sites):
            name, region = pairs[place * len(pairs) // self.size.sites]
            site = Site(f"p-{place:03d}", f"Site {place}", name, region, "Asia/Shanghai")
            agent = Agent(site, shipped(name), random.Random(self.chance.getrandbits(64)))
            await self.desk.store.write(partial(_enrol, site=site, agent=agent.id, now=self.clock.true))
            self.agents.append(agent)
        await self.desk.know_agents()

    # Moments of sites.

    def look(self, agent: Agent, part: Part) -> None:
        if agent.look(part, self.clock.site):
            self.at(self.clock.true + self.chance.uniform(0.2, 4.0), partial(self.deliver, agent))

    def _look(self, agent: Agent, part: Part, _: Db | None) -> None:
        self.look(agent, part)

    def begin(self, agent: Agent, part: Part, case: str, lasts: float, _: Db | None = None) -> None:
        """A part breaks; it is looked at when its delays are over, and again when it is whole."""
        if part in agent.there:
            return
        now = self.clock.true
        agent.there[part] = case
        self.look(agent, part)
        self.at(now + agent.delays(part)[0] + 0.5, partial(self._look, agent, part))
        if len(part.cases) > 1 and self.chance.random() < 0.5:
            self.at(now + lasts * self.chance.random(), lambda _: self.worse(agent, part))
        if part is MAINS:
            for child in CHILDREN:
                if self.chance.random() < 0.6:
                    self.at(now + 2.0, partial(self.begin, agent, child, "", lasts - 1.0))
        if self.chance.random() < 0.1:
            self.at(now + lasts * self.chance.random(), lambda _: self.taken(agent, part))
        self.at(now + lasts, partial(self.over, agent, part))

    def over(self, agent: Agent, part: Part, _: Db | None = None) -> None:
        agent.there.pop(part, None)
        parts = (part, *CHILDREN) if part is MAINS else (part,)
        for each in parts:
            self.look(agent, each)
            self.at(self.clock.true + agent.contract.off_delay + 0.5, partial(self._look, agent, each))

    def worse(self, agent: Agent, part: Part) -> None:
        if part in agent.there:
            agent.there[part] = self.chance.choice(part.cases)
            self.look(agent, part)

    def taken(self, agent: Agent, part: Part) -> None:
        if agent.taken(part, "Guard", self.clock.site):
            self.at(self.clock.true + 1.0, partial(self.deliver, agent))

    def deliver(self, agent: Agent, db: Db | None = None) -> None:
        """Send what is not at the desk yet; now and then the answer is lost and it comes again, perhaps a day later."""
        if db is None or not agent.linked:
            return
        request = agent.batch(self.clock.site)
        if request is None:
            return
        lost = self.chance.random() < 0.05
        self.take(db, agent, request, heard=not lost)
        if lost or self.chance.random() < 0.03:
            self.at(self.clock.true + self.chance.choice((1.0, HOUR, DAY)), partial(self.again, agent))

    def again(self, agent: Agent, db: Db | None) -> None:
        request = agent.again(self.clock.site)
        if db is not None and agent.linked and request is not None:
            self.counted["batches that came again"] += 1
            self.take(db, agent, request, heard=True)

    def take(self, db: Db, agent: Agent, request: EventsRequest, *, heard: bool) -> None:
        assert self.desk is not None
        ledger = self.desk.ledger(db)
        told = Told(agent.id, request.epoch, ledger.now, source="127.0.0.1")
        taken = take_events(Books(ledger, agent.site, told), request, unpack(request))
        self.counted["events"] += taken.new
        self.counted["refused events"] += len(taken.refused)
        if taken.conflict:
            self.counted["conflicts"] += 1
            if request.epoch == agent.epoch:
                agent.begin_anew(self.clock.site)
        elif heard:
            agent.acked(request.epoch, taken.acked)

    # Moments of people.

    def come(self, number: int, db: Db | None) -> None:
        """Somebody looks at a ticket and says what they think of it; while the desk is away they come later."""
        if db is None or self.desk is None:
            self.at(self.clock.true + self.chance.uniform(0.2, 3.0) * HOUR, partial(self.come, number))
            return
        record = record_of(db, number)
        assert record is not None
        contract = self.desk.contracts(record.terms.contract)
        sql = "SELECT number FROM tickets WHERE site = ? AND state <> 'closed' AND number <> ? ORDER BY number"
        others = tuple(row["number"] for row in every(db, sql, record.ticket.site, number))
        for act, side in visit(record, contract, self.desk.clock().wall, self.chance, others):
            done = append(self.desk.ledger(db), number, who(side, self.chance), "10.0.0.7", act, side)
            assert done is not None
            self.counted["acts refused" if done.refused else "acts"] += 1
            self.counted[f"{'no ' if done.refused else ''}{type(act).__name__}"] += 1
        self.visits[number] += 1
        self._come_again(number, was_closed=record.closed)

    def _come_again(self, number: int, *, was_closed: bool) -> None:
        count, now = self.visits[number], self.clock.true
        if was_closed:
            if self.chance.random() < 0.5:
                self.at(now + self.chance.expovariate(1 / (3 * DAY)), partial(self.come, number))
        elif count < 10:
            self.at(now + self.chance.expovariate(1 / (2 * HOUR)), partial(self.come, number))
        elif count < 40:
            self.at(now + self.chance.uniform(0.5, 1.5) * DAY, partial(self.come, number))

    # Time.

    async def run(self) -> None:
        """Live until the end; the desk is left closed, its file at rest."""
        await self.start()
        await self.enrol()
        plan(self)
        self._switches = switches(self)
        while self.clock.true < self.end:
            await self._window(min(self.clock.true + TICK, self.end))
        await self._finish()

    async def _window(self, until: float) -> None:
        if self.desk is None:
            self._moments(until, None)
        else:
            await self.desk.store.write(partial(self._live, until))
        self.clock.true = until
        while self._switches and self._switches[0].at <= until:
            await self._switches.pop(0).do()
        if self._sweep is not None and self._timekeeping is not None:
            await self._timekeeping.look()
            await self._sweep.look()

    def _live(self, until: float, db: Db) -> None:
        self._moments(until, db)
        self.clock.true = until
        self._beats(db)

    def _moments(self, until: float, db: Db | None) -> None:
        while self._heap and self._heap[0][0] <= until:
            self.clock.true, _, moment = heapq.heappop(self._heap)
            if db is not None:
                db.execute("SAVEPOINT moment")
            moment(db)
            if db is not None:
                db.execute("RELEASE moment")

    def _beats(self, db: Db) -> None:
        """Heartbeats, what could not be sent before, and people's plans for the tickets that opened."""
        assert self.desk is not None
        for agent in self.agents:
            if not agent.linked:
                continue
            self.desk.hear(agent.id, TICK)
            if agent.unsent:
                self.deliver(agent, db)
            if agent.id in self._silent:
                self._silent.discard(agent.id)
                heard_again(self.desk.ledger(db), agent.site)
        for row in every(db, "SELECT number FROM tickets WHERE number > ? ORDER BY number", self._known):
            self._known = row["number"]
            self.at(self.clock.true + self.chance.expovariate(1 / HOUR), partial(self.come, self._known))
        for row in every(
            db,
            "SELECT number, record FROM tickets WHERE state = 'closed' AND entries > 0 AND closed > ?",
            self._closed_since,
        ):
            self.closed.setdefault(row["number"], row["record"])
        self._closed_since = self.desk.clock().wall - 2 * TICK

    def cut(self, agent: Agent, lasts: float, _: Db | None = None) -> None:
        """A site loses its line for a while."""
        if agent.linked:
            agent.linked = False
            self._silent.add(agent.id)
            self.counted["lines cut"] += 1
            self.at(self.clock.true + lasts, lambda _: setattr(agent, "linked", True))

    async def _finish(self) -> None:
        """Let the desk see everything that is due, then close it."""
        if self.desk is None:
            await self.start()
        self.clock.off = 0.0
        assert self.desk is not None
        assert self._sweep is not None
        await regain(self.desk, "Li", "test", "clock_confirmed", word=True)
        await self.desk.store.write(self._beats)
        while True:
            await self._sweep.look()
            due = await self.desk.store.read(lambda db: every(db, _DUE, self.clock.true))
            if not due:
                break
        await self.stop()


_DUE = "SELECT number FROM tickets WHERE again <= ?"


def _enrol(db: Db, site: Site, agent: str, now: float) -> None:
    code = make_code(db, site, "test", now, HOUR)
    redeem(db, EnrolRequest(code, agent, "0.1.0"), "127.0.0.1", now)
    db.execute("UPDATE agents SET interval = ? WHERE id = ?", (TICK, agent))


def lived(size: Size, folder: Path) -> Province:
    """Return a province after its time."""
    province = Province(size, folder)
    asyncio.run(province.run())
    return province

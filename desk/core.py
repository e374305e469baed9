"""The desk itself: settings, store, contracts, who is enrolled and who was heard."""

import hashlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from desk.carried import carry_over
from desk.hooks import HOOKS
from desk.ledger import Ledger, append
from desk.live import BOARD, Hub, commands_of
from desk.looks import Looks
from desk.meters import Meters
from desk.people import People
from desk.placing import mark, place
from desk.settings import Contracts, DeskSettings, always_for_missing, calendars_in, with_stand_in
from desk.store import Db, Row, Site, every, opened, sites
from desk.timekeeper import Timekeeper, kept, last_written
from model.alarm import Now
from model.limits import Calendars, regional
from model.service.entry import Acts
from model.service.step import Stepped
from model.service.words import Side
from runtime.clock import now as clock_now
from runtime.writer import StoreError

if TYPE_CHECKING:
    from desk.certificates import Certificates

LOG = logging.getLogger("roundsman.desk")
FILE = "desk.sqlite"
CARRIED = 500  # tickets of an older file that are carried over at once


class Heard(msgspec.Struct, frozen=True):
    """When an agent was last heard (CLOCK_BOOTTIME seconds of this machine), and its seconds between heartbeats."""

    site: str
    at: float
    interval: float


class Badge(msgspec.Struct, frozen=True):
    """An enrolled agent, known by its token."""

    agent: str
    site: str


def token_hash(token: str) -> str:
    """Return what is kept of a token or code. It is 256 random bits: nothing to guess, so a plain hash is right."""
    return hashlib.sha256(token.encode()).hexdigest()


class Desk:
    """One desk, from opening its file to closing it. Its `clock` gives the time of everything it writes down."""

    def __init__(
        self,
        settings: DeskSettings,
        contracts: Contracts,
        clock: Callable[[], Now] = clock_now,
        calendars: Calendars | None = None,
    ) -> None:
        self.settings = settings
        self._contracts = contracts
        self.contracts = with_stand_in(contracts)
        self._calendars = calendars or calendars_in(settings.contracts)
        self.calendars = always_for_missing(self._calendars)
        self.people = People(settings.roster)
        self.hub = Hub()
        self.url = ""
        self.secret = ""
        self.certificates: Certificates | None = None
        self.has_people = False  # whether there are users, once it was asked for and so
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        place(settings.state, database=bool(settings.store))
        if not settings.store:
            (settings.state / FILE).touch(mode=0o600)
        self.store = opened(settings.state / FILE, settings.store, now=clock().wall, waiting=settings.waiting)
        if settings.store:
            mark(settings.state)
        self.timekeeper = self._timekeeper(clock)
        self.clock = self.timekeeper.both
        self.looks = Looks(self.hub, lambda: self.clock().boot)
        self.meters = Meters(self.store, self.hub, self.timekeeper.standing)
        self.started = clock().boot
        self.known = self.started  # when everyone was last taken to be heard, without being so
        self.badges: dict[str, Badge] = {}
        self._tokens: dict[str, str] = {}
        self._next: dict[str, str] = {}
        self.heard: dict[str, Heard] = {}

    async def open(self) -> None:
        """Read who is enrolled. A site that names a contract that is not here is logged and stops no other."""
        while await self.store.write(lambda db: carry_over(self.ledger(db), CARRIED)) == CARRIED:
            LOG.info("tickets of an older version of the file are carried over")
        await self.know_agents()
        for problem in await self.problems():
            LOG.error("%s", problem)

    def ledger(self, db: Db) -> Ledger:
        """Return what a ticket's entries are written by, now, in a transaction."""
        time = self.timekeeper.moment()
        return Ledger(db, self.contracts, self.calendars, time.at, time.trust, HOOKS)

    async def write_act(
        self, number: int, who: str, source: str, act: Acts, side: Side = Side.SERVICE
    ) -> Stepped | None:
        """Append an act to a ticket and tell board and agent; None when there is no such ticket."""
        stepped = await self.store.write(lambda db: append(self.ledger(db), number, who, source, act, side))
        if stepped is not None and stepped.refused is None and stepped.record is not None:
            self.hub.announce(BOARD, commands_of(stepped.record.ticket.site))
        return stepped

    async def problems(self) -> list[str]:
        """Return what is wrong with the records of sites, a sentence each."""
        wrong: list[str] = []
        for site in await self.store.read(sites):
            try:
                self.check_contract(site)
            except StoreError as error:
                wrong.append(str(error))
        return wrong

    async def know_agents(self) -> None:
        """Read who is enrolled; everyone is taken to be heard now, so that a desk's own absence makes nobody silent."""
        for row in await self.store.read(_enrolled):
            self.welcome(row["token"], Badge(row["id"], row["site"]), row["interval"])
            if row["next_token"]:
                self.expect(row["next_token"], Badge(row["id"], row["site"]))
        self.known = self.clock().boot

    def welcome(self, token: str, badge: Badge, interval: float = 30.0) -> None:
        """Know a site's agent by the hash of its token from now on, and no other agent of that site."""
        self.dismiss(badge.site)
        self._tokens[badge.site] = token
        self.badges[token] = badge
        self.heard[badge.agent] = Heard(badge.site, self.clock().boot, interval)

    def expect(self, token: str, badge: Badge) -> None:
        """Know a site's agent by the hash of its next token too."""
        self.badges.pop(self._next.pop(badge.site, ""), None)
        self._next[badge.site] = token
        self.badges[token] = badge

    def dismiss(self, site: str) -> None:
        """Know no agent of a site any more."""
        self.badges.pop(self._next.pop(site, ""), None)
        old = self.badges.pop(self._tokens.pop(site, ""), None)
        if old is not None:
            self.heard.pop(old.agent, None)

    def hear(self, agent: str, interval: float) -> None:
        """Note that an agent was heard now; the next heartbeat is due after `interval` seconds."""
        if agent in self.heard:
            self.heard[agent] = Heard(self.heard[agent].site, self.clock().boot, interval)

    def check_contract(self, site: Site) -> None:
        """Refuse a site whose contract, calendar or region is not known: its tickets would have no level or clocks."""
        try:
            contract = self._contracts(site.contract)
        except LookupError as error:
            raise StoreError(f"site {site.id}: contract {site.contract!r}: {error.args[0]}", permanent=True) from error
        for name in filter(None, {contract.calendar, *(limit.calendar for limit in contract.limits)}):
            try:
                self._calendars(name)
            except LookupError as error:
                what = f"site {site.id}: contract {site.contract!r}: calendar {name!r}: {error.args[0]}"
                raise StoreError(f"{what}; until it is here every hour counts", permanent=True) from error
        if contract.regions and site.region not in contract.regions and (site.region or regional(contract)):
            wrong = (
                f"has no region {site.region!r}"
                if site.region
                else "has limits that depend on the region, and the site has no region: they would not run"
            )
            known = "; ".join(f"{key} ({title.get('en', key)})" for key, title in contract.regions.items())
            raise StoreError(f"site {site.id}: contract {site.contract!r} {wrong}; it has {known}", permanent=True)

    def _timekeeper(self, clock: Callable[[], Now]) -> Timekeeper:
        last, earliest = self.store.writer.put(lambda db: (kept(db), last_written(db))).result()
        if self.settings.clock_kept_by_host:
            return Timekeeper(last, clock, synchronised=lambda: True, earliest=earliest)
        return Timekeeper(last, clock, earliest=earliest)

    def close(self) -> None:
        """Let everyone go, finish the writes, close the file."""
        self.hub.close()
        self.store.close()


def _enrolled(db: Db) -> list[Row]:
    return every(db, "SELECT id, site, token, next_token, interval FROM agents WHERE retired IS NULL")

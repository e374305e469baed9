"""A desk's books in memory, without a desk: Changes of many sites go the way that an agent's go."""

import itertools
import sqlite3
from pathlib import Path

from desk.hooks import HOOKS
from desk.ledger import Ledger
from desk.record import Books, Told, record
from desk.schema import MIGRATIONS
from desk.settings import always_for_missing, calendars_in
from desk.store import Row, Site, every
from model.alarm import AlarmState, Kind
from model.change import Change
from model.contract import Contract
from runtime.writer import migrate
from tests.desk_world import CONTRACT, change, cleared, later
from tests.stores import book_of, on_postgres

START = 1_800_000_000.0
_NUMBERS = itertools.count()
OUTAGE_TABLES = ("incidents", "incident_tickets", "outages")


class Region:
    """Sites of one desk, their Changes and its clock."""

    def __init__(self, contract: Contract = CONTRACT) -> None:
        self.db = book_of(Path(f"region {next(_NUMBERS)}")) if on_postgres() else _in_memory()
        self.contract = contract
        self.calendars = always_for_missing(calendars_in(None))
        self.now = START
        self.sites: dict[str, Site] = {}
        self.last: dict[str, Change] = {}
        self.number = 0

    def ledger(self) -> Ledger:
        return Ledger(self.db, lambda _: self.contract, self.calendars, self.now, hooks=HOOKS)

    def site(self, name: str, region: str = "east") -> Site:
        if name not in self.sites:
            self.sites[name] = Site(name, f"Site {name}", "practice", region, "Asia/Shanghai")
            self.db.execute("INSERT INTO sites VALUES (?, ?, 'practice', ?, 'Asia/Shanghai')", (name, name, region))
        return self.sites[name]

    def take(self, told: Change, *, age: float = 0.0, region: str = "east") -> None:
        """Take a Change as the desk does from an agent."""
        books = Books(self.ledger(), self.site(told.origin.site, region), Told("agent", "e", self.now, age))
        record(books, told)
        self.last[told.alarm.condition] = told

    def loses(self, site: str, *, ago: float = 0.0, fault: str = "mains.lost", region: str = "east") -> Change:
        """A site's fault is raised now, that began so many seconds ago."""
        self.number += 1
        told = change(site, fault, episode=f"ep{self.number}", onset=1000.0 - ago)
        self.take(told, region=region)
        return told

    def gets_back(self, site: str, fault: str = "mains.lost") -> None:
        self.take(cleared(self.last[f"{site}/ups/-/{fault}"]))

    def passes(self, site: str, *, ago: float = 0.0) -> None:
        """A fault that was over before its delay."""
        self.number += 1
        told = change(
            site, kind=Kind.PENDING, state=AlarmState.PENDING, opened=False, episode=f"ep{self.number}", onset=990.0
        )
        self.take(told, age=ago)
        self.take(later(told, Kind.MOMENTARY, AlarmState.NORMAL, active=False, case=""), age=ago)

    def rows(self, sql: str, *values: object) -> list[Row]:
        return every(self.db, sql, *values)  # type: ignore[arg-type]  # what a test asks for

    def incidents(self) -> list[tuple[object, ...]]:
        return [
            (row["number"], row["cause"], row["region"], row["tickets"], row["going"], row["ended"])
            for row in self.rows("SELECT * FROM incidents ORDER BY number")
        ]


def tables(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """What a database knows of incidents."""
    return {name: db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in OUTAGE_TABLES}


def _in_memory() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, MIGRATIONS)
    return db

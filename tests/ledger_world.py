"""A desk's file with the ledger alone: a site, its contract, a time in the test's hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from desk.ledger import Hook, Ledger, append, entries_of, open_ticket, record_of, terms_for
from desk.schema import MIGRATIONS
from desk.store import Site
from model.alarm import Alarm, AlarmState
from model.contract import Contract
from model.service.entry import Acts, Entry, Opened, bare
from model.service.record import Record
from model.service.step import Stepped
from model.service.words import Side, Trust
from runtime.writer import connect, migrate
from tests.service_world import CONTRACT, T0, alarm, calendars
from tests.stores import book_of, on_postgres

SITE = Site("S", "Hall", "test", "east", "Asia/Shanghai")


class Book:
    """The file, open; `at` is the time in seconds after T0, `trust` what it is worth."""

    def __init__(self, folder: Path, contract: Contract = CONTRACT, hooks: tuple[Hook, ...] = ()) -> None:
        self.db = book_of(folder) if on_postgres() else connect(folder / "desk.sqlite")
        if not on_postgres():
            migrate(self.db, MIGRATIONS)
        self.db.execute(
            "INSERT INTO sites VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", msgspec.structs.astuple(SITE)
        )
        self.contract = contract
        self.hooks = hooks
        self.at = 0.0
        self.trust = Trust.SURE

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.db, lambda _: self.contract, calendars, T0 + self.at, self.trust, self.hooks)

    def within(self, work: Callable[[Ledger], Any]) -> Any:
        """Do work in a transaction; nothing of it stays when it raises."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            done = work(self.ledger)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        return done

    def open(self, level: int = 2, device: str = "ups1", fault: str = "mains.lost", **more: Any) -> int:
        condition = f"S/{device}/-/{fault}"
        seen: Alarm = msgspec.structs.replace(alarm(episode=f"e-{device}-{self.at:g}"), condition=condition)
        given: dict[str, Any] = {"number": 0, "site": "S", "condition": condition, "device": device, "fault": fault,
                                 "terms": terms_for(self.ledger, SITE), "onset": T0 + self.at,
                                 "alarm": bare(seen)}  # fmt: skip
        act = Opened(level=level, **(given | more))
        number: int = self.within(lambda ledger: open_ticket(ledger, SITE, act, "agent", ""))
        return number

    def do(self, number: int, act: Acts, side: Side = Side.SERVICE, who: str = "Li") -> Stepped:
        stepped = self.within(lambda ledger: append(ledger, number, who, "page", act, side))
        assert stepped is not None
        done: Stepped = stepped
        return done

    def record(self, number: int) -> Record:
        record = record_of(self.db, number)
        assert record is not None
        return record

    def entries(self, number: int) -> tuple[Entry, ...]:
        return entries_of(self.db, number)

    def row(self, number: int) -> dict[str, Any]:
        cursor = self.db.execute("SELECT * FROM tickets WHERE number = ?", (number,))
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))

    def all(self) -> list[tuple[Any, ...]]:
        """Return every row of every table that a ticket is in, to see that nothing changed."""
        tables = ("tickets", "entries", "fired", "connector_outbox", "audit", "commands")
        return [row for table in tables for row in self.db.execute(f"SELECT * FROM {table}")]

    def value(self, sql: str, *values: Any) -> Any:
        return self.db.execute(sql, values).fetchone()[0]


def contract(**more: Any) -> Contract:
    return msgspec.structs.replace(CONTRACT, **more)


def gone(number: int, book: Book, revision: int = 2) -> Any:
    """The alarm of a ticket as it is over."""
    ticket = book.record(number).ticket
    return Alarm(ticket.condition, AlarmState.NORMAL, episode=ticket.episode, revision=revision, opened=True)


def later(ledger: Ledger, seconds: float) -> Ledger:
    return msgspec.structs.replace(ledger, now=ledger.now + seconds)


__all__ = ["SITE", "Book", "contract", "gone", "later"]

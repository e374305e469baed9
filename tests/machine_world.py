"""A real desk's file under a machine that dies, and an agent with an outbox: what the state machine of the desk drives.

The desk is whole: its store with one writer, its hooks, its timekeeper, its sweep. Only HTTP is left out. A crash after
a commit is what kill -9 leaves: another desk opens a copy of file and WAL as they are. A crash before is a job that
does all its work and then raises.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec.structs import replace

from desk.core import Desk
from desk.events import Taken, take_events, unpack
from desk.record import Books, Told
from desk.settings import DeskSettings
from desk.silence import heard_again
from desk.store import Db, Site, every
from desk.sweep import Sweep
from desk.timekeeper import Timekeeper, keep, kept, last_written
from desk.timekeeping import Timekeeping
from model.alarm import AlarmState, Kind, Now
from model.change import Change
from model.clock import Note
from model.contract import Contract
from model.protocol import Event, EventsRequest
from tests.desk_world import change, later, snapshot
from tests.service_world import CONTRACT, T0
from tests.stores import moved, store_of

T = TypeVar("T")
SITE = Site("S1", "Hall", "test", "east", "Asia/Shanghai")
LEVELS = {"mild": 3, "bad": 2, "worst": 1}
MACHINE = replace(CONTRACT, faults={f"mains.lost/{case}": level for case, level in LEVELS.items()})
BOOKS = ("tickets", "entries", "fired", "connector_outbox", "audit", "episodes", "receipts", "cursors", "held",
         "commands", "ticket_episodes", "ticket_children", "incidents", "outages", "notices")  # fmt: skip
AGENT = "agent-0001"


class CrashError(Exception):
    """The machine died before the commit."""


class Machine:
    """The hardware: CLOCK_BOOTTIME, a wall clock that may be wrong, a boot."""

    def __init__(self) -> None:
        self.boot, self.wall, self.boots, self.synchronised = 5000.0, T0, 1, True

    def __call__(self) -> Now:
        return Now(self.boot, self.wall)

    def boot_id(self) -> str:
        return f"boot {self.boots}"

    def on(self, seconds: float) -> None:
        self.boot, self.wall = self.boot + seconds, self.wall + seconds


class Dying:
    """A desk that may be killed at any moment and is started again on what it left."""

    def __init__(self, folder: Path, contract: Contract = MACHINE) -> None:
        self.folder, self.contract, self.lives = folder, contract, 0
        self.machine = Machine()
        self.loop = asyncio.new_event_loop()
        self.desk = self._desk(folder / "0")
        self.write(self._enrol)
        self._begin()

    def close(self) -> None:
        self.desk.close()
        self.loop.close()

    def write(self, work: Callable[[Db], T]) -> T:
        return self.desk.store.writer.put(work).result()

    def die_before(self, work: Callable[[Db], Any]) -> None:
        """Do work in a job that dies before its commit; nothing of it may stay."""

        def job(db: Db) -> None:
            work(db)
            raise CrashError

        before = self.books()
        with pytest.raises(CrashError):
            self.write(job)
        assert self.books() == before

    def die(self, *, reboots: bool = False) -> None:
        """Kill the desk and start it on what the disk has; with the machine, or without."""
        self.lives += 1
        new = self.folder / str(self.lives)
        new.mkdir()
        for left in self.desk.store.path.parent.glob("desk.sqlite*"):
            if not left.name.endswith("-shm"):
                shutil.copy(left, new)
        self.desk.close()
        moved(self.folder / str(self.lives - 1), new)
        if reboots:
            self.machine.boots, self.machine.boot, self.machine.synchronised = self.machine.boots + 1, 20.0, False
        self.desk = self._desk(new)
        self._begin()

    def look(self) -> None:
        """One look of everything that the desk does by itself."""
        self.loop.run_until_complete(self.timekeeping.look())
        self.loop.run_until_complete(self.timekeeping.look())
        self.loop.run_until_complete(self.sweep.look())

    def beat(self) -> None:
        """The agent is heard."""
        self.write(lambda db: heard_again(self.desk.ledger(db), SITE))
        self.desk.hear(AGENT, 30.0)

    def take(self, request: EventsRequest) -> Callable[[Db], Taken]:
        """Return the job that takes events, as the intake's."""
        parcels = unpack(request)

        def job(db: Db) -> Taken:
            ledger = self.desk.ledger(db)
            return take_events(
                Books(ledger, SITE, Told(AGENT, request.epoch, ledger.now, source="test")), request, parcels
            )

        return job

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return self.write(lambda db: [dict(row) for row in every(db, sql, *values)])

    def books(self, *tables: str) -> list[tuple[Any, ...]]:
        """Return every row that anything is written in, to see that nothing changed."""
        return self.write(lambda db: [row for table in tables or BOOKS for row in db.execute(f"SELECT * FROM {table}")])

    def _desk(self, folder: Path) -> Desk:
        desk = Desk(
            DeskSettings(state=folder, store=store_of(folder), contract="test"), lambda _: self.contract, self.machine
        )
        last, earliest = desk.store.writer.put(lambda db: (kept(db), last_written(db))).result()
        machine = self.machine
        desk.timekeeper = Timekeeper(last, machine, machine.boot_id, lambda: machine.synchronised, earliest=earliest)
        desk.clock = desk.timekeeper.both
        return desk

    def _begin(self) -> None:
        self.loop.run_until_complete(self.desk.open())
        self.timekeeping, self.sweep = Timekeeping(self.desk), Sweep(self.desk)
        self.timekeeping = Timekeeping(self.desk)

    def _enrol(self, db: Db) -> None:
        db.execute("INSERT INTO sites VALUES (?, ?, ?, ?, ?)", msgspec.structs.astuple(SITE))
        db.execute("INSERT INTO agents (id, site, token, enrolled, version) VALUES (?, 'S1', 't', 0.0, '1')", (AGENT,))
        keep(db, self.desk.timekeeper.anchor(), Note.SURE)


class Posted(msgspec.Struct, frozen=True):
    """An event as it was written down: when, by the machine's CLOCK that no boot sets back, and its bytes."""

    seq: int
    at: float
    body: bytes


class Outbox:
    """The agent of the site: the alarms of some devices, what it has not told yet and all that it ever told."""

    def __init__(self, devices: tuple[str, ...]) -> None:
        self.alarms: dict[str, Change | None] = dict.fromkeys(devices)
        self.epoch, self.seq, self.episodes, self.true = "epoch 0", 0, 0, 0.0
        self.waiting: list[Posted] = []
        self.epochs: dict[str, list[Posted]] = {self.epoch: []}
        self.heard: set[str] = set()  # epochs of which the desk has anything

    def standing(self) -> list[str]:
        return [device for device, each in self.alarms.items() if each is not None and each.alarm.active]

    def appear(self, device: str, case: str, *, pending: bool) -> None:
        self.episodes += 1
        state = AlarmState.PENDING if pending else AlarmState.UNACKNOWLEDGED
        kind = Kind.PENDING if pending else Kind.RAISED
        self._say(device, change(device=device, case=case, episode=f"e{self.episodes}", state=state, kind=kind,
                                 opened=not pending))  # fmt: skip

    def becomes(self, device: str, kind: Kind, state: AlarmState, **alarm: Any) -> None:
        before = self.alarms[device]
        assert before is not None
        self._say(device, later(before, kind, state, **alarm))

    def loses_all(self) -> None:
        """The outbox is lost: a new epoch begins with all that stands."""
        self.epoch, self.seq, self.waiting = f"epoch {len(self.epochs)}", 0, []
        self.epochs[self.epoch] = []
        standing = tuple(each for each in self.alarms.values() if each is not None and each.alarm.active)
        self._tell(snapshot(*standing))

    def request(self, events: list[Posted], epoch: str = "") -> EventsRequest:
        told = tuple(Event(each.seq, max(0.0, self.true - each.at), msgspec.Raw(each.body)) for each in events)
        return EventsRequest(AGENT, epoch or self.epoch, 1, 0.0, told)

    def acked(self, seq: int) -> None:
        self.heard.add(self.epoch)
        self.waiting = [each for each in self.waiting if each.seq > seq]

    def _say(self, device: str, said: Change) -> None:
        self.alarms[device] = said
        self._tell(said)

    def _tell(self, body: Any) -> None:
        self.seq += 1
        told = Posted(self.seq, self.true, msgspec.json.encode(body))
        self.waiting.append(told)
        self.epochs[self.epoch].append(told)

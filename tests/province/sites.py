"""The sites of a province: what breaks there, and an agent at each that tells of it by the model's own steps.

An agent keeps what it has told until the desk has it, and sends it again when nothing came back. It may send what came
already, later; it may lose its journal and begin anew with a snapshot.
"""

import random
import uuid
from dataclasses import dataclass, field

import msgspec

from desk.store import Site
from model.alarm import Alarm, Kind, Look, Now
from model.change import Change, Origin, Snapshot, condition_key
from model.contract import Contract
from model.level import assign
from model.protocol import Event, EventsRequest
from model.rule import Evidence, Meaning
from model.step import acknowledge, observe


@dataclass(frozen=True)
class Part:
    """What may break at a site; the mains explain some of it. Cases are worst first, "" for a fault without any."""

    device: str
    fault: str
    meaning: Meaning
    child: bool = False
    cases: tuple[str, ...] = ("",)


MAINS = Part("ups-1", "mains.lost", Meaning.DANGER)
PARTS = (
    MAINS,
    Part("power-1", "rectifier.input_failed", Meaning.DEGRADED, child=True),
    Part("power-1", "battery.on_battery", Meaning.DEGRADED, child=True),
    Part("ac-1", "cooling.failed", Meaning.DANGER, child=True),
    Part("ups-1", "ups.output_lost", Meaning.INTERRUPTION),
    Part("power-1", "rectifier.failed", Meaning.DEGRADED),
    Part("env-1", "temperature.high", Meaning.INDIRECT),
    Part("rack-1", "subrack.cooling", Meaning.DEGRADED, cases=("over_temperature", "many_stopped", "any_stopped")),
    Part("rack-1", "traffic.interrupted", Meaning.INTERRUPTION),
    Part("rack-1", "device.unreachable", Meaning.DEGRADED),
)
CHILDREN = tuple(part for part in PARTS if part.child)
OWN = tuple(part for part in PARTS if not part.child and part is not MAINS)


@dataclass
class Agent:
    """A site's agent. `there` are the parts that are broken, with their case; times are its CLOCK_BOOTTIME seconds."""

    site: Site
    contract: Contract
    chance: random.Random
    id: str = ""
    epoch: str = ""
    seq: int = 0
    linked: bool = True
    there: dict[Part, str] = field(default_factory=dict)
    alarms: dict[Part, Alarm] = field(default_factory=dict)
    origins: dict[Part, Origin] = field(default_factory=dict)
    unsent: list[tuple[int, float, bytes]] = field(default_factory=list)
    last: tuple[str, list[tuple[int, float, bytes]]] = ("", [])
    raised: set[str] = field(default_factory=set)  # episodes that were announced

    def __post_init__(self) -> None:
        self.id, self.epoch = self._fresh(), self._fresh()
        for part in PARTS:
            key = condition_key(self.site.id, part.device, "-", part.fault)
            self.alarms[part] = Alarm(key)
            title = {"en": part.fault.replace(".", " "), "zh": part.fault}
            self.origins[part] = Origin(
                self.site.id, part.device, "-", part.fault, part.device, title, part.meaning,
                contract=self.contract.name, digest=self.contract.digest,
            )  # fmt: skip

    def _fresh(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def delays(self, part: Part) -> tuple[float, float]:
        """Return the on-delay and off-delay of a part's fault."""
        return self.contract.on_delays.get(self._level(part, self.there.get(part, "")), 0.0), self.contract.off_delay

    def _level(self, part: Part, case: str) -> int:
        return assign(self.contract, part.fault, case, part.meaning).level

    def look(self, part: Part, now: Now) -> bool:
        """Look at a part as a poll does; says whether there is something to tell."""
        case = self.there.get(part)
        on, off = self.delays(part)
        mains = self.alarms[MAINS]
        parent = mains.condition if part.child and mains.active else ""
        proof = (Evidence("status", part.device, case or "fault"),) if case is not None else ()
        look = Look(
            "" if case is None else case or "fault",
            self._level(part, case or ""),
            on_delay=on,
            off_delay=off,
            parent=parent,
            evidence=proof,
        )
        before = self.alarms[part]
        after, kind = observe(before, look, now, self._fresh())
        self.alarms[part] = after
        if kind is not None:
            self._tell(Change(kind, after, before.state, self.origins[part], {}, now.wall, now.boot, "boot"), now)
        return kind is not None

    def taken(self, part: Part, by: str, now: Now) -> bool:
        """Somebody at the site acknowledges an alarm; says whether there is something to tell."""
        before = self.alarms[part]
        after, kind = acknowledge(before, by, now)
        self.alarms[part] = after
        if kind is not None:
            told = Change(kind, after, before.state, self.origins[part], {}, now.wall, now.boot, "boot", actor=by)
            self._tell(told, now)
        return kind is not None

    def _tell(self, change: Change, now: Now) -> None:
        if change.alarm.opened and change.alarm.active:
            self.raised.add(change.alarm.episode)
        self._put(msgspec.json.encode(change), now)

    def _put(self, body: bytes, now: Now) -> None:
        self.seq += 1
        self.unsent.append((self.seq, now.boot, body))

    def begin_anew(self, now: Now) -> None:
        """Lose the journal's outbox: a new epoch, whose first event is a snapshot of what stands."""
        self.epoch, self.seq, self.unsent = self._fresh(), 0, []
        standing = [
            Change(_kind(alarm), alarm, alarm.state, self.origins[part], {}, now.wall, now.boot, "boot")
            for part, alarm in self.alarms.items()
            if alarm.active
        ]
        snapshot = Snapshot(self.site.id, tuple(standing), now.wall, now.boot, "boot", "a new journal")
        self._put(msgspec.json.encode(snapshot), now)

    def batch(self, now: Now) -> EventsRequest | None:
        """Return what is to be sent, None when there is nothing."""
        if not self.unsent:
            return None
        self.last = (self.epoch, self.unsent[:100])
        return self._request(self.epoch, self.unsent[:100], now)

    def again(self, now: Now) -> EventsRequest | None:
        """Return the last batch as if its answer had been lost: late, and perhaps of an epoch that is over."""
        epoch, events = self.last
        return self._request(epoch, events, now) if events else None

    def acked(self, epoch: str, seq: int) -> None:
        """The desk has everything up to here."""
        if epoch == self.epoch:
            self.unsent = [each for each in self.unsent if each[0] > seq]

    def _request(self, epoch: str, events: list[tuple[int, float, bytes]], now: Now) -> EventsRequest:
        told = tuple(Event(seq, max(0.0, now.boot - made), msgspec.Raw(body)) for seq, made, body in events)
        return EventsRequest(self.id, epoch, 1, now.wall, told)


def _kind(alarm: Alarm) -> Kind:
    if alarm.opened:
        return Kind.RAISED
    return Kind.SUPPRESSED if alarm.explained_by else Kind.PENDING

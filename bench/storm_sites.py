"""The sites of a storm: enrolled at a desk's file, each with the request by which its agent tells of five alarms.

The Changes are made by the model's own steps, the batch by its own structs: mains lost and what it explains, all seen
in one look, with the delays at 0. Ids are drawn from a seed, so every run sends the same bytes but for its tokens.
"""

import random
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from desk.enrolment import make_code, redeem
from desk.store import Db, Site, Store
from model.alarm import Alarm, Look, Now
from model.change import Change, Origin, condition_key
from model.protocol import EnrolRequest, Event, EventsRequest
from model.rule import Evidence, Meaning
from model.step import observe

CONTRACT = "telecom-transmission"
REGIONS = ("gz_sz_dg", "prd", "west_east", "rest")
SEED = 20_260_101
BOOT, WALL = 86_400.0, 1_800_000_000.0  # an agent's clocks when its mains go
BEATS = 86_400.0  # seconds between heartbeats of sites that give none: nobody is silent in a storm of minutes
ROOT = "mains.lost"

# device, its name, fault, title, meaning, X.733 cause, evidence; the first explains the others
ALARMS = (
    ("ups-1", "UPS", ROOT, ("Mains lost", "市电停电"), Meaning.DANGER, "commercial_power_failure",
     Evidence("input.voltage", "Input voltage L1", 0.0, "V", 50.0)),
    ("power-1", "DC power plant", ROOT, ("Mains lost", "市电停电"), Meaning.DANGER, "commercial_power_failure",
     Evidence("mains.voltage", "Mains voltage L1", 0.0, "V", 50.0)),
    ("power-1", "DC power plant", "rectifier.input_failed", ("Rectifier input failed", "整流模块输入故障"),
     Meaning.DEGRADED, "power_supply_failure", Evidence("rectifier.status", "Rectifier 1", "input_failed")),
    ("power-1", "DC power plant", "battery.on_battery", ("On battery", "蓄电池放电"), Meaning.DEGRADED,
     "commercial_power_failure", Evidence("battery.status", "Battery string 1", "discharging")),
    ("ac-1", "Air conditioner", "cooling.failed", ("Air conditioning fault", "空调故障"), Meaning.DANGER,
     "air_conditioning_failure", Evidence("cooling.status", "Air conditioner", "fault")),
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A site of the storm: who its agent is, and the batch that it sends, as JSON."""

    site: str
    region: str
    agent: str
    token: str
    root: str
    body: bytes

    @property
    def events(self) -> int:
        """How many events the batch has."""
        return len(ALARMS)


def enrolled(folder: Path, count: int, contract: str = CONTRACT) -> list[Member]:
    """Make a desk's state folder with so many sites and an agent at each; returns them with what they will say."""
    folder.mkdir(mode=0o700)
    store = Store(folder / "desk.sqlite", now=WALL)
    chance = random.Random(SEED)
    try:
        members: list[Member] = []
        for first in range(0, count, 500):
            part = [_named(place) for place in range(first, min(count, first + 500))]
            tokens = store.writer.put(partial(_enrol, part, contract, chance)).result()
            members += [_member(site, *who, chance) for site, who in zip(part, tokens, strict=True)]
    finally:
        store.close()
    return members


def _named(place: int) -> Site:
    """A site of one of the contract's regions; every hundred in a row are one district."""
    region = REGIONS[place // 100 % len(REGIONS)]
    return Site(f"storm-{place:05d}", f"Site {place:05d}", "", region, "Asia/Shanghai")


def _enrol(part: list[Site], contract: str, chance: random.Random, db: Db) -> list[tuple[str, str]]:
    """Enrol sites under a contract; returns each one's agent and token."""
    return [_enrol_one(db, msgspec.structs.replace(site, contract=contract), chance) for site in part]


def _enrol_one(db: Db, site: Site, chance: random.Random) -> tuple[str, str]:
    agent = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    code = make_code(db, site, "bench", WALL, 3600.0)
    token = redeem(db, EnrolRequest(code, agent, "0.1.0"), "127.0.0.1", WALL).token
    db.execute("UPDATE agents SET interval = ? WHERE id = ?", (BEATS, agent))
    return agent, token


def _member(site: Site, agent: str, token: str, chance: random.Random) -> Member:
    now = Now(BOOT + chance.random() * 60.0, WALL)
    root = ""
    events: list[Event] = []
    for seq, (device, name, fault, (english, chinese), meaning, cause, proof) in enumerate(ALARMS, 1):
        condition = condition_key(site.id, device, "-", fault)
        look = Look("fault", 2, provisional=True, parent=root, evidence=(proof,))
        before = Alarm(condition)
        alarm, kind = observe(before, look, now, str(uuid.UUID(int=chance.getrandbits(128), version=4)))
        assert kind is not None  # a fault that begins is told
        origin = Origin(site.id, device, "-", fault, name, {"en": english, "zh": chinese}, meaning, cause, CONTRACT)
        change = Change(kind, alarm, before.state, origin, {}, now.wall, now.boot, "storm")
        events.append(Event(seq, 0.5, msgspec.Raw(msgspec.json.encode(change))))
        root = root or condition
    epoch = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    batch = EventsRequest(agent, epoch, 1, WALL, tuple(events))
    return Member(site.id, site.region, agent, token, root, msgspec.json.encode(batch))

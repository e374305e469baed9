"""A ticket's life in tests: a contract of every kind of rule, alarms, entries, and the audit as the store keeps it."""

from typing import Any

import msgspec

from config.calendar import load_calendar
from config.contract import load_contract
from model.alarm import Alarm, AlarmState
from model.calendar import ALWAYS, Calendar
from model.contract import (
    Contract,
    Duty,
    EscalationStep,
    Excuse,
    Handling,
    Lasting,
    Limit,
    Milestone,
    Penalty,
    Replacement,
    Start,
    Upgrade,
    Word,
)
from model.due import Span
from model.rule import Meaning
from model.service import entry as acts
from model.service.effect import Effect, Kind
from model.service.entry import Act, Entry, Opened, bare, terms_of
from model.service.record import Record
from model.service.step import Stepped, replay, step
from model.service.words import Refusal, Side

M, S, W = Milestone, AlarmState, Word
HOUR, DAY = 3600.0, 86_400.0
T0 = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC
CONDITION = "S/ups1/-/mains.lost"
CODEC = msgspec.json.Decoder(Entry)


def title(text: str) -> dict[str, str]:
    return {"en": text, "zh": text}


def limit(name: str, milestone: Milestone, seconds: float, **more: Any) -> Limit:
    after = more.pop("after", Start.OPEN)
    return Limit(name=name, milestone=milestone, span=Span(seconds), said=f"{seconds:g}s", after=after, **more)


LIMITS = (
    limit("respond", M.RESPOND, 600.0),
    limit("depart", M.DEPART, HOUR, levels=(1,), handling=Handling.ON_SITE),
    limit("arrive", M.ARRIVE, 2 * HOUR, levels=(1,), handling=Handling.ON_SITE, after=M.DEPART),
    limit("restore", M.RESTORE, 4 * HOUR, levels=(1,)),
    limit("restore", M.RESTORE, 8 * HOUR, levels=(2,)),
    limit("restore", M.RESTORE, 24 * HOUR, levels=(3,)),
    limit("resolve", M.RESOLVE, 48 * HOUR, levels=(1, 2, 3)),
    limit("parts", M.SUBSTITUTE, 12 * HOUR, levels=(2, 3), when=("supplier_needed",)),
)

CONTRACT = Contract(
    name="test",
    title=title("Test"),
    levels={1: title("1"), 2: title("2"), 3: title("3")},
    general={Meaning.INTERRUPTION: 1, Meaning.DANGER: 2, Meaning.DEGRADED: 2, Meaning.INDIRECT: 3},
    on_delays={1: 0.0, 2: 0.0, 3: 0.0},
    off_delay=0.0,
    digest="d1",
    limits=LIMITS,
    conditions={"supplier_needed": title("supplier")},
    calendar="always",
    words={M.RESTORE: W.PERSON, M.RESOLVE: W.PERSON},
    acknowledgement_stops=M.RESPOND,
    upgrade=Upgrade((M.RESTORE, M.RESOLVE)),
    lasting=(Lasting(1, HOUR),),
    escalation=(
        EscalationStep("engineer", title("engineer"), levels=(1, 2), limit="restore", share=0.5),
        EscalationStep("manager", title("manager"), levels=(1, 2), limit="restore", share=1.0),
        EscalationStep("province", title("province"), levels=(1,), seconds=0.0),
    ),
    documents=(
        Duty("form", title("form"), M.RESTORE, Span(48 * HOUR), levels=(1, 2), needs=title("signature")),
        Duty("analysis", title("analysis"), "request", Span(5 * DAY)),
        Duty("summary", title("summary"), "month_end", None, month_day=15),
    ),
    penalties=(
        Penalty("fault_late", title("late"), -5.0, per="ticket", automatic=("restore", "resolve")),
        Penalty("document_late", title("papers"), -1.0, automatic=("form", "analysis")),
        Penalty("complaint", title("complaint"), -2.0),
        Penalty("thanks", title("thanks"), 1.0),
        Penalty("unknown", title("lost number")),
    ),
    excuses=(Excuse("power_cut", title("power cut")), Excuse("force_majeure", title("force majeure"))),
    replacement=Replacement(2),
)
TERMS = terms_of(CONTRACT)
AGENT_ENOUGH = msgspec.structs.replace(TERMS, words={})
BOTH = msgspec.structs.replace(TERMS, words={M.RESTORE: W.BOTH, M.RESOLVE: W.BOTH})


def calendars(name: str) -> Calendar:
    return load_calendar(name) if name and name != "always" else ALWAYS


def shipped(name: str) -> Contract:
    return load_contract(name).contract


def alarm(state: AlarmState = S.UNACKNOWLEDGED, revision: int = 1, episode: str = "e1", **more: Any) -> Alarm:
    standing = state in {S.PENDING, S.UNACKNOWLEDGED, S.ACKNOWLEDGED, S.SHELVED, S.SUPPRESSED, S.OUT_OF_SERVICE}
    given: dict[str, Any] = {"case": "", "active": standing, "opened": state is not S.PENDING}
    return Alarm(CONDITION, state, episode=episode, revision=revision, **(given | more))


def opening(level: int = 2, **more: Any) -> Opened:
    given: dict[str, Any] = {
        "number": 7,
        "site": "S",
        "condition": CONDITION,
        "device": "ups1",
        "fault": "mains.lost",
        "terms": TERMS,
        "onset": T0 - 60,
        "alarm": alarm(),
    }
    return Opened(level=level, **(given | more))


def entry(at: float, act: Act, side: Side = Side.SERVICE, **more: Any) -> Entry:
    return Entry(at, more.pop("who", "Li"), act, side=side, source="page", **more)  # type: ignore[arg-type]


def system(at: float, act: Act, **more: Any) -> Entry:
    return entry(at, act, Side.SYSTEM, who="agent", **more)


def seen(revision: int, state: AlarmState, level: int = 2, **more: Any) -> acts.AlarmSeen:
    given = {key: more.pop(key) for key in ("when", "onset", "provisional", "taken") if key in more}
    return acts.AlarmSeen(bare(alarm(state, revision, **more)), level, **given)


class Life:
    """A ticket lived entry by entry; each that is taken is kept as the store would, as JSON."""

    def __init__(self, level: int = 2, at: float = T0, **more: Any) -> None:
        self.audit: list[bytes] = []
        self.record: Record | None = None
        self.take(system(at, opening(level, **more)))

    @property
    def now(self) -> Record:
        assert self.record is not None
        return self.record

    def take(self, made: Entry) -> Stepped:
        after = step(self.record, made)
        if after.refused is None:
            self.audit.append(msgspec.json.encode(made))
            self.record = after.record
        else:
            assert after.record is self.record
            assert not after.happened
        return after

    def do(self, after: float, act: Act, side: Side = Side.SERVICE, **more: Any) -> tuple[str, ...]:
        """Take an act so many seconds after T0 and return what happened."""
        done = self.take(entry(T0 + after, act, side, **more))
        assert done.refused is None, done.refused
        return tuple(str(each) for each in done.happened)

    def refused(self, after: float, act: Act, side: Side = Side.SERVICE, **more: Any) -> Refusal | None:
        return self.take(entry(T0 + after, act, side, **more)).refused

    def alarm(self, after: float, revision: int, state: AlarmState, level: int = 2, **more: Any) -> tuple[str, ...]:
        return self.do(after, seen(revision, state, level, **more), Side.SYSTEM, who="agent")

    def replayed(self) -> Record | None:
        return replay(CODEC.decode(each) for each in self.audit)


def restored(**more: Any) -> Life:
    """A ticket whose readings turned good after an hour."""
    life = Life(**more)
    life.alarm(HOUR, 2, S.NORMAL)
    return life


def closed(**more: Any) -> Life:
    life = restored(**more)
    life.do(2 * HOUR, acts.Closed())
    return life


def by_hand(**more: Any) -> Life:
    """A ticket that a person opened: it has no alarm."""
    return Life(alarm=None, condition="S/ups1/-/order_wire.failed", **more)


def fired(kind: Kind = Kind.WARN, clock: str = "restore/2", **more: Any) -> acts.Fired:
    return acts.Fired(Effect(more.pop("ticket", 7), clock, more.pop("step", "warn"), kind, T0, T0, **more))

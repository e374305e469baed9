"""Chance drives a room: faults, silence, people and restarts at random; what a person would then find must hold."""

from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.journal import Standing
from agent.watch import Watch
from agent.watched import Plan
from model.alarm import Alarm, AlarmState, Kind, Now
from model.change import Change
from model.point import Point
from model.quantity import Quantity
from model.rule import Case, Is, Reach, Rule
from model.step import STEADY
from tests.test_watch import BATTERY, CONTRACT, MAINS, RECTIFIER, SILENT, STALE, at, batch, device, number, state

S = AlarmState
SILENT_TOO = replace(SILENT, explained_by=(("mains.lost", Reach.SITE),))
DOOR = Rule("door.open", {"en": "Door"}, "device", (Case("open", Is(Quantity.DOOR_STATUS, ("open",)), flaps=False),))
EVERY = {"meter": 10, "ups": 15, "plant": 10, "door": 30}
MAINS_LOST, OPEN = "s/meter/-/mains.lost", "s/door/-/door.open"
FAILED = "s/plant/rectifier.status[rectifier=1]/rectifier.failed"
ON_BATTERY, UPS_MAINS = "s/ups/-/battery.on_battery", "s/ups/-/mains.lost"
FOUND_AT = {
    "mains": (MAINS_LOST, UPS_MAINS, ON_BATTERY, FAILED), "sensor": (MAINS_LOST,), "bypass": (ON_BATTERY,),
    "plant": (FAILED,), "door": (OPEN,),
}  # fmt: skip


def said(alarm: Alarm) -> object:
    """Return what of an alarm is a desk's business: it may not change without a Change."""
    return alarm.state, alarm.case, alarm.level, alarm.active, alarm.opened, alarm.explained_by, alarm.acknowledged_by


class Room:
    """What is true of a room, the watch that reads it, and the journal as its rows leave it."""

    def __init__(self, on_delay: float, off_delay: float) -> None:
        contract = replace(CONTRACT, on_delays=dict.fromkeys((1, 2, 3, 4), on_delay), off_delay=off_delay)
        rules = {"meter": (MAINS,), "ups": (MAINS, BATTERY), "plant": (RECTIFIER,), "door": (DOOR,)}
        devices = [device(name, *own, SILENT_TOO, STALE, every=EVERY[name]) for name, own in rules.items()]
        self.plan = Plan("s", contract, {each.id: each for each in devices})
        self.kept: dict[str, Alarm] = {}
        self.changes: dict[str, list[Change]] = defaultdict(list)
        self.true: set[str] = set()
        self.silent: set[str] = set()
        self.seconds = 0
        self.begin()
        self.live(31)

    def begin(self) -> None:
        """Start the watch from what the journal has."""
        self.watch = Watch(self.plan, dict(self.kept), "b", self.now())
        self.keep(self.watch.start(self.now()))

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.seconds += 1
            for place, (name, every) in enumerate(EVERY.items()):
                if self.seconds % every == place:
                    self.poll(name)
            self.keep(self.watch.tick(self.now()))

    def poll(self, name: str) -> None:
        def volts(*causes: str) -> float:
            return 0.0 if self.true & {"mains", *causes} else 230.0

        def word(quantity: Quantity, good: str, bad: str, *causes: str, **index: str) -> tuple[Point, str]:
            return state(name, quantity, bad if self.true & set(causes) else good, **index)

        values: dict[str, list[tuple[Point, float | str | None]]] = {
            "meter": [number(name, Quantity.MAINS_VOLTAGE, volts("sensor"))],
            "ups": [
                number(name, Quantity.MAINS_VOLTAGE, volts()),
                word(Quantity.OUTPUT_STATUS, "normal", "battery", "mains", "bypass"),
            ],
            "plant": [word(Quantity.RECTIFIER_STATUS, "on", "fault", "mains", "plant", rectifier="1")],
            "door": [word(Quantity.DOOR_STATUS, "closed", "open", "door")],
        }
        there = name not in self.silent
        read = [(point, value if there else None) for point, value in values[name]]
        self.keep(self.watch.take(batch(name, self.seconds, *read, reachable=there), self.now()))
        for wanted in self.watch.wanted():
            self.poll(wanted)

    def person(self, does: str, condition: str) -> None:
        if condition not in self.watch.alarms:
            return
        if does == "acknowledge":
            self.keep(self.watch.acknowledge(condition, "li", self.now()))
        else:
            self.keep(self.watch.shelve(condition, 60 if does == "shelve" else 0, "li", self.now()))

    def now(self) -> Now:
        return at(self.seconds)

    def keep(self, rows: list[Standing]) -> None:
        for alarm, change, _ in rows:
            self.kept[alarm.condition] = alarm
            if change is not None:
                self.changes[alarm.episode].append(change)
        for alarm in self.watch.alarms.values():
            self.agrees(alarm)

    def agrees(self, alarm: Alarm) -> None:
        """Say that an alarm is in the journal as it stands, and that what explains it is there."""
        kept = self.kept.get(alarm.condition, Alarm(alarm.condition))
        assert replace(kept, evidence=alarm.evidence) == alarm
        assert alarm.active == (alarm.state not in {S.NORMAL, S.RETURNED}) or alarm.state is S.SHELVED
        assert alarm.opened or alarm.state not in {S.UNACKNOWLEDGED, S.ACKNOWLEDGED}
        assert not alarm.explained_by or alarm.state in {S.PENDING, S.SUPPRESSED}
        if alarm.episode:
            assert said(self.changes[alarm.episode][-1].alarm) == said(alarm)
        self.root(alarm)

    def root(self, alarm: Alarm) -> Alarm:
        """Return what explains an alarm in the end: something that runs, and no circle."""
        for _ in range(4):
            if alarm.state is not S.SUPPRESSED:
                return alarm
            alarm = self.watch.alarms[alarm.explained_by]
            assert alarm.active
        raise AssertionError(f"what explains what goes round: {alarm}")

    def is_told(self, condition: str) -> bool:
        return self.root(self.watch.alarms[condition]).state in {S.UNACKNOWLEDGED, S.ACKNOWLEDGED}


STEPS = st.one_of(
    st.tuples(st.just("fault"), st.sampled_from(sorted(FOUND_AT))),
    st.tuples(st.just("silence"), st.sampled_from(sorted(EVERY))),
    st.tuples(
        st.sampled_from(["acknowledge", "shelve", "unshelve"]),
        st.sampled_from([*FOUND_AT["mains"], OPEN, "s/plant/-/device.unreachable", "s/meter/-/device.unreachable"]),
    ),
    st.tuples(st.just("restart"), st.just("")),
    st.tuples(st.just("live"), st.sampled_from(["3", "7", "11", "25", "40", "70", "130"])),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=30), st.sampled_from([0.0, 5.0, 60.0]), st.sampled_from([0.0, 20.0]))
def test_whatever_happens_what_stands_is_told_or_its_cause_is_and_what_is_over_ends(
    steps: list[tuple[str, str]], on_delay: float, off_delay: float
) -> None:
    room = Room(on_delay, off_delay)
    for does, what in steps:
        if does == "fault":
            room.true ^= {what}
        elif does == "silence":
            room.silent ^= {what}
        elif does == "restart":
            room.begin()
        elif does == "live":
            room.live(int(what))
        else:
            room.person(does, what)
        room.live(1)
    room.silent.clear()
    room.live(200)
    assert [c for fault in sorted(room.true) for c in FOUND_AT[fault] if not room.is_told(c)] == []
    room.true.clear()
    room.live(int(STEADY) + 100)
    assert [alarm for alarm in room.watch.alarms.values() if alarm.active] == []
    passed = Counter(c.alarm.condition for each in room.changes.values() for c in each if c.kind is Kind.MOMENTARY)
    assert {c: alarm.momentary for c, alarm in room.watch.alarms.items() if alarm.momentary} == passed
    for changes in room.changes.values():
        ends = [change.kind in {Kind.CLEARED, Kind.MOMENTARY} for change in changes]
        assert [change.alarm.revision for change in changes] == list(range(1, len(changes) + 1))
        assert ends.count(True) == 1
        assert [change.alarm.active for change in changes] == [n < ends.index(True) for n in range(len(changes))]
        assert not ({Kind.RAISED, Kind.MOMENTARY} <= {change.kind for change in changes})

"""Tickets lived at random: every act, alarms that come twice, late or out of order, crashes, and a clock that jumps.

The desk here keeps what a store keeps: the audit as JSON, one ticket that is not closed for each condition, and a
unique key for each effect. Everything else is the model.
"""

from collections import Counter
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from model.alarm import Alarm, AlarmState
from model.contract import Milestone, Word
from model.rule import Meaning
from model.service import entry as acts
from model.service.clocks import closing, outcomes
from model.service.effect import Kind
from model.service.entry import Entry, Terms, bare
from model.service.look import look, settle
from model.service.outcome import Stand
from model.service.record import Record
from model.service.step import Stepped, replay, step
from model.service.words import Refusal, Side, Trust, Waiting
from model.ticket import TicketState
from tests.service_acts import anything
from tests.service_world import CODEC, CONTRACT, DAY, HOUR, T0, TERMS, calendars

S = AlarmState
CONDITIONS = ["S/ups1/-/mains.lost", "S/ups2/-/mains.lost"]
WORDS: list[dict[Milestone, Word]] = [{}, TERMS.words, dict.fromkeys((Milestone.RESTORE, Milestone.RESOLVE), Word.BOTH)]
STATES = [S.NORMAL, S.NORMAL, S.ACKNOWLEDGED, S.SUPPRESSED, S.PENDING, S.SHELVED, S.OUT_OF_SERVICE]
ENDED = {S.NORMAL, S.RETURNED}


class Site:
    """One condition as its agent sees it: each change has the next revision of the running episode."""

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.episode = 0
        self.alarm = Alarm(condition)
        self.sent: list[tuple[Alarm, int, float]] = []

    def changed(self, state: AlarmState, level: int, at: float) -> tuple[Alarm, int, float]:
        if not self.alarm.active:
            self.episode += 1
            self.alarm = Alarm(self.condition, episode=f"{self.condition}#{self.episode}", active=True, opened=True)
        self.alarm = replace(
            self.alarm,
            state=state,
            case=f"case {level}",
            revision=self.alarm.revision + 1,
            active=state not in ENDED,
            explained_by="S/site/-/mains.lost" if state is S.SUPPRESSED else "",
        )
        self.sent.append((self.alarm, level, at))
        return self.sent[-1]


class Lives(RuleBasedStateMachine):
    """A desk with the tickets of two conditions, and what its people, its agents and its machine do."""

    def __init__(self) -> None:
        super().__init__()
        self.true = T0  # what the time really is
        self.wrong = 0.0  # how far the desk's wall clock is off
        self.trust = Trust.SURE
        self.terms: Terms = TERMS
        self.sites = [Site(condition) for condition in CONDITIONS]
        self.records: dict[int, Record] = {}
        self.audits: dict[int, list[bytes]] = {}
        self.keys: Counter[tuple[int, str, str]] = Counter()
        self.closed: dict[int, Record] = {}
        self.over: set[tuple[str, str]] = set()  # episodes whose end was told

    @property
    def now(self) -> float:
        return self.true + self.wrong

    @initialize(words=st.sampled_from(WORDS), stops=st.sampled_from([None, Milestone.RESPOND, Milestone.ACCEPT]))
    def begin(self, words: dict[Milestone, Word], stops: Milestone | None) -> None:
        self.terms = replace(TERMS, words=words, acknowledgement_stops=stops)

    # What the store does.

    def take(self, number: int, made: Entry) -> Stepped:
        before = self.records.get(number)
        after = step(before, made)
        if after.refused is not None:
            assert after.record is before
            return after
        assert after.record is not None
        self.audits.setdefault(number, []).append(msgspec.json.encode(made))
        self.records[number] = after.record
        if isinstance(made.act, acts.Fired):
            self.keys[made.act.effect.key] += 1
        if after.record.closed and number not in self.closed:
            self.closed[number] = after.record
        return after

    def made(self, act: acts.Act, side: Side = Side.SERVICE) -> Entry:
        return Entry(self.now, "Li" if side is not Side.SYSTEM else "desk", act, "test", side, self.trust)  # type: ignore[arg-type]

    def standing(self, condition: str) -> list[int]:
        found = [number for number, each in self.records.items() if each.ticket.condition == condition]
        return [number for number in found if not self.records[number].closed]

    def deliver(self, alarm: Alarm, level: int, when: float) -> Stepped:
        """Take a Change as the desk does: to the condition's ticket, else it may open one. Episodes end once."""
        here = self.standing(alarm.condition)
        if here:
            return self.take(here[0], self.made(acts.AlarmSeen(bare(alarm), level, when=when), Side.SYSTEM))
        if (alarm.condition, alarm.episode) in self.over:  # the desk's table of episodes
            return Stepped(None, refused=Refusal.KNOWN)
        number = len(self.audits) + 1
        opened = acts.Opened(
            number=number,
            site="S",
            condition=alarm.condition,
            device="ups1",
            fault="mains.lost",
            level=level,
            terms=self.terms,
            onset=when,
            alarm=bare(alarm),
            provisional=alarm.condition == CONDITIONS[0],
            meaning=Meaning.INTERRUPTION if alarm.condition == CONDITIONS[1] else None,
        )
        return self.take(number, self.made(opened, Side.SYSTEM))

    def told(self, site: Site, state: AlarmState, level: int) -> Stepped:
        change = site.changed(state, level, self.now)
        after = self.deliver(*change)
        if state in ENDED:
            self.over.add((site.condition, change[0].episode))
        return after

    def pick(self, data: st.DataObject, numbers: list[int]) -> int:
        return data.draw(st.sampled_from(numbers))

    # What happens.

    @rule(which=st.integers(0, 1), level=st.integers(1, 3))
    def appear(self, which: int, level: int) -> None:
        self.told(self.sites[which], S.UNACKNOWLEDGED, level)

    @precondition(lambda self: any(site.alarm.active for site in self.sites))
    @rule(
        data=st.data(),
        level=st.integers(1, 3),
        state=st.sampled_from(
            [S.NORMAL, S.NORMAL, S.ACKNOWLEDGED, S.SUPPRESSED, S.PENDING, S.SHELVED, S.OUT_OF_SERVICE]
        ),
    )
    def change(self, data: st.DataObject, level: int, state: AlarmState) -> None:
        site = data.draw(st.sampled_from([site for site in self.sites if site.alarm.active]))
        self.told(site, state, level)

    @precondition(lambda self: any(site.sent for site in self.sites))
    @rule(data=st.data())
    def an_old_change_comes_again(self, data: st.DataObject) -> None:
        site = data.draw(st.sampled_from([site for site in self.sites if site.sent]))
        alarm, level, when = data.draw(st.sampled_from(site.sent))
        before = dict(self.records)
        here = self.standing(site.condition)
        after = self.deliver(alarm, level, when)
        if here and alarm.revision <= before[here[0]].episodes.get(alarm.episode, 0):
            assert after.refused is Refusal.KNOWN
            assert self.records == before

    @rule(which=st.integers(0, 1), level=st.integers(1, 3))
    def a_clear_overtakes_its_raise(self, which: int, level: int) -> None:
        site = self.sites[which]
        if site.alarm.active:
            self.told(site, S.NORMAL, level)
        early = site.changed(S.UNACKNOWLEDGED, level, self.now)
        self.told(site, S.NORMAL, level)
        before = [self.records[number].ticket.state for number in self.standing(site.condition)]
        self.deliver(*early)
        assert [self.records[number].ticket.state for number in self.standing(site.condition)] == before

    @precondition(lambda self: self.records)
    @rule(data=st.data())
    def people_say(self, data: st.DataObject) -> None:
        number = self.pick(data, list(self.records))
        for act, side in data.draw(anything(self.now)):
            before = self.records[number]
            after = self.take(number, self.made(act, side))
            if isinstance(act, acts.Acknowledged) and after.refused is None:
                assert self.records[number].ticket.state is before.ticket.state
            if before.closed and after.refused is None:
                assert self.records[number].marks == before.marks

    @rule(which=st.integers(0, 1), seconds=st.floats(1.0, 2 * DAY))
    def it_is_repaired_and_closed(self, which: int, seconds: float) -> None:
        site = self.sites[which]
        self.true += seconds
        if site.alarm.active:
            self.told(site, S.NORMAL, 2)
        for number in self.standing(site.condition):
            for side in (Side.SERVICE, Side.CUSTOMER):
                self.take(number, self.made(acts.Repaired("fan"), side))
                self.take(number, self.made(acts.Reached(Milestone.RESOLVE), side))
                self.take(number, self.made(acts.Confirmed(Milestone.RESTORE), side))
                self.take(number, self.made(acts.Confirmed(Milestone.RESOLVE), side))
            self.take(number, closing(self.records[number], CONTRACT, calendars, self.made(acts.Closed())))

    @precondition(lambda self: self.records)
    @rule(data=st.data(), side=st.sampled_from([Side.SERVICE, Side.SYSTEM]))
    def close(self, data: st.DataObject, side: Side) -> None:
        number = self.pick(data, list(self.records))
        self.take(number, closing(self.records[number], CONTRACT, calendars, self.made(acts.Closed(), side)))

    @precondition(lambda self: len(self.records) - len(self.closed) > 1)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        one, other = data.draw(st.permutations([n for n, each in self.records.items() if not each.closed]))[:2]
        gone = self.records[one]
        after = self.take(one, self.made(acts.MergedInto(other, "same fault")))
        assert after.refused is (Refusal.NOT_SURE if gone.unsure else None)
        if after.refused is None:
            took = self.take(other, self.made(acts.TookIn(one, gone.start, gone.onset, gone.ticket.level)))
            assert took.refused is None
            assert self.records[other].start <= gone.start

    @precondition(lambda self: self.trust is Trust.SURE and self.waitable())
    @rule(data=st.data(), seconds=st.floats(1.0, 10 * DAY))
    def wait_for_somebody(self, data: st.DataObject, seconds: float) -> None:
        """While a ticket is paused nothing of it falls due, and its clocks go on where they stopped."""
        number = self.pick(data, self.waitable())
        self.fire(number)
        left = self.left(number)
        assert self.take(number, self.made(acts.Paused(Waiting.CARRIER, "line"))).refused is None
        begun = self.now
        self.true += seconds
        clocked = {Kind.WARN, Kind.BREACH, Kind.UPGRADE, Kind.ESCALATE}
        seen = look(self.records[number], CONTRACT, calendars, self.now)
        assert not [each for each in seen.effects if each.kind in clocked and each.at > begun]
        assert self.take(number, self.made(acts.Resumed())).refused is None
        assert self.left(number) == left

    def waitable(self) -> list[int]:
        """Tickets whose clocks run: open, not paused, and not paused in a time that the true clock has not reached."""
        return [
            number
            for number, each in self.records.items()
            if not each.closed and not each.paused and not any((halt.end or 0.0) > self.now for halt in each.halts)
        ]

    def left(self, number: int) -> dict[str, float]:
        """Whole seconds to each limit of a ticket that runs and has any left."""
        now = self.now // 1
        found = outcomes(self.records[number], CONTRACT, calendars, self.now)
        running = [each for each in found if each.stand is Stand.RUNNING and each.due is not None and each.due > now]
        return {each.clock: each.due - now for each in running if each.due is not None}

    @rule(seconds=st.one_of(st.floats(0.0, 2 * HOUR), st.floats(0.0, 3 * DAY), st.sampled_from([1.0, 600.0, HOUR])))
    def time_goes_by(self, seconds: float) -> None:
        self.true += seconds
        for number in list(self.records):
            self.fire(number)

    def fire(self, number: int) -> None:
        before = self.records[number]
        _, entries, seen = settle(before, CONTRACT, calendars, self.now, self.trust)
        if self.trust is not Trust.SURE:
            assert not entries
            assert seen.frozen is self.trust
        for each in entries:
            assert self.take(number, each).refused is None
        assert not seen.effects
        if self.trust is Trust.SURE and not before.unsure:
            assert seen.frozen is None

    @precondition(lambda self: self.records)
    @rule(data=st.data(), seconds=st.floats(0.0, 3 * DAY))
    def two_look_at_once_and_one_crashes(self, data: st.DataObject, seconds: float) -> None:
        self.true += seconds
        number = self.pick(data, list(self.records))
        record = self.records[number]
        _, first, _ = settle(record, CONTRACT, calendars, self.now, self.trust)
        _, second, _ = settle(record, CONTRACT, calendars, self.now, self.trust)
        for each in first[: data.draw(st.integers(0, len(first)))]:
            assert self.take(number, each).refused is None
        self.crash()
        for each in second:
            assert self.take(number, each).refused in {None, Refusal.FIRED}
        self.fire(number)

    @rule()
    def crash(self) -> None:
        for number, audit in self.audits.items():
            again = replay(CODEC.decode(each) for each in audit)
            assert again == self.records[number]
            assert msgspec.json.encode(again) == msgspec.json.encode(self.records[number])
            assert again is not None
            self.records[number] = again

    @rule(
        wrong=st.sampled_from([-30 * DAY, 30 * DAY]),
        trust=st.sampled_from([Trust.JUMPED, Trust.UNSYNCHRONISED]),
        right=st.booleans(),
    )
    def the_wall_clock_jumps_or_is_right_again(self, wrong: float, trust: Trust, right: bool) -> None:
        if not right:
            self.wrong, self.trust = wrong, trust
            for number in list(self.records):
                self.fire(number)
            return
        self.wrong, self.trust = 0.0, Trust.SURE
        for number, record in list(self.records.items()):
            if record.unsure and not record.closed:
                self.take(number, self.made(acts.Dated(self.true - HOUR, self.true - HOUR), Side.SYSTEM))

    # What is always so.

    @invariant()
    def one_open_ticket_a_key(self) -> None:
        for condition in CONDITIONS:
            assert len(self.standing(condition)) <= 1

    @invariant()
    def nothing_fires_twice(self) -> None:
        assert all(count == 1 for count in self.keys.values())

    @invariant()
    def every_entry_is_counted(self) -> None:
        for number, record in self.records.items():
            assert record.entries == len(self.audits[number])

    @invariant()
    def what_is_closed_stays_as_it_was(self) -> None:
        for number, before in self.closed.items():
            now = self.records[number]
            assert outcomes(now, CONTRACT, calendars, self.now) == before.outcomes
            same: list[Any] = [
                (each.marks, each.halts, each.levels, each.start, each.ticket.level, each.ticket.state)
                for each in (before, now)
            ]
            assert same[0] == same[1]
            assert now.ticket.state is TicketState.CLOSED
            assert not now.paused

    @invariant()
    def milestones_are_in_bounds_and_resolved_is_restored(self) -> None:
        for record in self.records.values():
            for mark in record.marks.values():
                assert mark.when >= record.start
                assert mark.when <= max(mark.at, record.ticket.opened) or not mark.sure
            if record.counts(Milestone.RESOLVE):
                assert Milestone.RESTORE in record.marks
                restored, resolved = record.marks[Milestone.RESTORE], record.marks[Milestone.RESOLVE]
                assert restored.when // 1 <= resolved.when // 1 or not (restored.sure and resolved.sure)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

"""Tickets lived at random on a real desk: its file, its hooks, its sweep, and a machine that dies.

An agent tells twice, late, out of an epoch that is over; people say every act; windows hold back; the wall clock jumps
and the machine is started anew; a job dies before its commit, the desk after it. What is always so stands at the end.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from desk.incidents import rebuilt
from desk.kept import decoded
from desk.ledger import append, check_books, entries_of
from desk.periods import Author, end_window, plan_window
from desk.store import Db
from desk.tickets import taken_in
from model.alarm import AlarmState, Kind
from model.contract import Milestone
from model.period import Scope, Window, Work
from model.service import entry as acts
from model.service.effect import Kind as Effects
from model.service.record import Record
from model.service.step import Stepped, step
from model.service.words import Side, Trust
from model.ticket import TicketState, announced
from tests.machine_world import LEVELS, Dying, Outbox
from tests.service_acts import SIDES, anything
from tests.service_world import DAY, HOUR, T0

S, K = AlarmState, Kind
DEVICES = ("ups", "pdu")
STEPS = ((K.CLEARED, S.NORMAL), (K.CLEARED, S.RETURNED), (K.RAISED, S.UNACKNOWLEDGED), (K.ACKNOWLEDGED, S.ACKNOWLEDGED),
         (K.SHELVED, S.SHELVED), (K.UNSHELVED, S.PENDING), (K.SUPPRESSED, S.SUPPRESSED), (K.DISABLED, S.OUT_OF_SERVICE),
         (K.UPDATED, S.UNACKNOWLEDGED))  # fmt: skip
CLOCKED = {Effects.WARN, Effects.BREACH, Effects.UPGRADE, Effects.ESCALATE}
DEATHS = st.sampled_from(["", "", "", "", "before", "after"])
WAITS = st.one_of(st.floats(0.0, 2 * HOUR), st.floats(0.0, 3 * DAY), st.sampled_from([1.0, 600.0, HOUR]))


class Desks(RuleBasedStateMachine):
    """One desk after another on the same books, an agent with two devices, people, and time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine"))
        self.dying = Dying(self.folder)
        self.agent = Outbox(DEVICES)
        self.numbers: list[int] = []
        self.read: dict[int, int] = {}  # entries of a ticket that were looked at
        self.records: dict[int, Record] = {}
        self.closed: dict[int, Record] = {}
        self.kept: list[tuple[Any, ...]] = []
        self.windows = 0

    def teardown(self) -> None:
        try:
            self.the_incidents_follow_from_the_entries()
        finally:
            self.dying.close()
            shutil.rmtree(self.folder)

    @property
    def now(self) -> float:
        return self.dying.desk.timekeeper.now()

    @property
    def trust(self) -> Trust:
        return self.dying.desk.timekeeper.trust

    def do(self, work: Any, death: str = "") -> Any:
        """Do work in the desk's next transaction, which may die before or after its commit."""
        if death == "before":
            self.dying.die_before(work)
            self.dying.die()
        done = self.dying.write(work)
        if death == "after":
            self.dying.die()
        return done

    def passes(self, seconds: float) -> None:
        self.dying.machine.on(seconds)
        self.agent.true += seconds

    # What the agent sees and tells.

    @rule(device=st.sampled_from(DEVICES), case=st.sampled_from([*LEVELS, ""]), pending=st.booleans())
    def a_fault_appears(self, device: str, case: str, pending: bool) -> None:
        if device not in self.agent.standing():
            self.agent.appear(device, case, pending=pending)

    @precondition(lambda self: self.agent.standing())
    @rule(data=st.data(), how=st.sampled_from(STEPS), case=st.sampled_from(list(LEVELS)))
    def an_alarm_becomes(self, data: st.DataObject, how: tuple[Kind, AlarmState], case: str) -> None:
        kind, state = how
        over = state in {S.NORMAL, S.RETURNED}
        self.agent.becomes(
            data.draw(st.sampled_from(self.agent.standing())),
            kind,
            state,
            active=not over,
            case="" if over else case,
            opened=True,
            acknowledged_by="Chen" if state is S.ACKNOWLEDGED else "",
            explained_by="S1/line/-/mains.lost" if state is S.SUPPRESSED else "",
        )

    @rule(most=st.sampled_from([1, 1, 2, 20]), again=st.integers(0, 3), death=DEATHS)
    def the_agent_is_heard(self, most: int, again: int, death: str) -> None:
        """What waits comes, some of it for the second time; after a crash it comes again, and nothing is new."""
        self.dying.beat()
        first = self.agent.waiting[0].seq if self.agent.waiting else self.agent.seq + 1
        log = self.agent.epochs[self.agent.epoch]
        events = [each for each in log if first - again <= each.seq < first + most]
        if not events:
            return
        request = self.agent.request(events)
        taken = self.do(self.dying.take(request), death)
        assert (taken.acked, taken.conflict, taken.refused) == (events[-1].seq, 0, ())
        before = self.dying.books()
        assert self.do(self.dying.take(request)).new == 0
        assert self.dying.books() == before
        self.agent.acked(taken.acked)

    @rule(device=st.sampled_from(DEVICES))
    def the_agent_loses_its_outbox(self, device: str) -> None:
        """What came and went and was never told is lost with it, or under way."""
        if device not in self.agent.standing():
            self.agent.appear(device, "worst", pending=False)
            self.agent.becomes(device, K.CLEARED, S.NORMAL, active=False, case="")
        self.agent.loses_all()

    @precondition(lambda self: self.agent.heard - {self.agent.epoch} and self.settled())
    @rule(data=st.data())
    def mail_of_an_epoch_that_is_over_changes_no_ticket(self, data: st.DataObject) -> None:
        epoch = data.draw(st.sampled_from(sorted(self.agent.heard - {self.agent.epoch})))
        events = self.agent.epochs[epoch]  # what came and what was lost with the outbox
        tables = ("tickets", "entries", "fired", "connector_outbox", "episodes")
        before = self.dying.books(*tables)
        self.do(self.dying.take(self.agent.request(events, epoch)))
        assert self.dying.books(*tables) == before

    # What people say.

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), death=DEATHS)
    def people_say(self, data: st.DataObject, death: str) -> None:
        number = data.draw(st.sampled_from(self.numbers))
        for act, side in data.draw(anything(self.now)):
            before = self.record(number)
            done = self.say(number, act, side, death)
            if isinstance(act, acts.Acknowledged) and done.refused is None:
                assert self.record(number).ticket.state is before.ticket.state

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), side=SIDES, death=DEATHS)
    def somebody_closes(self, data: st.DataObject, side: Side, death: str) -> None:
        self.say(data.draw(st.sampled_from(self.numbers)), acts.Closed(), side, death)

    @precondition(lambda self: len(self.unclosed()) > 1)
    @rule(data=st.data(), death=DEATHS, repaired=st.booleans())
    def somebody_merges(self, data: st.DataObject, death: str, repaired: bool) -> None:
        one, other = data.draw(st.permutations(self.unclosed()))[:2]
        done = self.say(one, acts.MergedInto(other, "same fault"), Side.SERVICE, death)
        device = self.records[other].device
        if repaired and done.refused is None and device in DEVICES:
            self.it_is_repaired_and_closed(device, "")

    @precondition(lambda self: self.unclosed())
    @rule(device=st.sampled_from(DEVICES), death=DEATHS)
    def it_is_repaired_and_closed(self, device: str, death: str) -> None:
        if device in self.agent.standing():
            self.agent.becomes(device, K.CLEARED, S.NORMAL, active=False, case="")
        self.the_agent_is_heard(most=1000, again=0, death=death)
        for row in self.dying.rows("SELECT number FROM tickets WHERE device = ? AND state <> 'closed'", device):
            for side in (Side.SERVICE, Side.CUSTOMER):
                self.say(row["number"], acts.Reached(Milestone.RESOLVE), side)
            self.say(row["number"], acts.Closed(), Side.SERVICE, death)

    def unclosed(self) -> list[int]:
        return [number for number, record in self.records.items() if not record.closed]

    def say(self, number: int, act: acts.Acts, side: Side, death: str = "") -> Stepped:
        def job(db: Db) -> Stepped | None:
            return append(self.dying.desk.ledger(db), number, "Li", "page", act, side)

        before = self.dying.books() if death == "" else []
        done: Stepped = self.do(job, death)
        if done.refused is not None and before:
            assert self.dying.books() == before
        return done

    @rule(seconds=st.floats(1.0, 2 * DAY), device=st.sampled_from([*DEVICES, ""]))
    def work_is_planned(self, seconds: float, device: str) -> None:
        scope = Scope(devices=(f"S1/{device}",)) if device else Scope()
        window = Window(0, self.now, self.now + seconds, scope, "work", "", Work.CUTOVER)
        self.do(lambda db: plan_window(self.dying.desk.ledger(db), window, Author("Li", "")))
        self.windows += 1

    @precondition(lambda self: self.windows)
    @rule(data=st.data())
    def work_ends(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.windows))
        self.do(lambda db: end_window(self.dying.desk.ledger(db), number, "done", Author("Li", "")))

    # What time and the machine do.

    @rule(seconds=WAITS, heard=st.booleans())
    def time_goes_by(self, seconds: float, heard: bool) -> None:
        self.passes(seconds)
        if heard:
            self.dying.beat()
        self.dying.look()

    @rule(reboots=st.booleans(), seconds=st.floats(30.0, HOUR))
    def the_desk_dies(self, reboots: bool, seconds: float) -> None:
        if reboots:
            self.dying.machine.wall += seconds
            self.agent.true += seconds
        self.dying.die(reboots=reboots)

    @rule(days=st.sampled_from([-30, 30]))
    def the_wall_clock_is_set(self, days: int) -> None:
        self.dying.machine.wall += days * DAY
        self.dying.machine.synchronised = False

    @precondition(lambda self: self.trust is not Trust.SURE)
    @rule()
    def the_machine_is_synchronised(self) -> None:
        machine = self.dying.machine
        machine.synchronised, machine.wall = True, T0 + self.agent.true
        for _ in range(10):
            self.passes(10.0)
            self.dying.look()
        assert self.trust is Trust.SURE

    # What is always so.

    def record(self, number: int) -> Record:
        row = self.dying.rows("SELECT record FROM tickets WHERE number = ?", number)[0]
        return decoded(row["record"])

    def settled(self) -> bool:
        """Say whether the desk has all that the agent knows."""
        return not self.agent.waiting

    @invariant()
    def one_open_ticket_a_key(self) -> None:
        sql = "SELECT condition FROM tickets WHERE state <> 'closed' GROUP BY site, condition HAVING count(*) > 1"
        assert self.dying.rows(sql) == []

    @invariant()
    def the_audit_gives_the_same_books(self) -> None:
        assert self.dying.write(check_books) == []
        told = self.dying.rows("SELECT count(*) AS n FROM connector_outbox")[0]["n"]
        assert told == self.dying.rows("SELECT count(*) AS n FROM entries WHERE did <> ''")[0]["n"]

    @invariant()
    def what_was_written_stays(self) -> None:
        """Entries only grow, and each new one keeps the rules."""
        entries = self.dying.books("entries")
        assert entries[: len(self.kept)] == self.kept
        self.kept = entries
        self.numbers = [row["number"] for row in self.dying.rows("SELECT number FROM tickets ORDER BY number")]
        for number in self.numbers:
            made = self.dying.write(lambda db, number=number: entries_of(db, number))  # type: ignore[misc]
            for entry in made[self.read.get(number, 0) :]:
                before = self.records.get(number)
                after = step(before, entry).record
                assert after is not None
                self.follows(before, after, entry)
                self.records[number] = after
            self.read[number] = len(made)
        self.what_is_closed_stays_as_it_was()
        self.the_desk_knows_what_stands()

    def follows(self, before: Record | None, after: Record, entry: acts.Entry) -> None:
        act = entry.act
        if before is None:
            return
        if isinstance(act, acts.Fired):
            key = f"{act.effect.clock} {act.effect.step}"
            assert key not in before.fired, "it fired twice"
            assert self.trust is Trust.SURE, "it fired by a clock that is not sure"
            stopped = [begin for begin, end, _ in before.pauses if end is None]
            if act.effect.kind in CLOCKED and stopped:  # what was over by then may be found late
                assert act.effect.at <= min(stopped) + 1, "a clock ran while it was paused"
        if isinstance(act, acts.Acknowledged):
            assert before.ticket.state is after.ticket.state is TicketState.OPEN
        if isinstance(act, acts.AlarmSeen) and before.ticket.state is not TicketState.OPEN:
            assert act.alarm.active or after.ticket.state is before.ticket.state, "the end of an alarm opened a ticket"

    def what_is_closed_stays_as_it_was(self) -> None:
        for number, record in self.records.items():
            if not record.closed:
                continue
            first = self.closed.setdefault(number, record)
            assert record.outcomes == first.outcomes
            for name in ("marks", "halts", "levels", "starts", "start", "onset", "explained", "workaround"):
                assert getattr(record, name) == getattr(first, name), name
            assert record.ticket.state is TicketState.CLOSED
            assert not record.paused

    def the_desk_knows_what_stands(self) -> None:
        """Once all is told: what is over stands nowhere, and what people must see to has a ticket or waits for one."""
        if not self.settled():
            return
        for device, change in self.agent.alarms.items():
            if change is None:
                continue
            alarm = change.alarm
            here = [each for each in self.records.values() if each.ticket.condition == alarm.condition]
            here = [each for each in here if not each.closed]
            if not alarm.active:
                assert not [each for each in here if each.standing], "a late raise undid a clear"
            elif announced(alarm):
                opened = [each for each in here if each.ticket.state is TicketState.OPEN]
                assert opened or self.taken_in(alarm.condition) or self.held(device), "nobody is told of a fault"

    def taken_in(self, condition: str) -> bool:
        return bool(self.dying.write(lambda db: taken_in(db, "S1", condition)))

    def held(self, device: str) -> bool:
        sql = "SELECT 1 FROM held WHERE device = ? AND released IS NULL"
        return bool(self.dying.rows(sql, device))

    def the_incidents_follow_from_the_entries(self) -> None:
        sql = "SELECT ticket, site, onset, incident FROM outages ORDER BY ticket"
        fresh, kept = self.dying.write(lambda db: [each.execute(sql).fetchall() for each in (rebuilt(db), db)])
        assert fresh == kept


TestDesks = Desks.TestCase
TestDesks.settings = settings(
    max_examples=20, stateful_step_count=35, deadline=None, suppress_health_check=list(HealthCheck)
)

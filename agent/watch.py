"""The watch: batches in, rules asked, alarms stepped, Changes out. No I/O; time is an argument.

Theory. Every batch and every tick comes to the same three steps: put the readings in place, ask each rule of the device
about each of its scopes (`decide`), and step the condition's alarm (`observe`). Parents are stepped before the children
they explain; when a parent begins or ends, the children's alarms are looked at again. The result is a list of
`Standing`, which the journal commits as one transaction.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from agent.journal import Standing
from agent.parents import SETTLE_POLLS, Parents
from agent.seen import STALE_AFTER, Seen
from agent.watched import Plan, Watched
from model import step
from model.alarm import Alarm, AlarmState, Kind, Look, Now
from model.calm import Range, quiet_ranges
from model.change import Change, Origin, Snapshot, condition_key
from model.decide import Scene, asks, decide, scenes
from model.level import delays, level_of
from model.point import Batch, Reading
from model.quantity import Quantity
from model.rule import Meaning, Rule

FIRST_WITHIN = 10.0  # seconds that stand for the interval of a device that was not read yet


class _Asked(NamedTuple):
    """The rules that what a device has can answer, and the ranges in which they need not be asked."""

    rules: tuple[Rule, ...]
    quiet: Mapping[Quantity, Range]


class _Look(NamedTuple):
    """The last look at a condition, and where it came from."""

    look: Look
    rule: Rule
    device: Watched
    scope: str


class Watch:
    """Holds readings and alarms of a site. Not thread-safe: the loop's alone."""

    def __init__(self, plan: Plan, alarms: Mapping[str, Alarm], boot_id: str, started: Now) -> None:
        self.plan = plan
        self.alarms: dict[str, Alarm] = dict(alarms)
        self.boot_id = boot_id
        self._started = started.boot
        self._seen: dict[str, Seen] = {}
        self._looks: dict[str, _Look] = {}
        self._asked: dict[tuple[int, frozenset[Quantity]], _Asked] = {}  # by id of a device's rules
        self._parents = Parents(self.alarms)
        self._parents.begin({device.id: device.every for device in plan.devices.values()})
        self._renewed: frozenset[str] = frozenset()  # devices whose points may be others since the reload
        for alarm in self.alarms.values():
            self._parents.mark(alarm)

    # --- what comes in -------------------------------------------------------------------------------------------

    def take(self, batch: Batch, now: Now) -> list[Standing]:
        """Put a batch's readings in place and return what follows from them."""
        device = self.plan.devices.get(batch.device)
        if device is None:
            return []
        seen = self._seen.get(device.id) or self._seen.setdefault(device.id, Seen(batch.time))
        self._parents.unasked.pop(device.id, None)
        if batch.gone:
            self._renewed |= {device.id}
        if seen.take(device.id, batch) and device.id not in self._renewed:
            return []
        asked: set[str] = set()
        results = self._ask(device, now, asked)
        if device.id in self._renewed and batch.complete and batch.reachable:
            self._renewed -= {device.id}
            results += self._end_others(device, asked, now)
        return results

    def tick(self, now: Now) -> list[Standing]:
        """Let time pass: readings grow stale, delays and shelves end."""
        results: list[Standing] = []
        for device in self.plan.devices.values():
            seen = self._seen.get(device.id)
            if seen is None and now.boot - self._started > STALE_AFTER * max(device.every, FIRST_WITHIN):
                silent = Batch(
                    device.id, now.boot, (), reachable=False, error="not read since the start", complete=False
                )
                results += self.take(silent, now)
            elif seen is not None and seen.stale(device.every, now.boot) and seen.grow_stale():
                results += self._ask(device, now, set())
        for condition, alarm in list(self.alarms.items()):
            if _timed(alarm):
                results += self._look_again(condition, now)
        return results

    def start(self, now: Now) -> list[Standing]:
        """Take up the journal's alarms: what is no longer configured ends, delays and shelves go on."""
        return self.reload(self.plan, now)

    def reload(self, plan: Plan, now: Now, *, renewed: frozenset[str] = frozenset()) -> list[Standing]:
        """Swap the configuration; alarms of what is no longer configured end with that reason.

        `renewed` devices may have other points than before: what their first whole poll does not ask about ends too.
        """
        self.plan = plan
        self._started = now.boot
        self._renewed |= renewed
        self._looks, self._asked = {}, {}
        results = []
        for device_id in [d for d in self._seen if d not in plan.devices or d in renewed]:
            del self._seen[device_id]
        self._parents.begin({d.id: d.every for d in plan.devices.values() if d.id not in self._seen})
        for condition, alarm in list(self.alarms.items()):
            site, device_id, scope, fault = condition.split("/", 3)
            device = plan.devices.get(device_id)
            rule = next((r for r in device.rules if r.fault == fault), None) if device and site == plan.site else None
            if device is not None and rule is not None:
                look = replace(
                    self._look(rule, device, alarm.case), evidence=alarm.evidence, missing=alarm.missing, held=True
                )
                self._parents.confirmed.setdefault(condition, now.boot)
                self._parents.may_explain(rule, condition)
                self._looks[condition] = _Look(look, rule, device, scope)
                continue
            results += self._forget(condition, now, "no longer configured")
        for device in plan.devices.values():
            if device.id in self._seen:
                results += self._ask(device, now, set())
        return results

    # --- what people do ------------------------------------------------------------------------------------------

    def acknowledge(self, condition: str, by: str, now: Now, *, episode: str = "", level: int = 0) -> list[Standing]:
        """Take an alarm; raises KeyError for a condition that has none."""
        stepped = step.acknowledge(self.alarms[condition], by, now, episode=episode, level=level)
        return self._keep(condition, stepped, now, actor=by)

    def shelve(self, condition: str, seconds: float, by: str, now: Now, *, reason: str = "") -> list[Standing]:
        """Put an alarm aside for a time, or take it back with 0; raises KeyError for a condition that has none."""
        stepped = step.shelve(self.alarms[condition], seconds, by, now)
        results = self._keep(condition, stepped, now, actor=by, reason=reason)
        return results + (self._look_again(condition, now) if seconds <= 0 else [])

    # --- what can be asked ---------------------------------------------------------------------------------------

    def readings(self, device: str | None = None) -> Iterator[Reading]:
        """Give the readings as they stand, of one device or of all; each step is a copy, so any thread may ask."""
        for name, seen in list(self._seen.items()):
            if device in {None, name}:
                yield from list(seen.readings.values())

    def devices(self) -> Iterator[tuple[Watched, bool | None, str, float, float]]:
        """Give each device, whether it answers (None: not asked yet), its error, when it was polled, and how long."""
        for device in self.plan.devices.values():
            seen = self._seen.get(device.id)
            if seen is None:
                yield device, None, "", self._started, 0.0
            else:
                yield device, seen.answered, seen.error, seen.time, seen.seconds

    def wanted(self) -> list[str]:
        """Return the devices to be read at once: they may have what explains a fault that began; each is said once."""
        return self._parents.wanted()

    def snapshot(self, now: Now, reason: str) -> Snapshot:
        """Return all running episodes, for a new epoch."""
        changes = tuple(
            self._change(condition, alarm, alarm, Kind.UPDATED, now, reason=reason)
            for condition, alarm in self.alarms.items()
            if alarm.active
        )
        return Snapshot(self.plan.site, changes, now.wall, now.boot, self.boot_id, reason)

    # --- how it is done ------------------------------------------------------------------------------------------

    def _ask(self, device: Watched, now: Now, asked: set[str]) -> list[Standing]:
        """Ask every rule about every scope of a device; `asked` gets the conditions that have an answer there."""
        results: list[Standing] = []
        seen = self._seen[device.id]
        whole = Scene(tuple(seen.readings.values()), installed=device.installed.get(("", ""), {}), ever=seen.ever)
        asking, seen.calm, calm = self._rules(device, whole), None, True
        for rule in asking.rules:
            for scope, scene in scenes(rule, whole, device.installed):
                condition = condition_key(self.plan.site, device.id, scope, rule.fault)
                alarm = self.alarms.get(condition)
                decision = decide(rule, scene, alarm.case if alarm else "")
                if decision is None:
                    continue
                self._parents.may_have(rule.fault, device)
                if not decision.absent:
                    asked.add(condition)
                if decision.case and not decision.held:
                    self._parents.confirmed[condition] = now.boot
                if alarm is None and not decision.case:
                    continue  # no fault, and never one: nothing to step, nothing to keep
                look = self._look(rule, device, decision.case or (alarm.case if alarm else ""))
                look = replace(
                    look, case=decision.case, evidence=decision.evidence, missing=decision.missing, held=decision.held
                )
                self._looks[condition] = _Look(look, rule, device, scope)
                self._parents.may_explain(rule, condition)
                results += self._observe(condition, now)
                calm = calm and not decision.case and _rests(self.alarms[condition])
        if calm:
            seen.calm = asking.quiet
        return results

    def _rules(self, device: Watched, whole: Scene) -> _Asked:
        """Return the device's rules that what it has can answer; alike devices share the list."""
        present = frozenset([reading.point.quantity for reading in whole.readings])
        key = (id(device.rules), present)
        asking = self._asked.get(key)
        if asking is None:
            wanted = ((rule, [asks(case.when) for case in rule.cases]) for rule in device.rules)
            rules = tuple(
                rule for rule, cases in wanted if any(not quantities or quantities & present for quantities in cases)
            )
            asking = self._asked[key] = _Asked(rules, quiet_ranges(rules))
        return asking

    def _look(self, rule: Rule, device: Watched, name: str) -> Look:
        case = rule.case(name)
        if case is None:
            return Look("", off_delay=self.plan.contract.off_delay)
        assigned = level_of(self.plan.contract, rule, case)
        on_delay, off_delay = delays(self.plan.contract, case, assigned.level)
        look = Look(name, assigned.level, assigned.provisional, max(on_delay, self._parents.settle(rule)), off_delay)
        return replace(look, settle=SETTLE_POLLS * device.every, flaps=case.flaps)

    def _observe(self, condition: str, now: Now) -> list[Standing]:
        look, rule, device, _ = self._looks[condition]
        before = self.alarms.get(condition) or Alarm(condition)
        parent, sure = self._parents.of(before, rule, device, now) if look.case else ("", True)
        look = replace(look, parent=parent if sure else "", presumed="" if sure else parent)
        results = self._keep(condition, step.observe(before, look, now, str(uuid.uuid4())), now)
        after = self.alarms.get(condition, before)
        if after.state is AlarmState.PENDING and not before.active:
            self._parents.begins(rule, device, now)
        if after.active != before.active:
            others = [child for child in self._parents.children(rule.fault) if child != condition]
            results += [row for child in others for row in self._look_again(child, now)]
        return results

    def _look_again(self, condition: str, now: Now) -> list[Standing]:
        """Step an alarm by its last look; one that has not been looked at since the start only has its time."""
        if condition in self._looks:
            return self._observe(condition, now)
        return []

    def _end_others(self, device: Watched, asked: set[str], now: Now) -> list[Standing]:
        """End the alarms of a device whose points the new configuration no longer has."""
        others = [c for c in self.alarms if c.split("/", 3)[1] == device.id and c not in asked]
        return [row for condition in others for row in self._forget(condition, now, "the device no longer has it")]

    def _forget(self, condition: str, now: Now, reason: str) -> list[Standing]:
        """End an alarm for good: its row goes, its episode ends with the reason."""
        results = self._keep(condition, step.remove(self.alarms[condition]), now, reason=reason)
        gone = self.alarms.pop(condition)
        self._looks.pop(condition, None)
        self._parents.confirmed.pop(condition, None)
        return [row._replace(gone=True) for row in results] or [Standing(gone, None, gone=True)]

    def _keep(
        self, condition: str, stepped: step.Stepped, now: Now, *, actor: str = "", reason: str = ""
    ) -> list[Standing]:
        before = self.alarms.get(condition) or Alarm(condition)
        alarm, kind = stepped
        if alarm == before:
            return []
        self.alarms[condition] = alarm
        self._parents.mark(alarm)
        if kind is not None:
            return [Standing(alarm, self._change(condition, before, alarm, kind, now, actor=actor, reason=reason))]
        return [] if replace(alarm, evidence=before.evidence) == before else [Standing(alarm, None)]

    def _change(
        self, condition: str, before: Alarm, alarm: Alarm, kind: Kind, now: Now, *, actor: str = "", reason: str = ""
    ) -> Change:
        _, device_id, scope, fault = condition.split("/", 3)
        device = self.plan.devices.get(device_id)
        rule = next((r for r in device.rules if r.fault == fault), None) if device else None
        case = (rule.case(alarm.case) or rule.case(before.case)) if rule else None
        origin = Origin(
            site=self.plan.site,
            device=device_id,
            scope=scope,
            fault=fault,
            device_name=device.name if device else device_id,
            title=rule.title if rule else {"en": fault},
            meaning=(case.meaning if case and case.meaning else rule.meaning) if rule else Meaning.DEGRADED,
            cause=rule.cause if rule else "indeterminate",
            contract=self.plan.contract.name,
            digest=self.plan.contract.digest,
        )
        return Change(
            kind=kind,
            alarm=alarm,
            before=before.state,
            origin=origin,
            case_title=case.title if case else {},
            wall=now.wall,
            boot=now.boot,
            boot_id=self.boot_id,
            actor=actor,
            reason=reason,
        )


def _rests(alarm: Alarm) -> bool:
    """Say whether nothing but a fault can change an alarm."""
    return not alarm.active and not _timed(alarm)


def _timed(alarm: Alarm) -> bool:
    """Say whether the mere passing of time may change an alarm."""
    return (
        alarm.state in {AlarmState.PENDING, AlarmState.SUPPRESSED}
        or alarm.clearing is not None
        or alarm.shelved_until is not None
    )

"""Which running fault explains which: parents, what they may explain, and how long a fault waits for one.

Theory (docs/decisions/0004). A parent explains what began with it or after it, as long as it is seen and not only held:
what stood before is a fault of its own. Devices are read one after another, so "with it" has a grace of a poll and a
fifth, and of one more after the parent's last look: batteries that are empty silence who sees the mains with the rest.
Several devices may see the same fault (mains, by the meter and the UPS): the first explains the others, and one that is
explained itself explains none of its own kind. One that flaps is held open for long: it explains only while it is
there, and what has outlived it once, and was told, stays told when it comes again.

A shelved parent explains as before (ISA-18.2: a shelf silences one alarm, it says nothing of the plant): else who puts
a cause aside gets its consequences instead. It hides nothing for good: when its shelf ends it is raised with its
children, when it goes they wait for a look of their own. But who is told of mains by one device is told still when the
same is shelved at another. What is out of service is not to be believed, and explains nothing.

What was true at the parent's last look need not be true any more: a parent explains for sure only what it was looked at
after. One that was seen shortly before is presumed to, and the fault waits for the parent's next look before anything
is said of it; when that look does not come (a meter that died with its mains), the presumption holds. So that nobody
waits for a slow poll, the devices that may have a parent are to be read at once when such a fault begins (`wanted`).
"""

from collections.abc import Mapping
from typing import NamedTuple

from agent.watched import Watched
from model.alarm import Alarm, AlarmState, Now
from model.rule import Reach, Rule

LOOK_APART = 5.0  # seconds between two extra looks at a device: faults that come by the dozen have the same parent
SETTLE_POLLS = 1.2  # polls that a fault waits for the parent that may explain it, and after that parent's end
_ASIDE = frozenset({AlarmState.SUPPRESSED, AlarmState.SHELVED})  # parents that explain where no other does


class Parents:
    """The relations between a site's conditions; `alarms` is the watch's own book, read here and never written."""

    def __init__(self, alarms: Mapping[str, Alarm]) -> None:
        self._alarms = alarms
        self.confirmed: dict[str, float] = {}  # condition -> when its fault was last seen, not only held (boot s)
        self.unasked: dict[str, float] = {}  # devices without a poll yet, and how often they are polled (s)
        self._polls: dict[str, float] = {}  # fault -> the longest poll (s) of a device that may have it
        self._bearers: dict[str, set[str]] = {}  # fault -> devices that may have it
        self._wanted: set[str] = set()  # devices that should be read at once
        self._asked: dict[str, float] = {}  # and when each was last said to be (boot s)
        self._children: dict[str, set[str]] = {}  # parent fault -> conditions it may explain
        self._running: dict[str, set[str]] = {}  # fault -> conditions whose episode runs

    def begin(self, unasked: dict[str, float]) -> None:
        """Forget what the old configuration's rules said; the running faults stay."""
        self.unasked, self._polls, self._children = unasked, {}, {}
        self._bearers, self._wanted, self._asked = {}, set(), {}

    def may_have(self, fault: str, device: Watched) -> None:
        """Note that a device may have a fault."""
        self._polls[fault] = max(self._polls.get(fault, 0.0), device.every)
        self._bearers.setdefault(fault, set()).add(device.id)

    def may_explain(self, rule: Rule, condition: str) -> None:
        """Note whom a condition's parents may explain."""
        for fault, _ in rule.explained_by:
            self._children.setdefault(fault, set()).add(condition)

    def mark(self, alarm: Alarm) -> None:
        """Note whether an alarm's episode runs."""
        running = self._running.setdefault(alarm.condition.rpartition("/")[2], set())
        if alarm.active:
            running.add(alarm.condition)
        else:
            running.discard(alarm.condition)

    def children(self, fault: str) -> list[str]:
        """Return the conditions that a fault may explain, in order."""
        return sorted(self._children.get(fault, ()))

    def settle(self, rule: Rule) -> float:
        """Return how long (s) a fault waits for a parent that is read from another device, and may be read later."""
        reaching = [fault for fault, reach in rule.explained_by if reach is Reach.SITE and fault != rule.fault]
        if not reaching:
            return 0.0
        polls = [self._polls.get(fault, 0.0) for fault in reaching]
        return SETTLE_POLLS * max(*polls, 0.0, *self.unasked.values())  # any unasked device may have the parent

    def begins(self, rule: Rule, device: Watched, now: Now) -> None:
        """Ask for a look at the other devices that may have what explains a fault of this one, which begins now."""
        for fault, reach in rule.explained_by:
            if reach is Reach.SITE and fault != rule.fault:
                for other in self._bearers.get(fault, ()):
                    lately = now.boot - self._asked.get(other, -LOOK_APART) < LOOK_APART
                    if other != device.id and _is_near(other, reach, device) and not lately:
                        self._asked[other] = now.boot
                        self._wanted.add(other)

    def wanted(self) -> list[str]:
        """Return the devices that should be read at once; each is said once."""
        found = sorted(self._wanted)
        self._wanted.clear()
        return found

    def of(self, child: Alarm, rule: Rule, device: Watched, now: Now) -> "Explained":
        """Return the running condition that explains a fault of a device, and whether it was looked at since."""
        began = child.onset if child.active else now.boot
        settle, poll = self.settle(rule), SETTLE_POLLS * device.every
        before, after = max(settle, poll), settle + poll  # one poll to see the parent, another to see the child
        found: list[tuple[bool, bool, str]] = []
        for fault, reach in rule.explained_by:
            for condition in sorted(self._running.get(fault, ())):
                parent, seen = self._alarms[condition], self.confirmed.get(condition, now.boot)
                near = condition != child.condition and _is_near(condition.split("/", 3)[1], reach, device)
                while_it_was = parent.onset - before <= began <= seen + after
                if near and while_it_was and _leads(parent, child, same=fault == rule.fault):
                    found.append((parent.state in _ASIDE, seen < began, condition))
        _, unseen, condition = min(found, key=lambda each: each[:2], default=(False, False, ""))
        return Explained(condition, sure=not unseen)


class Explained(NamedTuple):
    """What explains a fault, "" for nothing; `sure` when it was looked at after the fault began."""

    condition: str
    sure: bool


def _leads(parent: Alarm, child: Alarm, *, same: bool) -> bool:
    """Tell whether a parent may explain a child by where both stand; `same`: they are one fault, seen twice."""
    if parent.state is AlarmState.OUT_OF_SERVICE:
        return False
    told = child.active and child.opened
    if same:
        return not (parent.state is AlarmState.SUPPRESSED or (parent.state is AlarmState.SHELVED and told))
    if not parent.flapping:
        return True
    return parent.clearing is None and not (told and child.onset < parent.turns[-1])


def _is_near(at: str, reach: Reach, device: Watched) -> bool:
    """Tell whether a fault of device `at` reaches so far as to explain one of this device."""
    if reach is Reach.SITE:
        return not device.parents or at in device.parents
    return at == (device.id if reach is Reach.DEVICE else device.line)

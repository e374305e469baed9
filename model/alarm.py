"""The life of an alarm: ISA-18.2 / IEC 62682 as one table, with the pending delay of this field added.

Theory. An alarm belongs to one condition (site/device/scope/fault) and is level-triggered: every look at the readings
says which case holds now, and the machine works out what changed. Whatever changes is a Change with the whole alarm
after it and a higher revision, so that who gets only the latest knows everything.

    state            process    meaning (ISA-18.2 letter)
    normal           no fault   A
    pending          fault      fault seen, on-delay running: not announced yet
    unacknowledged   fault      B
    acknowledged     fault      C
    returned         no fault   D  returned to normal, not acknowledged
    shelved          either     F  put aside by an operator, for a time
    suppressed       either     G  explained by a parent
    out_of_service   either     H

An episode begins when the fault is first seen (normal or returned -> pending) and ends when it has been gone for the
off-delay, or when it vanishes before its on-delay is over: then it was momentary, which is counted, not forgotten. Its
UUID is chosen when it begins and its revision counts its Changes from 1. A change of case restarts no delay: the
on-delay runs from the onset and takes the length of the case that holds now. A case that gets worse asks for a new
acknowledgement. `clearing` is the time since which the fault has been gone while its off-delay runs. A fault whose
parent ended waits for `settle` (since `released`), in which a look of its own may find it gone, before it is raised:
what the parent explained usually ends with it, only a poll later. A parent explains only after a look of its own that
came after the child: until then the child is pending and names it (`explained_by`), and nobody is told of either.

An alarm that flaps is held open: the third time within a quarter of an hour that the fault goes it is no longer
believed (`flapping`), and the episode ends only when the fault has been gone for that long. What must be told at once,
as a door that opens, is told as it is.
"""

from enum import StrEnum

import msgspec

from model.rule import Evidence


class AlarmState(StrEnum):
    """Where an alarm stands."""

    NORMAL = "normal"
    PENDING = "pending"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


class Trigger(StrEnum):
    """What may happen to an alarm."""

    APPEAR = "appear"  # the fault is seen
    RAISE = "raise"  # its on-delay is over
    WORSEN = "worsen"  # a worse case holds
    VANISH = "vanish"  # the fault is gone, its off-delay over
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    SUPPRESS = "suppress"
    DISABLE = "disable"  # taken out of service
    RELEASE_FAULT = "release_fault"  # out of shelf, suppression or disuse, with the fault there
    RELEASE_NORMAL = "release_normal"  # the same, with no fault
    REMOVE = "remove"  # the point is no longer configured


S = AlarmState
T = Trigger
_ANYWHERE = (
    S.NORMAL,
    S.PENDING,
    S.UNACKNOWLEDGED,
    S.ACKNOWLEDGED,
    S.RETURNED,
    S.SHELVED,
    S.SUPPRESSED,
    S.OUT_OF_SERVICE,
)

# (state, trigger) -> state. A pair that is not here changes nothing.
TABLE: dict[tuple[AlarmState, Trigger], AlarmState] = {
    (S.NORMAL, T.APPEAR): S.PENDING,
    (S.RETURNED, T.APPEAR): S.PENDING,
    (S.PENDING, T.RAISE): S.UNACKNOWLEDGED,
    (S.PENDING, T.VANISH): S.NORMAL,
    (S.UNACKNOWLEDGED, T.ACKNOWLEDGE): S.ACKNOWLEDGED,
    (S.UNACKNOWLEDGED, T.VANISH): S.RETURNED,
    (S.ACKNOWLEDGED, T.VANISH): S.NORMAL,
    (S.ACKNOWLEDGED, T.WORSEN): S.UNACKNOWLEDGED,
    (S.RETURNED, T.ACKNOWLEDGE): S.NORMAL,
    **{(state, T.SHELVE): S.SHELVED for state in _ANYWHERE if state is not S.OUT_OF_SERVICE},
    **{(state, T.SUPPRESS): S.SUPPRESSED for state in (S.PENDING, S.UNACKNOWLEDGED, S.ACKNOWLEDGED)},
    **{(state, T.DISABLE): S.OUT_OF_SERVICE for state in _ANYWHERE},
    **{(state, T.RELEASE_FAULT): S.PENDING for state in (S.SHELVED, S.SUPPRESSED, S.OUT_OF_SERVICE)},
    **{(state, T.RELEASE_NORMAL): S.NORMAL for state in (S.SHELVED, S.SUPPRESSED, S.OUT_OF_SERVICE)},
    (S.SUPPRESSED, T.VANISH): S.NORMAL,
    **{(state, T.REMOVE): S.NORMAL for state in _ANYWHERE},
}


class Kind(StrEnum):
    """What a Change says happened, in the order an episode may live through it."""

    PENDING = "pending"  # last gasp: sent at once, opens no ticket by itself
    RAISED = "raised"
    CASE_CHANGED = "case_changed"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    RELEASED = "released"
    DISABLED = "disabled"
    MOMENTARY = "momentary"  # vanished before its on-delay was over
    CLEARED = "cleared"
    REMOVED = "removed"
    UPDATED = "updated"  # evidence or missing readings changed in a way worth telling


class Alarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """One condition's alarm. Times are CLOCK_BOOTTIME seconds of the agent but for `*_wall` (Unix seconds).

    `case` is "" when there is no fault. `episode` is the UUID of the running or last episode, `revision` its last
    Change. `active` says that the episode runs: announced or not, it has begun and not ended. `opened` says it was
    raised. `turns` are the last times at which a raised fault was seen to go, `gone` the one that ended the episode.
    """

    condition: str
    state: AlarmState = AlarmState.NORMAL
    case: str = ""
    level: int = 0
    provisional: bool = False
    episode: str = ""
    revision: int = 0
    active: bool = False
    opened: bool = False
    onset: float = 0.0
    onset_wall: float = 0.0
    clearing: float | None = None
    released: float | None = None
    shelved_until: float | None = None
    shelved_by: str = ""
    acknowledged_by: str = ""
    acknowledged_wall: float = 0.0
    explained_by: str = ""
    momentary: int = 0
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    flapping: bool = False
    turns: tuple[float, ...] = ()
    gone: float = 0.0


class Look(msgspec.Struct, frozen=True):
    """What one look at the readings says of a condition: the case that holds ("" for none) and what follows from it.

    `held` says that the case is not seen but only not known to be over, `flaps` that the fault is held open when it
    comes and goes. Delays in seconds, `settle` from the end of a parent; `parent` is the condition that explains this
    one, "" for none; `presumed` one that would, were it looked at again first.
    """

    case: str
    level: int = 0
    provisional: bool = False
    on_delay: float = 0.0
    off_delay: float = 0.0
    settle: float = 0.0
    parent: str = ""
    presumed: str = ""
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    held: bool = False
    flaps: bool = True


class Now(msgspec.Struct, frozen=True):
    """The time of a step: CLOCK_BOOTTIME seconds and Unix seconds."""

    boot: float
    wall: float


def following(state: AlarmState, trigger: Trigger) -> AlarmState:
    """Return the table's next state; the same state where the trigger means nothing there."""
    return TABLE.get((state, trigger), state)

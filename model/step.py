"""One step of an alarm: from what a look at the readings says, or what a person does, to the alarm after it.

Pure: time and the UUID of a possible new episode are arguments. Each function returns the alarm and the Kind of
Change to record, or None when nothing worth telling happened; `alarm == before` means that nothing needs to be kept
at all.
"""

from msgspec.structs import replace

from model.alarm import Alarm, AlarmState, Kind, Look, Now, Trigger, following
from model.rule import Evidence

LONGEST_SHELF = 30 * 86400.0  # seconds
FLAPS = 3  # times that a fault goes within STEADY before it is no longer believed to be gone
STEADY = 900.0  # seconds
Stepped = tuple[Alarm, Kind | None]
_ASIDE = frozenset({AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE})


def observe(alarm: Alarm, look: Look, now: Now, fresh: str) -> Stepped:
    """Return the alarm after a look at the readings; `fresh` is the UUID a new episode would take."""
    kind: Kind | None = None
    if alarm.shelved_until is not None and now.boot >= alarm.shelved_until:
        alarm, kind = _released(replace(alarm, shelved_until=None)), Kind.UNSHELVED
    there = look.case and not (look.held and alarm.clearing is not None)  # what was seen to be over is not undone
    after, seen = _present(alarm, look, now, fresh) if there else _absent(alarm, look, now)
    kind = seen or kind
    if kind is None or not after.episode:
        return after, None
    return replace(after, revision=after.revision + 1), kind


def acknowledge(alarm: Alarm, by: str, now: Now, *, episode: str = "", level: int = 0) -> Stepped:
    """Return the alarm taken by somebody.

    An acknowledgement of another episode, given twice, or given before the alarm rose above `level` changes nothing.
    """
    state = following(alarm.state, Trigger.ACKNOWLEDGE)
    late = (episode and episode != alarm.episode) or (level and alarm.active and alarm.level < level)
    if state is alarm.state or late:
        return alarm, None
    after = replace(alarm, state=state, acknowledged_by=by, acknowledged_wall=now.wall, revision=alarm.revision + 1)
    return after, Kind.ACKNOWLEDGED


def shelve(alarm: Alarm, seconds: float, by: str, now: Now) -> Stepped:
    """Return the alarm put aside for `seconds`; 0 takes it back at the next look. Raises ValueError over 30 days."""
    if not 0 <= seconds <= LONGEST_SHELF:
        raise ValueError(f"a shelf lasts from 0 s to 30 days, not {seconds:g} s")
    if seconds == 0:
        return (replace(alarm, shelved_until=now.boot), None) if alarm.state is AlarmState.SHELVED else (alarm, None)
    state = following(alarm.state, Trigger.SHELVE)
    if state is not AlarmState.SHELVED:
        return alarm, None
    after = replace(
        alarm,
        state=state,
        shelved_until=now.boot + seconds,
        shelved_by=by,
        explained_by="",
        revision=alarm.revision + 1,
    )
    return after, Kind.SHELVED if alarm.episode else None


def disable(alarm: Alarm) -> Stepped:
    """Return the alarm taken out of service."""
    state = following(alarm.state, Trigger.DISABLE)
    if state is alarm.state:
        return alarm, None
    after = replace(alarm, state=state, shelved_until=None, revision=alarm.revision + 1)
    return after, Kind.DISABLED if alarm.episode else None


def remove(alarm: Alarm) -> Stepped:
    """Return the alarm of a point that is no longer configured: a running episode ends with that reason."""
    if not alarm.active:
        return replace(alarm, state=AlarmState.NORMAL), None
    return replace(_ended(alarm, AlarmState.NORMAL), revision=alarm.revision + 1), Kind.REMOVED


def rebase(alarm: Alarm, saved: Now, now: Now) -> Alarm:
    """Carry an alarm's times over a reboot: the wall clock, never taken to run backwards, bridges the two boots."""
    shift = now.boot - max(0.0, now.wall - saved.wall) - saved.boot
    return replace(
        alarm,
        onset=alarm.onset + shift,
        clearing=None if alarm.clearing is None else alarm.clearing + shift,
        released=None if alarm.released is None else alarm.released + shift,
        shelved_until=None if alarm.shelved_until is None else alarm.shelved_until + shift,
        turns=tuple(turn + shift for turn in alarm.turns),
        gone=alarm.gone + shift if alarm.gone else 0.0,
    )


def _released(alarm: Alarm) -> Alarm:
    trigger = Trigger.RELEASE_FAULT if alarm.active else Trigger.RELEASE_NORMAL
    return replace(alarm, state=following(alarm.state, trigger), explained_by="", shelved_by="")


def _begun(alarm: Alarm, now: Now, fresh: str) -> Alarm:
    return replace(
        alarm,
        state=following(alarm.state, Trigger.APPEAR),
        episode=fresh,
        revision=0,
        active=True,
        opened=False,
        onset=now.boot,
        onset_wall=now.wall,
        clearing=None,
        released=None,
        acknowledged_by="",
        acknowledged_wall=0.0,
        gone=0.0,
    )


def _present(alarm: Alarm, look: Look, now: Now, fresh: str) -> Stepped:
    """The fault is there: begin, follow its case, let a parent explain it, raise it when its delay is over."""
    kind: Kind | None = None
    before = alarm
    if not alarm.active:
        alarm, kind = _begun(alarm, now, fresh), Kind.PENDING
    elif look.case != alarm.case:
        kind = Kind.CASE_CHANGED
    elif _told(look.evidence, look.missing) != _told(alarm.evidence, alarm.missing) or look.level != alarm.level:
        kind = Kind.UPDATED
    worse = before.active and look.level < before.level
    state = following(alarm.state, Trigger.WORSEN) if worse else alarm.state
    if state is not alarm.state:
        alarm = replace(alarm, acknowledged_by="", acknowledged_wall=0.0)
    alarm = replace(
        alarm,
        state=state,
        case=look.case,
        level=look.level,
        provisional=look.provisional,
        clearing=None,
        evidence=look.evidence,
        missing=look.missing,
    )
    return _explained(alarm, look, now, kind)


def _explained(alarm: Alarm, look: Look, now: Now, kind: Kind | None) -> Stepped:
    settled = alarm.released is None or now.boot - alarm.released >= look.settle
    due = settled and now.boot - alarm.onset >= look.on_delay
    parent = look.parent or ("" if alarm.state is AlarmState.PENDING and not due else look.presumed)
    if parent and following(alarm.state, Trigger.SUPPRESS) is not alarm.state:
        return replace(alarm, state=AlarmState.SUPPRESSED, explained_by=parent), Kind.SUPPRESSED
    if alarm.state is AlarmState.SUPPRESSED and not parent:
        alarm, kind = replace(_released(alarm), released=now.boot), Kind.RELEASED
        due = look.settle <= 0 and now.boot - alarm.onset >= look.on_delay
    elif alarm.state is AlarmState.SUPPRESSED and parent != alarm.explained_by:
        alarm, kind = replace(alarm, explained_by=parent), kind or Kind.UPDATED
    if alarm.state is AlarmState.PENDING and due:
        state = following(alarm.state, Trigger.RAISE)
        return replace(alarm, state=state, opened=True, released=None, explained_by=""), Kind.RAISED
    if alarm.state is AlarmState.PENDING and look.presumed != alarm.explained_by:
        alarm, kind = replace(alarm, explained_by=look.presumed), kind or Kind.UPDATED
    return alarm, kind


def _absent(alarm: Alarm, look: Look, now: Now) -> Stepped:
    """The fault is gone: at once where nobody was told of it, after the off-delay where somebody was."""
    if not alarm.active:
        return alarm, None
    if alarm.state is AlarmState.PENDING:
        after = _ended(alarm, following(alarm.state, Trigger.VANISH), gone=now.boot)
        if alarm.released is not None or alarm.opened or alarm.explained_by:
            return after, Kind.CLEARED
        return replace(after, momentary=alarm.momentary + 1), Kind.MOMENTARY
    kind: Kind | None = None
    since = now.boot if alarm.clearing is None else alarm.clearing
    if alarm.clearing is None and alarm.state not in _ASIDE and look.flaps:
        turns = (*(turn for turn in alarm.turns if now.boot - turn < STEADY), now.boot)[-FLAPS:]
        kind = Kind.UPDATED if len(turns) == FLAPS and not alarm.flapping else None
        alarm = replace(alarm, turns=turns, flapping=alarm.flapping or kind is not None)
    off_delay = max(look.off_delay, STEADY) if alarm.flapping else look.off_delay
    if alarm.state not in _ASIDE and now.boot - since < off_delay:
        return replace(alarm, clearing=since), kind
    after = _ended(alarm, following(alarm.state, Trigger.VANISH), gone=since)
    return (replace(after, flapping=False, turns=()) if alarm.flapping else after), Kind.CLEARED


def _ended(alarm: Alarm, state: AlarmState, gone: float = 0.0) -> Alarm:
    return replace(
        alarm,
        state=state,
        case="",
        active=False,
        clearing=None,
        released=None,
        explained_by="",
        missing=(),
        gone=gone,
    )


def _told(evidence: tuple[Evidence, ...], missing: tuple[str, ...]) -> object:
    """What of the evidence is worth a Change: counts, states and missing readings; a number that moves is not."""
    counts = [(e.quantity, e.count, e.label if e.quantity == "quality" else "") for e in evidence]
    states = [e.value for e in evidence if isinstance(e.value, str)]
    return counts, states, missing

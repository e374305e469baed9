"""A Change: what happened to an alarm, with the whole alarm after it. It is what the journal keeps and the desk gets.

Each Change carries the full state, so a receiver that applies only the highest revision of an episode is right whatever
it missed. Texts in a Change are shown to people; they come from rules and devices and are hostile until escaped.
"""

import msgspec

from model.alarm import Alarm, AlarmState, Kind
from model.rule import Meaning


class Origin(msgspec.Struct, frozen=True):
    """What a condition is about, in words: fixed while the configuration is."""

    site: str
    device: str
    scope: str
    fault: str
    device_name: str
    title: dict[str, str]
    meaning: Meaning
    cause: str = "indeterminate"
    contract: str = ""
    digest: str = ""


class Change(msgspec.Struct, frozen=True, tag="change", omit_defaults=True):
    """One step in an episode's life. `wall` is Unix seconds and `boot` CLOCK_BOOTTIME seconds of boot `boot_id`."""

    kind: Kind
    alarm: Alarm
    before: AlarmState
    origin: Origin
    case_title: dict[str, str]
    wall: float
    boot: float
    boot_id: str
    actor: str = ""
    reason: str = ""


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", omit_defaults=True):
    """All standing alarms of an agent: the first event of a new epoch. The desk ends what it has and is not here."""

    site: str
    changes: tuple[Change, ...]
    wall: float
    boot: float
    boot_id: str
    reason: str = ""


Body = Change | Snapshot


def condition_key(site: str, device: str, scope: str, fault: str) -> str:
    """Return the identity of a condition: site/device/point-or-group/fault; "-" stands for the whole device."""
    return f"{site}/{device}/{scope}/{fault}"


def onset_at(change: Change, told: float) -> float:
    """Return an episode's onset by the clock of who was told of a Change, `told` when it happened by that clock.

    The agent's monotonic clock measures how long the fault stood; its wall clock bridges a reboot in between.
    """
    stood = change.boot - change.alarm.onset
    if stood < 0:
        stood = max(0.0, change.wall - change.alarm.onset_wall)
    return told - stood


def acknowledged_at(change: Change, told: float) -> float:
    """Return when an alarm was acknowledged at its site, by the clock of who was told of a Change; 0 for nobody did.

    `told` is when the Change happened by that clock. Of an earlier acknowledgement the agent's wall clock tells how
    long ago it was.
    """
    alarm = change.alarm
    if not alarm.acknowledged_by:
        return 0.0
    ago = 0.0 if change.kind is Kind.ACKNOWLEDGED else max(0.0, change.wall - alarm.acknowledged_wall)
    return max(0.0, told - ago)


def gone_for(change: Change) -> float:
    """Return how long (s) an ended fault had been gone when its end was told: it was restored before its off-delay."""
    alarm = change.alarm
    return max(0.0, change.boot - alarm.gone) if alarm.gone and not alarm.active else 0.0

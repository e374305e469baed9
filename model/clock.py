"""The sure time: what is written down when the wall clock cannot be believed by itself. Pure; time is an argument.

Theory. CLOCK_BOOTTIME of one boot never jumps, suspend included; the wall clock may be set to anything. An `Anchor`
says that the sure time was `wall` when CLOCK_BOOTTIME was `boot`: within that boot the sure time is the anchor plus the
CLOCK_BOOTTIME since, whatever the wall clock says. NTP that slews moves both clocks alike (clock_gettime(2)); what is
left between them, a leap second or a small step, is followed at 500 ppm and no faster, so that the sure time never runs
backwards and many small steps of a clock that nobody disciplines cannot add up unnoticed.

    trust            means                                      sure again when
    sure             the wall clock is within JUMP of it
    jumped           it was set against CLOCK_BOOTTIME, while   it agrees again; or it is synchronised and stayed so
                     we ran or between two runs of one boot     for HOLD; or a person confirms it
    unsynchronised   another boot: nobody knows how long it     it is synchronised, stayed so for HOLD, and is not
                     took                                       before the anchor; or a person confirms it

Whoever regains the time learns by how much it was off (`regained`): what was written in this boot moves with it, as
CLOCK_BOOTTIME counted on; `model.service.retiming` does that to tickets.

In another boot the anchor's time is only what it cannot be before: the sure time stands on it and runs on with
CLOCK_BOOTTIME, early by what the reboot took, and a wall time before it is believed on a person's word alone. A machine
that was paused or put back from a snapshot jumps when its clock is set right; its NTP client then makes it sure.
"""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from model.alarm import Now
from model.service.words import Trust

JUMP = 5.0
"""Seconds between wall clock and sure time from which on it was set: more than a leap second and a late look."""
SLEW = 500e-6
"""Seconds a second by which the sure time follows what is less: the most that NTP slews by (RFC 5905 section 11.3)."""
HOLD = 60.0
"""Seconds for which a clock must stay synchronised, without another step, before it is believed."""
GAP = 15.0
"""Seconds between two looks from which on nobody can say that it stayed so."""


class Note(StrEnum):
    """Why the desk's time is not sure; `SURE` when it is."""

    SURE = ""
    AHEAD = "clock_ahead"  # the wall clock was set forward
    BEHIND = "clock_behind"  # it was set back
    REBOOTED = "clock_rebooted"  # another boot, and nobody has said that the time is right
    EARLIER = "clock_earlier"  # another boot, and the wall clock is before what was written down


class Anchor(msgspec.Struct, frozen=True):
    """The sure time `wall` (Unix seconds) at CLOCK_BOOTTIME `boot` of boot `boot_id` ("" when that is not known).

    Not `sure`: it is only known that the time cannot be before it. `began` is the first time that was written in this
    boot, `lost` since when the time is not sure, None while it is; both are sure times as they were then.
    """

    wall: float
    boot: float
    boot_id: str
    sure: bool = True
    began: float = 0.0
    lost: float | None = None

    def at(self, boot: float) -> float:
        """Return the sure time (Unix seconds) at a CLOCK_BOOTTIME of this boot."""
        return self.wall + max(0.0, boot - self.boot)

    def off(self, now: Now) -> float:
        """Return by how many seconds the wall clock is ahead of the sure time."""
        return now.wall - self.at(now.boot)

    def agrees(self, now: Now) -> bool:
        """Say whether the wall clock shows the sure time."""
        return self.sure and abs(self.off(now)) <= JUMP


def taken_up(kept: Anchor | None, now: Now, boot_id: str, earliest: float) -> Anchor:
    """Return the anchor of a program that starts now, by what it kept when it last ran.

    With nothing kept the wall clock is believed as it is, unless it is before `earliest` (Unix seconds), which it
    cannot be: whoever sets a machine up looks at its clock.
    """
    if kept is None:
        wall, sure = max(now.wall, earliest), now.wall >= earliest
        return Anchor(wall, now.boot, boot_id, sure, wall, None if sure else wall)
    if boot_id and kept.boot_id == boot_id and kept.boot <= now.boot:
        return kept
    wall = max(kept.wall, earliest)
    return Anchor(wall, now.boot, boot_id, sure=False, began=wall, lost=wall)


class Judgement(msgspec.Struct, frozen=True):
    """What a look at the clocks found: the anchor, its trust, and since when the wall clock was seen synchronised.

    `steady` is (first look, last look, wall clock ahead of CLOCK_BOOTTIME), in seconds; None while it is not so.
    """

    anchor: Anchor
    trust: Trust
    note: Note = Note.SURE
    steady: tuple[float, float, float] | None = None


def judge(before: Judgement, now: Now, *, synchronised: bool) -> Judgement:
    """Return what a look at both clocks makes of the time; `synchronised` is asked only while it is not sure."""
    anchor = before.anchor
    off = anchor.off(now)
    steady = _steady(before.steady, now) if synchronised else None
    if anchor.agrees(now):
        return Judgement(_followed(anchor, now), Trust.SURE, steady=steady)
    if steady and steady[1] - steady[0] >= HOLD and (anchor.sure or off >= 0):
        return Judgement(_believed(anchor, now), Trust.SURE, steady=steady)
    anchor = anchor if anchor.lost is not None else replace(anchor, lost=anchor.at(now.boot))
    if anchor.sure:
        return Judgement(anchor, Trust.JUMPED, Note.AHEAD if off > 0 else Note.BEHIND, steady)
    return Judgement(anchor, Trust.UNSYNCHRONISED, Note.REBOOTED if off >= 0 else Note.EARLIER, steady)


class Regained(msgspec.Struct, frozen=True):
    """The time is sure again: what was written from `since` on, by the time of then, is to be moved by `by` seconds.

    `before` is what moves what was written earlier than that, for it to be made no older by a clock that was wrong: 0
    when real time passed, after a reboot or where the machine stood still. `now` is the time from now on.
    """

    since: float
    by: float
    before: float
    now: float


def regained(before: Judgement, after: Judgement, now: Now, *, stood_still: bool = False) -> Regained:
    """Return what the step from a time that was not sure to one that is makes of what was written down.

    `stood_still`: a person says that both clocks did, so that only what was written since that was noticed moves.
    """
    old, at = before.anchor, after.anchor.at(now.boot)
    by = 0.0 if old.agrees(now) else old.off(now)
    if stood_still:
        return Regained(old.at(now.boot) if old.lost is None else old.lost, by, 0.0, at)
    return Regained(old.began, by, max(0.0, by) if old.sure else 0.0, at)


def confirmed(before: Judgement, now: Now) -> Judgement:
    """Return what a person's word makes of it: the wall clock is right."""
    return Judgement(_believed(before.anchor, now), Trust.SURE)


def _believed(anchor: Anchor, now: Now) -> Anchor:
    began = anchor.began + anchor.off(now)
    return replace(anchor, wall=now.wall, boot=now.boot, sure=True, began=began, lost=None)


def _followed(anchor: Anchor, now: Now) -> Anchor:
    passed, off = max(0.0, now.boot - anchor.boot), anchor.off(now)
    most = SLEW * passed
    wall = now.wall if abs(off) <= most else anchor.wall + passed + (most if off > 0 else -most)
    return replace(anchor, wall=wall, boot=max(anchor.boot, now.boot), lost=None)


def _steady(before: tuple[float, float, float] | None, now: Now) -> tuple[float, float, float]:
    ahead = now.wall - now.boot
    if before is None or abs(ahead - before[2]) > 1.0 or now.boot - before[1] > GAP:
        return now.boot, now.boot, ahead
    return before[0], now.boot, before[2]

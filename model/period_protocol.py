"""What people's programs and the desk say to each other about windows and guard periods: JSON over HTTP.

`where` is a scope in words (`model.period_text`). A time is Unix seconds, or text: `2026-10-01 08:00` in `zone`, or
with its own offset; an end may also say how long: `4h`. Without a zone it is the named sites' own, else the desk's.
Times in answers are Unix seconds.
"""

import msgspec

from model.period import GuardDuty, Step, Work

When = float | str


class PlanWindow(msgspec.Struct, frozen=True):
    """Planned work. `start` "" is now. Urgent routine work in a guarded place needs `approved_by`, somebody else."""

    by: str
    work: str
    where: str
    end: When
    start: When = ""
    kind: Work = Work.ROUTINE
    urgent: bool = False
    approved_by: str = ""
    zone: str = ""


class ExtendWindow(msgspec.Struct, frozen=True):
    """A later end, by a person with a reason. `end` is a time, or how long from now on."""

    by: str
    end: When
    reason: str


class EndPeriod(msgspec.Struct, frozen=True):
    """The end of a window or guard period now; a guard period's needs a reason."""

    by: str
    reason: str = ""


class DeclareGuard(msgspec.Struct, frozen=True):
    """A guard period. `duty` has a line for each turn: `NAME`, `NAME, CONTACT` or `NAME, CONTACT, FROM, TO`.

    `team:NAME` stands for the turns of a team of the desk's roster, as they are said by now.
    """

    by: str
    name: str
    where: str
    end: When
    duty: str
    start: When = ""
    zone: str = ""


class SetRoster(msgspec.Struct, frozen=True):
    """Another roster from now on; lines as in DeclareGuard."""

    by: str
    duty: str
    reason: str = ""


class HeldNow(msgspec.Struct, frozen=True):
    """A fault whose ticket a window held back: since when the desk knows, until when, and its ticket if it stood then.

    `looked_at` is when it was seen whether the fault still stood, None while it is held. The ticket may be another's
    that explains it.
    """

    site: str
    device: str
    fault: str
    since: float
    until: float
    looked_at: float | None
    ticket: int | None


class WindowNow(msgspec.Struct, frozen=True):
    """A window. `state`: planned, in_force, frozen, over; `frozen_by`: the guard period that does or will, else 0.

    `held` is the beginning of what it held back in a list of windows, all of it by itself; `held_count` counts it all.
    """

    id: int
    work: str
    where: str
    start: float
    end: float
    zone: str
    kind: Work
    urgent: bool
    by: str
    approved_by: str
    state: str
    frozen_by: int
    steps: tuple[Step, ...]
    held: tuple[HeldNow, ...]
    held_count: int = 0


class WindowList(msgspec.Struct, frozen=True):
    """Windows at `now`: in force, then planned, then over."""

    now: float
    windows: tuple[WindowNow, ...]


class GuardNow(msgspec.Struct, frozen=True):
    """A guard period. `state` is planned, in_force or over; `freezes` the windows that it freezes."""

    id: int
    name: str
    where: str
    start: float
    end: float
    zone: str
    by: str
    state: str
    duty: tuple[GuardDuty, ...]
    on_duty: tuple[str, ...]
    steps: tuple[Step, ...]
    freezes: tuple[int, ...]


class GuardList(msgspec.Struct, frozen=True):
    """Guard periods at `now`: in force, then planned, then over."""

    now: float
    guards: tuple[GuardNow, ...]


class ReportTicket(msgspec.Struct, frozen=True):
    """A ticket of a guard period. `before`: it was open when the period began. `on_duty`: who was at its opening.

    `late` counts the limits that were not kept.
    """

    number: int
    site: str
    site_name: str
    device: str
    device_name: str
    fault: str
    title: dict[str, str]
    level: int
    state: str
    before: bool
    onset: float
    opened: float
    on_duty: tuple[str, ...]
    taken_by: str
    responded: float | None
    restored: float | None
    closed: float | None
    late: int


class LevelCount(msgspec.Struct, frozen=True):
    """The tickets of one level that opened in a guard period: all, not yet restored, with a limit not kept."""

    level: int
    opened: int
    standing: int
    late: int


class GuardReport(msgspec.Struct, frozen=True):
    """What a guard period came to, as things stand at `at`. `final`: the period is over.

    `alarms` counts the raised episodes that stood in it, `sites` the sites that it concerns; `windows` were in force or
    planned within it; `refused` is the routine work that it refused.
    """

    guard: GuardNow
    at: float
    final: bool
    sites: int
    alarms: int
    levels: tuple[LevelCount, ...]
    tickets: tuple[ReportTicket, ...]
    windows: tuple[WindowNow, ...]
    refused: tuple[Step, ...]

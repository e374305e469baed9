"""What programs ask and hear of the roster. Times are the desk's Unix seconds."""

import msgspec


class DutyNow(msgspec.Struct, frozen=True):
    """Somebody's duty in [start, end), by id and name; `instead_of` whose shift it is, "" their own."""

    person: str
    name: str
    start: float
    end: float
    instead_of: str = ""


class TeamNow(msgspec.Struct, frozen=True):
    """A team: who is on duty at the time that was asked for, the duties of the days after, and when nobody is."""

    team: str
    title: dict[str, str]
    on_duty: tuple[DutyNow, ...]
    ahead: tuple[DutyNow, ...]
    gaps: tuple[tuple[float, float], ...]
    always: bool


class SwapNow(msgspec.Struct, frozen=True):
    """A substitute, who said so, when and from where."""

    number: int
    absent: str
    stand_in: str
    start: float
    end: float
    reason: str
    at: float
    who: str
    source: str


class Unreachable(msgspec.Struct, frozen=True):
    """Somebody to whom the last messages did not get through, since when, and why."""

    person: str
    name: str
    channel: str
    since: float
    tries: int
    why: str


class Untold(msgspec.Struct, frozen=True):
    """Something that nobody was told: `off_duty`, `unreached` or `no_rule`."""

    ticket: int
    what: str
    level: int
    why: str
    at: float


class RosterNow(msgspec.Struct, frozen=True):
    """The roster as it stands; without one `digest` is empty. `problem` is what is wrong with its file now."""

    at: float
    now: float
    digest: str
    problem: str
    zone: str
    teams: tuple[TeamNow, ...] = ()
    swaps: tuple[SwapNow, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()
    untold: tuple[Untold, ...] = ()
    waiting: int = 0


class SaySwap(msgspec.Struct, frozen=True):
    """`stand_in` does every duty of `absent` in [start, end); `by` says so."""

    absent: str
    stand_in: str
    start: float
    end: float
    by: str
    reason: str = ""


class WithdrawSwap(msgspec.Struct, frozen=True):
    """A substitute is needed no more; `by` says so."""

    by: str

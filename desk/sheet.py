"""What a ticket's page tells: every clock and where it stands, the milestones in a row, documents, costs, what is next.

All of it follows from the record, its contract, the calendars and the moment; nothing here is kept. Times are the
desk's Unix seconds.
"""

import msgspec

from desk.offers import GROUPS, Offer, Standing, first, offers, spoken, to_come
from desk.words import both
from model.contract import Contract, Limit, Milestone, Start, Text
from model.contract_words import MILESTONES, after_words
from model.limits import Calendars, unsaid
from model.service.clocks import DIFFICULT, outcomes, running, times
from model.service.documents import documents, handed_over
from model.service.outcome import Outcome, Stand
from model.service.penalties import Deduction, deductions, points
from model.service.record import Mark, Record
from model.service.words import Cover

_RUNS = frozenset({Stand.RUNNING, Stand.LATE})


class Stage(msgspec.Struct, frozen=True):
    """A milestone on the way. `stand`: done, proposed, passed (a later one came first), next, ahead.

    `due` is its soonest limit that is not over yet, `late` by how many seconds it was or is late; None for in time.
    """

    milestone: Milestone
    title: Text
    stand: str
    mark: Mark | None
    due: float | None
    late: float | None
    assumed: bool


class ClockLine(msgspec.Struct, frozen=True):
    """A clock as it is shown: from what it counts, `left` seconds to its limit (below 0: over), the `share` spent.

    `unsaid`: nobody has said the time from which it counts, so the opening stands for it.
    """

    outcome: Outcome
    title: Text
    after: Text
    left: float | None
    share: float | None
    unsaid: bool


class Paper(msgspec.Struct, frozen=True):
    """A document that is owed: since when, until when, when it was handed over as it counts, and by whom signed."""

    title: Text
    end: float | None
    handed: float | None
    late: bool
    needs: Text


class Cost(msgspec.Struct, frozen=True):
    """An event that costs or earns, in words."""

    deduction: Deduction
    title: Text
    for_what: Text
    excuse: Text


class Sheet(msgspec.Struct, frozen=True):
    """Everything that a ticket's page tells beside the alarm itself."""

    record: Record
    contract: Contract
    clocks: tuple[ClockLine, ...]
    stages: tuple[Stage, ...]
    pressing: ClockLine | None
    papers: tuple[Paper, ...]
    costs: tuple[Cost, ...]
    points: float
    next: tuple[Offer, ...]
    more: tuple[tuple[str, tuple[Offer, ...]], ...]

    @property
    def replace(self) -> bool:
        """Say whether so many repairs failed that the device should be replaced."""
        return self.record.failed_repairs >= self.contract.replacement.repairs

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Return what limits depend on and nobody has said, `region` or `grade`: they do not run."""
        return () if self.record.closed else unsaid(self.contract, self.record.situation)

    @property
    def covered(self) -> bool:
        """Say whether the device is served at all."""
        return self.record.cover is not Cover.NOT_COVERED


def sheet(record: Record, contract: Contract, calendars: Calendars, now: float) -> Sheet:
    """Return what a ticket's page tells at a moment. Raises LookupError when the contract's calendar is not there."""
    limits = {each.limit.name: each.limit for each in running(record, contract, calendars)}
    found = outcomes(record, contract, calendars, now)
    said = times(record)
    lines = tuple(_clock(contract, each, limits.get(each.limit), now, said) for each in found)
    owed = documents(record, contract, calendars)
    costs = deductions(record, contract, calendars, now)
    standing = Standing(record, contract, found, owed, costs)
    everything = offers(standing)
    coming = first(standing, everything)
    rest = [offer for offer in everything if offer not in coming]
    return Sheet(
        record=record,
        contract=contract,
        clocks=tuple(sorted(lines, key=_order)),
        stages=_stages(standing, now),
        pressing=_pressing(record, lines),
        papers=tuple(
            Paper(duty.title, end, (handed := handed_over(record, duty)),
                  end is not None and int(now if handed is None else handed) > end, duty.needs)
            for duty, _, end in owed
        ),
        costs=tuple(_cost(contract, each) for each in costs),
        points=points(costs),
        next=coming,
        more=tuple(
            (group, of) for group in GROUPS if (of := tuple(offer for offer in rest if offer.group == group))
        ),
    )  # fmt: skip


def _clock(contract: Contract, each: Outcome, limit: Limit | None, now: float, said: dict[str, float]) -> ClockLine:
    title = MILESTONES[each.milestone] if each.limit == each.milestone else both(f"limit.{each.limit}")
    after = after_words(contract, limit.after) if limit and each.limit != DIFFICULT else {}
    until = now if each.end is None else each.end
    left = None if each.due is None else each.due - until
    share = None
    if each.due is not None and each.start is not None and each.due > each.start:
        share = min(1.0, max(0.0, (until - each.start) / (each.due - each.start)))
    unsaid = limit is not None and limit.after in set(Start) and limit.after not in said
    return ClockLine(each, title, after, left, share, unsaid)


def _order(line: ClockLine) -> tuple[int, float]:
    """Those that run first, by time left; then those that wait; then those that ended."""
    stands = (Stand.LATE, Stand.RUNNING, Stand.PAUSED, Stand.PROPOSED, Stand.UNSURE, Stand.WAITING)
    over = line.outcome.end is not None
    rank = stands.index(line.outcome.stand) if line.outcome.stand in stands else len(stands)
    return (rank + 10 * over, line.outcome.due or float("inf"))


def _pressing(record: Record, lines: tuple[ClockLine, ...]) -> ClockLine | None:
    """Return the soonest limit that runs, else the last that is over; one that is assumed presses nobody."""
    if record.closed:
        return None
    live = [
        each for each in lines if each.outcome.stand in _RUNS and each.outcome.end is None and each.left is not None
    ]
    running_now = [each for each in live if each.outcome.stand is Stand.RUNNING]
    if running_now:
        return min(running_now, key=lambda each: each.left or 0.0)
    return max(live, key=lambda each: each.left or 0.0, default=None)


def _stages(standing: Standing, now: float) -> tuple[Stage, ...]:
    record = standing.record
    coming = [] if record.closed else to_come(standing)
    clocked = {each.milestone for each in standing.clocks}
    ends = {Milestone.RESTORE, Milestone.RESOLVE}
    return tuple(
        _stage(standing, each, coming, now) for each in Milestone if each in clocked | record.marks.keys() | ends
    )


def _stage(standing: Standing, milestone: Milestone, coming: list[Milestone], now: float) -> Stage:
    mark = standing.record.marks.get(milestone)
    own = [each for each in standing.clocks if each.milestone is milestone and each.due is not None]
    live = [each for each in own if each.end is None and each.stand is not Stand.MOOT]
    soonest = min(live, key=lambda each: each.due or 0.0, default=None)
    late = [(now if each.end is None else each.end) - (each.due or 0.0) for each in own if each.stand is Stand.LATE]
    if mark is not None:
        stand = "done" if mark.counts else "proposed"
    elif milestone in coming:
        stand = "next" if milestone is coming[0] else "ahead"
    else:
        stand = "passed"
    return Stage(
        milestone, MILESTONES[milestone], stand, mark, soonest.due if soonest else None, max(late, default=None),
        bool(soonest and soonest.assumed),
    )  # fmt: skip


def _cost(contract: Contract, each: Deduction) -> Cost:
    title = next((penalty.title for penalty in contract.penalties if penalty.event == each.event), {})
    key = each.excused.excuse if each.excused else ""
    excuse = next((known.title for known in contract.excuses if known.key == key), {})
    return Cost(each, title, spoken(contract, each.what_for), excuse)

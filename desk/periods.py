"""What people do to windows and guard periods, in the caller's transaction: each act is kept, and audited.

A refusal is an answer, not an error: nothing of it is written but that a guard period refused routine work, which its
report tells. Whoever changes what holds has everything that is held reckoned anew.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from desk.ledger import Ledger
from desk.period_store import (
    guard_numbered,
    guards_after,
    keep_guard,
    keep_window,
    rereckon,
    window_numbered,
)
from desk.store import Db, audit, every, one, sites
from model import period as rules
from model.period import GuardDuty, GuardPeriod, No, Scope, Step, Window, Work, gap
from model.period_text import words_of
from model.period_words import Refused

MOST_REFUSALS = 200  # that a guard period keeps


@dataclass(frozen=True)
class Author:
    """Who does something, and from where."""

    who: str
    source: str


def plan_window(ledger: Ledger, window: Window, author: Author) -> Window | Refused:
    """Plan work; routine work in a guarded place is refused, and the guard period keeps that it was."""
    db, now = ledger.db, ledger.now
    window = replace(window, by=author.who)
    no = rules.window_refused(window, now)
    if no is not None:
        return Refused(no)
    if unknown := unknown_place(db, window.scope):
        return Refused(No.UNKNOWN_PLACE, unknown)
    if frozen := _guarded(db, window, now, author):
        return frozen
    kept = keep_window(db, replace(window, id=0, start=max(window.start, now), steps=()))
    if kept.approved_by:
        step = Step(now, kept.approved_by, "approved")
        kept = keep_window(db, replace(kept, steps=(step,)))
    rereckon(db, now)
    _told(ledger, author, "window_planned", kept)
    return kept


def extend_window(ledger: Ledger, number: int, end: float, reason: str, author: Author) -> Window | Refused:
    """Let planned work end later, by a person with a reason; not into a guard period that freezes it."""
    db, now = ledger.db, ledger.now
    window = window_numbered(db, number)
    if window is None:
        return Refused(No.NO_SUCH)
    if window.kind is Work.WALKTEST:
        return Refused(No.WALKTEST)
    after = rules.extended(window, end, Step(now, author.who, "", reason=reason))
    if isinstance(after, No):
        return Refused(after, end=window.end)
    more = replace(after, start=window.end)  # the time that comes to it
    if rules.same_person(window.by, author.who):
        more = replace(more, approved_by="")  # what was approved ends earlier, and who asks does not approve
    if frozen := _guarded(db, more, now, author):
        return frozen
    return _changed(ledger, author, "window_extended", after)


def end_window(ledger: Ledger, number: int, reason: str, author: Author) -> Window | Refused:
    """End planned work now; what has not begun never does."""
    window = window_numbered(ledger.db, number)
    if window is None:
        return Refused(No.NO_SUCH)
    if window.kind is Work.WALKTEST:
        return Refused(No.WALKTEST)
    after = rules.ended(window, Step(ledger.now, author.who, "", reason=reason))
    return Refused(after) if isinstance(after, No) else _changed(ledger, author, "window_ended", after)


def approve_window(ledger: Ledger, number: int, reason: str, author: Author) -> Window | Refused:
    """Approve urgent work that a guard period freezes; the approval names who gave it."""
    window = window_numbered(ledger.db, number)
    if window is None:
        return Refused(No.NO_SUCH)
    after = rules.approved(window, Step(ledger.now, author.who, "", reason=reason))
    return Refused(after) if isinstance(after, No) else _changed(ledger, author, "window_approved", after)


def declare_guard(ledger: Ledger, guard: GuardPeriod, author: Author) -> GuardPeriod | Refused:
    """Declare a guard period with its roster; routine work that is planned there holds nothing back from then on."""
    db, now = ledger.db, ledger.now
    no = rules.guard_refused(guard, now)
    if no is not None:
        missing = gap(guard.duty, guard.start, guard.end) or (0.0, 0.0)
        return Refused(no, start=missing[0], end=missing[1], guard=True)
    if unknown := unknown_place(db, guard.scope):
        return Refused(No.UNKNOWN_PLACE, unknown)
    scope = replace(guard.scope, faults=())
    kept = keep_guard(db, replace(guard, id=0, by=author.who, scope=scope, start=max(guard.start, now), steps=()))
    rereckon(db, now)
    _told_guard(ledger, author, "guard_declared", kept)
    return kept


def set_roster(
    ledger: Ledger, number: int, duty: tuple[GuardDuty, ...], reason: str, author: Author
) -> GuardPeriod | Refused:
    """Give a guard period another roster from now on."""
    guard = guard_numbered(ledger.db, number)
    if guard is None:
        return Refused(No.NO_SUCH)
    after = rules.with_duty(guard, duty, Step(ledger.now, author.who, "", reason=reason))
    if isinstance(after, No):
        missing = gap(duty, max(ledger.now, guard.start), guard.end) or (0.0, 0.0)
        return Refused(after, start=missing[0], end=missing[1], guard=True)
    return _changed_guard(ledger, author, "guard_roster", after)


def end_guard(ledger: Ledger, number: int, reason: str, author: Author) -> GuardPeriod | Refused:
    """End a guard period now, with a reason."""
    guard = guard_numbered(ledger.db, number)
    if guard is None:
        return Refused(No.NO_SUCH)
    after = rules.guard_ended(guard, Step(ledger.now, author.who, "", reason=reason))
    return Refused(after) if isinstance(after, No) else _changed_guard(ledger, author, "guard_ended", after)


def unknown_place(db: Db, scope: Scope) -> str:
    """Return the first place of a scope that the desk does not know, "" when it knows all."""
    for site in (*scope.sites, *(device.partition("/")[0] for device in scope.devices)):
        if one(db, "SELECT 1 FROM sites WHERE id = ?", site) is None:
            return f"site:{site}"
    for region in scope.regions:
        if one(db, "SELECT 1 FROM sites WHERE region = ?", region) is None:
            return f"region:{region}"
    return ""


def regions_of(db: Db) -> dict[str, str]:
    """Return the region of each site, by the desk's record."""
    return {site.id: site.region for site in sites(db)}


def concerns(db: Db, scope: Scope) -> frozenset[str] | None:
    """Return the sites that a scope's places lie at; None for all of them."""
    if scope.everywhere:
        return None
    found = {
        row["id"] for region in scope.regions for row in every(db, "SELECT id FROM sites WHERE region = ?", region)
    }
    return frozenset(found | {*scope.sites, *(device.partition("/")[0] for device in scope.devices)})


def _guarded(db: Db, window: Window, now: float, author: Author) -> Refused | None:
    """Refuse what a guard period freezes, and have the guard period keep that."""
    regions = regions_of(db)
    guard = rules.guarding(window, guards_after(db, now), lambda site: regions.get(site, ""))
    if guard is None:
        return None
    if len(guard.steps) < MOST_REFUSALS:
        step = Step(now, author.who, "refused", reason=f"{window.work} ({words_of(window.scope)})"[:500])
        keep_guard(db, replace(guard, steps=(*guard.steps, step)))
    return Refused(No.GUARDED, guard.name, guard.id, guard.start, guard.end)


def _changed(ledger: Ledger, author: Author, what: str, window: Window) -> Window:
    keep_window(ledger.db, window)
    rereckon(ledger.db, ledger.now)
    _told(ledger, author, what, window)
    return window


def _changed_guard(ledger: Ledger, author: Author, what: str, guard: GuardPeriod) -> GuardPeriod:
    keep_guard(ledger.db, guard)
    rereckon(ledger.db, ledger.now)
    _told_guard(ledger, author, what, guard)
    return guard


def _told(ledger: Ledger, author: Author, what: str, window: Window) -> None:
    last = window.steps[-1].reason if window.steps else ""
    reason = f"W{window.id} {last or window.work}"
    _audit(ledger, author, what, window.scope, {"reason": reason, "window": window.id, "until": window.end})


def _told_guard(ledger: Ledger, author: Author, what: str, guard: GuardPeriod) -> None:
    last = guard.steps[-1].reason if guard.steps else ""
    reason = f"G{guard.id} {last or guard.name}"
    _audit(ledger, author, what, guard.scope, {"reason": reason, "guard": guard.id, "until": guard.end})


def _audit(ledger: Ledger, author: Author, what: str, scope: Scope, detail: dict[str, object]) -> None:
    site = scope.sites[0] if len(scope.sites) == 1 and not scope.regions and not scope.devices else ""
    audit(ledger.db, at=ledger.now, who=author.who, source=author.source, what=what, site=site,
          detail={**detail, "scope": words_of(scope)})  # fmt: skip

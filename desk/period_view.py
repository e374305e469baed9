"""Windows and guard periods as they stand at a moment, and a guard period's report: read in one look at the store."""

from collections import Counter

from msgspec.structs import replace

from desk.period_store import (
    count_held,
    guards_after,
    held_by,
    listed_guards,
    listed_windows,
    untils,
    windows_after,
    windows_within,
)
from desk.periods import concerns, regions_of
from desk.record import change_of
from desk.store import Db, Row, every, one
from desk.titles import title_of
from model.period import GuardPeriod, Place, Regions, Window, frozen_by, guarding, meet, on_duty, reaches, within
from model.period import over as called_over
from model.period_protocol import (
    GuardList,
    GuardNow,
    GuardReport,
    HeldNow,
    LevelCount,
    ReportTicket,
    WindowList,
    WindowNow,
)
from model.period_text import words_of

MOST_HELD = 100  # of what a window held back, in a list of windows
_TICKETS = """SELECT t.number, t.site, t.device, t.fault, t.level, t.state, t.episode, t.onset, t.opened,
    t.acknowledged_by, t.responded, t.restored, t.closed, t.late, s.name AS site_name, s.region AS region
    FROM tickets t JOIN sites s ON s.id = t.site
    WHERE t.opened < ? AND (t.closed IS NULL OR t.closed > ?) AND t.merged_into = 0 ORDER BY t.level, t.opened"""


def window_now(db: Db, window: Window, now: float, most: int = -1, known: Regions | None = None) -> WindowNow:
    """Return a window as it stands, with what it holds or held back: at most so much of it, all for -1.

    `known` says the sites' regions where they were asked for already.
    """
    region_of = known or regions_now(db)
    guards = guards_after(db, min(now, window.end))
    in_force, over = within(window.start, window.end, now), called_over(window, now)
    frozen = frozen_by(window, guards, now, lambda scope: meet(window.scope, scope, region_of)) if in_force else None
    coming = guarding(replace(window, start=max(window.start, now)), guards, region_of)
    freezing = None if over else frozen or coming
    state = "over" if over else ("frozen" if frozen else "in_force") if in_force else "planned"
    return WindowNow(
        id=window.id,
        work=window.work,
        where=words_of(window.scope),
        start=window.start,
        end=window.end,
        zone=window.zone,
        kind=window.kind,
        urgent=window.urgent,
        by=window.by,
        approved_by=window.approved_by,
        state=state,
        frozen_by=freezing.id if freezing else 0,
        steps=window.steps,
        held=tuple(map(_held, held := held_by(db, window.id, most), untils(db, held))),
        held_count=count_held(db, window.id),
    )


def regions_now(db: Db) -> Regions:
    """Return how to ask for the region of a site, read once."""
    regions = regions_of(db)
    return lambda site: regions.get(site, "")


def windows_now(db: Db, now: float) -> WindowList:
    """Return the windows as they stand: in force, planned, over; of what each held back the first."""
    known = regions_now(db)
    return WindowList(now, tuple(window_now(db, window, now, MOST_HELD, known) for window in listed_windows(db, now)))


def guard_now(db: Db, guard: GuardPeriod, now: float, known: Regions | None = None) -> GuardNow:
    """Return a guard period as it stands; `known` as in `window_now`."""
    state = "over" if called_over(guard, now) else "in_force" if now >= guard.start else "planned"
    return GuardNow(
        id=guard.id,
        name=guard.name,
        where=words_of(guard.scope),
        start=guard.start,
        end=guard.end,
        zone=guard.zone,
        by=guard.by,
        state=state,
        duty=guard.duty,
        on_duty=on_duty(guard.duty, now),
        steps=guard.steps,
        freezes=()
        if state == "over"
        else tuple(
            window.id for window in windows_after(db, now) if guarding(window, [guard], known or regions_now(db))
        ),
    )


def guards_now(db: Db, now: float) -> GuardList:
    """Return the guard periods as they stand: in force, planned, over."""
    known = regions_now(db)
    return GuardList(now, tuple(guard_now(db, guard, now, known) for guard in listed_guards(db, now)))


def report(db: Db, guard: GuardPeriod, now: float) -> GuardReport:
    """Return what a guard period came to, as things stand now."""
    tickets = tuple(
        _ticket(db, row, guard)
        for row in every(db, _TICKETS, guard.end, guard.start)
        if reaches(guard.scope, Place(row["region"], row["site"], row["device"], row["fault"]))
    )
    named = concerns(db, guard.scope)
    regions = regions_of(db)
    known: Regions = lambda site: regions.get(site, "")  # noqa: E731 - one line
    windows = [
        window for window in windows_within(db, guard.start, guard.end) if meet(window.scope, guard.scope, known)
    ]
    return GuardReport(
        guard=guard_now(db, guard, now, known),
        at=now,
        final=called_over(guard, now),
        sites=len(regions) if named is None else len(named),
        alarms=_alarms(db, guard, regions),
        levels=_levels(tickets),
        tickets=tickets,
        windows=tuple(window_now(db, window, now, MOST_HELD, known) for window in windows),
        refused=tuple(step for step in guard.steps if step.what == "refused"),
    )


def _held(row: Row, until: float) -> HeldNow:
    return HeldNow(row["site"], row["device"], row["fault"], row["since"], until, row["released"], row["ticket"])


def _ticket(db: Db, row: Row, guard: GuardPeriod) -> ReportTicket:
    episode = one(db, "SELECT change FROM episodes WHERE id = ?", row["episode"]) if row["episode"] else None
    origin = change_of(episode).origin if episode else None
    return ReportTicket(
        number=row["number"],
        site=row["site"],
        site_name=row["site_name"],
        device=row["device"],
        device_name=origin.device_name if origin else "",
        fault=row["fault"],
        title=origin.title if origin else title_of(row["fault"]),
        level=row["level"],
        state=row["state"],
        before=row["opened"] < guard.start,
        onset=row["onset"],
        opened=row["opened"],
        on_duty=on_duty(guard.duty, row["opened"]),
        taken_by=row["acknowledged_by"],
        responded=row["responded"],
        restored=row["restored"],
        closed=row["closed"],
        late=row["late"],
    )


def _alarms(db: Db, guard: GuardPeriod, regions: dict[str, str]) -> int:
    """Count the raised episodes that stood within a guard period at its places."""
    sql = (
        "SELECT site, change FROM episodes WHERE opened = 1 AND onset < ?"
        " AND (active = 1 OR (active = 0 AND changed > ?))"
    )
    count = 0
    for row in every(db, sql, guard.end, guard.start):
        origin = change_of(row).origin
        count += reaches(guard.scope, Place(regions.get(row["site"], ""), row["site"], origin.device, origin.fault))
    return count


def _levels(tickets: tuple[ReportTicket, ...]) -> tuple[LevelCount, ...]:
    within_it = [ticket for ticket in tickets if not ticket.before]
    opened = Counter(ticket.level for ticket in within_it)
    standing = Counter(ticket.level for ticket in within_it if ticket.state == "open")
    late = Counter(ticket.level for ticket in within_it if ticket.late)
    return tuple(LevelCount(level, opened[level], standing[level], late[level]) for level in sorted(opened))

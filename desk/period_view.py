"""Windows and guard periods as they stand at a moment, and a guard period's report: read in one look at the store."""

from collections import Counter

from msgspec.structs import replace

from desk.period_store import guards_after, held_by, last_guards, last_windows, windows_within
from desk.periods import concerns, frozen_windows, regions_of
from desk.record import change_of
from desk.store import Db, Row, every, one
from model.period import GuardPeriod, Place, Window, frozen_by, guarding, meet, on_duty, reaches, within
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

MOST_TICKETS = 20_000
_TICKETS = """SELECT t.*, e.change AS change, s.name AS site_name, s.region AS region FROM tickets t
    JOIN sites s ON s.id = t.site LEFT JOIN episodes e ON e.id = t.episode
    WHERE t.opened < ? AND (t.closed IS NULL OR t.closed > ?) AND t.merged_into = 0
    ORDER BY t.level, t.opened LIMIT ?"""


def window_now(db: Db, window: Window, now: float) -> WindowNow:
    """Return a window as it stands, with what it holds or held back."""
    regions = regions_of(db)
    guards = guards_after(db, min(now, window.end))

    def region_of(site: str) -> str:
        return regions.get(site, "")

    in_force, over = within(window.start, window.end, now), now >= window.end
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
        held=tuple(_held(db, row) for row in held_by(db, window.id)),
    )


def windows_now(db: Db, now: float) -> WindowList:
    """Return the windows as they stand, those that end last first."""
    return WindowList(now, tuple(window_now(db, window, now) for window in last_windows(db)))


def guard_now(db: Db, guard: GuardPeriod, now: float) -> GuardNow:
    """Return a guard period as it stands."""
    state = "over" if now >= guard.end else "in_force" if now >= guard.start else "planned"
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
        freezes=tuple(window.id for window in frozen_windows(db, guard, now)) if state != "over" else (),
    )


def guards_now(db: Db, now: float) -> GuardList:
    """Return the guard periods as they stand, those that end last first."""
    return GuardList(now, tuple(guard_now(db, guard, now) for guard in last_guards(db)))


def report(db: Db, guard: GuardPeriod, now: float) -> GuardReport:
    """Return what a guard period came to, as things stand now."""
    tickets = tuple(
        _ticket(row, guard)
        for row in every(db, _TICKETS, guard.end, guard.start, MOST_TICKETS)
        if reaches(guard.scope, Place(row["region"], row["site"], row["device"], row["fault"]))
    )
    named = concerns(db, guard.scope)
    known = one(db, "SELECT count(*) AS n FROM sites")
    regions = regions_of(db)
    windows = [
        window
        for window in windows_within(db, guard.start, guard.end)
        if meet(window.scope, guard.scope, lambda site: regions.get(site, ""))
    ]
    return GuardReport(
        guard=guard_now(db, guard, now),
        at=now,
        final=now >= guard.end,
        sites=(known["n"] if known else 0) if named is None else len(named),
        alarms=_alarms(db, guard, regions),
        levels=_levels(tickets),
        tickets=tickets,
        windows=tuple(window_now(db, window, now) for window in windows),
        refused=tuple(step for step in guard.steps if step.what == "refused"),
    )


def _held(db: Db, row: Row) -> HeldNow:
    sql = (
        "SELECT number FROM tickets WHERE site = ? AND device = ? AND fault = ? AND opened = ? ORDER BY number LIMIT 1"
    )
    ticket = one(db, sql, row["site"], row["device"], row["fault"], row["until"]) if row["released"] else None
    return HeldNow(
        row["site"], row["device"], row["fault"], row["since"], row["until"], row["released"],
        ticket["number"] if ticket else None,
    )  # fmt: skip


def _ticket(row: Row, guard: GuardPeriod) -> ReportTicket:
    origin = change_of(row).origin if row["change"] else None
    return ReportTicket(
        number=row["number"],
        site=row["site"],
        site_name=row["site_name"],
        device=row["device"],
        device_name=origin.device_name if origin else "",
        fault=row["fault"],
        title=origin.title if origin else {},
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
    sql = "SELECT site, change FROM episodes WHERE opened = 1 AND onset < ? AND (active = 1 OR changed > ?)"
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

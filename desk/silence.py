"""Sites that fall silent: the desk's own alarm, opened after missed heartbeats and ended by the next one.

A site whose mains failed often tells so and dies with its router: the Changes that were pending, or that had just come,
when it was last heard are its last words, and the alarm names the first of them as what explains it.
"""

import uuid

import msgspec
from msgspec.structs import replace

from desk.ledger import Ledger
from desk.record import DESK, SITE_SILENT, Books, Told, change_of, record
from desk.store import Db, Row, Site, every, one, site_of
from model.alarm import Alarm, AlarmState, Kind
from model.change import Change, Origin, condition_key
from model.rule import Evidence, Meaning

TITLE = {"en": "Site silent", "zh": "站点失联"}
TELLING = "mains.lost"  # what cuts a site off most often: named before other last words


class Silent(msgspec.Struct, frozen=True):
    """An agent that was not heard: for how many seconds, with which interval between heartbeats."""

    agent: str
    site: str
    seconds: float
    interval: float


def condition_of(site: str) -> str:
    """Return the condition of a silent site."""
    return condition_key(site, "-", "-", SITE_SILENT)


def standing_silence(db: Db, site: str) -> Row | None:
    """Return the episode of a site that is silent now."""
    return one(db, "SELECT * FROM episodes WHERE site = ? AND condition = ? AND active = 1", site, condition_of(site))


def fall_silent(ledger: Ledger, silent: Silent, missed: int) -> bool:
    """Open the alarm of a silent site; False when it stands already."""
    db, now = ledger.db, ledger.now
    site = site_of(db, silent.site)
    if site is None or standing_silence(db, silent.site):
        return False
    words = last_words(db, silent.site, now - silent.seconds - missed * silent.interval)
    origin = Origin(silent.site, "-", "-", SITE_SILENT, "", TITLE, Meaning.DANGER, "communications_subsystem_failure")
    alarm = Alarm(
        condition_of(silent.site),
        state=AlarmState.UNACKNOWLEDGED,
        case="silent",
        episode=str(uuid.uuid4()),
        revision=1,
        active=True,
        opened=True,
        onset_wall=now - silent.seconds,
        explained_by=words["condition"] if words else "",
        evidence=(Evidence("site.heartbeat", "last heartbeat", silent.seconds, "s", missed * silent.interval),),
    )
    reason = f"{missed} heartbeats missed"
    if words:
        reason += f"; last words: {change_of(words).origin.title.get('en', change_of(words).origin.fault)}"
    change = Change(Kind.RAISED, alarm, AlarmState.NORMAL, origin, {}, now, silent.seconds, "", reason=reason)
    record(Books(ledger, site, Told(DESK, "", now)), change)
    return True


def heard_again(ledger: Ledger, site: Site) -> bool:
    """End the alarm of a site that was silent; False when it was not."""
    now = ledger.now
    row = standing_silence(ledger.db, site.id)
    if row is None:
        return False
    last = change_of(row)
    # what explains it stays: the mains failure that was its last words is raised after this
    alarm = replace(last.alarm, state=AlarmState.NORMAL, case="", active=False, revision=last.alarm.revision + 1)
    change = replace(last, kind=Kind.CLEARED, alarm=alarm, before=last.alarm.state, wall=now, reason="a heartbeat came")
    record(Books(ledger, site, Told(DESK, "", now)), change)
    return True


def last_words(db: Db, site: str, since: float) -> Row | None:
    """Return the episode that explains a silence best: what was pending, or had changed since a time (Unix seconds)."""
    rows = every(
        db,
        "SELECT * FROM episodes WHERE site = ? AND active = 1 AND agent <> '' AND explained_by = ''"
        " AND (opened = 0 OR changed >= ?) ORDER BY opened, onset",
        site,
        since,
    )
    telling = [row for row in rows if change_of(row).origin.fault == TELLING]
    return next(iter(telling or rows), None)

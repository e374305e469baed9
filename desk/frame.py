"""What stands around every page: the counts, live alarms, silent sites, and whether this is a demonstration."""

import msgspec

from desk.record import SITE_SILENT, change_of
from desk.settings import Contracts
from desk.store import Db, Site, every, one, sites
from desk.view import latest_title
from model.alarm import Alarm
from model.change import Origin
from model.level import Contract, assign

ALARMS_SHOWN = 12


class Counts(msgspec.Struct, frozen=True):
    """The header's numbers; what is well is one of them."""

    unanswered: int
    open: int
    silent: int
    well: int
    sites: int


class AlarmLine(msgspec.Struct, frozen=True):
    """One line of the live alarms; `level` is 0 when the fault is gone."""

    at: float
    site: Site
    origin: Origin
    alarm: Alarm
    level: int
    case_title: dict[str, str]
    ticket: int | None


class SilentLine(msgspec.Struct, frozen=True):
    """A silent site: since when, and what it told last."""

    since: float
    site: Site
    last_words: dict[str, str]


class Frame(msgspec.Struct, frozen=True):
    """All of it, as one look at the store."""

    counts: Counts
    alarms: tuple[AlarmLine, ...]
    silent: tuple[SilentLine, ...]
    demo: bool


def frame(db: Db, contracts: Contracts) -> Frame:
    """Return what stands around a page now."""
    known = {site.id: site for site in sites(db)}
    named = {site.contract: contracts(site.contract) for site in known.values()}
    return Frame(_counts(db), _alarms(db, known, named), _silent(db, known), any(map(undelayed, named.values())))


def undelayed(contract: Contract) -> bool:
    """Say whether a contract sets every delay to 0, as a demonstration's does."""
    return not any(contract.on_delays.values()) and not contract.off_delay


def _counts(db: Db) -> Counts:
    row = one(
        db,
        "SELECT (SELECT count(*) FROM tickets WHERE state = 'open') AS open,"
        " (SELECT count(*) FROM tickets WHERE state = 'open' AND acknowledged IS NULL AND shelved = 0) AS unanswered,"
        " (SELECT count(*) FROM episodes WHERE active = 1 AND agent = '') AS silent,"
        " (SELECT count(*) FROM agents WHERE retired IS NULL) AS sites,"
        " (SELECT count(DISTINCT site) FROM tickets WHERE state = 'open') AS ill",
    )
    if row is None:
        return Counts(0, 0, 0, 0, 0)
    return Counts(row["unanswered"], row["open"], row["silent"], max(0, row["sites"] - row["ill"]), row["sites"])


def _alarms(db: Db, known: dict[str, Site], named: dict[str, Contract]) -> tuple[AlarmLine, ...]:
    rows = every(
        db,
        "SELECT e.changed, e.change, e.site, e.active,"
        " (SELECT max(ticket) FROM ticket_episodes l WHERE l.episode = e.id) AS ticket"
        " FROM episodes e ORDER BY e.changed DESC LIMIT ?",
        ALARMS_SHOWN,
    )
    lines: list[AlarmLine] = []
    for row in rows:
        change = change_of(row)
        site = known.get(row["site"])
        if site is None:
            continue
        origin, alarm = change.origin, change.alarm
        given = assign(named[site.contract], origin.fault, alarm.case, origin.meaning)
        level = given.level if row["active"] else 0
        lines.append(AlarmLine(row["changed"], site, origin, alarm, level, change.case_title, row["ticket"]))
    return tuple(lines)


def _silent(db: Db, known: dict[str, Site]) -> tuple[SilentLine, ...]:
    rows = every(db, "SELECT * FROM episodes WHERE active = 1 AND agent = '' ORDER BY onset")
    return tuple(
        SilentLine(row["onset"], known[row["site"]], latest_title(db, row["explained_by"]))
        for row in rows
        if change_of(row).origin.fault == SITE_SILENT and row["site"] in known
    )

"""What stands around every page: the counts, live alarms, silent sites, and whether this is a demonstration."""

import msgspec

from desk.period_store import holding_now
from desk.record import SITE_SILENT, change_of
from desk.settings import Contracts
from desk.store import Db, Row, Site, every, one, sites
from desk.view import latest_title
from desk.walktest_store import walk_at
from model.alarm import Alarm
from model.change import Origin
from model.contract import Contract
from model.level import assign
from model.period import Place

ALARMS_SHOWN = 12
OVER_SHOWN = 4
_LINE = """SELECT e.changed, e.onset, e.change, e.site, e.active,
    (SELECT max(ticket) FROM ticket_episodes l WHERE l.episode = e.id) AS ticket,
    (SELECT count(*) FROM episodes x WHERE x.active = 1 AND x.explained_by <> '' AND x.state = 'suppressed'
        AND x.explained_by = e.condition) AS explains FROM episodes e"""
# what a standing alarm explains is counted beside it instead of shown
_LIVE = f"""{_LINE} LEFT JOIN tickets t ON t.site = e.site AND t.condition = e.condition AND t.state <> 'closed'
    WHERE e.active = 1 AND NOT (e.state = 'suppressed' AND e.explained_by <> '' AND EXISTS
        (SELECT 1 FROM episodes p WHERE p.condition = e.explained_by AND p.active = 1))
    ORDER BY e.opened DESC, coalesce(t.level, 9), e.changed DESC LIMIT ?"""  # noqa: S608 - constants
_OVER = f"{_LINE} WHERE e.active = 0 AND e.opened = 1 ORDER BY e.changed DESC LIMIT ?"


class Counts(msgspec.Struct, frozen=True):
    """The header's numbers; what is well is one of them."""

    unanswered: int
    open: int
    silent: int
    well: int
    sites: int


class AlarmLine(msgspec.Struct, frozen=True):
    """One line of the alarms; `level` is 0 when it is over, `explains` how many it stands for.

    `code` is what the contract calls the level. `window` holds its ticket back, `until` then; 0 where none does.
    `test` is the walk-test in which it began, 0 for none.
    """

    at: float
    site: Site
    origin: Origin
    alarm: Alarm
    level: int
    code: str
    case_title: dict[str, str]
    ticket: int | None
    explains: int
    window: int = 0
    until: float = 0.0
    test: int = 0


class SilentLine(msgspec.Struct, frozen=True):
    """A silent site: since when, and what it told last."""

    since: float
    site: Site
    last_words: dict[str, str]


class Frame(msgspec.Struct, frozen=True):
    """All of it, as one look at the store."""

    counts: Counts
    alarms: tuple[AlarmLine, ...]
    over: tuple[AlarmLine, ...]
    silent: tuple[SilentLine, ...]
    demo: bool


def frame(db: Db, contracts: Contracts, own: frozenset[str] | None = None) -> Frame:
    """Return what stands around a page now, of some sites' alone when these are named."""
    known = {site.id: site for site in sites(db) if own is None or site.id in own}
    most = (ALARMS_SHOWN, OVER_SHOWN) if own is None else (2**62, 2**62)
    named = {site.contract: contracts(site.contract) for site in known.values()}
    return Frame(
        _counts(db) if own is None else _counts_of(db, own),
        _alarms(db, every(db, _LIVE, most[0]), known, named)[:ALARMS_SHOWN],
        _alarms(db, every(db, _OVER, most[1]), known, named)[:OVER_SHOWN],
        _silent(db, known),
        any(map(undelayed, named.values())),
    )


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


def _counts_of(db: Db, own: frozenset[str]) -> Counts:
    tickets = every(db, "SELECT site, acknowledged IS NULL AND shelved = 0 AS bare FROM tickets WHERE state = 'open'")
    silent = every(db, "SELECT site FROM episodes WHERE active = 1 AND agent = ''")
    agents = every(db, "SELECT site FROM agents WHERE retired IS NULL")
    here = [row for row in tickets if row["site"] in own]
    all_ = len({row["site"] for row in agents} & own)
    return Counts(
        sum(row["bare"] for row in here),
        len(here),
        sum(row["site"] in own for row in silent),
        max(0, all_ - len({row["site"] for row in here})),
        all_,
    )


def _alarms(db: Db, rows: list[Row], known: dict[str, Site], named: dict[str, Contract]) -> tuple[AlarmLine, ...]:
    lines: list[AlarmLine] = []
    for row in rows:
        site = known.get(row["site"])
        if site is None:
            continue
        change = change_of(row)
        origin, alarm = change.origin, change.alarm
        contract = named[site.contract]
        level = assign(contract, origin.fault, alarm.case, origin.meaning).level if row["active"] else 0
        explains = row["explains"] if row["active"] else 0
        code, ticket = contract.code(level), row["ticket"]
        window, until = (row["active"] and holding_now(db, site.id, origin.device, origin.fault)) or (0, 0.0)
        place = Place(site.region, site.id, origin.device, origin.fault)
        test = 0 if ticket else walk_at(db, place, row["onset"])
        case = change.case_title
        lines.append(
            AlarmLine(row["changed"], site, origin, alarm, level, code, case, ticket, explains, window, until, test)
        )
    return tuple(lines)


def _silent(db: Db, known: dict[str, Site]) -> tuple[SilentLine, ...]:
    rows = every(db, "SELECT * FROM episodes WHERE active = 1 AND agent = '' ORDER BY onset")
    return tuple(
        SilentLine(row["onset"], known[row["site"]], latest_title(db, row["explained_by"]))
        for row in rows
        if change_of(row).origin.fault == SITE_SILENT and row["site"] in known
    )

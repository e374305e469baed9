"""The alarms that stand now, each in one state of ISA-18.2 / IEC 62682 or of this field, what asks for a hand first.

Theory. The state is the agent's own, as its last Change told it. Before it go three things that the desk knows: an
alarm that began in a walk-test is the test's, one whose ticket a window holds back is held, and one whose ticket
somebody took is acknowledged, also while its agent has not said so. Returned is what ended before anybody took it: it
is listed while its ticket is not closed.
"""

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

import msgspec

from desk.period_store import holding_now
from desk.record import change_of
from desk.settings import Contracts
from desk.store import Db, Row, Site, every, sites
from desk.titles import title_of
from desk.walktest_store import walk_at
from model.alarm import Alarm, AlarmState
from model.change import Origin
from model.contract import Text
from model.level import assign
from model.period import Place

MOST = 20_000  # alarms that are looked at
_COLUMNS = """e.id, e.site, e.agent, e.active, e.onset, e.changed, e.change, t.number AS ticket, t.level AS
    ticket_level, t.state AS ticket_state, t.acknowledged, t.acknowledged_by"""
_STANDING = f"""SELECT {_COLUMNS} FROM episodes e
    LEFT JOIN tickets t ON t.number = (SELECT max(l.ticket) FROM ticket_episodes l WHERE l.episode = e.id)
    WHERE e.active = 1"""  # noqa: S608 - constants
_RETURNED = f"""SELECT {_COLUMNS} FROM tickets t JOIN episodes e ON e.id = t.episode
    WHERE t.state <> 'closed' AND t.acknowledged IS NULL AND e.active = 0 AND e.state = 'returned'"""  # noqa: S608


class Stands(StrEnum):
    """How an alarm stands, in the order of the list."""

    UNACKNOWLEDGED = "unacknowledged"
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    PENDING = "pending"
    HELD = "held"
    WALKTEST = "walktest"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


_RANK = {stands: rank for rank, stands in enumerate(Stands)}
_PUT_ASIDE = {
    AlarmState.OUT_OF_SERVICE: Stands.OUT_OF_SERVICE,
    AlarmState.SHELVED: Stands.SHELVED,
    AlarmState.SUPPRESSED: Stands.SUPPRESSED,
}


class Listed(msgspec.Struct, frozen=True):
    """An alarm of the list. Times are the desk's Unix seconds; `until` is the shelf's or the window's end, 0 for none.

    `code` and `level_title` are the contract's. `window` and `test` are numbers, 0 for none. `cause` is what explains
    it, {} for nothing.
    """

    episode: str
    stands: Stands
    site: Site
    region: Text
    origin: Origin
    alarm: Alarm
    case_title: Text
    level: int
    code: str
    level_title: Text
    since: float
    by_desk: bool
    ticket: int | None = None
    taken_by: str = ""
    window: int = 0
    test: int = 0
    until: float = 0.0
    cause: Text = {}


class Line(NamedTuple):
    """An alarm with those that it explains."""

    alarm: Listed
    explains: tuple[Listed, ...]


class Sieve(NamedTuple):
    """What is asked for; "" and 0 ask for all."""

    site: str = ""
    region: str = ""
    state: str = ""
    level: int = 0
    text: str = ""

    def lets(self, alarm: Listed) -> bool:
        """Say whether an alarm is asked for, whatever its state."""
        if (self.site and alarm.site.id != self.site) or (self.region and alarm.site.region != self.region):
            return False
        if self.level and alarm.level != self.level:
            return False
        return all(word in _words(alarm) for word in self.text.casefold().split())


class Found(NamedTuple):
    """What is asked for, the states of it with how many there are, and the regions and levels there are to ask for.

    `cut`: more stand than are looked at.
    """

    lines: tuple[Line, ...]
    counts: Counter[str]
    alarms: int
    sites: tuple[Site, ...]
    regions: dict[str, Text]
    levels: dict[int, str]
    cut: bool


def alarms(db: Db, contracts: Contracts, sieve: Sieve, own: frozenset[str] | None = None) -> Found:
    """Return the alarms that are asked for, of some sites alone when these are named."""
    known = {site.id: site for site in sites(db) if own is None or site.id in own}
    every_one, cut = _all(db, contracts, known, narrow=own is not None)
    asked = [each for each in every_one if sieve.lets(each)]
    counts: Counter[str] = Counter(each.stands.value for each in asked)
    shown = [each for each in asked if not sieve.state or each.stands == sieve.state]
    regions = {
        site.region: contracts(site.contract).regions.get(site.region) or {"en": site.region, "zh": site.region}
        for site in known.values()
        if site.region
    }
    named = {site.contract: contracts(site.contract) for site in known.values()}
    levels = {level: each.code(level) for each in named.values() for level in each.levels}
    return Found(_lines(shown), counts, len(asked), tuple(known.values()), regions, dict(sorted(levels.items())), cut)


def alarm_of(db: Db, contracts: Contracts, site: Site, episode: str) -> Listed | None:
    """Return one alarm, also one that is over."""
    sql = _STANDING.replace("e.active = 1", "e.id = ? AND e.site = ?")
    rows = every(db, sql, episode, site.id)
    return _listed(db, contracts, {site.id: site}, rows)[0] if rows else None


def _all(db: Db, contracts: Contracts, known: dict[str, Site], *, narrow: bool) -> tuple[list[Listed], bool]:
    """Return the alarms of the sites that are known, and whether more stand than that; `narrow`: not all sites."""
    among = f" AND e.site IN ({', '.join('?' * len(known)) or 'NULL'})" if narrow else ""
    those = tuple(known) if narrow else ()
    rows = every(db, f"{_STANDING}{among} ORDER BY e.opened DESC, e.changed DESC LIMIT ?", *those, MOST)
    cut, there = len(rows) == MOST, {row["id"] for row in rows}
    over = every(db, f"{_RETURNED}{among} ORDER BY e.changed DESC LIMIT ?", *those, MOST)
    rows += [row for row in over if row["id"] not in there]
    found = _listed(db, contracts, known, [row for row in rows if row["site"] in known])
    return sorted(found, key=lambda each: (_RANK[each.stands], each.level or 9, -each.since)), cut


def _lines(shown: list[Listed]) -> tuple[Line, ...]:
    """Put what is explained under what explains it, where that is shown too, however long the chain is."""
    by_condition = {each.alarm.condition: each for each in shown if each.alarm.active}
    under: dict[str, list[Listed]] = {}
    tops: list[Listed] = []
    for each in shown:
        top, seen = each, {each.alarm.condition}
        while top.stands is Stands.SUPPRESSED and (above := by_condition.get(top.alarm.explained_by)) is not None:
            if above.alarm.condition in seen:
                top = each
                break
            seen.add(above.alarm.condition)
            top = above
        if top is each:
            tops.append(each)
        else:
            under.setdefault(top.episode, []).append(each)
    return tuple(Line(top, tuple(under.get(top.episode, ()))) for top in tops)


def _listed(db: Db, contracts: Contracts, known: dict[str, Site], rows: list[Row]) -> list[Listed]:
    windows = {row["site"] for row in every(db, "SELECT DISTINCT site FROM held WHERE released IS NULL")}
    tests = {row["site"] for row in every(db, "SELECT DISTINCT site FROM walktests")}
    changes = [change_of(row) for row in rows]
    titles = {each.alarm.condition: each.origin.title for each in changes}
    found: list[Listed] = []
    for row, change in zip(rows, changes, strict=True):
        site, origin, alarm = known[row["site"]], change.origin, change.alarm
        contract = contracts(site.contract)
        level = assign(contract, origin.fault, alarm.case, origin.meaning).level
        level = level if row["active"] or row["ticket_level"] is None else row["ticket_level"]
        window, until = (0, 0.0)
        if row["active"] and site.id in windows:
            window, until = holding_now(db, site.id, origin.device, origin.fault) or (0, 0.0)
        place = Place(site.region, site.id, origin.device, origin.fault)
        test = walk_at(db, place, row["onset"]) if row["ticket"] is None and site.id in tests else 0
        stands = _stands(row, alarm, window, test)
        if stands is Stands.SHELVED:
            until = row["changed"] + (alarm.shelved_until or change.boot) - change.boot
        found.append(
            Listed(
                row["id"], stands, site, contract.regions.get(site.region, {"en": site.region, "zh": site.region}),
                origin, alarm, change.case_title, level, contract.code(level), contract.levels.get(level, {}),
                row["onset"], not row["agent"], row["ticket"], row["acknowledged_by"] or "", window, test, until,
                _cause(alarm, titles),
            )
        )  # fmt: skip
    return found


def _stands(row: Row, alarm: Alarm, window: int, test: int) -> Stands:
    if alarm.state in _PUT_ASIDE:
        return _PUT_ASIDE[alarm.state]
    if not alarm.active:
        return Stands.RETURNED
    if test:
        return Stands.WALKTEST
    if window:
        return Stands.HELD
    if alarm.state is AlarmState.PENDING:
        return Stands.PENDING
    taken = row["acknowledged"] is not None and row["ticket_state"] != "closed"
    return Stands.ACKNOWLEDGED if taken or alarm.state is AlarmState.ACKNOWLEDGED else Stands.UNACKNOWLEDGED


def _cause(alarm: Alarm, titles: dict[str, dict[str, str]]) -> Text:
    if not alarm.explained_by:
        return {}
    return titles.get(alarm.explained_by) or title_of(alarm.explained_by.rpartition("/")[2])


def _words(alarm: Listed) -> str:
    """Return what is searched for words, with both languages."""
    origin = alarm.origin
    parts = [
        *(alarm.site.name, alarm.site.id, *alarm.region.values(), origin.device, origin.device_name, origin.scope),
        *(origin.fault, *origin.title.values(), *alarm.case_title.values()),
        *(proof.label for proof in alarm.alarm.evidence),
    ]
    return "\n".join(parts).casefold()

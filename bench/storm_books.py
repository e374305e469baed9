"""The desk's books after a storm, read from its file by plain SQL: every site's root has one ticket, nothing else has.

It uses no code of the desk. `wrong` returns what is not as it must be, in sentences.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.storm_sites import Member

MOST = 20  # sentences: one thing that is wrong is wrong at many sites
ENOUGH = 10  # sites of a region without mains: surely an incident


def wrong(file: Path, members: Sequence[Member]) -> list[str]:
    """Return what is wrong with the books of a storm that was taken whole."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30.0)) as db:
        parts = (_received, _tickets, _children, _incidents, _told)
        found = [each for part in parts for each in part(db, members)]
    return found[:MOST]


def missing(file: Path, names: Sequence[str], members: Sequence[Member]) -> list[str]:
    """Return what a desk that was killed has not of the sites that it answered."""
    by_site = {member.site: member for member in members}
    with closing(sqlite3.connect(file)) as db:
        there = dict(db.execute("SELECT agent, seq FROM cursors"))
    wanted = [by_site[name] for name in names]
    return [
        f"{each.site} was answered and is not in the file" for each in wanted if there.get(each.agent) != each.events
    ]


def _received(db: sqlite3.Connection, members: Sequence[Member]) -> list[str]:
    receipts = dict(db.execute("SELECT agent, count(*) FROM receipts GROUP BY agent"))
    cursors = dict(db.execute("SELECT agent, seq FROM cursors"))
    found = [
        f"{each.site}: {receipts.get(each.agent, 0)} receipts, cursor {cursors.get(each.agent, 0)} of {each.events}"
        for each in members
        if receipts.get(each.agent) != each.events or cursors.get(each.agent) != each.events
    ]
    refused = _one(db, "SELECT count(*) FROM quarantine")
    return found + ([f"{refused} events stand in quarantine"] if refused else [])


def _tickets(db: sqlite3.Connection, members: Sequence[Member]) -> list[str]:
    held: dict[str, list[tuple[Any, ...]]] = {}
    for site, *rest in db.execute("SELECT site, condition, state, explained_by FROM tickets"):
        held.setdefault(site, []).append(tuple(rest))
    wanted = {member.site: [(member.root, "open", "")] for member in members}
    found = [f"{site}: its tickets are {held.get(site, [])}" for site, one in wanted.items() if held.get(site) != one]
    return found + [f"a ticket of {site}, which is not of the storm" for site in held.keys() - wanted.keys()]


def _children(db: sqlite3.Connection, members: Sequence[Member]) -> list[str]:
    """Four active episodes of each site are explained by the root, and the root's is the ticket's only one."""
    explained = Counter(dict(db.execute(
        "SELECT explained_by, count(*) FROM episodes WHERE active = 1 AND explained_by <> '' GROUP BY explained_by"
    )))  # fmt: skip
    found = [
        f"{each.site}: {explained[each.root]} alarms are explained by its root, not {each.events - 1}"
        for each in members
        if explained[each.root] != each.events - 1
    ]
    children = dict(db.execute(
        "SELECT t.site, count(*) FROM tickets t JOIN ticket_children c ON c.ticket = t.number"
        " JOIN episodes e ON e.id = c.episode AND e.explained_by = t.condition GROUP BY t.number"
    ))  # fmt: skip
    found += [
        f"{each.site}: {children.get(each.site, 0)} alarms are on its ticket, not {each.events - 1}"
        for each in members
        if children.get(each.site) != each.events - 1
    ]
    stray = explained.keys() - {member.root for member in members}
    linked = list(db.execute(
        "SELECT t.site, count(e.id) FROM tickets t LEFT JOIN ticket_episodes l ON l.ticket = t.number"
        " LEFT JOIN episodes e ON e.id = l.episode AND e.condition = t.condition"
        " GROUP BY t.number HAVING count(e.id) <> 1"
    ))  # fmt: skip
    return [
        *found,
        *(f"alarms are explained by {root}, which is no root" for root in stray),
        *(f"the ticket of {site} holds {count} episodes of its condition, not 1" for site, count in linked),
    ]


def _incidents(db: sqlite3.Connection, members: Sequence[Member]) -> list[str]:
    """Each region with enough sites has one incident, with the tickets of all of its sites and no other."""
    sites: dict[str, set[str]] = {}
    for member in members:
        sites.setdefault(member.region, set()).add(member.site)
    wanted = sorted((region, len(each), len(each)) for region, each in sites.items() if len(each) >= ENOUGH)
    found = sorted(tuple(row) for row in db.execute("SELECT region, tickets, going FROM incidents"))
    linked = list(db.execute(
        "SELECT i.region, t.site FROM incident_tickets t JOIN incidents i ON i.number = t.incident"
    ))  # fmt: skip
    strange = [f"{site} is in an incident of {region}" for region, site in linked if site not in sites.get(region, ())]
    doubled = [f"{site} is in {times} incidents" for (_, site), times in Counter(linked).items() if times > 1]
    return [*([] if found == wanted else [f"incidents are {found}, not {wanted}"]), *strange, *doubled]


def _told(db: sqlite3.Connection, members: Sequence[Member]) -> list[str]:
    """Each opening is told to the connectors once."""
    told = _one(db, "SELECT count(*) FROM connector_outbox WHERE reason = 'opened'")
    numbers = _one(db, "SELECT count(DISTINCT ticket) FROM connector_outbox WHERE reason = 'opened'")
    same = told == numbers == len(members)
    return [] if same else [f"connectors heard of {told} openings of {numbers} tickets, not of {len(members)}"]


def _one(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])

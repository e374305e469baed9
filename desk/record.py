"""What one Change does at the desk: the episode, its ticket, the audit and the connectors, in the caller's transaction.

Theory. A Change carries the whole alarm after it, so only a higher revision of an episode is applied and whatever comes
twice or late does nothing. A Snapshot opens a new epoch: each of its Changes is applied or already known, and what the
desk still has of that site is ended. Older epochs are over then: a Change that was on its way when the agent lost its
outbox can neither raise the dead nor raise what nothing would ever clear.
"""

import math
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from desk.settings import Contracts
from desk.store import Db, Row, Site, audit, every, one
from desk.tickets import follow_alarm
from model.alarm import AlarmState, Kind
from model.change import Change, Snapshot
from model.level import Assignment, assign
from model.ticket import Reason

NOT_IN_SNAPSHOT = "not in the agent's new snapshot"
SITE_SILENT = "site.silent"  # the fault that the desk alone notices
DESK = ""  # the agent of episodes that the desk itself notices
Levels = Callable[[Site, Change], Assignment]
_CHANGE = msgspec.json.Decoder(Change)


class RefusedError(Exception):
    """A Change that cannot be taken, and why: it goes to quarantine."""


CANNOT = (RefusedError, sqlite3.Error, ValueError, OverflowError, LookupError)  # the event's fault, not the desk's


class Applied(StrEnum):
    """What became of a Change."""

    APPLIED = "applied"
    KNOWN = "known"  # this revision or a higher one is here
    OVER = "over"  # from an epoch that a newer one has ended


class Told(msgspec.Struct, frozen=True):
    """How a Change came: from which agent and epoch, when (desk's Unix seconds), how old (seconds), from where."""

    agent: str
    epoch: str
    received: float
    age: float = 0.0
    source: str = ""


@dataclass(frozen=True)
class Books:
    """What is written into: a transaction, the desk's word on levels, the site's record, and how the news came."""

    db: Db
    levels: Levels
    site: Site
    told: Told


def levels_by(contracts: Contracts) -> Levels:
    """Return the desk's word on levels: the contract in its own record of the site, whatever the agent proposed."""

    def level(site: Site, change: Change) -> Assignment:
        origin = change.origin
        return assign(contracts(site.contract), origin.fault, change.alarm.case, origin.meaning)

    return level


def change_of(row: Row) -> Change:
    """Return the last Change of an episode's row."""
    return _CHANGE.decode(row["change"])


def onset_of(change: Change, told: Told) -> float:
    """Return an episode's onset in the desk's Unix seconds: when it came, less its age, less how long it stood then.

    The agent's monotonic clock measures how long; its wall clock bridges a reboot in between.
    """
    stood = change.boot - change.alarm.onset
    if stood < 0:
        stood = max(0.0, change.wall - change.alarm.onset_wall)
    return told.received - told.age - stood


def record(books: Books, change: Change, *, adopted: bool = False) -> Applied:
    """Apply a Change if it is news. `adopted`: it stands in a snapshot. Raises RefusedError for what cannot be."""
    alarm = change.alarm
    _check(books, change)
    known = one(books.db, "SELECT condition, revision, ended_by FROM episodes WHERE id = ?", alarm.episode)
    if known and known["condition"] != alarm.condition:
        raise RefusedError("this episode belongs to another condition")
    revived = False
    if known and known["ended_by"]:
        if not adopted and known["ended_by"] != books.told.epoch:
            return Applied.OVER
        revived = adopted and alarm.revision >= known["revision"]
    if known and alarm.revision <= known["revision"] and not revived:
        return Applied.KNOWN
    _keep_episode(books, change)
    _bring_ticket(books, change)
    return Applied.APPLIED


def adopt(books: Books, snapshot: Snapshot, unread: frozenset[tuple[str, str]] = frozenset()) -> tuple[str, ...]:
    """Take over an agent's standing alarms and end what it no longer has; returns why some could not be taken.

    One that cannot be taken leaves its episode as the desk has it, and so do the (condition, episode) in `unread`.
    """
    db, site, told = books.db, books.site, books.told
    if snapshot.site != site.id:
        raise RefusedError(f"a snapshot of another site: this agent's is {site.id}")
    refused = [reason for reason in (_adopt_one(books, change) for change in snapshot.changes) if reason]
    here = unread | {(change.alarm.condition, change.alarm.episode) for change in snapshot.changes}
    rows = every(db, "SELECT * FROM episodes WHERE site = ? AND active = 1 AND agent <> ''", site.id)
    gone = [row for row in rows if (row["condition"], row["id"]) not in here]
    for row in gone:
        last = change_of(row)
        alarm = replace(last.alarm, state=AlarmState.NORMAL, case="", active=False, clearing=None, explained_by="")
        ended = replace(last, kind=Kind.CLEARED, alarm=alarm, before=last.alarm.state, actor="", reason=NOT_IN_SNAPSHOT)
        _keep_episode(books, ended)
        db.execute("UPDATE episodes SET ended_by = ? WHERE id = ?", (told.epoch, row["id"]))
        _bring_ticket(books, ended)
    db.execute("UPDATE cursors SET over = 1 WHERE agent = ? AND epoch <> ?", (told.agent, told.epoch))
    audit(
        db,
        at=told.received,
        who="agent",
        source=told.source,
        what="snapshot",
        site=site.id,
        detail={"standing": len(here), "ended": len(gone), "refused": len(refused), "reason": snapshot.reason},
    )
    return tuple(refused)


def _adopt_one(books: Books, change: Change) -> str:
    """Apply one Change of a snapshot; returns why it cannot be taken, "" when it was: the others stand all the same."""
    books.db.execute("SAVEPOINT adopted")
    reason = ""
    try:
        record(books, change, adopted=True)
    except sqlite3.OperationalError:
        raise  # the disk, not the Change
    except CANNOT as error:
        books.db.execute("ROLLBACK TO adopted")
        reason = f"{change.alarm.condition[:100]}: {error or type(error).__name__}"
    books.db.execute("RELEASE adopted")
    return reason


def _check(books: Books, change: Change) -> None:
    site, alarm, origin = books.site, change.alarm, change.origin
    if origin.site != site.id or not alarm.condition.startswith(f"{site.id}/"):
        raise RefusedError(f"a condition of another site: this agent's is {site.id}")
    if alarm.explained_by and not alarm.explained_by.startswith(f"{site.id}/"):
        raise RefusedError(f"explained by a condition of another site: this agent's is {site.id}")
    if books.told.agent != DESK and SITE_SILENT in {origin.fault, alarm.condition.rpartition("/")[2]}:
        raise RefusedError("only the desk says that a site is silent")
    if not alarm.episode or alarm.revision < 1:
        raise RefusedError("a Change needs its episode's id and a revision from 1 on")
    if not all(math.isfinite(number) for number in (change.wall, change.boot, alarm.onset, alarm.onset_wall)):
        raise RefusedError("a time that is not a number")


def _keep_episode(books: Books, change: Change) -> None:
    alarm, told = change.alarm, books.told
    books.db.execute(
        "INSERT INTO episodes (id, condition, site, agent, revision, active, state, opened, explained_by, onset,"
        " changed, change) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " agent = excluded.agent, revision = excluded.revision, active = excluded.active, state = excluded.state,"
        " opened = excluded.opened, explained_by = excluded.explained_by, changed = excluded.changed,"
        " change = excluded.change, ended_by = ''",
        (
            alarm.episode,
            alarm.condition,
            books.site.id,
            told.agent,
            alarm.revision,
            alarm.active,
            alarm.state,
            alarm.opened,
            alarm.explained_by,
            onset_of(change, told),
            told.received - told.age,
            msgspec.json.encode(change),
        ),
    )


def _bring_ticket(books: Books, change: Change) -> None:
    db, site, told = books.db, books.site, books.told
    alarm = change.alarm
    step = follow_alarm(db, alarm, site.id, books.levels(site, change), told.received)
    reasons = [reason for reason in step.reasons if reason is not Reason.UNCHANGED]
    if not reasons and change.kind is Kind.UPDATED:
        return  # evidence that moves is in the episode; the audit is for what happened
    audit(
        db,
        at=told.received,
        who=change.actor or ("agent" if told.agent else "desk"),
        source=told.source,
        what=reasons[0] if reasons else f"alarm_{change.kind}",
        site=site.id,
        ticket=step.ticket.number if step.ticket else None,
        episode=alarm.episode,
        detail={
            "kind": change.kind,
            "reasons": reasons,
            "revision": alarm.revision,
            "case": alarm.case,
            "case_title": change.case_title,
            "level": step.ticket.level if step.ticket else 0,
            "at": told.received - told.age,
            "agent_wall": change.wall,
            "reason": change.reason,
        },
    )

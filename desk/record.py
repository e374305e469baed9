"""What one Change does at the desk: the episode, its ticket by the ledger, the audit, in the caller's transaction.

Theory. A Change carries the whole alarm after it, so only a higher revision of an episode is applied and whatever comes
twice or late does nothing. A Snapshot opens a new epoch: each of its Changes is applied or already known, and what the
desk still has of that site is ended. Older epochs are over then: a Change that was on its way when the agent lost its
outbox can neither raise the dead nor raise what nothing would ever clear.

What a Change does to a ticket is an entry of that ticket; what it does beside one is a row of the audit.
"""

import math
import sqlite3
from collections.abc import Sequence
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from desk.before import cover_of, earlier
from desk.holding import held, over_since
from desk.later import AUDIT, EPISODES, JOINED
from desk.ledger import Ledger, append_to, open_ticket, terms_for
from desk.nuisance import count_announced
from desk.period_store import keep_ticket, waits_at
from desk.relation import relate
from desk.store import Db, Row, Site, audit, every, one, site_of
from desk.tickets import look_ahead, standing_in, taken_in
from model.alarm import AlarmState, Kind
from model.change import Change, Snapshot, acknowledged_at, gone_for, onset_at
from model.level import assign
from model.period import Place
from model.service.entry import AlarmSeen, Entry, Opened, bare
from model.service.history import failed_before
from model.service.words import Side
from model.ticket import TicketState, announced

NOT_IN_SNAPSHOT = "not in the agent's new snapshot"
SITE_SILENT = "site.silent"  # the fault that the desk alone notices
DESK = ""  # the agent of episodes that the desk itself notices
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


class Books(msgspec.Struct, frozen=True, eq=False):
    """What is written into: the ledger and its transaction, the site's record, and how the news came.

    `batch` is of the events that are taken together; `raw` is a Change as it came, where it came alone.
    """

    ledger: Ledger
    site: Site
    told: Told
    batch: "Batch | None" = None
    raw: bytes = b""
    unheld: bool = False  # whatever held it back does so no more

    @property
    def db(self) -> Db:
        """The transaction."""
        return self.ledger.db


class Batch(msgspec.Struct, eq=False):
    """What is asked for once for the events of a batch: episodes that are known; whoever rolls back empties it.

    `waits` says whether anything of the site is held back by a window, or was and waits to be looked at.
    """

    known: dict[str, tuple[str, int, str] | None] = {}
    waits: bool | None = None


class Followed(msgspec.Struct, frozen=True):
    """What became of a ticket by a Change: its number, None for none, and the words of what happened."""

    ticket: int | None
    did: tuple[str, ...] = ()
    window: str = ""


def change_of(row: Row) -> Change:
    """Return the last Change of an episode's row."""
    return _CHANGE.decode(row["change"])


def record(books: Books, change: Change, *, adopted: bool = False) -> Applied:
    """Apply a Change if it is news. `adopted`: it stands in a snapshot. Raises RefusedError for what cannot be."""
    alarm = change.alarm
    _check(books, change)
    known = _known(books, alarm.episode)
    revived = False
    if known is not None:
        condition, revision, ended_by = known
        if condition != alarm.condition:
            raise RefusedError("this episode belongs to another condition")
        if ended_by:
            if not adopted and ended_by != books.told.epoch:
                return Applied.OVER
            revived = adopted and alarm.revision >= revision
        if alarm.revision <= revision and not revived:
            return Applied.KNOWN
    _bring_held(books, change)
    _keep_episode(books, change)
    relate(books.ledger, books.site, change, books.told.received - books.told.age, _bring_ticket(books, change))
    return Applied.APPLIED


def _known(books: Books, episode: str) -> tuple[str, int, str] | None:
    """Return condition, revision and what has ended an episode, None when it is new."""
    batch = books.batch
    if batch is not None and episode in batch.known:
        return batch.known[episode]
    sql = "SELECT condition, revision, ended_by FROM episodes WHERE id = ?"
    found: tuple[str, int, str] | None = books.ledger.db.execute(sql, (episode,)).fetchone()
    return found


def ahead(books: Books, changes: Sequence[Change]) -> None:
    """Ask at once for what the Changes of a batch will ask for."""
    if books.batch is None or len(changes) < 2:
        return
    episodes = {change.alarm.episode for change in changes}
    sql = f"SELECT id, condition, revision, ended_by FROM episodes WHERE id IN ({', '.join('?' * len(episodes))})"  # noqa: S608
    there = {row[0]: row[1:] for row in books.db.execute(sql, tuple(episodes))}
    books.batch.known.update({episode: there.get(episode) for episode in episodes})
    alarms = [change.alarm for change in changes]
    named = {each.condition for each in alarms} | {each.explained_by for each in alarms if each.explained_by}
    look_ahead(books.ledger, books.site.id, frozenset(named))


def undo(books: Books, savepoint: str) -> None:
    """Roll a savepoint back, and forget what was asked for and what waits to be written since."""
    if books.ledger.later is not None:
        books.ledger.later.forget()
    books.db.execute(f"ROLLBACK TO {savepoint}")
    books.ledger.memory.clear()
    if books.batch is not None:
        books.batch.known.clear()


def adopt(books: Books, snapshot: Snapshot, unread: frozenset[tuple[str, str]] = frozenset()) -> tuple[str, ...]:
    """Take over an agent's standing alarms and end what it no longer has; returns why some could not be taken.

    One that cannot be taken leaves its episode as the desk has it, and so do the (condition, episode) in `unread`.
    """
    site, told = books.site, books.told
    if snapshot.site != site.id:
        raise RefusedError(f"a snapshot of another site: this agent's is {site.id}")
    refused = [reason for reason in (_adopt_one(books, change) for change in snapshot.changes) if reason]
    here = unread | {(change.alarm.condition, change.alarm.episode) for change in snapshot.changes}
    rows = every(books.db, "SELECT * FROM episodes WHERE site = ? AND active = 1 AND agent <> ''", site.id)
    gone = [row for row in rows if (row["condition"], row["id"]) not in here]
    for row in gone:
        last = change_of(row)
        alarm = replace(last.alarm, state=AlarmState.NORMAL, case="", active=False, clearing=None, explained_by="")
        ended = replace(last, kind=Kind.CLEARED, alarm=alarm, before=last.alarm.state, actor="", reason=NOT_IN_SNAPSHOT)
        _bring_held(books, ended)
        _keep_episode(books, ended)
        books.db.execute("UPDATE episodes SET ended_by = ? WHERE id = ?", (told.epoch, row["id"]))
        if books.batch is not None:
            books.batch.known.pop(row["id"], None)
        _bring_ticket(books, ended)
        relate(books.ledger, site, ended, told.received)
    books.db.execute("UPDATE cursors SET over = 1 WHERE agent = ? AND epoch <> ?", (told.agent, told.epoch))
    audit(
        books.db,
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
        books.ledger.write_down()
    except sqlite3.OperationalError:
        raise  # the disk, not the Change
    except CANNOT as error:
        undo(books, "adopted")
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
    if not math.isfinite(change.wall + change.boot + alarm.onset + alarm.onset_wall):
        raise RefusedError("a time that is not a number")


def _keep_episode(books: Books, change: Change) -> None:
    alarm, told = change.alarm, books.told
    books.ledger.put(
        EPISODES,
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
            onset_at(change, told.received - told.age),
            told.received - told.age,
            books.raw or msgspec.json.encode(change),
        ),
    )
    if books.batch is not None:
        books.batch.known[alarm.episode] = (alarm.condition, alarm.revision, "")


def _bring_ticket(books: Books, change: Change) -> str:
    """Bring the condition's ticket up to its alarm, audit what no entry tells; return the window that holds it back."""
    told, alarm = books.told, change.alarm
    followed = _follow(books, change, onset_at(change, told.received - told.age))
    if followed.ticket and alarm.active and alarm.opened and (followed.did or change.kind is not Kind.UPDATED):
        books.ledger.put(JOINED, (followed.ticket, alarm.episode, told.received))
    if not (change.reason or followed.window) and (followed.did or change.kind is Kind.UPDATED):
        return ""  # the entry tells it all, or it is evidence that moves: that is in the episode
    detail = {
        "kind": change.kind,
        "revision": alarm.revision,
        "case": alarm.case,
        "case_title": change.case_title,
        "at": told.received - told.age,
        "agent_wall": change.wall,
        "reason": change.reason,
        "window": followed.window,
    }
    what = "held" if followed.window else f"alarm_{change.kind}"
    row = (told.received, _who(books, change), told.source, what, books.site.id, followed.ticket, alarm.episode)
    books.ledger.put(AUDIT, (*row, msgspec.json.encode(detail)))
    return followed.window


def _follow(books: Books, change: Change, onset: float) -> Followed:
    ledger, site, told, alarm = books.ledger, books.site, books.told, change.alarm
    record = standing_in(ledger, site.id, alarm.condition)
    if record is None:
        return _open(books, change, onset) if announced(alarm) else Followed(None)
    if record.ticket.state is TicketState.RESOLVED and announced(alarm) and (window := _window(books, change)):
        return Followed(None, window=window)
    origin, number = change.origin, record.ticket.number
    given = assign(ledger.contracts(record.terms.contract), origin.fault, alarm.case, origin.meaning)
    # that this is news is the episode's word; one that a snapshot ended and another brings back has the same revision
    revision = max(alarm.revision, record.episodes.get(alarm.episode, 0) + 1)
    seen = bare(alarm if revision == alarm.revision else replace(alarm, revision=revision))
    happened = told.received - told.age
    taken = acknowledged_at(change, happened)
    act = AlarmSeen(seen, given.level, given.provisional, happened - gone_for(change), onset, taken)
    entry = Entry(ledger.now, _who(books, change), act, told.source, Side.SYSTEM, ledger.trust)
    stepped = append_to(ledger, record, entry)
    return Followed(number, stepped.happened if stepped.refused is None else ())


def _open(books: Books, change: Change, onset: float) -> Followed:
    """Open the ticket of an alarm that people must see to, unless a window holds it or another ticket took it in."""
    ledger, site, alarm, origin = books.ledger, books.site, change.alarm, change.origin
    into = taken_in(ledger.apart, site.id, alarm.condition)
    if into:
        return Followed(into)
    if window := _window(books, change):
        return Followed(None, window=window)
    given = assign(ledger.contracts(site.contract), origin.fault, alarm.case, origin.meaning)
    before = earlier(ledger, site, origin.device, origin.fault, onset)
    act = Opened(
        number=0,
        site=site.id,
        condition=alarm.condition,
        device=origin.device,
        fault=origin.fault,
        level=given.level,
        terms=terms_for(ledger, site),
        onset=onset,
        alarm=bare(alarm),
        provisional=given.provisional,
        case=alarm.case,
        meaning=origin.meaning,
        region=site.region,
        cover=cover_of(ledger, site, origin.device),
        recurrence_of=before.number if before else 0,
        failed_repairs=failed_before(before),
    )
    return Followed(open_ticket(ledger, site, act, _who(books, change), books.told.source), ("opened",))


def _window(books: Books, change: Change) -> str:
    """Return the window that holds an alarm's ticket back, "" for none."""
    origin, ledger = change.origin, books.ledger
    happened = books.told.received - books.told.age
    window = "" if books.unheld else held(ledger, books.site, origin.device, origin.fault, happened)
    if window and books.batch is not None:
        books.batch.waits = None
    return window


def bring_episode(ledger: Ledger, episode: str, *, unheld: bool = True) -> int | None:
    """Open the ticket of an alarm that stands and has none open; unless `unheld`, a window may still hold it back.

    Returns its number; None when there is nothing that people must see to, or its ticket is open.
    """
    row = one(ledger.db, "SELECT * FROM episodes WHERE id = ? AND active = 1", episode)
    site = site_of(ledger.db, row["site"]) if row else None
    if row is None or site is None:
        return None
    change = change_of(row)
    before = standing_in(ledger, site.id, change.alarm.condition)
    if not announced(change.alarm) or (before and before.ticket.state is TicketState.OPEN):
        return None
    if before:  # it opens again, after all that was written down of it
        ledger = replace(ledger, now=max(ledger.now, before.last))
    books = Books(ledger, site, Told(row["agent"], "", ledger.now), unheld=unheld)
    followed = _follow(books, replace(change, actor="desk"), row["onset"])
    if not followed.did:
        return None
    ledger.put(JOINED, (followed.ticket, episode, ledger.now))
    count_announced(ledger.db, site, change.alarm.condition, ledger.now)
    return followed.ticket


def _bring_held(books: Books, change: Change) -> None:
    """Open the ticket of what stood when a window ended, if this news finds that nobody has looked since."""
    batch = books.batch
    if batch is not None:
        if batch.waits is None:
            batch.waits = waits_at(books.ledger.apart, books.site.id)
        if not batch.waits:
            return
    origin, happened = change.origin, books.told.received - books.told.age
    ended = over_since(books.ledger, books.site, origin.device, origin.fault, happened)
    if ended is not None:
        then = replace(books.ledger, now=min(ended, books.ledger.now))
        number = bring_episode(then, change.alarm.episode)
        keep_ticket(books.db, Place("", books.site.id, origin.device, origin.fault), happened, number)


def _who(books: Books, change: Change) -> str:
    return change.actor or ("agent" if books.told.agent else "desk")

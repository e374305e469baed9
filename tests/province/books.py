"""The books of a province: everything that the desk's file says of a ticket must follow from its entries alone.

`check` reads the file by plain SQL and replays each ticket's entries by the model; it returns what is wrong, in
sentences, and what it counted.
"""

import itertools
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing as closed_after
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from config.calendar import load_calendar
from desk.incidents import rebuilt
from desk.settings import shipped
from model.calendar import ALWAYS, Calendar
from model.service import entry as acts
from model.service.effect import Kind
from model.service.entry import Acts, Entry
from model.service.look import look
from model.service.penalties import deductions
from model.service.record import Record
from model.service.row import row
from model.service.step import step
from model.service.words import Side, Trust
from tests.province.clocks import stopped_at, unstopped

MOST = 200  # sentences
_ACT: msgspec.json.Decoder[Acts] = msgspec.json.Decoder(Acts)
_RECORD = msgspec.json.Decoder(Record)
_KEPT = ("marks", "levels", "halts", "explained", "outcomes", "onset", "start", "handling", "workaround", "conditions")


@dataclass
class Books:
    """What was found: sentences on what is wrong, and how much of each thing there was."""

    wrong: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    points: float = 0.0

    def say(self, what: str) -> None:
        if len(self.wrong) < MOST:
            self.wrong.append(what)


def calendars(name: str) -> Calendar:
    return load_calendar(name) if name else ALWAYS


def check(file: Path, now: float, closed: dict[int, bytes]) -> Books:
    """Check a file at rest at a moment; `closed` are records of tickets as they were seen soon after their closing."""
    books = Books()
    with closed_after(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        entries = _entries(books, db)
        fired = {(each["ticket"], each["clock"], each["step"]) for each in db.execute("SELECT * FROM fired")}
        tickets = {each["number"]: each for each in db.execute("SELECT * FROM tickets")}
        if tickets.keys() != entries.keys():
            books.say(
                f"tickets without entries, or entries without a ticket: {sorted(tickets.keys() ^ entries.keys())}"
            )
        for number, ticket in tickets.items():
            try:
                _RECORD.decode(ticket["record"])
            except msgspec.ValidationError as error:
                books.say(f"ticket {number}: the record cannot be read: {error}")
                continue
            _ticket(books, ticket, entries.get(number, []), fired, now)
            if number in closed:
                _as_it_closed(books, _RECORD.decode(closed[number]), _RECORD.decode(ticket["record"]))
        _keys(books, db, entries)
        _episodes(books, db)
        _incidents(books, db)
    return books


def _entries(books: Books, db: sqlite3.Connection) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = defaultdict(list)
    for each in db.execute("SELECT * FROM entries ORDER BY ticket, seq"):
        act = _ACT.decode(each["body"])
        made = Entry(each["at"], each["who"], act, each["source"], Side(each["side"]), Trust(each["trust"]))
        found[each["ticket"]].append(made)
        if each["seq"] != len(found[each["ticket"]]):
            books.say(
                f"ticket {each['ticket']}: entry {each['seq']} is number {len(found[each['ticket']])} of those there"
            )
    return found


def _ticket(
    books: Books, ticket: sqlite3.Row, entries: list[Entry], fired: set[tuple[int, str, str]], now: float
) -> None:
    """One ticket: its record, row, fired keys and penalties are those of its entries."""
    number = ticket["number"]
    record = _replayed(books, number, entries)
    if record is None:
        return
    if msgspec.json.encode(record) != ticket["record"]:
        books.say(f"ticket {number}: the record is not what its entries add up to")
    contract = shipped(record.terms.contract)
    seen = look(record, contract, calendars, now)
    if seen.effects:
        books.say(f"ticket {number}: due and not fired: {[f'{each.clock} {each.step}' for each in seen.effects]}")
    columns = {**_columns(record.ticket), **_columns(row(record, contract, calendars, now, seen))}
    for name, value in columns.items():
        if ticket[name] != value:
            books.say(f"ticket {number}: column {name} is {ticket[name]!r:.80}, its entries say {value!r:.80}")
    own = {f"{clock} {name}" for at, clock, name in fired if at == number}
    if own != set(record.fired) or len(record.fired) != len(set(record.fired)):
        books.say(f"ticket {number}: fired are {sorted(own)}, its record says {sorted(record.fired)}")
    ours = deductions(record, contract, calendars, now)
    theirs = deductions(_RECORD.decode(ticket["record"]), contract, calendars, now)
    if ours != theirs:
        books.say(f"ticket {number}: its penalties are not those of its entries")
    books.points += sum(each.points or 0.0 for each in ours if each.counts)
    _count(books, record, len(ours))


def _replayed(books: Books, number: int, entries: list[Entry]) -> Record | None:
    """Return the record after all entries; on the way: no entry was refused, and no clock ran while it was stopped."""
    record: Record | None = None
    for place, entry in enumerate(entries, 1):
        after = step(record, entry)
        if after.refused is not None:
            books.say(f"ticket {number}: entry {place} ({type(entry.act).__name__}) is refused: {after.refused}")
            return None
        if record is not None and isinstance(entry.act, acts.Fired):
            _fairly_fired(books, record, entry)
        if record is not None and record.closed:
            _over(books, record, after.record, place)
        record = after.record
    return record


def _fairly_fired(books: Books, record: Record, entry: Entry) -> None:
    """What fires of a clock fires in a sure time, while the clock is not stopped, and after all of its limit."""
    assert isinstance(entry.act, acts.Fired)
    effect, number = entry.act.effect, record.ticket.number
    if entry.trust is not Trust.SURE or record.unsure:
        books.say(f"ticket {number}: {effect.clock} {effect.step} fired while the time was not sure")
    if effect.kind not in {Kind.WARN, Kind.BREACH, Kind.UPGRADE}:
        return
    books.counted["clocks that were checked for pauses"] += 1
    if stopped_at(record.pauses, effect.at) and effect.kind is Kind.WARN:
        books.say(f"ticket {number}: {effect.clock} {effect.step} fell due while the clock was stopped")
    short = unstopped(record, shipped(record.terms.contract), effect)
    if short:
        books.say(f"ticket {number}: {effect.clock} {effect.step}: {short}")


def _over(books: Books, before: Record, after: Record | None, place: int) -> None:
    """Nothing that is said after closing moves a milestone, a level or a clock."""
    assert after is not None
    changed = [name for name in _KEPT if getattr(before, name) != getattr(after, name)]
    if changed or before.ticket.level != after.ticket.level or before.ticket.closed != after.ticket.closed:
        books.say(f"ticket {before.ticket.number}: entry {place} came after closing and changed {changed}")


def _as_it_closed(books: Books, then: Record, now: Record) -> None:
    """A ticket that was seen closed is still what it was."""
    books.counted["closed tickets compared with what they were"] += 1
    changed = [name for name in _KEPT if getattr(then, name) != getattr(now, name)]
    same = replace(then.ticket, provisional=now.ticket.provisional) == now.ticket
    if changed or not same:
        books.say(f"ticket {now.ticket.number}: after its closing these changed: {changed or 'the ticket'}")


def _keys(books: Books, db: sqlite3.Connection, entries: dict[int, list[Entry]]) -> None:
    """One ticket a condition that is not closed, at any time: as its entries' times say, and now."""
    spans: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for each in db.execute("SELECT number, condition, state FROM tickets"):
        made = entries.get(each["number"])
        if not made:
            continue  # said above
        ended = [entry.at for entry in made if isinstance(entry.act, acts.Closed | acts.MergedInto)]
        spans[each["condition"]].append((made[0].at, ended[0] if ended else float("inf"), each["number"]))
    for condition, found in spans.items():
        found.sort(key=lambda span: span[2])
        for (_, end, one), (begin, _, other) in itertools.pairwise(found):
            if begin < end:
                books.say(f"{condition}: ticket {other} opened while ticket {one} was not closed")
    books.counted["conditions with a ticket"] += len(spans)


def _episodes(books: Books, db: sqlite3.Connection) -> None:
    """An episode is in tickets of its own condition, or of one that took in such a ticket; only one is not closed.

    A fault whose ticket closed because a parent explained it goes on in a new one. Nothing stands in quarantine.
    """
    into = {each["number"]: each["merged_into"] for each in db.execute("SELECT number, merged_into FROM tickets")}
    merged: set[tuple[int, str]] = set()
    for each in db.execute("SELECT number, condition FROM tickets WHERE merged_into <> 0"):
        number = each["number"]
        while number := into[number]:  # one that took another in may be merged in turn
            merged.add((number, each["condition"]))
    sql = (
        "SELECT l.episode, l.ticket, e.condition AS told, t.condition AS own, t.state FROM ticket_episodes l"
        " JOIN episodes e ON e.id = l.episode JOIN tickets t ON t.number = l.ticket"
    )
    held: Counter[str] = Counter()
    living: Counter[str] = Counter()
    for each in db.execute(sql):
        held[each["episode"]] += 1
        living[each["episode"]] += each["state"] != "closed"
        if each["told"] != each["own"] and (each["ticket"], each["told"]) not in merged:
            books.say(f"ticket {each['ticket']} holds an episode of another condition, {each['told']}")
    books.counted["episodes in tickets"] = len(held)
    books.counted["episodes that went on in a new ticket"] = sum(times > 1 for times in held.values())
    for episode, times in living.items():
        if times > 1:
            books.say(f"episode {episode} is in {times} tickets that are not closed")
    for each in db.execute("SELECT reason FROM quarantine"):
        books.say(f"an event stands in quarantine: {each['reason']}")


def _incidents(books: Books, db: sqlite3.Connection) -> None:
    """The incidents are those of the entries, read once more from the first to the last."""
    with closed_after(rebuilt(db)) as fresh:
        for table in ("incidents", "incident_tickets", "outages"):
            ask = f"SELECT * FROM {table} ORDER BY 1, 2"
            here, there = [tuple(each) for each in db.execute(ask)], [tuple(each) for each in fresh.execute(ask)]
            books.counted[table.replace("_", " ")] = len(here)
            for each in sorted(set(here) ^ set(there), key=repr)[:5]:
                whose = "the file" if each in here else "its entries"
                books.say(f"{table}: {whose} alone has {each}")


def _columns(made: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__struct_fields__}


def _count(books: Books, record: Record, events: int) -> None:
    counted = books.counted
    counted["tickets"] += 1
    counted[f"tickets {record.ticket.state}"] += 1
    counted["entries"] += record.entries
    counted["keys that fired"] += len(record.fired)
    counted["events with a penalty"] += events
    counted["clocks of closed tickets"] += len(record.outcomes)
    for name in ("halts", "complaints", "excuses", "verdicts", "deliveries", "bonds"):
        counted[name] += len(getattr(record, name))
    counted["merged"] += bool(record.merged_into)
    counted["workarounds"] += record.workaround is not None
    counted["stopped by a parent"] += bool(record.explained)
    counted["opened at a time that nobody knows"] += record.unsure

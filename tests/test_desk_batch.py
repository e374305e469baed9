"""A batch of events leaves the rows that its events leave one by one: what waits is seen and undone as if written."""

import sqlite3
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from desk.events import Parcel, Taken, take_events, unpack
from desk.incidents import set_rule
from desk.ledger import Ledger, append, check_books
from desk.period_store import keep_guard, keep_window
from desk.record import CANNOT, Books, Told
from model.alarm import AlarmState, Kind
from model.change import Change, Snapshot
from model.contract import Momentary
from model.incident import Rule
from model.period import GuardPeriod, Scope, Window
from model.protocol import Event, EventsRequest
from model.service.entry import Acknowledged, Closed, Entry, MergedInto
from model.service.record import Record
from tests.desk_world import CONTRACT, change
from tests.incident_world import Region

COUNTED = replace(
    CONTRACT, momentary=Momentary("alarm.momentary", 2, 86_400.0), faults={**CONTRACT.faults, "alarm.momentary": 4}
)
FAULTS = ("mains.lost", "battery.low", "room.hot", "link.down")
S = AlarmState
STATES = {
    Kind.PENDING: (S.PENDING, True, False),
    Kind.RAISED: (S.UNACKNOWLEDGED, True, True),
    Kind.ACKNOWLEDGED: (S.ACKNOWLEDGED, True, True),
    Kind.UPDATED: (S.UNACKNOWLEDGED, True, True),
    Kind.SUPPRESSED: (S.SUPPRESSED, True, True),
    Kind.SHELVED: (S.SHELVED, True, True),
    Kind.MOMENTARY: (S.NORMAL, False, False),
    Kind.CLEARED: (S.NORMAL, False, True),
}
CURSED = "cursed"  # a case of which a hook wants nothing, after rows of its Change were put to wait
HUGE = 2**63  # more than the file takes: found out only when the row is written


def refuse(_: Ledger, __: Record | None, after: Record, ___: Entry) -> None:
    """Take no entry of what is cursed: a hook."""
    if after.ticket.case == CURSED:
        raise ValueError(CURSED)


@st.composite
def changes(draw: st.DrawFn, *, spoilt: bool = False) -> Change:
    kind = draw(st.sampled_from(list(STATES)))
    state, active, opened = STATES[kind]
    fault, parent = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    by = kind is Kind.SUPPRESSED or (kind is Kind.PENDING and draw(st.booleans()))
    return change(
        "S1",
        FAULTS[fault],
        kind=kind,
        state=state,
        active=active,
        opened=opened,
        episode=f"e{draw(st.sampled_from([fault, fault + 4] + [0] * spoilt))}",  # 0: now and then another condition's
        revision=draw(st.sampled_from([1, 2, 3, 4, 5, 6, 7] + [HUGE] * spoilt)),
        explained_by=f"S1/ups/-/{FAULTS[parent]}" if by and parent != fault else "",
        acknowledged_by="Chen" if kind is Kind.ACKNOWLEDGED else "",
        case=draw(st.sampled_from(["lost", "worse"] + [CURSED] * spoilt)),
        level=draw(st.integers(1, 3)),
        flapping=draw(st.booleans()),
    )


def bodies(*, spoilt: bool) -> st.SearchStrategy[Any]:
    """Return what an event says: nearly always a Change; `spoilt`: some that cannot be taken are among them."""
    one = changes(spoilt=spoilt)
    many = st.lists(one, max_size=3).map(lambda each: Snapshot("S1", tuple(each), 1_700_000_090.0, 1000.0, "b"))
    return st.one_of(one, one, one, many, *[st.just({"type": "nothing"})] * spoilt)


AGES = st.sampled_from([0.0, 30.0, 600.0, 4000.0])


@st.composite
def days(draw: st.DrawFn) -> Any:
    """What stands before the batch, and the batch."""
    told = draw(st.lists(st.tuples(bodies(spoilt=draw(st.booleans())), AGES), min_size=1, max_size=12))
    windows = draw(st.lists(st.tuples(st.integers(-5000, 100), st.integers(1, 5000)), max_size=2))
    return told, windows, draw(st.booleans()), draw(st.lists(changes(), max_size=4)), draw(st.integers(0, 3))


def before(day: Any) -> Region:
    """Return books with windows, a guard period, other sites' outages, tickets that people have had in hand."""
    _, windows, guarded, stood, acts = day
    here = Region(COUNTED)
    set_rule(here.db, Rule(2, 900.0), here.now, "Li", "")
    here.site("S1")
    here.loses("S2")
    here.loses("S3")
    for start, length in windows:
        begin = here.now + start
        keep_window(here.db, Window(0, begin, begin + length, Scope(sites=("S1",)), "cable works", "Li"))
    if guarded:
        keep_guard(here.db, GuardPeriod(0, here.now - 300, here.now + 300, Scope(sites=("S1",)), "exams", "Li", ()))
    for each in stood:
        here.take(each, age=4500.0)
    for number, act in ((3, Acknowledged()), (4, MergedInto(3, "one fault")), (3, Closed()))[:acts]:
        append(here.ledger(), number, "Li", "page", act)
    return here


def whole(here: Region, request: EventsRequest) -> None:
    """Take a batch as the desk does: together, and when that cannot be, one by one in savepoints."""
    parcels = unpack(request)
    here.db.execute("BEGIN")
    try:
        _take(here, request, parcels, together=True)
    except CANNOT:
        here.db.execute("ROLLBACK")
        here.db.execute("BEGIN")
        _take(here, request, parcels, together=False)
    here.db.execute("COMMIT")


def alone(here: Region, request: EventsRequest) -> None:
    """Take each event in a request and a transaction of its own."""
    for event in request.events:
        whole(here, replace(request, events=(event,)))


def _take(here: Region, request: EventsRequest, parcels: tuple[Parcel, ...], *, together: bool) -> Taken:
    ledger = here.ledger()
    books = Books(
        replace(ledger, hooks=(refuse, *ledger.hooks)), here.sites["S1"], Told("agent", request.epoch, here.now)
    )
    return take_events(books, request, parcels, whole=together)


def kept(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Return every row of every table; of the audit without its numbers: what is refused is said after the rest."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    rows = {name: db.execute(f"SELECT * FROM {name}").fetchall() for (name,) in db.execute(sql).fetchall()}
    rows["audit"] = [row[1:] for row in rows["audit"]]
    return {name: sorted(map(repr, each)) for name, each in rows.items()}


@settings(max_examples=100, deadline=None)
@given(days())
def test_a_batch_leaves_the_same_rows_as_its_events_one_by_one(day: Any) -> None:
    events = tuple(
        Event(seq, age, msgspec.Raw(msgspec.json.encode(body))) for seq, (body, age) in enumerate(day[0], start=1)
    )
    request = EventsRequest("agent", "e", 1, 0.0, events)
    first, second = before(day), before(day)
    whole(first, request)
    alone(second, request)
    assert kept(first.db) == kept(second.db)
    assert check_books(first.db) == []

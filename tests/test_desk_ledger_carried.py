"""A file of version 2, made by that version's own statements, is taken over: its tickets get their entries."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from desk.carried import carry_over
from desk.core import FILE
from desk.ledger import Ledger, check_books, entries_of, record_of
from desk.schema import MIGRATIONS
from desk.store import Db
from model.alarm import AlarmState, Kind
from model.calendar import ALWAYS
from model.change import Change
from model.service.entry import Acknowledged, AlarmSeen, Closed, Opened
from model.ticket import TicketState
from runtime.writer import Writer
from tests.desk_world import Hands, a_desk, change, cleared, contracts, later
from tests.stores import of_a_file

pytestmark = of_a_file  # a database has no older versions yet
T = 1_799_000_000.0  # before the desk of the tests opens its file
# the statements of that version
SITE = "INSERT INTO sites VALUES ('S1', 'Site S1', 'practice', 'east', 'Asia/Shanghai')"
EPISODE = (
    "INSERT INTO episodes (id, condition, site, agent, revision, active, state, opened, explained_by, onset,"
    " changed, change) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
TICKET = (
    'INSERT INTO tickets (number, condition, site, state, level, provisional, "case", opened, episode,'
    " acknowledged, acknowledged_by, resolved, closed, explained_by, shelved)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
LINK = "INSERT INTO ticket_episodes VALUES (?, ?, ?)"
AUDIT = (
    "INSERT INTO audit (at, who, source, what, site, ticket, episode, detail) VALUES (?, ?, '', ?, 'S1', ?, ?, x'7b7d')"
)


def alarm(device: str, **more: Any) -> Change:
    return change(device=device, episode=f"e-{device}", **more)


def put(db: Db, said: Change, **ticket: Any) -> None:
    """Write an episode and its ticket as version 2 did."""
    each = said.alarm
    db.execute(
        EPISODE,
        (each.episode, each.condition, "S1", "agent-1", each.revision, each.active, each.state, each.opened,
         each.explained_by, T - 90, T, msgspec.json.encode(said)),
    )  # fmt: skip
    row = {"level": 2, "provisional": 0, "case": "lost", "opened": T, "acknowledged": None, "acknowledged_by": "",
           "resolved": None, "closed": None, "explained_by": "", "shelved": 0} | ticket  # fmt: skip
    number = db.execute(
        TICKET,
        (None, each.condition, "S1", row["state"], row["level"], row["provisional"], row["case"], row["opened"],
         each.episode, row["acknowledged"], row["acknowledged_by"], row["resolved"], row["closed"],
         row["explained_by"], row["shelved"]),
    ).lastrowid  # fmt: skip
    db.execute(LINK, (number, each.episode, T))
    db.execute(AUDIT, (T, "agent", "opened", number, each.episode))


def made(db: Db) -> None:
    db.execute(SITE)
    raised = alarm("standing", revision=3)
    put(db, raised, state="open")
    put(db, alarm("taken"), state="open", acknowledged=T + 60, acknowledged_by="Li", level=1, provisional=1)
    put(db, later(alarm("shelved"), Kind.SHELVED, AlarmState.SHELVED, shelved_by="Li"), state="open", shelved=1)
    put(db, cleared(alarm("over")), state="resolved", acknowledged=T + 60, acknowledged_by="Li", resolved=T + 600)
    mains = "S1/ups/-/mains.lost"
    child = later(alarm("child"), Kind.SUPPRESSED, AlarmState.SUPPRESSED, explained_by=mains)
    put(db, child, state="resolved", resolved=T + 5, explained_by=mains)
    put(db, cleared(alarm("closed")), state="closed", resolved=T + 600, closed=T + 2400)


@pytest.fixture
def old(tmp_path: Path) -> dict[int, dict[str, Any]]:
    """Make a file of version 2; returns its tickets."""
    writer = Writer(tmp_path / FILE, MIGRATIONS[:2])
    writer.put(made).result(10)

    def tickets(db: Db) -> dict[int, dict[str, Any]]:
        rows = db.execute("SELECT * FROM tickets")
        names = [column[0] for column in rows.description]
        return {row[0]: dict(zip(names, row, strict=True)) for row in rows}

    found = writer.put(tickets).result(10)
    writer.close()
    assert len(found) == 6
    return found


async def test_every_ticket_gets_entries_that_add_up_to_what_its_row_said(
    old: dict[int, dict[str, Any]], tmp_path: Path
) -> None:
    async with a_desk(tmp_path) as world:
        for row in await world.tickets():
            assert {name: row[name] for name in old[row["number"]]} == old[row["number"]]
            assert row["device"] == row["condition"].split("/")[1]
        assert await world.desk.store.read(check_books) == []
        acts = await world.desk.store.read(
            lambda db: {n: [type(each.act) for each in entries_of(db, n)][:4] for n in old}
        )
        assert [acts[n] for n in (4, 5, 6)] == [
            [Opened, Acknowledged, AlarmSeen],
            [Opened, AlarmSeen],
            [Opened, AlarmSeen, Closed],
        ]
        assert len(await world.rows("SELECT * FROM audit WHERE what = 'opened'")) == 6


async def test_a_crash_in_the_middle_is_gone_on_from(old: dict[int, dict[str, Any]], tmp_path: Path) -> None:
    writer = Writer(tmp_path / FILE, MIGRATIONS)
    work = lambda db: carry_over(Ledger(db, contracts, lambda _: ALWAYS, T), 4)  # noqa: E731
    assert writer.put(work).result(10) == 4
    writer.close()
    for _ in range(2):
        async with a_desk(tmp_path) as world:
            opened = await world.rows("SELECT ticket FROM entries WHERE what = 'opened' ORDER BY ticket")
            assert [row["ticket"] for row in opened] == sorted(old)
            assert await world.desk.store.read(check_books) == []


async def test_what_was_carried_over_goes_on(old: dict[int, dict[str, Any]], tmp_path: Path) -> None:
    clock = Hands()
    async with a_desk(tmp_path, clock) as world:
        agent = await world.agent()
        back = later(cleared(alarm("over")), Kind.RAISED, AlarmState.UNACKNOWLEDGED, active=True, case="lost")
        await agent.send(cleared(alarm("standing", revision=3)), msgspec.structs.replace(
            back, alarm=msgspec.structs.replace(back.alarm, episode="e-again", revision=1)
        ))  # fmt: skip
        records = await world.desk.store.read(lambda db: {n: record_of(db, n) for n in old})
        states = {n: record.ticket.state for n, record in records.items() if record}
        assert states[1] is TicketState.RESOLVED
        assert states[4] is TicketState.OPEN
        assert states[6] is TicketState.CLOSED
        again = await agent.send(alarm("closed", revision=1, title="x"), alarm("fresh"))
        assert again.json()["refused"] == []
        assert len(await world.tickets()) == 7
        assert await world.desk.store.read(check_books) == []


async def test_a_ticket_that_comes_again_is_a_recurrence_of_one_that_was_carried_over(
    old: dict[int, dict[str, Any]], tmp_path: Path
) -> None:
    async with a_desk(tmp_path) as world:
        agent = await world.agent()
        await agent.send(change(device="closed", episode="e-next"))
        (row,) = await world.rows("SELECT max(number) AS number FROM tickets")
        record = await world.desk.store.read(lambda db: record_of(db, row["number"]))
        assert record is not None
        assert [(bond.tie, bond.number) for bond in record.bonds] == [("recurrence", 6)]

"""The books of a storm: a desk that took it whole is found exact, and one that lies is caught."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from bench.storm_books import missing, wrong
from bench.storm_sites import Member, enrolled
from desk.core import Desk
from desk.events import take_events, unpack
from desk.record import Books, Told
from desk.settings import DeskSettings, shipped
from desk.store import Db, site_of
from model.protocol import EventsRequest

Storm = tuple[Path, list[Member]]


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Storm:
    folder = tmp_path_factory.mktemp("storm") / "desk"
    members = enrolled(folder, 12)
    desk = Desk(DeskSettings(state=folder), shipped)

    def take(db: Db, member: Member) -> int:
        request = msgspec.json.decode(member.body, type=EventsRequest)
        site = site_of(db, member.site)
        assert site is not None
        told = Told(member.agent, request.epoch, desk.clock().wall)
        return take_events(Books(desk.ledger(db), site, told), request, unpack(request)).acked

    for member in members:
        for _ in range(2):  # what comes twice changes nothing
            assert desk.store.writer.put(lambda db, member=member: take(db, member)).result() == member.events
    desk.close()
    return folder / "desk.sqlite", members


def test_a_storm_that_was_taken_whole_has_exact_books(storm: Storm) -> None:
    file, members = storm
    assert wrong(file, members) == []
    assert missing(file, [member.site for member in members], members) == []


def test_a_site_that_was_answered_and_is_not_there_is_missed(storm: Storm, tmp_path: Path) -> None:
    file, members = storm
    copy = tmp_path / "desk.sqlite"
    shutil.copy(file, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("UPDATE cursors SET seq = 4 WHERE agent = ?", (members[3].agent,))
    assert missing(copy, [members[3].site, members[4].site], members) == [
        "storm-00003 was answered and is not in the file"
    ]


LIES = {
    "a receipt that is gone": ("DELETE FROM receipts WHERE agent = :agent AND seq = 3", "4 receipts"),
    "an event in quarantine": ("INSERT INTO quarantine VALUES (:agent, 'e', 9, 's', 1.0, 'x', x'00')", "quarantine"),
    "a ticket that is gone": ("DELETE FROM tickets WHERE site = :site", "its tickets are"),
    "a ticket of a child": (
        "UPDATE tickets SET condition = :site || '/ac-1/-/cooling.failed' WHERE site = :site",
        "its tickets",
    ),
    "a ticket that is resolved": ("UPDATE tickets SET state = 'resolved' WHERE site = :site", "its tickets are"),
    "a child that nothing explains": (
        "UPDATE episodes SET explained_by = '' WHERE condition LIKE :site || '/ac-1/%'",
        "3 alarms are explained",
    ),
    "a child that is not on the ticket": (
        "DELETE FROM ticket_children WHERE condition LIKE :site || '/ac-1/%'",
        "3 alarms are on",
    ),
    "an episode that is not the ticket's": (
        "DELETE FROM ticket_episodes WHERE ticket = (SELECT number FROM tickets WHERE site = :site)",
        "holds 0 episodes",
    ),
    "an incident without a site": ("UPDATE incidents SET tickets = tickets - 1 WHERE :site <> ''", "incidents are"),
    "an opening told twice": (
        "INSERT INTO connector_outbox SELECT NULL, at, ticket, reason, body FROM connector_outbox LIMIT 1",
        "connectors heard",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_books_of_a_storm_that_lie_are_caught(storm: Storm, tmp_path: Path, lie: str) -> None:
    file, members = storm
    copy = tmp_path / "desk.sqlite"
    shutil.copy(file, copy)
    sql, sentence = LIES[lie]
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        assert db.execute(sql, {"agent": members[5].agent, "site": members[5].site}).rowcount > 0
    found = wrong(copy, members)
    assert any(sentence in each for each in found), found

"""The agent's journal: alarms and events in one transaction, epochs, healing."""

import sqlite3
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from agent.journal import Journal, Standing
from model.alarm import Alarm, AlarmState, Kind, Now
from model.change import Body, Change, Origin, Snapshot
from model.rule import Meaning
from runtime.clock import boot_id, now

ORIGIN = Origin("s", "d", "-", "mains.lost", "D", {"en": "Mains lost"}, Meaning.DANGER)


def standing(revision: int, *, wall: float = 1000.0) -> Standing:
    alarm = Alarm("s/d/-/mains.lost", AlarmState.UNACKNOWLEDGED, "lost", 2, True, "e1", revision, True, True)
    change = Change(Kind.RAISED, alarm, AlarmState.PENDING, ORIGIN, {}, wall, 5.0, boot_id())
    return Standing(alarm, change)


def bodies(journal: Journal) -> list[Body]:
    place = journal.position()
    rows = journal.waiting(place.epoch, 0, 1000)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    return [msgspec.json.decode(row.body, type=Body) for row in rows]  # type: ignore[arg-type]


def test_a_new_file_begins_its_epoch_with_a_snapshot_of_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    first = bodies(journal)
    assert len(first) == 1
    assert isinstance(first[0], Snapshot)
    assert first[0].changes == ()
    journal.close()


def test_identity_and_what_waits_survive_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    journal.record([standing(1), standing(2)]).result(10)
    before, events = journal.position(), bodies(journal)
    journal.close()
    again = Journal(tmp_path, "s")
    assert again.position() == before
    assert bodies(again) == events
    assert again.alarms()[0]["s/d/-/mains.lost"].revision == 2
    again.close()


def test_a_reinstalled_agent_has_another_identity(tmp_path: Path) -> None:
    one, two = Journal(tmp_path / "1", "s"), Journal(tmp_path / "2", "s")
    assert one.position().agent != two.position().agent
    assert one.position().epoch != two.position().epoch
    one.close()
    two.close()


def test_the_position_moves_by_the_desks_word_and_back_after_a_restore(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    journal.record([standing(n) for n in (1, 2, 3)], cursor=7).result(10)
    epoch = journal.position().epoch
    journal.acknowledge(epoch, 3, "desk-1").result(10)
    assert (journal.position().acked, journal.position().cursor) == (3, 7)
    journal.acknowledge(epoch, 1, "desk-2").result(10)
    assert (journal.position().acked, journal.position().cursor, journal.position().incarnation) == (1, 7, "desk-1")
    journal.acknowledge(epoch, 1, "desk-2", 0.9).result(10)
    assert (journal.position().cursor, journal.position().incarnation) == (7, "desk-2")
    journal.acknowledge(epoch, 1, "desk-3", 0.005).result(10)  # its clock is behind: its commands' ids begin there
    assert journal.position().cursor == 5
    journal.acknowledge(epoch, 99, "desk-2").result(10)
    assert journal.position().acked == 4
    journal.acknowledge("another epoch", 2, "desk-2").result(10)
    assert journal.position().acked == 4
    journal.close()


def test_a_new_epoch_begins_with_a_snapshot_and_carries_what_the_desk_has_not_had(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    journal.record([standing(1), standing(2), standing(3)]).result(10)
    old = journal.position().epoch
    journal.acknowledge(old, 2, "desk").result(10)
    snapshot = Snapshot("s", (), 1000.0, 5.0, boot_id(), "a conflict")
    assert journal.new_epoch(snapshot).result(10) != old
    events = bodies(journal)
    assert events[0] == snapshot
    assert [event.alarm.revision for event in events[1:] if isinstance(event, Change)] == [2, 3]
    assert journal.position().acked == 0
    journal.close()


def test_rows_the_desk_has_are_kept_for_seven_days_and_others_for_ever(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    journal.record([standing(1, wall=1000.0), standing(2, wall=1000.0)]).result(10)
    epoch = journal.position().epoch
    journal.acknowledge(epoch, 2, "desk").result(10)
    week = 7 * 86400
    assert journal.forget(Now(5 + week - 1, 1e12)).result(10) == 0
    assert journal.forget(Now(5 + week + 1, 0)).result(10) == 1
    assert [row.seq for row in journal.waiting(epoch, 2, 10)] == [3]
    journal.close()


def test_rows_of_another_boot_are_forgotten_only_by_a_clock_that_is_certain(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    journal.boot_id = "another"
    journal.record([standing(1)]).result(10)
    journal.acknowledge(journal.position().epoch, 2, "desk").result(10)
    month = Now(now().boot, now().wall + 30 * 86400)
    assert journal.forget(month, certain=False).result(10) == 0
    assert journal.forget(month).result(10) == 1
    journal.close()


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b""])
def test_a_damaged_file_is_put_aside_and_said(tmp_path: Path, damage: bytes) -> None:
    journal = Journal(tmp_path, "s")
    journal.record([standing(n) for n in range(1, 200)]).result(10)
    journal.close()
    path = tmp_path / "journal.db"
    whole = path.read_bytes()
    path.write_bytes(damage or whole[:8192] + b"\xff" * (len(whole) - 8192))
    again = Journal(tmp_path, "s")
    assert "was damaged" in again.healed
    assert list(tmp_path.glob("journal.db.damaged-*"))
    again.record([standing(1)]).result(10)
    again.close()


def test_the_reserve_is_given_back_once_and_set_aside_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    assert (tmp_path / "reserve").stat().st_size == 256 * 1024
    assert journal.give_reserve()
    assert not journal.give_reserve()
    assert journal.keep_reserve()
    journal.close()


def test_an_alarm_and_its_event_are_one_transaction(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    place = journal.position()
    blocked = journal.writer.put(
        lambda db: db.execute("INSERT INTO outbox VALUES (?, ?, '', 0, 0, '')", (place.epoch, place.last + 1))
    )
    blocked.result(10)
    with pytest.raises(sqlite3.IntegrityError):
        journal.record([standing(1)]).result(10)
    assert journal.alarms()[0] == {}
    journal.close()


def test_a_changed_alarm_replaces_the_kept_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "s")
    journal.record([standing(1)]).result(10)
    kept = replace(standing(1).alarm, clearing=12.0)
    journal.record([Standing(kept, None)]).result(10)
    assert journal.alarms()[0]["s/d/-/mains.lost"] == kept
    assert len(bodies(journal)) == 2
    journal.close()

"""A real desk whose wall clock is set under it: nothing is breached that was not, nothing fires twice, it says so."""

import signal
from pathlib import Path

import pytest

from tests.clock_world import RealDesk, a_real_desk

DAY = 86_400.0
LONG = 120.0  # seconds that a test's own steps may take on a busy machine, and far less than any limit


def opened(desk: RealDesk) -> list[float]:
    return [row[0] for row in desk.rows("SELECT opened FROM tickets ORDER BY number")]


def breached(desk: RealDesk) -> set[int]:
    return {ticket for ticket, _, step in desk.fired() if step == "breach"}


def another_boot(tmp_path: Path) -> Path:
    boot = tmp_path / "boot_id"
    boot.write_text("11111111-2222-3333-4444-555555555555\n", encoding="ascii")
    return boot


def test_a_clock_that_is_set_under_the_running_desk_freezes_it_until_it_agrees_again(tmp_path: Path) -> None:
    with a_real_desk(tmp_path) as desk:
        before = opened(desk)
        for number, days, note in ((3, 30, "clock_ahead"), (4, -30, "clock_behind")):
            desk.clock.set(days)
            assert desk.health()["clock_note"] == note  # at the first asking
            desk.fault(f"fan {number}")
            desk.looked_around()
            assert desk.fired() == []
            assert opened(desk)[:2] == before
            assert 0 <= opened(desk)[number - 1] - before[0] < LONG
            assert desk.rows(f"SELECT trust FROM entries WHERE ticket = {number}") == [("jumped",)]
            assert desk.record(number).unsure
            assert desk.metric('roundsman_desk_clock_trust{trust="jumped"}') == 1
            assert desk.metric("roundsman_desk_clock_ahead_seconds") == pytest.approx(days * DAY, abs=2)
            assert desk.client.get("/api/v1/clock").json()["note"] == note
            assert "escalations are frozen" in desk.client.get("/").text
            assert "暂停升级" in desk.client.get("/?lang=zh").text
            told = opened(desk)
            desk.clock.set(0)
            desk.trusts("sure")
            desk.looked_around()
            assert desk.fired() == []
            assert "escalations are frozen" not in desk.client.get("/?lang=en").text
            assert opened(desk) == told  # it was exact, and is sure now
            assert not desk.record(number).unsure
            assert "its times stand" in desk.client.get(f"/tickets/{number}?lang=en").text
        assert desk.heard() == ["clock_ahead", "clock_sure", "clock_behind", "clock_sure"]
        assert [row[0] for row in desk.rows("SELECT ticket FROM entries WHERE what = 'retimed' ORDER BY id")] == [3, 4]


def test_when_a_person_says_that_it_is_right_open_tickets_are_as_old_as_they_were(tmp_path: Path) -> None:
    with a_real_desk(tmp_path) as desk:
        before = opened(desk)
        for days, step in ((30, 30 * DAY), (-10, -40 * DAY)):
            desk.clock.set(days)
            desk.fault(f"fan {days}")  # while it is not sure
            asked = desk.command("trust-clock")
            assert (asked.returncode, "escalations are frozen" in asked.stderr) == (1, True)
            told = desk.command("trust-clock", "--yes", "--by", "Li", *(("--earlier",) if step < 0 else ()))
            assert told.returncode == 0, told.stderr
            desk.trusts("sure")
            desk.looked_around()
            assert desk.fired() == []
            assert opened(desk)[:2] == pytest.approx([each + step for each in before], abs=1)
            before = opened(desk)[:2]
            assert opened(desk)[-1] - before[0] < LONG
            assert (desk.record(1).moved, desk.record(len(opened(desk))).unsure) == (True, False)
        assert desk.record(4).moved is False  # it was exact from the beginning
        assert "moved with the desk" in desk.client.get("/tickets/1?lang=en").text
        confirmed = desk.rows("SELECT who, source FROM audit WHERE what = 'clock_confirmed'")
        assert confirmed == [("Li", "command")] * 2


def test_when_a_person_says_that_the_machine_stood_still_what_was_due_fires_once(tmp_path: Path) -> None:
    with a_real_desk(tmp_path) as desk:
        before = opened(desk)
        desk.clock.set(30)
        assert desk.health()["clock"] == "jumped"
        desk.fault("fan")
        assert desk.command("trust-clock", "--yes", "--stood-still").returncode == 0
        desk.trusts("sure")
        desk.looked_around()
        assert opened(desk)[:2] == before
        assert opened(desk)[2] - before[0] == pytest.approx(30 * DAY, abs=LONG)
        fired = desk.fired()
        assert breached(desk) == {1, 2}
        assert len(set(fired)) == len(fired)
        entries = desk.rows("SELECT count(*) FROM entries WHERE what = 'fired'")
        for days in (0, 60, 30):  # there and back again: nothing fires a second time
            desk.clock.set(days)
            desk.looked_around()
        assert desk.fired() == fired
        assert desk.rows("SELECT count(*) FROM entries WHERE what = 'fired'") == entries


def test_a_clock_that_is_set_while_the_desk_is_away_is_noticed_in_the_same_boot(tmp_path: Path) -> None:
    with a_real_desk(tmp_path) as desk:
        for days, how in ((30, signal.SIGKILL), (-30, signal.SIGTERM)):
            desk.stop(how)
            desk.clock.set(days)
            desk.start()
            assert desk.health()["clock"] == "jumped"
            desk.fault(f"fan {days}")
            desk.looked_around()
            assert desk.fired() == []
        desk.stop(signal.SIGKILL)
        desk.clock.set(0)
        desk.start()
        desk.trusts("sure")
        desk.looked_around()
        assert desk.fired() == []
        assert [desk.record(number).unsure for number in (3, 4)] == [False, False]
        assert desk.heard() == ["clock_ahead", "clock_behind", "clock_sure"]


def test_after_a_reboot_it_waits_for_a_person(tmp_path: Path) -> None:
    boot = another_boot(tmp_path)
    with a_real_desk(tmp_path) as desk:
        desk.stop()
        desk.clock.set(30)  # or thirty days passed: nobody can know
        desk.start(boot)
        assert desk.health()["clock_note"] == "clock_rebooted"
        desk.fault("fan")
        desk.stop()
        desk.start(boot)  # another start of that boot changes nothing
        desk.looked_around()
        assert desk.health()["clock_note"] == "clock_rebooted"
        assert desk.fired() == []
        assert desk.command("trust-clock", "--yes").returncode == 0
        desk.trusts("sure")
        desk.looked_around()
        assert breached(desk) == {1, 2}
        assert opened(desk)[2] - opened(desk)[1] == pytest.approx(30 * DAY, abs=LONG)  # of this boot: exact
        assert (desk.record(3).unsure, desk.record(1).moved) == (False, False)
        assert desk.heard() == ["clock_rebooted", "clock_confirmed", "clock_sure"]


def test_after_a_reboot_a_time_before_the_last_one_needs_another_word(tmp_path: Path) -> None:
    with a_real_desk(tmp_path) as desk:
        last = opened(desk)[1]
        desk.stop(signal.SIGKILL)  # what was kept last is older than the last entry
        desk.clock.set(-30)
        desk.start(another_boot(tmp_path))
        assert desk.health()["clock_note"] == "clock_earlier"
        desk.fault("fan")
        assert opened(desk)[2] >= last
        refused = desk.command("trust-clock", "--yes")
        assert (refused.returncode, "--earlier" in refused.stderr) == (1, True)
        assert desk.health()["clock"] == "unsynchronised"
        assert desk.command("trust-clock", "--yes", "--earlier").returncode == 0
        assert desk.health()["clock"] == "sure"
        desk.looked_around()
        assert desk.fired() == []
        for each in opened(desk):  # none waits for thirty days until its clocks run
            assert each == pytest.approx(last - 30 * DAY, abs=LONG)

"""A real desk whose wall clock is set under it: nothing is breached that was not, nothing fires twice, it says so."""

import signal
from pathlib import Path

import pytest

from tests.clock_world import RealDesk, a_real_desk

DAY = 86_400.0


def opened(desk: RealDesk) -> list[float]:
    return [row[0] for row in desk.rows("SELECT opened FROM tickets ORDER BY number")]


def breaches(desk: RealDesk) -> list[tuple[int, str, str]]:
    return [row for row in desk.fired() if row[2] == "breach"]


@pytest.mark.parametrize(("days", "note"), [(30, "clock_ahead"), (-30, "clock_behind")])
def test_a_clock_that_is_set_under_the_running_desk_freezes_it_until_it_agrees_again(
    tmp_path: Path, days: int, note: str
) -> None:
    with a_real_desk(tmp_path) as desk:
        before = opened(desk)
        desk.clock.set(days)
        assert desk.health()["clock_note"] == note  # at the first asking
        desk.fault("fan")
        desk.looked_around()
        assert desk.fired() == []
        assert opened(desk)[:2] == before
        assert 0 <= opened(desk)[2] - before[0] < 60
        assert desk.rows("SELECT trust FROM entries WHERE ticket = 3") == [("jumped",)]
        assert desk.metric('roundsman_desk_clock_trust{trust="jumped"}') == 1
        assert desk.metric("roundsman_desk_clock_ahead_seconds") == pytest.approx(days * DAY, abs=2)
        assert desk.client.get("/api/v1/clock").json()["note"] == note
        assert "escalations are frozen" in desk.client.get("/").text
        assert "暂停升级" in desk.client.get("/?lang=zh").text
        desk.clock.set(0)
        desk.trusts("sure")
        desk.looked_around()
        assert desk.fired() == []
        assert "escalations are frozen" not in desk.client.get("/?lang=en").text
        assert desk.heard() == [note, "clock_sure"]


def test_when_a_person_says_that_it_is_right_what_was_due_fires_once(tmp_path: Path) -> None:
    with a_real_desk(tmp_path) as desk:
        desk.clock.set(30)
        desk.looked_around()
        asked = desk.command("trust-clock")
        assert (asked.returncode, "escalations are frozen" in asked.stderr) == (1, True)
        assert desk.fired() == []
        told = desk.command("trust-clock", "--yes", "--by", "Li")
        assert told.returncode == 0, told.stderr
        desk.trusts("sure")
        desk.looked_around()
        fired = desk.fired()
        assert {row[0] for row in breaches(desk)} == {1, 2}
        assert len(set(fired)) == len(fired)
        entries = desk.rows("SELECT count(*) FROM entries WHERE what = 'fired'")
        for days in (0, 30, 60, 30):  # there and back again: nothing fires a second time
            desk.clock.set(days)
            desk.looked_around()
        assert desk.fired() == fired
        assert desk.rows("SELECT count(*) FROM entries WHERE what = 'fired'") == entries
        confirmed = desk.rows("SELECT who, source FROM audit WHERE what = 'clock_confirmed'")
        assert confirmed == [("Li", "command")]


@pytest.mark.parametrize(("days", "how"), [(30, signal.SIGKILL), (-30, signal.SIGTERM)])
def test_a_clock_that_is_set_while_the_desk_is_away_is_noticed_in_the_same_boot(
    tmp_path: Path, days: int, how: signal.Signals
) -> None:
    with a_real_desk(tmp_path) as desk:
        desk.stop(how)
        desk.clock.set(days)
        desk.start()
        assert desk.health()["clock"] == "jumped"
        desk.looked_around()
        assert desk.fired() == []
        desk.stop(how)
        desk.clock.set(0)
        desk.start()
        desk.trusts("sure")
        desk.looked_around()
        assert desk.fired() == []
        assert desk.heard() == ["clock_ahead" if days > 0 else "clock_behind", "clock_sure"]


def test_after_a_reboot_it_waits_for_a_person(tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("11111111-2222-3333-4444-555555555555\n", encoding="ascii")
    with a_real_desk(tmp_path) as desk:
        desk.stop()
        desk.clock.set(30)  # or thirty days passed: nobody can know
        desk.start(boot)
        assert desk.health()["clock_note"] == "clock_rebooted"
        desk.looked_around()
        desk.stop()
        desk.start(boot)  # another start of that boot changes nothing
        desk.looked_around()
        assert desk.health()["clock_note"] == "clock_rebooted"
        assert desk.fired() == []
        assert desk.command("trust-clock", "--yes").returncode == 0
        desk.trusts("sure")
        desk.looked_around()
        assert {row[0] for row in breaches(desk)} == {1, 2}
        assert desk.heard() == ["clock_rebooted", "clock_confirmed", "clock_sure"]


def test_after_a_reboot_a_time_before_the_last_one_needs_another_word(tmp_path: Path) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("11111111-2222-3333-4444-555555555555\n", encoding="ascii")
    with a_real_desk(tmp_path) as desk:
        last = opened(desk)[1]
        desk.stop()
        desk.clock.set(-30)
        desk.start(boot)
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

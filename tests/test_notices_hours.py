"""What waits and what does not: shifts that end in quiet hours, level 1 behind a lesser one, a roster that changes."""

from pathlib import Path

import pytest

from model.contract import Milestone
from model.roster import quiet_until
from model.service.entry import Reached
from tests.desk_world import change, cleared
from tests.rosters import TEXT, moment, roster_of
from tests.told_world import an_office, roster_file

HOUR = 3600.0


def three_shifts(text: str) -> str:
    text = text.replace("who: zhang, hours: 08:00-20:00", "who: zhang, hours: 16:00-24:00")
    return text.replace("who: li, hours: 20:00-08:00", "who: li, hours: 00:00-16:00")


def pager_only(text: str) -> str:
    return text.replace("mail: li@example.com, webhook: pager", "webhook: pager")


async def test_what_was_held_at_night_is_told_to_who_is_on_duty_at_the_end_of_it(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 23:00", three_shifts) as office:
        await office.fault()
        await office.carry()
        await office.on(8 * HOUR)
        assert office.told("zhang") == []  # went home at midnight
        assert len(office.told("li")) == 1


def test_quiet_hours_written_in_two_pieces_end_in_the_morning(tmp_path: Path) -> None:
    roster = roster_of(tmp_path, TEXT.replace("quiet: 22:00-07:00", "quiet: 00:00-07:00, 22:00-24:00"))
    assert quiet_until(roster, "li", moment("2026-11-20 23:00"), 2) == moment("2026-11-21 07:00")
    assert quiet_until(roster, "li", moment("2026-11-20 21:59:59"), 2) is None
    always = roster_of(tmp_path, TEXT.replace("quiet: 22:00-07:00", "quiet: 00:00-24:00"))
    end = quiet_until(always, "li", moment("2026-11-20 12:00"), 2)
    assert end is not None
    assert end > moment("2026-11-21 12:00")


async def test_what_could_not_be_told_by_day_is_not_tried_again_at_night(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 21:59", pager_only) as office:
        office.receiver.answers = [503]
        await office.fault()
        await office.carry()
        for seconds in (5, 10, 20):
            await office.on(seconds)
        tries = len(office.receiver.came)
        for _ in range(6):
            await office.on(HOUR)
        assert len(office.receiver.came) == tries == 4
        rows = await office.rows("SELECT DISTINCT state, after FROM notices WHERE person = 'li'")
        assert rows == [{"state": "waiting", "after": moment("2026-11-21 07:00")}]


async def test_what_waits_behind_another_message_until_the_night_is_held(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 21:59:50") as office:
        await office.fault()
        await office.carry()
        await office.fault("ups2")
        await office.on(31)
        assert len(office.told("li")) == 1
        await office.on(9 * HOUR)
        assert "#2 " in office.told("li")[1]


async def test_level_1_does_not_wait_for_the_next_try_of_a_lesser_message(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 19:00", lambda text: pager_only(three_shifts(text))) as office:
        people = office.world.desk.people
        assert people.file is not None
        office.world.clock.on(5 * HOUR + 8 * HOUR)  # 08:00, li's shift
        office.receiver.answers = [503]
        await office.fault()
        await office.carry()
        for seconds in (5, 10, 20, 40, 80, 160):
            await office.on(seconds)
        tries = len(office.receiver.came)
        office.receiver.answers = [204]
        await office.outage()
        await office.carry()
        assert [body["level"] for body in office.receiver.bodies()[tries:] if body["person"] == "li"] == [1]


async def test_level_1_does_not_wait_for_the_pause_after_a_lesser_message(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00", lambda text: text.replace("apart: 30s", "apart: 1h")) as office:
        await office.fault()
        await office.carry()
        await office.outage()
        await office.carry()
        assert ["2级" in text.splitlines()[0] for text in office.told("zhang")] == [True, False]
        await office.outage("node2")  # of the same level: in an hour
        await office.carry()
        assert len(office.told("zhang")) == 2


async def test_who_arrived_before_the_fault_came_back_does_not_stop_the_next_from_being_told(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.outage()
        await office.carry()
        await office.world.desk.write_act(1, "zhang", "test", Reached(Milestone.ARRIVE))
        await office.speaker.send(cleared(change(device="node", episode="e-node", fault="service.interrupted")))
        await office.on(60)
        await office.outage_again()
        await office.on(31)
        await office.on(15 * 60)
        rows = await office.rows("SELECT person FROM notices WHERE what = 'reopened' GROUP BY person ORDER BY min(id)")
        assert [row["person"] for row in rows] == ["zhang", "wang"]


async def test_who_leaves_the_roster_leaves_what_waited_to_who_has_the_shift_now(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.fault()
        await office.carry()
        await office.fault("ups2")  # in the pause after the first
        await office.carry()
        path = office.world.desk.people.path
        assert path is not None
        text = path.read_text().replace("  zhang: {name: 张伟, language: zh, mail: zhang@example.com}\n", "")
        path.write_text(text.replace("who: zhang", "who: wang"), encoding="utf-8")
        await office.on(31)
        assert [body["tickets"][0]["number"] for body in office.receiver.bodies()] == [2]
        assert (len(office.told("zhang")), office.told("chen")) == (1, [])


async def test_what_happens_while_the_roster_cannot_be_read_is_told_when_it_can(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00", lambda text: text.replace("apart:", "apert:")) as office:
        await office.fault()
        await office.carry()
        await office.on(600)
        assert office.post.mails == []
        roster_file(tmp_path, office.post, office.receiver, str)
        await office.on(1)
        assert len(office.told("zhang")) == 1


async def test_nobody_is_looked_for_any_more_for_what_is_over(tmp_path: Path) -> None:
    def never(text: str) -> str:
        return text.replace("      - {who: li, hours: 20:00-08:00}\n", "").replace("tell: [field, chen]", "tell: field")

    async with an_office(tmp_path, "2026-11-20 21:00", never) as office:
        raised = change(episode="e-ups", fault="mains.lost")
        await office.speaker.send(raised)
        await office.carry()
        await office.speaker.send(cleared(raised))
        await office.on(301)
        ends = await office.rows("SELECT nobody, again FROM occasions WHERE what = 'opened'")
        assert ends == [{"nobody": "no_need", "again": None}]


async def test_a_program_gets_the_number_of_every_ticket(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 20:30") as office:
        for number in range(25):
            await office.fault(f"ups{number}")
        await office.carry()
        (body,) = office.receiver.bodies()
        numbers = [ticket["number"] for ticket in body["tickets"]] + body["more"]
        assert (body["count"], numbers) == (25, list(range(1, 26)))


@pytest.mark.parametrize("hold", ["pager.secret", "roster.yaml"])
async def test_a_secret_that_is_changed_is_read_again(tmp_path: Path, hold: str) -> None:
    async with an_office(tmp_path, "2026-11-20 20:30") as office:
        if hold == "roster.yaml":  # first the secret is missing, then it comes: the roster's file never changes
            (tmp_path / "pager.secret").unlink()
            (tmp_path / hold).write_text((tmp_path / hold).read_text() + "\n")
            await office.carry()
            assert "cannot be read" in office.world.desk.people.problem
        (tmp_path / "pager.secret").write_text("a new secret\n", encoding="utf-8")
        (tmp_path / "pager.secret").chmod(0o600)
        await office.fault()
        await office.carry()
        assert office.receiver.proven("a new secret")
        assert len(office.receiver.came) == 1
        assert office.world.desk.people.problem == ""

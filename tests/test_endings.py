"""That it is over is heard by who was told of it, once; and nothing else is said of what is over."""

import asyncio
from pathlib import Path

import pytest

from desk.courier import Courier
from desk.messages import arrived
from model.service.entry import MergedInto
from runtime.writer import StoreError
from tests.desk_world import change, cleared
from tests.peers.house import until
from tests.told_world import Office, an_office

HOUR = 3600.0


async def a_fault_and_its_end(office: Office, device: str = "ups", after: float = 600.0) -> None:
    raised = change(device=device, episode=f"e-{device}", fault="mains.lost")
    await office.speaker.send(raised)
    await office.carry()
    await office.on(after)
    await office.speaker.send(cleared(raised))
    await office.carry()


async def test_who_was_told_of_a_fault_hears_once_that_it_is_over(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await a_fault_and_its_end(office)
        text = office.told("zhang")[1]
        assert text.splitlines()[:4] == [
            "2级  湛江二号站",
            "#1  市电中断 - UPS of the hall",
            "2026-11-20 12:10已恢复",
            "自2026-11-20 11:58起",
        ]
        assert office.post.mails[1]["headers"]["Subject"] == "【2级 已恢复】湛江二号站 市电中断 - UPS of the hall（#1）"
        await office.world.client.post("/api/v1/tickets/1/close", json={"by": "zhang"})
        for _ in range(3):
            await office.on(HOUR)
        assert len(office.post.mails) == 2


async def test_a_program_hears_that_it_is_over_and_nobody_who_was_not_told(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 20:30") as office:
        await a_fault_and_its_end(office)
        assert [body["tickets"][0]["what"] for body in office.receiver.bodies()] == [["opened"], ["over"]]
        assert (office.told("zhang"), office.told("chen")) == ([], [])


async def test_a_rule_may_say_that_nobody_hears_of_the_end(tmp_path: Path) -> None:
    def silent(text: str) -> str:
        return text.replace("tell: [field, chen]}", "tell: [field, chen], over: false}")

    async with an_office(tmp_path, "2026-11-20 12:00", silent) as office:
        await a_fault_and_its_end(office)
        assert len(office.post.mails) == 1


async def test_an_end_at_night_waits_for_the_morning_and_is_dropped_when_the_fault_is_back(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 21:50") as office:
        await a_fault_and_its_end(office, after=1800.0)
        assert len(office.told("li")) == 1
        await office.speaker.send(change(episode="e-again", fault="mains.lost"))
        await office.on(9 * HOUR)
        (_, text) = office.told("li")
        assert "The fault is back: the ticket is open again" in text
        assert "Over since" not in text


async def test_the_end_of_an_outage_is_told_at_night(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-21 03:00") as office:
        await office.outage()
        await office.carry()
        await office.on(600)
        await office.speaker.send(cleared(change(device="node", episode="e-node", fault="service.interrupted")))
        await office.on(31)
        assert "Over since 2026-11-21 03:10" in office.told("li")[-1].splitlines()


async def test_each_end_is_heard_once_however_often_the_fault_returns(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        for number in range(3):
            raised = change(episode=f"e{number}", fault="mains.lost")
            await office.speaker.send(raised)
            await office.on(60)
            await office.speaker.send(cleared(raised))
            await office.on(60)
        assert ["已恢复" in text for text in office.told("zhang")] == [False, True] * 3


async def test_who_was_told_of_a_ticket_that_was_merged_hears_when_the_other_is_over(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 19:50") as office:
        await office.fault("first")
        await office.carry()  # to zhang
        await office.on(1200)
        await office.fault("second")
        await office.carry()  # to li
        await office.world.desk.write_act(1, "boss", "test", MergedInto(2, "the same mains"))
        await office.on(60)
        assert "已并入#2，以该工单为准" in office.told("zhang")[-1].splitlines()
        assert "恢复" not in office.post.to("zhang@example.com")[-1]["headers"]["Subject"]
        await office.speaker.send(cleared(change(device="second", episode="e-second", fault="mains.lost")))
        await office.on(60)
        assert "#2 " in office.told("zhang")[-1]
        assert "已恢复" in office.told("zhang")[-1]
        assert "Over since" in office.told("li")[-1]


async def test_the_end_is_heard_although_the_message_that_told_of_it_came_late_with_another_ticket(
    tmp_path: Path,
) -> None:
    def pager_only(text: str) -> str:
        return text.replace("mail: li@example.com, webhook: pager", "webhook: pager")

    async with an_office(tmp_path, "2026-11-20 20:30", pager_only) as office:
        office.receiver.answers = [503]
        raised = change(device="one", episode="e-one", fault="mains.lost")
        await office.speaker.send(raised)
        await office.fault("two")
        await office.carry()
        await office.speaker.send(cleared(raised))
        await office.courier.look()
        office.receiver.answers = [204]
        await office.on(60)
        await office.on(60)
        first, second = office.receiver.bodies()[1:]
        assert [(each["number"], each["what"]) for each in first["tickets"]] == [(1, ["opened"]), (2, ["opened"])]
        assert [(each["number"], each["what"]) for each in second["tickets"]] == [(1, ["over"])]


# --- a desk that dies, a store that fails ---------------------------------------------------------------------------


def deaf(text: str) -> str:
    return text.replace("zhang@example.com", "deaf@example.com")


async def test_what_may_have_gone_out_before_a_kill_and_is_over_is_not_sent_again_but_its_end_is(
    tmp_path: Path,
) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00", deaf) as office:
        raised = change(episode="e-ups", fault="mains.lost")
        await office.speaker.send(raised)
        await office.courier.look()
        await asyncio.to_thread(until, lambda: office.told("deaf"), "the mail is there, and nobody says so")
        for task in office.courier._way.values():  # the desk dies here
            task.cancel()
        await office.courier.settle()
        office.courier = Courier(office.world.desk)
        await office.speaker.send(cleared(raised))
        office.world.clock.on(31)
        for _ in range(3):
            await office.courier.look()
        await asyncio.to_thread(until, lambda: len(office.told("deaf")) > 1, "the end is told")
        first, second = office.told("deaf")
        assert "新工单" in first
        assert "已恢复" in second
        await office.courier.end()


async def test_what_was_made_and_never_handed_over_before_a_kill_is_not_told_when_it_is_over(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        raised = change(episode="e-ups", fault="mains.lost")
        await office.speaker.send(raised)
        await office.world.desk.store.write(lambda db: office.courier._prepare(db, office.world.desk.people.file))
        office.courier = Courier(office.world.desk)
        await office.speaker.send(cleared(raised))
        for _ in range(3):
            await office.on(60)
        assert office.post.mails == []


async def test_a_mail_that_was_taken_is_not_sent_again_because_that_cannot_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("database or disk is full")

    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.fault()
        monkeypatch.setattr("desk.courier.arrived", full)
        for _ in range(5):
            await office.carry()
        assert len(office.post.mails) == 1
        monkeypatch.setattr("desk.courier.arrived", arrived)
        await office.carry()
        assert [row["state"] for row in await office.rows("SELECT state FROM messages")] == ["sent"]

"""Who is told what and when: by duty, level, quiet hours and ladder; never the same twice."""

from pathlib import Path

from desk.letter_words import LETTER, WHATS
from model.alarm import Kind
from model.service.entry import LevelSet
from model.telling import What
from tests.desk_world import change, cleared
from tests.told_world import an_office

HOUR = 3600.0


async def test_who_is_on_duty_is_told_in_their_language_what_is_due_when(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.fault()
        await office.carry()
        (text,) = office.told("zhang")
        assert text.splitlines()[:6] == [
            "2级  湛江二号站",
            "#1  市电中断 - UPS of the hall",
            "新工单",
            "自2026-11-20 11:58起",
            "时限：抵达现场 2026-11-20 16:00前",
            "时限：恢复 2026-11-20 20:00前",
        ]
        assert text.splitlines()[6].endswith("/tickets/1")
        (mail,) = office.post.mails
        assert mail["headers"]["Subject"] == "【2级】湛江二号站 市电中断 - UPS of the hall（#1）"
        assert office.receiver.came == []


async def test_the_night_shift_is_told_in_english_by_mail_and_webhook(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 20:30") as office:
        await office.fault()
        await office.carry()
        (text,) = office.told("li")
        assert text.splitlines()[:3] == ["Level 2  湛江二号站", "#1  Mains lost - UPS of the hall", "New ticket"]
        assert "Due: Arrived on site by 2026-11-21 00:30" in text
        (body,) = office.receiver.bodies()
        assert body["person"] == "li"
        assert body["tickets"][0]["due"] == {"arrive/2": 1_795_192_200.0, "restore/2": 1_795_206_600.0}
        assert office.receiver.proven("a secret")
        assert office.told("zhang") == []


async def test_nobody_is_told_the_same_twice(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.fault()
        await office.carry()
        await office.speaker.send(change(episode="e-ups"), first=1)  # the agent sends it again
        for _ in range(5):
            await office.on(60)
        assert len(office.post.mails) == 1


async def test_a_warning_a_breach_and_an_upgrade_say_which_clock(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 09:00") as office:
        await office.fault()
        await office.carry()
        await office.on(3 * HOUR)  # three quarters of the four hours to arrive
        await office.on(HOUR + 1)
        warned, late = office.told("zhang")[1:]
        assert "即将超时：抵达现场，2026-11-20 13:00前" in warned.splitlines()
        assert "超时：抵达现场，应于2026-11-20 13:00" in late.splitlines()
        assert office.post.mails[-1]["headers"]["Subject"].startswith("【2级 超时】")
        await office.on(4 * HOUR)  # 17:00:01: not restored; level 1 from now on, whose five hours are over too
        raised = office.told("zhang")[-1]
        assert "因恢复超时（应于2026-11-20 17:00），升为1级" in raised.splitlines()
        assert "按合同须通知：省公司协调" not in raised
        assert any("按合同须通知：省公司协调" in text for text in office.told("chen"))


async def test_one_clock_that_warns_and_is_over_by_now_is_told_once(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 09:00") as office:
        await office.fault()
        await office.carry()
        await office.on(4 * HOUR + 1)  # the desk was away: warning and breach at one time
        text = office.told("zhang")[-1]
        assert len(office.told("zhang")) == 2
        assert "即将超时" not in text
        assert text.count("抵达现场") == 1


# --- quiet hours ----------------------------------------------------------------------------------------------------


async def test_in_quiet_hours_it_is_held_and_told_in_one_message_at_their_end(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 23:00") as office:
        await office.fault("ups")
        await office.fault("ups2")
        await office.carry()
        await office.on(7 * HOUR + 3599)
        assert office.post.mails == []
        assert office.receiver.came == []
        await office.on(1)  # 07:00
        (text,) = office.told("li")
        assert "#1 " in text
        assert "#2 " in text
        assert office.post.mails[0]["headers"]["Subject"] == "2 tickets, level 2 the worst"
        assert len(office.receiver.came) == 1


async def test_what_is_over_by_the_end_of_the_quiet_hours_is_not_told(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 23:00") as office:
        raised = change(episode="e-ups")
        await office.speaker.send(raised)
        await office.carry()
        await office.speaker.send(cleared(raised))
        await office.on(9 * HOUR)
        assert office.post.mails == []
        assert await office.rows("SELECT * FROM notices") == []
        assert await office.rows("SELECT * FROM occasions WHERE again IS NOT NULL") == []


async def test_level_1_is_told_at_night_with_what_was_held_of_the_same_ticket(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 22:30") as office:
        await office.fault()
        await office.carry()
        assert office.post.mails == []
        await office.world.desk.write_act(1, "boss", "test", LevelSet(1, "the customer called"))
        await office.carry()
        (text,) = office.told("li")
        assert text.splitlines()[2:4] == ["New ticket", "Now level 1"]
        await office.on(9 * HOUR)
        assert not any("New ticket" in each for each in office.told("li")[1:])


async def test_an_outage_at_night_is_told_at_once(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-21 03:00") as office:
        await office.outage()
        await office.carry()
        (text,) = office.told("li")
        assert text.startswith("Level 1  湛江二号站  (level provisional)\n#1  Service interrupted")
        assert office.post.to("li@example.com")[0]["headers"]["Importance"] == "high"


# --- the ladder -----------------------------------------------------------------------------------------------------


async def test_the_next_is_told_when_nobody_takes_the_ticket_in_time(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.outage()
        await office.carry()
        assert [body["person"] for body in office.receiver.bodies()] == ["wang"]  # the province's office; chen by mail
        await office.on(15 * 60)
        assert {tuple(mail["to"]) for mail in office.post.mails} == {("zhang@example.com",), ("chen@example.com",)}
        told = [
            (row["person"], row["step"]) for row in await office.rows("SELECT person, step FROM notices ORDER BY id")
        ]
        assert told[:4] == [
            ("zhang", "opened"), ("wang", "tell 0 province"), ("chen", "tell 0 province"), ("wang", "opened"),
        ]  # fmt: skip
        await office.on(15 * 60)
        assert ("chen", "opened") in [
            (row["person"], row["step"]) for row in await office.rows("SELECT person, step FROM notices")]  # fmt: skip


async def test_nobody_more_is_told_of_a_ticket_that_somebody_took(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.outage()
        await office.carry()
        answer = await office.world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "zhang"})
        assert answer.status_code == 200
        await office.on(3600)
        rows = await office.rows("SELECT person FROM notices WHERE step = 'opened'")
        assert [row["person"] for row in rows] == ["zhang"]


async def test_a_reopened_ticket_is_told_again(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        raised = change(episode="e1")
        await office.speaker.send(raised)
        await office.carry()
        await office.speaker.send(cleared(raised))
        await office.on(60)
        await office.speaker.send(change(episode="e2", kind=Kind.RAISED))
        await office.on(60)
        assert "故障重现，工单重新开启" in office.told("zhang")[2].splitlines()


# --- who is not there -----------------------------------------------------------------------------------------------


async def test_when_mail_is_refused_the_next_is_told_and_it_is_said(tmp_path: Path) -> None:
    def gone(text: str) -> str:
        return text.replace("zhang@example.com", "gone@example.com")

    async with an_office(tmp_path, "2026-11-20 12:00", gone) as office:
        await office.fault()
        await office.carry()
        assert office.told("gone") == []
        assert len(office.told("chen")) == 1
        (reach,) = await office.rows("SELECT * FROM reach WHERE failing IS NOT NULL")
        assert (reach["person"], reach["channel"]) == ("zhang", "mail:gone@example.com")
        assert "550 5.1.1 no such mailbox" in reach["why"]
        await office.fault("ups2")  # the next ticket is told to both at once
        await office.on(31)
        assert len(office.told("chen")) == 2


async def test_when_mail_is_refused_and_somebody_took_the_ticket_nobody_more_is_told(tmp_path: Path) -> None:
    def busy(text: str) -> str:
        return text.replace("zhang@example.com", "busy@example.com")

    async with an_office(tmp_path, "2026-11-20 12:00", busy) as office:
        await office.fault()
        await office.carry()
        await office.world.client.post("/api/v1/tickets/1/acknowledge", json={"by": "zhang"})
        for seconds in (5, 10, 20, 40):
            await office.on(seconds)
        assert office.told("chen") == []


async def test_a_server_that_is_busy_is_tried_again_and_meanwhile_the_next_is_told(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 20:30", _pager_only) as office:
        office.receiver.answers = [503, 503, 503, 503, 204]
        await office.fault()
        await office.carry()
        names = [headers["webhook-id"] for headers, _ in office.receiver.came]
        assert len(names) == 1
        for seconds in (5, 10, 20):
            await office.on(seconds)
        assert len(office.told("chen")) == 1  # after three tries
        await office.on(40)
        names = [headers["webhook-id"] for headers, _ in office.receiver.came]
        assert len(names) == 5
        assert len(set(names)) == 1  # the same message each time
        assert len({body for _, body in office.receiver.came}) == 1
        (reach,) = await office.rows("SELECT * FROM reach WHERE person = 'li'")
        assert (reach["failing"], reach["tries"]) == (None, 0)


def _pager_only(text: str) -> str:
    return text.replace("mail: li@example.com, webhook: pager", "webhook: pager")


async def test_what_is_over_before_it_could_be_told_is_not_tried_again(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 20:30", _pager_only) as office:
        office.receiver.answers = [503]
        raised = change(episode="e-ups")
        await office.speaker.send(raised)
        await office.carry()
        await office.speaker.send(cleared(raised))
        for seconds in (5, 10, 20, 40, 80):
            await office.on(seconds)
        assert len(office.receiver.came) == 1
        assert office.told("chen") == []


async def test_when_nobody_can_be_reached_it_is_said(tmp_path: Path) -> None:
    def all_gone(text: str) -> str:
        for name in ("zhang", "chen"):
            text = text.replace(f"{name}@example.com", "gone@example.com")
        return text

    async with an_office(tmp_path, "2026-11-20 12:00", all_gone) as office:
        await office.fault()
        await office.carry()
        (row,) = await office.rows("SELECT nobody, again FROM occasions")
        assert (row["nobody"], row["again"]) == ("unreached", None)


async def test_when_nobody_is_on_duty_whoever_comes_next_is_told(tmp_path: Path) -> None:
    def by_day(text: str) -> str:
        return text.replace("      - {who: li, hours: 20:00-08:00}\n", "").replace("tell: [field, chen]", "tell: field")

    async with an_office(tmp_path, "2026-11-21 07:30", by_day) as office:
        await office.fault()
        await office.carry()
        assert [row["nobody"] for row in await office.rows("SELECT nobody FROM occasions")] == ["off_duty"]
        for _ in range(6):
            await office.on(301)
        assert len(office.told("zhang")) == 1
        assert [row["nobody"] for row in await office.rows("SELECT nobody FROM occasions")] == [""]


async def test_without_a_rule_for_a_level_nobody_is_told_and_it_is_said(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00", lambda text: text.replace("[2, 3]", "3")) as office:
        await office.fault()
        await office.carry()
        assert [row["nobody"] for row in await office.rows("SELECT nobody FROM occasions")] == ["no_rule"]


# --- many -----------------------------------------------------------------------------------------------------------


async def test_a_storm_is_a_few_messages_with_the_worst_first(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        for number in range(30):
            await office.fault(f"ups{number}")
        await office.outage()
        await office.carry()
        assert len(office.told("zhang")) == 1
        text = office.told("zhang")[0]
        assert text.startswith("1级  湛江二号站")
        assert "……另有11张：2级11张" in text
        await office.fault("late")
        await office.on(29)
        assert len(office.told("zhang")) == 1
        await office.on(1)
        assert len(office.told("zhang")) == 2


async def test_a_ticket_that_cannot_be_read_is_told_barely_and_silences_no_other(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        await office.fault("spoilt")
        await office.fault("good")
        spoil = "UPDATE episodes SET change = x'7b7d' WHERE id = 'e-spoilt'"
        await office.world.desk.store.write(lambda db: db.execute(spoil).rowcount)
        await office.carry()
        (text,) = office.told("zhang")
        bare, whole = text.split("\n\n")[:2]
        assert bare.splitlines()[:3] == ["2级  湛江二号站", "#1  mains.lost", "工单记录无法读取，见值班台日志"]
        assert whole.splitlines()[1] == "#2  市电中断 - UPS of the hall"


def test_every_word_is_there_in_both_languages() -> None:
    assert set(WHATS) == set(What)
    for english, chinese in (*LETTER.values(), *WHATS.values()):
        assert english.isascii()
        assert any(sign > "\u4e00" for sign in chinese)

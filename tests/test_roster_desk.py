"""The roster at the running desk: for programs, at the command line, on the System page; its document."""

import contextlib
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.reader import read_text
from config.roster import parse_roster
from model.roster import duties
from roundsman.cli import run
from tests.desk_world import a_desk
from tests.post_office import a_mail_server, a_receiver
from tests.rosters import SHANGHAI, TEXT, file_of, moment
from tests.test_courier import Running
from tests.told_world import an_office, roster_file

DOC = Path(__file__).parent.parent / "docs" / "rosters.md"
DAY = 86_400.0


async def test_programs_hear_who_is_on_duty_and_when_nobody_is(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        found = (await office.world.client.get("/api/v1/roster", params={"days": 2})).json()
        field, wang = found["teams"]
        assert [duty["person"] for duty in field["on_duty"]] == ["zhang"]
        assert field["on_duty"][0]["start"] == moment("2026-11-20 08:00")
        assert field["on_duty"][0]["end"] == moment("2026-11-20 20:00")
        assert [duty["person"] for duty in field["ahead"]] == ["zhang", "li", "zhang", "li", "zhang"]
        assert field["gaps"] == []
        assert [duty["name"] for duty in wang["on_duty"]] == ["Wang Fang"]
        later = (await office.world.client.get("/api/v1/roster", params={"at": moment("2026-11-20 21:00")})).json()
        assert [duty["person"] for duty in later["teams"][0]["on_duty"]] == ["li"]
        assert (await office.world.client.get("/api/v1/roster?days=nan")).status_code == 400


async def test_a_substitute_is_told_and_stands_in_the_audit_until_withdrawn(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        client = office.world.client
        said = {"absent": "zhang", "stand_in": "chen", "start": moment("2026-11-20 12:00"),
                "end": moment("2026-11-20 18:00"), "by": "boss", "reason": "ill"}  # fmt: skip
        first = await client.post("/api/v1/roster/swaps", json=said, headers={"Idempotency-Key": "k1"})
        again = await client.post("/api/v1/roster/swaps", json=said, headers={"Idempotency-Key": "k1"})
        assert (first.status_code, first.json()) == (201, again.json())
        await office.fault()
        await office.carry()
        assert (len(office.told("chen")), len(office.told("zhang"))) == (1, 0)
        assert "substitute" in await office.world.audit()
        gone = await client.post("/api/v1/roster/swaps/1/withdraw", json={"by": "boss"})
        assert gone.status_code == 200
        assert (await client.post("/api/v1/roster/swaps/1/withdraw", json={"by": "boss"})).status_code == 404
        await office.fault("ups2")
        await office.on(31)
        assert (len(office.told("chen")), len(office.told("zhang"))) == (1, 1)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"stand_in": "nobody"}, "no_person"), ({"stand_in": "zhang"}, "itself"), ({"end": 0.0}, "times"),
     ({"end": moment("2026-11-20 11:00"), "start": moment("2026-11-20 10:00")}, "times"),
     ({"end": moment("2026-11-20 13:00") + 93 * DAY}, "times")],
)  # fmt: skip
async def test_a_substitute_that_makes_no_sense_is_refused(
    tmp_path: Path, change: dict[str, object], error: str
) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00") as office:
        said = {"absent": "zhang", "stand_in": "chen", "start": moment("2026-11-20 12:00"),
                "end": moment("2026-11-20 18:00"), "by": "boss"}  # fmt: skip
        answer = await office.world.client.post("/api/v1/roster/swaps", json=said | change)
        assert (answer.status_code, answer.json()["error"]) == (422, error)
        assert await office.rows("SELECT * FROM swaps") == []


async def test_what_no_rule_of_the_roster_tells_is_on_the_pages_and_in_metrics(tmp_path: Path) -> None:
    async with an_office(tmp_path, "2026-11-20 12:00", lambda text: text.replace("[2, 3]", "3")) as office:
        await office.fault()
        await office.carry()
        client = office.world.client
        for path, lang, words in (
            ("/system", "en", "the roster has no rule for it"),
            ("/system", "zh", "值班表未规定"),
            ("/roster", "zh", "值班表未规定"),
        ):
            assert words in (await client.get(path, headers={"accept-language": lang})).text
        (untold,) = (await client.get("/api/v1/roster")).json()["untold"]
        assert (untold["ticket"], untold["why"]) == (1, "no_rule")
        assert "\nroundsman_desk_notices_untold 1.0\n" in (await client.get("/metrics")).text


async def test_whoever_cannot_be_reached_is_on_the_system_page_and_in_metrics(tmp_path: Path) -> None:
    def gone(text: str) -> str:
        for name in ("zhang", "chen"):
            text = text.replace(f"{name}@example.com", "gone@example.com")
        return text

    async with an_office(tmp_path, "2026-11-20 12:00", gone) as office:
        await office.fault()
        await office.carry()
        page = (await office.world.client.get("/system", headers={"accept-language": "zh"})).text
        assert "无法通知: <b>张伟</b> (mail:gone@example.com)" in page
        assert "550 5.1.1 no such mailbox" in page
        assert "均无法通知" in page
        metrics = (await office.world.client.get("/metrics")).text
        for line in ("people_unreachable 2.0", "notices_untold 1.0", "notices_waiting 0.0"):
            assert f"\nroundsman_desk_{line}\n" in metrics
        assert 'roundsman_desk_messages_total{result="given_up"} 2.0' in metrics
        path = office.world.desk.people.path
        assert path is not None
        path.write_text(path.read_text().replace("gone@example.com", "mended@example.com"), encoding="utf-8")
        await office.fault("ups2")
        await office.on(31)
        assert "gone@example.com" not in (await office.world.client.get("/system")).text
        assert "\nroundsman_desk_people_unreachable 0.0\n" in (await office.world.client.get("/metrics")).text


async def test_a_desk_without_a_roster_says_so(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as world:
        assert "No roster: nobody is told of anything." in (await world.client.get("/system")).text
        assert (await world.client.get("/api/v1/roster")).json()["digest"] == ""


# --- the command line -----------------------------------------------------------------------------------------------


def test_a_good_file_is_good_and_a_gap_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file_of(tmp_path)
    path = tmp_path / "roster.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert run(["roster", "check", str(path), "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "4 people, 2 teams: good." in said
    assert "note: no rule for level 4: nobody is told" in said
    path.write_text(TEXT.replace("hours: 20:00-08:00", "hours: 20:00-07:00"), encoding="utf-8")
    assert run(["roster", "check", str(path), "--lang", "zh", "--days", "2"]) == 1
    assert re.search(r"现场班：\S+ 07:00至\S+ 08:00无人值班", capsys.readouterr().out)
    path.write_text(TEXT.replace("who: zhang", "who: zang"), encoding="utf-8")
    assert run(["roster", "check", str(path)]) == 1
    assert 'there is no "zang"; did you mean "zhang"?' in capsys.readouterr().err


def test_a_file_is_shown_without_a_desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file_of(tmp_path)
    path = tmp_path / "roster.yaml"
    path.write_text(TEXT, encoding="utf-8")
    words = ["roster", "show", "--file", str(path), "--at", "2026-11-20 21:00", "--days", "1", "--lang", "en"]
    assert run(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Field crew: On duty at 2026-11-20 21:00: Li Na"
    assert lines[1] == "Office: On duty at 2026-11-20 21:00: nobody"
    assert "Field crew  张伟" in "\n".join(lines)


def test_a_running_desk_is_asked_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_mail_server(tmp_path) as post, a_receiver() as receiver, contextlib.ExitStack() as stack:
        stack.enter_context(Running(tmp_path, roster_file(tmp_path, post, receiver, str)))
        common = ["--state", str(tmp_path / "state"), "--lang", "en"]
        swap = ["roster", "swap", "zhang", "chen", "--until", "2099-01-01"]
        assert run([*swap, *common]) == 1
        assert "of at most 92 days" in capsys.readouterr().err
        assert run(["roster", "swap", "zhang", "chen", "--until", "25:00", *common]) == 1
        assert "is no time" in capsys.readouterr().err
        tomorrow = f"{datetime.now(SHANGHAI) + timedelta(days=1):%Y-%m-%d %H:%M}"
        assert run(["roster", "swap", "zhang", "chen", "--until", tomorrow, *common]) == 0
        assert f"Substitute 1: chen for zhang, {datetime.now(SHANGHAI):%Y-%m-%d}" in capsys.readouterr().out
        assert run(["roster", "show", *common]) == 0
        said = capsys.readouterr().out
        assert "Field crew: On duty at" in said
        assert "Substitute 1: chen for zhang" in said
        assert run(["roster", "withdraw", "1", *common]) == 0
        assert "Substitute 1 is withdrawn." in capsys.readouterr().out
        assert run(["roster", "withdraw", "7", *common]) == 1
        assert "No substitute 7 stands now." in capsys.readouterr().err


# --- the document ---------------------------------------------------------------------------------------------------


def test_the_documents_roster_is_good(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    for name in ("mail.password", "pager.secret"):
        (tmp_path / name).write_text("a secret", encoding="utf-8")
    roster = parse_roster(read_text(block[1], "rosters.md"), tmp_path).roster
    start = moment("2026-11-02 00:00")
    assert [duty.person for duty in duties(roster, "field", start, start + DAY)] == ["zhang", "li"]


def test_every_key_of_the_file_stands_in_the_document() -> None:
    from config import roster_text

    said = DOC.read_text(encoding="utf-8")
    for text in (roster_text.RosterText, roster_text.PersonText, roster_text.TeamText, roster_text.ShiftText,
                 roster_text.RuleText, roster_text.MailText, roster_text.WebhookText):  # fmt: skip
        for key in text.__struct_encode_fields__:
            assert re.search(rf"\b{key}\b", said), key

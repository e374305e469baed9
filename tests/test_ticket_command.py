"""`roundsman ticket` against a running desk: what people may say, told back, and refusals in two languages."""

import itertools
import json
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model.ticket_protocol import SAYABLE
from roundsman.tickets.verbs import VERBS
from tests.desk_process import a_desk_process
from tests.said import said


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("desk")
    with a_desk_process(folder, S1="power-vendor", T="telecom-transmission", A="outsourcing-abcd"):
        yield folder


class Teller:
    """Says things of one ticket of the running desk."""

    def __init__(self, state: Path, number: int) -> None:
        self.number = number
        self.common = ["--state", str(state), "--by", "Li"]

    def run(self, words: str, *more: str) -> tuple[int, str, str]:
        return said("ticket", str(self.number), *shlex.split(words), *self.common, *more)

    def takes(self, words: str) -> dict[str, Any]:
        """Say something that must be taken; the ticket as it is then."""
        status, out, err = self.run(words, "--json")
        assert (status, err) == (0, ""), (words, err)
        ticket: dict[str, Any] = json.loads(out)
        return ticket

    def refuses(self, words: str, *more: str) -> str:
        status, out, err = self.run(words, *more)
        assert (status, out) == (1, ""), words
        return err.strip()


DEVICES = itertools.count()


@pytest.fixture
def ticket(state: Path) -> Teller:
    return opened(state, f"device {next(DEVICES)}")


def opened(state: Path, device: str, site: str = "S1", *more: str) -> Teller:
    words = ["ticket", "open", site, "mains.lost", "--device", device, "--state", str(state), "--by", "Li", "--json"]
    status, out, err = said(*words, *more)
    assert (status, err) == (0, "")
    return Teller(state, json.loads(out)["number"])


def test_the_verbs_say_every_act_that_people_may_say() -> None:
    assert {verb.what for verb in VERBS.values()} | {"asked_for"} == set(SAYABLE)


def test_a_ticket_is_lived_from_the_command_line(ticket: Teller, state: Path) -> None:
    other = opened(state, "other")
    assert ticket.takes("acknowledge --seen 1")["acknowledged_by"] == "Li"
    ticket.takes("start report")
    for milestone in ("accept", "respond", "contact", "remote", "depart", "arrive", "substitute"):
        assert milestone in ticket.takes(f"{milestone} --note here")["marks"], milestone
    assert ticket.takes("handle remote --why 'it answers'")["handling"] == "remote"
    assert ticket.takes("pause supplier --reason 'a board'")["paused"] is True
    assert ticket.takes("resume")["paused"] is False
    assert ticket.takes("cover in_warranty --reason 'new in May'")["cover"] == "in_warranty"
    assert ticket.takes(f"link {other.number} --tie child --why 'its mains'")["links"][0]["tie"] == "child"
    assert ticket.takes("repair --part fan --consumable")["repair"]["consumable"] is True
    assert ticket.takes("repair-failed --reason 'stopped again'")["repair"] is None
    assert ticket.takes("workaround --reason 'no part' --due 2999-01-01 --accepted-by Wang")["workaround"] is True
    assert ticket.takes("restore")["marks"]["restore"]["counts"] is True
    assert ticket.takes("take-back restore --reason 'dark again'")["state"] == "open"
    ticket.takes("restore")
    assert ticket.takes("resolve")["state"] == "resolved"
    assert ticket.takes("confirm restore --side customer")["marks"]["restore"]["sides"] == ["service", "customer"]
    assert ticket.takes("close --note done")["state"] == "closed"
    assert ticket.takes("customer dissatisfied --signed-by Wang --side customer")["verdicts"][0]["satisfied"] is False
    status, out, _ = said("ticket", str(ticket.number), "entries", "--state", str(state), "--lang", "en")
    assert status == 0
    assert out.splitlines()[1].split()[3:5] == ["Li", "Maintenance"]
    assert "Closed" in out.splitlines()[-2]


def test_papers_conditions_and_levels_are_the_contracts(state: Path) -> None:
    ticket = opened(state, "papers", "T")
    assert ticket.takes("level 1 --reason 'the hospital'")["level"] == 1
    assert ticket.takes("complain c1 complaint 'nobody called'")["complaints"][0]["text"] == "nobody called"
    assert ticket.takes("judge c1 proven --reason 'the log says so'")["points"] < 0
    assert ticket.takes("excuse fault_late spare_unavailable --accepted-by Wang")["excuses"]
    assert ticket.takes("document analysis --asked")["documents"][0]["document"] == "analysis"
    assert ticket.takes("document analysis --signed-by Wang")["documents"][0]["delivered"] is not None
    assert ticket.takes("charge thanks --note letter")["charges"][0]["event"] == "thanks"
    provisional = opened(state, "odd", "T", "--case", "odd")
    if provisional.takes("")["provisional"]:
        assert provisional.takes("agree 2 --side customer")["agreed"] == {"customer": 2}


def test_a_level_is_said_as_the_contract_says_it(state: Path) -> None:
    ticket = opened(state, "letters", "A")
    before = ticket.takes("")["level_code"]
    other = "A" if before != "A" else "B"
    assert ticket.takes(f"level {other.lower()} --reason x")["level_code"] == other
    assert opened(state, "more letters", "A", "--level", "c").takes("")["level_code"] == "C"
    assert ticket.takes("acknowledge --seen a")["acknowledged_by"] == "Li"
    assert ticket.refuses("level Z --reason x") == "The contract has no level Z; it has A, B, C, D."


def test_levels_are_shown_and_filtered_as_the_contract_calls_them(state: Path) -> None:
    ticket = opened(state, "shown letters", "A", "--level", "B")
    clock = ticket.run("", "--lang", "en")[1].split("STANDS")[1].split()
    assert clock[:2] == ["Responded", "B"]
    found = said("tickets", "--level", "b", "--state", str(state), "--json")[1].splitlines()
    assert {json.loads(line)["level_code"] for line in found} == {"B"}


def test_a_limit_that_depends_on_a_region_is_missed_where_the_site_has_none(state: Path) -> None:
    with closing(sqlite3.connect(state / "desk.sqlite")) as file, file:
        file.execute("UPDATE sites SET region = '' WHERE id = 'T'")  # as a desk took it that did not ask for one yet
    ticket = opened(state, "nowhere", "T", "--level", "1")
    assert ticket.takes("")["unsaid"] == ["region"]
    shown = ticket.run("", "--lang", "en")[1]
    assert "depend on the region, and the site has none" in shown
    assert "sets no limit" not in shown
    assert opened(state, "nowhere either", "T", "--level", "3").takes("")["unsaid"] == []


def test_a_terminals_bytes_that_are_no_text_are_named(ticket: Teller) -> None:
    assert ticket.refuses("repair --part '\udcb9\udce2'", "--lang", "en").startswith("A text is not in UTF-8")


def test_a_merged_ticket_ends_in_the_other(ticket: Teller, state: Path) -> None:
    other = opened(state, "goes on")
    assert ticket.takes(f"merge {other.number} --reason 'one fault'")["merged_into"] == other.number
    assert other.takes("")["took_in"] == [ticket.number]


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        ("resume", "Nobody paused the clocks: they run.", "没有人暂停计时，计时正在进行。"),
        ("close", "The word that the contract asks for is missing", "缺少合同要求的确认"),
        ("depart --at 2999-01-01", "This time has not come yet", "该时间尚未到来"),
        ("depart --at nan", '"nan" is no time', "时间无法识别"),
        ("depart --at 20200101", "The ticket was not open then", "当时工单尚未开启"),
        ("depart --at 1600000000", "The ticket was not open then", "当时工单尚未开启"),
        ("depart --at 2020-01-01", "The ticket was not open then", "当时工单尚未开启"),
        ("pause other --reason ' '", "Say why: this needs a reason.", "请说明原因。"),
        ("excuse nothing at_all --accepted-by W", "The ticket has no such clock", "工单没有可免责的该项"),
        ("date --opened 14:05 --onset 14:05", "The time of the opening is known", "开启时间已经确定"),
        ("complain ' ' complaint x", "Give it an id of its own", "请填写编号"),
        ("complain c9 complaint ' '", "Say what it is about", "请说明事由"),
        ("charge complaint --note ' '", "Say what it is about", "请说明事由"),
        ("condition rain", "The contract knows no such condition.", "合同没有该条件。"),
        ("repair-failed --reason x", "There is no repair", "没有可判定失败的维修记录"),
    ],
)
def test_a_refusal_says_what_to_do_in_the_readers_language(
    ticket: Teller, words: str, english: str, chinese: str
) -> None:
    assert ticket.refuses(words, "--lang", "en").startswith(english)
    assert ticket.refuses(words, "--lang", "zh").startswith(chinese)
    assert ticket.takes("")["acknowledged"] is None


def test_a_ticket_is_shown_with_every_clock_in_the_readers_language(ticket: Teller) -> None:
    clocks = ticket.takes("")["clocks"]
    assert clocks
    _, english, _ = ticket.run("", "--lang", "en")
    _, chinese, _ = ticket.run("", "--lang", "zh")
    assert "Nobody has it yet" in english
    assert "尚无人接手" in chinese
    assert len(english.split("STANDS")[1].strip().splitlines()) == len(clocks)
    assert "LEFT" not in chinese


def test_said_again_with_the_same_key_it_is_written_down_once(ticket: Teller) -> None:
    assert (
        ticket.takes("repair --part fan --key r1")["entries"] == ticket.takes("repair --part fan --key r1")["entries"]
    )


def test_wrong_words_are_refused_before_the_desk_is_asked(ticket: Teller) -> None:
    assert said("ticket", "-1")[0] == said("ticket", "7x")[0] == 2
    for words in ("depart-to", "pause nobody --reason x", "level", "confirm nowhere", "pause supplier"):
        assert ticket.run(words)[0] == 2, words


def test_where_no_desk_runs_it_says_so(tmp_path: Path) -> None:
    status, out, err = said("ticket", "1", "--state", str(tmp_path))
    assert (status, out) == (1, "")
    assert "no desk runs in" in err


def test_a_ticket_or_site_that_is_not_there_is_named(state: Path) -> None:
    assert said("ticket", "999", "--state", str(state))[2] == "There is no ticket 999.\n"
    assert "There is no site 'S9'" in said("ticket", "open", "S9", "mains.lost", "--state", str(state))[2]


def test_a_device_is_put_on_the_contracts_list_and_shown_there(state: Path) -> None:
    common = ["--state", str(state), "--lang", "en"]
    assert said("listed", "S1", *common)[1] == "No device of this site is on the list.\n"
    words = ["--serial", "4711", "--from", "2026-01-01", "--until", "2029-01-01", "--by", "Li"]
    status, out, err = said("listed", "S1", "ups-1", *words, *common)
    assert (status, err) == (0, "")
    assert out.splitlines()[1].split() == ["ups-1", "4711", "2026-01-01", "00:00:00", "2029-01-01", "00:00:00", "-"]
    assert said("listed", "S1", *common)[1] == out
    assert json.loads(said("listed", "S1", "--json", *common)[1])["begin"] == 1767196800
    assert said("listed", "S1", "--serial", "1", *common) == (1, "", "Say which device.\n")
    assert "There is no site 'S9'" in said("listed", "S9", *common)[2]
    assert "没有该站点" in said("listed", "S9", *common[:2], "--lang", "zh")[2]


def test_tickets_are_listed_by_what_is_asked_for(state: Path) -> None:
    mine = opened(state, "listed", "T")
    mine.takes("level 1 --reason x")
    mine.takes("pause other --reason x")
    found = said("tickets", "--site", "T", "--level", "1", "--paused", "--state", str(state), "--json")[1]
    assert mine.number in [json.loads(line)["number"] for line in found.splitlines()]
    assert all(json.loads(line)["paused"] for line in found.splitlines())
    everything = said("tickets", "--all", "--state", str(state), "--lang", "zh")[1].splitlines()
    assert everything[0].split() == ["工单", "级别", "状态", "开启", "站点", "故障", "确认人", "时限", "剩余"]
    assert len(everything) > len(found.splitlines()) + 1
    assert said("tickets", "--late", "--level", "4", "--state", str(state), "--lang", "en")[1] == "No open tickets.\n"

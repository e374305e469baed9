"""An installation is broken in each way that the doctor knows, and it says so with what to do."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from desk import doctor_file
from desk.certificates import prepare
from desk.core import FILE
from desk.doctor import CHECKS, examine
from desk.doctor_running import of_numbers, of_unit
from desk.keeping import LAST, RESTORING, Last
from desk.keeping_backup import back_up
from desk.local import Local, write_local
from desk.patient import Patient
from desk.schema import MIGRATIONS
from desk.words_doctor import SAID, span
from model.finding import Finding, Weight, worst
from runtime.lock import lock_folder
from runtime.version import VERSION
from runtime.writer import Writer
from tests.desk_process import a_desk_process
from tests.test_cli import said

ROSTER = """\
calendar: china-office
people:
  li: {name: Li Wei, mail: li@example.org}
  wang: {name: Wang Fang, webhook: pager}
mail: {server: "127.0.0.1:1", from: desk@example.org, security: none}
webhooks: {pager: {url: "http://127.0.0.1:1/x", secret_file: pager-secret}}
teams:
  room: {title: {en: Duty room, zh: 值班室}, shifts: [{who: [li, wang], hours: "08:00-20:00"}], always: true}
policy:
  - {level: [1, 2, 3], tell: room}
"""

TICKET = (
    'INSERT INTO tickets (condition, site, state, level, provisional, "case", opened, episode,'
    " acknowledged_by, explained_by, shelved) VALUES ('c', 'S1', 'open', 1, 0, '', 1.0, 'e', '', '', 0)"
)
MESSAGE = (
    "INSERT INTO messages (name, person, channel, made, level, state, next, body)"
    " VALUES ('m', 'li', 'mail', 1.0, 1, 'sending', 1.0, x'00')"
)
OCCASION = (
    "INSERT INTO occasions (ticket, clock, step, what, level, role, at, nobody)"
    " VALUES (1, 'c', 's', 'opened', 1, '', 1.0, 'off_duty')"
)


def words(found: list[Finding]) -> set[str]:
    return {each.what for each in found}


def sentence(found: list[Finding], what: str) -> str:
    (one,) = (each for each in found if each.what == what)
    assert one.zh
    return one.en


def change(state: Path, *statements: str) -> None:
    with closing(sqlite3.connect(state / FILE, isolation_level=None)) as db:
        for sql in statements:
            db.execute(sql)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a folder with a desk's file that is well, one site with its agent, and a backup."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / FILE).touch(mode=0o600)
    Writer(folder / FILE, MIGRATIONS).close()
    now = time.time()
    agent = f"'agent-1', 'S1', 'x', {now}, '{VERSION}', {now}, 0.0"
    change(
        folder,
        "INSERT INTO desk VALUES (1, 'one', 0)",
        "INSERT INTO sites VALUES ('S1', 'Hall', 'demo', 'rest', 'Asia/Shanghai')",
        f"INSERT INTO agents (id, site, token, enrolled, version, heartbeat, skew) VALUES ({agent})",
    )
    back_up(folder, tmp_path / "backup.tar.gz")
    return folder


WELL = {"not_running", "no_roster"}  # what this folder lacks in every test: a process and a roster


def test_what_is_well_is_not_complained_of(state: Path) -> None:
    assert words(examine(state)) == WELL


@pytest.mark.parametrize(
    ("sql", "what", "weight", "says"),
    [
        ("PRAGMA user_version=99", "newer", Weight.BROKEN, "install the newer program"),
        ("UPDATE sites SET contract = 'none'", "contract", Weight.BROKEN, "there is no such contract"),
        ("UPDATE sites SET region = 'mars'", "region", Weight.BROKEN, "has no region 'mars'"),
        ("UPDATE agents SET retired = 1", "no_agent", Weight.WARNING, "Site S1 has no agent"),
        ("UPDATE agents SET heartbeat = NULL", "silent", Weight.BROKEN, "was last heard"),
        ("UPDATE agents SET version = '0.0.1'", "agent_version", Weight.WARNING, "0.0.1"),
        ("UPDATE agents SET depth = 5000, oldest_age = 7200", "agent_behind", Weight.WARNING, "5000 events wait"),
        ("UPDATE agents SET skew = -300.0", "agent_skew", Weight.WARNING, "300 s"),
        (
            "INSERT INTO quarantine VALUES ('agent-1', 'e', 1, 'S1', 1.0, 'not a Change', x'00')",
            "quarantine", Weight.WARNING, "1 events stand in quarantine",
        ),
        (
            "INSERT INTO reach VALUES ('li', 'mail:li@example.org', 1.0, NULL, 1.0, 3, 'no route')",
            "unreached", Weight.BROKEN, "no route",
        ),
        (
            MESSAGE,
            "late_messages", Weight.WARNING, "1 messages wait",
        ),
        (
            TICKET,
            "books", Weight.BROKEN, "its entries are none",
        ),
        (
            "INSERT INTO outages VALUES (7, 'demo', 'rest', 'mains.lost', 'S1', 1.0, 1, 1, NULL)",
            "incidents", Weight.WARNING, "outages",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_found(state: Path, sql: str, what: str, weight: Weight, says: str) -> None:
    change(state, sql)
    found = examine(state)
    assert says in sentence(found, what)
    assert next(each.weight for each in found if each.what == what) is weight
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)


def test_of_whom_nobody_was_told_is_found(state: Path) -> None:
    change(
        state,
        TICKET,
        OCCASION,
    )
    assert "Of 1 open tickets nobody was told" in sentence(examine(state), "untold")


def test_a_damaged_file_is_found_and_so_is_one_that_is_none(state: Path) -> None:
    raw = bytearray((state / FILE).read_bytes())
    for page in range(4096 * 6, len(raw), 4096):
        raw[page : page + 64] = b"\xff" * 64
    (state / FILE).write_bytes(raw)
    assert "restore the last good backup" in sentence(examine(state), "damaged")
    (state / FILE).write_bytes(b"this is no database" * 500)
    found = examine(state)
    assert "file is not a database" in sentence(found, "damaged")
    assert worst(found) == 2


def test_an_older_file_is_a_note(tmp_path: Path) -> None:
    Writer(tmp_path / FILE, MIGRATIONS[:2]).close()
    found = examine(tmp_path)
    assert "make a backup before" in sentence(found, "older")
    assert "check_failed" not in words(found)


def test_no_desk_a_restore_that_was_broken_off_and_open_modes_are_found(state: Path, tmp_path: Path) -> None:
    assert "name its folder by --state" in sentence(examine(tmp_path / "nowhere"), "no_desk")
    (state / RESTORING).write_text("{}")
    state.chmod(0o755)
    (state / FILE).chmod(0o644)
    found = examine(state)
    assert "--finish" in sentence(found, "broken_off")
    assert {each.en.partition(" has mode ")[0] for each in found if each.what == "open_to_others"} >= {
        str(state), str(state / FILE)
    }  # fmt: skip


def test_backups_that_are_missing_gone_or_old_are_found(state: Path, tmp_path: Path) -> None:
    (state / LAST).write_bytes(msgspec.json.encode(Last(time.time() - 5 * 86_400, str(tmp_path / "backup.tar.gz"))))
    assert "5 d old" in sentence(examine(state), "old_backup")
    assert "old_backup" not in words(examine(state, backups_within=6 * 86_400.0))
    (tmp_path / "backup.tar.gz").unlink()
    assert "make another" in sentence(examine(state), "backup_gone")
    (state / LAST).unlink()
    assert "There is no backup" in sentence(examine(state), "no_backup")


def test_a_roster_that_cannot_be_used_has_holes_or_whose_servers_do_not_answer_is_found(
    state: Path, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.yaml"
    roster.write_text("people: 7\n")
    assert "cannot be used" in sentence(examine(state, roster=roster), "bad_roster")
    roster.write_text(ROSTER)
    (tmp_path / "pager-secret").write_text("whsec_" + "QUJD" * 12 + "\n")
    (tmp_path / "pager-secret").chmod(0o600)
    found = examine(state, roster=roster)
    assert not words(found) & {"mail", "webhook", "bad_roster"}, [each.en for each in found]
    assert "level 4" in sentence(found, "no_rule")
    holes = [each.en for each in found if each.what in {"hole", "hole_now"}]
    assert len(holes) in {1, 2}
    assert any("7 such times" in each or "6 such times" in each or "8 such times" in each for each in holes), holes
    assert all(each.startswith("Duty room: nobody is on duty") for each in holes)
    asked = examine(state, roster=roster, reach=True)
    assert "refused" in sentence(asked, "mail")
    assert "refused" in sentence(asked, "webhook")


def test_a_desk_that_holds_its_folder_and_does_not_answer_is_found(state: Path) -> None:
    lock = lock_folder(state)
    write_local(state, Local("http://127.0.0.1:1", "secret"))
    found = examine(state)
    assert "does not answer at http://127.0.0.1:1" in sentence(found, "no_answer")
    assert "not_running" not in words(found)
    assert lock > 0


def test_what_the_desk_and_systemd_say_is_judged() -> None:
    said_so = {"clock_ahead_seconds": -90.0, "clock_synchronised": 0.0, "writes_waiting": 5000.0}
    assert words(list(of_numbers(said_so | {"last_sweep_timestamp_seconds": 100.0}, 1000.0))) == {
        "clock_off", "unsynchronised", "writes_wait", "not_swept",
    }  # fmt: skip
    assert list(of_numbers({"last_sweep_timestamp_seconds": 999.0, "clock_synchronised": 1.0}, 1000.0)) == []
    failed = {"LoadState": "loaded", "ActiveState": "failed", "Result": "watchdog", "UnitFileState": "disabled"}
    assert words(list(of_unit("u", failed | {"NRestarts": "3"}))) == {"unit_failed", "unit_off", "unit_restarts"}
    assert list(of_unit("u", {"LoadState": "not-found"})) == []


def test_a_check_that_fails_is_a_finding_and_stops_no_other(state: Path) -> None:
    def broken(_: object) -> list[Finding]:
        raise ZeroDivisionError("no")

    found = examine(state, checks=(broken, *CHECKS))
    assert "ZeroDivisionError" in sentence(found, "check_failed")
    assert words(found) == WELL | {"check_failed"}


def test_the_running_desk_is_examined_by_the_command_in_both_languages(tmp_path: Path) -> None:
    with a_desk_process(tmp_path, S1="demo"):
        command = [sys.executable, "-m", "roundsman", "desk", "doctor", "--state", str(tmp_path), "--json"]
        done = subprocess.run(command, capture_output=True, check=False)
        rows = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
        assert done.stderr == b""
        assert {row["what"] for row in rows} - {"unsynchronised", "clock"} == {"no_agent", "no_roster", "no_backup"}
        assert done.returncode == (2 if "clock" in {row["what"] for row in rows} else 1)
        _, out, _ = said("desk", "doctor", "--state", str(tmp_path), "--lang", "zh")
        assert "站点S1没有代理" in out


def test_every_finding_has_a_weight_and_the_same_blanks_in_both_languages() -> None:
    for what, (weight, english, chinese) in SAID.items():
        assert weight in set(Weight), what
        blanks = [{part.partition("}")[0] for part in text.split("{")[1:]} for text in (english, chinese)]
        assert blanks[0] == blanks[1], what
    assert [span(each) for each in (40, 600, 7200, 400_000)] == ["40 s", "10 min", "2 h", "5 d"]


def test_certificates_near_their_end_and_damaged_ones_are_found(state: Path) -> None:
    held = prepare(state, ("desk.example",), None, time.time())
    assert list(doctor_file.certificates(Patient(state, time.time()))) == []
    (ends,) = doctor_file.certificates(Patient(state, held.ends - 86_400.0))
    assert (ends.what, ends.weight) == ("certificate_ends", Weight.WARNING)
    over = list(doctor_file.certificates(Patient(state, held.ends + 86_400.0)))
    assert [(each.what, each.weight) for each in over] == [("certificate_over", Weight.BROKEN)]
    held.chain.write_text("no certificate\n")
    assert "cannot be used" in sentence(examine(state), "bad_certificate")


def test_a_disk_that_has_little_room_is_found(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_file, "LITTLE", 1 << 62)
    assert "make room" in sentence(examine(state), "little_room")
    monkeypatch.setattr(doctor_file, "NONE", 1 << 61)
    assert "make room at once" in sentence(examine(state), "no_room")

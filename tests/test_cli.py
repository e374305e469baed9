"""Every command has its help and its line in the documents; errors are sentences."""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from model.alarm import AlarmState
from model.ticket import TicketState
from roundsman.cli import COMMANDS, run
from roundsman.words import ZH

ROOT = Path(__file__).resolve().parents[1]


def said(*words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = run(list(words))
        except SystemExit as end:
            status = int(str(end.code or 0))
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_line_in_the_documents(command: str) -> None:
    status, out, _ = said(command, "--help")
    assert status == 0
    assert f"roundsman {command}" in out
    assert re.search(rf"^### `roundsman {command}", (ROOT / "docs" / "commands.md").read_text(), re.MULTILINE)


def test_the_example_is_a_good_site_file(tmp_path: Path) -> None:
    _, out, _ = said("example")
    (tmp_path / "site.yaml").write_text(out)
    status, checked, err = said("check", str(tmp_path / "site.yaml"))
    assert status == 0
    assert "is good" in checked
    advice, *secrets = err.splitlines()
    assert re.match(r"Advice: line line-1: /dev/serial/by-id/\S+ is not there now", advice)
    assert [line.partition(". ")[0] for line in secrets] == [
        f"Not there yet: {tmp_path / name}" for name in ("ups-community", "pdu-auth", "pdu-privacy", "desk.token")
    ]


def test_a_secret_that_is_missing_keeps_no_other_device_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: {id: a, name: A, contract: demo}\nagent: {control: none.sock}\nhost: {}\n"
        "credentials: {c: {version: 2c, community_file: none}}\n"
        "snmp: {devices: [{id: ups, address: 127.0.0.1, credential: c}]}\n"
    )
    status, out, err = said("read", "--site", str(tmp_path / "site.yaml"))
    assert status == 1
    assert "memory.size" in out
    assert "ups does not answer" in err


def site_with_cards(tmp_path: Path, definition: str, name: str = "mine.yaml") -> str:
    """Write a site of a host and two cards that are not there, with a definition of its own; return its file."""
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / name).write_text(definition)
    (tmp_path / "c").write_text("public")
    (tmp_path / "site.yaml").write_text(
        "site: {id: a, name: A, contract: demo}\nagent: {control: none.sock}\nhost: {}\n"
        "credentials: {c: {version: 2c, community_file: c}}\nsnmp:\n  definitions: devices\n  devices:\n"
        "    - {id: ups, address: 127.0.0.1, port: 9, credential: c, timeout: 100ms, retries: 0, definition: mine}\n"
        "    - {id: pdu, address: 127.0.0.1, port: 10, credential: c, timeout: 100ms, retries: 0}\n"
    )
    return str(tmp_path / "site.yaml")


MINE = "protocol: snmp\nname: Mine\nmaker: any\nsource: none\nmatch: {has: [1.3.6.1.4.1.99999]}\n"


@pytest.mark.parametrize("once", [("--once",), ()])
def test_a_definition_that_is_wrong_is_an_error_of_the_command_and_no_silent_device(
    tmp_path: Path, once: tuple[str, ...]
) -> None:
    site = site_with_cards(tmp_path, MINE + "objects: [{oid: x, quantity: battery.charge}]\n")
    status, out, err = said("read", "--site", site, *once)
    assert (status, out) == (1, "")
    assert "mine.yaml:6: objects[0].oid: " in err
    assert "does not answer" not in err
    assert said("read", "host", "--site", site, *once)[0] == 0


def test_a_definition_in_a_file_that_ends_in_yml_is_read(tmp_path: Path) -> None:
    site = site_with_cards(tmp_path, MINE, "mine.yml")
    status, _, err = said("read", "--site", site)
    assert status == 1
    assert "ups does not answer: no answer from 127.0.0.1:9" in err
    assert said("check", site)[0] == 0
    (tmp_path / "devices" / "mine.yaml").write_text(MINE)
    status, _, err = said("read", "--site", site)
    assert status == 1
    assert "has the name of mine.yaml; give it another, or remove it" in err


def test_a_definition_that_is_not_there_is_told_with_the_nearest() -> None:
    status, out, err = said("read", "--snmp", "127.0.0.1:9", "--definition", "rfc1628-up")
    assert (status, out) == (1, "")
    assert err == '"rfc1628-up" is no SNMP definition; did you mean "rfc1628-ups"?\n'


def test_a_person_who_reads_chinese_is_told_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    _, out, _ = said("devices")
    assert out.startswith("名称")


def test_every_word_that_tables_say_has_its_chinese() -> None:
    for path in (ROOT / "roundsman" / "commands").glob("*.py"):
        for words in re.findall(r"map\(say, \(([^)]*)\)", path.read_text()):
            assert set(re.findall(r'"([^"]+)"', words)) <= set(ZH), path
    assert {str(state) for state in AlarmState} | {str(state) for state in TicketState} <= set(ZH)


def test_check_prints_every_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("site: {id: a, name: A, contract: none-such}\nhost: {every: 0s}\nhots: {}\n")
    status, _, err = said("check", str(tmp_path / "bad.yaml"))
    assert status == 1
    assert [line.split(":")[1] for line in err.strip().splitlines()] == ["1", "2", "3"]


def test_rules_name_each_settings_value_and_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: {id: a, name: A, contract: telecom-transmission}\nhost: {rules: {disk.full: {above: 77}}}\n"
        "rules: {disk.full: {above: 80}, memory.short: {on_delay: 5min}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "roundsman", "rules", "host", "--json", "--site", str(tmp_path / "site.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = {(row["fault"], row["setting"]): row for row in map(json.loads, done.stdout.splitlines())}
    disk = rows["disk.full", "above"]
    assert (disk["value"], disk["layer"], disk["from"].endswith("site.yaml:2")) == (77, "device", True)
    assert rows["subrack.cooling", "temperature"]["layer"] == "contract"
    assert rows["mains.lost", "dead_below"]["layer"] == "default"


def test_asking_where_no_agent_runs_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: {id: a, name: A, contract: demo}\nagent: {control: none.sock}\nhost: {}\n"
    )
    status, _, err = said("alarms", "--site", str(tmp_path / "site.yaml"))
    assert status == 1
    assert "no agent runs here" in err
    assert "roundsman agent --site" in err


def test_a_host_is_read_once_without_an_agent(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("site: {id: a, name: A, contract: demo}\nagent: {control: no.sock}\nhost: {}\n")
    done = subprocess.run(
        [sys.executable, "-m", "roundsman", "read", "host", "--json", "--site", str(tmp_path / "site.yaml")],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    keys = ["device", "point", "quantity", "label", "value", "unit", "index", "quality", "age", "source", "preferred"]
    assert list(rows[0])[: len(keys)] == keys
    assert {"memory.size", "disk.utilisation"} <= {row["quantity"] for row in rows}


def test_a_join_line_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("site: {id: a, name: A, contract: demo}\nhost: {}\n")
    status, _, err = said("join", "nonsense", "--site", str(tmp_path / "site.yaml"))
    assert (status, "This is no join line" in err) == (1, True)

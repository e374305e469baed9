"""A real agent and a real desk over TLS: what joins, what is refused, and tokens that change."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.house import until
from tests.tls_world import TlsHouse, tls_house


@pytest.fixture
def here(tmp_path: Path) -> Iterator[TlsHouse]:
    with tls_house(tmp_path) as made:
        yield made


def test_an_agent_joins_by_the_fingerprint_and_speaks_with_the_desk(here: TlsHouse) -> None:
    line = here.line()
    assert here.init().splitlines()[1].strip() == line.rpartition(".")[2]
    assert here.joining(line).returncode == 0
    assert (here.folder / "agent" / "desk" / "ca.pem").read_text() == here.ca()
    here.start_agent()
    until(here.beats)
    assert "Traceback" not in here.log("agent") + here.log("desk")


def test_a_line_with_another_fingerprint_joins_nothing_and_sends_no_code(here: TlsHouse) -> None:
    line = here.line()
    wrong = line.rpartition(".")[0] + "." + hashlib.sha256(b"another").hexdigest()
    done = here.joining(wrong)
    assert done.returncode == 1
    assert "This is not the desk that made the line" in done.stderr
    assert here.rows("SELECT agent FROM codes") == [{"agent": None}]
    assert not (here.folder / "desk.token").exists()
    assert here.joining(line).returncode == 0


def test_a_revoked_agent_is_not_heard_and_its_join_lines_are_void(here: TlsHouse) -> None:
    here.run("join", here.line(), "--site", str(here.site_file))
    here.start_agent()
    until(here.beats)
    line = here.line()
    here.run("desk", "revoke", "house", "--state", str(here.state))
    until(lambda: "does not know this token" in here.log("agent"))
    assert here.joining(line).returncode == 1
    assert here.audit() == ["code_made", "enrolled", "code_made", "revoked"]
    assert here.said("desk", "revoke", "house", "--state", str(here.state)).returncode == 1
    here.stop("agent")
    assert here.joining(here.line()).returncode == 0
    here.start_agent()
    until(here.beats)


def test_a_token_changes_by_command_and_the_old_one_is_over(here: TlsHouse) -> None:
    here.run("join", here.line(), "--site", str(here.site_file))
    here.start_agent()
    until(here.beats)
    before = (here.folder / "desk.token").read_text().strip()
    here.run("desk", "rotate", "house", "--state", str(here.state))
    until(lambda: here.audit()[-1] == "token_changed")
    until(lambda: "the token was changed" in here.log("agent"))
    now = here.kept()["token"]
    assert here.audit() == ["code_made", "enrolled", "token_asked", "token_offered", "token_changed"]
    with here.client() as client:
        for token, status in ((before, 401), (now, 200)):
            asked = client.get("/api/v1/commands", headers={"Authorization": f"Bearer {token}"})
            assert asked.status_code == status
    here.heard_anew()
    here.stop("agent")
    here.start_agent()
    here.heard_anew()


@pytest.mark.parametrize("moment", ["kept", "offered", "changed"])
def test_a_crash_in_the_middle_of_a_change_loses_nothing(here: TlsHouse, moment: str) -> None:
    """Killed; what it kept and what the desk wrote is put as after the named step, by the desk's own API."""
    here.run("join", here.line(), "--site", str(here.site_file))
    here.start_agent()
    until(here.beats)
    here.stop("agent", kill=True)
    old, new = (here.folder / "desk.token").read_text().strip(), "n" * 43
    folder = here.folder / "agent" / "desk"
    joined = hashlib.sha256(old.encode()).hexdigest()
    (folder / "token.json").write_text(f'{{"joined": "{joined}", "token": "{old}", "next": "{new}"}}')
    said = {"hash": hashlib.sha256(new.encode()).hexdigest()}
    with here.client() as client:
        for spoken in {"kept": (), "offered": (old,), "changed": (old, new)}[moment]:
            done = client.post("/api/v1/token", json=said, headers={"Authorization": f"Bearer {spoken}"})
            assert done.status_code == 200
    here.stop("desk", kill=True)
    here.start_desk()
    here.start_agent()
    here.heard_anew()
    until(lambda: here.kept()["token"] == new)
    assert here.audit()[-1] == "token_changed"
    assert here.rows("SELECT token, next_token FROM agents") == [{"token": said["hash"], "next_token": ""}]


def test_tokens_that_change_while_both_are_killed_again_and_again_leave_an_agent_that_is_heard(here: TlsHouse) -> None:
    here.run("join", here.line(), "--site", str(here.site_file))
    here.start_agent()
    until(here.beats)
    for step, victim in enumerate(("agent", "desk", "agent", "desk")):
        here.run("desk", "rotate", "house", "--state", str(here.state))
        if step > 1:
            until(lambda: here.audit()[-1] in {"token_offered", "token_changed"})
        here.stop(victim, kill=True)
        here.start_agent() if victim == "agent" else here.start_desk()
        here.heard_anew()
    changes = here.audit().count("token_changed")
    here.run("desk", "rotate", "house", "--state", str(here.state))
    until(lambda: here.audit().count("token_changed") > changes)
    here.heard_anew()

"""A real desk process and the commands of its machine: the first user, roles, tokens; no password for who owns it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from desk.local import ask
from tests.desk_process import a_desk_process


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    state = tmp_path_factory.mktemp("desk")
    with a_desk_process(state, S1="telecom-transmission") as url:
        yield url, state


def said(state: Path, *words: str, lang: str = "en", status: int = 0) -> str:
    command = [sys.executable, "-m", "roundsman", *words, "--state", str(state), "--lang", lang]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def word(text: str) -> str:
    return re.findall(r'csrf" value="([0-9a-f]{64})"', text)[0]


def test_the_commands_of_this_machine_make_the_first_user_and_need_no_password(desk: tuple[str, Path]) -> None:
    url, state = desk
    assert "roundsman desk user add NAME --role administrator" in said(state, "desk", "user", "list")
    assert "whoever is on this machine" in httpx.get(url).text
    assert "administrator without bounds" in said(state, "desk", "user", "add", "Li", "--role", "viewer", status=1)
    told = said(state, "desk", "user", "add", "王伟", "--role", "administrator", lang="zh")
    assert "一天内有效" in told
    link = told.split()[-1]
    assert httpx.get(url).headers["location"] == "/login"
    assert httpx.get(f"{url}/api/v1/tickets").status_code == 401

    with httpx.Client() as browser:
        form = {"csrf": word(browser.get(link).text), "password": "a good long sentence"}
        answer = browser.post(link, data={**form, "again": form["password"]})
        assert answer.status_code == 303
        board = browser.get(url).text
        assert "王伟" in board
        forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
        out = browser.post(f"{url}/logout", data={"csrf": word(board)}, headers=forwarded)
        assert out.headers["location"] == "/login"
        again = {"csrf": word(browser.get(f"{url}/login").text), "name": "王伟", "password": form["password"]}
        inside = browser.post(f"{url}/login", data={**again, "next": "/"}, headers=forwarded)
        assert inside.status_code == 303
        account = browser.get(f"{url}/account").text
        assert "127.0.0.1" in account
        assert "203.0.113.9" not in account, "where somebody signs in from is not theirs to say"

    assert "No open tickets." in said(state, "tickets")
    opened = said(state, "ticket", "open", "S1", "door.open", "--by", "Root", "--level", "4")
    assert "door" in opened.casefold()
    (ticket,) = ask(state, "GET", "/api/v1/tickets")["tickets"]
    assert "Root" in said(state, "ticket", str(ticket["number"]), "entries")


def test_users_and_tokens_are_changed_by_command(desk: tuple[str, Path]) -> None:
    url, state = desk
    if not ask(state, "GET", "/api/v1/users")["users"]:
        said(state, "desk", "user", "add", "王伟", "--role", "administrator")
    assert "There is no such site or region: S9" in said(
        state, "desk", "user", "add", "Li", "--role", "operator", "--site", "S9", status=1
    )
    said(state, "desk", "user", "add", "Li", "--role", "operator", "--site", "S1")
    assert "Li: engineer, all sites, invited." in said(
        state, "desk", "user", "change", "li", "--everywhere", "--role", "engineer"
    )
    assert "last administrator" in said(state, "desk", "user", "disable", "王伟", status=1)
    assert "disabled" in said(state, "desk", "user", "disable", "Li")
    assert "disabled" in said(state, "desk", "user", "link", "Li", status=1)
    assert "invited" in said(state, "desk", "user", "enable", "Li")
    assert re.search(r"^王伟 +管理员 +全部站点", said(state, "desk", "user", "list", lang="zh"), re.MULTILINE)

    token = said(state, "desk", "token", "add", "prometheus", "--role", "viewer").split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    assert "roundsman_desk_tickets_open" in httpx.get(f"{url}/metrics", headers=headers).text
    assert httpx.get(f"{url}/metrics").status_code == 401
    assert token not in said(state, "desk", "token", "list")
    number = ask(state, "GET", "/api/v1/tokens")["tokens"][0]["id"]
    assert f"Token {number} is good no more." in said(state, "desk", "token", "revoke", str(number))
    assert httpx.get(f"{url}/metrics", headers=headers).status_code == 401
    assert "There is no such token." in said(state, "desk", "token", "revoke", "999", status=1)

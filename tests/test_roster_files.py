"""The roster's file: what it says, and every mistake by its line."""

from datetime import date
from pathlib import Path

import pytest

from config.node import ConfigError
from config.reader import read_text
from config.roster import parse_roster
from model.calendar import Kind
from model.roster import Channel, Turn, Way
from tests.rosters import TEXT, file_of


def refused(folder: Path, old: str, new: str) -> str:
    assert old in TEXT
    with pytest.raises(ConfigError) as caught:
        file_of(folder, TEXT.replace(old, new))
    return str(caught.value)


def test_a_file_says_people_teams_turns_and_ladders(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    roster = file.roster
    assert roster.people["li"].channels == (Channel(Way.MAIL, "li@example.com"), Channel(Way.WEBHOOK, "pager"))
    assert roster.people["zhang"].quiet is None
    assert roster.people["chen"].quiet == ()
    shift = roster.teams["office"].shifts[0]
    assert (shift.who, shift.kinds, shift.turn) == (("wang", "chen"), (Kind.WORKING,), Turn.WEEK)
    assert shift.first == date(2026, 11, 2)
    assert roster.policy[0].next_after == 900.0
    assert roster.policy[1].levels == (2, 3)
    assert roster.quiet == ((22 * 3600, 31 * 3600),)
    assert file.webhooks["pager"].secret.value == "a secret"
    assert "a secret" not in repr(file)


def test_the_digest_is_over_what_is_said_and_not_how(tmp_path: Path) -> None:
    first = file_of(tmp_path).roster.digest
    assert file_of(tmp_path, TEXT.replace("quiet: 22:00", "# at night\nquiet: 22:00")).roster.digest == first
    assert file_of(tmp_path, TEXT.replace("quiet: 22:00", "quiet: 23:00")).roster.digest != first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mail: zhang@example.com", "mail: zhang", '"zhang" is no address of mail; write for example duty@example.com'),
        ("webhook: pager}\n  wang", "webhook: peger}\n  wang", 'there is no webhook "peger"; did you mean "pager"?'),
        ("{name: Wang Fang, webhook: pager}", "{name: Wang Fang}", "can be told in no way; write mail: or webhook:"),
        ("who: zhang,", "who: zang,", 'there is no "zang"; did you mean "zhang"?'),
        ("hours: 08:00-20:00", "hours: none", "a shift has hours; write for example 08:00-20:00"),
        (", from: 2026-11-02", "", "turns count from a day; write from: and the first day of the first's turn"),
        ("from: 2026-11-02", "from: 2026-11-02, until: 2026-11-01", "is before 2026-11-02"),
        ("tell: [field, chen]", "tell: [feild, chen]", 'there is no "feild"; did you mean "field"?'),
        ("level: [2, 3]", "level: [1, 3]", "level 1 has a rule already"),
        ("next_after: 15min", "next_after: 5s", "out of range; write 1min to 7d"),
        ("[office, chen]", "[ofice, chen]", 'there is no "ofice"; did you mean "office"?'),
        ("china-working-days", "china-workdays", 'there is no calendar "china-workdays"'),
        ('"127.0.0.1:25"', '"mail.example.com:25"', "none is for a server on this machine; write starttls or tls"),
        (
            "security: none",
            "security: starttls, user: desk",
            "user and password_file go together; write both or neither",
        ),
        ("http://127.0.0.1:9/in", "http://pager.example.com/in", "is not encrypted; write https"),
        ("secret_file: pager.secret", "secret_file: other.secret", "cannot be read: no such file or directory"),
        ("secret_file: pager.secret", "secret: abc", "a secret never stands here"),
        ("  office:\n    title", "  li:\n    title", '"li" is a person\'s name already; name the team otherwise'),
        ("  province: [", "  field: [", "\"field\" is a person's or a team's name already"),
        ("apart: 30s", "aparts: 30s", 'unknown key; did you mean "apart"?'),
    ],
)
def test_a_mistake_is_said_with_its_line_and_what_would_be_right(tmp_path: Path, old: str, new: str, said: str) -> None:
    message = refused(tmp_path, old, new)
    assert said in message
    assert message.startswith("roster.yaml:")


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    text = TEXT.replace("who: zhang,", "who: zang,").replace("tell: [field, chen]", "tell: [feild]")
    with pytest.raises(ConfigError) as caught:
        file_of(tmp_path, text)
    assert len(caught.value.problems) == 2


def test_no_mail_server_and_somebody_to_mail_is_a_mistake(tmp_path: Path) -> None:
    line = 'mail: {server: "127.0.0.1:25", from: desk@example.com, security: none}\n'
    assert "no server is named to send it by" in refused(tmp_path, line, "")


def test_a_calendar_of_ones_own_lies_beside_the_roster(tmp_path: Path) -> None:
    own = "title: {en: Ours, zh: 自用}\nzone: Asia/Urumqi\nhours: {mon-sun: 00:00-24:00}\n"
    (tmp_path / "ours.yaml").write_text(own, encoding="utf-8")
    assert file_of(tmp_path, TEXT.replace("china-working-days", "ours.yaml")).roster.calendar.zone == "Asia/Urumqi"


def test_a_secret_that_others_may_read_is_a_warning(tmp_path: Path) -> None:
    file_of(tmp_path)
    (tmp_path / "pager.secret").chmod(0o644)
    warnings = parse_roster(read_text(TEXT, "roster.yaml"), tmp_path).warnings
    assert warnings == (f"{tmp_path}/pager.secret can be read by others; chmod 600 {tmp_path}/pager.secret",)


def test_a_secret_that_says_base64_and_is_none_is_a_mistake(tmp_path: Path) -> None:
    file_of(tmp_path)
    (tmp_path / "pager.secret").write_text("whsec_not base64!\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="what stands behind whsec_ is not base64"):
        parse_roster(read_text(TEXT, "roster.yaml"), tmp_path)

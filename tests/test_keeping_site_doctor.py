"""A site is broken in each way that its doctor knows, with a real agent, a real desk and a card that falls silent."""

import sqlite3
from contextlib import closing
from pathlib import Path

from agent.doctor import CHECKS, examine, folder, ports
from agent.journal import MIGRATIONS, Journal
from agent.words_doctor import SAID
from config.site import Site, load_site
from model.finding import Finding, Weight, worst
from tests.crash.processes import until
from tests.crash.world import World
from tests.test_cli import said

CLOCK = {"unsynchronised"}  # of the machine that the tests run on


def words(found: list[Finding]) -> set[str]:
    return {each.what for each in found} - CLOCK


def sentence(found: list[Finding], what: str) -> str:
    (one,) = (each for each in found if each.what == what)
    assert one.zh
    return one.en


def a_site(tmp_path: Path, more: str = "") -> Site:
    (tmp_path / "site.yaml").write_text(
        "site: {id: s, name: S, contract: demo, region: rest}\nagent: {state: state, control: none.sock}\n"
        "host: {}\n" + more
    )
    return load_site(tmp_path / "site.yaml")


def test_a_living_site_is_well_until_its_card_its_desk_its_token_and_its_agent_fail(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.start()
        polls = world.polled()
        until("the agent polls", lambda: world.polled() != polls)
        site = load_site(world.site_file)
        until("all is well", lambda: words(examine(site)) == set())

        world.silence(silent=True)
        until("the silent card is found", lambda: words(examine(site)) == {"device"})
        assert "Device shelves does not answer" in sentence(examine(site), "device")
        world.silence(silent=False)
        until("all is well again", lambda: words(examine(site)) == set())

        token = world.folder / "desk.token"
        token.write_text("another\n")
        assert f"roundsman desk enrol {site.id}" in sentence(examine(site), "refused")
        token.unlink()
        assert "cannot be read" in sentence(examine(site), "token_file")

        world.kill_agent()
        found = examine(site)
        assert "The agent cannot be asked" in sentence(found, "not_running")
        assert worst(found) == 2


def test_a_desk_that_does_not_answer_and_one_that_is_not_named_are_found(tmp_path: Path) -> None:
    assert "names no desk" in sentence(examine(a_site(tmp_path)), "no_desk")
    (tmp_path / "token").write_text("x\n")
    (tmp_path / "token").chmod(0o600)
    site = a_site(tmp_path, 'desk: {url: "http://127.0.0.1:1", token_file: token}\n')
    assert "see to the network" in sentence(examine(site), "unreached")


def test_a_journal_that_is_damaged_newer_or_far_behind_is_found(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x\n")
    site = a_site(tmp_path, 'desk: {url: "http://127.0.0.1:1", token_file: token}\n')
    assert "There is no state folder" in sentence(examine(site), "no_folder")
    Journal(site.agent.state, "s").close()
    path = site.agent.state / "journal.db"
    assert not words(examine(site)) & {"damaged", "newer", "behind", "no_folder", "put_aside"}
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = '5000' WHERE key = 'seq'")
        db.execute("PRAGMA user_version=99")
    found = examine(site)
    assert "5000 events wait" in sentence(found, "behind")
    assert f"knows {len(MIGRATIONS)}" in sentence(found, "newer")
    path.write_bytes(b"no database at all" * 500)
    assert "file is not a database" in sentence(examine(site), "damaged")
    Journal(site.agent.state, "s").close()
    assert "put aside" in sentence(examine(site), "put_aside")


def test_a_port_that_is_not_there_is_found(tmp_path: Path) -> None:
    meter = "{id: m, address: 1, protocol: ydt1363, definition: ac-distribution}"
    site = a_site(tmp_path, f"lines: [{{id: l, port: {tmp_path}/none, devices: [{meter}]}}]\n")
    assert [each.what for each in ports(site)] == ["no_port"]


def test_a_check_that_fails_is_a_finding_and_the_command_speaks_both_languages(tmp_path: Path) -> None:
    site = a_site(tmp_path)

    def broken(_: Site) -> list[Finding]:
        raise ZeroDivisionError("no")

    assert "check_failed" in words(examine(site, (broken, *CHECKS)))
    assert [each.what for each in folder(site)] == ["no_folder"]
    status, out, _ = said("doctor", "--site", str(tmp_path / "site.yaml"), "--lang", "zh")
    assert (status, "没有状态目录" in out) == (2, True)


def test_every_finding_has_a_weight_and_the_same_blanks_in_both_languages() -> None:
    for what, (weight, english, chinese) in SAID.items():
        assert weight in set(Weight), what
        blanks = [{part.partition("}")[0] for part in text.split("{")[1:]} for text in (english, chinese)]
        assert blanks[0] == blanks[1], what

"""The operator's night in a real browser, on a large screen and a phone, in both languages, until the ticket is closed.

Pictures of each page are kept in the folder that ROUNDSMAN_PICTURES names.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.rule import Meaning
from tests.browser import browser
from tests.night import PASSWORD, SITE, Night, Operator, a_night
from tests.peers.house import until

PAGES = ("/", "/tickets", "/tickets/1", "/tickets/2", "/tickets/new", "/contracts", "/contracts/telecom-transmission",
         "/incidents", "/alarms", f"/sites/{SITE}/alarms/e1", "/sites", f"/sites/{SITE}", f"/sites/{SITE}/walktests",
         "/walktests", "/roster", "/periods", "/alarms/measure", "/system", "/account", "/users")  # fmt: skip


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with a_night(tmp_path) as found:
        yield found


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    kept = os.environ.get("ROUNDSMAN_PICTURES")
    folder = Path(kept) if kept else tmp_path / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with browser(tmp_path / "profile") as page:
        yield Operator(page, folder)


def signs_in(operator: Operator, night: Night, name: str = "Li") -> None:
    operator.page.open(night.link("Chen", "administrator") if name == "Chen" else night.link(name))
    operator.fills("#password", PASSWORD)
    operator.fills("#again", PASSWORD)
    operator.presses("form button")
    until(lambda: operator.page.value("location.pathname === '/' && document.readyState === 'complete'"))


def is_followed(operator: Operator) -> None:
    """Wait until the page hears the desk, and mark it: a page that is loaded again loses the mark."""
    until(lambda: operator.page.value("document.body.matches('[sse-connect]') && typeof htmx === 'object'"))
    operator.page.value("window.marked = true")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [1440, 390])
def test_from_the_first_link_to_the_closed_ticket(night: Night, operator: Operator, lang: str, width: int) -> None:
    page = operator.page
    page.size(width, 844)
    night.link("Chen", "administrator")  # somebody has to be the first; the night is Li's
    signs_in(operator, night)
    page.open(f"{night.url}/?lang={lang}")
    operator.looks(f"{lang}-{width}-well")
    is_followed(operator)
    night.agent.fails()
    operator.sees(".ticket form.act")
    operator.looks(f"{lang}-{width}-board")
    operator.presses(".ticket form.act button")
    operator.sees_not(".ticket form.act")
    assert "Li" in operator.sees(".ticket")
    assert page.value("window.marked") is True  # all of that without loading the page again
    operator.presses(".ticket a")
    until(lambda: page.value("location.pathname === '/tickets/1' && document.readyState === 'complete'"))
    operator.steps("reached.depart")
    operator.steps("reached.arrive")
    operator.looks(f"{lang}-{width}-ticket")
    night.agent.is_well()
    operator.steps("reached.restore")
    operator.steps("reached.resolve")
    for form in ("confirmed.restore.customer", "confirmed.resolve.customer"):
        if page.value(f"!!document.getElementById({form!r})"):
            operator.steps(form)
    operator.steps("closed")
    until(lambda: not page.value("!!document.getElementById('closed')"), "no way to close it twice")
    operator.looks(f"{lang}-{width}-closed")
    assert page.value("document.documentElement.scrollWidth") <= width
    assert operator.problems == []
    assert page.errors == []


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_can_be_read_by_all(night: Night, operator: Operator, lang: str, width: int) -> None:
    operator.page.size(width, 844)
    signs_in(operator, night, "Chen")
    night.agent.fails()
    night.agent.fails(
        "traffic.interrupted", "e2", title="Traffic interrupted", meaning=Meaning.INTERRUPTION, level=1, evidence=()
    )
    operator.page.open(f"{night.url}/?lang={lang}")
    for path in PAGES:
        operator.page.open(night.url + path)
        operator.looks(f"{lang}-{width}-page{path.replace('/', '-')}")
        assert operator.page.value("document.documentElement.scrollWidth") <= width, path
    assert operator.problems == []
    assert operator.page.errors == []


def test_what_failed_while_the_network_was_cut_is_there_when_it_is_back(night: Night, operator: Operator) -> None:
    page = operator.page
    page.size(390, 844)
    signs_in(operator, night, "Chen")
    night.agent.fails()
    operator.sees(".ticket form.act")
    is_followed(operator)
    page.cut(True)
    until(lambda: page.value("document.getElementById('lost').hidden === false"), "that the connection is lost")
    night.agent.fails("cooling.failed", "e2")
    assert page.value("document.querySelectorAll('.ticket').length") == 1  # what was there can still be read
    page.cut(False)
    until(lambda: page.value("document.querySelectorAll('.ticket').length === 2"), "the second ticket")
    until(lambda: page.value("document.getElementById('lost').hidden"), "the connection")
    assert page.value("window.marked") is True


def test_without_script_the_board_is_read_and_a_ticket_taken(night: Night, operator: Operator) -> None:
    page = operator.page
    page.size(390, 844)
    signs_in(operator, night, "Chen")
    night.agent.fails()
    page.do("Emulation.setScriptExecutionDisabled", value=True)
    page.open(night.url)
    operator.sees(".ticket form.act")
    operator.presses(".ticket form.act button")
    until(lambda: "Chen" in (page.value("(document.querySelector('.ticket') || {}).innerText") or ""), "who took it")
    assert page.errors == []


def test_on_a_phone_every_page_is_two_touches_away_and_none_is_smaller_than_a_finger(
    night: Night, operator: Operator
) -> None:
    page = operator.page
    page.size(360, 780)
    signs_in(operator, night, "Chen")
    night.agent.fails()
    page.open(f"{night.url}/tickets/1?lang=en")
    assert page.value("document.querySelector('header').offsetHeight") < 110  # in one line beside the site's time
    assert page.value("document.querySelector('nav').scrollWidth <= innerWidth")
    small = "[...document.querySelectorAll('nav a, nav button, header a, header button, aside a')]"
    small += ".filter(e => e.offsetHeight && e.offsetHeight < 44).map(e => e.outerHTML)"
    assert page.value(small) == []
    page.value("document.querySelector('.more-ways').click()")
    until(lambda: page.value("document.getElementById('more-ways').matches(':popover-open')"))
    operator.looks("en-360-more")
    operator.presses("#more-ways a[href='/system']")
    until(lambda: page.value("location.pathname === '/system' && document.readyState === 'complete'"))
    assert operator.problems == []
    assert page.errors == []


def test_the_first_page_is_small(night: Night, operator: Operator) -> None:
    page = operator.page
    signs_in(operator, night, "Chen")
    night.agent.fails()
    page.do("Network.enable")
    page.do("Network.setCacheDisabled", cacheDisabled=True)
    page.open(night.url)
    operator.sees(".ticket")
    entries = "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
    assert 10_000 < page.value(f"{entries}.reduce((sum, each) => sum + each.transferSize, 0)") < 100_000

"""The alarm list in a real browser: it follows the news, what was unfolded stays so, and without script it filters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from model.alarm import AlarmState, Kind
from tests.browser import browser
from tests.night import SITE, Night, Operator, a_night
from tests.peers.house import until


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with a_night(tmp_path) as found:
        yield found


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with browser(tmp_path / "profile") as page:
        yield Operator(page)


def explained(night: Night, fault: str, episode: str) -> None:
    night.agent.tell(fault=fault, episode=episode, state=AlarmState.SUPPRESSED, kind=Kind.SUPPRESSED, opened=False,
                     explained_by=f"{SITE}/ups/-/mains.lost")  # fmt: skip


def test_the_list_follows_the_news_and_what_was_unfolded_stays_so(night: Night, operator: Operator) -> None:
    page = operator.page
    page.open(f"{night.url}/alarms")
    until(lambda: page.value("document.body.matches('[sse-connect]') && typeof htmx === 'object'"))
    page.value("window.marked = true")
    night.agent.fails()
    explained(night, "rectifier.input_failed", "c1")
    assert "explains 1 alarm" in operator.sees(".alarm details.more summary")
    assert page.value("document.querySelector('.alarm details.more').open") is False
    operator.presses(".alarm details.more summary")
    explained(night, "battery.discharging", "c2")
    until(lambda: "explains 2 alarms" in operator.sees(".alarm details.more summary"), "the second")
    assert page.value("document.querySelector('.alarm details.more').open") is True
    night.agent.fails("door.open", "e2")
    until(lambda: page.value("document.querySelectorAll('.alarm').length === 2"), "the other alarm")
    assert page.value("window.marked") is True  # all of that without loading the page again
    assert page.errors == []


def test_without_script_the_list_is_filtered_and_unfolded(night: Night, operator: Operator) -> None:
    page = operator.page
    page.size(390, 844)
    night.agent.fails()
    explained(night, "rectifier.input_failed", "c1")
    night.agent.fails("door.open", "e2")
    page.do("Emulation.setScriptExecutionDisabled", value=True)
    page.open(f"{night.url}/alarms")
    assert page.value("document.querySelectorAll('.alarm').length") == 2
    operator.presses(".alarm details.more summary")
    assert page.value("document.querySelector('.alarm details.more').open") is True
    operator.fills("[name=text]", "door.open")
    operator.presses(".sieve button")
    until(lambda: page.value("location.search.includes('text=door.open')"), "the address")
    until(lambda: page.value("document.querySelectorAll('.alarm').length === 1"), "one alarm")
    assert page.value("document.documentElement.scrollWidth") <= 390
    assert page.errors == []

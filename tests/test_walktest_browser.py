"""A walk-test on a phone: a real Chromium, 390 pixels wide, at a real desk with a real agent, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Browser, browser
from tests.peers.house import House, house, until

ITEM = "document.querySelector('.item .acts > form button[value=passed]')"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house"), "host: {every: 1s}\n") as found:
        until(lambda: found.readings("host"))
        yield found


def sent(page: Browser, form: str, **fields: str) -> None:
    """Fill in the form of this name as a person does, and send it."""
    script = f"(() => {{ const f = document.querySelector('form:has(input[value={form}])');"
    script += "".join(f" f.elements['{name}'].value = '{text}';" for name, text in fields.items())
    page.value("window.stays = true")
    page.value(f"{script} f.requestSubmit(); }})()")
    until(lambda: page.value("!window.stays && document.readyState === 'complete'"), f"the form {form}")


@pytest.mark.parametrize(
    ("lang", "raised", "running", "cancelled"),
    [("en", "Just seen", "running", "cancelled"), ("zh", "刚刚收到", "进行中", "已取消")],
)
def test_a_walk_test_is_opened_ticked_and_cancelled_on_a_phone(  # noqa: PLR0917 - a case's words
    here: House, tmp_path: Path, lang: str, raised: str, running: str, cancelled: str
) -> None:
    with browser(tmp_path / "profile") as page:
        page.size(390, 844)
        page.open(f"http://127.0.0.1:{here.port}/sites/house/walktests?lang={lang}")
        sent(page, "open", end="1h", by="Li Na", purpose="acceptance")
        assert running in page.value("document.querySelector('#glance').innerText")
        until(lambda: page.value("document.querySelectorAll('.group').length") > 1, "the list, without a reload")
        until(lambda: raised in page.value("document.querySelector('#main').innerText"))
        until(lambda: page.value(f"!!{ITEM}"), "something that the desk saw")
        page.value("window.stays = true")
        page.value(f"{ITEM}.click()")
        until(lambda: page.value("!window.stays && document.readyState === 'complete'"), "the tick")
        assert page.value("document.querySelectorAll('.item.passed').length") == 1
        assert "Li Na" in page.value("document.querySelector('.item.passed').innerText")
        assert page.value("document.documentElement.scrollWidth") <= 390
        page.picture(tmp_path / f"walktest-390-{lang}.png")
        address = page.value("location.pathname")
        page.open(f"http://127.0.0.1:{here.port}{address}?show=record&lang={lang}")
        assert page.value("document.querySelectorAll('.record tbody tr').length") > 10
        page.do("Emulation.setEmulatedMedia", media="print")
        assert page.value("getComputedStyle(document.querySelector('nav')).display") == "none"
        page.picture(tmp_path / f"walktest-paper-{lang}.png")
        page.do("Emulation.setEmulatedMedia", media="")
        page.open(f"http://127.0.0.1:{here.port}{address}?lang={lang}")
        sent(page, "cancel", note="rain")
        assert cancelled in page.value("document.querySelector('#main').innerText")
        assert page.value("document.querySelectorAll('#main form').length") == 0
        assert page.errors == []

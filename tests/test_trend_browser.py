"""A year of one point in a real browser: asked of a real agent by a real desk, drawn within 300 ms."""

import html
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import browser
from tests.peers.house import House, until
from tests.trend_year import a_year

POINT = "memory.utilisation"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("year")
    found = House(folder, "host: {every: 1s}\n")
    a_year(folder / "agent" / "trends", "host", [(POINT, "%", 40.0, 10.0)], time.time())
    try:
        found.start_desk()
        found.join()
        found.start_agent()
        until(lambda: POINT in found.readings("host"))
        until(lambda: "trend?device=host" in got(found, "/sites/house"))
        yield found
    finally:
        for name in list(found.processes):
            found.stop(name)


def got(here: House, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{here.port}{path}", timeout=20) as reply:
        return str(reply.read().decode())


def address(span: str, kind: str = "", lang: str = "en") -> str:
    return f"/sites/house/trend{kind}?device=host&point={POINT}&span={span}&lang={lang}"


@pytest.mark.parametrize(("lang", "width"), [("en", 1440), ("zh", 390)])
def test_a_year_is_drawn_in_300_ms_and_nothing_refused(here: House, tmp_path: Path, lang: str, width: int) -> None:
    until(lambda: json.loads(got(here, address("1y", ".json")))["times"])
    with browser(tmp_path / "profile") as page:
        page.size(width, 1000)
        page.open(f"http://127.0.0.1:{here.port}{address('1y', lang=lang)}")
        took = until(lambda: page.value("document.querySelector('.trend-plot').dataset.ms"), "the plot")
        page.picture(tmp_path / "year.png")
        assert page.value("document.querySelectorAll('.trend-plot canvas').length") == 1
        assert int(page.value("document.querySelector('.trend-plot').dataset.drawn")) > 300
        assert page.value("document.documentElement.scrollWidth") <= width
        assert page.errors == []
    assert float(took) < 300.0


def test_without_script_there_is_a_drawing_a_table_and_csv(here: House) -> None:
    until(lambda: json.loads(got(here, address("1w", ".json", "zh")))["times"])
    page = html.unescape(got(here, address("1w", lang="zh")))
    assert re.search(r'<polyline points="0\.0,', page)
    assert len(re.findall(r"<tr><td><time", page)) > 40
    assert "1个月" in page
    table = got(here, address("1w", ".csv")).splitlines()
    assert table[0].lstrip("\ufeff").split(",")[:2] == ["Time", "Value"]
    assert len(table) > 300


def test_an_hour_has_what_was_read_since_the_start(here: House) -> None:
    found = until(lambda: [v for v in json.loads(got(here, address("1h", ".json")))["means"] if v is not None])
    assert all(0.0 < value < 100.0 for value in found)

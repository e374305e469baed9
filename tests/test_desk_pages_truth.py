"""The desk's pages do not lie: the contract's own words for levels, whole texts, the hour beside a day."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desk.settings import shipped
from model.rule import Meaning
from tests.desk_world import World, a_desk, change


@pytest.fixture
async def abcd(tmp_path: Path) -> AsyncIterator[World]:
    async with a_desk(tmp_path, known=shipped) as made:
        agent = await made.agent("S1", contract="outsourcing-abcd", region="")
        await agent.send(change(meaning=Meaning.INTERRUPTION))
        yield made


def plain(text: str) -> str:
    return re.sub(r"<[^>]*>|\s+", " ", text)


@pytest.mark.parametrize("path", ["/", "/tickets", "/tickets/1", "/sites", "/sites/S1"])
async def test_a_level_is_called_as_its_contract_calls_it(abcd: World, path: str) -> None:
    text = (await abcd.client.get(path)).text
    main, aside = text[text.index("<main") : text.index("</main>")], text[text.index("<aside") :]
    shown = re.findall(r"◆(?:</i>)?\s*(\w+)", main)
    assert shown
    assert set(shown) == {"A"}
    assert "◆ A" in aside
    assert "Level 1" not in text

"""The page on a ticket's life names every act, stand, effect and file there is."""

from pathlib import Path

import pytest

from model.service.effect import Kind
from model.service.entry import Act
from model.service.outcome import Stand

HOME = Path(__file__).parent.parent
PAGE = (HOME / "docs" / "service.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "word",
    [
        *(str(act.__struct_config__.tag) for act in Act.__subclasses__()),
        *Stand,
        *Kind,
        *(path.name for path in (HOME / "model" / "service").glob("[a-z]*.py")),
    ],
)
def test_the_page_names_everything_of_a_tickets_life(word: str) -> None:
    assert f"`{word}`" in PAGE

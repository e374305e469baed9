"""docs/contracts is what config/contracts says."""

import pytest

from config.contract import load_contract
from tests.contract_docs import PAGES, index, names, page


@pytest.mark.parametrize("name", names())
def test_the_page_of_a_contract_is_up_to_date(name: str) -> None:
    assert (PAGES / f"{name}.md").read_text(encoding="utf-8") == page(name), "run: python -m tests.contract_docs"


def test_the_list_of_contracts_is_up_to_date_and_no_page_is_left_over() -> None:
    assert (PAGES / "README.md").read_text(encoding="utf-8") == index(), "run: python -m tests.contract_docs"
    assert {file.stem for file in PAGES.glob("*.md")} == {*names(), "README"}


@pytest.mark.parametrize("name", names())
def test_a_page_tells_every_limit_and_every_open_point_in_both_languages(name: str) -> None:
    text, contract = page(name), load_contract(name).contract
    for point in contract.open:
        assert point.text["en"] in text
        assert point.text["zh"] in text
    limits = text.split("### Limits\n")[1].split("###")[0] if contract.limits else ""
    assert limits.count("\n| ") == len(contract.limits) + (1 if contract.limits else 0)

"""docs/quantities.md is what model/quantity.py says."""

from model.quantity import STATES, UNITS, Kind, Quantity
from tests.quantities_doc import PAGE, page


def test_the_page_of_quantities_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.quantities_doc"


def test_every_quantity_has_its_line() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for quantity in Quantity:
        assert sum(line.startswith(f"| `{quantity}` |") for line in lines) == 1, quantity


def test_every_quantity_has_a_unit_or_states_and_none_has_both() -> None:
    for quantity in Quantity:
        assert (quantity.measure in UNITS) != (quantity.kind is Kind.STATE), quantity


def test_no_states_are_left_without_a_quantity() -> None:
    assert STATES.keys() <= {str(quantity) for quantity in Quantity}

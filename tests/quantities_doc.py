"""Writes docs/quantities.md from model/quantity.py: `python -m tests.quantities_doc`."""

from pathlib import Path

from model.quantity import Kind, Quantity

PAGE = Path(__file__).resolve().parent.parent / "docs" / "quantities.md"
HEAD = """# Quantities

The words a reading may carry, and nothing else. A word is `subject.measure`: the subject says where in the power and
cooling chain, the measure fixes the unit. Phase, cell, module, outlet, fan and subrack are indices of a point, never
part of the word. A new word is a decision: it is added to `model/quantity.py`, then `python -m tests.quantities_doc`
writes this page, and a test compares the two.

Units are those of `roundsman read` and of rules. Metrics use Prometheus' base units: where the factor is not 1, the
metric's value is the reading's times the factor. A counter only grows, until its device starts anew.
"""
NUMBERS = """
## Numbers

| quantity | unit | kind | metric's unit | factor |
|---|---|---|---|---|
"""
STATES = """
## States

A rule may name these. Where a device has its maker's own states, each comes with the severity that the maker gives it.

| quantity | states |
|---|---|
"""


def page() -> str:
    """Return the whole page as it should be."""
    numbers = [
        f"| `{each}` | {each.unit.symbol or '-'} | {each.kind} | {each.unit.suffix} | {each.unit.factor:g} |\n"
        for each in Quantity
        if each.kind is not Kind.STATE
    ]
    states = [
        f"| `{each}` | {', '.join(f'`{state}`' for state in each.states) or 'the maker’s own'} |\n"
        for each in Quantity
        if each.kind is Kind.STATE
    ]
    return "".join((HEAD, NUMBERS, *numbers, STATES, *states))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""Contracts by their names, as the desk asks for them."""

from functools import cache

from config.contract import load_contract
from model.level import Contract


@cache
def by_name(name: str) -> Contract:
    """Return a shipped contract; raises LookupError for none of that name."""
    return load_contract(name).contract

"""Every definition of a line that ships, for those who look for the one that fits."""

from functools import cache

from collectors.line.definition import ModbusDefinition, YdtDefinition, shipped
from collectors.line.recognise import Shelf
from config.shipped import names


@cache
def shelf() -> Shelf:
    """Return all that ship."""
    found = {name: shipped(name) for protocol in ("modbus", "ydt1363") for name in sorted(names(f"devices/{protocol}"))}
    return Shelf(
        {name: each for name, each in found.items() if isinstance(each, ModbusDefinition)},
        {name: each for name, each in found.items() if isinstance(each, YdtDefinition)},
    )

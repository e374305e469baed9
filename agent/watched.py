"""What the watch watches: a site's devices with the rules in force for each, swapped whole at a reload."""

from collections.abc import Mapping

import msgspec

from model.level import Contract
from model.rule import Rule


class Watched(msgspec.Struct, frozen=True):
    """A device as the watch knows it: its rules with their settings, how often it is polled (s), what is installed.

    `installed` maps (index name, index value) to the installed number by quantity. `parents` limits the devices whose
    faults explain this one's; empty for every device of the site. `line` is the line it hangs on, "" for none; a line
    is watched like a device.
    """

    id: str
    name: str
    rules: tuple[Rule, ...]
    every: float
    installed: Mapping[tuple[str, str], dict[str, int]] = {}
    parents: tuple[str, ...] = ()
    line: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What a configuration asks the watch to do: swapped whole at a reload."""

    site: str
    contract: Contract
    devices: dict[str, Watched]

"""Python's cycle collector, told to look less often: what a service builds at its start stays until its end."""

import gc
from typing import Final

COLLECTED: Final = 20_000, 20, 20
"""Objects more than before until the youngest are looked at; looks at these until the older are, and the oldest."""


def spare_the_collector() -> None:
    """Leave what is there now out of every collection and look for cycles less often: what comes later leaves few."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)

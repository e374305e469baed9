"""`desk trust-clock`: a person's word that the machine's clock is right, to the desk that runs."""

from pathlib import Path

import msgspec

from desk.local import ask
from desk.timekeeper import Standing


def clock_of(state: Path) -> Standing:
    """Return how the running desk's time stands. Raises LocalError when it does not run."""
    return msgspec.convert(ask(state, "GET", "/api/v1/clock"), Standing)


def trust_clock(state: Path, seen: Standing, *, by: str, earlier: bool, stood_still: bool) -> Standing:
    """Tell the desk that the machine's clock, as it was seen, is right; returns how its time stands now.

    Raises LocalError when the clock was set meanwhile, or is before what was written down and `earlier` is not said.
    """
    body = {"by": by, "off": seen.off, "earlier": earlier, "stood_still": stood_still}
    return msgspec.convert(ask(state, "POST", "/api/v1/local/clock", body), Standing)

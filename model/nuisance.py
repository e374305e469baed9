"""How good the alarms are, by the measures of EEMUA 191 and ISA-18.2: what one desk can answer to, and what it cannot.

The numbers are for one operator's place, as these guides have them: fewer than 1 alarm in 10 minutes is what people can
live with, more than 10 in 10 minutes is a flood, over when 10 minutes bring fewer than 5. An alarm that comes three
times within a minute chatters; one that has stood for a day is stale: nobody acts on it. Time is an argument.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

TEN = 600  # seconds
FLOOD = 10  # alarms in TEN seconds that are more begin a flood
FLOOD_OVER = 5  # fewer in TEN seconds end it
CHATTER = 3  # times within CHATTER_WITHIN
CHATTER_WITHIN = 60.0
STALE = 86_400.0


class Rate(StrEnum):
    """What an average rate means for the people at the desk (EEMUA 191, figures for steady operation)."""

    ACCEPTABLE = "acceptable"  # fewer than 1 in 10 minutes
    MANAGEABLE = "manageable"  # up to 1 in 5 minutes
    DEMANDING = "demanding"  # up to 1 in 2 minutes: likely too much
    TOO_MANY = "too_many"  # more


class Measure(msgspec.Struct, frozen=True):
    """The alarms announced in a time: how many, per ten minutes on average and at most, and what of it was flood."""

    tens: int
    announced: int
    average: float
    peak: int
    peak_at: float
    floods: int
    flooded: float
    rate: Rate


def measure(tens: Mapping[int, int], begin: float, end: float) -> Measure:
    """Measure the whole ten minutes between two Unix times; `tens` has the alarms of each by its number since 1970.

    The ten minutes that still run are not among them, for they are not over.
    """
    first, last = int(-(-begin // TEN)), int(end // TEN)
    count = max(0, last - first)
    row = {ten: alarms for ten, alarms in tens.items() if first <= ten < last}
    announced, (peak_ten, peak) = sum(row.values()), max(row.items(), key=lambda each: each[1], default=(first, 0))
    floods, flooded = _floods(row)
    average = announced / count if count else 0.0
    return Measure(
        count, announced, average, peak, peak_ten * TEN, floods, flooded / count if count else 0.0, _rate(average)
    )


def chatters(times: tuple[float, ...]) -> bool:
    """Say whether the last of these times, in order, makes a chatter: CHATTER of them within CHATTER_WITHIN."""
    return len(times) >= CHATTER and times[-1] - times[-CHATTER] <= CHATTER_WITHIN


def _floods(row: Mapping[int, int]) -> tuple[int, int]:
    """Return how many floods there were and how many ten minutes they lasted; ten minutes without a row had none."""
    floods = flooded = 0
    before, flood = None, False
    for ten in sorted(row):
        goes_on = flood and before == ten - 1 and row[ten] >= FLOOD_OVER
        begins = not goes_on and row[ten] > FLOOD
        floods += begins
        flood, before = goes_on or begins, ten
        flooded += flood
    return floods, flooded


def _rate(average: float) -> Rate:
    if average < 1:
        return Rate.ACCEPTABLE
    if average <= 2:
        return Rate.MANAGEABLE
    return Rate.DEMANDING if average <= 5 else Rate.TOO_MANY

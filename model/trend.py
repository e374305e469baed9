"""What desk and agent say about the history of a point: a range is asked for, a bounded answer comes.

    command send_history          SendHistory        (among the commands that the agent long-polls)
    POST /api/v1/history          HistoryReport      -> 204 | 404 not_asked

An answer has at most `most` samples: as they were read where there are no more, else means with lowest and highest.
"""

import msgspec

MOST = 2000  # samples of an answer
WIDTHS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0)


class SendHistory(msgspec.Struct, frozen=True, tag="send_history"):
    """The desk wants one point's history between two Unix times, in at most so many samples."""

    id: int
    device: str
    point: str
    start: float
    end: float
    most: int = 1000


class LimitLine(msgspec.Struct, frozen=True):
    """A limit of a fault rule in force, in the point's unit: a case is true `op` (above, below, ...) of it."""

    value: float
    op: str
    title: dict[str, str]


class HistoryReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """A range of one point's history, oldest first; a gap has no value (None, of words an empty tuple).

    `step` is the seconds of one average, 0 where samples are as they were read; `times` are Unix seconds, of an average
    its beginning. Numbers are in `means`, and of averages in `lows` and `highs`; words in `words`: the last one, then
    others of that time. `uncertain` are the places of samples whose quality was uncertain. `start` and `end` are the
    range.
    """

    command: int
    device: str
    point: str
    start: float
    end: float
    unit: str = ""
    step: float = 0.0
    times: tuple[float, ...] = ()
    means: tuple[float | None, ...] = ()
    lows: tuple[float | None, ...] = ()
    highs: tuple[float | None, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()
    uncertain: tuple[int, ...] = ()
    limits: tuple[LimitLine, ...] = ()
    said: str = ""


def width_for(seconds: float, most: int) -> float:
    """Return the seconds of an average so that a range has at most so many."""
    least = seconds / max(1, most)
    return next((width for width in WIDTHS if width >= least), -(-least // 86_400.0) * 86_400.0)

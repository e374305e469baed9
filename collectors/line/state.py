"""A line as a point of its own: open, or why not. Its alarm then says once what happened, whatever hangs on it."""

import time
from typing import Final

from collectors.line.others import FOREIGN
from config.schema import Line
from model.point import Batch, Point, Reading, Severity, State, point_id
from model.quantity import Quantity

OPEN, GONE, TAKEN, DISCONNECTED, FOREIGN_MASTER, FAILED = "open", "gone", "taken", "disconnected", "foreign", "failed"
_WHY: Final = (
    (FOREIGN, FOREIGN_MASTER),
    (" is in use by another program", TAKEN),
    (" is not there", GONE),
    (" hung up", GONE),
    (" may not be opened", FAILED),
    (" is no serial port", FAILED),
)
"""What a PortError says (`ports`), and the state that this is."""
_STATES: Final = (State(OPEN), *(State(name, Severity.CRITICAL) for name in Quantity.LINE_STATUS.states[1:]))


def state_of(line: Line, error: str) -> str:
    """Return the state of a line by what its port said last, "" for an open one."""
    if not error:
        return OPEN
    found = next((state for text, state in _WHY if text in error), "")
    return found or (DISCONNECTED if "://" in str(line.port) else FAILED)


def line_batch(line: Line, error: str) -> Batch:
    """Return what is known of a line itself now; `error` says why it is not open."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    quantity = Quantity.LINE_STATUS
    point = Point(line.id, point_id(quantity), quantity, f"Port {line.port}", states=_STATES)
    return Batch(line.id, now, (Reading(point, state_of(line, error), now),), error=error)

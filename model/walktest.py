"""A walk-test of a site (验收测试): what is exercised, what the desk saw of it, and what may be ticked and signed.

Theory. A walk-test is a maintenance window of its own kind (`Work.WALKTEST`) with a list beside it. The window holds
back every ticket of its places, dangers too, and ends by its time alone; nothing of the list makes it last. The list
has every point and every fault rule that the site has. What the desk saw is its own to say, what it means is people's:

    item        open -> passed | failed | not_testable, as often as people change their mind, until it is signed
    walk-test   running -> over (time) -> signed | cancelled;  running -> signed | cancelled

`passed` says that the desk saw it: a fault raised and cleared in the walk-test; a point's value that moved, or a note
of what it was compared with. `failed` and `not_testable` need a reason. Signed is for ever.
"""

import math
from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from model.period import same_person

LONGEST_WALK = 8 * 3600.0  # seconds from now on to the end; ours: a working day of two people on site
SHORTEST_WALK = 60.0
MOST_ITEMS = 20_000
MOST_MARKS = 20  # of one item that are kept: the last

Value = float | str | None


class Sort(StrEnum):
    """What an item of the list is."""

    POINT = "point"
    FAULT = "fault"


class Result(StrEnum):
    """What a person says of an item; OPEN takes back what was said."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    NOT_TESTABLE = "not_testable"


class State(StrEnum):
    """How a walk-test stands; OVER is over by its time and neither signed nor cancelled."""

    RUNNING = "running"
    OVER = "over"
    SIGNED = "signed"
    CANCELLED = "cancelled"


class WalkNo(StrEnum):
    """Why something is refused."""

    NO_SUCH = "no_such"
    NO_SITE = "no_site"
    NO_ITEM = "no_item"
    NO_DEVICE = "no_device"
    NOTHING_THERE = "nothing_there"  # the site has told no readings: there is nothing to list
    BAD_TIME = "bad_time"
    TOO_LONG = "too_long"
    NOT_LATER = "not_later"
    RUNS_ALREADY = "runs_already"
    CLOCK = "clock"  # nobody knows what time it is: nothing would be held back
    GUARDED = "guarded"  # a guard period freezes such work there
    OVER = "over"
    SIGNED = "signed"
    CANCELLED = "cancelled"
    NO_NOTE = "no_note"
    NOT_SEEN = "not_seen"
    STILL_STANDS = "still_stands"
    UNDECIDED = "undecided"
    NO_WITNESS = "no_witness"
    SAME_PERSON = "same_person"
    NO_REASON = "no_reason"


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the list. `key` names it in its walk-test: a point's `DEVICE/POINT`, or a fault's condition.

    `title` is a fault's name by language, `label` a point's; `asks` says a fault's limits, `mains.voltage < 176 V`.
    """

    key: str
    sort: Sort
    device: str
    device_name: str = ""
    label: str = ""
    title: dict[str, str] = {}
    quantity: str = ""
    unit: str = ""
    fault: str = ""
    asks: tuple[str, ...] = ()


class Moved(msgspec.Struct, frozen=True, omit_defaults=True, tag="moved"):
    """What the desk saw of a point: its value at the beginning, and the farthest from it, when (Unix seconds).

    `moved` is None while it has not moved.
    """

    first: Value
    value: Value = None
    moved: float | None = None


class Raised(msgspec.Struct, frozen=True, omit_defaults=True, tag="raised"):
    """What the desk saw of a fault in the walk-test: when its last alarm began and cleared, and how many there were.

    `stands`: it stands now; `announced`: it outlived its delay, or another fault explained it. `before`: it stood when
    the walk-test began, which proves nothing. `explained`: by another fault, `explained_by` while it still is.
    """

    raised: float | None = None
    cleared: float | None = None
    times: int = 0
    stands: bool = False
    announced: bool = False
    before: bool = False
    case: dict[str, str] = {}
    explained: bool = False
    explained_by: str = ""


Seen = Moved | Raised


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person said of an item, when, and why."""

    at: float
    who: str
    result: Result
    note: str = ""


class Signature(msgspec.Struct, frozen=True):
    """Who signed: the engineer, and the customer's witness."""

    at: float
    engineer: str
    witness: str
    note: str = ""


def moved(before: Moved | None, value: Value, at: float) -> Moved:
    """Return what was seen of a point after its value at a moment; what cannot be read (None) moves nothing.

    A number is kept as far from its beginning as it came, a state as the last that was another.
    """
    if before is None:
        return Moved(value)
    if value is None or value in {before.first, before.value}:
        return before
    first, most = before.first, before.value
    if isinstance(first, int | float) and isinstance(value, int | float) and isinstance(most, int | float):
        return replace(before, value=value, moved=at) if abs(value - first) > abs(most - first) else before
    return replace(before, value=value, moved=at)


def length_refused(seconds: float) -> WalkNo | None:
    """Return why a walk-test may not go on for so long from now on; None when it may."""
    if not math.isfinite(seconds) or seconds < SHORTEST_WALK:
        return WalkNo.BAD_TIME
    return WalkNo.TOO_LONG if seconds > LONGEST_WALK else None


def extension_refused(end: float, later: float, now: float) -> WalkNo | None:
    """Return why a walk-test that ends at `end` may not end later instead; it never reaches far from now on."""
    if now >= end:
        return WalkNo.OVER
    if not math.isfinite(later) or later <= end:
        return WalkNo.NOT_LATER
    return WalkNo.TOO_LONG if later - now > LONGEST_WALK else None


def state_of(end: float, signed: Signature | None, now: float, *, cancelled: bool) -> State:
    """Return how a walk-test stands."""
    if signed is not None:
        return State.SIGNED
    if cancelled:
        return State.CANCELLED
    return State.RUNNING if now < end else State.OVER


def closed_refused(state: State) -> WalkNo | None:
    """Return why nothing more is said of a walk-test: signed and cancelled are for ever."""
    return {State.SIGNED: WalkNo.SIGNED, State.CANCELLED: WalkNo.CANCELLED}.get(state)


def mark_refused(seen: Seen | None, mark: Mark) -> WalkNo | None:
    """Return why an item may not be ticked so; None when it may."""
    if mark.result is Result.OPEN:
        return None
    if mark.result is not Result.PASSED:
        return None if mark.note.strip() else WalkNo.NO_NOTE
    if isinstance(seen, Raised):
        if not (seen.times and seen.announced):
            return WalkNo.NOT_SEEN
        return WalkNo.STILL_STANDS if seen.stands else None
    compared = bool(mark.note.strip())
    return None if compared or (isinstance(seen, Moved) and seen.moved is not None) else WalkNo.NOT_SEEN


def after_mark(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """Return an item's marks after another; the oldest of too many go, the audit has them."""
    return (*marks, mark)[-MOST_MARKS:]


def result_of(marks: tuple[Mark, ...]) -> Result:
    """Return what is said of an item now."""
    return marks[-1].result if marks else Result.OPEN


def signature_refused(signature: Signature, results: Iterable[Result]) -> WalkNo | None:
    """Return why a walk-test may not be signed; None when it may: every item is decided, two people sign."""
    if not signature.witness.strip():
        return WalkNo.NO_WITNESS
    if same_person(signature.engineer, signature.witness):
        return WalkNo.SAME_PERSON
    return WalkNo.UNDECIDED if Result.OPEN in set(results) else None

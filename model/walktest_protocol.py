"""What people's programs and the desk say to each other about walk-tests: JSON over HTTP. Times are Unix seconds."""

import msgspec

from model.period import Step
from model.period_protocol import HeldNow, When
from model.walktest import Mark, Result, Seen, Signature, Sort, State


class OpenWalk(msgspec.Struct, frozen=True):
    """Open a walk-test of a site, or of one `device` of it, from now on. `end` is a time, or how long."""

    by: str
    end: When
    device: str = ""
    purpose: str = ""


class MarkItems(msgspec.Struct, frozen=True):
    """Say of items, by their keys, what they came to; `open` takes it back. All are marked, or none."""

    by: str
    items: tuple[str, ...]
    result: Result
    note: str = ""


class ExtendWalk(msgspec.Struct, frozen=True):
    """A later end: a time, or how long from now on; at most 8 h from now."""

    by: str
    end: When
    reason: str = ""


class CancelWalk(msgspec.Struct, frozen=True):
    """End a walk-test without a signature, with a reason."""

    by: str
    reason: str


class SignWalk(msgspec.Struct, frozen=True):
    """Sign a walk-test: `by` is the engineer, `witness` the customer's. It is over then, and never changes again."""

    by: str
    witness: str
    note: str = ""


class ItemNow(msgspec.Struct, frozen=True, omit_defaults=True):
    """An item as it stands: what it is (`model.walktest.Item`), what the desk saw, what people said."""

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
    seen: Seen | None = None
    result: Result = Result.OPEN
    marks: tuple[Mark, ...] = ()


class WalkNow(msgspec.Struct, frozen=True):
    """A walk-test. `device` is "" for the whole site; `counts` are of all its items by result.

    `items` are there when one walk-test is asked for, `held` the faults that it keeps from being tickets. `digest` is
    the SHA-256 of the record that was signed or cancelled, "" before.
    """

    number: int
    site: str
    site_name: str
    device: str
    by: str
    purpose: str
    opened: float
    end: float
    zone: str
    state: State
    counts: dict[str, int]
    signature: Signature | None = None
    cancelled: Step | None = None
    steps: tuple[Step, ...] = ()
    held: tuple[HeldNow, ...] = ()
    items: tuple[ItemNow, ...] = ()
    digest: str = ""


class WalkList(msgspec.Struct, frozen=True):
    """Walk-tests at `now`, the newest first, without their items."""

    now: float
    walktests: tuple[WalkNow, ...]

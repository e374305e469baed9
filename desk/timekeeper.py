"""The desk's time: what it writes down, what that is worth, and why (docs/clock.md; the theory is `model.clock`'s).

Each asking looks at both clocks, so that nothing is ever written down between a jump and its noticing. What is kept is
one row, once a minute and whenever the trust changes.
"""

import threading
from collections.abc import Callable

import msgspec

from desk.store import Db, one
from model.alarm import Now
from model.clock import Anchor, Judgement, Note, Regained, confirmed, judge, regained, taken_up
from model.service.words import Trust
from runtime.clock import known_boot_id
from runtime.clock import now as clock_now
from runtime.clock import synchronised as kernel_synchronised

EARLIEST = 1_780_000_000.0  # 2026-05-28, before this program could run: a clock that starts in 1970 is not believed
TICK = 0.001  # seconds: what is written next comes after what was written last
ASK_EVERY = 1.0  # seconds between questions to the kernel


class Moment(msgspec.Struct, frozen=True):
    """A time (Unix seconds) and what it is worth, of one look."""

    at: float
    trust: Trust


class Standing(msgspec.Struct, frozen=True):
    """How the desk's time stands: what it writes, what the machine says, both in Unix seconds, and why.

    `off` is by how many seconds the machine's clock is ahead; `synchronised` whether the machine knows that it follows
    a time server, None when nobody can say. `held` counts the tickets on which something is due and waits for the time
    to be sure.
    """

    at: float
    wall: float
    off: float
    trust: Trust
    note: Note
    synchronised: bool | None
    held: int = 0


class Plan(msgspec.Struct, frozen=True):
    """How the time is sure again, and what that makes of what was written."""

    after: Judgement
    regained: Regained


class Timekeeper:
    """Gives the sure time. Safe to ask from any thread. Times are Unix seconds.

    It becomes sure again by a `plan` that is taken, so that what was written meanwhile is put right first.
    `earliest` is what the time cannot be before.
    """

    def __init__(
        self,
        kept: Anchor | None = None,
        clock: Callable[[], Now] = clock_now,
        boot_id: Callable[[], str] = known_boot_id,
        synchronised: Callable[[], bool | None] = kernel_synchronised,
        earliest: float = EARLIEST,
    ) -> None:
        self._clock = clock
        self._ask = synchronised
        self._lock = threading.Lock()
        self._asked: tuple[float, bool | None] | None = None
        self.held = 0
        anchor = taken_up(kept, clock(), boot_id(), max(earliest, EARLIEST))
        self._judged = Judgement(anchor, _trust_of(anchor))
        self._ready: Judgement | None = None
        self._look()

    def moment(self) -> Moment:
        """Return the time to write down and its trust, of one look at the clocks."""
        with self._lock:
            now = self._look()
            return Moment(self._judged.anchor.at(now.boot), self._judged.trust)

    def both(self) -> Now:
        """Return CLOCK_BOOTTIME and the time to write down, as one clock for all that the desk does."""
        with self._lock:
            now = self._look()
            return Now(now.boot, self._judged.anchor.at(now.boot))

    def now(self) -> float:
        """Return the time to write down: the last sure wall time plus the CLOCK_BOOTTIME since."""
        return self.moment().at

    @property
    def trust(self) -> Trust:
        """What the time is worth now."""
        return self.moment().trust

    def note(self) -> Note:
        """Return why the time is not sure, a key of the pages' words; "" when it is."""
        with self._lock:
            self._look()
            return self._judged.note

    def standing(self) -> Standing:
        """Return all that people are told about the time."""
        with self._lock:
            now = self._look()
            judged = self._judged
            at = judged.anchor.at(now.boot)
            synchronised = self._synchronised(now)
            return Standing(at, now.wall, now.wall - at, judged.trust, judged.note, synchronised, self.held)

    def plan(self, *, word: bool = False, stood_still: bool = False) -> Plan | None:
        """Return how to be sure again, if the clocks give reason to, or a person's `word` does; None when they do not.

        Nothing changes by it: `take` it once what was written meanwhile is put right.
        """
        with self._lock:
            now, before = self._look(), self._judged
            after = confirmed(before, now) if word else self._ready
            return None if after is None else Plan(after, regained(before, after, now, stood_still=stood_still))

    def take(self, plan: Plan) -> None:
        """Be sure from now on."""
        with self._lock:
            self._judged, self._ready, self.held = plan.after, None, 0

    @property
    def ready(self) -> bool:
        """Say whether the clocks give reason to be sure again."""
        with self._lock:
            self._look()
            return self._ready is not None

    def anchor(self) -> Anchor:
        """Return what is to be kept for the next start."""
        with self._lock:
            now = self._look()
            anchor = self._judged.anchor
            return msgspec.structs.replace(anchor, wall=anchor.at(now.boot), boot=max(anchor.boot, now.boot))

    def _look(self) -> Now:
        now = self._clock()
        before = self._judged
        synchronised = before.trust is not Trust.SURE and bool(self._synchronised(now))
        after = judge(before, now, synchronised=synchronised)
        regaining = before.trust is not Trust.SURE and after.trust is Trust.SURE
        self._judged = msgspec.structs.replace(before, steady=after.steady) if regaining else after
        self._ready = after if regaining else None
        return now

    def _synchronised(self, now: Now) -> bool | None:
        if self._asked is None or now.boot - self._asked[0] >= ASK_EVERY:
            self._asked = (now.boot, self._ask())
        return self._asked[1]


def _trust_of(anchor: Anchor) -> Trust:
    if anchor.lost is None:
        return Trust.SURE
    return Trust.JUMPED if anchor.sure else Trust.UNSYNCHRONISED


def keep(db: Db, anchor: Anchor, note: Note) -> None:
    """Keep the last sure time, and what was said of it, for the next start; in the caller's transaction."""
    db.execute(
        "INSERT INTO clock VALUES (1, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET wall = excluded.wall,"
        " boot = excluded.boot, boot_id = excluded.boot_id, sure = excluded.sure, began = excluded.began,"
        " lost = excluded.lost, note = excluded.note",
        (anchor.wall, anchor.boot, anchor.boot_id, anchor.sure, anchor.began, anchor.lost, note),
    )


def kept(db: Db) -> Anchor | None:
    """Return what was kept when the desk last ran."""
    row = one(db, "SELECT wall, boot, boot_id, sure, began, lost FROM clock")
    if row is None:
        return None
    lost = row["wall"] if row["lost"] is None and _last(db)[1] is not Trust.SURE else row["lost"]
    return Anchor(row["wall"], row["boot"], row["boot_id"], bool(row["sure"]), row["began"], lost)


def last_note(db: Db) -> Note:
    """Return what was last said of the time."""
    row = one(db, "SELECT note FROM clock")
    return Note.SURE if row is None else Note(row["note"])


def last_written(db: Db) -> float:
    """Return when the last entry was written, 0 for none: another boot is not before it, whatever was kept last."""
    return _last(db)[0] + TICK


def _last(db: Db) -> tuple[float, Trust]:
    row = one(db, "SELECT at, trust FROM entries ORDER BY id DESC LIMIT 1")
    return (0.0, Trust.SURE) if row is None else (row["at"], Trust(row["trust"]))

"""One poll of one card: an exchange that ends in a Batch, whatever the card does."""

from collections.abc import Callable, Mapping

from collectors.snmp.discover import discover
from collectors.snmp.exchange import MOST_KEPT, MOST_ROWS, Exchange, Manners, NoAnswer, RefusesAll, get, get_all, walk
from collectors.snmp.library import Library
from collectors.snmp.meaning import as_number
from collectors.snmp.plan import SYS_UPTIME, Plan, uptime_point
from collectors.snmp.target import AUTO, Target
from model.point import Batch, Point, Reading, unavailable
from wire.snmp import V1, V2C, Value

REDISCOVER_SECONDS = 3600.0
AGAIN_SECONDS = (60.0, 120.0, 300.0, 600.0, 900.0)
"""A card that starts may not have all of its objects yet.  While fewer definitions serve it than before, it keeps what
it had and is discovered again after these times; then what it has is believed."""
GUARD_SECONDS = 60.0
"""Between two discoveries that a guard asks for: a unit or scale that changes with each poll is none."""
_TICKS = 2**32  # sysUpTime counts hundredths and starts over after 497 days


class Card:
    """One card as the engine knows it: how it is spoken to, its plan, how long it runs, how often it kept silent."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.plan: Plan | None = None
        self.discover_at = 0.0
        self.discovered_at = 0.0
        self.fewer = 0  # discoveries in a row that found fewer definitions
        self.gone: tuple[str, ...] = ()
        self.uptime: float | None = None
        self.uptime_point = uptime_point(target.device)
        self.unanswered = 0
        self.cut: tuple[str, ...] = ()
        self.manners = Manners(V1 if target.version == "1" else V2C, target.retries)
        self._ticks = 0
        self._wraps = 0

    @property
    def points(self) -> tuple[Point, ...]:
        """Every point this card is known to have."""
        had = () if self.uptime is None else (self.uptime_point,)
        return (*had, *(self.plan.points if self.plan else ()))

    def sees(self, ticks: int) -> bool:
        """Note a sysUpTime; tell whether the card has started anew since the last one."""
        wrapped = ticks < self._ticks and self._ticks > _TICKS - 360_000  # an hour: it may have been out of reach
        restarted = ticks < self._ticks and not wrapped
        self._wraps = 0 if restarted else self._wraps + wrapped
        self._ticks = ticks
        self.uptime = (ticks + self._wraps * _TICKS) / 100
        return restarted


def poll(card: Card, definitions: Library, clock: Callable[[], float]) -> Exchange[Batch]:
    """Poll a card.  `clock` is CLOCK_BOOTTIME in seconds."""
    began, size, manners = clock(), card.manners.names, card.manners
    manners.good = manners.refusals = 0
    try:
        if card.unanswered or card.plan is None:
            yield from knock(card)
        values = yield from _values(card, definitions, clock)
        tables = yield from _alarm_rows(card, values)
        unread = (*card.manners.cut, *card.manners.broken)
        card.manners.ends()
    except NoAnswer:
        card.unanswered += 1
        card.manners.went_silent(size)
        return _silent(card, began, clock())
    except RefusesAll as refused:
        card.unanswered += 1
        card.manners.names = size  # which had no part in it
        return _nothing(card, began, clock(), f"it answers every request with {refused}")
    card.unanswered = 0
    now = clock()
    plan = _planned(card)
    if card.manners is manners and len(plan.requests(size)) > 1:
        manners.went_well(size)
    readings = [*_uptime(card, values, now), *plan.readings(values, now)]
    for table, rows in zip(plan.alarm_tables, tables, strict=True):
        readings += table.readings(rows, values, now, whole=table.alarms.column not in unread)
    error = "; ".join(filter(None, (_unrecognised(card.target, plan), _cut((*card.cut, *card.manners.cut)))))
    gone, card.gone = card.gone, ()
    return Batch(card.target.device, now, tuple(readings), error=error, seconds=now - began, gone=gone)


def _planned(card: Card) -> Plan:
    if card.plan is None:
        raise RuntimeError("a poll that had answers has a plan")
    return card.plan


def knock(card: Card) -> Exchange[None]:
    """Ask one small thing: what is silent costs little.  A card never met that ignores version 2c may speak 1 alone."""
    never_met = card.plan is None and card.target.version == "2c"
    if never_met:
        card.manners.version = V2C
    try:
        yield from _ask_small(card, 0 if card.unanswered else card.target.retries)
    except NoAnswer:
        if not never_met:
            raise
        card.manners.version = V1
        yield from _ask_small(card, 0)
        yield from _hope_for_2c(card)


def _ask_small(card: Card, retries: int) -> Exchange[None]:
    manners = Manners(card.manners.version, retries)
    yield from get((SYS_UPTIME,), manners)
    card.manners.good += manners.good
    card.manners.refusals += manners.refusals


def _hope_for_2c(card: Card) -> Exchange[None]:
    """Try version 2c once at a card that answers version 1 now: that it did not answer 2c may have been the network."""
    if card.target.version != "2c" or card.manners.version != V1:
        return
    card.manners.version = V2C
    try:
        yield from _ask_small(card, 0)
    except NoAnswer:
        card.manners.version = V1


def _values(card: Card, definitions: Library, clock: Callable[[], float]) -> Exchange[dict[str, Value]]:
    """Read everything of the plan, with a new plan where there is none, it is old, or the card is not what it was.

    It is not where it has started anew, or where an object that a unit or scale depends on says something else.
    """
    if card.plan is None or clock() >= card.discover_at:
        yield from _plan(card, definitions, clock)
    values = yield from _read(card)
    ticks = as_number(values.get(SYS_UPTIME))
    restarted = bool(ticks) and card.sees(int(ticks or 0))  # 0 is what cards send that count none
    turned = _planned(card).turned(values) and clock() - card.discovered_at >= GUARD_SECONDS
    if restarted:
        card.fewer = 0
    if restarted or turned:
        yield from _plan(card, definitions, clock)
        values = yield from _read(card)
    return values


def _read(card: Card) -> Exchange[dict[str, Value]]:
    card.manners.begins()
    return (yield from get_all(_planned(card).requests(card.manners.names), card.manners))


def _plan(card: Card, definitions: Library, clock: Callable[[], float]) -> Exchange[None]:
    before = card.plan
    if before is not None:
        yield from _hope_for_2c(card)
    card.manners = card.manners.anew()
    found = yield from discover(card.target, definitions, card.manners, before)
    card.cut = tuple(card.manners.cut)
    card.discovered_at = clock()
    if before is not None and found.lacks(before) and card.fewer < len(AGAIN_SECONDS):
        card.discover_at = card.discovered_at + AGAIN_SECONDS[card.fewer]
        card.fewer += 1
        return
    card.plan, gone = found.keeping(before)
    card.gone += gone
    card.fewer = 0
    card.discover_at = card.discovered_at + REDISCOVER_SECONDS


def _alarm_rows(card: Card, values: Mapping[str, Value]) -> Exchange[list[dict[str, Value]]]:
    """Read each alarm table that says it has rows."""
    tables: list[dict[str, Value]] = []
    for table in _planned(card).alarm_tables:
        empty = table.alarms.count is not None and as_number(values.get(table.alarms.count)) == 0
        tables.append({} if empty else (yield from walk(table.alarms.column, card.manners)))
        if tables[-1] and not table.points:
            card.discover_at = 0.0  # its first alarm: now it is known to have the table
    return tables


def _uptime(card: Card, values: Mapping[str, Value], now: float) -> tuple[Reading, ...]:
    """Return the uptime of this poll; nothing of a card that never told one: what it never had is not missing."""
    if card.uptime is None:
        return ()
    if not as_number(values.get(SYS_UPTIME)):
        return (unavailable(card.uptime_point, now),)
    return (Reading(card.uptime_point, card.uptime, now),)


def _unrecognised(target: Target, plan: Plan) -> str:
    if plan.recognition.definitions:
        return ""
    if target.definition != AUTO:
        return f"the card has nothing of the definition {target.definition}, or SNMP has none of that name"
    seen = plan.recognition
    found = f"it has objects of {', '.join(seen.found)}" if seen.found else "it has no maker's objects"
    return f"not recognised: no definition serves sysObjectID {seen.sys_object_id or '(none)'}; {found}"


def _cut(tables: tuple[str, ...]) -> str:
    if not tables:
        return ""
    more = f" and {len(tables) - 3} more" if len(tables) > 3 else ""
    most = f"{MOST_ROWS} rows or {MOST_KEPT / 1e6:g} MB of tables"
    return f"more than {most}; not read to their end: {', '.join(tables[:3])}{more}"


def _silent(card: Card, began: float, now: float) -> Batch:
    target = card.target
    tries = 1 if card.unanswered > 1 else 1 + target.retries
    besides = ", nor in version 1" if card.plan is None and target.version == "2c" else ""
    return _nothing(card, began, now, f"no answer from {target.place} in {tries} x {target.timeout:g} s{besides}")


def _nothing(card: Card, began: float, now: float, error: str) -> Batch:
    readings = tuple(unavailable(point, now) for point in card.points)
    return Batch(card.target.device, now, readings, reachable=False, error=error, seconds=now - began)

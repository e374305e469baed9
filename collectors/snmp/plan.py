"""What is asked of one card with each poll, and what its answers mean."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from collectors.snmp.definition import Alarms, When
from collectors.snmp.exchange import requests_for
from collectors.snmp.meaning import Meaning, Transform, as_number, as_text, is_there
from model.point import Point, Reading, unavailable
from model.quantity import Quantity
from wire.snmp import GET, Request, Value

KEPT_DISCOVERIES = 3
"""Discoveries for which a point that is gone is kept; one of a group (a fan of a shelf) is kept for good: a fan that
was there and is no longer is missing. A card may number its sensors anew with each start; those are forgotten."""
MOST_GONE = 500
"""Points of one card that are gone and kept."""
GROUP = "subrack"
LONGEST_KEY = 256
"""Signs of an alarm table's entry that are looked at."""
_log = logging.getLogger(__name__)

SYS_DESCR, SYS_OBJECT_ID, SYS_UPTIME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.3.0"
SYS_NAME = "1.3.6.1.2.1.1.5.0"


class Recognition(msgspec.Struct, frozen=True):
    """What a device says it is. `definitions` are the names of those that serve it; none: it is unrecognised.

    `name` is its sysName.  Where no maker's own definition or standard of its kind serves it, `found` tells what the
    device has: the enterprises whose objects answer, as OIDs.
    """

    device: str
    sys_object_id: str
    description: str
    definitions: tuple[str, ...]
    identity: dict[str, str]
    name: str = ""
    found: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True, gc=False):
    """A point and the object it is read from; with `gate`, the value counts only while that object is as `open` says.

    `name` is the maker's word for the object, `definition` the definition it stands in.  A `guarded` one counts only
    while the plan's guards say what they said when the card was discovered: its unit or scale hangs on them.
    """

    point: Point
    oid: str
    meaning: Meaning
    gate: str = ""
    open: When | None = None
    name: str = ""
    definition: str = ""
    guarded: bool = False
    missed: int = 0  # discoveries in a row that did not find it

    def opens(self, gate: Value) -> bool:
        """Say whether the value counts while the object that is its gate says this; one that is not there is shut."""
        return self.open is None or (is_there(gate) and self.open.holds(as_text(gate)))


class AlarmPoint(msgspec.Struct, frozen=True):
    """A point with two states, clear and active: active while its key stands in the table; "" is every unknown one."""

    point: Point
    key: str


class AlarmTable(msgspec.Struct, frozen=True):
    """An alarm table that the card has, and the point of each alarm."""

    alarms: Alarms
    points: tuple[AlarmPoint, ...]

    def readings(
        self, rows: Mapping[str, Value], values: Mapping[str, Value], time: float, *, whole: bool = True
    ) -> list[Reading]:
        """Return each alarm as it stands.

        Clear needs proof: the `whole` table was read, and it has as many rows as the card counts alarms.
        """
        present = {self._named(as_text(value, LONGEST_KEY)) for value in rows.values()}.difference(self.alarms.ignored)
        unknown = present.difference(self.alarms.known)
        counted = as_number(values.get(self.alarms.count)) if self.alarms.count else 0
        complete = whole and counted is not None and 0 <= counted <= len(rows)
        readings = []
        for each in self.points:
            clear, active = each.point.states
            if each.key in present or (not each.key and unknown):
                readings.append(Reading(each.point, active.name, time))
            else:
                readings.append(Reading(each.point, clear.name, time) if complete else unavailable(each.point, time))
        return readings

    def _named(self, entry: str) -> str:
        """Return the key that an entry stands for: its own, else the nearest OID above it that is known or ignored."""
        name = entry
        while name.startswith("1.3.6.1."):
            if name in self.alarms.known or name in self.alarms.ignored:
                return name
            name = name.rpartition(".")[0]
        return entry


def uptime_point(device: str) -> Point:
    """Return the point of how long a card has run; it falls when the card starts anew."""
    return Point(device, "device.uptime", Quantity.DEVICE_UPTIME, "Uptime of the card", source=SYS_UPTIME)


_NOTHING: Any = object()
Index = tuple[tuple[str, str], ...]
Choice = tuple[str, tuple[str, ...], Index]
"""A definition, names of which the best counts, and the place of a point that they all say."""


class Plan:
    """The points of one card, encoded requests for them, and what the card is.

    `guards` are the single objects that units, scales and conditions hang on, as they were when the card was
    discovered; `choices` the source that counts where a definition's `prefer` had several.
    """

    def __init__(
        self,
        recognition: Recognition,
        items: Sequence[Item],
        alarm_tables: Sequence[AlarmTable],
        guards: Mapping[str, Value] | None = None,
        choices: Mapping[Choice, str] | None = None,
    ) -> None:
        self.recognition = recognition
        self.guards = dict(guards or {})
        self.choices = dict(choices or {})
        self.items = tuple(items)
        self.alarm_tables = tuple(alarm_tables)
        self.points = tuple(item.point for item in self.items) + tuple(
            each.point for table in self.alarm_tables for each in table.points
        )
        self._requests: dict[int, tuple[Request, ...]] = {}
        self._sent: list[object] = [_NOTHING] * len(self.items)
        self._read: list[float | str | None] = [None] * len(self.items)
        self._gates: dict[int, Value] = {place: _NOTHING for place, item in enumerate(self.items) if item.gate}
        self._shut: frozenset[int] = frozenset()
        self._ages = [place for place, item in enumerate(self.items) if item.meaning.transform is Transform.AGE]

    def readings(self, values: Mapping[str, Value], time: float) -> list[Reading]:
        """Return the readings of one poll's objects, alarm tables apart.  What is sent again means what it meant."""
        found: list[Reading] = []
        get, sents, read = values.get, self._sent, self._read
        for place in self._ages:  # they grow by themselves
            sents[place] = _NOTHING
        closed = self._closed(values)
        for place, item in enumerate(self.items):
            sent, had = get(item.oid), sents[place]
            if sent == had and type(sent) is type(had):
                value = read[place]
            else:
                sents[place] = sent
                value = read[place] = item.meaning.of(sent)
            if value is None or (closed and place in closed):
                found.append(unavailable(item.point, time))
            else:
                found.append(Reading(item.point, value, time))
        return found

    def _closed(self, values: Mapping[str, Value]) -> frozenset[int]:
        """Return the places whose values do not count: a closed gate, or a unit or scale that hangs on what turned."""
        get, items, moved = values.get, self.items, []
        for place, had in self._gates.items():
            gate = get(items[place].gate)
            if gate != had or type(gate) is not type(had):
                self._gates[place] = gate  # no new key
                moved.append(place)
        if moved:
            shut = {place for place in moved if not items[place].opens(self._gates[place])}
            self._shut = self._shut.difference(moved) | shut
        if self.turned(values):
            return self._shut.union(place for place, item in enumerate(self.items) if item.guarded)
        return self._shut

    def turned(self, values: Mapping[str, Value]) -> bool:
        """Say whether a guard says something else than when the card was discovered."""
        return any(values.get(oid) != had for oid, had in self.guards.items())

    def requests(self, size: int) -> tuple[Request, ...]:
        """Return the GETs of one poll, encoded once for each size; sysUpTime comes first."""
        if size not in self._requests:
            asked = dict.fromkeys((SYS_UPTIME, *(oid for item in self.items for oid in (item.oid, item.gate) if oid)))
            asked |= dict.fromkeys(table.alarms.count for table in self.alarm_tables if table.alarms.count)
            asked |= dict.fromkeys(self.guards)
            self._requests = {size: tuple(requests_for(GET, asked, size))}
        return self._requests[size]

    def lacks(self, before: "Plan") -> bool:
        """Say whether this is an earlier plan's device, of which fewer definitions find anything."""
        now, then = self.recognition, before.recognition
        return now.sys_object_id in {then.sys_object_id, ""} and set(now.definitions) < set(then.definitions)

    def keeping(self, before: "Plan | None") -> "tuple[Plan, tuple[str, ...]]":
        """Return this plan with points of an earlier one that are not found now, and the ids of those that are gone.

        Those that are kept go on as unavailable, for a while: a fan that was there and is no longer is a fan that
        cannot be read.  Of another device in its place, and of an object that has another name now, nothing is kept.
        What has not changed stays the same object: a point is made once.
        """
        if before is None:
            return self, ()
        same = {item.point.id: item for item in before.items}
        items = [old if (old := same.get(item.point.id, item)) == item else item for item in self.items]
        is_another = self.recognition.sys_object_id != before.recognition.sys_object_id
        kept = [] if is_another else self._kept(before)
        tables = [_followed(table, () if is_another else before.alarm_tables) for table in self.alarm_tables]
        plan = Plan(self.recognition, [*items, *kept], tables, self.guards, self.choices)
        known = {point.id for point in plan.points}
        return plan, tuple(point.id for point in before.points if point.id not in known)

    def _kept(self, before: "Plan") -> list[Item]:
        """Return the items of an earlier plan that are not found any more and are kept; say how many are not."""
        ids, oids = {point.id for point in self.points}, {item.oid for item in self.items}
        gone = [
            msgspec.structs.replace(item, missed=item.missed + 1)
            for item in before.items
            if item.point.id not in ids and item.oid not in oids
        ]
        kept = [item for item in gone if item.missed <= KEPT_DISCOVERIES or GROUP in dict(item.point.index)]
        kept = sorted(kept, key=lambda item: item.missed)[:MOST_GONE]
        if dropped := len(gone) - len(kept):
            device = self.recognition.device
            _log.warning(
                "%s: %d points that the card has no longer are forgotten, %d are kept", device, dropped, len(kept)
            )
        return kept


def _followed(table: AlarmTable, before: Sequence[AlarmTable]) -> AlarmTable:
    """Return a table with the points it had: one that is empty now and counts nothing has none of its own."""
    old = next((each for each in before if each.alarms == table.alarms), table)
    return old if not table.points or old.points == table.points else table

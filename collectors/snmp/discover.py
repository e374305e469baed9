"""What a card is and what it has: once when it is first met, when it starts anew, and every hour.

Names, labels and indices are interned: hundreds of alike cards have the same.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from sys import intern

import msgspec

from collectors.snmp.definition import Alarms, Definition, KnownAlarm, Match
from collectors.snmp.entity import read_sensors
from collectors.snmp.exchange import Exchange, Manners, following, get
from collectors.snmp.library import Library, begins, choose, named
from collectors.snmp.meaning import as_text, is_there
from collectors.snmp.plan import (
    SYS_DESCR,
    SYS_NAME,
    SYS_OBJECT_ID,
    AlarmPoint,
    AlarmTable,
    Choice,
    Index,
    Item,
    Plan,
    Recognition,
)
from collectors.snmp.rows import Found, read_all, shared
from collectors.snmp.sources import aside, set_aside, tables_set_aside, worse
from collectors.snmp.target import AUTO, Target
from model.point import Point, Severity, State, point_id
from model.quantity import Quantity
from wire.snmp import Value

OTHER_ALARM = "other"
ENTERPRISES = "1.3.6.1.4.1"
MOST_ENTERPRISES = 8


class _Findings:
    """What is gathered of a card, definition by definition."""

    def __init__(self, before: Plan | None) -> None:
        self.serving: list[str] = []
        self.identity: dict[str, str] = {}
        self.items: list[Item] = []
        self.tables: list[tuple[str, AlarmTable]] = []
        self.guards: dict[str, Value] = {}
        self.choices: dict[Choice, str] = {}
        self.chosen_before = before.choices if before else {}


def discover(target: Target, library: Library, manners: Manners, before: Plan | None = None) -> Exchange[Plan]:
    """Ask a card what it is, choose the definitions that serve it, and find which of their points it has.

    `before` is what was found the last time: where several sources say the same, the choice stands while it can.
    """
    system = yield from get((SYS_OBJECT_ID, SYS_DESCR, SYS_NAME), manners)
    sys_object_id = as_text(system.get(SYS_OBJECT_ID), 256)
    if target.definition == AUTO:
        chosen = yield from _chosen(library, sys_object_id, manners)
    else:
        chosen = (target.definition,) if target.definition in library else ()
    found = _Findings(before)
    for name in chosen:
        is_fallback = name in library.matches and library.matches[name].fallback
        if is_fallback and not all(library.matches[each].is_standard for each in found.serving):
            continue  # the sysObjectID alone found the maker's own
        yield from _look_for(found, target.device, library[name], name, manners)
    standards = frozenset(name for name, match in library.matches.items() if match.is_standard)
    only_fallbacks = all(name in library.matches and library.matches[name].fallback for name in found.serving)
    recognition = Recognition(
        target.device,
        sys_object_id,
        as_text(system.get(SYS_DESCR), 128),
        tuple(found.serving),
        found.identity,
        as_text(system.get(SYS_NAME)),
        found=(yield from _enterprises(manners)) if only_fallbacks else (),
    )
    items = set_aside(found.items, standards, before)
    tables = tables_set_aside(found.tables, standards, {item.point.id for item in items})
    if not target.aside:
        items = [item for item in items if item.point.preferred]
        tables = [table for table in tables if not table.points or table.points[0].point.preferred]
    return Plan(recognition, items, tables, found.guards, found.choices)


def _look_for(found: _Findings, device: str, definition: Definition, name: str, manners: Manners) -> Exchange[None]:
    """Add what a card has of one definition."""
    asked = yield from get(definition.identity.values(), manners)
    said = {word: as_text(asked.get(oid)) for word, oid in definition.identity.items()}
    has = yield from read_all(definition, manners)
    lesser = worse(name, definition, has.found, found.choices, found.chosen_before)
    items = [item for each in has.found for item in _points(device, each, definition, lesser)]
    if definition.sensors:
        items += yield from read_sensors(device, definition, manners)
    table = yield from _alarm_table(device, definition.alarms, manners)
    read = {(item.oid, item.name) for item in found.items}
    items = [msgspec.structs.replace(item, definition=name) for item in items if (item.oid, item.name) not in read]
    if not items and (table is None or not table.points):
        return
    found.serving.append(name)
    found.identity = {word: text for word, text in said.items() if text} | found.identity
    found.items += items
    found.guards |= has.guards
    if table is not None:
        found.tables.append((name, table))


def _chosen(library: Library, sys_object_id: str, manners: Manners) -> Exchange[tuple[str, ...]]:
    """Ask for what the sysObjectID makes likely; when no maker's own definition is found so, for every definition's.

    Where nothing answers, those that the sysObjectID names are tried: they serve if the card has any of their objects.
    """
    probes = library.probes(sys_object_id)
    answering = yield from _answering(probes.first, manners)
    chosen = choose(probes.likely, sys_object_id, answering)
    if all(library.matches[name].is_standard for name in chosen):
        answering |= yield from _answering(probes.others, manners)
        chosen = choose(library.matches, sys_object_id, answering)
    if all(library.matches[name].is_standard for name in chosen):
        chosen = (*named(library.matches, sys_object_id), *chosen)
    avoided = [oid for name in chosen for oid in library[name].avoid]
    return tuple(name for name in chosen if not _lies_in(avoided, library.matches[name]))


def _lies_in(avoided: Iterable[str], match: Match) -> bool:
    return match.is_standard and any(begins(root, has) for root in avoided for has in match.has)


def _answering(probes: tuple[str, ...], manners: Manners) -> Exchange[frozenset[str]]:
    """Return those subtrees in which the card has anything.

    They are hundreds, and hundreds of cards are discovered at once: no more of the answers is held than one request's.
    """
    answering: set[str] = set()
    at = 0
    while at < len(probes):
        asked = probes[at : at + manners.names]
        at += len(asked)
        after = yield from following(asked, manners)
        answering.update(oid for oid in asked if oid in after and begins(oid, after[oid].oid))
    return frozenset(answering)


def _enterprises(manners: Manners) -> Exchange[tuple[str, ...]]:
    """Return the enterprises whose objects a card has, each as its OID: what somebody who knows it would look at."""
    found: list[str] = []
    while len(found) < MOST_ENTERPRISES:
        number = int(found[-1].rpartition(".")[2]) + 1 if found else 0
        from_here = f"{ENTERPRISES}.{number}"
        after = (yield from following((from_here,), manners)).get(from_here)
        if after is None or not begins(ENTERPRISES, after.oid):
            break
        each = ".".join(after.oid.split(".")[:7])
        if each in found:
            break  # a card that goes round in circles
        found.append(each)
    return tuple(found)


def _points(
    device: str, found: Found, definition: Definition, lesser: AbstractSet[tuple[str, Index]]
) -> Iterable[Item]:
    """Yield the item of an object that a card has; of a mask, one for each bit."""
    value = found.meant
    gate = value.while_ if found.gate else None
    items = []
    if not value.bits:
        point = _point(device, (value.quantity, value.point_states()), found.label, found.oid, found.index)
        meaning = value.meaning(definition.absent, found.factor, found.left_of)
        items.append(Item(point, found.oid, meaning, found.gate, gate, value.name, guarded=found.guarded))
    for number, bit in value.bits.items():
        index = (
            *found.index,
            ("alarm", bit.name),
            *((("object", value.name),) if _repeats(definition, bit.name) else ()),
        )
        states = (State(bit.clear), State(bit.active, bit.severity))
        point = _point(device, (bit.quantity, states), bit.label or bit.name, found.oid, shared(index))
        meaning = value.bit_meaning(number, definition.absent)
        items.append(Item(point, found.oid, meaning, found.gate, gate, value.name, guarded=found.guarded))
    return [aside(item) for item in items] if (value.name, found.index) in lesser else items


def _repeats(definition: Definition, bit: str) -> bool:
    """Tell whether several masks of a definition have a bit of that name: then each says whose it is."""
    return sum(bit in {each.name for each in value.bits.values()} for value in definition.values if value.bits) > 1


def _point(device: str, of: tuple[Quantity, tuple[State, ...]], label: str, source: str, index: Index) -> Point:
    quantity, states = of
    return Point(device, intern(point_id(quantity, index)), quantity, intern(label), index, source, _same(states))


@lru_cache(4096)
def _same(states: tuple[State, ...]) -> tuple[State, ...]:
    """Return the same tuple for the same states: hundreds of alike cards have them."""
    return states


def _alarm_table(device: str, alarms: Alarms | None, manners: Manners) -> Exchange[AlarmTable | None]:
    """Give the alarm table of a card that counts its alarms, or may have one: an empty table cannot be told from none.

    Such a one has no points before its first alarm; then the card is discovered anew.
    """
    if alarms is None:
        return None
    if alarms.count is not None:
        counted = is_there((yield from get((alarms.count,), manners)).get(alarms.count))
        return AlarmTable(alarms, tuple(_alarm_points(device, alarms, alarms.count))) if counted else None
    after = (yield from following((alarms.column,), manners)).get(alarms.column)
    found = after is not None and begins(alarms.column, after.oid)
    return AlarmTable(alarms, tuple(_alarm_points(device, alarms, after.oid)) if after is not None and found else ())


def _alarm_points(device: str, alarms: Alarms, source: str) -> Iterable[AlarmPoint]:
    for key, known in alarms.known.items():
        yield AlarmPoint(_alarm_point(device, known, source), key)
    other = KnownAlarm(name=OTHER_ALARM, label="Another alarm of the maker's", severity=Severity.WARNING)
    yield AlarmPoint(_alarm_point(device, other, source), "")


def _alarm_point(device: str, known: KnownAlarm, source: str) -> Point:
    states = (State(known.clear), State(known.active, known.severity))
    return _point(device, (known.quantity, states), known.label, source, (("alarm", known.name),))

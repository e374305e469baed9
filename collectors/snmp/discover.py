"""What a card is and what it has: once when it is first met, when it starts anew, and every hour.

Names, labels and indices are interned: hundreds of alike cards have the same.
"""

from collections.abc import Iterable, Mapping
from sys import intern

import msgspec

from collectors.snmp.definition import Alarms, Definition, KnownAlarm, Match
from collectors.snmp.entity import read_sensors
from collectors.snmp.exchange import Exchange, Manners, following, get
from collectors.snmp.library import Library, begins, candidates, choose
from collectors.snmp.meaning import as_text, is_there
from collectors.snmp.plan import SYS_DESCR, SYS_NAME, SYS_OBJECT_ID, AlarmPoint, AlarmTable, Item, Plan, Recognition
from collectors.snmp.rows import Found, read_objects, read_tables
from collectors.snmp.target import AUTO, Target
from model.point import Point, Severity, State, point_id
from model.quantity import Quantity

OTHER_ALARM = "other"
ENTERPRISES = "1.3.6.1.4.1"
MOST_ENTERPRISES = 8

Index = tuple[tuple[str, str], ...]


def discover(target: Target, library: Library, manners: Manners) -> Exchange[Plan]:
    """Ask a card what it is, choose the definitions that serve it, and find which of their points it has."""
    system = yield from get((SYS_OBJECT_ID, SYS_DESCR, SYS_NAME), manners)
    sys_object_id = as_text(system.get(SYS_OBJECT_ID), 256)
    if target.definition == AUTO:
        chosen = yield from _chosen(library, sys_object_id, manners)
    else:
        chosen = (target.definition,) if target.definition in library else ()
    items: list[Item] = []
    tables: list[AlarmTable] = []
    identity: dict[str, str] = {}
    serving: list[str] = []
    for name in chosen:
        definition = library[name]
        found = yield from get(definition.identity.values(), manners)
        said = {word: as_text(found.get(oid)) for word, oid in definition.identity.items()}
        identity = {word: text for word, text in said.items() if text} | identity
        its_items = yield from _items(target.device, name, definition, manners)
        its_tables = yield from _alarm_tables(target.device, definition.alarms, manners)
        read = {(item.oid, item.name) for item in items}
        its_items = [item for item in its_items if (item.oid, item.name) not in read]
        if its_items or any(table.points for table in its_tables):
            serving.append(name)
        items += its_items
        tables += its_tables
    description = as_text(system.get(SYS_DESCR), 128)
    only_fallbacks = all(name in library.matches and library.matches[name].fallback for name in serving)
    recognition = Recognition(
        target.device,
        sys_object_id,
        description,
        tuple(serving),
        identity,
        as_text(system.get(SYS_NAME)),
        found=(yield from _enterprises(manners)) if only_fallbacks else (),
    )
    ordered = _set_aside(
        items, frozenset(name for name in serving if name in library.matches and library.matches[name].is_standard)
    )
    return Plan(recognition, ordered if target.aside else [each for each in ordered if each.point.preferred], tables)


def _chosen(library: Library, sys_object_id: str, manners: Manners) -> Exchange[tuple[str, ...]]:
    """Ask for what the sysObjectID makes likely; when no maker's own definition is found so, for every definition's."""
    likely = candidates(library.matches, sys_object_id)
    answering = yield from _answering(likely, manners)
    chosen = choose(likely, sys_object_id, answering)
    if all(library.matches[name].is_standard for name in chosen):
        others = {name: match for name, match in library.matches.items() if name not in likely}
        answering |= yield from _answering(others, manners)
        chosen = choose(library.matches, sys_object_id, answering)
    avoided = [oid for name in chosen for oid in library[name].avoid]
    return tuple(name for name in chosen if not _lies_in(avoided, library.matches[name]))


def _lies_in(avoided: Iterable[str], match: Match) -> bool:
    return match.is_standard and any(begins(root, has) for root in avoided for has in match.has)


def _answering(matches: Mapping[str, Match], manners: Manners) -> Exchange[frozenset[str]]:
    """Return those subtrees of `has` in which the card has anything.

    They are hundreds, and hundreds of cards are discovered at once: no more of the answers is held than one request's.
    """
    probes = list(dict.fromkeys(oid for match in matches.values() for oid in match.has))
    answering: set[str] = set()
    while probes:
        asked, probes = probes[: manners.names], probes[manners.names :]
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


def _items(device: str, name: str, definition: Definition, manners: Manners) -> Exchange[list[Item]]:
    found = yield from read_objects(definition, manners)
    found += yield from read_tables(definition, manners)
    items = [item for each in found for item in _points(device, each, definition)]
    if definition.sensors:
        items += yield from read_sensors(device, definition, manners)
    return _preferred([msgspec.structs.replace(item, definition=name) for item in items], definition, found)


def _points(device: str, found: Found, definition: Definition) -> Iterable[Item]:
    """Yield the item of an object that a card has; of a mask, one for each bit."""
    value = found.meant
    if not value.bits:
        point = _point(device, (value.quantity, value.point_states()), found.label, found.oid, found.index)
        meaning = value.meaning(definition.absent, found.factor, found.left_of)
        yield Item(point, found.oid, meaning, found.gate, value.while_, value.name)
    for number, bit in value.bits.items():
        index = (*found.index, ("alarm", bit.name))
        states = (State(bit.clear), State(bit.active, bit.severity))
        point = _point(device, (bit.quantity, states), bit.label or bit.name, found.oid, index)
        low, high = (bit.active, bit.clear) if bit.inverted else (bit.clear, bit.active)
        meaning = value.meaning().of_bit(number, value.bits_as, low, high)
        yield Item(point, found.oid, meaning, found.gate, value.while_, value.name)


def _point(device: str, of: tuple[Quantity, tuple[State, ...]], label: str, source: str, index: Index) -> Point:
    quantity, states = of
    return Point(device, intern(point_id(quantity, index)), quantity, intern(label), index, source, states)


def _preferred(items: list[Item], definition: Definition, found: Iterable[Found]) -> list[Item]:
    """Set aside what the definition's `prefer` names after the first that the card says something for."""
    speaking = {each.meant.name for each in found if each.speaks(definition.absent)}
    aside: set[str] = set()
    for names in definition.prefer:
        first = next((name for name in names if name in speaking), names[0])
        aside |= set(names) - {first}
    return [_aside(item) if item.name in aside else item for item in items]


def _set_aside(items: list[Item], standards: frozenset[str]) -> list[Item]:
    """Set aside what a standard says too and the maker's own definition says better; no two points have one name."""
    own = {item.point.quantity for item in items if item.point.preferred and item.definition not in standards}
    own -= {Quantity.ALARM_STATUS}
    seen: set[str] = set()
    ordered = []
    for item in items:
        each = _aside(item) if item.definition in standards and item.point.quantity in own else item
        for extra in (("source", item.name), ("oid", item.oid)):
            if each.point.id in seen:
                each = _renamed(each, extra, preferred=each.point.preferred)
        if each.point.id not in seen:
            seen.add(each.point.id)
            ordered.append(each)
    return ordered


def _aside(item: Item) -> Item:
    return _renamed(item, ("source", item.name), preferred=False) if item.point.preferred else item


def _renamed(item: Item, extra: tuple[str, str], *, preferred: bool) -> Item:
    index = (*item.point.index, extra)
    point = msgspec.structs.replace(
        item.point, id=intern(point_id(item.point.quantity, index)), index=index, preferred=preferred
    )
    return msgspec.structs.replace(item, point=point)


def _alarm_tables(device: str, alarms: Alarms | None, manners: Manners) -> Exchange[list[AlarmTable]]:
    """Give the alarm table of a card that counts its alarms, or may have one: an empty table cannot be told from none.

    Such a one has no points before its first alarm; then the card is discovered anew.
    """
    if alarms is None:
        return []
    if alarms.count is not None:
        counted = is_there((yield from get((alarms.count,), manners)).get(alarms.count))
        return [AlarmTable(alarms, tuple(_alarm_points(device, alarms, alarms.count)))] if counted else []
    after = (yield from following((alarms.column,), manners)).get(alarms.column)
    found = after is not None and begins(alarms.column, after.oid)
    return [AlarmTable(alarms, tuple(_alarm_points(device, alarms, after.oid)) if after is not None and found else ())]


def _alarm_points(device: str, alarms: Alarms, source: str) -> Iterable[AlarmPoint]:
    for key, known in alarms.known.items():
        yield AlarmPoint(_alarm_point(device, known, source), key)
    other = KnownAlarm(name=OTHER_ALARM, label="Another alarm of the maker's", severity=Severity.WARNING)
    yield AlarmPoint(_alarm_point(device, other, source), "")


def _alarm_point(device: str, known: KnownAlarm, source: str) -> Point:
    states = (State(known.clear), State(known.active, known.severity))
    return _point(device, (known.quantity, states), known.label, source, (("alarm", known.name),))

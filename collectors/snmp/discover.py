"""What a card is and what it has: once when it is first met, when it starts anew, and every hour.

Names, labels and indices are interned: hundreds of alike cards have the same.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from sys import intern

from collectors.snmp.definition import Alarms, Definition, KnownAlarm, Object, Table, begins, candidates, choose
from collectors.snmp.entity import read_sensors
from collectors.snmp.exchange import Exchange, Manners, following, get, walk
from collectors.snmp.meaning import as_text, is_there
from collectors.snmp.plan import SYS_DESCR, SYS_OBJECT_ID, AlarmPoint, AlarmTable, Item, Plan, Recognition
from collectors.snmp.target import AUTO, Target
from model.point import Point, Severity, State, point_id

OTHER_ALARM = "other"


def discover(target: Target, definitions: Mapping[str, Definition], manners: Manners) -> Exchange[Plan]:
    """Ask a card what it is, choose the definitions that serve it, and find which of their points it has."""
    system = yield from get((SYS_OBJECT_ID, SYS_DESCR), manners)
    sys_object_id = as_text(system.get(SYS_OBJECT_ID), 256)
    if target.definition == AUTO:
        chosen = yield from _chosen(definitions, sys_object_id, manners)
    else:
        chosen = (target.definition,) if target.definition in definitions else ()
    items: dict[str, Item] = {}
    tables: list[AlarmTable] = []
    identity: dict[str, str] = {}
    serving: list[str] = []
    for name in chosen:
        definition = definitions[name]
        found = yield from get(definition.identity.values(), manners)
        identity |= {word: text for word, oid in definition.identity.items() if (text := as_text(found.get(oid)))}
        its_items = yield from _items(target.device, definition, manners)
        its_tables = yield from _alarm_tables(target.device, definition.alarms, manners)
        if its_items or its_tables:
            serving.append(name)
        for item in its_items:
            items.setdefault(item.point.id, item)
        tables += its_tables
    description = as_text(system.get(SYS_DESCR), 128)
    recognition = Recognition(target.device, sys_object_id, description, tuple(serving), identity)
    return Plan(recognition, list(items.values()), tables)


def _chosen(definitions: Mapping[str, Definition], sys_object_id: str, manners: Manners) -> Exchange[tuple[str, ...]]:
    worth_asking = candidates(definitions, sys_object_id)
    probes = dict.fromkeys(oid for each in worth_asking.values() for oid in each.match.has)
    after = yield from following(probes, manners)
    answering = frozenset(oid for oid in probes if oid in after and begins(oid, after[oid].oid))
    return choose(worth_asking, sys_object_id, answering)


def _items(device: str, definition: Definition, manners: Manners) -> Exchange[list[Item]]:
    items = yield from _objects(device, definition, manners)
    for table in definition.tables:
        items += yield from _rows(device, definition, table, manners)
    if definition.sensors:
        items += yield from read_sensors(device, definition, manners)
    return items


def _objects(device: str, definition: Definition, manners: Manners) -> Exchange[list[Item]]:
    found = yield from get((each.oid for each in definition.objects), manners)
    return [_object(device, definition, each) for each in definition.objects if is_there(found.get(each.oid))]


def _object(device: str, definition: Definition, meant: Object) -> Item:
    index = tuple(meant.index.items())
    point = Point(
        device,
        point_id(meant.quantity, index),
        meant.quantity,
        meant.label or meant.name,
        index,
        source=meant.oid,
        states=meant.point_states(),
    )
    return Item(point, meant.oid, meant.meaning(definition.absent))


def _rows(device: str, definition: Definition, table: Table, manners: Manners) -> Exchange[list[Item]]:
    items = []
    for column in table.columns:
        meaning, states = column.meaning(definition.absent), column.point_states()
        for row, value in (yield from walk(f"{table.entry}.{column.column}", manners)).items():
            if not is_there(value):
                continue
            oid = intern(f"{table.entry}.{column.column}.{row}")
            index = _row_index(table.index, row)
            label = ", ".join((column.label or column.name, *(f"{name} {part}" for name, part in index)))
            name = intern(point_id(column.quantity, index))
            point = Point(device, name, column.quantity, intern(label), index, oid, states)
            items.append(Item(point, oid, meaning))
    return items


@lru_cache(4096)
def _row_index(names: tuple[str, ...], row: str) -> tuple[tuple[str, str], ...]:
    """Give each part of a row's index its name; the last takes the rest.  A part fewer than names leaves names out."""
    parts = row.split(".", len(names) - 1)
    return tuple(zip(names, parts, strict=False))


def _alarm_tables(device: str, alarms: Alarms | None, manners: Manners) -> Exchange[list[AlarmTable]]:
    """Give the alarm table of a card that counts its alarms; one that does not is never asked for the table."""
    if alarms is None or not is_there((yield from get((alarms.count,), manners)).get(alarms.count)):
        return []
    return [AlarmTable(alarms, tuple(_alarm_points(device, alarms)))]


def _alarm_points(device: str, alarms: Alarms) -> Iterable[AlarmPoint]:
    for oid, known in alarms.known.items():
        yield AlarmPoint(_alarm_point(device, known, oid), oid)
    other = KnownAlarm(name=OTHER_ALARM, label="Another alarm of the maker's", severity=Severity.WARNING)
    yield AlarmPoint(_alarm_point(device, other, alarms.column), "")


def _alarm_point(device: str, known: KnownAlarm, source: str) -> Point:
    index = (("alarm", known.name),)
    states = (State(known.clear), State(known.active, known.severity))
    return Point(device, point_id(known.quantity, index), known.quantity, known.label, index, source, states)

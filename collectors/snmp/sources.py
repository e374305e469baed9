"""Which of several sources counts: a point has one that feeds rules; the others are set aside, and shown by `read`."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from sys import intern

import msgspec

from collectors.snmp.definition import GENERIC, Definition
from collectors.snmp.plan import AlarmPoint, AlarmTable, Choice, Index, Item, Plan
from collectors.snmp.rows import Found, shared
from model.point import point_id
from model.quantity import Quantity


def worse(
    name: str,
    definition: Definition,
    found: Iterable[Found],
    choices: dict[Choice, str],
    before: Mapping[Choice, str],
) -> frozenset[tuple[str, Index]]:
    """Return what the definition's `prefer` sets aside, by the object's name and its place; note what counts instead.

    In each place the source that counted before still does while the card has it, else the first that says something.
    A source in no place of the first's (one for the whole, say, where the first is for each phase) is set aside.
    """
    by_name: dict[str, dict[Index, Found]] = {}
    for each in found:
        by_name.setdefault(each.meant.name, {})[each.index] = each
    lesser: set[tuple[str, Index]] = set()
    for names in definition.prefer:
        there = [each for each in names if each in by_name]
        speaking = [each for each in there if any(one.speaks(definition.absent) for one in by_name[each].values())]
        first = next(iter([*speaking, *there]), "")
        for index in {index for each in there for index in by_name[each]}:
            here = [each for each in there if index in by_name[each]]
            best = before.get((name, names, index), "")
            if best not in here:
                best = next((each for each in here if by_name[each][index].speaks(definition.absent)), here[0])
            if index not in by_name[first] and not by_name[first].keys() & by_name[best].keys():
                best = ""
            else:
                choices[name, names, index] = best
            lesser |= {(each, index) for each in here if each != best}
    return frozenset(lesser)


def set_aside(items: list[Item], standards: frozenset[str], before: Plan | None) -> list[Item]:
    """Set aside what a standard says too and the maker's own definition says better; no two points have one name."""
    known = [*items, *(before.items if before else ())]
    own = {item.point.quantity for item in known if item.point.preferred and item.definition not in standards}
    own = {each for each in own if each.subject not in GENERIC and each is not Quantity.ALARM_STATUS}
    seen: set[str] = set()
    ordered = []
    for item in items:
        each = aside(item) if item.definition in standards and item.point.quantity in own else item
        for extra in (("source", item.name), ("oid", item.oid)):
            if each.point.id in seen:
                each = _renamed(each, extra, preferred=each.point.preferred)
        if each.point.id not in seen:
            seen.add(each.point.id)
            ordered.append(each)
    return ordered


def tables_set_aside(
    tables: list[tuple[str, AlarmTable]], standards: frozenset[str], taken: set[str]
) -> list[AlarmTable]:
    """Set aside a standard's alarm table beside the maker's own; no alarm has the name of another, or of a state."""
    own = any(name not in standards for name, _ in tables)
    ordered = []
    for name, table in tables:
        aside = own and name in standards
        points = [_unlike(each, name, taken, preferred=not aside) for each in table.points]
        taken |= {each.point.id for each in points}
        ordered.append(AlarmTable(table.alarms, tuple(points)))
    return ordered


def _unlike(alarm: AlarmPoint, definition: str, taken: AbstractSet[str], *, preferred: bool) -> AlarmPoint:
    point = alarm.point
    if preferred and point.id not in taken:
        return alarm
    index = shared((*point.index, ("source", definition)))
    named = intern(point_id(point.quantity, index))
    return AlarmPoint(msgspec.structs.replace(point, id=named, index=index, preferred=preferred), alarm.key)


def aside(item: Item) -> Item:
    """Return an item that feeds no rule."""
    return _renamed(item, ("source", item.name), preferred=False) if item.point.preferred else item


def _renamed(item: Item, extra: tuple[str, str], *, preferred: bool) -> Item:
    index = shared((*item.point.index, extra))
    point = msgspec.structs.replace(
        item.point, id=intern(point_id(item.point.quantity, index)), index=index, preferred=preferred
    )
    return msgspec.structs.replace(item, point=point)

"""The definitions that ship, whole (with what they extend), and which of them serve a device."""

from collections import Counter
from collections.abc import Mapping
from functools import cache

import msgspec

from collectors.snmp.definition import GENERIC, ROOM, Column, Definition, Object, Table, read_definition
from config.node import ConfigError, Node
from config.shipped import names, read_shipped


@cache
def shipped() -> dict[str, Definition]:
    """Return the definitions that come with the program, by the name of their file."""
    return complete({name: read_shipped(ROOM, name) for name in sorted(names(ROOM))})


def complete(nodes: Mapping[str, Node], base: Mapping[str, Definition] | None = None) -> dict[str, Definition]:
    """Return definitions with what they extend (each other, or one of `base`) taken in; raises ConfigError."""
    written = {name: read_definition(node) for name, node in nodes.items()}
    done: dict[str, Definition] = {}
    for name in written:
        done[name] = _indexed(_taken_in(name, written, base or {}, nodes[name], ()))
    return done


def _taken_in(
    name: str, written: Mapping[str, Definition], base: Mapping[str, Definition], node: Node, above: tuple[str, ...]
) -> Definition:
    own = written.get(name) or base.get(name)
    if own is None:
        known = ", ".join(sorted({*written, *base}))
        raise _problem(node, f'extends "{name}", which is no definition; there are {known}')
    if name in above:
        raise _problem(node, f"extends itself, by way of {' and '.join(above)}")
    if not own.extends:
        return own
    parent = _taken_in(own.extends, written, base, node, (*above, name))
    oids = {each.oid for each in own.objects}
    entries = {each.entry for each in own.tables}
    return msgspec.structs.replace(
        own,
        identity=parent.identity | own.identity,
        absent=own.absent or parent.absent,
        objects=own.objects + tuple(each for each in parent.objects if each.oid not in oids),
        tables=own.tables + tuple(each for each in parent.tables if each.entry not in entries),
        alarms=own.alarms or parent.alarms,
        sensors=parent.sensors | own.sensors,
        prefer=own.prefer + parent.prefer,
        avoid=own.avoid + parent.avoid,
    )


def _problem(node: Node, message: str) -> ConfigError:
    place = node.at("extends") if hasattr(node, "at") else node
    return ConfigError([place.problem(message)])


def _indexed(definition: Definition) -> Definition:
    """Give what one word does not tell apart the maker's name as an index, but for what `prefer` says is the same."""
    same = {name: names[0] for names in definition.prefer for name in names}
    named: list[tuple[tuple[str, ...], Object | Column]] = [((), each) for each in definition.objects]
    named += [(table.index, each) for table in definition.tables for each in table.columns]
    counted = Counter(key for key, _ in {(_key(each, rows), same.get(each.name, each.name)) for rows, each in named})

    def told(value: Object | Column, rows: tuple[str, ...]) -> dict[str, str]:
        alone = counted[_key(value, rows)] == 1
        if value.bits or (alone and (value.quantity.subject not in GENERIC or value.index)):
            return value.index
        return value.index | {"object": same.get(value.name, value.name)}

    def of_table(table: Table) -> Table:
        columns = tuple(msgspec.structs.replace(each, index=told(each, table.index)) for each in table.columns)
        return msgspec.structs.replace(table, columns=columns)

    objects = tuple(msgspec.structs.replace(each, index=told(each, ())) for each in definition.objects)
    return msgspec.structs.replace(definition, objects=objects, tables=tuple(map(of_table, definition.tables)))


def _key(value: Object | Column, rows: tuple[str, ...]) -> tuple[str, ...]:
    return (str(value.quantity), *sorted(f"{name}={part}" for name, part in value.index.items()), *rows)


def candidates(definitions: Mapping[str, Definition], sys_object_id: str) -> dict[str, Definition]:
    """Return those whose sysObjectID fits and those of a standard: the ones whose `has` is worth asking for first."""
    return {
        name: each
        for name, each in definitions.items()
        if each.match
        and (
            each.match.standard
            or each.match.fallback
            or any(begins(prefix, sys_object_id) for prefix in each.match.sys_object_id)
        )
    }


def choose(definitions: Mapping[str, Definition], sys_object_id: str, answering: frozenset[str]) -> tuple[str, ...]:
    """Return the names of the definitions that serve a device, the maker's own first; none when it is unrecognised.

    Of the makers' own, that with the longest fitting sysObjectID counts, if one of its `has` is `answering` (or it has
    none); without such a one, each whose `has` answers: real cards report net-snmp's sysObjectID, 0.0, or none.
    Standards that answer serve beside them, fallbacks where there is no maker's own.
    """
    own = _own(definitions, sys_object_id, answering)
    beside = []
    for name, each in definitions.items():
        if each.match and (each.match.standard or (each.match.fallback and not own)) and each.match.has:
            there = not answering.isdisjoint(each.match.has)
            avoided = any(begins(root, has) for one in own for root in definitions[one].avoid for has in each.match.has)
            if there and not avoided:
                beside.append(name)
    return (*own, *beside)


def _own(definitions: Mapping[str, Definition], sys_object_id: str, answering: frozenset[str]) -> tuple[str, ...]:
    best, longest, anywhere = "", -1, []
    for name, each in definitions.items():
        match = each.match
        if match is None or match.standard or match.fallback or (match.has and answering.isdisjoint(match.has)):
            continue
        fitting = [len(prefix) for prefix in match.sys_object_id if begins(prefix, sys_object_id)]
        if fitting and max(fitting) > longest:
            best, longest = name, max(fitting)
        elif match.has and not fitting:
            anywhere.append(name)
    return (best,) if best else tuple(anywhere)


def begins(prefix: str, oid: str) -> bool:
    """Tell whether an OID is `prefix` or lies below it."""
    return oid == prefix or oid.startswith(prefix + ".")

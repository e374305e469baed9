"""The definitions that ship, whole (with what they extend), and which of them serve a device."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from pathlib import Path

import msgspec

from collectors.snmp.definition import GENERIC, ROOM, Column, Definition, Match, Object, Table, read_definition
from config import node as nodes
from config.advice import nearest
from config.node import ConfigError, Node, Problem
from config.reader import read_text
from config.shipped import names, shipped_text

_BODY = re.compile(r"^(objects|tables|alarms|sensors|prefer):", re.MULTILINE)


class Library(Mapping[str, Definition]):
    """Definitions by name; each is read whole when it is first asked for, all of them only as far as their `match`.

    `texts` gives each file's text by name, `base` definitions that they may extend, `files` what messages call a file.
    Reading raises ConfigError.
    """

    def __init__(
        self,
        texts: Mapping[str, Callable[[], str]],
        base: "Library | None" = None,
        *,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self._texts = texts
        self._base = base
        self._files = files or {}
        self._names = dict.fromkeys((*(base or ()), *texts))
        self._whole: dict[str, Definition] = {}

    @cached_property
    def heads(self) -> dict[str, Definition]:
        """Return every definition up to its objects: what it is, and which devices it is for."""
        own = {name: read_definition(read_text(_head(text()), self._file(name))) for name, text in self._texts.items()}
        return own if self._base is None else self._base.heads | own

    @cached_property
    def matches(self) -> dict[str, Match]:
        """Return which devices each definition is for; those that are only to be extended are left out."""
        return {name: head.match for name, head in self.heads.items() if head.match}

    def __getitem__(self, name: str) -> Definition:
        """Return a definition, with what it extends."""
        if name not in self._whole:
            if name not in self._texts:
                if self._base is None:
                    raise KeyError(name)
                return self._base[name]
            node = read_text(self._texts[name](), self._file(name))
            self._whole[name] = _indexed(self._taken_in(read_definition(node), node, (name,)))
        return self._whole[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._names)

    def _file(self, name: str) -> str:
        return self._files.get(name, f"{ROOM}/{name}.yaml")

    def _taken_in(self, own: Definition, node: Node, above: tuple[str, ...]) -> Definition:
        if not own.extends:
            return own
        if own.extends in above:
            raise _problem(node, f"extends itself, by way of {' and '.join(above)}")
        if own.extends in self._texts:
            below = read_text(self._texts[own.extends](), self._file(own.extends))
            parent = self._taken_in(read_definition(below), below, (*above, own.extends))
        elif self._base is not None and own.extends in self._base:
            parent = self._base[own.extends]
        else:
            raise _problem(node, f'extends "{own.extends}", which is no definition; {nearest(own.extends, self)}')
        return _over(parent, own)


def with_files(paths: Iterable[Path]) -> Library:
    """Return the definitions that ship and those in files, which come first where names are the same."""
    own = {path.stem: path for path in paths}
    return Library(
        {name: partial(_text, path) for name, path in own.items()},
        shipped(),
        files={name: str(path) for name, path in own.items()},
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), 0, 0, "", f"cannot be read: {error}")]) from error


@cache
def shipped() -> Library:
    """Return the definitions that come with the program, by the name of their file."""
    return Library({name: partial(shipped_text, ROOM, name) for name in sorted(names(ROOM))})


def _head(text: str) -> str:
    """Return a file's text up to its objects: what tells which devices it is for."""
    body = _BODY.search(text)
    return text[: body.start()] if body else text


def _over(parent: Definition, own: Definition) -> Definition:
    """Return a definition with what it extends: its own objects, tables and words come first."""
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
    place = node.at("extends") if isinstance(node, nodes.Table) else node
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


def candidates(matches: Mapping[str, Match], sys_object_id: str) -> dict[str, Match]:
    """Return those whose sysObjectID fits and those of a standard: the ones whose `has` is worth asking for first."""
    return {
        name: match
        for name, match in matches.items()
        if match.is_standard or any(begins(prefix, sys_object_id) for prefix in match.sys_object_id)
    }


def choose(matches: Mapping[str, Match], sys_object_id: str, answering: frozenset[str]) -> tuple[str, ...]:
    """Return the names of the definitions that serve a device, the maker's own first; none when it is unrecognised.

    Of the makers' own, those with the longest fitting sysObjectID count, if one of their `has` is `answering` (or they
    have none); without such a one, each whose `has` answers: real cards report net-snmp's sysObjectID, 0.0, or none.
    Standards that answer serve beside them, fallbacks where there is no maker's own.
    """
    own = _own(matches, sys_object_id, answering)
    beside = (
        name
        for name, match in matches.items()
        if (match.standard or (match.fallback and not own)) and not answering.isdisjoint(match.has)
    )
    return (*own, *beside)


def _own(matches: Mapping[str, Match], sys_object_id: str, answering: frozenset[str]) -> tuple[str, ...]:
    best: list[str] = []
    longest, anywhere = -1, []
    for name, match in matches.items():
        if match.is_standard or (match.has and answering.isdisjoint(match.has)):
            continue
        fitting = max((len(prefix) for prefix in match.sys_object_id if begins(prefix, sys_object_id)), default=-1)
        if fitting > longest:
            best, longest = [name], fitting
        elif fitting == longest and fitting >= 0:
            best.append(name)
        elif match.has and fitting < 0:
            anywhere.append(name)
    return tuple(best or anywhere)


def begins(prefix: str, oid: str) -> bool:
    """Tell whether an OID is `prefix` or lies below it."""
    return oid == prefix or oid.startswith(prefix + ".")

"""The definitions that ship, whole (with what they extend), and which of them serve a device."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from collectors.snmp.checked import read_definition, unknown_names
from collectors.snmp.definition import GENERIC, ROOM, Column, Definition, Match, Object, Table
from config import node as nodes
from config.advice import nearest
from config.node import ConfigError, Node, Problem
from config.reader import read_text
from config.shipped import names, shipped_text

MOST_PROBES = 64  # sysObjectIDs whose probes are kept
GENERIC_AGENTS = ("1.3.6.1.4.1.8072", "1.3.6.1.4.1.2021")  # net-snmp's own sysObjectIDs, whatever it runs on
MOST_TRIED = 2  # definitions that are tried for their sysObjectID alone
_BODY = re.compile(r"^(objects|tables|alarms|sensors|prefer):", re.MULTILINE)
_TOP = re.compile(r"""^["']?(protocol|name|maker|source|extends|match)["']?[ ]*:""", re.MULTILINE)


class Probes(NamedTuple):
    """The definitions that a sysObjectID makes likely; their subtrees, and the others', each of them once."""

    likely: dict[str, Match]
    first: tuple[str, ...]
    others: tuple[str, ...]


class Library(Mapping[str, Definition]):
    """Definitions by name; each is read whole when it is first asked for, all of them only as far as their `match`.

    `texts` gives each file's text by name, `base` definitions that they may extend, `files` what messages call a file.
    A text takes the place of the base's definition of the same name, also where another of the base extends that; it
    may extend the one whose place it takes, and is then for the same devices unless it says for which.  Reading raises
    ConfigError.
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
        self._probes: dict[str, Probes] = {}

    @cached_property
    def heads(self) -> dict[str, Definition]:
        """Return every definition up to its objects: what it is, and which devices it is for."""
        below = self._base.heads if self._base is not None else {}
        own = {name: read_definition(read_text(_head(text()), self._file(name))) for name, text in self._texts.items()}
        return below | {name: _matched(head, below.get(name), name) for name, head in own.items()}

    @cached_property
    def matches(self) -> dict[str, Match]:
        """Return which devices each definition is for; those that are only to be extended are left out."""
        return {name: head.match for name, head in self.heads.items() if head.match}

    def probes(self, sys_object_id: str) -> Probes:
        """Return which subtrees a card is asked for, made once: hundreds of alike ones are discovered at a time."""
        if sys_object_id not in self._probes:
            if len(self._probes) >= MOST_PROBES:
                self._probes.clear()
            likely = candidates(self.matches, sys_object_id)
            others = (match for name, match in self.matches.items() if name not in likely)
            self._probes[sys_object_id] = Probes(likely, _subtrees(likely.values()), _subtrees(others))
        return self._probes[sys_object_id]

    def __getitem__(self, name: str) -> Definition:
        """Return a definition, with what it extends."""
        if name not in self._whole:
            holder = self._holder(name)
            if holder is None:
                raise KeyError(name)
            if holder is not self and self._base is not None and not self._extends_own(name):
                return self._base[name]
            self._whole[name] = _indexed(holder._taken_in(name, self, ()))  # noqa: SLF001 - another of this kind
        return self._whole[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._names)

    def _file(self, name: str) -> str:
        return self._files.get(name, f"{ROOM}/{name}.yaml")

    def _holder(self, name: str) -> "Library | None":
        """Return the library whose text of a name counts here: this one, else the nearest below."""
        if name in self._texts or self._base is None:
            return self if name in self._texts else None
        return self._base._holder(name)  # noqa: SLF001 - another of this kind

    def _extends_own(self, name: str) -> bool:
        """Tell whether a definition of the base extends one whose place a text of this library takes."""
        seen = {name}
        while (head := self.heads.get(name)) is not None and head.extends and head.extends not in seen:
            name = head.extends
            seen.add(name)
            if name in self._texts:
                return True
        return False

    def _taken_in(self, name: str, top: "Library", above: tuple[tuple["Library", str], ...]) -> Definition:
        """Return this library's definition of a name with what it extends, which `top` knows best."""
        node = read_text(self._texts[name](), self._file(name))
        own = read_definition(node)
        above = (*above, (self, name))
        if own.extends:
            beneath = self._base if own.extends == name and self._base is not None else top
            holder = beneath._holder(own.extends)  # noqa: SLF001 - another of this kind
            if holder is None:
                raise _problem(node, f'extends "{own.extends}", which is no definition; {nearest(own.extends, top)}')
            if any(library is holder and word == own.extends for library, word in above):
                raise _problem(node, f"extends itself, by way of {' and '.join(word for _, word in above)}")
            parent = holder._taken_in(own.extends, top, above)  # noqa: SLF001 - another of this kind
            whole = _over(parent, _matched(own, parent, name))
        else:
            whole = own
        if self is top:  # what ships is not to blame for one of its own that another takes the place of
            unknown_names(node, own, whole)
        return whole


def _matched(own: Definition, below: Definition | None, name: str) -> Definition:
    """Return a definition that takes the place of the one it extends with that one's match, unless it has its own."""
    if own.match is not None or own.extends != name or below is None:
        return own
    return msgspec.structs.replace(own, match=below.match)


def with_files(paths: Iterable[Path]) -> Library:
    """Return the definitions that ship and those in files, which come first where names are the same.

    Raises ConfigError for two files of one name.
    """
    own: dict[str, Path] = {}
    for path in paths:
        if own.setdefault(path.stem, path) != path:
            other = own[path.stem].name
            raise ConfigError([Problem(str(path), 0, 0, "", f"has the name of {other}; give it another, or remove it")])
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
    """Return a file's text up to its objects: what tells which devices it is for; all of it if that stands below."""
    body = _BODY.search(text)
    return text if body is None or _TOP.search(text, body.end()) else text[: body.start()]


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


def _subtrees(matches: Iterable[Match]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(oid for match in matches for oid in match.has))


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
    beside = [
        name
        for name, match in matches.items()
        if (match.standard or (match.fallback and not own)) and not answering.isdisjoint(match.has)
    ]
    return (*own, *sorted(beside, key=lambda name: matches[name].fallback))


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


def named(matches: Mapping[str, Match], sys_object_id: str) -> tuple[str, ...]:
    """Return the definitions with the longest fitting sysObjectID, whatever answers; none where too many or no maker's.

    They are worth a try where nothing else is found: a device may lack just what a definition probes for.
    """
    fitting: dict[str, int] = {}
    for name, match in matches.items():
        prefixes = [len(prefix) for prefix in match.sys_object_id if begins(prefix, sys_object_id)]
        if prefixes and not match.is_standard:
            fitting[name] = max(prefixes)
    best = tuple(name for name, length in fitting.items() if length == max(fitting.values()))
    is_makers = begins("1.3.6.1.4.1", sys_object_id) and not any(begins(root, sys_object_id) for root in GENERIC_AGENTS)
    return best if is_makers and len(best) <= MOST_TRIED else ()


def begins(prefix: str, oid: str) -> bool:
    """Tell whether an OID is `prefix` or lies below it."""
    return oid == prefix or oid.startswith(prefix + ".")

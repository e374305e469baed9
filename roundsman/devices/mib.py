"""The objects that a maker's MIB defines, read with pysmi's parser: names, units, enumerations, tables.

MIB files come from the maker.  pysmi is an extra: pip install 'roundsman[mib]'.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from roundsman.output import CommandError

ROOTS = {
    "iso": "1",
    "org": "1.3",
    "dod": "1.3.6",
    "internet": "1.3.6.1",
    "mgmt": "1.3.6.1.2",
    "mib-2": "1.3.6.1.2.1",
    "experimental": "1.3.6.1.3",
    "private": "1.3.6.1.4",
    "enterprises": "1.3.6.1.4.1",
    "ucdavis": "1.3.6.1.4.1.2021",
    "ucdExperimental": "1.3.6.1.4.1.2021.13",
}
_LONGEST = 90


class MibObject(msgspec.Struct, frozen=True):
    """One object: its OID and name, its unit as the MIB says it, what its numbers stand for, what it is for.

    An entry of a table has the names of its index.
    """

    oid: str
    name: str
    units: str = ""
    states: dict[int, str] = {}
    text: bool = False
    description: str = ""
    index: tuple[str, ...] = ()


def read_mibs(paths: list[Path]) -> dict[str, MibObject]:
    """Return every object that the MIBs define, by OID; raises CommandError when one cannot be read."""
    clauses = [clause for path in paths for clause in _clauses(path)]
    types = {clause[1]: _states(clause) for clause in clauses if clause[0] == "typeDeclaration"}
    oids = _oids(clauses)
    found = {}
    for clause in clauses:
        if clause[0] == "objectTypeClause" and clause[1] in oids:
            each = _object(clause, oids[clause[1]], types)
            found[each.oid] = each
    if paths and not found:
        parents = {str(clause[-1][1][0]) for clause in clauses if clause[-1] and clause[-1][0] == "objectIdentifier"}
        missing = ", ".join(sorted(parents - {clause[1] for clause in clauses} - set(ROOTS)))
        raise CommandError(f"The MIB builds on {missing or 'nothing'}; name the file that defines it with --mib too.")
    return found


def _clauses(path: Path) -> Iterator[tuple[Any, ...]]:
    try:
        from pysmi.parser import dialect  # noqa: PLC0415 - an extra, and only for a draft
        from pysmi.parser.smi import parserFactory  # noqa: PLC0415 - an extra, and only for a draft
    except ImportError as error:
        raise CommandError("Reading a MIB needs pysmi: pip install 'roundsman[mib]', or leave --mib out.") from error
    from pysmi.error import PySmiError  # noqa: PLC0415 - an extra, and only for a draft

    try:
        modules = parserFactory(**dialect.smi_v1_relaxed)().parse(path.read_text("utf-8", "replace"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except PySmiError as error:
        raise CommandError(f"{path} is no MIB that can be read: {error}") from error
    for module in modules or ():
        for part in module:
            if isinstance(part, list):
                yield from (clause for clause in part if isinstance(clause, tuple) and len(clause) > 1)


def _oids(clauses: list[tuple[Any, ...]]) -> dict[str, str]:
    """Return each name's OID, as far as its parents are known."""
    places = {}
    for clause in clauses:
        last = clause[-1]
        if isinstance(last, tuple) and last and last[0] == "objectIdentifier":
            places[clause[1]] = last[1]
    known = dict(ROOTS)
    left = dict(places)
    while left:
        done = {name: oid for name, parts in left.items() if (oid := _oid(parts, known))}
        if not done:
            break
        known |= done
        left = {name: parts for name, parts in left.items() if name not in done}
    return {name: oid for name, oid in known.items() if name in places}


def _oid(parts: list[Any], known: Mapping[str, str]) -> str:
    """Return the OID of `{ parent 1 }` or `{ iso org(3) 6 }`, nothing while its parent is not known."""
    out: list[str] = []
    for part in parts:
        if isinstance(part, int):
            out.append(str(part))
        elif isinstance(part, tuple):
            out.append(str(part[-1]))
        elif part in known:
            out = [known[part]]
        else:
            return ""
    return ".".join(out)


def _object(clause: tuple[Any, ...], oid: str, types: Mapping[str, dict[int, str]]) -> MibObject:
    syntax = clause[2]
    named = _find(syntax, "enumSpec")
    kind = str(syntax[1]) if isinstance(syntax, tuple) and len(syntax) > 1 else ""
    states = dict(_numbered(named)) if named else types.get(kind, {})
    described = next((part[1] for part in clause if isinstance(part, tuple) and part[:1] == ("DESCRIPTION",)), "")
    units = next((part[1] for part in clause if isinstance(part, tuple) and part[:1] == ("UNITS",)), "")
    index = next((part[1] for part in clause if isinstance(part, tuple) and part[:1] == ("INDEX",)), ())
    return MibObject(
        oid=oid,
        name=clause[1],
        units=str(units).strip('"'),
        states=states,
        text=not states and re.search(r"string|octet|name|text|date", kind, re.IGNORECASE) is not None,
        description=" ".join(str(described).split())[:_LONGEST],
        index=tuple(str(part[1]) for part in index),
    )


def _states(clause: tuple[Any, ...]) -> dict[int, str]:
    named = _find(clause, "enumSpec")
    return dict(_numbered(named)) if named else {}


def _numbered(named: Any) -> Iterator[tuple[int, str]]:
    for each in named[1]:
        name, number = each
        yield int(number), str(name)


def _find(tree: Any, word: str) -> Any:
    """Return the first tuple of that name within a tree of tuples and lists."""
    if isinstance(tree, tuple) and tree and tree[0] == word:
        return tree
    if isinstance(tree, tuple | list):
        return next((found for part in tree if (found := _find(part, word))), None)
    return None

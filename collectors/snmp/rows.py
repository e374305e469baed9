"""What a card has of a definition: its single objects, and the rows and columns of its tables."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from sys import intern
from typing import NamedTuple

import msgspec

from collectors.snmp.definition import Column, Definition, Ref, Scaling, Table, Value
from collectors.snmp.exchange import Exchange, Manners, following, get, walk
from collectors.snmp.library import begins
from collectors.snmp.meaning import as_number, as_text, is_there
from wire import snmp

Rows = Mapping[str, snmp.Value]
TEXT = ":text"
LONGEST_TEXT = 48  # signs of an index that is text
_PLAIN = re.compile(r"[\w.:;/#+()-](?:[\w .:;/#+()-]*[\w.:;/#+()-])?", re.ASCII)
LARGEST_FACTOR = 1e12  # blocks of the largest disk; beyond is no scale a maker meant


class Found(msgspec.Struct, frozen=True):
    """An object that a card has: what it means, where it is, its place, and its value when it was found.

    `factor` is what the card itself says its numbers are to be multiplied by, `left_of` what they are a part of when
    what they leave is meant, `gate` the object that says whether they count.
    """

    meant: Value
    oid: str
    label: str
    index: tuple[tuple[str, str], ...]
    value: snmp.Value
    factor: float = 1.0
    gate: str = ""
    left_of: float | None = None
    guarded: bool = False

    def speaks(self, absent: tuple[float, ...]) -> bool:
        """Tell whether the card gave a value that counts."""
        return bool(self.meant.bits) or self.meant.meaning(absent).of(self.value) is not None


class Has(NamedTuple):
    """What a card has of a definition, and the single objects that this hangs on, as they are."""

    found: list[Found]
    guards: dict[str, snmp.Value]


class Seen(msgspec.Struct, frozen=True):
    """What was read of a card to tell what it has: single objects by OID, columns by their OID and row.

    `cut` are the columns that were not read to their end.
    """

    objects: Mapping[str, snmp.Value]
    columns: Mapping[str, Rows]
    cut: frozenset[str] = frozenset()

    def value(self, ref: Ref, entry: str, row: str) -> snmp.Value:
        """Return what a reference says, seen from a row of a table."""
        if ref.part is not None:
            return None
        if ref.oid is not None:
            return self.objects.get(ref.oid)
        return self.columns.get(root_of(ref, entry), {}).get(_row_there(ref, row))

    def lacks(self, ref: Ref, entry: str, row: str) -> bool:
        """Say whether a reference leads past what was read of a column."""
        root = root_of(ref, entry)
        return root in self.cut and _row_there(ref, row) not in self.columns.get(root, {})

    def text(self, ref: Ref, entry: str, row: str, index: tuple[tuple[str, str], ...]) -> str:
        """Return what a reference says as text; what is not there is empty."""
        if ref.part is not None:
            return dict(index).get(ref.part, "")
        return as_text(self.value(ref, entry, row))

    def factor(self, scaling: Scaling | None, entry: str, row: str, index: tuple[tuple[str, str], ...]) -> float | None:
        """Return what the card says its numbers are to be multiplied by; None when it says nothing that can be."""
        if scaling is None:
            return 1.0
        number = self.number(scaling, entry, row, index)
        if number is None or abs(number) > LARGEST_FACTOR:
            return None
        match scaling.as_:
            case "power" | "digits" if abs(number) <= 12:
                return float(10.0 ** (number if scaling.as_ == "power" else -number))
            case "factor" if number:
                return float(number)
            case "divisor" if number:
                return 1.0 / number
            case "signed" if number:
                return float(number) if number > 0 else -1.0 / number
        return None

    def number(self, ref: Ref | None, entry: str, row: str, index: tuple[tuple[str, str], ...]) -> float | None:
        """Return the number that a reference names, None when there is none."""
        if ref is None:
            return None
        return as_number(self.value(ref, entry, row) if ref.part is None else dict(index).get(ref.part, "").encode())


def root_of(ref: Ref, entry: str) -> str:
    """Return the OID of the column that a reference names."""
    return f"{entry}.{ref.column}" if isinstance(ref.column, int) else ref.column or ""


def _row_there(ref: Ref, row: str) -> str:
    return row if ref.first is None else ".".join(row.split(".")[: ref.first])


def read_all(definition: Definition, manners: Manners) -> Exchange[Has]:
    """Return what the card has of a definition: its single objects, and every row and column of its tables."""
    singles = yield from _read_objects(definition, manners)
    tables = yield from _read_tables(definition, manners)
    found = yield from _gated([*singles.found, *tables.found], manners)
    return Has(found, singles.guards | tables.guards)


def _gated(found: list[Found], manners: Manners) -> Exchange[list[Found]]:
    """Take away gates that only shut and that the card does not have: where nothing can be lost, nothing is lost."""
    only_shut = {each.gate for each in found if each.gate and each.meant.while_ and each.meant.while_.holds("")}
    there = yield from get(sorted(only_shut), manners)
    lacking = {gate for gate in only_shut if not is_there(there.get(gate))}
    return [msgspec.structs.replace(each, gate="") if each.gate in lacking else each for each in found]


def _read_objects(definition: Definition, manners: Manners) -> Exchange[Has]:
    asked = [oid for each in definition.objects for oid in (each.oid, *_named(_refs(each)))]
    seen = Seen((yield from get(dict.fromkeys(asked), manners)), {})
    found = []
    guards: dict[str, snmp.Value] = {}
    for each in definition.objects:
        value = seen.objects.get(each.oid)
        hangs_on = _guards(each)
        if is_there(value):
            guards |= {oid: seen.objects.get(oid) for oid in hangs_on}
        if not is_there(value) or not all(when.holds(seen.text(when, "", "", ())) for when in each.when):
            continue
        factor = seen.factor(each.scale_from, "", "", ())
        gate = each.while_.oid or "" if each.while_ else ""
        left_of = seen.number(each.left_of, "", "", ())
        if factor is not None and (left_of is not None or each.left_of is None):
            index = shared(tuple(each.index.items()))
            label = each.label or each.name
            found.append(Found(each, each.oid, label, index, value, factor, gate, left_of, bool(hangs_on)))
    return Has(found, guards)


def _read_tables(definition: Definition, manners: Manners) -> Exchange[Has]:
    """Read the tables; a column that the card lacks costs one name.  What others hang on is read first."""
    refs = [(table.entry, ref) for table in definition.tables for ref in _table_refs(table)]
    objects = yield from get(dict.fromkeys(_named(ref for _, ref in refs)), manners)
    roots = dict.fromkeys(root_of(ref, entry) for entry, ref in refs if ref.column is not None)
    roots |= dict.fromkeys(root for table in definition.tables if not table.most for root in _roots(table))
    after = yield from following(roots, manners)
    there = [root for root in roots if root in after and begins(root, after[root].oid)]
    columns: dict[str, Rows] = {}
    for left, root in zip(range(len(there), 0, -1), there, strict=True):
        columns[root] = yield from walk(root, manners, share=left)
    seen = Seen(objects, columns, frozenset(manners.cut))
    for table in definition.tables:
        if table.most:
            columns |= yield from _first_rows(table, seen, manners)
    found = [each for table in definition.tables for column in table.columns for each in _cells(table, column, seen)]
    return Has(found, {oid: objects.get(oid) for table in definition.tables for oid in _table_guards(table, seen)})


def _table_guards(table: Table, seen: Seen) -> set[str]:
    """Return the single objects that a table which the card has hangs on."""
    if not any(seen.columns.get(root) for root in _roots(table)):
        return set()
    return {*_guards(table), *(oid for column in table.columns for oid in _guards(column))}


def _guards(each: Value | Table) -> list[str]:
    scaling = each.scale_from if isinstance(each, Value) else None
    return [ref.oid for ref in (*each.when, *([scaling] if scaling else [])) if ref.oid is not None]


def _roots(table: Table) -> list[str]:
    return [f"{table.entry}.{column.column}" for column in table.columns]


def _first_rows(table: Table, seen: Seen, manners: Manners) -> Exchange[dict[str, Rows]]:
    """Return the columns of the first rows that a table's `when` lets through: known from what that names."""
    known = dict.fromkeys(
        row
        for when in table.when
        if when.column is not None
        for row in seen.columns.get(root_of(when, table.entry), {})
    )
    there = (
        row
        for row in known
        if all(when.holds(seen.text(when, table.entry, row, row_index(table.index, row))) for when in table.when)
    )
    rows = list(islice(there, table.most))
    values = yield from get([f"{root}.{row}" for root in dict.fromkeys(_roots(table)) for row in rows], manners)
    return {root: {row: values.get(f"{root}.{row}") for row in rows} for root in _roots(table)}


def _cells(table: Table, column: Column, seen: Seen) -> Iterable[Found]:
    root, entry = f"{table.entry}.{column.column}", table.entry
    refs = [ref for ref in (*table.when, *_refs(column)) if ref.column is not None]
    guarded = bool(_guards(table) or _guards(column))
    for row, value in seen.columns.get(root, {}).items():
        parts = row_index(table.index, row)
        if not is_there(value) or any(seen.lacks(ref, entry, row) for ref in refs):
            continue
        if not all(when.holds(seen.text(when, entry, row, parts)) for when in (*table.when, *column.when)):
            continue
        factor = seen.factor(column.scale_from, entry, row, parts)
        left_of = seen.number(column.left_of, entry, row, parts)
        if factor is None or (left_of is None and column.left_of is not None):
            continue
        gate = _gate(column.while_, entry, row) if column.while_ else ""
        label = _label(table, column, row, parts, seen)
        index = shared((*(part for part in parts if part[0] != "-"), *column.index.items()))
        yield Found(column, intern(f"{root}.{row}"), label, index, value, factor, gate, left_of, guarded)


def _label(table: Table, column: Column, row: str, parts: tuple[tuple[str, str], ...], seen: Seen) -> str:
    called = seen.text(table.label, table.entry, row, parts) if table.label else ""
    places = [f"{name} {part}" for name, part in parts if name != "-"]
    return ", ".join((column.label or column.name, *([called] if called else places)))


def _gate(ref: Ref, entry: str, row: str) -> str:
    return ref.oid or f"{root_of(ref, entry)}.{_row_there(ref, row)}"


def _refs(value: Value) -> Iterable[Ref]:
    yield from value.when
    for each in (value.scale_from, value.left_of):
        if each is not None:
            yield each


def _table_refs(table: Table) -> Iterable[Ref]:
    yield from table.when
    if table.label is not None:
        yield table.label
    for column in table.columns:
        yield from _refs(column)


def _named(refs: Iterable[Ref]) -> list[str]:
    return [ref.oid for ref in refs if ref.oid is not None]


@lru_cache(4096)
def row_index(names: tuple[str, ...], row: str) -> tuple[tuple[str, str], ...]:
    """Give each part of a row's index its name; the last takes the rest.  A part fewer than names leaves names out.

    A last name that ends in ":text" is an octet string (RFC 2578 section 7.7), and read as text where it is one.
    """
    parts = row.split(".", len(names) - 1)
    index = list(zip(names, parts, strict=False))
    if index and index[-1][0].endswith(TEXT):
        name, octets = index[-1]
        index[-1] = (name.removesuffix(TEXT), _spelled(octets))
    return tuple(index)


def _spelled(octets: str) -> str:
    """Return the text that sub-identifiers spell, with its length before it or not; else the sub-identifiers.

    What an id could be mistaken by (a comma, a bracket), blanks at its ends, and what is long, stay sub-identifiers.
    """
    signs = [int(octet) for octet in octets.split(".")]
    if len(signs) > 1 and signs[0] == len(signs) - 1:
        signs = signs[1:]
    text = "".join(map(chr, signs)) if max(signs) < 0x7F else ""
    return text if len(text) <= LONGEST_TEXT and _PLAIN.fullmatch(text) else octets


@lru_cache(4096)
def shared(index: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the same tuple for the same index: hundreds of alike cards have it."""
    return index

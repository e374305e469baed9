"""`roundsman devices` and `roundsman devices show NAME`: the definitions that ship, and what each reads."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.shipped import names
from roundsman.output import CommandError, json_lines, table
from roundsman.words import say

if TYPE_CHECKING:
    from collectors.snmp.library import Library


def shown_all(args: argparse.Namespace) -> int:
    """Print name, protocol, maker and source of each."""
    keys = ("name", "protocol", "maker", "title", "source")
    rows = [dict(zip(keys, row, strict=True)) for row in _all()]
    if args.json:
        json_lines(rows)
        return 0
    table(
        tuple(map(say, ("NAME", "PROTOCOL", "MAKER", "TITLE"))),
        [(row["name"], row["protocol"], row["maker"], row["title"]) for row in rows],
        empty=say("None ship."),
    )
    return 0


def _all() -> Iterator[tuple[str, str, str, str, str]]:
    from collectors.line import definition as line  # noqa: PLC0415 - slow to read, only here
    from collectors.snmp.library import shipped  # noqa: PLC0415 - slow to read, only here

    for name, each in shipped().heads.items():
        if each.match:
            yield name, "snmp", each.maker, each.name, each.source
    for protocol in ("modbus", "ydt1363"):
        for name in sorted(names(f"devices/{protocol}")):
            found = line.shipped(name)
            yield name, protocol, found.maker, found.name, found.source


def shown(args: argparse.Namespace) -> int:
    """Print what one definition reads: every value with its place, unit or states, and where it is from."""
    from roundsman.devices.line_shelf import line_definition, line_rows  # noqa: PLC0415 - slow to read, only here

    of_line = line_definition(args.name)
    rows = list(line_rows(of_line) if of_line is not None else _objects(args.name))
    if args.json:
        json_lines(rows)
        return 0
    table(
        tuple(map(say, ("QUANTITY", "READING", "UNIT", "NAME", "SOURCE"))),
        [(r["quantity"], r["label"], r["unit"] or " ".join(r["states"]), r["name"], r["source"]) for r in rows],
        empty=say("It names no object."),
    )
    return 0


def _objects(name: str) -> Iterator[dict[str, Any]]:
    from collectors.snmp.library import shipped  # noqa: PLC0415 - slow to read, only here

    is_file = name.endswith((".yaml", ".yml"))
    definition = (library_with(Path(name)) if is_file else shipped()).get(Path(name).stem)
    if definition is None:
        raise CommandError(f"No definition {name!r}; `roundsman devices` lists those that ship.")
    for each in definition.objects:
        yield _row(each, each.oid)
    for rows in definition.tables:
        for column in rows.columns:
            yield _row(column, f"{rows.entry}.{column.column}")
    for value in (value for meant in definition.sensors.values() for value in meant):
        yield _row(value, "1.3.6.1.2.1.99.1.1.1.4")
    if definition.alarms:
        for key, alarm in definition.alarms.known.items():
            yield {
                "quantity": str(alarm.quantity),
                "label": alarm.label,
                "unit": "",
                "states": [alarm.clear, f"{alarm.active}:{alarm.severity}"],
                "name": alarm.name,
                "source": key,
            }


def _row(value: Any, source: str) -> dict[str, Any]:
    states = [
        state.name if state.severity == "ok" else f"{state.name}:{state.severity}" for state in value.point_states()
    ]
    bits = [f"{bit.name}:{bit.severity}" for bit in value.bits.values()]
    return {
        "quantity": str(value.quantity),
        "label": value.label or value.name,
        "unit": value.quantity.unit.symbol,
        "states": states + bits,
        "name": value.name,
        "source": source,
    }


def library_with(path: Path) -> "Library":
    """Return the shipped definitions and the one in a file, by the file's name."""
    from collectors.snmp.library import with_files  # noqa: PLC0415 - slow to read, only here

    return with_files([path])

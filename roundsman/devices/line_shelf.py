"""Definitions of devices on a line: finding one, what it reads, trying it on recorded registers."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.rows import reading_rows
from collectors.line.definition import Definition, ModbusDefinition, YdtDefinition, definition, shipped
from collectors.line.inputs import with_inputs
from collectors.line.modbus_definition import Register
from collectors.line.recording import RecordingError, play, read_image
from collectors.line.ydt_definition import YdtRead, meanings
from config import node as nodes
from config.node import Node
from config.reader import read
from config.shipped import names
from model.point import Reading, State, unavailable
from roundsman.devices.tables import readings_table
from roundsman.output import CommandError, json_lines
from roundsman.words import say


def line_definition(name: str) -> Definition | None:
    """Return the Modbus or YD/T 1363 definition of that name or in that file; None when it is none of a line's."""
    if name.endswith((".yaml", ".yml")):
        node = read(Path(name))
        return definition(node) if _protocol(node) in {"modbus", "ydt1363"} else None
    return shipped(name) if name in names("devices/modbus") | names("devices/ydt1363") else None


def _protocol(node: Node) -> str:
    said = node.fields.get("protocol") if isinstance(node, nodes.Table) else None
    return said.text if isinstance(said, nodes.Scalar) else ""


def line_rows(found: Definition) -> Iterator[dict[str, Any]]:
    """Return what a definition reads, row by row."""
    if isinstance(found, YdtDefinition):
        for each in found.reads:
            yield from _ydt_rows(each)
        return
    if found.inputs is not None:
        found = with_inputs(found, found.inputs, {})
    for register in found.registers:
        yield from _modbus_rows(register)


def _modbus_rows(register: Register) -> Iterator[dict[str, Any]]:
    source, is_bits = f"{register.function}:{register.register}", register.function in {1, 2}
    for number, bit in register.bits.items():
        name = ",".join(f"{key}={value}" for key, value in bit.at.items())
        place = f"{register.function}:{register.register + number}" if is_bits else f"{source}.{number}"
        yield _row(bit.quantity, bit.label or bit.name, name, place, bit.states)
    if register.quantity is not None:
        index = register.index | ({register.repeat.index: "1.."} if register.repeat else {})
        name = ",".join(f"{key}={value}" for key, value in index.items())
        yield _row(register.quantity, register.label, name, source, register.named_states())


def _ydt_rows(each: YdtRead) -> Iterator[dict[str, Any]]:
    for meaning in meanings(each):
        name = ",".join(f"{key}={value}" for key, value in meaning.index.items())
        source = f"{each.cid1:02X}H/{each.command:02X}H"
        yield _row(meaning.quantity, meaning.label, name, source, meaning.named_states())


def _row(quantity: Any, label: str, name: str, source: str, states: tuple[State, ...]) -> dict[str, Any]:
    said = [state.name if state.severity == "ok" else f"{state.name}:{state.severity}" for state in states]
    return {
        "quantity": str(quantity),
        "label": label,
        "unit": quantity.unit.symbol,
        "states": said,
        "name": name,
        "source": source,
    }


def tried_line(found: Definition, args: argparse.Namespace) -> int:
    """Print every reading of a recorded Modbus device, then what it did not have."""
    if not isinstance(found, ModbusDefinition):
        raise CommandError(
            "A YD/T 1363 device has no registers to try a definition on; roundsman decode reads its frames."
        )
    if found.inputs is not None:
        found = with_inputs(found, found.inputs, {})
    try:
        played = play(found, read_image(args.recording.read_text("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, RecordingError) as error:
        raise CommandError(str(error)) from error
    readings = [unavailable(point, 0.0) if value is None else Reading(point, value, 0.0) for point, value in played]
    rows = reading_rows(readings, 0.0)
    if args.json:
        json_lines({key: getattr(row, key) for key in row.__struct_fields__} for row in rows)
        return 0 if played.values else 1
    readings_table(rows)
    for refused in played.refused:
        print(f"{say('Not in the recording:')} {refused}")
    return 0 if played.values else 1

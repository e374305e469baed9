"""`roundsman devices`: the device definitions that ship."""

import argparse

from config.shipped import names
from roundsman.output import json_lines, table
from roundsman.words import say


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print name, protocol, maker and source of each."""
    from collectors.line import definition as line  # noqa: PLC0415 - slow to read, only here
    from collectors.snmp import library as snmp  # noqa: PLC0415 - slow to read, only here

    snmp_rows = [(name, "snmp", d.maker, d.source) for name, d in snmp.shipped().items()]
    line_rows = [
        (name, protocol, d.maker, d.source)
        for protocol in ("modbus", "ydt1363")
        for name in sorted(names(f"devices/{protocol}"))
        for d in (line.shipped(name),)
    ]
    keys = ("name", "protocol", "maker", "source")
    rows = [dict(zip(keys, row, strict=True)) for row in snmp_rows + line_rows]
    if args.json:
        json_lines(rows)
    else:
        table(
            tuple(map(say, ("NAME", "PROTOCOL", "MAKER", "FROM"))),
            [tuple(row.values()) for row in rows],
            empty=say("None ship."),
        )
    return 0

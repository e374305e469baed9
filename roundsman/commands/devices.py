"""`roundsman devices`: the device definitions that ship; trying one on a recording; drafting one from a device."""

import argparse
import json
from pathlib import Path

from roundsman.snmp_options import snmp_options

_RECORDING = "output of snmpwalk -On, a file of snmpsim (snmprec), or of Modbus registers or frames (docs/devices.md)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parts = parser.add_subparsers(dest="part", metavar="PART", help="without one: list all that ship")
    show = parts.add_parser("show", help="what one definition reads")
    show.add_argument("name", help="one of `roundsman devices`, or a file")
    test = parts.add_parser("test", help="read a recorded device with a definition")
    test.add_argument("definition", help="a definition file, the name of one that ships, or auto to have it recognised")
    test.add_argument("recording", type=Path, help=_RECORDING)
    schema = parts.add_parser("schema", help="print the JSON schema of definitions, for an editor")
    schema.add_argument("--protocol", choices=("snmp", "modbus"), default="snmp", help="of which kind (snmp)")
    draft = parts.add_parser("draft", help="walk a device and draft a definition of it")
    draft.add_argument("--snmp", metavar="HOST", required=True, help="the device: HOST or HOST:PORT")
    draft.add_argument("--root", metavar="OID", help="what is walked (the maker's subtree, by its sysObjectID)")
    draft.add_argument(
        "--mib", type=Path, action="append", default=[], metavar="FILE", help="the maker's MIB, for names"
    )
    draft.add_argument("--save", type=Path, metavar="FILE", help="keep the walk here, for `devices test`")
    snmp_options(draft)
    for part in (show, test):
        part.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Do the part that is named."""
    if args.part == "draft":
        from roundsman.devices.draft import drafted  # noqa: PLC0415 - only for a draft

        return drafted(args)
    if args.part == "test":
        from roundsman.devices.trial import tried  # noqa: PLC0415 - only for a test

        return tried(args)
    if args.part == "schema":
        if args.protocol == "modbus":
            from collectors.line.editor import schema  # noqa: PLC0415 - only for the schema
        else:
            from collectors.snmp.editor import schema  # noqa: PLC0415 - only for the schema

        print(json.dumps(schema(), indent=1, ensure_ascii=False))
        return 0
    from roundsman.devices.shelf import shown, shown_all  # noqa: PLC0415 - slow to read, only here

    return shown(args) if args.part == "show" else shown_all(args)

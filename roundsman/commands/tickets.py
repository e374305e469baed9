"""`roundsman tickets`: the desk's tickets."""

import argparse
from datetime import datetime
from pathlib import Path

from desk.local import LocalError, tickets
from roundsman.output import CommandError, json_lines, said, table
from roundsman.words import say


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--state", type=Path, default=Path("/var/lib/roundsman-desk"), metavar="DIR", help="the desk's state folder"
    )
    parser.add_argument("--all", action="store_true", help="also resolved and closed ones")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Ask the running desk and print."""
    try:
        rows = tickets(args.state, every=args.all)
    except LocalError as error:
        raise CommandError(str(error)) from error
    if args.json:
        json_lines(rows)
        return 0
    table(
        tuple(map(say, ("NO", "LEVEL", "STATE", "OPENED", "SITE", "FAULT", "TAKEN BY"))),
        [
            (
                str(row["number"]),
                str(row["level"]),
                say(row["state"]),
                datetime.fromtimestamp(row["opened"]).astimezone().strftime("%m-%d %H:%M:%S"),
                row["site"],
                said(row["title"]),
                row.get("acknowledged_by", "") or "-",
            )
            for row in rows
        ],
        empty=say("No tickets." if args.all else "No open tickets."),
    )
    return 0

"""`roundsman alarms`: what stands at this site."""

import argparse
from datetime import datetime

from roundsman.asking import ask_agent, site_argument
from roundsman.output import json_lines, said, table
from roundsman.words import say


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    site_argument(parser)
    parser.add_argument("--all", action="store_true", help="also alarms that are over")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Ask the running agent and print."""
    rows = ask_agent(args, "alarms", all=args.all)
    if args.json:
        json_lines(rows)
        return 0
    table(
        tuple(map(say, ("LEVEL", "STATE", "SINCE", "DEVICE", "FAULT", "WHY", "CONDITION"))),
        [
            (
                f"{row['level']}{'?' if row['provisional'] else ''}",
                say(row["state"]),
                datetime.fromtimestamp(row["since"]).astimezone().strftime("%m-%d %H:%M:%S"),
                row["name"],
                said(row["title"]),
                "; ".join(row["evidence"])[:60],
                row["condition"],
            )
            for row in sorted(rows, key=lambda row: (row["level"], row["since"]))
        ],
        empty=say("No alarms."),
    )
    if any(row["provisional"] for row in rows):
        print(say("? after a level: provisional, the contract does not list the fault."))
    return 0

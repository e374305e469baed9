"""`roundsman ack`: take an alarm."""

import argparse
import getpass

from roundsman.asking import ask_agent, site_argument
from roundsman.output import clean, json_lines


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("condition", help="the alarm, whole or a part that fits only one (see `roundsman alarms`)")
    parser.add_argument("--by", default="", help="who takes it (default: you)")
    parser.add_argument("--json", action="store_true", help="the alarm as one JSON object")
    site_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the running agent; the answer comes when it is kept."""
    row = ask_agent(args, "ack", condition=args.condition, by=args.by or getpass.getuser())
    if args.json:
        json_lines([row])
    else:
        print(f"{clean(row['condition'])} is {row['state']}, taken by {row['acknowledged_by'] or 'nobody'}.")
    return 0

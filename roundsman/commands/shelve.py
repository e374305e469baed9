"""`roundsman shelve`: put an alarm aside for a time."""

import argparse
import getpass

from config.scalars import seconds as duration
from roundsman.asking import ask_agent, site_argument
from roundsman.output import CommandError, clean, json_lines


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("condition", help="the alarm, whole or a part that fits only one (see `roundsman alarms`)")
    parser.add_argument("time", help="for how long: 30min, 8h; 0s takes it back")
    parser.add_argument("--reason", default="", help="why, for the record")
    parser.add_argument("--by", default="", help="who does it (default: you)")
    parser.add_argument("--json", action="store_true", help="the alarm as one JSON object")
    site_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the running agent; the answer comes when it is kept."""
    try:
        seconds = duration(args.time)
    except ValueError as error:
        raise CommandError(str(error)) from error
    by = args.by or getpass.getuser()
    row = ask_agent(args, "shelve", condition=args.condition, seconds=seconds, by=by, reason=args.reason)
    if args.json:
        json_lines([row])
    else:
        print(f"{clean(row['condition'])} is {row['state']}.")
    return 0

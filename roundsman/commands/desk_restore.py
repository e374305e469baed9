"""`roundsman desk restore`: a backup into a state folder; what was there is moved aside."""

import argparse
import time
from pathlib import Path

from roundsman.keeping import STATE, say
from roundsman.output import CommandError, language


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="the backup")
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help=f"the desk's state folder ({STATE})")
    parser.add_argument("--finish", action="store_true", help="end a restore that was broken off")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")


def run(args: argparse.Namespace) -> int:
    """Put a backup back, or finish doing so."""
    from desk.keeping import KeepingError  # noqa: PLC0415 - not for --help
    from desk.keeping_restore import finish, restore  # noqa: PLC0415 - not for --help

    if (args.file is None) is not args.finish:
        raise CommandError("name the backup's FILE, or --finish a restore that was broken off")
    try:
        done = finish(args.state) if args.finish else restore(args.file, args.state)
    except KeepingError as error:
        raise CommandError(str(error)) from error
    if args.finish:
        print(say(args, "finished"))
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(done.made))
    print(say(args, "restored", state=args.state, at=made, tickets=done.tickets))
    if done.aside:
        print(say(args, "aside", path=done.aside))
    if done.own:
        print(say(args, "own", path=done.own))
    print(say(args, "numbers", number=done.next_ticket))
    print(say(args, "lost"))
    print(say(args, "next"))
    return 0

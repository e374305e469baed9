"""`roundsman desk copy`: the desk's file into a PostgreSQL database, checked; it is the same desk there."""

import argparse
import os
from pathlib import Path

from roundsman.keeping import STATE, say
from roundsman.output import CommandError, language


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "store",
        nargs="?",
        default=os.environ.get("ROUNDSMAN_STORE", ""),
        metavar="ADDRESS",
        help="an empty database: postgresql://USER@HOST/NAME (or ROUNDSMAN_STORE)",
    )
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help=f"the desk's state folder ({STATE})")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")


def run(args: argparse.Namespace) -> int:
    """Copy the file of a desk that does not run."""
    from desk.keeping import held  # noqa: PLC0415 - not for --help
    from runtime.writer import StoreError  # noqa: PLC0415 - not for --help

    if not args.store:
        raise CommandError("name the database: roundsman desk copy postgresql://USER@HOST/NAME")
    if not args.state.is_dir():
        raise CommandError(f"there is no folder {args.state}")
    try:
        from desk.copying import copy  # noqa: PLC0415 - what it needs is not always installed
    except ImportError as error:
        raise CommandError(f"for PostgreSQL: pip install 'roundsman[postgres]' ({error})") from error
    try:
        with held(args.state):
            done = copy(args.state, args.store)
    except StoreError as error:
        raise CommandError(str(error)) from error
    print(say(args, "copied", rows=sum(done.rows.values()), tables=len(done.rows)))
    print(say(args, "same", tickets=done.rows["tickets"], incarnation=done.incarnation))
    print(say(args, "file", path=done.file))
    print(say(args, "go_on"))
    return 0

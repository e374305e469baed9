"""`roundsman desk copy`: the desk's file into a PostgreSQL database, checked; it is the same desk there."""

import argparse
import os
from pathlib import Path

from roundsman.keeping import STATE
from roundsman.output import CommandError


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
    print(f"Copied {sum(done.rows.values())} rows of {len(done.rows)} tables, and read every one back: they are alike.")
    print(f"Tickets: {done.rows['tickets']}; their books add up. The desk is the same one ({done.incarnation}).")
    print(f"The file is now {done.file}: keep it until you trust the database.")
    print("Next: roundsman desk --store ADDRESS")
    return 0

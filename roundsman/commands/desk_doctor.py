"""`roundsman desk doctor`: what is wrong with this desk and what to do."""

import argparse
from pathlib import Path

from config.scalars import seconds
from roundsman.keeping import STATE, shown
from roundsman.output import CommandError, language


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--state", type=Path, default=STATE, metavar="DIR", help=f"the desk's state folder ({STATE})")
    parser.add_argument("--roster", type=Path, metavar="FILE", help="another roster than the desk was started with")
    parser.add_argument("--contracts", type=Path, metavar="DIR", help="other contracts than the desk was started with")
    parser.add_argument("--try", action="store_true", dest="reach", help="ask the mail server and the webhooks, too")
    parser.add_argument("--backups-within", default="2d", metavar="TIME", help="how old the last backup may be (2d)")
    parser.add_argument("--json", action="store_true", help="as JSON, one finding a line")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")


def run(args: argparse.Namespace) -> int:
    """Print what is wrong, the worst first; 0 well, 1 something to see to, 2 something is broken."""
    from desk.doctor import examine  # noqa: PLC0415 - not for --help

    try:
        within = seconds(args.backups_within)
    except ValueError as error:
        raise CommandError(f"--backups-within: {error}") from error
    found = examine(args.state, roster=args.roster, contracts=args.contracts, reach=args.reach, backups_within=within)
    return shown(args, found)

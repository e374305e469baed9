"""`roundsman simulate`: a power room that plays a scenario."""

import argparse
import asyncio
from pathlib import Path

from roundsman.output import CommandError, language
from simulator.command import simulate


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "scenario", help="a scenario's name, or a file: demo, mains-failure, fans-stop, hot-subrack, ..."
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("var/simulate"), help="where the line's link is made (var/simulate)"
    )
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than life (1)")
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end after so long")


def run(args: argparse.Namespace) -> int:
    """Play until Ctrl-C."""
    try:
        asyncio.run(
            simulate(args.scenario, args.folder, speed=args.speed, stop_after=args.seconds, language=language())
        )
    except OSError as error:
        raise CommandError(f"The room cannot be set up: {error}") from error
    return 0

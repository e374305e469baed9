"""`roundsman simulate`: a power room that plays a scenario, or one serial line alone."""

import argparse
import asyncio
from pathlib import Path

from roundsman.commands import simulate_line
from roundsman.output import CommandError, language
from simulator.command import simulate

LINE = "line"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "scenario", help="a scenario's name, or a file: demo, mains-failure, fans-stop, hot-subrack, ...; or: line"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("var/simulate"), help="where the line's link is made (var/simulate)"
    )
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than life (1)")
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="end after so long")
    simulate_line.arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Play until Ctrl-C."""
    if args.scenario == LINE:
        return simulate_line.run(args)
    try:
        asyncio.run(
            simulate(args.scenario, args.folder, speed=args.speed, stop_after=args.seconds, language=language())
        )
    except OSError as error:
        raise CommandError(f"The room cannot be set up: {error}") from error
    return 0

"""`roundsman doctor`: what is wrong at this site and what to do."""

import argparse

from roundsman.asking import site_argument, site_file
from roundsman.keeping import shown
from roundsman.output import language


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    site_argument(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, one finding a line")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")


def run(args: argparse.Namespace) -> int:
    """Print what is wrong, the worst first; 0 well, 1 something to see to, 2 something is broken."""
    from agent.doctor import examine  # noqa: PLC0415 - not for --help
    from config.site import load_site  # noqa: PLC0415

    return shown(args, examine(load_site(site_file(args))))

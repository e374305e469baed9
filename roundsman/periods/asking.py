"""The running desk's client for a command of windows or guard periods, and the arguments that they share."""

import argparse
import getpass
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from connectors.desk import DeskError
from connectors.periods import PeriodsClient
from desk.local import LocalError
from roundsman.output import CommandError, json_lines, language
from roundsman.reaching import reach_arguments, reached

T = TypeVar("T")


def common(parser: argparse.ArgumentParser, *, speaking: bool) -> None:
    """Add what each of these commands takes; one that says something also takes who says it."""
    reach_arguments(parser)
    if speaking:
        parser.add_argument("--by", default="", metavar="NAME", help="who says so (you)")
        parser.add_argument("--key", default="", help="said again with the same key, it is done once")
    parser.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def where_and_when(parser: argparse.ArgumentParser) -> None:
    """Add where and when a period is."""
    parser.add_argument(
        "where",
        nargs="+",
        metavar="WHERE",
        help="all, region:R, site:S or device:SITE/DEVICE; fault:F to name faults",
    )
    parser.add_argument("--from", dest="start", default="", metavar="TIME", help='"2026-10-01 08:00" (now)')
    parser.add_argument(
        "--until", dest="end", required=True, metavar="TIME", help='"2026-10-01 12:00", or how long: 4h'
    )
    parser.add_argument("--zone", default="", help="time zone of these times (the sites' own)")


def who(args: argparse.Namespace) -> str:
    """Return who speaks."""
    return args.by or getpass.getuser()


def asked(args: argparse.Namespace, ask: Callable[[PeriodsClient], T]) -> T:
    """Return what the running desk answers. Raises CommandError with the desk's sentence."""
    try:
        there = reached(args)
        with PeriodsClient(there.url, language=args.lang, token=there.token, verify=there.verify) as client:
            return ask(client)
    except (LocalError, DeskError) as error:
        raise CommandError(str(error)) from error


def printed(args: argparse.Namespace, rows: Iterable[Any], show: Callable[[], None]) -> int:
    """Print what the desk answered, as JSON lines or as `show` does; returns the command's status."""
    if args.json:
        json_lines(rows)
    else:
        show()
    return 0

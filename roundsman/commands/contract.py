"""`roundsman contract`: the maintenance contracts that ship, one in plain words, and what would be due when."""

import argparse

from roundsman.output import language


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    every = parts.add_parser("list", help="the contracts that ship")
    show = parts.add_parser("show", help="one contract in plain words")
    test = parts.add_parser("test", help="what would be due when")
    for part in (show, test):
        part.add_argument("name", help="one of `roundsman contract list`, or a file of your own")
    _situation(test)
    _times(test)
    for part in (every, show, test):
        part.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")
        part.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Do the part that is named."""
    if args.part == "test":
        from roundsman.contracts.trial import tried  # noqa: PLC0415 - only for a test

        return tried(args)
    from roundsman.contracts.shelf import listed, shown  # noqa: PLC0415 - slow to read, only here

    return shown(args) if args.part == "show" else listed(args)


def _situation(test: argparse.ArgumentParser) -> None:
    test.add_argument("--level", help="the level, such as 1 or A (by --fault, where the contract lists it)")
    test.add_argument("--fault", default="", metavar="FAULT", help="the fault, or one of its cases: fault/case")
    test.add_argument("--region", default="", metavar="REGION", help="the region, its title, or one of its cities")
    test.add_argument("--grade", default="", help="the service grade")
    test.add_argument("--when", action="append", default=[], metavar="CONDITION", help="a condition that holds")
    test.add_argument("--guarded", action="store_true", help="the ticket opens in a guard period")
    handling = test.add_mutually_exclusive_group()
    handling.add_argument("--remote", action="store_true", help="it is handled remotely")
    handling.add_argument("--on-site", action="store_true", help="it is handled on site")


def _times(test: argparse.ArgumentParser) -> None:
    test.add_argument("--at", metavar="TIME", help='when it begins, such as "2026-09-30 17:50" (now)')
    test.add_argument("--timezone", default="Asia/Shanghai", metavar="ZONE", help="the site's zone (Asia/Shanghai)")
    test.add_argument(
        "--set", action="append", default=[], metavar="NAME=TIME", dest="times",
        help="when a milestone was reached or a start was, such as depart=2026-09-30T18:20",
    )  # fmt: skip
    test.add_argument(
        "--pause", action="append", default=[], nargs="+", metavar="TIME",
        help="a pause of the clocks: from, and until (left out: it still runs)",
    )  # fmt: skip

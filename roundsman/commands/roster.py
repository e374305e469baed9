"""`roundsman roster`: who is on duty, whether a roster's file is good, and substitutes."""

import argparse
from pathlib import Path

from roundsman.output import language
from roundsman.reaching import reach_arguments


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    show = parts.add_parser("show", help="who is on duty now and in the days to come", allow_abbrev=False)
    show.add_argument("--file", type=Path, metavar="FILE", help="by a file, without substitutes (the running desk)")
    show.add_argument("--at", default="", metavar="TIME", help='at another time, such as "2026-12-31 20:00"')
    show.add_argument("--days", type=int, default=7, help="how many days ahead (7)")
    check = parts.add_parser("check", help="everything that is wrong with a roster's file", allow_abbrev=False)
    check.add_argument("file", type=Path, help="the roster's file")
    check.add_argument("--days", type=int, default=31, help="for how many days somebody must be on duty (31)")
    swap = parts.add_parser("swap", help="somebody stands in for somebody", allow_abbrev=False)
    swap.add_argument("absent", help="whose duties (the short name in the roster)")
    swap.add_argument("stand_in", metavar="stand-in", help="who does them")
    swap.add_argument("--from", default="", metavar="TIME", dest="start", help="from when on (now)")
    swap.add_argument("--until", required=True, metavar="TIME", help='until when, such as "2026-12-31 08:00"')
    swap.add_argument("--reason", default="", help="why")
    withdraw = parts.add_parser("withdraw", help="a substitute is needed no more", allow_abbrev=False)
    withdraw.add_argument("number", type=int, help="the substitute's number (see `show`)")
    for part in (swap, withdraw):
        part.add_argument("--by", default="", metavar="NAME", help="who says so (you)")
    for part in (show, swap, withdraw):
        reach_arguments(part)
        part.add_argument("--json", action="store_true", help="as JSON")
    for part in (show, check, swap, withdraw):
        part.add_argument("--lang", choices=("en", "zh"), default=language(), help="the language (the terminal's)")


def run(args: argparse.Namespace) -> int:
    """Do the part that is named."""
    from roundsman.rosters import checked, said, shown, withdrawn  # noqa: PLC0415 - not for --help

    return {"show": shown, "check": checked, "swap": said, "withdraw": withdrawn}[args.part](args)

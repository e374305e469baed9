"""`roundsman desk`: run the central desk, or enrol a site with the one that runs."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from config.scalars import address
from desk.app import AddressError, serve
from desk.enrol import enrol
from desk.local import LocalError
from desk.settings import DeskSettings
from roundsman.output import CommandError
from runtime.writer import StoreError

STATE = Path("/var/lib/roundsman-desk")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    doing = parser.add_subparsers(dest="doing", metavar="enrol")
    parser.add_argument(
        "--state", type=Path, default=STATE, metavar="DIR", help=f"where the desk keeps its file ({STATE})"
    )
    parser.add_argument(
        "--listen", default="127.0.0.1:8061", metavar="HOST:PORT", help="where it answers (127.0.0.1:8061)"
    )
    parser.add_argument("--title", default="", help="the desk's name on its page")
    site = doing.add_parser("enrol", help="print a one-time join line for a site", allow_abbrev=False)
    site.add_argument("site", help="the site's id, as in its site file")
    site.add_argument("--name", default="", help="its name in words")
    site.add_argument("--contract", default="", help="the contract its tickets follow")
    site.add_argument("--region", default="", help="the contract's region it lies in")
    site.add_argument("--timezone", default="", help="its time zone, such as Asia/Shanghai")
    site.add_argument(
        "--state", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="where the desk keeps its file"
    )


def run(args: argparse.Namespace) -> int:
    """Run the desk until SIGTERM or SIGINT, or enrol."""
    if args.doing == "enrol":
        return _enrol(args)
    level = os.environ.get("ROUNDSMAN_LOG", "INFO").upper()
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    os.umask(0o077)
    try:
        where = address(args.listen)
    except ValueError as error:
        raise CommandError(f"--listen: {error}") from error
    settings = DeskSettings(state=args.state, host=where.host, port=where.port, title=args.title)
    try:
        asyncio.run(serve(settings))
    except (AddressError, StoreError) as error:
        raise CommandError(str(error)) from error
    return 0


def _enrol(args: argparse.Namespace) -> int:
    try:
        line = enrol(
            args.state, args.site, name=args.name, contract=args.contract, region=args.region, timezone=args.timezone
        )
    except LocalError as error:
        raise CommandError(str(error)) from error
    print(line)
    print("Type at the site, within a day:", file=sys.stderr)
    print(f"  roundsman join '{line}' --site /etc/roundsman/site.yaml", file=sys.stderr)
    return 0

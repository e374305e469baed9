"""`roundsman desk`: run the central desk, or enrol a site with the one that runs."""

import argparse
import asyncio
import datetime as dt
import logging
import os
import sys
from pathlib import Path

from config.scalars import address
from desk.app import AddressError, serve
from desk.enrol import enrol
from desk.local import LocalError
from desk.settings import DeskSettings, contracts_in
from desk.trust import clock_of, trust_clock
from model.service.words import Trust
from roundsman.output import CommandError
from runtime.collector import spare_the_collector
from runtime.writer import StoreError

STATE = Path("/var/lib/roundsman-desk")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    doing = parser.add_subparsers(dest="doing", metavar="enrol|trust-clock")
    parser.add_argument(
        "--state", type=Path, default=STATE, metavar="DIR", help=f"where the desk keeps its file ({STATE})"
    )
    parser.add_argument(
        "--store",
        default=os.environ.get("ROUNDSMAN_STORE", ""),
        metavar="ADDRESS",
        help="a PostgreSQL database instead of the file: postgresql://USER@HOST/NAME (or ROUNDSMAN_STORE)",
    )
    parser.add_argument(
        "--listen", default="127.0.0.1:8061", metavar="HOST:PORT", help="where it answers (127.0.0.1:8061)"
    )
    parser.add_argument("--title", default="", help="the desk's name on its page")
    parser.add_argument(
        "--contracts", type=Path, metavar="DIR", help="contracts of one's own, and calendars in DIR/calendars"
    )
    parser.add_argument("--roster", type=Path, metavar="FILE", help="who is on duty, and who is told of what")
    parser.add_argument(
        "--clock-kept-by-host",
        action="store_true",
        help="what runs this virtual machine or container keeps its clock right; believe it a minute after a start",
    )
    site = doing.add_parser("enrol", help="print a one-time join line for a site", allow_abbrev=False)
    site.add_argument("site", help="the site's id, as in its site file")
    site.add_argument("--name", default="", help="its name in words")
    site.add_argument("--contract", default="", help="the contract its tickets follow")
    site.add_argument("--region", default="", help="the contract's region it lies in")
    site.add_argument("--timezone", default="", help="its time zone, such as Asia/Shanghai")
    site.add_argument(
        "--state", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="where the desk keeps its file"
    )
    clock = doing.add_parser("trust-clock", help="say that this machine's clock is right", allow_abbrev=False)
    clock.add_argument("--yes", action="store_true", help="the time that is shown is right: go on by it")
    clock.add_argument("--earlier", action="store_true", help="even though it is before what was written down")
    clock.add_argument(
        "--stood-still", action="store_true", help="it was right before too: the machine was paused meanwhile"
    )
    clock.add_argument("--by", default="admin", metavar="NAME", help="who says so")
    clock.add_argument(
        "--state", type=Path, default=argparse.SUPPRESS, metavar="DIR", help="where the desk keeps its file"
    )


def run(args: argparse.Namespace) -> int:
    """Run the desk until SIGTERM or SIGINT, or enrol."""
    if args.doing == "enrol":
        return _enrol(args)
    if args.doing == "trust-clock":
        return _trust_clock(args)
    level = os.environ.get("ROUNDSMAN_LOG", "INFO").upper()
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    os.umask(0o077)
    try:
        where = address(args.listen)
    except ValueError as error:
        raise CommandError(f"--listen: {error}") from error
    if args.contracts is not None and not args.contracts.is_dir():
        raise CommandError(f"--contracts: there is no folder {args.contracts}")
    settings = DeskSettings(
        state=args.state,
        store=args.store,
        contracts=args.contracts,
        host=where.host,
        port=where.port,
        title=args.title,
        roster=args.roster,
        clock_kept_by_host=args.clock_kept_by_host,
    )
    try:
        asyncio.run(serve(settings, contracts_in(args.contracts), on_ready=lambda _: spare_the_collector()))
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


def _trust_clock(args: argparse.Namespace) -> int:
    """Show both times; believe the machine's when a person says that it is right."""
    try:
        seen = clock_of(args.state)
        print(f"The machine says: {_local(seen.wall)}")
        print(f"The desk holds:   {_local(seen.at)}")
        if seen.trust is Trust.SURE and not args.yes:
            print("The desk is sure of its time.")
            return 0
        if seen.held:
            print(f"On {seen.held} tickets something is due and waits.")
        if not args.yes:
            raise CommandError(
                "The desk is not sure of its time; escalations are frozen. If what the machine says is right:"
                " roundsman desk trust-clock --yes"
            )
        trust_clock(args.state, seen, by=args.by, earlier=args.earlier, stood_still=args.stood_still)
    except LocalError as error:
        raise CommandError(str(error)) from error
    print("The desk goes on by the machine's time.")
    return 0


def _local(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %z}"

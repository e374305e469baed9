"""`roundsman ticket open`: a ticket for a fault that no alarm has told."""

import argparse

from model.service.words import Side
from model.ticket_protocol import OpenByHand
from roundsman.output import json_lines
from roundsman.tickets.asking import asked, common, who
from roundsman.tickets.shown import show_ticket


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("site", help="the site's id")
    parser.add_argument("fault", help="the fault, such as mains.lost (docs/configuration.md has them)")
    parser.add_argument("--device", default="", help="the device")
    parser.add_argument("--case", default="", help="the fault's case")
    parser.add_argument("--level", default="", help="the level, such as 1 or A (the contract decides)")
    parser.add_argument("--since", metavar="TIME", help="since when the fault stands: 14:05, 2026-09-30T14:05 (now)")
    parser.add_argument("--reported", metavar="TIME", help="when the customer reported it")
    common(parser, speaking=True)


def run(args: argparse.Namespace) -> int:
    """Ask the running desk and print the ticket."""
    fault = OpenByHand(
        who(args),
        args.site,
        args.fault,
        args.device,
        args.case,
        args.level or 0,
        args.since,
        args.reported,
        Side(args.side),
    )
    ticket = asked(args, lambda client: client.open(fault, key=args.key))
    if args.json:
        json_lines([ticket])
    else:
        show_ticket(ticket, args.lang)
    return 0

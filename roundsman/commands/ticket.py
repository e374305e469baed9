"""`roundsman ticket`: one ticket of the desk, what was said of it, and to say what happened."""

import argparse
from collections.abc import Iterable
from typing import Any

from connectors.tickets import TicketsClient
from model.service.words import Side
from model.ticket_protocol import EntryNow, TicketNow
from roundsman.output import CommandError, json_lines
from roundsman.tickets.asking import asked, common, who
from roundsman.tickets.verbs import VERBS, act_of, add_verb

ENTRIES = "entries"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("ticket", type=_number, metavar="N", help="the ticket's number (see `roundsman tickets`)")
    common(parser, speaking=True)
    verbs = parser.add_subparsers(dest="verb", metavar="WHAT", title="what is said of it")
    every = verbs.add_parser(ENTRIES, help="everything that was written down, with who and from where")
    common(every, speaking=False, default=False)
    for name, verb in VERBS.items():
        sub = verbs.add_parser(name, help=verb.says, description=verb.says.capitalize() + ".", allow_abbrev=False)
        add_verb(sub, verb)
        common(sub, speaking=True, default=False)


def run(args: argparse.Namespace) -> int:
    """Ask the running desk and print the ticket as it is now."""
    from roundsman.tickets.shown import show_entries, show_ticket  # noqa: PLC0415 - not for --help

    if args.verb == ENTRIES:
        found: list[EntryNow] = asked(args, lambda client: list(client.entries(args.ticket)))
        _print(args, found, lambda: show_entries(found, asked(args, lambda c: c.ticket(args.ticket)), args.lang))
        return 0
    ticket = asked(args, lambda client: _said(client, args))
    _print(args, [ticket], lambda: show_ticket(ticket, args.lang))
    return 0


def _number(text: str) -> int:
    """Return a ticket's number."""
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no ticket's number")
    return int(text)


def _said(client: TicketsClient, args: argparse.Namespace) -> TicketNow:
    if args.verb is None:
        return client.ticket(args.ticket)
    act = act_of(VERBS[args.verb], args)
    for name in {"level", "seen"} & act.keys():
        act[name] = _level(client, args.ticket, str(act[name]))
    return client.say(args.ticket, act, who(args), side=Side(args.side), key=args.key)


def _level(client: TicketsClient, number: int, said: str) -> int:
    """Return a level by what people call it: its number, or the contract's letter."""
    if said.isascii() and said.isdigit():
        return int(said)
    contract: dict[str, Any] = client.get(f"/contracts/{client.ticket(number).contract}")
    for level, code in contract.get("codes", {}).items():
        if code.casefold() == said.casefold():
            return int(level)
    known = ", ".join(contract.get("codes", {}).values()) or ", ".join(contract.get("levels", {}))
    raise CommandError(f"The contract has no level {said}; it has {known}.")


def _print(args: argparse.Namespace, rows: Iterable[Any], show: Any) -> None:
    if args.json:
        json_lines(rows)
    else:
        show()

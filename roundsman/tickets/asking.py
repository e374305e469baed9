"""The running desk's client for a command, and the arguments that every ticket command has."""

import argparse
import getpass
from collections.abc import Callable
from typing import TypeVar

from connectors.desk import DeskError
from connectors.tickets import TicketsClient
from desk.local import LocalError
from model.service.words import Side
from roundsman.output import CommandError, language
from roundsman.reaching import reach_arguments, reached

T = TypeVar("T")


def common(parser: argparse.ArgumentParser, *, speaking: bool, sides: bool = True, default: bool = True) -> None:
    """Add what every ticket command takes; without `default` only what is given is set."""

    def kept(value: object) -> object:
        return value if default else argparse.SUPPRESS

    reach_arguments(parser, default=default)
    if speaking:
        parser.add_argument("--by", default=kept(""), metavar="NAME", help="who says so (you)")
        parser.add_argument("--key", default=kept(""), help="said again with the same key, it is written down once")
    if speaking and sides:
        both = (str(Side.SERVICE), str(Side.CUSTOMER))
        parser.add_argument("--side", choices=both, default=kept(both[0]), help="for whom (service: who maintains)")
    parser.add_argument("--lang", choices=("en", "zh"), default=kept(language()), help="the language (the terminal's)")
    parser.add_argument("--json", action="store_true", default=kept(False), help="as JSON")


def who(args: argparse.Namespace) -> str:
    """Return who speaks."""
    return args.by or getpass.getuser()


def asked(args: argparse.Namespace, ask: Callable[[TicketsClient], T]) -> T:
    """Return what the running desk answers. Raises CommandError with the desk's sentence."""
    try:
        there = reached(args)
        with TicketsClient(there.url, language=args.lang, token=there.token, verify=there.verify) as client:
            return ask(client)
    except (LocalError, DeskError) as error:
        raise CommandError(str(error)) from error

"""`roundsman walktest`: commissioning of a site; opened, ticked item by item, signed, and its record."""

import argparse
import sys
from collections.abc import Callable
from typing import TypeVar

from connectors.desk import DeskError
from connectors.walktests import WalktestsClient
from desk.local import LocalError
from model.walktest import Result
from model.walktest_protocol import CancelWalk, ExtendWalk, MarkItems, OpenWalk, SignWalk, WalkNow
from roundsman.output import CommandError
from roundsman.periods.asking import common, printed, who
from roundsman.reaching import reached

T = TypeVar("T")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="WHAT", required=True)

    def verb(name: str, purpose: str, *, speaking: bool = True) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=purpose, allow_abbrev=False)
        sub.add_argument("site", nargs="?" if name == "list" else None, default="", help="the site's id")
        if name not in {"list", "open"}:
            sub.add_argument("--number", type=int, default=0, metavar="N", help="which, without its T (the newest)")
        common(sub, speaking=speaking)
        return sub

    verb("list", "every walk-test, or those of a site", speaking=False)
    opening = verb("open", "open a walk-test: alarms are tests until it ends")
    opening.add_argument("--for", dest="end", default="4h", metavar="TIME", help="how long, at most 8h (4h)")
    opening.add_argument("--device", default="", help="this device alone (the whole site)")
    opening.add_argument("--purpose", default="", metavar="TEXT", help="what for")
    verb("show", "one walk-test: each item, what the desk saw, what was said", speaking=False)
    mark = verb("mark", "tick items, or say why not")
    mark.add_argument("items", nargs="+", metavar="ITEM", help="as `show` names them")
    results = [result.value.replace("_", "-") for result in Result]
    mark.add_argument(
        "--result", choices=results, default="passed", help="what it came to; open takes it back (passed)"
    )
    mark.add_argument("--note", default="", help="why, or what a value was compared with")
    extend = verb("extend", "let it end later")
    extend.add_argument("--until", dest="end", required=True, metavar="TIME", help="a time, or from now: 2h")
    extend.add_argument("--reason", default="", help="why")
    sign = verb("sign", "sign it: it is over, and its record stands for ever")
    sign.add_argument("--witness", required=True, metavar="NAME", help="the customer's witness")
    sign.add_argument("--note", default="", help="a remark")
    cancel = verb("cancel", "end it without a signature")
    cancel.add_argument("--reason", required=True, help="why")
    verb("csv", "the record as a table, to standard output", speaking=False)


def run(args: argparse.Namespace) -> int:
    """Ask the running desk and print the walk-test as it is now."""
    from desk.shown import Shown  # noqa: PLC0415 - not for --help
    from desk.walktest_shown import csv_of  # noqa: PLC0415
    from roundsman.periods.walktest_shown import show_walk, show_walks  # noqa: PLC0415

    if args.verb == "list":
        found = _asked(args, lambda client: client.walktests(args.site))
        return printed(args, found.walktests, lambda: show_walks(found, args.lang))
    walk = _asked(args, lambda client: _walk(client, args))
    if args.verb == "csv":
        sys.stdout.buffer.write(csv_of(walk, Shown(args.lang, walk.opened, walk.zone)))
        return 0
    return printed(args, [walk], lambda: show_walk(walk, args.lang, whole=args.verb == "show"))


def _walk(client: WalktestsClient, args: argparse.Namespace) -> WalkNow:
    site, by, key = args.site, who(args) if "by" in args else "", getattr(args, "key", "")
    if args.verb == "open":
        return client.open_walktest(site, OpenWalk(by, args.end, args.device, args.purpose), key=key)
    number = args.number or _newest(client, site)
    if args.verb == "mark":
        said = MarkItems(by, tuple(args.items), Result(args.result.replace("-", "_")), args.note)
        return client.mark(site, number, said, key=key)
    if args.verb == "extend":
        return client.extend_walktest(site, number, ExtendWalk(by, args.end, args.reason), key=key)
    if args.verb == "sign":
        return client.sign(site, number, SignWalk(by, args.witness, args.note), key=key)
    if args.verb == "cancel":
        return client.cancel_walktest(site, number, CancelWalk(by, args.reason), key=key)
    return client.walktest(site, number)


def _newest(client: WalktestsClient, site: str) -> int:
    found = client.walktests(site).walktests
    if not found:
        raise CommandError(f"{site} has no walk-test; open one: roundsman walktest open {site}")
    return found[0].number


def _asked(args: argparse.Namespace, ask: Callable[[WalktestsClient], T]) -> T:
    """Return what the running desk answers. Raises CommandError with the desk's sentence."""
    try:
        there = reached(args)
        with WalktestsClient(there.url, language=args.lang, token=there.token, verify=there.verify) as client:
            return ask(client)
    except (LocalError, DeskError) as error:
        raise CommandError(str(error)) from error

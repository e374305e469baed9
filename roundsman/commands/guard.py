"""`roundsman guard`: guard periods (重要通讯保障): declared with a roster, watched, and ended in a report."""

import argparse

from model.period_protocol import DeclareGuard, EndPeriod, GuardNow, SetRoster
from roundsman.periods.asking import asked, common, printed, where_and_when, who

_DUTY = "NAME; NAME, CONTACT, FROM, TO; or team:NAME of the desk's roster. Say it once for each turn"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="WHAT", required=True)
    common(
        verbs.add_parser("list", help="every guard period: in force, planned, over", allow_abbrev=False),
        speaking=False,
    )
    show = verbs.add_parser("show", help="one guard period with its roster", allow_abbrev=False)
    report = verbs.add_parser("report", help="what a guard period came to, as things stand", allow_abbrev=False)
    declare = verbs.add_parser("declare", help="declare a guard period", allow_abbrev=False)
    declare.add_argument("name", help="what it is for, in words")
    where_and_when(declare)
    roster = verbs.add_parser("roster", help="another roster from now on", allow_abbrev=False)
    end = verbs.add_parser("end", help="end a guard period now", allow_abbrev=False)
    for sub in (show, report, roster, end):
        sub.add_argument("number", type=int, help="the guard period's number, without its G")
    for sub in (declare, roster):
        sub.add_argument("--duty", action="append", required=True, metavar="TURN", help=_DUTY)
    roster.add_argument("--reason", default="", help="why")
    end.add_argument("--reason", required=True, help="why")
    for sub in (show, report):
        common(sub, speaking=False)
    for sub in (declare, roster, end):
        common(sub, speaking=True)


def run(args: argparse.Namespace) -> int:
    """Ask the running desk and print the guard period as it is now."""
    from roundsman.periods.shown import show_guard, show_guards, show_report  # noqa: PLC0415 - not for --help

    if args.verb == "list":
        found = asked(args, lambda client: client.guards())
        return printed(args, found.guards, lambda: show_guards(found, args.lang))
    if args.verb == "report":
        report = asked(args, lambda client: client.report(args.number))
        return printed(args, [report], lambda: show_report(report, args.lang))
    guard = _guard(args)
    return printed(args, [guard], lambda: show_guard(guard, args.lang))


def _guard(args: argparse.Namespace) -> GuardNow:
    if args.verb == "show":
        return asked(args, lambda client: client.guard(args.number))
    by, key = who(args), args.key
    if args.verb == "declare":
        where, duty = " ".join(args.where), "\n".join(args.duty)
        declare = DeclareGuard(by, args.name, where, args.end, duty, args.start, args.zone)
        return asked(args, lambda client: client.declare(declare, key=key))
    if args.verb == "roster":
        roster = SetRoster(by, "\n".join(args.duty), args.reason)
        return asked(args, lambda client: client.roster(args.number, roster, key=key))
    said = EndPeriod(by, args.reason)
    return asked(args, lambda client: client.end_guard(args.number, said, key=key))

"""`roundsman window`: planned work, during which tickets are held back; planned, extended, approved and ended."""

import argparse

from model.period import Work
from model.period_protocol import EndPeriod, ExtendWindow, PlanWindow, WindowNow
from roundsman.periods.asking import asked, common, printed, where_and_when, who

_KINDS = [work.value for work in Work if work is not Work.WALKTEST]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="WHAT", required=True)
    common(verbs.add_parser("list", help="every window: in force, planned, over", allow_abbrev=False), speaking=False)
    show = verbs.add_parser("show", help="one window, with what it holds or held back", allow_abbrev=False)
    plan = verbs.add_parser("plan", help="plan work", allow_abbrev=False)
    plan.add_argument("work", help="what is done, in words")
    where_and_when(plan)
    plan.add_argument("--kind", choices=_KINDS, default=Work.ROUTINE.value, help="(routine)")
    plan.add_argument("--urgent", action="store_true", help="it cannot wait")
    plan.add_argument("--approved-by", default="", metavar="NAME", help="who approved urgent work in a guard period")
    extend = verbs.add_parser("extend", help="let a window end later", allow_abbrev=False)
    end = verbs.add_parser("end", help="end a window now", allow_abbrev=False)
    approve = verbs.add_parser("approve", help="approve urgent work that a guard period freezes", allow_abbrev=False)
    for sub in (show, extend, end, approve):
        sub.add_argument("number", type=int, help="the window's number, without its W")
    extend.add_argument(
        "--until", dest="end", required=True, metavar="TIME", help='"2026-10-01 12:00", or from now: 2h'
    )
    extend.add_argument("--reason", required=True, help="why")
    for sub in (end, approve):
        sub.add_argument("--reason", default="", help="why")
    common(show, speaking=False)
    for sub in (plan, extend, end, approve):
        common(sub, speaking=True)


def run(args: argparse.Namespace) -> int:
    """Ask the running desk and print the window as it is now."""
    from roundsman.periods.shown import show_window, show_windows  # noqa: PLC0415 - not for --help

    if args.verb == "list":
        found = asked(args, lambda client: client.windows())
        return printed(args, found.windows, lambda: show_windows(found, args.lang))
    window = _window(args)
    return printed(args, [window], lambda: show_window(window, args.lang))


def _window(args: argparse.Namespace) -> WindowNow:
    if args.verb == "show":
        return asked(args, lambda client: client.window(args.number))
    by, key = who(args), args.key
    if args.verb == "plan":
        where, kind = " ".join(args.where), Work(args.kind)
        plan = PlanWindow(by, args.work, where, args.end, args.start, kind, args.urgent, args.approved_by, args.zone)
        return asked(args, lambda client: client.plan(plan, key=key))
    if args.verb == "extend":
        longer = ExtendWindow(by, args.end, args.reason)
        return asked(args, lambda client: client.extend(args.number, longer, key=key))
    said = EndPeriod(by, args.reason)
    if args.verb == "approve":
        return asked(args, lambda client: client.approve(args.number, said, key=key))
    return asked(args, lambda client: client.end(args.number, said, key=key))

"""`roundsman tickets`: the desk's tickets, least time left first."""

import argparse

from model.ticket_protocol import TicketLine
from roundsman.output import json_lines, table
from roundsman.tickets.asking import asked, common

_HEAD = {
    "en": "NO|LEVEL|STATE|OPENED|SITE|FAULT|TAKEN BY|DUE|LEFT",
    "zh": "工单|级别|状态|开启|站点|故障|确认人|时限|剩余",
}
_NONE = {
    "en": ("No open tickets.", "No tickets."),
    "zh": ("没有未恢复的工单。", "没有工单。"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--all", action="store_true", help="also resolved and closed ones, newest first")
    parser.add_argument("--site", metavar="SITE", help="of one site")
    parser.add_argument("--fault", metavar="FAULT", help="of one fault")
    parser.add_argument("--level", metavar="LEVEL", help="of one level, such as 1 or A")
    for name, says in (("late", "with a limit that was not kept"), ("paused", "whose clocks are paused"),
                       ("waits-for-word", "that wait for somebody's word")):  # fmt: skip
        parser.add_argument(f"--{name}", action="store_true", help=says)
    common(parser, speaking=False)


def run(args: argparse.Namespace) -> int:
    """Ask the running desk and print."""
    filters: dict[str, str | int] = {
        name: getattr(args, name) for name in ("site", "fault") if getattr(args, name) is not None
    }
    called = args.level or ""
    if called.isascii() and called.isdigit():
        filters["level"], called = called, ""
    filters |= {name: "yes" for name in ("late", "paused", "waits_for_word") if getattr(args, name)}
    if args.all:
        rows = asked(args, lambda client: list(client.every(state="all", **filters)))
    else:
        rows = asked(args, lambda client: list(client.page(limit=50_000, **filters).tickets))
    rows = [row for row in rows if called.casefold() in {"", row.level_code.casefold()}]
    if args.json:
        json_lines(rows)
    else:
        _print(rows, args)
    return 0


def _print(rows: list[TicketLine], args: argparse.Namespace) -> None:
    from desk.shown import Shown  # noqa: PLC0415 - not for --help
    from roundsman.tickets.shown import limit_title  # noqa: PLC0415 - not for --help

    def line(row: TicketLine) -> tuple[str, ...]:
        now = (row.due or 0.0) - (row.left or 0.0)
        shown = Shown(args.lang, now)
        due, left = "-", "-"
        if row.due is not None and row.left is not None:
            due = f"{limit_title(row.due_clock.partition('/')[0], shown)} {shown.time(row.due)}"
            left = ("" if row.left >= 0 else "-") + shown.span(row.left)
        return (
            str(row.number),
            row.level_code + ("?" if row.provisional else ""),
            shown.say(f"state.{row.state}"),
            shown.moment(row.opened)[5:],
            row.site,
            shown.title(row.case_title) or shown.title(row.title, row.fault),
            row.acknowledged_by or "-",
            due,
            left,
        )

    table(_HEAD[args.lang].split("|"), map(line, rows), empty=_NONE[args.lang][args.all])

"""`roundsman trend`: the history of a point, as the running agent keeps it at this site."""

import argparse
import csv
import datetime as dt
import sys
import time

import msgspec

from config.scalars import seconds as duration
from model.trend import MOST, HistoryReport
from roundsman.asking import ask_agent, site_argument
from roundsman.output import CommandError, json_lines, table, value_text
from roundsman.words import say

LINES = 60  # of the table, unless `--most` says more


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("point", nargs="?", default="", help="DEVICE/POINT, or a part that fits only one (none: list)")
    parser.add_argument("--since", default="6h", metavar="TIME", help="how far back: 1h, 7d, 365d (default 6h)")
    parser.add_argument("--until", default="0s", metavar="TIME", help="up to how long ago (default 0s: now)")
    parser.add_argument("--most", type=int, metavar="N", help=f"samples at most, to {MOST}; more are averaged")
    parser.add_argument("--csv", action="store_true", help="as CSV: time, value, lowest, highest, unit, quality")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    site_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Print a point's history, oldest first."""
    if not args.point:
        points = ask_agent(args, "points")
        table((say("POINT"),), [(each,) for each in points], empty=say("No history yet."))
        return 0
    try:
        since, until = duration(args.since), duration(args.until)
    except ValueError as error:
        raise CommandError(str(error)) from error
    now = time.time()
    most = args.most or (MOST if args.csv or args.json else LINES)
    asked = {"point": args.point, "start": now - since, "end": now - until, "most": most}
    report = msgspec.convert(ask_agent(args, "history", **asked), HistoryReport)
    if report.said:
        raise CommandError(report.said)
    rows = list(map(_row, [report] * len(report.times), range(len(report.times))))
    if args.json:
        json_lines(rows)
    elif args.csv:
        lines = csv.writer(sys.stdout)
        lines.writerow(("time", "value", "low", "high", "unit", "quality"))
        lines.writerows(["" if cell is None else cell for cell in row.values()] for row in rows)
    else:
        _table(report, rows)
    return 0


def _row(report: HistoryReport, at: int) -> dict[str, object]:
    when = dt.datetime.fromtimestamp(report.times[at], dt.UTC).astimezone().isoformat(timespec="milliseconds")
    if report.words:
        value: object = " / ".join(report.words[at]) or None
    else:
        value = report.means[at]
    quality = "missing" if value is None else "uncertain" if at in report.uncertain else "good"
    low, high = (each[at] if each else None for each in (report.lows, report.highs))
    return {"time": when, "value": value, "low": low, "high": high, "unit": report.unit, "quality": quality}


def _table(report: HistoryReport, rows: list[dict[str, object]]) -> None:
    def text(value: object) -> str:
        if isinstance(value, str):
            return value
        return value_text(value, report.unit) if isinstance(value, float | int) else "-"

    print(f"{report.device}/{report.point}" + (f" · {say('averages of')} {report.step:g} s" if report.step else ""))
    heads = ("TIME", "VALUE", "LOWEST", "HIGHEST") if report.step and not report.words else ("TIME", "VALUE")
    names = ("value", "low", "high")[: len(heads) - 1]
    lines = [(str(row["time"])[:19].replace("T", " "), *(text(row[name]) for name in names)) for row in rows]
    table(tuple(map(say, heads)), lines, empty=say("No history of it in this time."))

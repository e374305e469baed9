"""A guard period's report as CSV (RFC 4180): a line a ticket, in the reader's language, for a spreadsheet.

It begins with a byte order mark, by which spreadsheets know UTF-8. Text that a spreadsheet would take for a formula
gets an apostrophe before it: names come from devices and from people.
"""

import csv
import io

from desk.shown import Shown, clean
from model.period_protocol import GuardReport, ReportTicket

COLUMNS = ("ticket", "level", "state", "site", "device", "fault", "onset", "opened", "on_duty", "taken_by", "responded",
           "restored", "closed", "late", "before")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(found: GuardReport, shown: Shown) -> bytes:
    """Return the report's tickets as CSV."""
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    lines.writerow([shown.say(f"report.{column}") for column in COLUMNS])
    for ticket in found.tickets:
        lines.writerow([plain(cell) for cell in _line(ticket, shown)])
    return out.getvalue().encode("utf-8-sig")


def plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _line(ticket: ReportTicket, shown: Shown) -> tuple[str, ...]:
    def time(at: float | None) -> str:
        return "" if at is None else shown.moment(at)

    return (
        str(ticket.number),
        str(ticket.level),
        shown.say(f"state.{ticket.state}"),
        clean(f"{ticket.site_name} ({ticket.site})"),
        clean(ticket.device_name or ticket.device),
        clean(shown.title(ticket.title, ticket.fault)),
        time(ticket.onset),
        time(ticket.opened),
        clean(", ".join(ticket.on_duty)),
        clean(ticket.taken_by),
        time(ticket.responded),
        time(ticket.restored),
        time(ticket.closed),
        str(ticket.late),
        shown.say("yes_short") if ticket.before else "",
    )

"""Lists of tickets for programs: filters, the order, and the next page."""

from collections.abc import Mapping

from desk.api_view import SELECT, line
from desk.ledger import Ledger
from desk.moments import MomentError, moment
from desk.operation import Query
from desk.store import Value, every, sites
from desk.web import ProblemError
from model.ticket import TicketState
from model.ticket_protocol import TicketLine, TicketList

MOST = 50_000
ALL = 2**62
STATES = ("open", "resolved", "closed", "all")
_YES = {"yes": 1, "no": 0}
_SAME = {name: f"t.{name} = ?" for name in ("site", "device", "fault", "condition")}
_LIMIT = "due_before"  # `18:00` is the next, of the others the last
_TIMES = {
    _LIMIT: "t.due < ?",
    "opened_from": "t.opened >= ?",
    "opened_before": "t.opened < ?",
    "closed_from": "t.closed >= ?",
    "closed_before": "t.closed < ?",
}
_FLAGS = {
    "late": ("t.late = 0", "t.late > 0"),
    "paused": ("t.paused = 0", "t.paused = 1"),
    "taken": ("t.acknowledged IS NULL", "t.acknowledged IS NOT NULL"),
    "waits_for_word": ("t.waits_for_word = 0", "t.waits_for_word = 1"),
}
QUERY = (
    Query("state", "tickets in this state", STATES, "open"),
    Query("site", "of this site"),
    Query("device", "of this device"),
    Query("fault", "of this fault"),
    Query("condition", "of this condition"),
    Query("level", "of this level", "integer"),
    Query("late", "with a limit that was not kept, or without", ("yes", "no")),
    Query("paused", "whose clocks are paused, or run", ("yes", "no")),
    Query("taken", "that somebody has taken, or nobody", ("yes", "no")),
    Query("waits_for_word", "in which a milestone waits for somebody's word", ("yes", "no")),
    Query("due_before", "whose soonest limit is before this time (`18:00`: the next)"),
    Query("opened_from", "opened at this time or later"),
    Query("opened_before", "opened before this time"),
    Query("closed_from", "closed at this time or later"),
    Query("closed_before", "closed before this time"),
    Query("order", "least time left first (of open ones the worst are kept), or the newest first", ("left", "number"),
          "left"),
    Query("before", "with a lower number than this, newest first: the next page", "integer"),
    Query("limit", f"at most so many, up to {MOST}", "integer", 500),
)  # fmt: skip


def wanted(asked: Mapping[str, str], zone: str, now: float) -> tuple[str, list[Value], bool, int]:
    """Return the query that a list asks for, its values, whether it goes by number, and how many at most.

    Raises a ProblemError, `malformed`, for a word that is not in QUERY or a value that it cannot have.
    """
    unknown = sorted(set(asked) - {query.name for query in QUERY})
    if unknown:
        raise malformed(f"There is no filter {unknown[0][:40]}: {', '.join(query.name for query in QUERY)}.")
    state = one_of("state", asked.get("state", "open"), STATES)
    by_number = one_of("order", asked.get("order", "left"), ("left", "number")) == "number" or "before" in asked
    terms: list[tuple[str, Value]] = [] if state == "all" else [("t.state = ?", state)]
    terms += [(term, asked[name]) for name, term in _SAME.items() if name in asked]
    terms += [("t.level = ?", whole(asked, "level", 9999))] if "level" in asked else []
    terms += [("t.number < ?", whole(asked, "before", 2**63 - 1))] if "before" in asked else []
    terms += [
        (term, _time(asked[name], zone, now, ahead=name == _LIMIT)) for name, term in _TIMES.items() if name in asked
    ]
    flags = [pair[_YES[one_of(name, asked[name], ("yes", "no"))]] for name, pair in _FLAGS.items() if name in asked]
    where = " AND ".join([*(term for term, _ in terms), *flags])
    order = "t.level, t.opened" if state == TicketState.OPEN and not by_number else "t.number DESC"
    sql = f"{SELECT}{' WHERE ' if where else ''}{where} ORDER BY {order} LIMIT ?"
    limit = whole(asked, "limit", MOST, 500, least=1)
    return sql, [value for _, value in terms], by_number, limit


def listed(
    ledger: Ledger, asked: Mapping[str, str], zone: str, incarnation: str, *, own: frozenset[str] | None = None
) -> TicketList:
    """Return the tickets that are asked for, `own`: of these sites alone."""
    sql, values, by_number, limit = wanted(asked, zone, ledger.now)
    rows = every(ledger.db, sql, *values, limit + 1 if own is None else ALL)
    if own is not None:
        rows = [row for row in rows if row["site"] in own]
    known = {site.id: site for site in sites(ledger.db)}
    lines = [line(ledger, row, known) for row in rows[:limit]]
    more = len(rows) > limit
    if not by_number:
        return TicketList(ledger.now, incarnation, tuple(sorted(lines, key=_urgency)), more=more)
    return TicketList(ledger.now, incarnation, tuple(lines), lines[-1].number if more else None, more)


def whole(asked: Mapping[str, str], name: str, most: int, default: int = 0, *, least: int = 0) -> int:
    """Return a whole number of a query, `least` to `most`."""
    text = asked.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise malformed(f"{name} is a whole number from {least} to {most}.")
    return int(text)


def one_of(name: str, value: str, words: tuple[str, ...]) -> str:
    """Return a word of a query that is one of some."""
    if value not in words:
        raise malformed(f"{name} is one of {', '.join(words)}." if words else f"There is no {name} here: leave it out.")
    return value


def malformed(message: str) -> ProblemError:
    """Return the problem of a request that cannot be read."""
    return ProblemError(400, "malformed", message)


def _time(text: str, zone: str, now: float, *, ahead: bool) -> float:
    try:
        return moment(text, zone, now, ahead=ahead)
    except MomentError as error:
        raise malformed(str(error)) from error


def _urgency(each: TicketLine) -> tuple[float, int, float]:
    return float("inf") if each.left is None else each.left, each.level, each.opened

"""Working time the slow way: each minute's wall clock asked of `datetime`. No rule of `model` is used.

Hours, offsets and moments must be whole minutes.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from model.calendar import Calendar, Day, Kind

MINUTE = 60


def day_of(calendar: Calendar, day: date) -> Day:
    return calendar.days.get(day, calendar.week[day.weekday()])


def works(calendar: Calendar, moment: int) -> bool:
    """Tell whether the wall clock shows working hours, of its day or of the night before."""
    shown = datetime.fromtimestamp(moment, ZoneInfo(calendar.zone))
    second = shown.hour * 3600 + shown.minute * 60
    today = day_of(calendar, shown.date()).hours
    night = day_of(calendar, shown.date() - timedelta(days=1)).hours
    return any(a <= second < b for a, b in today) or any(a <= second + 86_400 < b for a, b in night)


def paused(moment: int, pauses: Sequence[tuple[float, float | None, str]]) -> bool:
    return any(a <= moment and (b is None or moment < b) for a, b, _ in pauses)


def minutes(
    calendar: Calendar, start: int, end: int, pauses: Sequence[tuple[float, float | None, str]] = ()
) -> Iterator[int]:
    """Give the minutes of [start, end) that count."""
    for moment in range(start, end, MINUTE):
        if works(calendar, moment) and not paused(moment, pauses):
            yield moment


def spent_seconds(
    calendar: Calendar, start: int, end: int, pauses: Sequence[tuple[float, float | None, str]] = ()
) -> int:
    return MINUTE * sum(1 for _ in minutes(calendar, start, end, pauses))


def due_after(
    calendar: Calendar,
    start: int,
    seconds: int,
    pauses: Sequence[tuple[float, float | None, str]] = (),
    horizon: int = 10 * 86_400,
) -> int | None:
    """Return the end of the last of so many counted minutes; None when there are fewer before the horizon."""
    left = seconds
    if left == 0:
        return start
    for moment in minutes(calendar, start, start + horizon, pauses):
        left -= MINUTE
        if left == 0:
            return moment + MINUTE
    return None


def date_shown(calendar: Calendar, moment: int) -> date:
    return datetime.fromtimestamp(moment, ZoneInfo(calendar.zone)).date()


def end_of(calendar: Calendar, day: date) -> int:
    """Return the minute after the last one that shows this date or an earlier one."""
    near = int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")).timestamp())
    shown = [m for m in range(near - 86_400, near + 3 * 86_400, MINUTE) if date_shown(calendar, m) <= day]
    return shown[-1] + MINUTE


def is_working(calendar: Calendar, day: date) -> bool:
    return day_of(calendar, day).kind is Kind.WORKING

"""A time as a person says it: Unix seconds, ISO 8601, or `14:05`; without an offset it is the site's own time."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FIRST, _LAST = 31_536_000, 221_876_928_000  # Unix seconds: 1971 to 9000; none is a clock's 1405, or milliseconds
_UNIX = re.compile(r"\d{9,12}(?:\.\d{1,9})?", re.ASCII)  # 20260930 is a day
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)(?:[:：]([0-5]\d))?")
_TO_THE_MINUTE = re.compile(r".*?(?:^|[T ])\d?\d[:：]\d\d(?:Z|[+-]\d\d:?\d\d)?")


AHEAD = 60.0  # seconds that the clock of who speaks may be ahead of the desk's


class MomentError(ValueError):
    """This is no time, or none that came in that zone; the text says what would be one."""


def moment(said: float | str, zone: str, now: float, since: float = 0.0, *, ahead: bool = False) -> float:
    """Return a time that somebody said as Unix seconds.

    `14:05` is the last time that the clocks of `zone` ("" the desk host's) showed that, `now` at the latest; with
    `ahead`, for a limit, the next one after `now`. A time said to the minute in the minute of `since` (the ticket's
    opening) is `since`. Raises MomentError.
    """
    text = said.strip() if isinstance(said, str) else ""
    if isinstance(said, int | float) or _UNIX.fullmatch(text):
        if not _FIRST <= float(said) <= _LAST:
            raise MomentError("A time is Unix seconds, such as 1790000000.")
        return float(said)
    shown = _CLOCK.fullmatch(text)
    exact = _iso(text, zone) if shown is None else _clock(shown, zone, now, ahead=ahead)
    return since if _TO_THE_MINUTE.fullmatch(text) and exact < since < exact + 60 else exact


def happened(said: float | str, zone: str, now: float, since: float = 0.0) -> float:
    """Return when something happened, as somebody said it: as `moment`, and a little ahead of `now` is `now`."""
    found = moment(said, zone, now + AHEAD, since)
    return now if now < found <= now + AHEAD else found


def _clock(shown: re.Match[str], zone: str, now: float, *, ahead: bool) -> float:
    hour, minute, second = (int(part or 0) for part in shown.groups())
    today = datetime.fromtimestamp(now, _zone(zone))
    for days in range(3):
        day = today.date() + timedelta(days=days if ahead else -days)
        local = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=_zone(zone))
        for fold in (0, 1) if ahead else (1, 0):
            found = local.replace(fold=fold).timestamp()
            if (found > now if ahead else found <= now) and _shows(found, zone, local):
                return found
    raise MomentError(f"{shown[0]} does not come in these days: give the date too.")


def _iso(text: str, zone: str) -> float:
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise MomentError(f'"{text[:40]}" is no time: write 14:05, 2026-09-30T14:05, or Unix seconds.') from None
    if not 1971 <= local.year <= 9000:
        raise MomentError("This time is too far away.")
    if local.tzinfo is not None:
        return local.timestamp()
    found = local.replace(tzinfo=_zone(zone)).timestamp()
    if not _shows(found, zone, local):
        raise MomentError(f"{text} does not come there: the clocks are put forward over it.")
    return found


def _shows(moment_: float, zone: str, local: datetime) -> bool:
    """Say whether the clocks of a zone show that at a moment."""
    return datetime.fromtimestamp(moment_, _zone(zone)).replace(tzinfo=None) == local.replace(tzinfo=None, fold=0)


def _zone(name: str) -> ZoneInfo | None:
    """Return a zone, None for the host's own."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None

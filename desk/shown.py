"""How things are written on a page: times, spans, values with their unit, evidence; and nothing hostile among them."""

import datetime as dt
import unicodedata
import zoneinfo

from desk.sheet import ClockLine
from desk.view import Due, TicketView
from desk.words import say, say_measure, say_state
from model.protocol import ReadingRow
from model.rule import Evidence

MARKS = {1: "◆", 2: "▲", 3: "●", 4: "■"}  # a shape beside each colour
_LONGEST = 300
_SOON = 60 * 86_400.0  # seconds around a new year in which a day alone says which
_HARMFUL = frozenset({"Cc", "Cf", "Cs"})


def clean(text: str) -> str:
    """Make a device's text harmless to read: no control characters, no changes of direction, no endless lines."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _HARMFUL else c for c in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def whole(text: str) -> str:
    """Make what a person wrote harmless to read, and leave it as long as it is; lines stay lines."""
    return "\n".join(
        "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _HARMFUL else c for c in line)
        for line in text.splitlines()
    )


def number(value: float) -> str:
    """Return a number with as many decimals as it needs, at most four figures after a zero."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Shown:
    """Writes for one reader: language, time zone, and what time it is now (Unix seconds)."""

    def __init__(self, lang: str, now: float, zone: str = "") -> None:
        self.lang = lang
        self.now = now
        self.zone = _zone(zone)

    def say(self, key: str, **parts: object) -> str:
        """Return a word of the catalogue."""
        return say(self.lang, key, **parts)

    def at(self, zone: str) -> "Shown":
        """Return the same in a site's own time zone."""
        return Shown(self.lang, self.now, zone) if zone else self

    def title(self, titles: dict[str, str], otherwise: str = "") -> str:
        """Return a title in the reader's language, else in English, else what it is called."""
        return titles.get(self.lang) or titles.get("en") or otherwise

    def headline(self, view: TicketView) -> str:
        """Return what a ticket is about: its case, else its fault."""
        return self.title(view.case_title) or self.title(view.title, view.fault)

    def time(self, at: float) -> str:
        """Return a time: the hour today, with the day otherwise, and with the year of another year's."""
        when, today = self._local(at), self._local(self.now)
        clock = f"{when:%H:%M}"
        if when.date() == today.date():
            return clock
        other = when.year != today.year and abs(at - self.now) > _SOON
        if self.lang == "zh":
            return f"{f'{when.year}年' if other else ''}{when.month}月{when.day}日 {clock}"
        return f"{when.day} {when:%b}{f' {when.year}' if other else ''} {clock}"

    def moment(self, at: float) -> str:
        """Return a time to the second, with its day."""
        return f"{self._local(at):%Y-%m-%d %H:%M:%S}"

    def minute(self, at: float) -> str:
        """Return a time as a form's field takes it, to the minute."""
        return f"{self._local(at):%Y-%m-%dT%H:%M}"

    def date(self, at: float) -> str:
        """Return a day with its weekday."""
        when = self._local(at)
        return (
            f"{when.month}月{when.day}日 周{'一二三四五六日'[when.weekday()]}"
            if self.lang == "zh"
            else f"{when:%a} {when.day} {when:%b}"
        )

    def hour(self, at: float) -> str:
        """Return the time of day."""
        return f"{self._local(at):%H:%M}"

    def offset(self) -> dt.timedelta | None:
        """Return how far ahead of UTC the reader's clock is now."""
        return self._local(self.now).utcoffset()

    def iso(self, at: float) -> str:
        """Return a time for programs."""
        return self._local(at).isoformat(timespec="seconds")

    def span(self, seconds: float) -> str:
        """Return how long: the two largest units that matter."""
        whole = int(abs(seconds))
        days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
        zh = self.lang == "zh"
        if days:
            return f"{days}天{hours}小时" if zh else f"{days} d {hours} h"
        if hours:
            return f"{hours}小时{minutes:02}分" if zh else f"{hours} h {minutes:02} min"
        if minutes:
            return f"{minutes}分钟" if zh else f"{minutes} min"
        return f"{whole}秒" if zh else f"{whole} s"

    def left(self, due: Due | None) -> str:
        """Return the next clock in words."""
        if due is None:
            return self.say("no_limit")
        key = "left" if due.left >= 0 else "over"
        return self.say(key, span=self.span(due.left), milestone=self.say(f"milestone.{due.milestone}"))

    def pressing(self, line: ClockLine) -> str:
        """Return the clock that presses most, in words."""
        left, milestone = line.left or 0.0, self.say(f"milestone.{line.outcome.milestone}")
        return self.say("left" if left >= 0 else "over", span=self.span(left), milestone=milestone)

    def signed(self, value: float) -> str:
        """Return points with their sign."""
        return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"

    def value(self, value: float | str | None, unit: str, quantity: str = "") -> str:
        """Return a value with its unit; absent is a dash, never zero."""
        if value is None:
            return "–"
        if isinstance(value, str):
            return say_state(self.lang, value, quantity)
        if unit == "s" and abs(value) >= 60:
            return self.span(value)
        if unit == "B":
            return _bytes(value)
        return f"{number(value)} {unit}".strip()

    def evidence(self, proof: Evidence) -> str:
        """Return what proves a case, as one clause."""
        if proof.count is not None:
            subject = proof.quantity.partition(".")[0]
            return self.say(
                "of_installed",
                count=proof.count,
                installed=proof.installed or "?",
                subject=self.say(f"subject.{subject}"),
                state=say_state(self.lang, proof.label),
            )
        text = proof.label
        if proof.value is not None:
            text += ("：" if self.lang == "zh" else ": ") + self.value(proof.value, proof.unit, proof.quantity)
        if proof.limit is not None and proof.limit != proof.value:
            text += f" ({self.say('limit', limit=self.value(proof.limit, proof.unit))})"
        return text

    def reading(self, row: ReadingRow) -> str:
        """Return a reading's value with its unit."""
        return self.value(row.value, row.unit, row.quantity)

    def label(self, row: ReadingRow, among: tuple[ReadingRow, ...]) -> str:
        """Return what a reading is called; with what it measures where another one is called the same."""
        name = row.label or row.point
        alike = [each for each in among if (each.label or each.point) == name]
        if len(alike) < 2:
            return name
        measure = say_measure(self.lang, row.quantity)
        if len([each for each in alike if each.quantity == row.quantity]) > 1:
            return f"{name} · {row.point}"
        return f"{name} · {measure}" if measure else name

    def _local(self, at: float) -> dt.datetime:
        try:
            return dt.datetime.fromtimestamp(at, self.zone or dt.UTC).astimezone(self.zone)
        except (OverflowError, ValueError, OSError):
            return dt.datetime.fromtimestamp(0, dt.UTC)  # a site's clock may say anything


def _zone(name: str) -> dt.tzinfo | None:
    """Return a time zone; None, which is the desk host's own, for "" and for a zone this host does not have."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


def _bytes(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{number(value)} {unit}"
        value /= 1024
    return f"{number(value)} TiB"

"""Who is on duty: people, teams, shifts, substitutes, quiet hours. Pure: a moment is an argument, in Unix seconds.

Theory. A team has shifts; a shift is hours of a day, on days that fit it, done by people together or by turns. A shift
belongs to the day that it begins on, so that the night of New Year's Eve is the Eve's. Everyone whose shift fits is on
duty: what is meant for holidays alone says so, and what is not meant for them too. A substitute takes every duty of
somebody from a moment up to another, half open; of two for the same time the later said rules, and who stands in may
have a substitute of their own. Hours are the wall clock's, as in `model.calendar`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise

import msgspec

from model import zone as wall
from model.calendar import Calendar, Hours, Kind
from model.zone import DAY

LEVEL_OF_NO_REST = 1  # quiet hours do not hold for it
MOST_STRETCHES = 8  # of quiet hours, one after another without a pause: quiet all day is quiet for days only


class Way(StrEnum):
    """How a person is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Channel(msgspec.Struct, frozen=True, order=True):
    """A way to a person: an address of mail, or the name of a webhook."""

    way: Way
    to: str

    def __str__(self) -> str:
        return f"{self.way}:{self.to}"


class Person(msgspec.Struct, frozen=True):
    """Somebody who is told; `quiet` are their own quiet hours, None the roster's."""

    id: str
    name: str
    language: str
    channels: tuple[Channel, ...]
    quiet: tuple[Hours, ...] | None = None


class Turn(StrEnum):
    """How the people of a shift take it: all of them each time, or one a day or a week."""

    TOGETHER = "together"
    DAY = "day"
    WEEK = "week"


class Shift(msgspec.Struct, frozen=True):
    """Hours of duty. `weekdays` (Monday 0) and `kinds` of days it is for, none for all; `first` to `last` its dates.

    By turns, the first of `who` has the day or the seven days that begin with `first`.
    """

    who: tuple[str, ...]
    hours: tuple[Hours, ...]
    weekdays: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ()
    first: date | None = None
    last: date | None = None
    turn: Turn = Turn.TOGETHER

    def fits(self, day: int, kind: Kind) -> bool:
        """Say whether the shift is done on a day, counted from 1970-01-01."""
        on = wall.date_of(day).date()
        return (
            (not self.weekdays or on.weekday() in self.weekdays)
            and (not self.kinds or kind in self.kinds)
            and (self.first is None or self.first <= on)
            and (self.last is None or on <= self.last)
        )

    def people(self, day: int) -> tuple[str, ...]:
        """Return who does it on a day that fits."""
        if self.turn is Turn.TOGETHER or self.first is None:
            return self.who
        since = day - wall.day_number(self.first.year, self.first.month, self.first.day)
        return (self.who[(since // (7 if self.turn is Turn.WEEK else 1)) % len(self.who)],)


class Team(msgspec.Struct, frozen=True):
    """People who share a duty. `always` says that somebody must be on duty at every moment."""

    title: dict[str, str]
    shifts: tuple[Shift, ...]
    always: bool = True


class Rule(msgspec.Struct, frozen=True):
    """Who is told of tickets of these levels: `tell` in order, the next when nobody before could be reached.

    With `next_after` (seconds) also when nobody took the ticket so long after the one before was told. `warn` and
    `breach` are for those occasions; empty: as `tell`. Each name is a role, a team or a person. With `over` whoever was
    told of a ticket hears when it is open no more.
    """

    levels: tuple[int, ...]
    tell: tuple[str, ...]
    next_after: float | None = None
    warn: tuple[str, ...] = ()
    breach: tuple[str, ...] = ()
    over: bool = True


class Roster(msgspec.Struct, frozen=True):
    """Everybody, and who is told of what. `calendar` has the zone, and says which days are holidays.

    `roles` are names that contracts use, each for teams and people. `apart` is the least time in seconds between two
    messages to one person by one channel. `digest` names the content.
    """

    calendar: Calendar
    people: dict[str, Person]
    teams: dict[str, Team]
    policy: tuple[Rule, ...]
    roles: dict[str, tuple[str, ...]] = {}
    quiet: tuple[Hours, ...] = ()
    apart: float = 30.0
    digest: str = ""

    def rule(self, level: int) -> Rule | None:
        """Return who is told of a level: the first rule that names it."""
        return next((rule for rule in self.policy if level in rule.levels), None)


class Swap(msgspec.Struct, frozen=True):
    """`stand_in` has every duty of `absent` in [start, end)."""

    absent: str
    stand_in: str
    start: float
    end: float


class Duty(msgspec.Struct, frozen=True, order=True):
    """Somebody is on duty in [start, end); `instead_of` whose shift it is, "" their own."""

    start: float
    end: float
    person: str
    instead_of: str = ""


def duties(roster: Roster, team: str, start: float, end: float, swaps: Sequence[Swap] = ()) -> tuple[Duty, ...]:
    """Return who of a team is on duty within [start, end), by time, cut at its ends; swaps later said come later."""
    found: list[Duty] = []
    for shift in roster.teams[team].shifts:
        for begun, over, day in _spans(roster, shift, start, end):
            for person in shift.people(day):
                found += _swapped(Duty(max(begun, start), min(over, end), person), swaps)
    return tuple(_joined(found))


def on_duty(roster: Roster, team: str, at: float, swaps: Sequence[Swap] = ()) -> tuple[str, ...]:
    """Return who of a team is on duty at a moment, each once, in the order of the file."""
    return tuple(dict.fromkeys(duty.person for duty in _at(roster, team, at, swaps)))


def people(roster: Roster, name: str, at: float, swaps: Sequence[Swap] = ()) -> tuple[str, ...]:
    """Return whom a role, a team or a person means at a moment; nobody for a name that is none of these."""
    if name in roster.roles:
        found = [person for each in roster.roles[name] for person in _meant(roster, each, at, swaps)]
        return tuple(dict.fromkeys(found))
    return _meant(roster, name, at, swaps)


def gaps(
    roster: Roster, team: str, start: float, end: float, swaps: Sequence[Swap] = ()
) -> tuple[tuple[float, float], ...]:
    """Return the times within [start, end) at which nobody of a team is on duty."""
    found: list[tuple[float, float]] = []
    covered = start
    for duty in sorted(duties(roster, team, start, end, swaps)):
        if duty.start > covered:
            found.append((covered, duty.start))
        covered = max(covered, duty.end)
    return (*found, (covered, end)) if covered < end else tuple(found)


def quiet_until(roster: Roster, person: str, at: float, level: int) -> float | None:
    """Return when the quiet hours end that hold for a person at a moment; None when they may be told now."""
    who = roster.people.get(person)
    hours = roster.quiet if who is None or who.quiet is None else who.quiet
    if level == LEVEL_OF_NO_REST or not hours:
        return None
    every_day, end = Shift((), hours), at
    for _ in range(MOST_STRETCHES):  # of hours that touch: to midnight, and from midnight on
        ends = [over for begun, over, _ in _spans(roster, every_day, end, end + 1) if begun <= end < over]
        if not ends:
            break
        end = max(ends)
    return end if end > at else None


def _meant(roster: Roster, name: str, at: float, swaps: Sequence[Swap]) -> tuple[str, ...]:
    if name in roster.teams:
        return on_duty(roster, name, at, swaps)
    return tuple(duty.person for duty in _swapped(Duty(at, at + 1, name), swaps)[:1]) if name in roster.people else ()


def _at(roster: Roster, team: str, at: float, swaps: Sequence[Swap]) -> Iterator[Duty]:
    for shift in roster.teams[team].shifts:
        for begun, over, day in _spans(roster, shift, at, at + 1):
            if begun <= at < over:
                for person in shift.people(day):
                    yield _swapped(Duty(at, at + 1, person), swaps)[0]


def _spans(roster: Roster, shift: Shift, start: float, end: float) -> Iterator[tuple[float, float, int]]:
    """Give the spans of a shift that touch [start, end), whole, each with the day that it begins on."""
    zone = roster.calendar.zone
    first, last = roster.calendar.day_at(int(start)) - 1, roster.calendar.day_at(int(end)) + 1
    pieces = wall.stretches(zone, first * DAY, (last + 2) * DAY)
    for day in range(first, last + 1):
        if not shift.fits(day, roster.calendar.on(day).kind):
            continue
        for opens, closes in shift.hours:
            for piece in pieces:
                begun = max(day * DAY + opens - piece.offset, piece.start)
                over = min(day * DAY + closes - piece.offset, piece.end)
                if begun < over and begun < end and start < over:
                    yield float(begun), float(over), day


def _swapped(duty: Duty, swaps: Sequence[Swap]) -> list[Duty]:
    """Cut a duty where substitutes begin and end, each piece with who really has it."""
    edges = {edge for swap in swaps for edge in (swap.start, swap.end) if duty.start < edge < duty.end}
    cuts = [duty.start, *sorted(edges), duty.end]
    found = []
    for start, end in pairwise(cuts):
        person = _really(duty.person, start, swaps)
        found.append(Duty(start, end, person, "" if person == duty.person else duty.person))
    return found


def _really(person: str, at: float, swaps: Sequence[Swap]) -> str:
    seen = {person}
    while True:
        standing = [swap.stand_in for swap in swaps if swap.absent == person and swap.start <= at < swap.end]
        if not standing or standing[-1] in seen:
            return person
        person = standing[-1]
        seen.add(person)


def _joined(found: list[Duty]) -> list[Duty]:
    """Join what touches: a shift on both sides of a midnight or of a change of the clock is one duty."""
    joined: list[Duty] = []
    for duty in sorted(found, key=lambda each: (each.person, each.instead_of, each.start)):
        last = joined[-1] if joined else None
        if last and (last.person, last.instead_of) == (duty.person, duty.instead_of) and duty.start <= last.end:
            joined[-1] = msgspec.structs.replace(last, end=max(last.end, duty.end))
        else:
            joined.append(duty)
    return sorted(joined)

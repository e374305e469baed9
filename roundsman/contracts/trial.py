"""`roundsman contract test`: a contract's clocks for one case, each with its limit in words and when it is due."""

import argparse
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.advice import either, nearest, show
from config.calendar import load_calendar
from config.fault_rules import load_faults
from model.contract import Blank, Contract, Handling, Milestone, OpenPoint, Start, Text
from model.contract_words import EVENTS, HANDLINGS, MILESTONES, after_words, duty_words, limit_words, span_words
from model.due import Pause, unpublished_warning
from model.level import Assignment, assign
from model.limits import Due, DutyDue, Situation, blanks_for, dues, duty_dues, unsaid
from roundsman.contracts.shelf import named
from roundsman.output import CommandError, json_lines, table

_SAID: dict[str, Text] = {
    "head": {"en": "MILESTONE|WITHIN|FROM|DUE|OPEN", "zh": "节点|期限|起点|到期|未定"},
    "begins": {"en": "Begins", "zh": "起始"},
    "assumed": {"en": "at its latest", "zh": "按最迟"},
    "fill": {"en": "a site fills it in", "zh": "由使用方填写"},
    "agreed": {"en": "agreed case by case", "zh": "逐案商定"},
    "not yet": {"en": "does not run yet", "zh": "尚未计时"},
    "paused": {"en": "paused", "zh": "暂停中"},
    "provisional": {"en": "provisional", "zh": "暂定"},
    "guarded": {"en": "opened in a guard period: {share} of each limit", "zh": "保障期内开单：时限取{share}"},
    "none": {"en": "No clock runs.", "zh": "没有计时。"},
}
_DAYS: Text = {"en": "Mon Tue Wed Thu Fri Sat Sun", "zh": "周一 周二 周三 周四 周五 周六 周日"}


def tried(args: argparse.Namespace) -> int:
    """Print what is due when."""
    contract = named(args.name)
    zone = _zone(args.timezone)
    assignment = _level(contract, args.level, args.fault)
    situation = _situation(contract, assignment.level, args)
    times = {"open": _moment(args.at, zone) if args.at else float(int(datetime.now(UTC).timestamp()))}
    times |= dict(_named_moment(each, zone) for each in args.times)
    pauses = tuple(_pause(each, zone) for each in args.pause)
    counted = dues(contract, situation, times, load_calendar, pauses)
    duties = duty_dues(contract, situation.level, times, counted, load_calendar)
    rows = [
        *(_due_row(contract, each, zone, args.lang) for each in sorted(counted, key=_soonest)),
        *(_blank_row(contract, each, args.lang) for each in blanks_for(contract, situation)),
        *(_duty_row(contract, each, zone, args.lang) for each in duties),
    ]
    if args.json:
        json_lines(rows)
        return 0
    print(_headline(contract, situation, assignment, args.lang))
    print(f"{_SAID['begins'][args.lang]}: {_when(times['open'], zone, args.lang)} ({zone.key})")
    print()
    _print_rows(rows, args.lang)
    years = {year for each in counted for year in each.unpublished}
    years |= {year for each in duties for year in each.unpublished}
    _print_notes(contract, rows, years, args.lang)
    return 0


def find_region(contract: Contract, said: str) -> str:
    """Return the region of that name, title or city, in either language. Raises CommandError."""
    known: dict[str, str] = {}
    for region, title in contract.regions.items():
        for name in (
            region,
            *title.values(),
            *(word for city in contract.cities.get(region, ()) for word in city.values()),
        ):
            known.setdefault(name.casefold(), region)
    asked = said.strip().casefold()
    if (found := known.get(asked) or known.get(asked.removesuffix("市"))) is not None:
        return found
    if not contract.regions:
        raise CommandError(f"{contract.name} has no regions; leave --region out.")
    raise CommandError(f"{contract.name} has no region {show(said)}; {nearest(said, contract.regions)}")


def _situation(contract: Contract, level: int, args: argparse.Namespace) -> Situation:
    handling = Handling.REMOTE if args.remote else Handling.ON_SITE if args.on_site else None
    for condition in args.when:
        _one_of("condition", condition, contract.conditions, contract)
    if args.grade:
        _one_of("grade", args.grade, contract.grades, contract)
    situation = Situation(
        level=level,
        region=find_region(contract, args.region) if args.region else "",
        grade=args.grade,
        fault=args.fault,
        handling=handling,
        conditions=frozenset(args.when),
        guarded=args.guarded,
    )
    for key in unsaid(contract, situation):
        raise CommandError(f"The limits depend on the {key}; say --{key} {either(getattr(contract, f'{key}s'))}.")
    return situation


def _level(contract: Contract, code: str | None, fault: str) -> Assignment:
    codes = {contract.code(level): level for level in contract.levels}
    if code is not None:
        _one_of("level", code, codes, contract)
        return Assignment(codes[code], provisional=False, reason="said")
    if not fault:
        raise CommandError(f"Say --level {either(codes)}, or --fault.")
    name, _, case = fault.partition("/")
    listed = name in contract.faults or fault in contract.faults
    rule = load_faults().get(name)
    if not listed and rule is None:
        raise CommandError(f"There is no fault {show(name)}; {nearest(name, {*load_faults(), *contract.faults})}")
    meaning = rule.text.meaning if rule is not None else next(iter(contract.general))
    if rule is not None and case in rule.text.cases:
        meaning = rule.text.cases[case].meaning or meaning
    return assign(contract, name, case, meaning)


def _one_of(what: str, said: str, known: Iterable[str], contract: Contract) -> None:
    known = list(known)
    if said not in known:
        raise CommandError(f"{contract.name} has no {what} {show(said)}; {nearest(said, known)}")


# --- times ---------------------------------------------------------------------------------------------------------


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(f"{show(name)} is no time zone; write for example Asia/Shanghai") from None


def _moment(text: str, zone: ZoneInfo) -> float:
    """Return a local time as Unix seconds; of an hour that comes twice, the first."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f'{show(text)} is no time; write for example "2026-09-30 17:50"') from None
    if said.tzinfo is not None:
        return said.timestamp()
    moment = said.replace(tzinfo=zone).timestamp()
    if datetime.fromtimestamp(moment, zone).replace(tzinfo=None) != said:
        raise CommandError(f"{text} does not come in {zone.key}: the clock is put forward over it")
    return moment


def _named_moment(text: str, zone: ZoneInfo) -> tuple[str, float]:
    name, _, time = text.partition("=")
    known = [str(each) for each in (*Start, *Milestone, *EVENTS)]
    if name not in known:
        raise CommandError(f"There is no start, milestone or event {show(name)}; {nearest(name, known)}")
    return name, _moment(time, zone)


def _pause(words: list[str], zone: ZoneInfo) -> Pause:
    if len(words) > 2:
        raise CommandError("A pause has two times: from, and until")
    start, end = _moment(words[0], zone), _moment(words[1], zone) if words[1:] else None
    if end is not None and end < start:
        raise CommandError(f"The pause ends before it begins: {words[0]}, {words[1]}")
    return start, end, "said"


def _when(moment: float, zone: ZoneInfo, lang: str) -> str:
    local = datetime.fromtimestamp(moment, zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {_DAYS[lang].split()[local.weekday()]}"


def _soonest(due: Due) -> float:
    return math.inf if due.due is None else due.due


# --- rows ----------------------------------------------------------------------------------------------------------


def _due_row(contract: Contract, due: Due, zone: ZoneInfo, lang: str) -> dict[str, Any]:
    limit = due.limit
    return {
        "kind": "limit",
        "name": limit.name,
        "milestone": limit.milestone,
        "title": limit_words(limit)[lang],
        "within": span_words(limit.said)[lang],
        "from": after_words(contract, limit.after)[lang],
        "assumed": due.assumed,
        **_dated(due.due, zone, lang),
        "open": _points(contract, limit.open),
    }


def _duty_row(contract: Contract, due: DutyDue, zone: ZoneInfo, lang: str) -> dict[str, Any]:
    duty = due.duty
    return {
        "kind": "document",
        "name": duty.name,
        "title": duty.title[lang],
        "within": duty_words(duty)[lang],
        "from": after_words(contract, duty.after)[lang],
        "assumed": due.assumed,
        **_dated(due.due, zone, lang),
        "open": _points(contract, duty.open),
    }


def _blank_row(contract: Contract, blank: Blank, lang: str) -> dict[str, Any]:
    return {
        "kind": "blank",
        "name": blank.milestone,
        "title": MILESTONES[blank.milestone][lang],
        "within": _SAID["agreed" if blank.negotiated else "fill"][lang],
        "from": after_words(contract, blank.after)[lang],
        "due": None,
        "shown": "-",
        "open": _points(contract, blank.open),
    }


def _points(contract: Contract, keys: tuple[str, ...]) -> list[OpenPoint]:
    return [point for key in keys if (point := contract.point(key)) is not None]


def _dated(moment: float | None, zone: ZoneInfo, lang: str) -> dict[str, Any]:
    """Return a due time for programs (Unix seconds and ISO 8601) and for people."""
    if moment is None or not math.isfinite(moment):
        return {"due": None, "shown": _SAID["not yet" if moment is None else "paused"][lang]}
    local = datetime.fromtimestamp(moment, zone)
    return {"due": local.isoformat(), "unix": moment, "shown": _when(moment, zone, lang)}


def _headline(contract: Contract, situation: Situation, assignment: Assignment, lang: str) -> str:
    parts = [contract.title[lang], contract.levels[situation.level][lang]]
    if assignment.provisional:
        parts[-1] += f" ({_SAID['provisional'][lang]})"
    if situation.region:
        parts.append(contract.regions[situation.region][lang])
    if situation.grade:
        parts.append(contract.grades[situation.grade][lang])
    if any(limit.handling for limit in contract.limits):
        parts.append(HANDLINGS[situation.handling or contract.default_handling][lang])
    parts += [contract.conditions[name][lang] for name in sorted(situation.conditions)]
    if situation.guarded:
        share = f"{contract.guard.share:.0%}" if contract.guard else "100%"
        parts.append(_SAID["guarded"][lang].format(share=share))
    return ("，" if lang == "zh" else ", ").join(parts)


def _print_rows(rows: list[dict[str, Any]], lang: str) -> None:
    cells = []
    for row in rows:
        after = row["from"]
        if row.get("assumed") and row["due"] is not None:
            after += f" ({_SAID['assumed'][lang]})"
        cells.append((row["title"], row["within"], after, row["shown"], ", ".join(p.key for p in row["open"]) or "-"))
    table(_SAID["head"][lang].split("|"), cells, empty=_SAID["none"][lang])


def _print_notes(contract: Contract, rows: list[dict[str, Any]], years: set[int], lang: str) -> None:
    """Print what is open of what was shown, and the years whose holidays are not published."""
    keys = dict.fromkeys(point.key for row in rows for point in row["open"])
    if keys or years:
        print()
    for key in keys:
        point = contract.point(key)
        if point is not None:
            print(f"{key}: {point.text[lang]}")
    for year in sorted(years):
        print(unpublished_warning(year)[lang])

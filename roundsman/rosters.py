"""Rosters at the command line: shown by the running desk or by a file, checked, and substitutes said."""

import argparse
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from config import shipped
from config.contract import load_contract
from config.roster import RosterFile, read_roster
from model.due import Span, deadline
from model.roster import Roster, duties, gaps
from model.roster_protocol import DutyNow, RosterNow, SaySwap, SwapNow, TeamNow, WithdrawSwap
from roundsman.output import CommandError, clean, json_lines, table
from roundsman.tickets.asking import asked, who

_DAY = 86_400.0
_LEVELS = (1, 2, 3, 4)
_SAID: dict[str, tuple[str, str]] = {
    "head": ("TEAM|PERSON|FROM|UNTIL|INSTEAD OF", "班组|人员|开始|结束|顶替"),
    "now": ("On duty at {at}: {who}", "{at}值班：{who}"),
    "nobody": ("nobody", "无人"),
    "gap": ("{team}: nobody on duty from {start} to {end}", "{team}：{start}至{end}无人值班"),
    "none": ("No duties.", "没有值班。"),
    "no_roster": ("The desk has no roster: start it with --roster FILE.", "值班台未设值班表，启动时加 --roster 文件。"),
    "swap": (
        "Substitute {number}: {stand_in} for {absent}, {start} to {end}",
        "顶班{number}：{stand_in}顶替{absent}，{start}至{end}",
    ),
    "withdrawn": ("Substitute {number} is withdrawn.", "顶班{number}已撤销。"),
    "good": ("{people} people, {teams} teams: good.", "{people}人，{teams}个班组：无误。"),
    "role": (
        "note: contract {contract} tells the role {role}; the roster has no such role, team or person",
        "注意：合同{contract}须通知角色{role}，值班表中没有",
    ),
    "level": ("note: no rule for level {level}: nobody is told", "注意：{level}级没有规则，不通知任何人"),
    "unpublished": (
        "note: the make-up days of {years} are not published yet", "注意：{years}年的调休安排尚未公布",
    ),
    "unreachable": ("{name} cannot be reached by {channel}: {why}", "无法经{channel}通知{name}：{why}"),
}  # fmt: skip


def shown(args: argparse.Namespace) -> int:
    """Print who is on duty."""
    found = _of_file(args) if args.file else _of_desk(args)
    if args.json:
        json_lines([found])
        return 0
    if not found.digest:
        raise CommandError(found.problem or _say(args, "no_roster"))
    zone = ZoneInfo(found.zone)
    for team in found.teams:
        names = ", ".join(duty.name for duty in team.on_duty) or _say(args, "nobody")
        on = _say(args, "now", at=_when(found.at, zone), who=names)
        print(clean(f"{_title(args, team)}: {on}"))
    rows = [
        (_title(args, team), duty.name, _when(duty.start, zone), _when(duty.end, zone), duty.instead_of)
        for team in found.teams
        for duty in team.ahead
    ]
    table(_say(args, "head").split("|"), rows, empty=_say(args, "none"))
    for team in found.teams:
        for start, end in team.gaps:
            print(clean(_gap(args, _title(args, team), (start, end), zone)))
    for swap in found.swaps:
        print(clean(_swap(args, swap, zone)))
    for each in found.unreachable:
        print(clean(_say(args, "unreachable", name=each.name, channel=each.channel, why=each.why)))
    return 0


def checked(args: argparse.Namespace) -> int:
    """Print what is wrong with a file; 1 when somebody must be on duty and nobody is."""
    file = read_roster(args.file)
    roster, now = file.roster, float(int(time.time()))
    zone = ZoneInfo(roster.calendar.zone)
    holes = [
        _gap(args, team.title.get(args.lang) or key, gap, zone)
        for key, team in roster.teams.items()
        if team.always
        for gap in gaps(roster, key, now, now + args.days * _DAY)
    ]
    for line in (*holes, *_notes(args, file, now)):
        print(clean(line))
    if holes:
        return 1
    print(_say(args, "good", people=len(roster.people), teams=len(roster.teams)))
    return 0


def said(args: argparse.Namespace) -> int:
    """Say that somebody stands in for somebody."""
    roster = asked(args, lambda client: msgspec.convert(client.get("/roster"), RosterNow))
    if not roster.digest:
        raise CommandError(roster.problem or _say(args, "no_roster"))
    zone = ZoneInfo(roster.zone)
    start = _moment(args.start, zone, roster.now) if args.start else roster.now
    swap = SaySwap(args.absent, args.stand_in, start, _moment(args.until, zone, roster.now), who(args), args.reason)
    became = asked(args, lambda client: msgspec.convert(client.post("/roster/swaps", swap), SwapNow))
    if args.json:
        json_lines([became])
    else:
        print(clean(_swap(args, became, zone)))
    return 0


def withdrawn(args: argparse.Namespace) -> int:
    """Say that a substitute is needed no more."""
    path, body = f"/roster/swaps/{args.number}/withdraw", WithdrawSwap(who(args))
    became = asked(args, lambda client: msgspec.convert(client.post(path, body), SwapNow))
    if args.json:
        json_lines([became])
    else:
        print(_say(args, "withdrawn", number=became.number))
    return 0


def _of_desk(args: argparse.Namespace) -> RosterNow:
    found = asked(args, lambda client: msgspec.convert(client.get("/roster", days=args.days), RosterNow))
    if not args.at or not found.digest:
        return found
    at = _moment(args.at, ZoneInfo(found.zone), found.now)
    return asked(args, lambda client: msgspec.convert(client.get("/roster", days=args.days, at=int(at)), RosterNow))


def _of_file(args: argparse.Namespace) -> RosterNow:
    roster = read_roster(args.file).roster
    now = float(int(time.time()))
    at = _moment(args.at, ZoneInfo(roster.calendar.zone), now) if args.at else now
    teams = tuple(_team(roster, key, at, args.days) for key in roster.teams)
    return RosterNow(at, now, roster.digest, "", roster.calendar.zone, teams)


def _team(roster: Roster, key: str, at: float, days: int) -> TeamNow:
    end = at + days * _DAY
    ahead = tuple(DutyNow(each.person, roster.people[each.person].name, each.start, each.end)
                  for each in duties(roster, key, at, end))  # fmt: skip
    team = roster.teams[key]
    holes = gaps(roster, key, at, end) if team.always else ()
    return TeamNow(key, team.title, tuple(each for each in ahead if each.start <= at), ahead, holes, team.always)


def _notes(args: argparse.Namespace, file: RosterFile, now: float) -> list[str]:
    """Return what is not wrong and still worth knowing."""
    roster = file.roster
    known = {*roster.roles, *roster.teams, *roster.people}
    roles = {(name, step.to) for name in shipped.names("contracts") for step in load_contract(name).contract.escalation}
    span = Span(int(args.days), "working_day")
    years = deadline(now, span, roster.calendar).unpublished
    return [
        *(_say(args, "role", contract=name, role=role) for name, role in sorted(roles) if role not in known),
        *(_say(args, "level", level=level) for level in _LEVELS if roster.rule(level) is None),
        *([_say(args, "unpublished", years=", ".join(map(str, years)))] if years else []),
        *file.warnings,
    ]


def _title(args: argparse.Namespace, team: TeamNow) -> str:
    return team.title.get(args.lang) or team.team


def _gap(args: argparse.Namespace, team: str, gap: tuple[float, float], zone: ZoneInfo) -> str:
    return _say(args, "gap", team=team, start=_when(gap[0], zone), end=_when(gap[1], zone))


def _swap(args: argparse.Namespace, swap: SwapNow, zone: ZoneInfo) -> str:
    start, end = _when(swap.start, zone), _when(swap.end, zone)
    return _say(args, "swap", number=swap.number, stand_in=swap.stand_in, absent=swap.absent, start=start, end=end)


def _say(args: argparse.Namespace, key: str, **parts: object) -> str:
    return _SAID[key][args.lang == "zh"].format(**parts)


def _when(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"


def _moment(text: str, zone: ZoneInfo, now: float) -> float:
    """Return a time as a person says it: with its day, or of today."""
    today = datetime.fromtimestamp(now, zone).date().isoformat()
    try:
        when = datetime.fromisoformat(f"{today} {text}" if len(text) <= 5 else text)
    except ValueError:
        raise CommandError(f"{text!r} is no time: write for example 2026-12-31 20:00, or 20:00 for today") from None
    return (when if when.tzinfo else when.replace(tzinfo=zone)).timestamp()
